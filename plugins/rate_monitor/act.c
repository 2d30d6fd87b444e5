/* What the policy asks to be done about an alert. Clients it calls essential are left alone. */
#include "common/audit.h"
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdio.h>

const char *const adu_rate_action_names[ADU_RATE_ACTIONS + 1] = {
    [ADU_RATE_THROTTLE] = "throttle",
    [ADU_RATE_DISCONNECT] = "disconnect",
    [ADU_RATE_QUARANTINE] = "quarantine",
};

/* NULL: since a reload it may be of another class, or nothing may be done to it. */
static const struct adu_rate_class *acting_class(const struct adu_stage_call *call,
                                                 const struct adu_rate_client *client)
{
    return client->essential ? NULL : adu_rate_class_now(call, client);
}

unsigned adu_rate_actions_on(const struct adu_stage_call *call,
                             const struct adu_rate_client *client, int kind)
{
    const struct adu_rate_class *class = acting_class(call, client);
    unsigned actions = 0;
    for (int action = 0; class != NULL && action < ADU_RATE_ACTIONS; action++) {
        actions |= (class->acts_on[action] >> kind & 1u) << action;
    }
    return actions;
}

static void say(const struct adu_stage_call *call, const struct adu_rate_client *client,
                enum adu_rate_action action, bool begins, const char *text,
                const struct adu_place *rule)
{
    const struct adu_event event = {.kind = adu_rate_action_names[action],
                                    .raised = begins,
                                    .about = client->subject,
                                    .rule = rule,
                                    .text = text};
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME], line[ADU_AUDIT_LINE];
    snprintf(line, sizeof line, "%s client=%s username=%s: %s", adu_rate_action_names[action],
             adu_audit_name(client->subject->client_id, id),
             adu_audit_name(client->subject->username, name), text);
    call->outlet->audit(call->outlet->context, &event);
    call->outlet->log(call->outlet->context, ADU_LOG_NOTICE, line);
}

static void throttle(const struct adu_stage_call *call, struct adu_rate_client *client, bool now,
                     const struct adu_place *rule)
{
    if (client->throttled == now) {
        return;
    }
    client->throttled = now;
    call->counters->clients_throttled += now;
    say(call, client, ADU_RATE_THROTTLE, now,
        now ? "what it publishes is dropped till its alert is over, with QoS 1 and 2 where the "
              "broker can tell it so"
            : "what it publishes is let through again",
        rule);
}

static void quarantine(const struct adu_stage_call *call, struct adu_rate_client *client,
                       const struct adu_rate_class *class)
{
    struct adu_rate_monitor *monitor = call->instance;
    if (!adu_quarantine_add(monitor->quarantine, client->subject->client_id,
                            client->subject->username, call->now_ms + class->quarantine_ms)) {
        call->counters->stage_errors++;
        return;
    }
    adu_meter_begin_anew(&client->meter, class->acts_on[ADU_RATE_QUARANTINE]);
    call->counters->clients_quarantined++;
    adu_rate_save(call, client);
    say(call, client, ADU_RATE_QUARANTINE, true,
        "it may not log in for the quarantine_seconds of its class", &class->actions_place);
}

static void disconnect(const struct adu_stage_call *call, const struct adu_rate_client *client,
                       const struct adu_rate_class *class)
{
    const struct adu_reason why = {.stage = adu_stage_name(ADU_STAGE_RATE_MONITOR),
                                   .text = "an alert about it is up, and its class asks for that",
                                   .rule = &class->actions_place,
                                   .limit = ADU_NO_LIMIT};
    if (call->outlet->disconnect(call->outlet->context, client->subject->client_id,
                                 client->subject->username, &why)) {
        call->counters->clients_disconnected++;
    }
}

/* It has come back while its alert was still up, and is above the limit with what it has done
 * since.
 */
static bool goes_on(const struct adu_stage_call *call, const struct adu_rate_client *client,
                    const struct adu_rate_class *class)
{
    const struct adu_rate_monitor *monitor = call->instance;
    return client->online &&
           (class->acts_on[ADU_RATE_QUARANTINE] & adu_meter_above(&client->meter, call->now_ms)) !=
               0 &&
           adu_quarantine_left(monitor->quarantine, client->subject->client_id,
                               client->subject->username, call->now_ms) == 0;
}

void adu_rate_act(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    const struct adu_rate_class *class = acting_class(call, client);
    struct adu_rate_incident *incident = client->incident;
    const unsigned up = adu_rate_up(client), began = up & ~(unsigned)incident->acted;
    incident->acted = (uint16_t)(incident->acted & up);
    throttle(call, client, class != NULL && (class->acts_on[ADU_RATE_THROTTLE] & up) != 0,
             class != NULL ? &class->actions_place : NULL);
    if (class == NULL) {
        return;
    }
    incident->acted = (uint16_t)up;
    const bool to_quarantine =
        (class->acts_on[ADU_RATE_QUARANTINE] & began) != 0 || goes_on(call, client, class);
    if (to_quarantine) {
        quarantine(call, client, class);
    }
    if (to_quarantine || (class->acts_on[ADU_RATE_DISCONNECT] & began) != 0) {
        disconnect(call, client, class);
    }
}

bool adu_rate_monitor_keeps_out(const struct adu_stage_call *call, const char *client_id,
                                const char *username, struct adu_reason *why)
{
    const struct adu_rate_monitor *monitor = call->instance;
    const int64_t left_ms =
        adu_quarantine_left(monitor->quarantine, client_id, username, call->now_ms);
    if (left_ms > 0) {
        why->text = "it is in quarantine, as rate_monitor.json asks for after an alert:";
        snprintf(why->detail, sizeof why->detail, "%lld seconds more",
                 (long long)((left_ms + 999) / 1000));
    }
    return left_ms > 0;
}

enum adu_verdict adu_rate_monitor_identify(const struct adu_stage_call *call,
                                           struct adu_login *login)
{
    if (login->again || login->username[0] == '\0' ||
        !adu_rate_monitor_keeps_out(call, login->client_id, login->username, &login->why)) {
        return ADU_ABSTAIN;
    }
    call->counters->logins_quarantined += !login->assumed;
    return ADU_DENY;
}
