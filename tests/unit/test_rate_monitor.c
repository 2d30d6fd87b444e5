/* Alerts when a client is above the limits of its class, and when that is over. */
#include "monitor.h"

/* --- one client ---------------------------------------------------------------------------------
 */

START_TEST(raised_once_and_cleared_once)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge-linea1", "", "edge");
    publishes(&edge, 10);
    tick_for(SECOND / 2);
    ck_assert_int_eq(message_count, 0);
    publishes(&edge, 1);
    ck_assert_int_eq(message_count, 0); /* the hot path sends nothing: the next tick does */
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
    ck_assert_str_eq(messages[0].topic, "planta/_sys/alertas/publish_rate/edge-linea1");
    ck_assert_str_eq(said(0), "raised gateways 11.0/10 rate_monitor.json:1");
    ck_assert_str_eq(member(0, "client_id"), "edge-linea1");
    ck_assert_str_eq(member(0, "username"), "user");
    ck_assert_str_eq(member(0, "since"), "2023-11-14T22:13:20.600Z");
    ck_assert_str_eq(member(0, "time"), "2023-11-14T22:13:20.600Z");
    ck_assert_int_eq(messages[0].qos, 1);
    ck_assert(!messages[0].retain);
    for (int i = 0; i < 50; i++) { /* a flood of five seconds is one alert */
        publishes(&edge, 20);
        tick_for(TICK);
    }
    ck_assert_int_eq(message_count, 1);
    tick_for(5 * SECOND); /* a window passes before the rate is within the limit */
    ck_assert_int_eq(message_count, 1);
    tick_for(3 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(messages[1].topic, "planta/_sys/alertas/publish_rate/edge-linea1");
    ck_assert_str_eq(said(1), "cleared gateways 0.0/10 rate_monitor.json:1");
    ck_assert_str_eq(member(1, "since"), "2023-11-14T22:13:20.600Z");
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_uint_eq(counters.alerts_raised, 1);
    ck_assert_uint_eq(counters.alerts_cleared, 1);
    ck_assert_int_eq(audited, 2);
    ck_assert_uint_eq(counters.stage_errors, 0);
    client_free(&edge);
    end();
}
END_TEST

/* Up and down around the limit is one alert, over when it has been quiet for clear_seconds. */
START_TEST(flapping_is_one_alert)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "e", "", "edge");
    for (int i = 0; i < 10; i++) {
        publishes(&edge, 30);
        tick_for(4 * SECOND);
    }
    ck_assert_int_eq(message_count, 1);
    tick_for(7 * SECOND);
    ck_assert_int_eq(message_count, 2);
    publishes(&edge, 30);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 3); /* and the next flood is another */
    ck_assert_str_eq(said(2), "raised gateways 30.0/10 rate_monitor.json:1");
    client_free(&edge);
    end();
}
END_TEST

START_TEST(connections)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "e", "", "edge");
    for (int i = 0; i < 3; i++) {
        connects(&edge);
        tick_for(SECOND);
    }
    ck_assert_int_eq(message_count, 0);
    connects(&edge);
    connects(&edge);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
    ck_assert_str_eq(messages[0].topic, "planta/_sys/alertas/connection_rate/e");
    ck_assert_str_eq(said(0), "raised gateways 5.0/3 rate_monitor.json:1");
    tick_for(130 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_msg(strncmp(said(1), "cleared gateways ", 17) == 0, "%s", said(1));
    client_free(&edge);
    end();
}
END_TEST

/* Both at once are two alerts, each with its own end. */
START_TEST(kinds_are_apart)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "e", "", "edge");
    for (int i = 0; i < 4; i++) {
        connects(&edge);
    }
    publishes(&edge, 11);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, 3);
    ck_assert_str_eq(messages[2].topic, "planta/_sys/alertas/publish_rate/e");
    tick_for(130 * SECOND);
    ck_assert_int_eq(message_count, 4);
    ck_assert_str_eq(messages[3].topic, "planta/_sys/alertas/connection_rate/e");
    client_free(&edge);
    end();
}
END_TEST

