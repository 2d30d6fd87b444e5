#include "plugins/topic_policy/topic_policy.h"
#include "common/match.h"
#include "common/reader.h"
#include "common/topic_pattern.h"
#include "plugins/topic_policy/names.h"
#include <string.h>

struct reserved {
    struct adu_place place;
    const char *level;
    struct adu_roles publishers;
};

struct adu_topic_policy {
    const struct adu_names *names;
    long min_levels, max_levels;
    struct adu_place place; /* of the file's object: where what is a default is said to stand */
    struct adu_place depth_place, reserved_place; /* line 0: not in the file */
    size_t reserved_count;
    struct reserved *reserved;
    size_t exempt_count;
    const struct adu_topic_pattern **exempt;
};

/* --- compiling --- */

struct keys {
    struct adu_stage_header header;
    const struct adu_json *names, *depth, *reserved_levels, *exempt;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_STAGE_MODE_FIELD(struct keys),
    ADU_FIELD(struct keys, names, OBJECT),
    ADU_FIELD(struct keys, depth, OBJECT),
    ADU_FIELD(struct keys, reserved_levels, OBJECT),
    ADU_FIELD(struct keys, exempt, ARRAY),
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

static bool fill_publishers(struct adu_compiler *c, const int *roles, struct reserved *r)
{
    int highest = 0;
    for (const int *role = roles; *role >= 0; role++) {
        highest = *role > highest ? *role : highest;
    }
    r->publishers.count = adu_roles_words((size_t)highest + 1);
    r->publishers.words = adu_arena_array(c->arena, r->publishers.count, sizeof(uint64_t));
    if (r->publishers.words == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (; *roles >= 0; roles++) {
        adu_roles_add(&r->publishers, *roles);
    }
    return true;
}

static bool compile_reserved(struct adu_compiler *c, const struct adu_json *object,
                             struct adu_topic_policy *policy)
{
    if (object == NULL) {
        return true;
    }
    policy->reserved_place = adu_compiler_place(c, &object->place);
    policy->reserved = adu_arena_array(c->arena, adu_read_count(object), sizeof *policy->reserved);
    const struct adu_json *node = NULL;
    while (policy->reserved != NULL && (node = adu_read_next(object, node)) != NULL) {
        struct reserved *r = &policy->reserved[policy->reserved_count++];
        struct reserved_keys keys = {0};
        if (!adu_topic_level_value(node->key)) {
            return adu_json_key_error(node, c->error, "expected one level of a topic");
        }
        if (!adu_read_object(node, reserved_fields, &keys, c->error)) {
            return false;
        }
        r->place = adu_compiler_place(c, &node->key_place);
        r->level = adu_arena_strdup(c->arena, node->key);
        const int *roles = adu_role_list_compile(c, keys.publish_roles);
        if (r->level == NULL) {
            return adu_error_no_memory(c->error);
        }
        if (roles == NULL || !fill_publishers(c, roles, r)) {
            return false;
        }
    }
    return policy->reserved != NULL || adu_error_no_memory(c->error);
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
    }
    return true;
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
        !compile_exempt(c, keys.exempt, policy)) {
        return NULL;
    }
    return policy;
}

/* --- deciding --- */

static bool is_exempt(const struct adu_topic_policy *policy, const struct adu_request *request)
{
    for (size_t i = 0; i < policy->exempt_count; i++) {
        const struct adu_topic_pattern *p = policy->exempt[i];
        if (request->action == ADU_SUBSCRIBE
                ? adu_topic_pattern_contains(p, request->topic, request->subject->values)
                : adu_topic_pattern_matches(p, request->topic, request->subject->values)) {
            return true;
        }
    }
    return false;
}

