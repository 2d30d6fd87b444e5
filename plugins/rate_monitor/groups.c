/* Many clients together: a class, a listener, the broker. Counted beside each client, told in the
 * same way, but nothing is done about them. */
#include "plugins/rate_monitor/connections.h"
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *prefix, *who;
} scopes[ADU_RATE_SCOPES] = {
    [ADU_RATE_CLASS] = {"class", "the class as a whole"},
    [ADU_RATE_LISTENER] = {"listener", "the listener as a whole"},
    [ADU_RATE_BROKER] = {"broker", "the broker as a whole"},
};

/* --- telling --- */

/* `name` is what is behind the scope, as in "class_publish_rate". */
static void tell(const struct adu_stage_call *call, const struct adu_rate_group *group,
                 struct adu_alert *alert, const char *name, const char *what)
{
    char kind[64], text[192];
    snprintf(kind, sizeof kind, "%s_%s", scopes[group->scope].prefix, name);
    snprintf(text, sizeof text, "%s %s%s", scopes[group->scope].who, what,
             alert->raised ? "" : " again");
    alert->kind = kind;
    alert->text = text;
    alert->about = group->name;
    alert->class_name = group->scope == ADU_RATE_CLASS ? group->name : NULL;
    alert->listener = group->scope == ADU_RATE_LISTENER ? group->name : NULL;
    alert->time_ms = call->wall_ms;
    adu_rate_publish(call, alert);
}

/* `policy` is NULL when it no longer asks for the group. */
static void tell_signal(const struct adu_stage_call *call, const struct adu_rate_group *group,
                        const struct adu_rate_group_policy *policy, enum adu_signal signal,
                        bool raised)
{
    const struct adu_signal_kind *kind = &adu_signals[signal];
    struct adu_alert alert = {
        .raised = raised,
        .value = adu_meter_value(&group->meter, signal, call->now_ms),
        .limit = (long)adu_meter_slot(&group->meter, signal)->most,
        .since_ms = group->since.wall_ms[signal],
        .rule = policy != NULL && policy->limits.of[signal].most > 0
                    ? &policy->limits.of[signal].place
                    : NULL,
    };
    tell(call, group, &alert, kind->kind, raised ? kind->more : kind->within);
}

static void tell_usual(const struct adu_stage_call *call, const struct adu_rate_group *group,
                       const struct adu_rate_group_policy *policy, bool raised)
{
    struct adu_alert alert = {
        .raised = raised,
        .value = group->usual->value,
        .expected = group->usual->expected,
        .since_ms = group->usual->since_ms,
        .rule = policy != NULL ? &policy->learn_place : NULL,
    };
    tell(call, group, &alert, "connections_unusual",
         raised ? "has another number of clients connected than is usual"
                : "has a usual number of clients connected");
}

static void tell_due(const struct adu_stage_call *call, struct adu_rate_group *group,
                     const struct adu_rate_group_policy *policy)
{
    const unsigned raised = adu_meter_raised(&group->meter);
    adu_since_note(&group->since, raised, call->wall_ms);
    for (int i = 0; raised >> i != 0; i++) {
        const enum adu_signal signal = (enum adu_signal)i;
        struct adu_meter_slot *slot = adu_meter_slot(&group->meter, signal);
        if (!(raised >> i & 1)) {
            continue;
        }
        if (slot->rate.to_tell && adu_rate_may_begin(call)) {
            slot->rate.to_tell = false;
            tell_signal(call, group, policy, signal, true);
        }
        if (adu_meter_rest(&group->meter, signal, policy->limits.of[signal].clear_s,
                           call->now_ms) == ADU_RATE_CLEARED &&
            !slot->rate.to_tell) {
            tell_signal(call, group, policy, signal, false);
        }
    }
    adu_since_note(&group->since, adu_meter_raised(&group->meter), call->wall_ms);
    struct adu_connections *usual = group->usual;
    if (usual != NULL && usual->up != usual->told && (!usual->up || adu_rate_may_begin(call))) {
        usual->told = usual->up;
        tell_usual(call, group, policy, usual->up);
    }
}

void adu_rate_groups_tell(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    const struct adu_rate_policy *policy = call->policy;
    for (size_t i = 0; i < monitor->group_count; i++) {
        tell_due(call, &monitor->groups[i], &policy->groups[i]);
    }
}

/* --- another policy --- */

static void group_clear(struct adu_rate_group *group)
{
    adu_meter_clear(&group->meter);
    free(group->usual);
    free(group->name);
    *group = (struct adu_rate_group){0};
}

void adu_rate_groups_free(struct adu_rate_monitor *monitor)
{
    for (size_t i = 0; i < monitor->group_count; i++) {
        group_clear(&monitor->groups[i]);
    }
    free(monitor->groups);
    monitor->groups = NULL;
    monitor->group_count = 0;
    monitor->grouped = 0;
}

static bool is_of(const struct adu_rate_group *group, const struct adu_rate_group_policy *policy)
{
    return group->scope == policy->scope &&
           (policy->name == NULL ||
            (group->name != NULL && strcmp(group->name, policy->name) == 0));
}

/* The group that the policy asks for, from those there were: what was counted goes on. */
static bool group_make(struct adu_rate_monitor *monitor, const struct adu_rate_group_policy *policy,
                       struct adu_rate_group *group)
{
    for (size_t i = 0; i < monitor->group_count; i++) {
        struct adu_rate_group *before = &monitor->groups[i];
        if (is_of(before, policy)) {
            *group = *before;
            *before = (struct adu_rate_group){.scope = ADU_RATE_SCOPES}; /* it has gone */
        }
    }
    group->scope = policy->scope;
    if (policy->name != NULL && group->name == NULL &&
        (group->name = strdup(policy->name)) == NULL) {
        return false;
    }
    if (policy->learn && group->usual == NULL) {
        group->usual = calloc(1, sizeof *group->usual);
    }
    return (!policy->learn || group->usual != NULL) &&
           adu_meter_set(&group->meter, &policy->limits);
}

