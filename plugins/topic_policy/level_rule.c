#include "plugins/topic_policy/level_rule.h"
#include "common/pattern.h"
#include "common/reader.h"
#include "common/vocabulary.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct adu_vocabulary_entry {
    const char *name;
    const struct adu_level_rule *rule;
    struct adu_vocabulary_entry *next;
};

struct keys {
    const char *pattern, *attribute;
    const struct adu_json *one_of, *range;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, pattern, STRING),
    ADU_FIELD(struct keys, attribute, STRING),
    ADU_FIELD(struct keys, one_of, ARRAY),
    ADU_FIELD(struct keys, range, OBJECT),
    {0},
};

struct range_keys {
    const char *prefix;
    long min, max;
};

static const struct adu_field range_fields[] = {
    ADU_FIELD(struct range_keys, prefix, STRING),
    ADU_FIELD(struct range_keys, min, INTEGER, .required = true, .maximum = 999999999),
    ADU_FIELD(struct range_keys, max, INTEGER, .required = true, .maximum = 999999999),
    {0},
};

/* --- one of each --- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct adu_level_rule *a, const struct adu_level_rule *b)
{
    if (a->kind != b->kind || a->count != b->count || a->slot != b->slot || a->least != b->least ||
        a->most != b->most || !same_text(a->prefix, b->prefix) ||
        !same_text(a->pattern_text, b->pattern_text)) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->values[i], b->values[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The rule of the policy that is like `rule`, which becomes it if there is none. */
