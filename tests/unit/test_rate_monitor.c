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

START_TEST(counters_are_published)
{
    begin(WITH_COUNTERS);
    counters.publish_refused = 7;
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1); /* at once, then every ten seconds */
    tick_for(10 * SECOND - TICK);
    ck_assert_int_eq(message_count, 1);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    tick_for(90 * SECOND);
    ck_assert_int_eq(message_count, 11);
    json_t *o = json_loads(messages[10].payload, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "publish_refused")), 7);
    ck_assert_uint_ge(json_object_size(o), 10);
    json_decref(o);
    ck_assert_str_eq(messages[10].topic, "planta/_sys/contadores");
    ck_assert(messages[10].retain);
    end();
}
END_TEST

/* Below `tree`, the last message about each number; how many there were. */
static int told_below(const char *tree, const char *name, const char **payload)
{
    char topic[128];
    int count = 0;
    *payload = NULL;
    snprintf(topic, sizeof topic, "%s/%s", tree, name);
    for (int i = 0; i < message_count; i++) {
        ck_assert(messages[i].retain);
        if (strcmp(messages[i].topic, topic) == 0) {
            *payload = messages[i].payload;
            count++;
        }
    }
    return count;
}

static int metric_count(void)
{
    int count = 0;
    while (adu_metric_list[count].name != NULL) {
        count++;
    }
    return count;
}

#define TREE(topic)                                                                                \
    "{'classes': [], " ALERTS ", 'counters': {'tree': '" topic "', 'every_seconds': 10}}"

START_TEST(each_number_has_a_topic)
{
    const char *payload;
    begin(TREE("a/b"));
    counters.publish_refused = 7;
    measured.sessions_online = 3;
    tick_for(TICK);
    ck_assert_int_le(message_count, 16); /* some a tick */
    tick_for(9 * SECOND);
    ck_assert_int_eq(message_count, metric_count()); /* each once, and 0 too */
    ck_assert_int_eq(told_below("a/b", "publish_refused", &payload), 1);
    ck_assert_str_eq(payload, "7");
    ck_assert_int_eq(told_below("a/b", "sessions_online", &payload), 1);
    ck_assert_str_eq(payload, "3");
    counters.publish_refused = 9;
    counters.publish_refused = 12;
    tick_for(100 * SECOND); /* what has changed, at its time, and once */
    ck_assert_int_eq(message_count, metric_count() + 1);
    ck_assert_int_eq(told_below("a/b", "publish_refused", &payload), 2);
    ck_assert_str_eq(payload, "12");
    end();
}
END_TEST

START_TEST(another_tree)
{
    const char *payload;
    begin(TREE("a/b"));
    tick_for(5 * SECOND);
    message_count = 0;
    snippet_close(&snippet);
    load(TREE("c"));
    tick_for(20 * SECOND);
    ck_assert_int_eq(message_count, 2 * metric_count()); /* the old ones are taken back */
    ck_assert_int_eq(told_below("a/b", "publish_allowed", &payload), 1);
    ck_assert_str_eq(payload, "");
    ck_assert_int_eq(told_below("c", "publish_allowed", &payload), 1);
    ck_assert_str_eq(payload, "0");
    message_count = 0;
    snippet_close(&snippet);
    load(POLICY);
    tick_for(20 * SECOND);
    ck_assert_int_eq(message_count, metric_count());
    ck_assert_int_eq(told_below("c", "publish_allowed", &payload), 1);
    ck_assert_str_eq(payload, "");
    end();
}
END_TEST

