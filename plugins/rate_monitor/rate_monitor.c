#include "common/hash.h"
#include "plugins/rate_monitor/rate_monitor_parts.h"
#include <stdlib.h>

enum { VISIT_ALL_TICKS = 10, EXPIRED_A_TICK = 100, SAVED_A_TICK = 100 };

struct adu_rate_monitor *adu_rate_monitor_new(void)
{
    struct adu_rate_monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL) {
        return NULL;
    }
    monitor->presences = adu_presences_new();
    monitor->quarantine = adu_quarantine_new();
    if (monitor->presences == NULL || monitor->quarantine == NULL) {
        adu_rate_monitor_free(monitor);
        return NULL;
    }
    return monitor;
}

/* Its clients have been forgotten, and with them their incidents. */
void adu_rate_monitor_free(struct adu_rate_monitor *monitor)
{
    struct adu_farewell *farewell;
    if (monitor == NULL) {
        return;
    }
    while ((farewell = adu_rate_take_farewell(monitor)) != NULL) {
        adu_rate_farewell_free(farewell);
    }
    free(monitor->all);
    adu_rate_groups_free(monitor);
    adu_rate_tree_clear(&monitor->tree);
    adu_presences_free(monitor->presences);
    adu_quarantine_free(monitor->quarantine);
    free(monitor);
}

/* --- counting --- */

static void set_learned(const struct adu_rate_policy *policy, struct adu_rate_client *client)
{
    const struct adu_rate_class *class = adu_rate_class_of(policy, client);
    if (client->learned != NULL) {
        adu_learned_set(client->learned, class != NULL && class->learn,
                        class != NULL ? class->silence_s : 0);
    }
}

/* Makes room for what is learned of a client whose class asks for it. Not on the way of a message:
 * a class that asks since a reload gets it with the next visit. */
static void make_learned(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    const struct adu_rate_class *class = adu_rate_class_of(call->policy, client);
    if (client->learned != NULL || class == NULL || (!class->learn && class->silence_s == 0)) {
        return;
    }
    client->learned = calloc(1, sizeof *client->learned);
    if (client->learned == NULL) {
        call->counters->stage_errors++; /* it is tried again with the next visit */
        return;
    }
    adu_habit_heard(&client->learned->habit, call->now_ms);
    set_learned(call->policy, client);
}

static void set_counted(const struct adu_stage_call *call, const struct adu_subject *subject,
                        struct adu_rate_client *client)
{
    const struct adu_rate_policy *policy = call->policy;
    const struct adu_rate_class *class = adu_rate_class_of(policy, client);
    client->listener_group = (int16_t)adu_rate_listener_group(policy, subject->port);
    if (!adu_meter_set(&client->meter, class != NULL ? &class->limits : NULL)) {
        call->counters->stage_errors++; /* it is counted as before */
    }
}

/* The class of a client changes only with its roles and attributes: by log-in or by generation. */
static void classify(const struct adu_stage_call *call, const struct adu_subject *subject,
                     struct adu_rate_client *client)
{
    const struct adu_rate_policy *policy = call->policy;
    client->generation = (uint32_t)call->generation;
    client->subject = subject;
    client->class_index = -1;
    for (size_t i = 0; i < policy->class_count && client->class_index < 0; i++) {
        if (adu_match_holds(policy->classes[i].match, &subject->attributes, &subject->roles)) {
            client->class_index = (int)i;
        }
    }
    client->essential = false;
    for (size_t i = 0; i < policy->essential_count && !client->essential; i++) {
        client->essential =
            adu_match_holds(policy->essential[i], &subject->attributes, &subject->roles);
    }
    set_learned(policy, client);
    set_counted(call, subject, client);
}

static void count(const struct adu_stage_call *call, struct adu_rate_client *client,
                  enum adu_signal signal)
{
    if (adu_meter_add(&client->meter, signal, call->now_ms, 1)) {
        adu_rate_list(call->instance, client);
    }
    adu_rate_groups_add(call, client, signal);
}