static const struct adu_level_rule *keep(struct adu_compiler *c, const struct adu_level_rule *rule,
                                         struct adu_level_rules *rules)
{
    for (const struct adu_level_rule *r = rules->first; r != NULL; r = r->next) {
        if (same(r, rule)) {
            return r;
        }
    }
    struct adu_level_rule *kept = adu_arena_alloc(c->arena, sizeof *kept);
    if (kept == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    *kept = *rule;
    kept->number = rules->count++;
    kept->next = rules->first;
    return rules->first = kept;
}

/* --- compiling --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that lists of the same values are the same. */
static bool compile_list(struct adu_compiler *c, const struct adu_json *array,
                         struct adu_level_rule *rule)
{
    const char **values = adu_arena_array(c->arena, array->count + 1, sizeof *values);
    for (const struct adu_json *node = array->first; node != NULL && values != NULL;
         node = node->next) {
        const char *value = adu_read_string(node, c->error);
        if (value == NULL) {
            return false;
        }
        if (!adu_topic_level_value(value)) {
            return adu_json_error(node, c->error, "expected one level of a topic");
        }
        values[rule->count] = adu_arena_strdup(c->arena, value);
        if (values[rule->count++] == NULL) {
            return adu_error_no_memory(c->error);
        }
    }
    if (values == NULL) {
        return adu_error_no_memory(c->error);
    }
    if (rule->count == 0) {
        return adu_json_error(array, c->error, "expected at least one level");
    }
    qsort(values, rule->count, sizeof *values, by_text);
    for (size_t i = 1; i < rule->count; i++) {
        if (strcmp(values[i - 1], values[i]) == 0) {
            return adu_json_error(array, c->error, "\"%s\" is there twice", values[i]);
        }
    }
    rule->kind = ADU_LEVEL_LIST;
    rule->values = values;
    return true;
}

static bool compile_range(struct adu_compiler *c, const struct adu_json *object,
                          struct adu_level_rule *rule)
{
    struct range_keys keys = {.prefix = ""};
    if (!adu_read_object(object, range_fields, &keys, c->error)) {
        return false;
    }
    if (keys.min > keys.max) {
        return adu_json_error(object, c->error, "min %ld is more than max %ld", keys.min, keys.max);
    }
    if (keys.prefix[0] != '\0' && !adu_topic_level_value(keys.prefix)) {
        return adu_json_error(adu_json_member(object, "prefix"), c->error,
                              "expected the beginning of one level of a topic");
    }
    rule->kind = ADU_LEVEL_RANGE;
    rule->prefix = adu_arena_strdup(c->arena, keys.prefix);
    rule->prefix_length = strlen(keys.prefix);
    rule->least = keys.min;
    rule->most = keys.max;
    return rule->prefix != NULL || adu_error_no_memory(c->error);
}

static bool compile_attribute(struct adu_compiler *c, const char *name, const struct adu_json *node,
                              struct adu_level_rule *rule)
{
    rule->kind = ADU_LEVEL_VALUE;
    rule->slot = adu_vocabulary_use_attribute(c->vocabulary, name, &node->place);
    rule->attribute = adu_arena_strdup(c->arena, name);
    return (rule->slot != ADU_NO_NAME && rule->attribute != NULL) || adu_error_no_memory(c->error);
}

static bool compile_pattern(struct adu_compiler *c, const char *text, const struct adu_json *node,
                            struct adu_level_rules *rules, struct adu_level_rule *rule)
{
    rule->kind = ADU_LEVEL_PATTERN;
    rule->pattern_text = text;
    for (const struct adu_level_rule *r = rules->first; r != NULL; r = r->next) {
        if (same(r, rule)) {
            return true; /* once is enough */
        }
    }
    rule->pattern_text = adu_arena_strdup(c->arena, text);
    if (rule->pattern_text == NULL) {
        return adu_error_no_memory(c->error);
    }
    rule->pattern = adu_pattern_compile(c->arena, text, node, c->error);
    struct adu_plain_pattern *plain = adu_arena_alloc(c->arena, sizeof *plain);
    if (rule->pattern == NULL || plain == NULL) {
        return rule->pattern != NULL && adu_error_no_memory(c->error);
    }
    rule->plain = adu_plain_pattern_of(text, rule->pattern, plain) ? plain : NULL;
    return true;
}

static bool compile(struct adu_compiler *c, const struct adu_json *object,
                    struct adu_level_rules *rules, struct adu_level_rule *rule)
{
    struct keys keys = {0};
    if (!adu_read_is_object(object, c->error) ||
        !adu_read_object(object, fields, &keys, c->error)) {
        return false;
    }
    if ((keys.pattern != NULL) + (keys.attribute != NULL) + (keys.one_of != NULL) +
            (keys.range != NULL) !=
        1) {
        return adu_json_error(object, c->error,
                              "expected one of \"one_of\", \"range\", \"pattern\", \"attribute\"");
    }
    if (keys.one_of != NULL) {
        return compile_list(c, keys.one_of, rule);
    }
    if (keys.range != NULL) {
        return compile_range(c, keys.range, rule);
    }
    if (keys.pattern != NULL) {
        return compile_pattern(c, keys.pattern, adu_json_member(object, "pattern"), rules, rule);
    }
    const struct adu_json *attribute = adu_json_member(object, "attribute");
    return adu_read_is_name(attribute, keys.attribute, c->error) &&
           compile_attribute(c, keys.attribute, attribute, rule);
}

const struct adu_level_rule *adu_level_rule_compile(struct adu_compiler *c,
                                                    const struct adu_json *node,
                                                    struct adu_level_rules *rules)
{
    struct adu_level_rule rule = {0};
    if (!json_is_string(node->value)) {
        return compile(c, node, rules, &rule) ? keep(c, &rule, rules) : NULL;
    }
    const struct adu_level_rule *shared =
        adu_level_rule_shared(rules, json_string_value(node->value));
    if (shared == NULL) {
        adu_json_error(node, c->error, "vocabularies has no \"%.64s\"",
                       json_string_value(node->value));
    }
    return shared;
}

const struct adu_level_rule *adu_level_rule_attribute(struct adu_compiler *c, const char *name,
                                                      const struct adu_json *node,
                                                      struct adu_level_rules *rules)
{
    struct adu_level_rule rule = {0};
    return compile_attribute(c, name, node, &rule) ? keep(c, &rule, rules) : NULL;
}

const struct adu_level_rule *adu_level_rule_free(struct adu_compiler *c,
                                                 struct adu_level_rules *rules)
{
    const struct adu_level_rule rule = {.kind = ADU_LEVEL_FREE};
    return keep(c, &rule, rules);
}

bool adu_level_rules_share(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_level_rules *rules)
{
    const struct adu_json *node = NULL;
    while (object != NULL && (node = adu_read_next(object, node)) != NULL) {
        struct adu_vocabulary_entry *entry = adu_arena_alloc(c->arena, sizeof *entry);
        if (!adu_read_is_name(node, node->key, c->error) || !adu_read_is_object(node, c->error)) {
            return false;
        }
        if (entry == NULL || (entry->name = adu_arena_strdup(c->arena, node->key)) == NULL) {
            return adu_error_no_memory(c->error);
        }
        entry->rule = adu_level_rule_compile(c, node, rules);
        if (entry->rule == NULL) {
            return false;
        }
        entry->next = rules->shared;
        rules->shared = entry;
    }
    return true;
}

const struct adu_level_rule *adu_level_rule_shared(const struct adu_level_rules *rules,
                                                   const char *name)
{
    for (const struct adu_vocabulary_entry *e = rules->shared; e != NULL; e = e->next) {
        if (strcmp(e->name, name) == 0) {
            return e->rule;
        }
    }
    return NULL;
}
