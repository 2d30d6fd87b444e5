#include "plugins/rate_monitor/rate_policy.h"
#include "common/reader.h"
#include "plugins/rate_monitor/alert.h"
#include <string.h>

struct keys {
    struct adu_stage_header header;
    const struct adu_json *classes, *alerts, *counters;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, classes, ARRAY, .required = true),
    ADU_FIELD(struct keys, alerts, OBJECT, .required = true),
    ADU_FIELD(struct keys, counters, OBJECT),
    {0},
};

struct class_keys {
    const char *name;
    const struct adu_json *match, *publish, *connections;
    bool learn;
    long silence_seconds;
};

static const struct adu_field class_fields[] = {
    ADU_FIELD(struct class_keys, name, STRING, .required = true),
    ADU_FIELD(struct class_keys, match, OBJECT, .required = true),
    ADU_FIELD(struct class_keys, publish, OBJECT),
    ADU_FIELD(struct class_keys, connections, OBJECT),
    ADU_FIELD(struct class_keys, learn, BOOL),
    ADU_FIELD(struct class_keys, silence_seconds, INTEGER, .minimum = 1, .maximum = 2592000),
    {0},
};

struct limit_keys {
    long most, clear_seconds;
};

#define LIMIT_FIELD(limit_key)                                                                     \
    {                                                                                              \
        .key = limit_key, .kind = ADU_FIELD_INTEGER, .required = true, .minimum = 1,               \
        .maximum = 1000000, .offset = offsetof(struct limit_keys, most)                            \
    }
#define CLEAR_FIELD                                                                                \
    {                                                                                              \
        .key = "clear_seconds", .kind = ADU_FIELD_INTEGER, .minimum = 1, .maximum = 86400,         \
        .offset = offsetof(struct limit_keys, clear_seconds)                                       \
    }

static const struct adu_field publish_fields[] = {LIMIT_FIELD("max_per_second"), CLEAR_FIELD, {0}};
static const struct adu_field connect_fields[] = {LIMIT_FIELD("max_per_minute"), CLEAR_FIELD, {0}};

static bool compile_limit(struct adu_compiler *c, const struct adu_json *object,
                          const struct adu_field *limit_fields, struct limit_keys keys,
                          int64_t window_ms, struct adu_rate_class *class, int kind)
{
    struct adu_rate_limit *limit = &class->limits[kind];
    limit->window_ms = window_ms;
    limit->clear_ms = keys.clear_seconds * 1000;
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, limit_fields, &keys, c->error)) {
        return false;
    }
    limit->most = keys.most;
    limit->clear_ms = keys.clear_seconds * 1000;
    class->places[kind] = adu_compiler_place(c, &object->key_place);
    return true;
}

static void place_of(struct adu_compiler *c, const struct adu_json *object, const char *key,
                     struct adu_place *place)
{
    const struct adu_json *member = adu_json_member(object, key);
    if (member != NULL) {
        *place = adu_compiler_place(c, &member->key_place);
    }
}

static bool compile_class(struct adu_compiler *c, const struct adu_json *node,
                          struct adu_rate_class *class)
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
    class->silence_ms = keys.silence_seconds * 1000;
    place_of(c, node, "learn", &class->learn_place);
    place_of(c, node, "silence_seconds", &class->silence_place);
    class->match = adu_match_compile(c, keys.match, true);
    return class->match != NULL &&
           compile_limit(c, keys.publish, publish_fields, (struct limit_keys){.clear_seconds = 5},
                         1000, class, ADU_RATE_PUBLISH) &&
           compile_limit(c, keys.connections, connect_fields,
                         (struct limit_keys){.clear_seconds = 60}, 60000, class, ADU_RATE_CONNECT);
}

struct alert_keys {
    const char *topic;
    long qos;
    bool retain;
    long max_per_minute;
};