/* --- what counts --------------------------------------------------------------------------------
 */

START_TEST(only_attempts_to_publish_count)
{
    struct client edge;
    struct adu_reason why;
    begin(POLICY);
    client_make(&edge, "e", "", "edge");
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(asks(&edge, ADU_RECEIVE, "a", true, &why), ADU_ABSTAIN);
        ck_assert_int_eq(asks(&edge, ADU_SUBSCRIBE, "a/#", true, &why), ADU_ABSTAIN);
        ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a", false, &why), ADU_ABSTAIN);
    }
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 0);
    for (int i = 0; i < 11; i++) { /* those that are refused too */
        ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "planta/_sys/alertas/x/y", true, &why), ADU_DENY);
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
    client_free(&edge);
    end();
}
END_TEST

/* --- what others say --------------------------------------------------------------------------
 */

static const struct adu_place rule = {.file = "cert_auth.json", .line = 9};

static const struct adu_subject linea1 = {.client_id = "edge-linea1", .username = "linea1"};

static const struct event_row {
    struct adu_event event;
    const char *topic, *severity, *said;
} events[] = {
    {{.kind = "policy_rejected", .raised = true, .text = "acl.json:1:1: bad"},
     "policy_rejected/broker",
     "warning",
     "raised - 0.0/0 -"},
    {{.kind = "session_ended", .about = &linea1, .raised = true, .text = "revoked"},
     "session_ended/edge-linea1",
     "warning",
     "raised - 0.0/0 -"},
    {{.kind = "certificate_expiry",
      .about = &linea1,
      .raised = true,
      .severity = ADU_SEVERITY_CRITICAL,
      .value = 6.94,
      .limit = 7,
      .rule = &rule,
      .text = "ends"},
     "certificate_expiry/edge-linea1",
     "critical",
     "raised - 6.9/7 cert_auth.json:9"},
    {{.kind = "certificate_expiry",
      .about = &linea1,
      .severity = ADU_SEVERITY_INFO,
      .since_ms = INT64_C(1699999999000),
      .text = "a newer one"},
     "certificate_expiry/edge-linea1",
     "info",
     "cleared - 0.0/0 -"},
};

START_TEST(what_happens_elsewhere)
{
    const struct event_row *row = &events[_i];
    char topic[128];
    begin(POLICY);
    adu_rate_monitor_event(&call, &row->event);
    ck_assert_int_eq(message_count, 1);
    snprintf(topic, sizeof topic, "planta/_sys/alertas/%s", row->topic);
    ck_assert_str_eq(messages[0].topic, topic);
    ck_assert_str_eq(said(0), row->said);
    ck_assert_str_eq(member(0, "severity"), row->severity);
    ck_assert_str_eq(member(0, "text"), row->event.text);
    ck_assert_str_eq(member(0, "since"), row->event.since_ms != 0 ? "2023-11-14T22:13:19.000Z"
                                                                  : "2023-11-14T22:13:20.000Z");
    ck_assert_uint_eq(counters.alerts_raised, row->event.raised);
    ck_assert_uint_eq(counters.alerts_cleared, !row->event.raised);
    end();
}
END_TEST

/* A reload in the midst of an alert: nothing of the old policy is looked at, and it ends. */
START_TEST(reload_while_raised)
{
    struct client edge, op;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    client_make(&op, "op", "", "op");
    publishes(&edge, 11);
    publishes(&op, 21);
    struct snippet old = snippet;
    load("{'classes': [{'name': 'otra', 'match': {}, 'publish': {'max_per_second': 1000}}], " ALERTS
         "}");
    snippet_close(&old);
    tick_for(TICK); /* raised under the old policy; its class is not known any more */
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(said(0), "raised - 11.0/10 -");
    ck_assert_str_eq(said(1), "raised - 21.0/20 -");
    publishes(&edge, 1);
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, 4);
    const bool edge_first = strstr(messages[2].topic, "/edge") != NULL;
    ck_assert_str_eq(said(edge_first ? 2 : 3), "cleared otra 0.0/1000 rate_monitor.json:1");
    ck_assert_str_eq(said(edge_first ? 3 : 2), "cleared - 0.0/20 -");
    client_free(&edge);
    client_free(&op);
    end();
}
END_TEST

