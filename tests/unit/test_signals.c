/* What is counted besides publishes and log-ins, of a client and of many together: by the table of
 * signals, each with its alert and the end of it. */
#include "common/hash.h"
#include "monitor.h"
#include "plugins/rate_monitor/connections.h"
#include "plugins/rate_monitor/rate_policy.h"
#include <math.h>

#define ALL_LIMITS                                                                                 \
    "'publish': {'max_per_second': 10}, 'bytes': {'max_per_second': 100},"                         \
    " 'payload': {'max_bytes': 50}, 'deliveries': {'max_per_second': 10},"                         \
    " 'refused': {'max_per_minute': 10}, 'topics': {'max_distinct': 10},"
#define FOR_A_CLIENT                                                                               \
    "{'classes': [{'name': 'gateways', 'match': {}, " ALL_LIMITS                                   \
    " 'connections': {'max_per_minute': 10}}], " ALERTS "}"
#define FOR_A_CLASS                                                                                \
    "{'classes': [{'name': 'gateways', 'match': {}, 'together': {" ALL_LIMITS                      \
    " 'connections': {'max_per_minute': 10, 'max': 2}}}], " ALERTS "}"
#define FOR_A_LISTENER                                                                             \
    "{'classes': [], 'listeners': [{'port': 1883}, {'port': 8883, " ALL_LIMITS                     \
    " 'connections': {'max_per_minute': 10, 'max': 2}, 'login_failures': {'max_per_minute': 10}}"  \
    "], " ALERTS "}"
#define FOR_ALL                                                                                    \
    "{'classes': [], 'broker': {" ALL_LIMITS                                                       \
    " 'connections': {'max_per_minute': 10, 'max': 2}, 'login_failures': {'max_per_minute': 10}"   \
    "}, " ALERTS "}"

/* Each does what its limit allows, and then a little more. */
struct deed {
    enum adu_action action;
    const char *topic;
    uint32_t payload;
    bool refused, numbered; /* numbered: another topic each time */
};

static void does(struct client *c, const struct deed *deed, int times)
{
    for (int i = 0; i < times; i++) {
        char topic[32];
        struct adu_reason why = ADU_REASON_INIT;
        snprintf(topic, sizeof topic, "%s%.0d", deed->topic, deed->numbered ? i + 1 : 0);
        const struct adu_request request = {.action = deed->action,
                                            .topic = adu_text_of(topic),
                                            .payload_length = deed->payload,
                                            .subject = &c->asker.subject,
                                            .now_ms = call.now_ms,
                                            .attempt = true};
        ck_assert_int_eq(adu_rate_monitor_count(&call, &request, &c->state, &why), ADU_ABSTAIN);
        if (deed->refused) {
            adu_rate_monitor_refused(&call, &request, &c->state);
        }
    }
}

static const struct row {
    struct deed deed;
    int within, above; /* so often is within the limit; so often more is not */
    const char *kind, *said;
} rows[] = {
    {{ADU_PUBLISH, "a", 0, false, false}, 10, 1, "publish_rate", "11.0/10"},
    {{ADU_PUBLISH, "a", 24, false, false}, 4, 1, "bytes_rate", "125.0/100"},
    {{ADU_PUBLISH, "a", 50, false, false}, 1, 0, NULL, NULL},
    {{ADU_PUBLISH, "a", 51, false, false}, 0, 1, "payload_size", "51.0/50"},
    {{ADU_RECEIVE, "a", 9000, false, false}, 10, 1, "delivery_rate", "11.0/10"},
    {{ADU_SUBSCRIBE, "a/#", 0, true, false}, 10, 1, "refused_rate", "11.0/10"},
    {{ADU_SUBSCRIBE, "a/#", 0, false, false}, 100, 0, NULL, NULL},
    {{ADU_RECEIVE, "a", 0, true, false}, 10, 0, NULL, NULL}, /* not of its own doing */
};

