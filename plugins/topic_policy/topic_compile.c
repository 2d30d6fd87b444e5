/* topic_policy.json into a policy. */
#include "common/match.h"
#include "common/reader.h"
#include "plugins/topic_policy/policy_parts.h"
#include <string.h>

struct keys {
    struct adu_stage_header header;
    const struct adu_json *names, *depth, *reserved_levels, *exempt, *vocabularies, *namespaces,
        *subscriptions, *sparkplug, *clients, *discovery;
    int other_topics;
    bool report;
};

static const char *const others_names[] = {[ADU_OTHERS_REFUSE] = "refuse",
                                           [ADU_OTHERS_WATCH] = "watch",
                                           [ADU_OTHERS_ALLOW] = "allow",
                                           NULL};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_STAGE_MODE_FIELD(struct keys),
    ADU_FIELD(struct keys, names, OBJECT),
    ADU_FIELD(struct keys, depth, OBJECT),
    ADU_FIELD(struct keys, reserved_levels, OBJECT),
    ADU_FIELD(struct keys, exempt, ARRAY),
    ADU_FIELD(struct keys, vocabularies, OBJECT),
    ADU_FIELD(struct keys, namespaces, ARRAY),
    ADU_FIELD(struct keys, subscriptions, OBJECT),
    ADU_FIELD(struct keys, sparkplug, OBJECT),
    ADU_FIELD(struct keys, report, BOOL),
    ADU_FIELD(struct keys, clients, ARRAY),
    ADU_FIELD(struct keys, discovery, OBJECT),
    ADU_FIELD(struct keys, other_topics, CHOICE, .choices = others_names),
    {0},
};

struct depth_keys {
    long min, max;
};

static const struct adu_field depth_fields[] = {
    ADU_FIELD(struct depth_keys, min, INTEGER, .minimum = 1, .maximum = 128),
    ADU_FIELD(struct depth_keys, max, INTEGER, .minimum = 1, .maximum = 128),
    {0},
};

static bool compile_depth(struct adu_compiler *c, const struct adu_json *object,
                          struct adu_topic_policy *policy)
{
    struct depth_keys keys = {.min = 1, .max = 16};
    if (object != NULL) {
        if (!adu_read_object(object, depth_fields, &keys, c->error)) {
            return false;
        }
        policy->depth_place = adu_compiler_place(c, &object->place);
    }
    if (keys.min > keys.max) {
        return adu_json_error(object, c->error, "min %ld is more than max %ld", keys.min, keys.max);
    }
    policy->min_levels = keys.min;
    policy->max_levels = keys.max;
    return true;
}

struct reserved_keys {
    const struct adu_json *publish_roles;
};

static const struct adu_field reserved_fields[] = {
    ADU_FIELD(struct reserved_keys, publish_roles, ARRAY, .required = true),
    {0},
};

static bool compile_reserved(struct adu_compiler *c, const struct adu_json *object,
                             struct adu_topic_policy *policy)
{
    policy->reserved_first['_'] = true;
    if (object == NULL) {
        return true;
    }
    policy->reserved_place = adu_compiler_place(c, &object->place);
    policy->reserved = adu_arena_array(c->arena, adu_read_count(object), sizeof *policy->reserved);
    const struct adu_json *node = NULL;
    while (policy->reserved != NULL && (node = adu_read_next(object, node)) != NULL) {
        struct adu_reserved *r = &policy->reserved[policy->reserved_count++];
        struct reserved_keys keys = {0};
        if (!adu_topic_level_value(node->key)) {
            return adu_json_key_error(node, c->error, "expected one level of a topic");
        }
        if (!adu_read_object(node, reserved_fields, &keys, c->error)) {
            return false;
        }
        r->place = adu_compiler_place(c, &node->key_place);
        r->level = adu_arena_strdup(c->arena, node->key);
        r->length = strlen(node->key);
        policy->reserved_first[(unsigned char)node->key[0]] = true;
        const int *roles = adu_role_list_compile(c, keys.publish_roles);
        if (r->level == NULL) {
            return adu_error_no_memory(c->error);
        }
        if (roles == NULL || !adu_role_set(c, roles, &r->publishers)) {
            return false;
        }
    }
    return policy->reserved != NULL || adu_error_no_memory(c->error);
}

