/* A namespace's template, level by level: `planta/{linea}/{estacion?}/{parametro}`. A level is a
 * text, a name between braces with a rule (level_rule.h) behind it, or `${attribute}`; a name that
 * ends with `?` may be left out, and a final `#` stands for any further levels. */
#ifndef ADUANA_TOPIC_POLICY_SHAPE_H
#define ADUANA_TOPIC_POLICY_SHAPE_H

#include "plugins/topic_policy/level_rule.h"

enum { ADU_SHAPE_MOST_LEVELS = 128, ADU_SHAPE_MOST_WAYS = 64 };

struct adu_shape_level {
    const struct adu_level_rule *rule; /* NULL: `text` and nothing else */
    struct adu_text text;              /* without a rule the level, else its name */
    bool optional;
};

struct adu_shape {
    struct adu_place place;
    bool tail;
    size_t count; /* without the tail */
    struct adu_shape_level levels[];
};

/* Compiles the text that stands at `node`. A level's rule is that of its name in `own` (an object,
 * or NULL), else the shared one of that name, else any. NULL with c->error set. */
const struct adu_shape *adu_shape_compile(struct adu_compiler *c, const char *text,
                                          const struct adu_json *node, const struct adu_json *own,
                                          struct adu_level_rules *rules);

/* One way to read a shape: the levels that stand in it. Of several optional ones in a row the later
 * are left out before the earlier. */
struct adu_shape_way {
    size_t count;
    const struct adu_shape_level *levels[ADU_SHAPE_MOST_LEVELS];
};

/* Goes through all ways: begin with `*state` 0; false when there is none left. There are at most
 * ADU_SHAPE_MOST_WAYS. */
bool adu_shape_next_way(const struct adu_shape *shape, size_t *state, struct adu_shape_way *way);

#endif