START_TEST(nobody_else_publishes_to_the_tree)
{
    struct client edge;
    struct adu_reason why;
    begin(TREE("a/b"));
    client_make(&edge, "e", "", "edge");
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b/publish_refused", true, &why), ADU_DENY);
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b/whatever", true, &why), ADU_DENY);
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b", true, &why), ADU_ABSTAIN);
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b/c/d", true, &why), ADU_ABSTAIN);
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

/* --- many clients -------------------------------------------------------------------------------
 */

/* Who is forgotten before the tick that would tell of its alert has none, and takes no other's. */
START_TEST(forgotten_before_it_is_told)
{
    struct client clients[3];
    begin(POLICY);
    for (int gone = 0; gone < 3; gone++) {
        message_count = 0;
        for (int i = 0; i < 3; i++) {
            client_make(&clients[i], i == 0 ? "a" : i == 1 ? "b" : "c", "", "edge");
            connects(&clients[i]);
            publishes(&clients[i], 11);
        }
        client_free(&clients[gone]);
        tick_for(TICK);
        ck_assert_int_eq(message_count, 2);
        for (int i = 0; i < 3; i++) {
            if (i != gone) {
                client_free(&clients[i]);
            }
        }
        tick_for(TICK);
        ck_assert_int_eq(message_count, 4); /* both are over */
    }
    end();
}
END_TEST

/* Who is forgotten before its visit of this round leaves the others' visits as they are. */
START_TEST(forgotten_before_its_visit)
{
    enum { MOST = 12 };
    static char ids[MOST][16];
    struct client *clients[MOST];
    begin(POLICY);
    for (int count = 2; count <= MOST; count++) {
        for (int i = 0; i < count; i++) {
            snprintf(ids[i], sizeof ids[i], "c%d", i);
            clients[i] = malloc(sizeof *clients[i]);
            client_make(clients[i], ids[i], "", "edge");
            connects(clients[i]);
        }
        for (int i = count - 1; i >= 0; i--) { /* from the end: those that wait for theirs */
            tick_for(TICK);
            client_free(clients[i]);
            free(clients[i]);
        }
        tick_for(TICK);
    }
    end();
}
END_TEST

/* Whoever comes and goes, and when: each alert that is raised is cleared once. */
START_TEST(coming_and_going)
{
    enum { MOST = 24, STEPS = 20000 };
    static char ids[MOST][16];
    struct client *clients[MOST] = {0};
    unsigned random = 1;
    begin(POLICY);
    for (int step = 0; step < STEPS; step++) {
        random = random * 1103515245 + 12345;
        const unsigned draw = random >> 8, i = draw % MOST;
        if (clients[i] == NULL) {
            snprintf(ids[i], sizeof ids[i], "c%u", i);
            clients[i] = malloc(sizeof *clients[i]);
            client_make(clients[i], ids[i], "", "edge");
            connects(clients[i]);
        } else if (draw / MOST % 3 == 0) {
            client_free(clients[i]);
            free(clients[i]);
            clients[i] = NULL;
        } else {
            publishes(clients[i], (int)(draw / MOST % 13));
        }
        if (draw / MOST % 5 == 0) {
            tick_for(TICK);
            message_count = 0;
        }
    }
    for (int i = 0; i < MOST; i++) {
        if (clients[i] != NULL) {
            client_free(clients[i]);
            free(clients[i]);
        }
    }
    tick_for(TICK);
    ck_assert_uint_gt(counters.alerts_raised, 100);
    ck_assert_uint_eq(counters.alerts_raised, counters.alerts_cleared);
    ck_assert_uint_eq(counters.stage_errors, 0);
    end();
}
END_TEST

#define BY_CLASS                                                                                   \
    "{" CLASSES ", 'alerts': {'topic': 'a/${class}/${username}/${client_id}', 'retain': true}}"
#define GONE "the client is no longer known"

/* A retained alert of a client that is forgotten would stay for ever: it is over where it began,
 * and by names that are the monitor's own. */
START_TEST(forgotten_while_raised)
{
    struct client edge;
    char id[] = "edge-linea1";
    begin(BY_CLASS);
    client_make(&edge, id, "", "edge");
    publishes(&edge, 11);
    pass(SECOND / 2);
    for (int i = 0; i < 5; i++) {
        connects(&edge);
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    client_free(&edge);
    memset(id, 'x', sizeof id - 1);
    memset(&edge, 'x', sizeof edge);
    ck_assert_int_eq(message_count, 2); /* nothing may be published from there */
    tick_for(TICK);
    ck_assert_int_eq(message_count, 4);
    ck_assert_str_eq(said(2), "cleared gateways 11.0/10 rate_monitor.json:1");
    ck_assert_str_eq(said(3), "cleared gateways 5.0/3 rate_monitor.json:1");
    ck_assert_str_eq(member(2, "since"), "2023-11-14T22:13:20.600Z");
    ck_assert_str_eq(member(3, "since"), "2023-11-14T22:13:20.600Z");
    ck_assert_str_eq(member(2, "kind"), "publish_rate");
    ck_assert_str_eq(member(3, "kind"), "connection_rate");
    for (int i = 2; i < 4; i++) {
        ck_assert_str_eq(messages[i].topic, "a/gateways/user/edge-linea1");
        ck_assert(messages[i].retain);
        ck_assert_str_eq(member(i, "client_id"), "edge-linea1");
        ck_assert_str_eq(member(i, "username"), "user");
        ck_assert_str_eq(member(i, "time"), "2023-11-14T22:13:20.700Z");
        ck_assert_str_eq(member(i, "text"), GONE);
    }
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 4);
    ck_assert_uint_eq(counters.alerts_cleared, 2);
    end();
}
END_TEST

/* Of what nobody has been told there is no end to tell, nor of what is over. */
START_TEST(forgotten_when_there_is_nothing_to_clear)
{
    struct client untold, over, quiet;
    begin(POLICY);
    client_make(&over, "over", "", "edge");
    client_make(&quiet, "quiet", "", "edge");
    client_make(&untold, "untold", "", "edge");
    publishes(&quiet, 10);
    publishes(&over, 11);
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, 2);
    publishes(&untold, 11);
    client_free(&untold);
    client_free(&over);
    client_free(&quiet);
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, 2);
    end();
}
END_TEST