static void count_publish(const struct adu_stage_call *call, const struct adu_request *request,
                          struct adu_rate_client *client)
{
    const struct adu_rate_monitor *monitor = call->instance;
    const uint32_t topic = (uint32_t)request->topic.length, payload = request->payload_length;
    const bool grouped = monitor->group_count > 0;
    const bool hashed = adu_meter_asks(&client->meter, ADU_RATE_TOPICS) ||
                        (grouped && adu_rate_groups_want_hash(call, client));
    const uint64_t hash = hashed ? adu_hash64(request->topic.bytes, request->topic.length) : 0;
    if (adu_meter_publish(&client->meter, call->now_ms, topic, payload, hash)) {
        adu_rate_list(call->instance, client);
    }
    if (grouped) {
        adu_rate_groups_publish(call, client, topic, payload, hash);
    }
}

void adu_rate_monitor_judged(const struct adu_stage_call *call, const struct adu_subject *subject,
                             struct adu_rate_client *client)
{
    classify(call, subject, client);
}

/* Deliveries are refused to it, but by no doing of its own. */
void adu_rate_monitor_refused(const struct adu_stage_call *call, const struct adu_request *request,
                              struct adu_rate_client *client)
{
    if (request->action == ADU_RECEIVE || !request->attempt) {
        return;
    }
    if (!adu_rate_is_classified(call, client)) {
        classify(call, request->subject, client);
    }
    count(call, client, ADU_RATE_REFUSED);
}

void adu_rate_monitor_connected(const struct adu_stage_call *call,
                                const struct adu_subject *subject, struct adu_rate_client *client)
{
    classify(call, subject, client);
    call->counters->stage_errors += !adu_rate_know(call->instance, client);
    make_learned(call, client);
    client->online = true;
    adu_rate_present(call, client);
    if (client->learned != NULL && adu_learned_connect(client->learned, call->now_ms)) {
        adu_rate_list(call->instance, client);
    }
    count(call, client, ADU_RATE_CONNECT);
}

void adu_rate_monitor_left(const struct adu_stage_call *call, struct adu_rate_client *client,
                           enum adu_end end)
{
    static const enum adu_presence_reason reasons[] = {
        [ADU_END_UNKNOWN] = ADU_PRESENCE_ENDED,
        [ADU_END_ORDERLY] = ADU_PRESENCE_DISCONNECTED,
        [ADU_END_LOST] = ADU_PRESENCE_LOST,
        [ADU_END_KICKED] = ADU_PRESENCE_KICKED,
    };
    struct adu_rate_monitor *monitor = call->instance;
    client->online = false;
    adu_presence_left(monitor->presences, &client->presence, reasons[end], call->wall_ms);
    if (client->learned != NULL && adu_learned_leave(client->learned)) {
        adu_rate_list(monitor, client);
    }
}

enum adu_verdict adu_rate_monitor_holds_back(const struct adu_request *request,
                                             const struct adu_rate_client *client,
                                             struct adu_reason *why)
{
    if (!client->throttled || request->action != ADU_PUBLISH) {
        return ADU_ABSTAIN;
    }
    if (request->qos > 0) { /* the client keeps it till it is told */
        why->text = "it publishes or connects too much: it is told so till that is over";
        return ADU_TOO_MUCH;
    }
    why->text = "it publishes or connects too much: QoS 0 is dropped till that is over";
    return ADU_DENY;
}

/* Not its will. */
static enum adu_verdict throttle(const struct adu_stage_call *call,
                                 const struct adu_request *request,
                                 const struct adu_rate_client *client, struct adu_reason *why)
{
    if (!client->online) {
        return ADU_ABSTAIN;
    }
    const enum adu_verdict verdict = adu_rate_monitor_holds_back(request, client, why);
    call->counters->publishes_throttled += verdict == ADU_DENY;
    return verdict;
}