/* What was told of a group that is asked for no longer is over. */
static void end(const struct adu_stage_call *call, const struct adu_rate_group *group)
{
    const unsigned told = adu_meter_told(&group->meter);
    for (int signal = 0; told >> signal != 0; signal++) {
        if (told >> signal & 1) {
            tell_signal(call, group, NULL, (enum adu_signal)signal, false);
        }
    }
    if (group->usual != NULL && group->usual->told) {
        tell_usual(call, group, NULL, false);
    }
}

static void end_learning(const struct adu_stage_call *call, struct adu_rate_group *group,
                         const struct adu_rate_group_policy *policy)
{
    if (!policy->learn && group->usual != NULL) {
        if (group->usual->told) {
            tell_usual(call, group, NULL, false);
        }
        free(group->usual);
        group->usual = NULL;
    }
}

void adu_rate_regroup(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    const struct adu_rate_policy *policy = call->policy;
    if (monitor->grouped == call->generation) {
        return;
    }
    struct adu_rate_group *fresh = calloc(policy->group_count + 1, sizeof *fresh);
    bool made = fresh != NULL;
    for (size_t i = 0; made && i < policy->group_count; i++) {
        made = group_make(monitor, &policy->groups[i], &fresh[i]);
        end_learning(call, &fresh[i], &policy->groups[i]);
    }
    for (size_t i = 0; i < monitor->group_count; i++) {
        end(call, &monitor->groups[i]);
    }
    adu_rate_groups_free(monitor);
    monitor->groups = fresh;
    monitor->group_count = fresh != NULL ? policy->group_count : 0;
    monitor->grouped = call->generation;
    monitor->broker_group = adu_rate_broker_group(policy);
    if (!made) { /* what there is no memory for is not watched */
        call->counters->stage_errors++;
        adu_rate_groups_free(monitor);
        monitor->grouped = call->generation;
    }
}

/* --- whose they are --- */

static int index_of(const struct adu_stage_call *call, const struct adu_rate_client *client,
                    int scope)
{
    const struct adu_rate_monitor *monitor = call->instance;
    const struct adu_rate_class *class;
    switch (scope) {
    case ADU_RATE_CLASS:
        class = adu_rate_class_of(call->policy, client);
        return class != NULL ? class->group : -1;
    case ADU_RATE_LISTENER:
        return client->listener_group;
    default:
        return monitor->broker_group;
    }
}

/* NULL: none, or none yet: since a reload the next tick makes them. */
static struct adu_rate_group *group_of(const struct adu_stage_call *call,
                                       const struct adu_rate_client *client, int scope)
{
    const struct adu_rate_monitor *monitor = call->instance;
    if (monitor->grouped != call->generation || !adu_rate_is_classified(call, client)) {
        return NULL;
    }
    const int i = index_of(call, client, scope);
    return i >= 0 && (size_t)i < monitor->group_count ? &monitor->groups[i] : NULL;
}

void adu_rate_groups_add(const struct adu_stage_call *call, const struct adu_rate_client *client,
                         enum adu_signal signal)
{
    for (int scope = 0; scope < ADU_RATE_SCOPES; scope++) {
        struct adu_rate_group *group = group_of(call, client, scope);
        if (group != NULL) {
            adu_meter_add(&group->meter, signal, call->now_ms, 1);
        }
    }
}

bool adu_rate_groups_want_hash(const struct adu_stage_call *call,
                               const struct adu_rate_client *client)
{
    bool want = false;
    for (int scope = 0; scope < ADU_RATE_SCOPES; scope++) {
        const struct adu_rate_group *group = group_of(call, client, scope);
        want = want || (group != NULL && adu_meter_asks(&group->meter, ADU_RATE_TOPICS));
    }
    return want;
}

void adu_rate_groups_publish(const struct adu_stage_call *call,
                             const struct adu_rate_client *client, uint32_t topic, uint32_t payload,
                             uint64_t hash)
{
    for (int scope = 0; scope < ADU_RATE_SCOPES; scope++) {
        struct adu_rate_group *group = group_of(call, client, scope);
        if (group != NULL) {
            adu_meter_publish(&group->meter, call->now_ms, topic, payload, hash);
        }
    }
}

void adu_rate_monitor_login_failed(const struct adu_stage_call *call, uint16_t port)
{
    const struct adu_rate_policy *policy = call->policy;
    const struct adu_rate_client nobody = {.generation = (uint32_t)call->generation,
                                           .class_index = -1,
                                           .listener_group =
                                               (int16_t)adu_rate_listener_group(policy, port)};
    adu_rate_groups_add(call, &nobody, ADU_RATE_LOGIN_FAILURE);
}

/* --- how many are connected --- */

void adu_rate_groups_visit(const struct adu_stage_call *call, const struct adu_rate_client *client)
{
    for (int scope = 0; client->online && scope < ADU_RATE_SCOPES; scope++) {
        struct adu_rate_group *group = group_of(call, client, scope);
        if (group != NULL) {
            group->counting++;
        }
    }
}

void adu_rate_groups_round(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    for (size_t i = 0; i < monitor->group_count; i++) {
        struct adu_rate_group *group = &monitor->groups[i];
        group->online = group->counting;
        group->counting = 0;
        adu_meter_add(&group->meter, ADU_RATE_CONNECTIONS, call->now_ms, group->online);
        if (group->usual != NULL) {
            adu_connections_take(group->usual, call->now_ms, call->wall_ms, group->online);
        }
    }
}
