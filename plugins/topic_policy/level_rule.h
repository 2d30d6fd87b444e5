/* What one level of a namespace's template may be: one of a list, a number in a range, what a
 * pattern says, the value of an attribute of whoever asks, or anything that is a legal name. */
#ifndef ADUANA_TOPIC_POLICY_LEVEL_RULE_H
#define ADUANA_TOPIC_POLICY_LEVEL_RULE_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/topic.h"
#include "plugins/topic_policy/plain_pattern.h"
#include <stdint.h>

/* From the most specific to the least: where two of them fit a level, the earlier one is tried
 * first. */
enum adu_level_rule_kind {
    ADU_LEVEL_LIST,
    ADU_LEVEL_VALUE, /* of an attribute */
    ADU_LEVEL_RANGE,
    ADU_LEVEL_PATTERN,
    ADU_LEVEL_FREE
};

struct adu_level_rule {
    enum adu_level_rule_kind kind;
    uint32_t number;           /* no other rule of the policy has it */
    const char *const *values; /* LIST, NULL-ended */
    size_t count;
    int slot;              /* VALUE */
    const char *attribute; /* VALUE */
    const char *prefix;    /* RANGE: what stands before the number */
    size_t prefix_length;
    long least, most;
    const struct adu_pattern *pattern;
    const char *pattern_text;
    const struct adu_plain_pattern *plain; /* the same, where it is as simple as that; else NULL */
    struct adu_level_rule *next;
};

/* All rules of a policy, equal ones once; and the shared ones by their name. Zeroed, there are
 * none. */
struct adu_level_rules {
    struct adu_level_rule *first;
    uint32_t count;
    struct adu_vocabulary_entry *shared;
};

/* Compiles "vocabularies": rules with a name, for templates to share. */
bool adu_level_rules_share(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_level_rules *rules);

/* Compiles one rule: an object with one of "one_of", "range", "pattern" and "attribute", or the
 * name of a shared one. NULL with c->error set. */
const struct adu_level_rule *adu_level_rule_compile(struct adu_compiler *c,
                                                    const struct adu_json *node,
                                                    struct adu_level_rules *rules);

/* The shared rule of that name, or NULL. */
const struct adu_level_rule *adu_level_rule_shared(const struct adu_level_rules *rules,
                                                   const char *name);

/* The rule of an attribute's value, or of any level at all. NULL with c->error set. */
const struct adu_level_rule *adu_level_rule_attribute(struct adu_compiler *c, const char *name,
                                                      const struct adu_json *node,
                                                      struct adu_level_rules *rules);
const struct adu_level_rule *adu_level_rule_free(struct adu_compiler *c,
                                                 struct adu_level_rules *rules);

/* True if the level is what the rule asks for. A free one is not what begins with `_`: such levels
 * are for templates that spell them out. `values` NULL: nobody's. One thread at a time. */
bool adu_level_rule_fits(const struct adu_level_rule *rule, struct adu_text level,
                         adu_topic_values values);

/* False only if no level fits both, whoever asks. */
bool adu_level_rules_meet(const struct adu_level_rule *a, const struct adu_level_rule *b);

/* Says in words what is expected, as in `one of temperatura, presion`. Returns `buffer`. */
const char *adu_level_rule_text(const struct adu_level_rule *rule, char *buffer, size_t size);

#endif