enum adu_verdict adu_rate_monitor_count(const struct adu_stage_call *call,
                                        const struct adu_request *request,
                                        struct adu_rate_client *client, struct adu_reason *why)
{
    if (request->action == ADU_SUBSCRIBE || !request->attempt) {
        return ADU_ABSTAIN;
    }
    if (!adu_rate_is_classified(call, client)) {
        classify(call, request->subject, client);
    }
    if (request->action == ADU_RECEIVE) {
        if (client->online) { /* for one who is away it waits */
            count(call, client, ADU_RATE_DELIVERY);
        }
        return ADU_ABSTAIN;
    }
    if (!client->online) { /* the broker sends a will after the end of its connection */
        adu_presence_will(&client->presence);
    }
    if (client->learned != NULL && adu_learned_publish(client->learned, call->now_ms)) {
        adu_rate_list(call->instance, client);
    }
    count_publish(call, request, client);
    return throttle(call, request, client, why);
}

enum adu_verdict adu_rate_monitor_decide(const struct adu_rate_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why)
{
    if (request->action != ADU_PUBLISH) {
        return ADU_ABSTAIN;
    }
    for (size_t i = 0; i < ADU_RATE_OWN; i++) {
        if (policy->own[i] != NULL &&
            adu_topic_pattern_matches(policy->own[i], request->topic, NULL)) {
            why->text = "only the bundle itself publishes its alerts, counters and presence";
            return ADU_DENY;
        }
    }
    return ADU_ABSTAIN;
}

/* --- each tick --- */

/* Most of a visit is waiting for memory that nothing has touched for a second: so it is asked for
 * some visits before, and what that points to when it is there. */
static void fetch_early(const struct adu_rate_monitor *monitor)
{
    enum { LINE = 64, AHEAD = 8 };
    const size_t next = monitor->visited + AHEAD;
    if (next + AHEAD < monitor->known) {
        __builtin_prefetch(monitor->all[next + AHEAD]);
    }
    const struct adu_learned *learned = next < monitor->known ? monitor->all[next]->learned : NULL;
    for (size_t at = 0; learned != NULL && at < sizeof *learned; at += LINE) {
        __builtin_prefetch((const char *)learned + at);
    }
}

static void visit(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    adu_rate_groups_visit(call, client);
    if (adu_rate_is_classified(call, client)) {
        make_learned(call, client);
        if (client->online && client->presence == NULL) { /* asked for since a reload */
            adu_rate_present(call, client);
        }
    }
    if (client->learned != NULL && adu_learned_visit(client->learned, call->now_ms)) {
        adu_rate_list(call->instance, client);
    }
}

/* A tenth of all clients, so that each is visited about once a second. */
static void visit_some(const struct adu_stage_call *call, struct adu_rate_monitor *monitor)
{
    int saves = 0;
    const size_t some = (monitor->known + VISIT_ALL_TICKS - 1) / VISIT_ALL_TICKS;
    for (size_t n = 0; n < some && monitor->visited < monitor->known; n++) {
        struct adu_rate_client *client = monitor->all[monitor->visited];
        fetch_early(monitor);
        visit(call, client);
        if (saves < SAVED_A_TICK) { /* the others with their next visit */
            saves += adu_rate_save_due(call, client);
        }
        monitor->visited++;
    }
    if (monitor->visited == monitor->known) {
        monitor->visited = 0;
        adu_rate_groups_round(call, monitor);
    }
}

void adu_rate_monitor_tick(const struct adu_stage_call *call)
{
    struct adu_rate_monitor *monitor = call->instance;
    struct adu_rate_incident *next;
    adu_rate_regroup(call, monitor);
    adu_rate_tell_farewells(call,
                            monitor); /* first: the client may be back, and above its limit again */
    visit_some(call, monitor);
    adu_rate_groups_tell(call, monitor);
    call->counters->stage_errors += adu_rate_open_incidents(monitor);
    for (struct adu_rate_incident *i = monitor->incidents; i != NULL; i = next) {
        next = i->later;
        const bool more = adu_rate_tell_due(call, i->client);
        adu_rate_act(call, i->client);
        if (!more) {
            adu_rate_rest_incident(monitor, i);
        }
    }
    adu_rate_end_delay(call, monitor);
    adu_quarantine_expire(monitor->quarantine, call->now_ms, EXPIRED_A_TICK);
    adu_rate_tell_presence(call, monitor);
    adu_rate_tell_counters(call, monitor);
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
    adu_rate_publish(call, &alert);
}
