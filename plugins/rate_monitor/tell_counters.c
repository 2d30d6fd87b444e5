/* Counters on their way to the plant: all as one JSON object, and each by itself below a topic. */
#include "common/metrics.h"
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_A_TICK = 16, NAME_MOST = 64 };

static void tell_all(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    const struct adu_rate_policy *policy = call->policy;
    if (policy->counters_topic == NULL || call->now_ms < monitor->counters_due_ms) {
        return;
    }
    monitor->counters_due_ms = call->now_ms + policy->counters_ms;
    json_t *object = adu_counters_json(call->counters);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text != NULL) {
        call->outlet->publish(call->outlet->context, policy->counters_topic, text, 0, true);
    }
    free(text);
    json_decref(object);
}

/* --- the tree --- */

void adu_rate_tree_clear(struct adu_rate_tree *tree)
{
    free(tree->topic);
    free(tree->told);
    *tree = (struct adu_rate_tree){0};
}

static void tell_one(const struct adu_stage_call *call, const struct adu_rate_tree *tree,
                     const char *payload)
{
    char topic[ADU_RATE_TREE_MOST + 1 + NAME_MOST];
    snprintf(topic, sizeof topic, "%s/%s", tree->topic, adu_metric_list[tree->next].name);
    call->outlet->publish(call->outlet->context, topic, payload, 0, true);
}

/* The policy names another place, or none: an empty retained message takes the last one out of the
 * broker. */
static void take_back(const struct adu_stage_call *call, struct adu_rate_tree *tree)
{
    tree->next = tree->leaving ? tree->next : 0;
    tree->leaving = true;
    for (int n = 0; n < TOLD_A_TICK && adu_metric_list[tree->next].name != NULL; tree->next++) {
        if (tree->told[tree->next] != 0) {
            tell_one(call, tree, "");
            n++;
        }
    }
    if (adu_metric_list[tree->next].name == NULL) {
        adu_rate_tree_clear(tree);
    }
}

static bool begin(struct adu_rate_tree *tree, const char *topic)
{
    size_t count = 0;
    while (adu_metric_list[count].name != NULL) {
        count++;
    }
    tree->topic = strdup(topic);
    tree->told = calloc(count, sizeof *tree->told);
    if (tree->topic == NULL || tree->told == NULL) {
        adu_rate_tree_clear(tree); /* the next tick tries it again */
        return false;
    }
    return true;
}

/* Those that are not what was told last. */
static void tell_changed(const struct adu_stage_call *call, struct adu_rate_tree *tree)
{
    const struct adu_metrics *metrics = call->outlet->measured(call->outlet->context);
    for (int n = 0; n < TOLD_A_TICK && adu_metric_list[tree->next].name != NULL; tree->next++) {
        uint64_t value;
        char payload[24];
        memcpy(&value, (const char *)metrics + adu_metric_list[tree->next].offset, sizeof value);
        if (tree->told[tree->next] != value + 1) {
            snprintf(payload, sizeof payload, "%llu", (unsigned long long)value);
            tell_one(call, tree, payload);
            tree->told[tree->next] = value + 1;
            n++;
        }
    }
}

static void tell_tree(const struct adu_stage_call *call, struct adu_rate_tree *tree)
{
    const struct adu_rate_policy *policy = call->policy;
    const char *wanted = policy->counters_tree;
    if (tree->leaving ||
        (tree->topic != NULL && (wanted == NULL || strcmp(wanted, tree->topic) != 0))) {
        take_back(call, tree);
        return;
    }
    if (wanted == NULL || (tree->topic == NULL && !begin(tree, wanted))) {
        return;
    }
    if (call->now_ms >= tree->due_ms) {
        tree->due_ms = call->now_ms + policy->counters_ms;
        tree->next = 0;
    }
    if (adu_metric_list[tree->next].name != NULL) {
        tell_changed(call, tree);
    }
}

void adu_rate_tell_counters(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    tell_all(call, monitor);
    tell_tree(call, &monitor->tree);
}
