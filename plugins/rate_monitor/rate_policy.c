#include "plugins/rate_monitor/rate_policy.h"
#include "common/reader.h"
#include "plugins/rate_monitor/alert.h"
#include <stdio.h>
#include <string.h>

struct keys {
    struct adu_stage_header header;
    const struct adu_json *classes, *alerts, *counters, *presence, *essential;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, classes, ARRAY, .required = true),
    ADU_FIELD(struct keys, alerts, OBJECT, .required = true),
    ADU_FIELD(struct keys, counters, OBJECT),
    ADU_FIELD(struct keys, presence, OBJECT),
    ADU_FIELD(struct keys, essential, ARRAY),
    {0},
};

struct class_keys {
    const char *name;
    const struct adu_json *match, *publish, *connections, *actions;
    bool learn;
    long silence_seconds;
};

static const struct adu_field class_fields[] = {
    ADU_FIELD(struct class_keys, name, STRING, .required = true),
    ADU_FIELD(struct class_keys, match, OBJECT, .required = true),
    ADU_FIELD(struct class_keys, publish, OBJECT),
    ADU_FIELD(struct class_keys, connections, OBJECT),
    ADU_FIELD(struct class_keys, actions, OBJECT),
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
    {"publish_flood", ADU_RATE_KINDS + ADU_HABIT_FLOOD},
    {"publish_rise", ADU_RATE_KINDS + ADU_HABIT_MORE},
    {"flapping", ADU_RATE_KINDS + ADU_HABIT_FLAPPING},
};

static bool compile_kinds(struct adu_compiler *c, const struct adu_json *list, uint8_t *kinds)
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
                                  "expected one of publish_rate, connection_rate, publish_flood, "
                                  "publish_rise, flapping");
        }
        *kinds = (uint8_t)(*kinds | 1u << acted_on[i].kind);
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
    return class->match != NULL && compile_actions(c, keys.actions, class) &&
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

/* A topic with ${...} in it, and what it covers. NULL with the error set. */
static const struct adu_template *compile_topic(struct adu_compiler *c,
                                                const struct adu_json *topic, const char *text,
                                                const char *const *names,
                                                const struct adu_topic_pattern **own)
{
    char filter[1024];
    const struct adu_template *compiled = adu_template_compile(c, text, topic, names);
    if (compiled == NULL) {
        return NULL;
    }
    if (!adu_template_replace(compiled, "+", filter, sizeof filter)) {
        adu_json_error(topic, c->error, "has more than %zu bytes", sizeof filter - 1);
        return NULL;
    }
    if (strpbrk(text, "+#") != NULL || (*own = adu_topic_pattern_of(c->arena, filter)) == NULL) {
        adu_json_error(topic, c->error,
                       "expected a topic without wildcards, each ${...} a whole level of it");
        return NULL;
    }
    find_unreadable(c, topic, filter);
    return compiled;
}

static bool compile_alerts(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_rate_policy *policy)
{
    struct alert_keys keys = {.qos = 1, .max_per_minute = 600};
    if (!adu_read_object(object, alert_fields, &keys, c->error)) {
        return false;
    }
    policy->alert_topic = compile_topic(c, adu_json_member(object, "topic"), keys.topic,
                                        adu_alert_names, &policy->own[ADU_RATE_OWN_ALERTS]);
    policy->alert_qos = (int)keys.qos;
    policy->alert_retain = keys.retain;
    policy->alerts_most = keys.max_per_minute;
    return policy->alert_topic != NULL;
}

struct presence_keys {
    const char *topic;
    long qos;
};

static const struct adu_field presence_fields[] = {
    ADU_FIELD(struct presence_keys, topic, STRING, .required = true),
    ADU_FIELD(struct presence_keys, qos, INTEGER, .minimum = 0, .maximum = 2),
    {0},
};

static bool compile_presence(struct adu_compiler *c, const struct adu_json *object,
                             struct adu_rate_policy *policy)
{
    static const char *const names[] = {"client_id", "username", NULL};
    struct presence_keys keys = {.qos = 1};
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, presence_fields, &keys, c->error)) {
        return false;
    }
    const struct adu_json *topic = adu_json_member(object, "topic");
    if (strstr(keys.topic, "${client_id}") == NULL) {
        return adu_json_error(topic, c->error,
                              "expected ${client_id} as a level: each client has its own topic");
    }
    policy->presence_qos = (int)keys.qos;
    policy->presence_topic =
        compile_topic(c, topic, keys.topic, names, &policy->own[ADU_RATE_OWN_PRESENCE]);
    return policy->presence_topic != NULL;
}

struct counter_keys {
    const char *topic, *tree;
    long every_seconds;
};

static const struct adu_field counter_fields[] = {
    ADU_FIELD(struct counter_keys, topic, STRING),
    ADU_FIELD(struct counter_keys, tree, STRING),
    ADU_FIELD(struct counter_keys, every_seconds, INTEGER, .minimum = 1, .maximum = 86400),
    {0},
};

/* A topic of at most `most` bytes; nobody else may publish to what `filter` matches. NULL with the
 * error set. */
static const char *compile_counter_topic(struct adu_compiler *c, const struct adu_json *topic,
                                         const char *text, size_t most, const char *filter,
                                         const struct adu_topic_pattern **own)
{
    if (strlen(text) > most) {
        adu_json_error(topic, c->error, "has more than %zu bytes", most);
        return NULL;
    }
    if (!adu_topic_name_valid(adu_text_of(text)) || !adu_topic_filter_valid(adu_text_of(filter)) ||
        strstr(text, "${") != NULL) {
        adu_json_error(topic, c->error, "expected a topic without wildcards");
        return NULL;
    }
    const char *copy = adu_arena_strdup(c->arena, text);
    *own = adu_topic_pattern_of(c->arena, filter);
    if (copy == NULL || *own == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    find_unreadable(c, topic, filter);
    return copy;
}

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
    if (keys.topic == NULL && keys.tree == NULL) {
        return adu_json_error(object, c->error, "expected \"topic\" or \"tree\", or both");
    }
    policy->counters_ms = keys.every_seconds * 1000;
    if (keys.topic != NULL) {
        policy->counters_topic = compile_counter_topic(c, adu_json_member(object, "topic"),
                                                       keys.topic, ADU_TOPIC_MOST_BYTES, keys.topic,
                                                       &policy->own[ADU_RATE_OWN_COUNTERS]);
    }
    if (keys.tree != NULL) {
        char below[ADU_RATE_TREE_MOST + sizeof "/+"];
        snprintf(below, sizeof below, "%s/+", keys.tree);
        policy->counters_tree =
            compile_counter_topic(c, adu_json_member(object, "tree"), keys.tree, ADU_RATE_TREE_MOST,
                                  below, &policy->own[ADU_RATE_OWN_TREE]);
    }
    return (keys.topic == NULL || policy->counters_topic != NULL) &&
           (keys.tree == NULL || policy->counters_tree != NULL);
}

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
    for (const struct adu_json *node = keys.classes->first; node != NULL; node = node->next) {
        if (!compile_class(c, node, &policy->classes[policy->class_count++])) {
            return NULL;
        }
    }
    return compile_alerts(c, keys.alerts, policy) && compile_counters(c, keys.counters, policy) &&
                   compile_presence(c, keys.presence, policy) &&
                   compile_essential(c, keys.essential, policy)
               ? policy
               : NULL;
}