enum { SCOPES = 4 };

static const struct {
    const char *policy, *prefix, *level;
} scopes[SCOPES] = {
    {FOR_A_CLIENT, "", "e"},
    {FOR_A_CLASS, "class_", "gateways"},
    {FOR_A_LISTENER, "listener_", "8883"},
    {FOR_ALL, "broker_", "broker"},
};

static void arrives(struct client *c, const char *id)
{
    client_make(c, id, "", "edge");
    c->asker.subject.port = 8883;
    connects(c);
}

static void expect_alert(int message, int scope, const char *kind, const char *said_end)
{
    char topic[128];
    snprintf(topic, sizeof topic, "planta/_sys/alertas/%s%s/%s", scopes[scope].prefix, kind,
             scopes[scope].level);
    ck_assert_int_gt(message_count, message);
    ck_assert_str_eq(messages[message].topic, topic);
    ck_assert_msg(strstr(said(message), said_end) != NULL, "%s", said(message));
}

START_TEST(each_signal)
{
    const struct row *row = &rows[_i / SCOPES];
    const int scope = _i % SCOPES;
    struct client e;
    begin(scopes[scope].policy);
    tick_for(TICK);
    arrives(&e, "e");
    does(&e, &row->deed, row->within);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 0);
    does(&e, &row->deed, row->above);
    tick_for(TICK);
    ck_assert_int_eq(message_count, row->above > 0);
    if (row->above > 0) {
        expect_alert(0, scope, row->kind, row->said);
        ck_assert_str_eq(member(0, "state"), "raised");
        ck_assert_str_ne(member(0, "rule"), "-");
        tick_for(130 * SECOND);
        ck_assert_int_eq(message_count, 2);
        ck_assert_str_eq(member(1, "state"), "cleared");
        ck_assert_str_eq(messages[1].topic, messages[0].topic);
        ck_assert_str_eq(member(1, "since"), member(0, "since"));
    }
    client_free(&e);
    end();
}
END_TEST

/* Attack 24: one client that makes up topics. An hour later it may use as many again. */
START_TEST(topics_without_end)
{
    static const struct deed one_topic = {ADU_PUBLISH, "a/b", 0, false, false};
    static const struct deed made_up = {ADU_PUBLISH, "a/", 0, false, true};
    struct client e;
    begin("{'classes': [{'name': 'g', 'match': {}, 'topics': {'max_distinct': 200}}], " ALERTS "}");
    client_make(&e, "e", "", "edge");
    connects(&e);
    does(&e, &one_topic, 100000);
    does(&e, &made_up, 160);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 0);
    does(&e, &made_up, 260);
    tick_for(TICK);
    expect_alert(0, 0, "topic_count", "raised g 2");
    does(&e, &made_up, 160);
    tick_for(3000 * SECOND);
    ck_assert_int_eq(message_count, 1);
    tick_for(700 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    client_free(&e);
    end();
}
END_TEST

/* As many as it says, give or take six in a hundred; three times that is seen in a thousand. */
START_TEST(distinct_estimates)
{
    static const uint32_t counts[] = {1, 10, 100, 500, 700, 1000, 10000, 100000, 1000000};
    const uint32_t count = counts[_i];
    double off = 0;
    for (uint32_t round = 0; round < 10; round++) {
        struct adu_distinct seen = {0};
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t name[] = {round, i};
            adu_distinct_add(&seen, adu_hash64(name, sizeof name));
            adu_distinct_add(&seen, adu_hash64(name, sizeof name));
        }
        const double found = adu_distinct_count(&seen);
        ck_assert_msg(fabs(found - count) <= 0.35 * count + 1, "%u: %.0f", count, found);
        off += (found - count) / 10;
    }
    ck_assert_msg(fabs(off) <= 0.12 * count + 1, "%u: %.1f off", count, off);
}
END_TEST

/* --- many together ---------------------------------------------------------------------------- */