/* Back before the tick, and above the limit again: the last word is that it is raised. */
START_TEST(forgotten_and_back)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    edge.asker.subject.username = NULL;
    publishes(&edge, 11);
    tick_for(TICK);
    client_free(&edge);
    client_make(&edge, "edge", "", "edge");
    publishes(&edge, 12);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 3);
    ck_assert_str_eq(said(1), "cleared gateways 11.0/10 rate_monitor.json:1");
    ck_assert_str_eq(member(1, "username"), "-");
    ck_assert_str_eq(said(2), "raised gateways 12.0/10 rate_monitor.json:1");
    client_free(&edge); /* and nobody has to hear of it before the end */
    end();
}
END_TEST

/* A reload before the tick: nothing of the old policy is looked at. */
START_TEST(forgotten_before_a_reload)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    publishes(&edge, 11);
    tick_for(TICK);
    client_free(&edge);
    struct snippet old = snippet;
    load("{'classes': [], " ALERTS "}");
    snippet_close(&old);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(said(1), "cleared - 11.0/10 -");
    ck_assert_str_eq(member(1, "text"), GONE);
    end();
}
END_TEST

/* The pipeline forgets clients when its table is full, in any order and in any state; the memory is
 * gone then. The others' alerts are not touched by it, and each is over once. */
START_TEST(clients_are_forgotten)
{
    enum { CLIENTS = 500 };
    static struct client *clients[CLIENTS];
    static char ids[CLIENTS][16];
    unsigned random = 12345;
    begin(POLICY);
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(ids[i], sizeof ids[i], "c%d", i);
        clients[i] = malloc(sizeof *clients[i]);
        client_make(clients[i], ids[i], "", "edge");
        publishes(clients[i], i % 5 == 0 ? 1 : 11); /* one in five is never raised */
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, CLIENTS / 5 * 4);
    for (int left = CLIENTS / 2; left > 0;) {
        const int i = (int)((random = random * 1103515245 + 12345) >> 8) % CLIENTS;
        if (clients[i] != NULL) {
            client_free(clients[i]);
            free(clients[i]);
            clients[i] = NULL;
            left--;
            adu_rate_monitor_tick(&call);
        }
    }
    ck_assert_uint_eq(message_count - CLIENTS / 5 * 4, counters.alerts_cleared);
    int remain = 0;
    for (int i = 0; i < CLIENTS; i++) {
        remain += clients[i] != NULL && i % 5 != 0;
    }
    message_count = 0;
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, remain); /* each of them once */
    ck_assert_uint_eq(counters.alerts_cleared, CLIENTS / 5 * 4);
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i] != NULL) {
            client_free(clients[i]);
            free(clients[i]);
        }
    }
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
    suite_add(suite, counters_are_published);
    suite_add(suite, each_number_has_a_topic);
    suite_add(suite, another_tree);
    suite_add(suite, nobody_else_publishes_to_the_tree);
    suite_add_rows(suite, what_happens_elsewhere, ROWS(events));
    suite_add(suite, reload_while_raised);
    suite_add(suite, class_taken_away);
    suite_add(suite, forgotten_before_it_is_told);
    suite_add(suite, forgotten_before_its_visit);
    suite_add(suite, coming_and_going);
    suite_add(suite, forgotten_while_raised);
    suite_add(suite, forgotten_when_there_is_nothing_to_clear);
    suite_add(suite, forgotten_and_back);
    suite_add(suite, forgotten_before_a_reload);
    suite_add(suite, clients_are_forgotten);
    suite_add(suite, topic_that_does_not_fit);
    suite_add(suite, silence_of_a_class);
    suite_add(suite, silence_from_the_log_in_on);
    suite_add(suite, silence_by_reload);
    suite_add(suite, flapping_is_told_once);
    suite_add(suite, what_is_learned_is_told);
    suite_add(suite, alerts_wait);
    return run_suite(suite);
}
