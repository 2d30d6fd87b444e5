/* Alerts: what is due goes out, in order and not more than anybody can read. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdlib.h>

static const struct {
    const char *kind;
    const char *raised, *cleared;
} kinds[ADU_RATE_KINDS] = {
    [ADU_RATE_PUBLISH] = {"publish_rate", "publishes more than max_per_second of its class",
                          "publishes within max_per_second of its class again"},
    [ADU_RATE_CONNECT] = {"connection_rate", "connects more often than max_per_minute of its class",
                          "connects within max_per_minute of its class again"},
};

static const struct {
    const char *kind;
    enum adu_severity severity;
    const char *raised, *cleared;
} learned_kinds[ADU_HABIT_KINDS] = {
    [ADU_HABIT_FLOOD] = {"publish_flood", ADU_SEVERITY_CRITICAL,
                         "publishes several times as much in two seconds as it ever did",
                         "publishes within what is usual for it again"},
    [ADU_HABIT_MORE] = {"publish_rise", ADU_SEVERITY_WARNING,
                        "publishes more in ten seconds than is usual for it",
                        "publishes what is usual for it again"},
    [ADU_HABIT_LESS] = {"publish_drop", ADU_SEVERITY_WARNING,
                        "publishes less in ten seconds than is usual for it",
                        "publishes what is usual for it again"},
    [ADU_HABIT_SILENT] = {"silence", ADU_SEVERITY_CRITICAL, "has published nothing for too long",
                          "publishes again, or has gone"},
    [ADU_HABIT_FLAPPING] = {"flapping", ADU_SEVERITY_WARNING, "connects again and again",
                            "stays connected, or away, again"},
};

enum { MINUTE_MS = 60000 };

static void audit(const struct adu_stage_call *call, const struct adu_alert *alert)
{
    const struct adu_subject about = {.client_id = alert->client_id, .username = alert->username};
    const struct adu_event event = {
        .kind = alert->kind,
        .severity = alert->severity,
        .raised = alert->raised,
        .about = alert->client_id != NULL ? &about : NULL,
        .since_ms = alert->since_ms,
        .value = alert->value,
        .limit = alert->limit,
        .rule = alert->rule,
        .text = alert->text,
    };
    call->outlet->audit(call->outlet->context, &event);
}

void adu_rate_publish(const struct adu_stage_call *call, const struct adu_alert *alert)
{
    const struct adu_rate_policy *policy = call->policy;
    char topic[1024];
    char *json = adu_alert_json(alert);
    audit(call, alert);
    if (json != NULL && adu_alert_topic(policy->alert_topic, alert, topic, sizeof topic)) {
        call->outlet->publish(call->outlet->context, topic, json, policy->alert_qos,
                              policy->alert_retain);
        if (alert->raised) {
            call->counters->alerts_raised++;
        } else {
            call->counters->alerts_cleared++;
        }
    } else {
        call->counters->stage_errors++;
    }
    free(json);
}

/* Whether one more alert may begin in this minute. What may not waits, and is told when it may, if
 * it is not over by then. */
static bool may_begin(const struct adu_stage_call *call)
{
    const struct adu_rate_policy *policy = call->policy;
    struct adu_rate_monitor *monitor = call->instance;
    if (call->now_ms - monitor->minute_ms >= MINUTE_MS || call->now_ms < monitor->minute_ms) {
        monitor->minute_ms = call->now_ms;
        monitor->told = 0;
    }
    if (monitor->told < policy->alerts_most) {
        monitor->told++;
        return true;
    }
    if (!monitor->delaying) {
        call->counters->alerts_delayed++;
        monitor->delaying = true;
        adu_rate_publish(call,
                         &(struct adu_alert){.kind = "alerts_delayed",
                                             .severity = ADU_SEVERITY_CRITICAL,
                                             .raised = true,
                                             .value = (double)monitor->told,
                                             .limit = policy->alerts_most,
                                             .since_ms = call->wall_ms,
                                             .time_ms = call->wall_ms,
                                             .text = "more alerts begin than may in a minute: the "
                                                     "others wait"});
    }
    return false;
}

