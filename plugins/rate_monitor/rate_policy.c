/* rate_monitor.json as a whole: its classes with the actions of each, and what is essential. Limits
 * and topics have files of their own. */
#include "plugins/rate_monitor/rate_policy_parts.h"
#include <string.h>

/* --- actions --- */

struct action_keys {
    const struct adu_json *by_action[ADU_RATE_ACTIONS];
    long quarantine_seconds;
};

#define ACTION_FIELD(action_key, action)                                                           \
    {                                                                                              \
        .key = action_key, .kind = ADU_FIELD_ARRAY,                                                \
        .offset = offsetof(struct action_keys, by_action[action])                                  \
    }

static const struct adu_field action_fields[] = {
    ACTION_FIELD("throttle", ADU_RATE_THROTTLE),
    ACTION_FIELD("disconnect", ADU_RATE_DISCONNECT),
    ACTION_FIELD("quarantine", ADU_RATE_QUARANTINE),
    ADU_FIELD(struct action_keys, quarantine_seconds, INTEGER, .minimum = 1, .maximum = 86400),
    {0},
};

/* What too little is done to about would not be mended by doing less. */
static const struct {
    const char *name;
    int kind;
} acted_on[] = {
    {"publish_rate", ADU_RATE_PUBLISH},
    {"connection_rate", ADU_RATE_CONNECT},
    {"bytes_rate", ADU_RATE_BYTES},
    {"payload_size", ADU_RATE_PAYLOAD},
    {"refused_rate", ADU_RATE_REFUSED},
    {"topic_count", ADU_RATE_TOPICS},
    {"publish_flood", ADU_RATE_KINDS + ADU_HABIT_FLOOD},
    {"publish_rise", ADU_RATE_KINDS + ADU_HABIT_MORE},
    {"flapping", ADU_RATE_KINDS + ADU_HABIT_FLAPPING},
};

static bool compile_kinds(struct adu_compiler *c, const struct adu_json *list, uint16_t *kinds)
{
    const struct adu_json *node = list != NULL ? list->first : NULL;
    for (; node != NULL; node = node->next) {
        const char *name = adu_read_string(node, c->error);
        size_t i = 0;
        while (name != NULL && i < sizeof acted_on / sizeof acted_on[0] &&
               strcmp(acted_on[i].name, name) != 0) {
            i++;
        }
        if (name == NULL || i == sizeof acted_on / sizeof acted_on[0]) {
            return adu_json_error(node, c->error,
                                  "expected one of publish_rate, connection_rate, bytes_rate, "
                                  "payload_size, refused_rate, topic_count, publish_flood, "
                                  "publish_rise, flapping");
        }
        *kinds = (uint16_t)(*kinds | 1u << acted_on[i].kind);
    }
    return true;
}

static bool compile_actions(struct adu_compiler *c, const struct adu_json *object,
                            struct adu_rate_class *class)
{
    struct action_keys keys = {.quarantine_seconds = 300};
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, action_fields, &keys, c->error)) {
        return false;
    }
    class->actions_place = adu_compiler_place(c, &object->key_place);
    class->quarantine_ms = keys.quarantine_seconds * 1000;
    for (int action = 0; action < ADU_RATE_ACTIONS; action++) {
        if (!compile_kinds(c, keys.by_action[action], &class->acts_on[action])) {
            return false;
        }
    }
    return true;
}

/* --- classes --- */

struct class_keys {
    struct adu_rate_limit_keys limits;
    const char *name;
    const struct adu_json *match, *actions, *together;
    bool learn;
    long silence_seconds;
};

static const struct adu_field class_fields[] = {
    ADU_FIELD(struct class_keys, name, STRING, .required = true),
    ADU_FIELD(struct class_keys, match, OBJECT, .required = true),
    ADU_RATE_LIMIT_FIELDS(struct class_keys),
    ADU_FIELD(struct class_keys, together, OBJECT),
    ADU_FIELD(struct class_keys, actions, OBJECT),
    ADU_FIELD(struct class_keys, learn, BOOL),
    ADU_FIELD(struct class_keys, silence_seconds, INTEGER, .minimum = 1, .maximum = 2592000),
    {0},
};

static void place_of(struct adu_compiler *c, const struct adu_json *object, const char *key,
                     struct adu_place *place)
{
    const struct adu_json *member = adu_json_member(object, key);
    if (member != NULL) {
        *place = adu_compiler_place(c, &member->key_place);
    }
}

static bool compile_class(struct adu_compiler *c, const struct adu_json *node,
                          struct adu_rate_policy *policy, struct adu_rate_class *class)
{
    struct class_keys keys = {0};
    if (!adu_read_object(node, class_fields, &keys, c->error)) {
        return false;
    }
    class->name = adu_arena_strdup(c->arena, keys.name);
    if (class->name == NULL) {
        return adu_error_no_memory(c->error);
    }
    class->learn = keys.learn;
    class->silence_s = (uint32_t)keys.silence_seconds;
    place_of(c, node, "learn", &class->learn_place);
    place_of(c, node, "silence_seconds", &class->silence_place);
    class->match = adu_match_compile(c, keys.match, true);
    return class->match != NULL && compile_actions(c, keys.actions, class) &&
           adu_rate_limits_compile(c, &keys.limits, &class->limits) &&
           adu_rate_together_compile(c, keys.together, policy, class);
}

/* --- the file --- */

struct keys {
    struct adu_stage_header header;
    const struct adu_json *classes, *alerts, *counters, *presence, *essential, *broker, *listeners;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, classes, ARRAY, .required = true),
    ADU_FIELD(struct keys, alerts, OBJECT, .required = true),
    ADU_FIELD(struct keys, counters, OBJECT),
    ADU_FIELD(struct keys, presence, OBJECT),
    ADU_FIELD(struct keys, essential, ARRAY),
    ADU_FIELD(struct keys, broker, OBJECT),
    ADU_FIELD(struct keys, listeners, ARRAY),
    {0},
};

static bool compile_essential(struct adu_compiler *c, const struct adu_json *list,
                              struct adu_rate_policy *policy)
{
    if (list == NULL) {
        return true;
    }
    policy->essential = adu_arena_array(c->arena, list->count, sizeof(const struct adu_match *));
    if (policy->essential == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = list->first; node != NULL; node = node->next) {
        const struct adu_match *match =
            adu_read_is_object(node, c->error) ? adu_match_compile(c, node, true) : NULL;
        if (match == NULL) {
            return false;
        }
        policy->essential[policy->essential_count++] = match;
    }
    return true;
}

const struct adu_rate_policy *adu_rate_monitor_compile(struct adu_compiler *c,
                                                       const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_rate_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(root, fields, &keys, c->error)) {
        return NULL;
    }
    policy->classes = adu_arena_array(c->arena, keys.classes->count, sizeof *policy->classes);
    if (policy->classes == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_rate_groups_compile(c, keys.classes->count, keys.listeners, keys.broker, policy)) {
        return NULL;
    }
    for (const struct adu_json *node = keys.classes->first; node != NULL; node = node->next) {
        if (!compile_class(c, node, policy, &policy->classes[policy->class_count++])) {
            return NULL;
        }
    }
    return adu_rate_alerts_compile(c, keys.alerts, policy) &&
                   adu_rate_counters_compile(c, keys.counters, policy) &&
                   adu_rate_presence_compile(c, keys.presence, policy) &&
                   compile_essential(c, keys.essential, policy)
               ? policy
               : NULL;
}