/* A class that a reload takes away: the alert is over, and said to be. */
START_TEST(class_taken_away)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    publishes(&edge, 11);
    tick_for(TICK);
    struct snippet old = snippet;
    load("{'classes': [], " ALERTS "}");
    snippet_close(&old);
    publishes(&edge, 1);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(said(1), "cleared - 0.0/0 -");
    client_free(&edge);
    end();
}
END_TEST

/* --- silence, and what is learned ---------------------------------------------------------------
 */

#define SILENCE "{'classes': [{'name': 'latidos', 'match': {}, 'silence_seconds': 20}], " ALERTS "}"

START_TEST(silence_of_a_class)
{
    struct client edge;
    begin(SILENCE);
    client_make(&edge, "edge", "", "edge");
    connects(&edge);
    for (int i = 0; i < 10; i++) {
        publishes(&edge, 1);
        tick_for(10 * SECOND);
    }
    ck_assert_int_eq(message_count, 0);
    adu_rate_monitor_left(&call, &edge.state, ADU_END_UNKNOWN); /* whether it is connected or not */
    tick_for(12 * SECOND);
    ck_assert_int_eq(message_count, 1);
    ck_assert_str_eq(messages[0].topic, "planta/_sys/alertas/silence/edge");
    ck_assert_int_eq(strncmp(said(0), "raised latidos 2", 16), 0);
    ck_assert_ptr_nonnull(strstr(said(0), "/20 rate_monitor.json:1"));
    ck_assert_str_eq(member(0, "severity"), "critical");
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 1);
    publishes(&edge, 1);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    ck_assert_str_eq(member(1, "since"), member(0, "since"));
    client_free(&edge);
    end();
}
END_TEST

/* A client that never says anything is silent too. */
START_TEST(silence_from_the_log_in_on)
{
    struct client edge;
    begin(SILENCE);
    client_make(&edge, "edge", "", "edge");
    connects(&edge);
    tick_for(19 * SECOND);
    ck_assert_int_eq(message_count, 0);
    tick_for(3 * SECOND);
    ck_assert_int_eq(message_count, 1);
    client_free(&edge);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "text"), "the client is no longer known");
    end();
}
END_TEST

/* A reload may begin to ask, and cease to. */
START_TEST(silence_by_reload)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    connects(&edge);
    ck_assert_ptr_null(edge.state.learned);
    struct snippet old = snippet;
    load(SILENCE);
    snippet_close(&old);
    publishes(&edge, 1);
    tick_for(25 * SECOND);
    ck_assert_int_eq(message_count, 1);
    old = snippet;
    load(POLICY);
    snippet_close(&old);
    publishes(&edge, 1);
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    client_free(&edge);
    end();
}
END_TEST

START_TEST(flapping_is_told_once)
{
    struct client edge;
    begin("{'classes': [{'name': 'plc', 'match': {}, 'learn': true}], " ALERTS "}");
    client_make(&edge, "edge", "", "edge");
    for (int i = 0; i < 8; i++) {
        connects(&edge);
        tick_for(SECOND);
        ck_assert_int_eq(message_count, i >= 4);
        adu_rate_monitor_left(&call, &edge.state, ADU_END_UNKNOWN);
    }
    ck_assert_str_eq(messages[0].topic, "planta/_sys/alertas/flapping/edge");
    ck_assert_str_eq(said(0), "raised plc 5.0/0 rate_monitor.json:1");
    tick_for(600 * SECOND);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(member(1, "state"), "cleared");
    client_free(&edge);
    end();
}
END_TEST

