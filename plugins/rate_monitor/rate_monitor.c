#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/rate_monitor/alert.h"
#include "plugins/rate_monitor/rate_policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum { VISIT_ALL_TICKS = 10, MINUTE_MS = 60000 };

/* A client that was forgotten while its alert was up: what is left to say of it. */
struct farewell {
    struct farewell *next;
    struct adu_rate_client client; /* a copy, whose names are those below */
    struct adu_learned learned;    /* a copy, if it had one */
    char names[];
};

struct adu_rate_monitor {
    struct adu_rate_client *first; /* whose alerts are to be told, or are not over */
    struct farewell *farewells;
    unsigned farewells_lost; /* for want of memory */
    int64_t counters_due_ms;
    struct adu_rate_client *visit; /* the next one of the ring of all */
    size_t known;                  /* how many they are */
    int64_t minute_ms;             /* when this minute of alerts began */
    long told;                     /* in it */
    bool delaying;                 /* there are more than may be told, and that has been told */
};

struct adu_rate_monitor *adu_rate_monitor_new(void)
{
    return calloc(1, sizeof(struct adu_rate_monitor));
}

static struct farewell *take_farewell(struct adu_rate_monitor *monitor)
{
    struct farewell *first = monitor->farewells;
    monitor->farewells = first != NULL ? first->next : NULL;
    return first;
}

void adu_rate_monitor_free(struct adu_rate_monitor *monitor)
{
    struct farewell *farewell;
    while (monitor != NULL && (farewell = take_farewell(monitor)) != NULL) {
        free(farewell);
    }
    free(monitor);
}

static void list(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->listed) {
        return;
    }
    client->listed = true;
    client->earlier = NULL;
    client->later = monitor->first;
    if (monitor->first != NULL) {
        monitor->first->earlier = client;
    }
    monitor->first = client;
}

static void unlist(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (!client->listed) {
        return;
    }
    client->listed = false;
    if (client->earlier != NULL) {
        client->earlier->later = client->later;
    } else {
        monitor->first = client->later;
    }
    if (client->later != NULL) {
        client->later->earlier = client->earlier;
    }
}

/* --- all clients --- */

static void know(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->known_after != NULL) {
        return;
    }
    if (monitor->visit == NULL) {
        client->known_before = client->known_after = monitor->visit = client;
    } else {
        client->known_after = monitor->visit;
        client->known_before = monitor->visit->known_before;
        client->known_before->known_after = client->known_after->known_before = client;
    }
    monitor->known++;
}

static void unknow(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    if (client->known_after == NULL) {
        return;
    }
    client->known_before->known_after = client->known_after;
    client->known_after->known_before = client->known_before;
    if (monitor->visit == client) {
        monitor->visit = client->known_after != client ? client->known_after : NULL;
    }
    client->known_before = client->known_after = NULL;
    monitor->known--;
}

/* --- forgetting --- */

/* Raised, and published as such: its end must be, too. */
static bool is_up(const struct adu_rate_client *client, int kind)
{
    return client->rates[kind].raised && !client->to_tell[kind];
}

static struct farewell *farewell_make(const struct adu_rate_client *client)
{
    const size_t id = client->client_id != NULL ? strlen(client->client_id) + 1 : 0;
    const size_t user = client->username != NULL ? strlen(client->username) + 1 : 0;
    struct farewell *farewell = calloc(1, sizeof *farewell + id + user);
    if (farewell == NULL) {
        return NULL;
    }
    farewell->client = *client;
    if (client->learned != NULL) {
        farewell->learned = *client->learned;
    }
    farewell->client.learned = client->learned != NULL ? &farewell->learned : NULL;
    if (id > 0) {
        farewell->client.client_id = memcpy(farewell->names, client->client_id, id);
    }
    if (user > 0) {
        farewell->client.username = memcpy(farewell->names + id, client->username, user);
    }
    return farewell;
}