static bool reserved_legal(const struct adu_topic_policy *policy, const struct adu_request *request,
                           struct adu_text level, struct adu_reason *why)
{
    for (size_t i = 0; i < policy->reserved_count; i++) {
        const struct reserved *r = &policy->reserved[i];
        if (adu_text_is(level, r->level)) {
            if (request->action == ADU_SUBSCRIBE ||
                adu_roles_overlap(&r->publishers, &request->subject->roles)) {
                return true;
            }
            why->text =
                "this level is reserved, and none of the client's roles may publish under it";
            why->rule = &r->place;
            return false;
        }
    }
    if (level.bytes[0] == '_') {
        why->text = "levels that begin with \"_\" must be named in reserved_levels";
        why->rule = &policy->reserved_place;
        return false;
    }
    return true;
}

static bool level_legal(const struct adu_topic_policy *policy, const struct adu_request *request,
                        struct adu_text level, struct adu_reason *why)
{
    if (request->action == ADU_SUBSCRIBE && (adu_text_is(level, "+") || adu_text_is(level, "#"))) {
        return true;
    }
    return adu_names_level_legal(policy->names, level, why) &&
           reserved_legal(policy, request, level, why);
}

/* `levels` counts those before a final `#`. */
static bool depth_legal(const struct adu_topic_policy *policy, size_t levels, bool open_ended,
                        struct adu_reason *why)
{
    why->rule = &policy->depth_place;
    if (levels < (size_t)policy->min_levels && !open_ended) {
        why->text = "fewer levels than depth.min";
        why->limit = policy->min_levels;
        return false;
    }
    if (levels > (size_t)policy->max_levels) {
        why->text = "more levels than depth.max";
        why->limit = policy->max_levels;
        return false;
    }
    why->rule = NULL;
    return true;
}

static enum adu_verdict refuse(const struct adu_topic_policy *policy, struct adu_reason *why)
{
    if (why->rule == NULL || why->rule->line == 0) {
        why->rule = &policy->place;
    }
    return ADU_DENY;
}

enum adu_verdict adu_topic_policy_decide(const struct adu_topic_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why)
{
    if (request->action == ADU_RECEIVE || is_exempt(policy, request)) {
        return ADU_ABSTAIN;
    }
    if (!adu_names_length_legal(policy->names, request->topic, why)) {
        return refuse(policy, why);
    }
    struct adu_text rest = request->topic, level;
    size_t levels = 0;
    bool open_ended = false;
    while (adu_topic_next_level(&rest, &level)) {
        open_ended = request->action == ADU_SUBSCRIBE && adu_text_is(level, "#");
        if (open_ended) {
            break;
        }
        levels++;
        if (!level_legal(policy, request, level, why)) {
            why->level = (unsigned)levels;
            why->level_text = level;
            return refuse(policy, why);
        }
    }
    return depth_legal(policy, levels, open_ended, why) ? ADU_ABSTAIN : refuse(policy, why);
}

/* --- what can be legal at all --- */

/* True if some topic may match both. Says so too often rather than too seldom: `$` is not looked
 * at. */
static bool may_meet(const struct adu_topic_pattern *p, struct adu_text filter)
{
    struct adu_text level;
    for (size_t i = 0; i < p->count; i++) {
        if (p->levels[i].kind == ADU_LEVEL_ANY_REST) {
            return true;
        }
        if (!adu_topic_next_level(&filter, &level)) {
            return false;
        }
        if (adu_text_is(level, "#")) {
            return true;
        }
        if (p->levels[i].kind == ADU_LEVEL_LITERAL && !adu_text_is(level, "+") &&
            (level.length != p->levels[i].text.length ||
             memcmp(level.bytes, p->levels[i].text.bytes, level.length) != 0)) {
            return false;
        }
    }
    return filter.bytes == NULL || adu_text_is(filter, "#");
}

bool adu_topic_policy_possible(const struct adu_topic_policy *policy, struct adu_text filter,
                               struct adu_reason *why)
{
    static const struct adu_subject anybody;
    const struct adu_request request = {
        .action = ADU_SUBSCRIBE, .topic = filter, .subject = &anybody};
    for (size_t i = 0; i < policy->exempt_count; i++) {
        if (may_meet(policy->exempt[i], filter)) {
            return true;
        }
    }
    return adu_topic_policy_decide(policy, &request, why) != ADU_DENY;
}