START_TEST(log_ins)
{
    const int scope = _i;
    struct client clients[11];
    begin(scopes[scope].policy);
    tick_for(TICK);
    for (int i = 0; i < 11; i++) {
        arrives(&clients[i], "e");
        adu_rate_monitor_left(&call, &clients[i].state, ADU_END_ORDERLY);
    }
    tick_for(SECOND);
    if (scope == 0) {
        ck_assert_int_eq(message_count, 0); /* each once */
    } else {
        expect_alert(0, scope, "connection_rate", "11.0/10");
    }
    for (int i = 0; i < 11; i++) {
        client_free(&clients[i]);
    }
    end();
}
END_TEST

START_TEST(how_many_are_connected)
{
    const int scope = 1 + _i;
    struct client clients[3];
    begin(scopes[scope].policy);
    arrives(&clients[0], "a");
    arrives(&clients[1], "b");
    tick_for(5 * SECOND);
    ck_assert_int_eq(message_count, 0);
    arrives(&clients[2], "c");
    tick_for(3 * SECOND);
    expect_alert(0, scope, "connections", "3.0/2");
    tick_for(300 * SECOND);
    ck_assert_int_eq(message_count, 1);
    adu_rate_monitor_left(&call, &clients[0].state, ADU_END_LOST);
    tick_for(58 * SECOND);
    ck_assert_int_eq(message_count, 1);
    tick_for(5 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    for (int i = 0; i < 3; i++) {
        client_free(&clients[i]);
    }
    end();
}
END_TEST

START_TEST(all_leave_at_once)
{
    struct client clients[3];
    begin(FOR_ALL);
    for (int i = 0; i < 3; i++) {
        arrives(&clients[i], "a");
    }
    tick_for(3 * SECOND);
    expect_alert(0, 3, "connections", "3.0/2");
    for (int i = 0; i < 3; i++) {
        client_free(&clients[i]);
    }
    tick_for(70 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    end();
}
END_TEST

START_TEST(log_ins_that_fail)
{
    const int scope = 2 + _i;
    begin(scopes[scope].policy);
    tick_for(TICK);
    for (int i = 0; i < 10; i++) {
        adu_rate_monitor_login_failed(&call, 8883);
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, 0);
    adu_rate_monitor_login_failed(&call, 1883);
    tick_for(TICK);
    ck_assert_int_eq(message_count, scope == 3);
    adu_rate_monitor_login_failed(&call, 8883);
    tick_for(TICK);
    expect_alert(0, scope, "login_failure_rate", scope == 3 ? "11.0/10" : "11.0/10");
    end();
}
END_TEST

/* --- reloads ---------------------------------------------------------------------------------- */

/* What was counted for a limit that stays goes on; what is asked for no longer is over. */
START_TEST(reloads)
{
    static const struct deed deed = {ADU_PUBLISH, "a", 0, false, false};
    struct client e;
    begin(FOR_A_CLASS);
    tick_for(TICK);
    arrives(&e, "e");
    does(&e, &deed, 11);
    tick_for(TICK);
    expect_alert(0, 1, "publish_rate", "raised gateways 11.0/10");
    struct snippet old = snippet;
    load(FOR_A_CLASS);
    snippet_close(&old);
    adu_rate_monitor_judged(&call, &e.asker.subject, &e.state);
    tick_for(TICK);
    does(&e, &deed, 1);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
    old = snippet;
    load("{'classes': [], " ALERTS "}");
    snippet_close(&old);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "kind"), "class_publish_rate");
    ck_assert_str_eq(member(1, "state"), "cleared");
    client_free(&e);
    end();
}
END_TEST