/* Nothing may be published from here; the next tick does. */
void adu_rate_monitor_forget(struct adu_rate_monitor *monitor, struct adu_rate_client *client)
{
    const bool shown = client->learned != NULL && client->learned->shown != 0;
    const bool up = shown || is_up(client, ADU_RATE_PUBLISH) || is_up(client, ADU_RATE_CONNECT);
    struct farewell *farewell = up ? farewell_make(client) : NULL;
    unlist(monitor, client);
    unknow(monitor, client);
    free(client->learned);
    client->learned = NULL;
    if (!up) {
        return;
    }
    if (farewell == NULL) {
        monitor->farewells_lost++;
        return;
    }
    farewell->next = monitor->farewells;
    monitor->farewells = farewell;
}

/* --- counting --- */

static const struct adu_rate_class *class_of(const struct adu_rate_policy *policy,
                                             const struct adu_rate_client *client)
{
    return client->class_index >= 0 ? &policy->classes[client->class_index] : NULL;
}

static void set_learned(const struct adu_rate_policy *policy, struct adu_rate_client *client)
{
    const struct adu_rate_class *class = class_of(policy, client);
    if (client->learned != NULL) {
        adu_learned_set(client->learned, class != NULL && class->learn,
                        class != NULL ? class->silence_ms : 0);
    }
}

/* Makes room for what is learned of a client whose class asks for it. Not on the way of a message:
 * a class that asks since a reload gets it with the next visit. */
static void make_learned(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    const struct adu_rate_class *class = class_of(call->policy, client);
    if (client->learned != NULL || class == NULL || (!class->learn && class->silence_ms == 0)) {
        return;
    }
    client->learned = calloc(1, sizeof *client->learned);
    if (client->learned == NULL) {
        call->counters->stage_errors++; /* it is tried again with the next visit */
        return;
    }
    client->learned->heard_ms = call->now_ms;
    set_learned(call->policy, client);
}

/* The class of a client changes only with its roles and attributes: by log-in or by generation. */
static void classify(const struct adu_stage_call *call, const struct adu_subject *subject,
                     struct adu_rate_client *client)
{
    const struct adu_rate_policy *policy = call->policy;
    client->generation = call->generation;
    client->client_id = subject->client_id;
    client->username = subject->username;
    client->class_index = -1;
    for (size_t i = 0; i < policy->class_count && client->class_index < 0; i++) {
        if (adu_match_holds(policy->classes[i].match, &subject->attributes, &subject->roles)) {
            client->class_index = (int)i;
        }
    }
    set_learned(policy, client);
    for (int kind = 0; kind < ADU_RATE_KINDS; kind++) {
        client->limits[kind] = client->class_index >= 0
                                   ? policy->classes[client->class_index].limits[kind]
                                   : (struct adu_rate_limit){.window_ms = 1000};
    }
}

static void count(const struct adu_stage_call *call, struct adu_rate_client *client, int kind)
{
    if (adu_rate_count(&client->rates[kind], &client->limits[kind], call->now_ms) ==
        ADU_RATE_RAISED) {
        client->since_ms[kind] = call->wall_ms;
        client->to_tell[kind] = true;
        list(call->instance, client);
    }
}

void adu_rate_monitor_connected(const struct adu_stage_call *call,
                                const struct adu_subject *subject, struct adu_rate_client *client)
{
    classify(call, subject, client);
    know(call->instance, client);
    make_learned(call, client);
    if (client->learned != NULL &&
        adu_learned_connect(client->learned, call->now_ms, call->wall_ms)) {
        list(call->instance, client);
    }
    count(call, client, ADU_RATE_CONNECT);
}

void adu_rate_monitor_left(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    if (client->learned != NULL && adu_learned_leave(client->learned)) {
        list(call->instance, client);
    }
}

void adu_rate_monitor_count(const struct adu_stage_call *call, const struct adu_request *request,
                            struct adu_rate_client *client)
{
    if (request->action != ADU_PUBLISH || !request->attempt) {
        return;
    }
    if (client->generation != call->generation) {
        classify(call, request->subject, client);
    }
    if (client->learned != NULL &&
        adu_learned_publish(client->learned, call->now_ms, call->wall_ms)) {
        list(call->instance, client);
    }
    count(call, client, ADU_RATE_PUBLISH);
}

