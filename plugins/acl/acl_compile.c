#include "common/reader.h"
#include "plugins/acl/acl.h"
#include "plugins/acl/acl_rules.h"

struct keys {
    struct adu_stage_header header;
    const struct adu_json *roles, *bindings;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_STAGE_MODE_FIELD(struct keys),
    ADU_FIELD(struct keys, roles, OBJECT, .required = true),
    ADU_FIELD(struct keys, bindings, ARRAY),
    {0},
};

struct role_keys {
    const struct adu_json *allow, *deny;
};

static const struct adu_field role_fields[] = {
    ADU_FIELD(struct role_keys, allow, ARRAY),
    ADU_FIELD(struct role_keys, deny, ARRAY),
    {0},
};

/* In the order of enum adu_action, by which rule_actions is indexed. */
struct rule_keys {
    const struct adu_json *patterns[3];
    const char *name;
};

static const struct adu_field rule_fields[] = {
    {.key = "publish",
     .kind = ADU_FIELD_ARRAY,
     .offset = offsetof(struct rule_keys, patterns[ADU_PUBLISH])},
    {.key = "subscribe",
     .kind = ADU_FIELD_ARRAY,
     .offset = offsetof(struct rule_keys, patterns[ADU_SUBSCRIBE])},
    {.key = "receive",
     .kind = ADU_FIELD_ARRAY,
     .offset = offsetof(struct rule_keys, patterns[ADU_RECEIVE])},
    ADU_FIELD(struct rule_keys, name, STRING),
    {0},
};

/* What a list of patterns is about: who may subscribe may receive, who may not must not. */
static const unsigned rule_actions[] = {
    [ADU_PUBLISH] = 1u << ADU_PUBLISH,
    [ADU_SUBSCRIBE] = 1u << ADU_SUBSCRIBE | 1u << ADU_RECEIVE,
    [ADU_RECEIVE] = 1u << ADU_RECEIVE,
};

static bool compile_patterns(struct adu_compiler *c, const struct adu_json *array,
                             const struct adu_acl_rule *like, struct adu_acl_rules *out)
{
    if (array->count == 0) {
        return adu_json_error(array, c->error, "an empty list means nothing; leave the key out");
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        struct adu_acl_rule *rule = &out->rules[out->count];
        *rule = *like;
        rule->pattern = adu_topic_pattern_compile(c, node);
        if (rule->pattern == NULL) {
            return false;
        }
        out->count++;
    }
    return true;
}

static bool compile_rule(struct adu_compiler *c, const struct adu_json *node,
                         struct adu_acl_rules *out)
{
    struct rule_keys keys = {0};
    if (!adu_read_object(node, rule_fields, &keys, c->error)) {
        return false;
    }
    struct adu_acl_rule rule = {0};
    if (keys.name != NULL && (rule.name = adu_arena_strdup(c->arena, keys.name)) == NULL) {
        return adu_error_no_memory(c->error);
    }
    bool any = false;
    for (int action = ADU_PUBLISH; action <= ADU_RECEIVE; action++) {
        if (keys.patterns[action] == NULL) {
            continue;
        }
        any = true;
        rule.actions = rule_actions[action];
        if (!compile_patterns(c, keys.patterns[action], &rule, out)) {
            return false;
        }
    }
    return any || adu_json_error(node, c->error,
                                 "a rule needs at least one of publish, subscribe and receive");
}

/* An upper bound of the patterns within a list of rules, whatever shape they have. */
static size_t count_patterns(const struct adu_json *rules)
{
    size_t count = 0;
    for (const struct adu_json *rule = rules->first; rule != NULL; rule = rule->next) {
        for (const struct adu_json *list = rule->first; list != NULL; list = list->next) {
            count += list->count;
        }
    }
    return count;
}

static bool compile_rules(struct adu_compiler *c, const struct adu_json *array,
                          struct adu_acl_rules *out)
{
    if (array == NULL) {
        return true;
    }
    out->rules = adu_arena_array(c->arena, count_patterns(array), sizeof *out->rules);
    if (out->rules == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        if (!compile_rule(c, node, out)) {
            return false;
        }
    }
    return true;
}

static bool compile_role(struct adu_compiler *c, const struct adu_json *node,
                         struct adu_acl_role *role)
{
    struct role_keys keys = {0};
    return adu_read_object(node, role_fields, &keys, c->error) &&
           compile_rules(c, keys.allow, &role->allow) && compile_rules(c, keys.deny, &role->deny);
}

static bool define_roles(struct adu_compiler *c, const struct adu_json *object)
{
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (!adu_read_is_name(node, node->key, c->error)) {
            return false;
        }
        if (adu_vocabulary_define_role(c->vocabulary, node->key) == ADU_NO_NAME) {
            return adu_error_no_memory(c->error);
        }
    }
    return true;
}

static bool compile_roles(struct adu_compiler *c, const struct adu_json *object,
                          struct adu_acl *acl)
{
    acl->role_count = adu_vocabulary_roles(c->vocabulary);
    acl->roles = adu_arena_array(c->arena, acl->role_count, sizeof *acl->roles);
    if (acl->roles == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (size_t i = 0; i < acl->role_count; i++) {
        acl->roles[i].name = adu_vocabulary_role_name(c->vocabulary, i);
    }
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        const int role = adu_vocabulary_define_role(c->vocabulary, node->key);
        if (!compile_role(c, node, &acl->roles[role])) {
            return false;
        }
    }
    return true;
}

struct binding_keys {
    const struct adu_json *match, *roles;
};

static const struct adu_field binding_fields[] = {
    ADU_FIELD(struct binding_keys, match, OBJECT, .required = true),
    ADU_FIELD(struct binding_keys, roles, ARRAY, .required = true),
    {0},
};

static bool compile_bindings(struct adu_compiler *c, const struct adu_json *array,
                             struct adu_acl *acl)
{
    if (array == NULL) {
        return true;
    }
    acl->bindings = adu_arena_array(c->arena, array->count, sizeof *acl->bindings);
    if (acl->bindings == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        struct adu_acl_binding *binding = &acl->bindings[acl->binding_count++];
        struct binding_keys keys = {0};
        if (!adu_read_object(node, binding_fields, &keys, c->error) ||
            (binding->match = adu_match_compile(c, keys.match, false)) == NULL ||
            (binding->roles = adu_role_list_compile(c, keys.roles)) == NULL) {
            return false;
        }
    }
    return true;
}

const struct adu_acl *adu_acl_compile(struct adu_compiler *c, const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_acl *acl = adu_arena_alloc(c->arena, sizeof *acl);
    if (acl == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    /* Bindings first: every role then has its number when the table of roles is made. */
    if (!adu_read_object(root, fields, &keys, c->error) || !define_roles(c, keys.roles) ||
        !compile_bindings(c, keys.bindings, acl) || !compile_roles(c, keys.roles, acl)) {
        return NULL;
    }
    return acl;
}
