/* Alerts: what is due goes out, in order and not more than anybody can read. */
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdio.h>
#include <stdlib.h>

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

bool adu_rate_may_begin(const struct adu_stage_call *call)
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

/* `gone`: the client is. */
static void tell(const struct adu_stage_call *call, const struct adu_rate_client *client,
                 enum adu_signal signal, bool raised, bool gone)
{
    const struct adu_signal_kind *kind = &adu_signals[signal];
    const struct adu_meter_slot *slot = adu_meter_slot(&client->meter, signal);
    const struct adu_rate_class *class = adu_rate_class_now(call, client);
    char text[160];
    snprintf(text, sizeof text, "%s of its class%s", raised ? kind->more : kind->within,
             raised ? "" : " again");
    struct adu_alert alert = {
        .kind = kind->kind,
        .raised = raised,
        .client_id = client->subject->client_id,
        .username = client->subject->username,
        .actions = raised ? adu_rate_actions_on(call, client, (int)signal) : 0,
        .action_names = adu_rate_action_names,
        .value = adu_meter_value(&client->meter, signal, call->now_ms),
        .limit = slot != NULL ? (long)slot->most : 0,
        .since_ms = client->incident->since.wall_ms[signal],
        .time_ms = call->wall_ms,
        .text = gone ? "the client is no longer known" : text,
    };
    if (class != NULL) {
        alert.class_name = class->name;
        alert.rule = class->limits.of[signal].most > 0 ? &class->limits.of[signal].place : NULL;
    }
    adu_rate_publish(call, &alert);
}

static void tell_learned(const struct adu_stage_call *call, const struct adu_rate_client *client,
                         int kind, bool raised, const char *text)
{
    const struct adu_learned *learned = client->learned;
    const bool fixed = kind == ADU_HABIT_SILENT && learned->silence_s > 0;
    struct adu_alert alert = {
        .kind = learned_kinds[kind].kind,
        .severity = learned_kinds[kind].severity,
        .raised = raised,
        .client_id = client->subject->client_id,
        .username = client->subject->username,
        .value = adu_learned_value(learned, (enum adu_habit_kind)kind, call->now_ms),
        .expected = fixed ? 0 : adu_habit_usual(&learned->habit, (enum adu_habit_kind)kind),
        .limit = fixed ? (long)learned->silence_s : 0,
        .actions = raised ? adu_rate_actions_on(call, client, ADU_RATE_KINDS + kind) : 0,
        .action_names = adu_rate_action_names,
        .since_ms = client->incident->since.wall_ms[ADU_RATE_KINDS + kind],
        .time_ms = call->wall_ms,
        .text = text,
    };
    const struct adu_rate_class *class = adu_rate_class_now(call, client);
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
        if (!(differ >> kind & 1) || (raised && !adu_rate_may_begin(call))) {
            continue;
        }
        learned->shown = (uint8_t)(learned->shown ^ 1u << kind);
        tell_learned(call, client, kind, raised,
                     raised ? learned_kinds[kind].raised : learned_kinds[kind].cleared);
    }
    return learned != NULL && learned->up != learned->shown;
}

/* An alert whose limit a reload has taken away is over at once; if it is not known yet whether it
 * has, after as long as is usual. */
static long clear_seconds(const struct adu_stage_call *call, const struct adu_rate_client *client,
                          enum adu_signal signal)
{
    if (!adu_rate_is_classified(call, client)) {
        return adu_signals[signal].clear_seconds;
    }
    const struct adu_rate_class *class = adu_rate_class_of(call->policy, client);
    return class != NULL ? (long)class->limits.of[signal].clear_s : 0;
}

/* True while the alert is up. */
static bool tell_signal_due(const struct adu_stage_call *call, struct adu_rate_client *client,
                            enum adu_signal signal)
{
    struct adu_rate *rate = &adu_meter_slot(&client->meter, signal)->rate;
    if (rate->to_tell && adu_rate_may_begin(call)) {
        rate->to_tell = false;
        tell(call, client, signal, true, false);
    }
    if (adu_meter_rest(&client->meter, signal, clear_seconds(call, client, signal), call->now_ms) ==
        ADU_RATE_CLEARED) {
        if (!rate->to_tell) {
            tell(call, client, signal, false, false);
        }
        rate->to_tell = false;
    }
    return rate->raised;
}

bool adu_rate_tell_due(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    struct adu_since *since = &client->incident->since;
    adu_since_note(since, adu_rate_up(client), call->wall_ms);
    bool more = tell_learned_due(call, client);
    const unsigned raised = adu_meter_raised(&client->meter);
    for (int signal = 0; raised >> signal != 0; signal++) {
        if (raised >> signal & 1) {
            more = tell_signal_due(call, client, (enum adu_signal)signal) || more;
        }
    }
    adu_since_note(since, adu_rate_up(client), call->wall_ms);
    return more;
}

void adu_rate_tell_farewells(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    struct adu_farewell *farewell;
    while ((farewell = adu_rate_take_farewell(monitor)) != NULL) {
        const unsigned told = adu_meter_told(&farewell->client.meter);
        for (int signal = 0; told >> signal != 0; signal++) {
            if (told >> signal & 1) {
                tell(call, &farewell->client, (enum adu_signal)signal, false, true);
            }
        }
        for (int kind = 0; kind < ADU_HABIT_KINDS; kind++) {
            if (farewell->learned.shown >> kind & 1) {
                tell_learned(call, &farewell->client, kind, false, "the client is no longer known");
            }
        }
        adu_rate_farewell_free(farewell);
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