enum adu_verdict adu_rate_monitor_decide(const struct adu_rate_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why)
{
    if (request->action != ADU_PUBLISH) {
        return ADU_ABSTAIN;
    }
    for (int i = 0; i < 2; i++) {
        if (policy->own[i] != NULL &&
            adu_topic_pattern_matches(policy->own[i], request->topic, NULL)) {
            why->text = "only the bundle itself publishes its alerts and counters";
            return ADU_DENY;
        }
    }
    return ADU_ABSTAIN;
}

/* --- telling --- */

static void publish(const struct adu_stage_call *call, const struct adu_alert *alert)
{
    const struct adu_rate_policy *policy = call->policy;
    char topic[1024];
    char *json = adu_alert_json(alert);
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
        publish(call, &(struct adu_alert){.kind = "alerts_delayed",
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
    publish(call, &alert);
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
        .since_ms = learned->since_ms[kind],
        .time_ms = call->wall_ms,
        .text = text,
    };
    const struct adu_rate_class *class =
        client->generation == call->generation ? class_of(call->policy, client) : NULL;
    if (class != NULL) {
        alert.class_name = class->name;
        alert.rule = fixed ? &class->silence_place : class->learn ? &class->learn_place : NULL;
    }
    publish(call, &alert);
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

/* True while an alert of the client is not over, or waits. */
static bool tell_due(const struct adu_stage_call *call, struct adu_rate_client *client)
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

static void tell_farewells(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    struct farewell *farewell;
    while ((farewell = take_farewell(monitor)) != NULL) {
        for (int kind = 0; kind < ADU_RATE_KINDS; kind++) {
            if (is_up(&farewell->client, kind)) {
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

static void publish_counters(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
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

/* A tenth of all clients, so that each is visited about once a second. */
static void visit_some(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    for (size_t n = (monitor->known + VISIT_ALL_TICKS - 1) / VISIT_ALL_TICKS; n > 0; n--) {
        struct adu_rate_client *client = monitor->visit;
        monitor->visit = client->known_after;
        if (client->generation == call->generation) {
            make_learned(call, client);
        }
        if (client->learned != NULL &&
            adu_learned_visit(client->learned, call->now_ms, call->wall_ms)) {
            list(monitor, client);
        }
    }
}

/* All that waited has been told, and a minute has passed without more. */
static void end_delay(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    if (monitor->delaying && call->now_ms - monitor->minute_ms >= MINUTE_MS) {
        monitor->delaying = false;
        publish(call, &(struct adu_alert){.kind = "alerts_delayed",
                                          .severity = ADU_SEVERITY_CRITICAL,
                                          .since_ms = call->wall_ms,
                                          .time_ms = call->wall_ms,
                                          .text = "no alert waits any more"});
    }
}

void adu_rate_monitor_tick(const struct adu_stage_call *call)
{
    struct adu_rate_monitor *monitor = call->instance;
    struct adu_rate_client *next;
    tell_farewells(call, monitor); /* first: the client may be back, and above its limit again */
    visit_some(call, monitor);
    for (struct adu_rate_client *client = monitor->first; client != NULL; client = next) {
        next = client->later;
        if (!tell_due(call, client)) {
            unlist(monitor, client);
        }
    }
    end_delay(call, monitor);
    publish_counters(call, monitor);
}

void adu_rate_monitor_event(const struct adu_stage_call *call, const struct adu_event *event)
{
    const struct adu_alert alert = {
        .kind = event->kind,
        .severity = event->severity,
        .raised = event->raised,
        .client_id = event->about != NULL ? event->about->client_id : NULL,
        .username = event->about != NULL ? event->about->username : NULL,
        .value = event->value,
        .limit = event->limit,
        .since_ms = event->since_ms != 0 ? event->since_ms : call->wall_ms,
        .time_ms = call->wall_ms,
        .rule = event->rule,
        .text = event->text,
    };
    publish(call, &alert);
}