/* A plant that is taught for a day: each kind of deviation is told with what was expected. */
START_TEST(what_is_learned_is_told)
{
    struct client edge;
    begin("{'classes': [{'name': 'plc', 'match': {}, 'learn': true}], " ALERTS "}");
    client_make(&edge, "edge", "", "edge");
    connects(&edge);
    for (int second = 0; second < 90000; second++) {
        publishes(&edge, 10);
        pass(SECOND);
        adu_rate_monitor_tick(&call);
    }
    ck_assert_int_eq(message_count, 0);
    publishes(&edge, 70);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
    ck_assert_str_eq(messages[0].topic, "planta/_sys/alertas/publish_flood/edge");
    json_t *alert = json_loads(messages[0].payload, 0, NULL);
    ck_assert_double_eq_tol(json_number_value(json_object_get(alert, "expected")), 20, 1);
    ck_assert_double_ge(json_number_value(json_object_get(alert, "value")), 60);
    json_decref(alert);
    client_free(&edge);
    end();
}
END_TEST

/* --- a storm of alerts --------------------------------------------------------------------------
 */

START_TEST(alerts_wait)
{
    enum { STORM = 7 };
    static struct client clients[STORM];
    char id[16];
    begin("{" CLASSES ", 'alerts': {'topic': 'a/${kind}/${client_id}', 'max_per_minute': 3}}");
    for (int i = 0; i < STORM; i++) {
        snprintf(id, sizeof id, "c%d", i);
        client_make(&clients[i], "c", "", "edge");
        publishes(&clients[i], 11);
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, 4); /* three, and that there are more */
    ck_assert_uint_eq(counters.alerts_delayed, 1);
    int delayed = 0;
    for (int i = 0; i < message_count; i++) {
        delayed += strcmp(messages[i].topic, "a/alerts_delayed/broker") == 0;
    }
    ck_assert_int_eq(delayed, 1);
    tick_for(30 * SECOND); /* those that were told are over; the others were before their turn */
    ck_assert_int_eq(message_count, 7);
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 8);
    ck_assert_str_eq(messages[7].topic, "a/alerts_delayed/broker");
    ck_assert_str_eq(member(7, "state"), "cleared");
    for (int i = 0; i < STORM; i++) {
        client_free(&clients[i]);
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, 8);
    end();
}
END_TEST

/* A topic that does not fit is counted, not sent somewhere else. */
START_TEST(topic_that_does_not_fit)
{
    static char id[1025];
    struct client edge;
    begin("{" CLASSES ", 'alerts': {'topic': "
          "'a/${client_id}/${client_id}/${client_id}/${client_id}/${client_id}'}}");
    memset(id, 'x', sizeof id - 1);
    client_make(&edge, id, "", "edge");
    publishes(&edge, 11);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 0);
    ck_assert_uint_eq(counters.stage_errors, 1);
    ck_assert_uint_eq(counters.alerts_raised, 0);
    client_free(&edge);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_monitor");
    suite_add(suite, raised_once_and_cleared_once);
    suite_add(suite, flapping_is_one_alert);
    suite_add(suite, connections);
    suite_add(suite, kinds_are_apart);
    suite_add(suite, only_attempts_to_publish_count);
    suite_add_rows(suite, what_happens_elsewhere, ROWS(events));
    suite_add(suite, reload_while_raised);
    suite_add(suite, class_taken_away);
    suite_add(suite, topic_that_does_not_fit);
    suite_add(suite, silence_of_a_class);
    suite_add(suite, silence_from_the_log_in_on);
    suite_add(suite, silence_by_reload);
    suite_add(suite, flapping_is_told_once);
    suite_add(suite, what_is_learned_is_told);
    suite_add(suite, alerts_wait);
    return run_suite(suite);
}
