/* Where the monitor publishes, as rate_monitor.json says it: alerts, counters and presence, each
 * with the topics that are its own. */
#include "plugins/rate_monitor/alert.h"
#include "plugins/rate_monitor/rate_policy_parts.h"
#include <stdio.h>
#include <string.h>

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

bool adu_rate_alerts_compile(struct adu_compiler *c, const struct adu_json *object,
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

bool adu_rate_presence_compile(struct adu_compiler *c, const struct adu_json *object,
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

bool adu_rate_counters_compile(struct adu_compiler *c, const struct adu_json *object,
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