static const struct adu_field alert_fields[] = {
    ADU_FIELD(struct alert_keys, topic, STRING, .required = true),
    ADU_FIELD(struct alert_keys, qos, INTEGER, .minimum = 0, .maximum = 2),
    ADU_FIELD(struct alert_keys, retain, BOOL),
    ADU_FIELD(struct alert_keys, max_per_minute, INTEGER, .minimum = 1, .maximum = 1000000),
    {0},
};

/* The bundle publishes there whatever the names are like, but who would subscribe? */
static void find_unreadable(struct adu_compiler *c, const struct adu_json *topic,
                            const char *filter)
{
    struct adu_reason why = ADU_REASON_INIT;
    if (c->naming != NULL && !c->naming->possible(c->naming->policy, adu_text_of(filter), &why)) {
        const struct adu_place place = adu_compiler_place(c, &topic->place);
        adu_findings_add(c->findings, "unreadable-topic", &place,
                         "nobody may subscribe to just this: %s [%s:%u]", why.text, why.rule->file,
                         why.rule->line);
    }
}

static bool compile_alerts(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_rate_policy *policy)
{
    struct alert_keys keys = {.qos = 1, .max_per_minute = 600};
    char filter[1024];
    if (!adu_read_object(object, alert_fields, &keys, c->error)) {
        return false;
    }
    const struct adu_json *topic = adu_json_member(object, "topic");
    policy->alert_topic = adu_template_compile(c, keys.topic, topic, adu_alert_names);
    if (policy->alert_topic == NULL) {
        return false;
    }
    if (!adu_template_replace(policy->alert_topic, "+", filter, sizeof filter)) {
        return adu_json_error(topic, c->error, "has more than %zu bytes", sizeof filter - 1);
    }
    if (strpbrk(keys.topic, "+#") != NULL ||
        (policy->own[0] = adu_topic_pattern_of(c->arena, filter)) == NULL) {
        return adu_json_error(
            topic, c->error, "expected a topic without wildcards, each ${...} a whole level of it");
    }
    find_unreadable(c, topic, filter);
    policy->alert_qos = (int)keys.qos;
    policy->alert_retain = keys.retain;
    policy->alerts_most = keys.max_per_minute;
    return true;
}

struct counter_keys {
    const char *topic;
    long every_seconds;
};

static const struct adu_field counter_fields[] = {
    ADU_FIELD(struct counter_keys, topic, STRING, .required = true),
    ADU_FIELD(struct counter_keys, every_seconds, INTEGER, .minimum = 1, .maximum = 86400),
    {0},
};

static bool compile_counters(struct adu_compiler *c, const struct adu_json *object,
                             struct adu_rate_policy *policy)
{
    struct counter_keys keys = {.every_seconds = 10};
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, counter_fields, &keys, c->error)) {
        return false;
    }
    const struct adu_json *topic = adu_json_member(object, "topic");
    if (strlen(keys.topic) > ADU_TOPIC_MOST_BYTES) {
        return adu_json_error(topic, c->error, "has more than %d bytes", ADU_TOPIC_MOST_BYTES);
    }
    if (!adu_topic_name_valid(adu_text_of(keys.topic)) || strstr(keys.topic, "${") != NULL) {
        return adu_json_error(topic, c->error, "expected a topic without wildcards");
    }
    find_unreadable(c, topic, keys.topic);
    policy->counters_ms = keys.every_seconds * 1000;
    policy->counters_topic = adu_arena_strdup(c->arena, keys.topic);
    policy->own[1] = adu_topic_pattern_of(c->arena, keys.topic);
    return (policy->counters_topic != NULL && policy->own[1] != NULL) ||
           adu_error_no_memory(c->error);
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
    for (const struct adu_json *node = keys.classes->first; node != NULL; node = node->next) {
        if (!compile_class(c, node, &policy->classes[policy->class_count++])) {
            return NULL;
        }
    }
    return compile_alerts(c, keys.alerts, policy) && compile_counters(c, keys.counters, policy)
               ? policy
               : NULL;
}
