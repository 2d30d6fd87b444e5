/* What is too much, as rate_monitor.json says it: the limits of a client, and those of many
 * together: of a class, of a listener, of the broker. */
#include "plugins/rate_monitor/rate_policy_parts.h"
#include <stdio.h>

/* --- limits: a key for each signal, by the table of them --- */

struct group_keys {
    struct adu_rate_limit_keys limits;
    long port;
};

static const struct adu_field together_fields[] = {ADU_RATE_LIMIT_FIELDS(struct group_keys), {0}};

static const struct adu_field broker_fields[] = {
    ADU_RATE_LIMIT_FIELDS(struct group_keys),
    ADU_RATE_LIMIT_FIELD(struct group_keys, "login_failures", ADU_RATE_LOGIN_FAILURE),
    {0},
};

static const struct adu_field listener_fields[] = {
    ADU_FIELD(struct group_keys, port, INTEGER, .required = true, .minimum = 1, .maximum = 65535),
    ADU_RATE_LIMIT_FIELDS(struct group_keys),
    ADU_RATE_LIMIT_FIELD(struct group_keys, "login_failures", ADU_RATE_LOGIN_FAILURE),
    {0},
};

/* What one signal's object may hold; the last two only of connections of many. */
struct limit_values {
    long most, clear_seconds, level;
    bool learn;
};

static bool is_large(enum adu_signal signal)
{
    return signal == ADU_RATE_BYTES || signal == ADU_RATE_PAYLOAD;
}

/* `level`: connections of many, of which one may ask how often, how many, or both. */
static bool read_limit(struct adu_compiler *c, const struct adu_json *object,
                       enum adu_signal signal, bool level, struct limit_values *values)
{
    const struct adu_field signal_fields[] = {
        {.key = adu_signals[signal].limit_key,
         .kind = ADU_FIELD_INTEGER,
         .required = !level,
         .minimum = 1,
         .maximum = is_large(signal) ? ADU_RATE_MOST : 1000000,
         .offset = offsetof(struct limit_values, most)},
        ADU_FIELD(struct limit_values, clear_seconds, INTEGER, .minimum = 1, .maximum = 86400),
        {.key = level ? adu_signals[ADU_RATE_CONNECTIONS].limit_key : NULL,
         .kind = ADU_FIELD_INTEGER,
         .minimum = 1,
         .maximum = 1000000,
         .offset = offsetof(struct limit_values, level)},
        ADU_FIELD(struct limit_values, learn, BOOL),
        {0},
    };
    return adu_read_object(object, signal_fields, values, c->error);
}

/* `group` is NULL for a client's. */
static bool compile_limit(struct adu_compiler *c, const struct adu_json *object,
                          enum adu_signal signal, struct adu_rate_limits *limits,
                          struct adu_rate_group_policy *group)
{
    const bool level = signal == ADU_RATE_CONNECT && group != NULL;
    struct limit_values values = {.clear_seconds = adu_signals[signal].clear_seconds};
    if (object == NULL) {
        return true;
    }
    if (!read_limit(c, object, signal, level, &values)) {
        return false;
    }
    const struct adu_place place = adu_compiler_place(c, &object->key_place);
    limits->of[signal].most = (uint32_t)values.most;
    limits->of[signal].clear_s = (uint32_t)values.clear_seconds;
    limits->of[signal].place = place;
    if (level) {
        limits->of[ADU_RATE_CONNECTIONS].most = (uint32_t)values.level;
        limits->of[ADU_RATE_CONNECTIONS].clear_s = (uint32_t)values.clear_seconds;
        limits->of[ADU_RATE_CONNECTIONS].place = place;
        group->learn = values.learn;
        group->learn_place = place;
    }
    return true;
}

static bool compile_limits(struct adu_compiler *c, const struct adu_rate_limit_keys *keys,
                           struct adu_rate_limits *limits, struct adu_rate_group_policy *group)
{
    bool good = true;
    for (int signal = 0; good && signal < ADU_RATE_CONNECTIONS; signal++) {
        good = compile_limit(c, keys->of[signal], (enum adu_signal)signal, limits, group);
    }
    return good;
}

bool adu_rate_limits_compile(struct adu_compiler *c, const struct adu_rate_limit_keys *keys,
                             struct adu_rate_limits *limits)
{
    return compile_limits(c, keys, limits, NULL);
}

/* --- many clients together --- */

int adu_rate_listener_group(const struct adu_rate_policy *policy, uint16_t port)
{
    for (size_t i = 0; i < policy->group_count; i++) {
        if (policy->groups[i].scope == ADU_RATE_LISTENER && policy->groups[i].port == port) {
            return (int)i;
        }
    }
    return -1;
}

int adu_rate_broker_group(const struct adu_rate_policy *policy)
{
    for (size_t i = 0; i < policy->group_count; i++) {
        if (policy->groups[i].scope == ADU_RATE_BROKER) {
            return (int)i;
        }
    }
    return -1;
}

/* There is room for it. NULL with the error set. */
static struct adu_rate_group_policy *compile_group(struct adu_compiler *c,
                                                   const struct adu_json *object,
                                                   const struct adu_field *group_fields,
                                                   enum adu_rate_scope scope,
                                                   struct adu_rate_policy *policy)
{
    struct group_keys keys = {0};
    struct adu_rate_group_policy *group = &policy->groups[policy->group_count++];
    group->scope = scope;
    if (!adu_read_is_object(object, c->error) ||
        !adu_read_object(object, group_fields, &keys, c->error) ||
        !compile_limits(c, &keys.limits, &group->limits, group)) {
        return NULL;
    }
    group->port = (uint16_t)keys.port;
    return group;
}

static bool compile_listener(struct adu_compiler *c, const struct adu_json *node,
                             struct adu_rate_policy *policy)
{
    char name[16];
    struct adu_rate_group_policy *group =
        compile_group(c, node, listener_fields, ADU_RATE_LISTENER, policy);
    if (group == NULL) {
        return false;
    }
    if (adu_rate_listener_group(policy, group->port) != group - policy->groups) {
        return adu_json_error(adu_json_member(node, "port"), c->error,
                              "another listener has this port");
    }
    snprintf(name, sizeof name, "%u", (unsigned)group->port);
    group->name = adu_arena_strdup(c->arena, name);
    return group->name != NULL || adu_error_no_memory(c->error);
}

bool adu_rate_groups_compile(struct adu_compiler *c, size_t classes,
                             const struct adu_json *listeners, const struct adu_json *broker,
                             struct adu_rate_policy *policy)
{
    const size_t count = listeners != NULL ? listeners->count : 0;
    const struct adu_json *node = count > 0 ? listeners->first : NULL;
    policy->groups = adu_arena_array(c->arena, classes + 1 + count, sizeof *policy->groups);
    if (policy->groups == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (; node != NULL; node = node->next) {
        if (!compile_listener(c, node, policy)) {
            return false;
        }
    }
    return broker == NULL ||
           compile_group(c, broker, broker_fields, ADU_RATE_BROKER, policy) != NULL;
}

bool adu_rate_together_compile(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_rate_policy *policy, struct adu_rate_class *class)
{
    class->group = -1;
    if (object == NULL) {
        return true;
    }
    struct adu_rate_group_policy *group =
        compile_group(c, object, together_fields, ADU_RATE_CLASS, policy);
    if (group == NULL) {
        return false;
    }
    group->name = class->name;
    class->group = (int)(group - policy->groups);
    return true;
}