static void tell(const struct adu_stage_call *call, const struct adu_rate_client *client, int kind,
                 bool raised, const char *text)
{
    const struct adu_rate_policy *policy = call->policy;
    const struct adu_rate_limit *limit = &client->limits[kind];
    struct adu_alert alert = {
        .kind = kinds[kind].kind,
        .raised = raised,
        .client_id = client->client_id,
        .username = client->username,
        .actions = raised ? adu_rate_actions_on(call, client, kind) : 0,
        .action_names = adu_rate_action_names,
        .since_ms = client->since_ms[kind],
        .time_ms = call->wall_ms,
        .text = text,
    };
    if (limit->most > 0) {
        alert.value = (double)adu_rate_value(&client->rates[kind], limit, call->now_ms);
        alert.limit = limit->most;
    }
    /* Since a reload the client may be of another class, which its next message will tell. */
    if (client->generation == call->generation && client->class_index >= 0) {
        alert.class_name = policy->classes[client->class_index].name;
        alert.rule = &policy->classes[client->class_index].places[kind];
    }
    adu_rate_publish(call, &alert);
}

static void tell_learned(const struct adu_stage_call *call, const struct adu_rate_client *client,
                         int kind, bool raised, const char *text)
{
    const struct adu_learned *learned = client->learned;
    const bool fixed = kind == ADU_HABIT_SILENT && learned->silence_ms > 0;
    struct adu_alert alert = {
        .kind = learned_kinds[kind].kind,
        .severity = learned_kinds[kind].severity,
        .raised = raised,
        .client_id = client->client_id,
        .username = client->username,
        .value = adu_learned_value(learned, (enum adu_habit_kind)kind, call->now_ms),
        .expected = fixed ? 0 : adu_habit_usual(&learned->habit, (enum adu_habit_kind)kind),
        .limit = fixed ? learned->silence_ms / 1000 : 0,
        .actions = raised ? adu_rate_actions_on(call, client, ADU_RATE_KINDS + kind) : 0,
        .action_names = adu_rate_action_names,
        .since_ms = learned->since_ms[kind],
        .time_ms = call->wall_ms,
        .text = text,
    };
    const struct adu_rate_class *class =
        client->generation == call->generation ? adu_rate_class_of(call->policy, client) : NULL;
    if (class != NULL) {
        alert.class_name = class->name;
        alert.rule = fixed ? &class->silence_place : class->learn ? &class->learn_place : NULL;
    }
    adu_rate_publish(call, &alert);
}

/* True while something of it waits to be told. */
static bool tell_learned_due(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    struct adu_learned *learned = client->learned;
    const unsigned differ = learned != NULL ? learned->up ^ learned->shown : 0;
    for (int kind = 0; kind < ADU_HABIT_KINDS; kind++) {
        const bool raised = differ != 0 && (learned->up >> kind & 1);
        if (!(differ >> kind & 1) || (raised && !may_begin(call))) {
            continue;
        }
        learned->shown = (uint8_t)(learned->shown ^ 1u << kind);
        tell_learned(call, client, kind, raised,
                     raised ? learned_kinds[kind].raised : learned_kinds[kind].cleared);
    }
    return learned != NULL && learned->up != learned->shown;
}

bool adu_rate_tell_due(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    bool more = tell_learned_due(call, client);
    for (int kind = 0; kind < ADU_RATE_KINDS; kind++) {
        if (client->to_tell[kind] && may_begin(call)) {
            client->to_tell[kind] = false;
            tell(call, client, kind, true, kinds[kind].raised);
        }
        if (adu_rate_rest(&client->rates[kind], &client->limits[kind], call->now_ms) ==
            ADU_RATE_CLEARED) {
            if (!client->to_tell[kind]) {
                tell(call, client, kind, false, kinds[kind].cleared);
            }
            client->to_tell[kind] = false;
        }
        more = more || client->rates[kind].raised;
    }
    return more;
}

void adu_rate_tell_farewells(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    struct adu_farewell *farewell;
    while ((farewell = adu_rate_take_farewell(monitor)) != NULL) {
        for (int kind = 0; kind < ADU_RATE_KINDS; kind++) {
            if (adu_rate_is_up(&farewell->client, kind)) {
                tell(call, &farewell->client, kind, false, "the client is no longer known");
            }
        }
        for (int kind = 0; kind < ADU_HABIT_KINDS; kind++) {
            if (farewell->learned.shown >> kind & 1) {
                tell_learned(call, &farewell->client, kind, false, "the client is no longer known");
            }
        }
        free(farewell);
    }
    call->counters->stage_errors += monitor->farewells_lost;
    monitor->farewells_lost = 0;
}

/* All that waited has been told, and a minute has passed without more. */
void adu_rate_end_delay(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    if (monitor->delaying && call->now_ms - monitor->minute_ms >= MINUTE_MS) {
        monitor->delaying = false;
        adu_rate_publish(call, &(struct adu_alert){.kind = "alerts_delayed",
                                                   .severity = ADU_SEVERITY_CRITICAL,
                                                   .since_ms = call->wall_ms,
                                                   .time_ms = call->wall_ms,
                                                   .text = "no alert waits any more"});
    }
}