/* Who asks for nothing pays for nothing. */
START_TEST(memory_by_what_is_asked)
{
    struct client e;
    begin(
        "{'classes': [{'name': 'g', 'match': {'role': 'edge'}, 'refused': {'max_per_minute': 1}}],"
        " 'broker': {'publish': {'max_per_second': 1}}, " ALERTS "}");
    client_make(&e, "e", "", "op");
    connects(&e);
    ck_assert_ptr_null(e.state.meter.slots);
    ck_assert_ptr_null(e.state.learned);
    client_free(&e);
    client_make(&e, "e", "", "edge");
    connects(&e);
    ck_assert_uint_eq(e.state.meter.slots->asked, 1U << ADU_RATE_REFUSED);
    client_free(&e);
    end();
}
END_TEST

_Static_assert(sizeof(struct adu_rate_client) <= 56 && sizeof(struct adu_meter_slot) <= 40,
               "a client with two limits: 140 bytes and what malloc adds");

/* --- what is usual ---------------------------------------------------------------------------- */

enum { MINUTE = 60 * SECOND, DAY_MINUTES = 1440 };

/* Shifts: some two hundred by day, a hundred by night, a few more or less each minute. */
static uint32_t plant_at(int minute, unsigned *random)
{
    *random = *random * 1103515245 + 12345;
    const int day = minute % DAY_MINUTES >= 360 && minute % DAY_MINUTES < 1080;
    return (uint32_t)(day ? 200 : 100) + (*random >> 16) % 5;
}

START_TEST(connections_against_their_baseline)
{
    struct adu_connections c = {0};
    unsigned random = (unsigned)_i;
    int64_t now = 1;
    int raised = 0, minute = 0;
    for (; minute < 14 * DAY_MINUTES + 600; minute++, now += MINUTE) {
        adu_connections_take(&c, now, now, plant_at(minute, &random));
        raised += c.up;
    }
    ck_assert_int_eq(raised, 0); /* by shifts */
    ck_assert(!c.up);
    for (int n = 0; n < 5 && !c.up; n++, now += MINUTE) { /* a storm of client ids */
        adu_connections_take(&c, now, now, 900);
    }
    ck_assert(c.up);
    ck_assert_msg(c.expected >= 180 && c.expected <= 210, "%.1f", c.expected);
    for (int n = 0; n < 20; n++, minute++, now += MINUTE) {
        adu_connections_take(&c, now, now, plant_at(minute, &random));
    }
    ck_assert(!c.up);
    for (int n = 0; n < 5 && !c.up; n++, now += MINUTE) { /* half of the plant has gone */
        adu_connections_take(&c, now, now, 20);
    }
    ck_assert(c.up);
}
END_TEST

START_TEST(unusual_connections_are_told)
{
    struct client clients[8];
    begin("{'classes': [], 'broker': {'connections': {'learn': true}}, " ALERTS "}");
    arrives(&clients[0], "a");
    tick_for((DAY_MINUTES + 5) * MINUTE);
    ck_assert_int_eq(message_count, 0);
    for (int i = 1; i < 8; i++) {
        arrives(&clients[i], "b");
    }
    tick_for(3 * MINUTE);
    expect_alert(0, 3, "connections_unusual", "raised");
    for (int i = 1; i < 8; i++) {
        adu_rate_monitor_left(&call, &clients[i].state, ADU_END_ORDERLY);
    }
    tick_for(12 * MINUTE);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    for (int i = 0; i < 8; i++) {
        client_free(&clients[i]);
    }
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signals");
    suite_add_rows(suite, each_signal, SCOPES * ROWS(rows));
    suite_add(suite, topics_without_end);
    suite_add_rows(suite, distinct_estimates, 9);
    suite_add_rows(suite, log_ins, SCOPES);
    suite_add_rows(suite, how_many_are_connected, SCOPES - 1);
    suite_add(suite, all_leave_at_once);
    suite_add_rows(suite, log_ins_that_fail, 2);
    suite_add(suite, reloads);
    suite_add(suite, memory_by_what_is_asked);
    suite_add_rows(suite, connections_against_their_baseline, 5);
    suite_add(suite, unusual_connections_are_told);
    return run_suite(suite);
}
