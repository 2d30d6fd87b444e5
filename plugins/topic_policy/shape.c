#include "plugins/topic_policy/shape.h"
#include "common/reader.h"
#include "common/template.h"
#include <stdio.h>
#include <string.h>

/* The rule of a level called `name`. */
static const struct adu_level_rule *rule_of(struct adu_compiler *c, const char *name,
                                            const struct adu_json *own,
                                            struct adu_level_rules *rules)
{
    const struct adu_json *node = own != NULL ? adu_json_member(own, name) : NULL;
    if (node != NULL) {
        return adu_level_rule_compile(c, node, rules);
    }
    const struct adu_level_rule *shared = adu_level_rule_shared(rules, name);
    return shared != NULL ? shared : adu_level_rule_free(c, rules);
}

static bool compile_named(struct adu_compiler *c, const struct adu_json *node,
                          const struct adu_json *own, struct adu_level_rules *rules,
                          struct adu_shape_level *level)
{
    char name[80];
    const struct adu_text text = level->text;
    if (text.length < 3 || text.length >= sizeof name || text.bytes[text.length - 1] != '}') {
        return adu_json_error(node, c->error, "expected {name} or {name?} as a whole level");
    }
    level->optional = text.bytes[text.length - 2] == '?';
    level->text = (struct adu_text){text.bytes + 1, text.length - 2 - (level->optional ? 1 : 0)};
    snprintf(name, sizeof name, "%.*s", (int)level->text.length, level->text.bytes);
    if (!adu_read_is_name(node, name, c->error)) {
        return false;
    }
    level->rule = rule_of(c, name, own, rules);
    return level->rule != NULL;
}

static bool compile_attribute(struct adu_compiler *c, const struct adu_json *node,
                              struct adu_level_rules *rules, struct adu_shape_level *level)
{
    char name[80];
    const struct adu_text text = level->text;
    if (text.length < 4 || text.length >= sizeof name ||
        adu_template_name(text.bytes) != text.length - 3) {
        return adu_json_error(node, c->error, "${attribute} must be a whole level of the topic");
    }
    snprintf(name, sizeof name, "%.*s", (int)text.length - 3, text.bytes + 2);
    level->text = (struct adu_text){text.bytes + 2, text.length - 3};
    level->rule = adu_read_is_name(node, name, c->error)
                      ? adu_level_rule_attribute(c, name, node, rules)
                      : NULL;
    return level->rule != NULL;
}

static bool compile_level(struct adu_compiler *c, const struct adu_json *node,
                          const struct adu_json *own, struct adu_level_rules *rules,
                          struct adu_shape_level *level)
{
    const struct adu_text text = level->text;
    if (text.length > 0 && text.bytes[0] == '{') {
        return compile_named(c, node, own, rules, level);
    }
    if (text.length > 1 && memcmp(text.bytes, "${", 2) == 0) {
        return compile_attribute(c, node, rules, level);
    }
    if (text.length == 0 || memchr(text.bytes, '{', text.length) != NULL ||
        memchr(text.bytes, '}', text.length) != NULL ||
        memchr(text.bytes, '+', text.length) != NULL ||
        memchr(text.bytes, '#', text.length) != NULL) {
        return adu_json_error(node, c->error,
                              "expected levels divided by \"/\", each a text, {name}, {name?} or "
                              "${attribute}, and \"#\" at most as the last");
    }
    return true;
}

static size_t run_of_optional(const struct adu_shape *shape, size_t at)
{
    size_t count = 0;
    while (at + count < shape->count && shape->levels[at + count].optional) {
        count++;
    }
    return count;
}

static size_t count_ways(const struct adu_shape *shape)
{
    size_t ways = 1;
    for (size_t i = 0; i < shape->count; i++) {
        const size_t run = run_of_optional(shape, i);
        ways *= run + 1;
        i += run > 0 ? run - 1 : 0;
        if (ways > ADU_SHAPE_MOST_WAYS) {
            break;
        }
    }
    return ways;
}

const struct adu_shape *adu_shape_compile(struct adu_compiler *c, const char *text,
                                          const struct adu_json *node, const struct adu_json *own,
                                          struct adu_level_rules *rules)
{
    const size_t count = adu_topic_levels(adu_text_of(text));
    struct adu_shape *shape =
        count <= ADU_SHAPE_MOST_LEVELS
            ? adu_arena_alloc(c->arena, sizeof *shape + count * sizeof(struct adu_shape_level))
            : NULL;
    const char *copy = adu_arena_strdup(c->arena, text);
    if (count > ADU_SHAPE_MOST_LEVELS) {
        adu_json_error(node, c->error, "has more than %d levels", ADU_SHAPE_MOST_LEVELS);
        return NULL;
    }
    if (shape == NULL || copy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    shape->place = adu_compiler_place(c, &node->place);
    struct adu_text rest = adu_text_of(copy), level;
    while (adu_topic_next_level(&rest, &level)) {
        shape->tail = rest.bytes == NULL && adu_text_is(level, "#");
        if (shape->tail) {
            break;
        }
        shape->levels[shape->count].text = level;
        if (!compile_level(c, node, own, rules, &shape->levels[shape->count++])) {
            return NULL;
        }
    }
    if (count_ways(shape) > ADU_SHAPE_MOST_WAYS) {
        adu_json_error(node, c->error, "its optional levels can be left out in more than %d ways",
                       ADU_SHAPE_MOST_WAYS);
        return NULL;
    }
    return shape;
}

/* The state is a number whose digits say how many levels of each run stand. */
bool adu_shape_next_way(const struct adu_shape *shape, size_t *state, struct adu_shape_way *way)
{
    size_t rest = (*state)++;
    way->count = 0;
    for (size_t i = 0; i < shape->count;) {
        const size_t run = run_of_optional(shape, i);
        const size_t stand = run > 0 ? rest % (run + 1) : 1;
        rest = run > 0 ? rest / (run + 1) : rest;
        for (size_t j = 0; j < stand; j++) {
            way->levels[way->count++] = &shape->levels[i + j];
        }
        i += run > 0 ? run : 1;
    }
    return rest == 0;
}
