#include "plugins/rate_monitor/rate_policy.h"
#include "common/reader.h"
#include "plugins/rate_monitor/alert.h"
#include <stdio.h>
#include <string.h>

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

/* --- limits: a key for each signal, by the table of them --- */

struct limit_keys {
    const struct adu_json *of[ADU_RATE_CONNECTIONS]; /* that of a level has connections' key */
};

#define LIMIT_FIELD(limit_key, signal)                                                             \
    {                                                                                              \
        .key = limit_key, .kind = ADU_FIELD_OBJECT,                                                \
        .offset = offsetof(struct class_keys, limits.of[signal])                                   \
    }

/* Of a client, and of many together. */
#define LIMIT_FIELDS                                                                               \
    LIMIT_FIELD("publish", ADU_RATE_PUBLISH), LIMIT_FIELD("connections", ADU_RATE_CONNECT),        \
        LIMIT_FIELD("bytes", ADU_RATE_BYTES), LIMIT_FIELD("payload", ADU_RATE_PAYLOAD),            \
        LIMIT_FIELD("deliveries", ADU_RATE_DELIVERY), LIMIT_FIELD("refused", ADU_RATE_REFUSED),    \
        LIMIT_FIELD("topics", ADU_RATE_TOPICS)

struct class_keys {
    struct limit_keys limits;
    const char *name;
    const struct adu_json *match, *actions, *together;
    bool learn;
    long silence_seconds, port;
};

static const struct adu_field class_fields[] = {
    ADU_FIELD(struct class_keys, name, STRING, .required = true),
    ADU_FIELD(struct class_keys, match, OBJECT, .required = true),
    LIMIT_FIELDS,
    ADU_FIELD(struct class_keys, together, OBJECT),
    ADU_FIELD(struct class_keys, actions, OBJECT),
    ADU_FIELD(struct class_keys, learn, BOOL),
    ADU_FIELD(struct class_keys, silence_seconds, INTEGER, .minimum = 1, .maximum = 2592000),
    {0},
};

static const struct adu_field together_fields[] = {LIMIT_FIELDS, {0}};

static const struct adu_field broker_fields[] = {
    LIMIT_FIELDS,
    LIMIT_FIELD("login_failures", ADU_RATE_LOGIN_FAILURE),
    {0},
};

static const struct adu_field listener_fields[] = {
    ADU_FIELD(struct class_keys, port, INTEGER, .required = true, .minimum = 1, .maximum = 65535),
    LIMIT_FIELDS,
    LIMIT_FIELD("login_failures", ADU_RATE_LOGIN_FAILURE),
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

static bool compile_limits(struct adu_compiler *c, const struct limit_keys *keys,
                           struct adu_rate_limits *limits, struct adu_rate_group_policy *group)
{
    bool good = true;
    for (int signal = 0; good && signal < ADU_RATE_CONNECTIONS; signal++) {
        good = compile_limit(c, keys->of[signal], (enum adu_signal)signal, limits, group);
    }
    return good;
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
    struct class_keys keys = {0};
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

static bool compile_groups(struct adu_compiler *c, const struct keys *keys,
                           struct adu_rate_policy *policy)
{
    const size_t listeners = keys->listeners != NULL ? keys->listeners->count : 0;
    const struct adu_json *node = listeners > 0 ? keys->listeners->first : NULL;
    policy->groups =
        adu_arena_array(c->arena, keys->classes->count + 1 + listeners, sizeof *policy->groups);
    if (policy->groups == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (; node != NULL; node = node->next) {
        if (!compile_listener(c, node, policy)) {
            return false;
        }
    }
    return keys->broker == NULL ||
           compile_group(c, keys->broker, broker_fields, ADU_RATE_BROKER, policy) != NULL;
}

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

static void place_of(struct adu_compiler *c, const struct adu_json *object, const char *key,
                     struct adu_place *place)
{
    const struct adu_json *member = adu_json_member(object, key);
    if (member != NULL) {
        *place = adu_compiler_place(c, &member->key_place);
    }
}

static bool compile_together(struct adu_compiler *c, const struct adu_json *object,
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
           compile_limits(c, &keys.limits, &class->limits, NULL) &&
           compile_together(c, keys.together, policy, class);
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
    if (!compile_groups(c, &keys, policy)) {
        return NULL;
    }
    for (const struct adu_json *node = keys.classes->first; node != NULL; node = node->next) {
        if (!compile_class(c, node, policy, &policy->classes[policy->class_count++])) {
            return NULL;
        }
    }
    return compile_alerts(c, keys.alerts, policy) && compile_counters(c, keys.counters, policy) &&
                   compile_presence(c, keys.presence, policy) &&
                   compile_essential(c, keys.essential, policy)
               ? policy
               : NULL;
}