static void note_first_byte(const struct adu_topic_pattern *pattern, bool first[256])
{
    const struct adu_pattern_level *level = &pattern->levels[0];
    if (level->kind == ADU_LEVEL_LITERAL && level->text.length > 0) {
        first[(unsigned char)level->text.bytes[0]] = true;
    } else {
        memset(first, true, 256);
    }
}

static bool compile_exempt(struct adu_compiler *c, const struct adu_json *array,
                           struct adu_topic_policy *policy)
{
    if (array == NULL) {
        return true;
    }
    policy->exempt = adu_arena_array(c->arena, array->count, sizeof *policy->exempt);
    if (policy->exempt == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        const struct adu_topic_pattern *pattern = adu_topic_pattern_compile(c, node);
        if (pattern == NULL) {
            return false;
        }
        policy->exempt[policy->exempt_count++] = pattern;
        note_first_byte(pattern, policy->exempt_first);
        for (size_t i = 0; i < pattern->count; i++) {
            policy->exempt_for_some |= pattern->levels[i].kind == ADU_LEVEL_ATTRIBUTE;
        }
    }
    return true;
}

static bool compile_namespaces(struct adu_compiler *c, const struct keys *keys,
                               struct adu_topic_policy *policy)
{
    const struct adu_namespace_limits limits = {.legal = adu_topic_may_spell_out,
                                                .policy = policy,
                                                .min_levels = policy->min_levels,
                                                .max_levels = policy->max_levels};
    policy->namespaces.others = keys->other_topics;
    return adu_namespaces_compile(c, keys->vocabularies, keys->namespaces, &limits,
                                  &policy->namespaces);
}

/* The bundle publishes its report there whatever the names are like, but who would subscribe? */
static void find_unreadable(struct adu_compiler *c, const struct adu_topic_policy *policy)
{
    struct adu_reason why = ADU_REASON_INIT;
    if (policy->telling.topic.length > 0 &&
        !adu_topic_policy_possible(policy, policy->telling.topic, &why)) {
        adu_findings_add(c->findings, "unreadable-topic", &policy->telling.place,
                         "nobody may subscribe to just this: %s [%s:%u]", why.text, why.rule->file,
                         why.rule->line);
    }
}

const struct adu_topic_policy *adu_topic_policy_compile(struct adu_compiler *c,
                                                        const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_topic_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    policy->place = adu_compiler_place(c, &root->place);
    if (!adu_read_object(root, fields, &keys, c->error) ||
        (policy->names = adu_names_compile(c, keys.names)) == NULL ||
        !compile_depth(c, keys.depth, policy) ||
        !compile_reserved(c, keys.reserved_levels, policy) ||
        !compile_exempt(c, keys.exempt, policy) ||
        !adu_filters_compile(c, keys.subscriptions, &policy->filters) ||
        !adu_sparkplug_compile(c, keys.sparkplug, &policy->sparkplug) ||
        !compile_namespaces(c, &keys, policy) ||
        !adu_rollout_compile(c, keys.clients, &policy->rollout) ||
        !adu_telling_compile(c, keys.discovery, &policy->telling)) {
        return NULL;
    }
    policy->report = keys.report;
    policy->rollout.file_watches = keys.header.mode == ADU_MODE_WATCH;
    find_unreadable(c, policy);
    policy->legal = adu_legal_topics_new(c->arena);
    policy->refusals = adu_refusals_new(c->arena, policy->namespaces.count);
    if (policy->legal == NULL || policy->refusals == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    return policy;
}
