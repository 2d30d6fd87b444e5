/* What is done about alerts, where the policy asks for it, and to whom never. */
#include "monitor.h"

#define ACTING(actions, more)                                                                      \
    "{'classes': [{'name': 'gateways', 'match': {},"                                               \
    " 'publish': {'max_per_second': 10, 'clear_seconds': 5},"                                      \
    " 'connections': {'max_per_minute': 3, 'clear_seconds': 10}, 'actions': " actions              \
    "}], " more ALERTS "}"

static enum adu_verdict publishes_with(struct client *c, uint8_t qos)
{
    struct adu_reason why = ADU_REASON_INIT;
    const struct adu_request request = {.action = ADU_PUBLISH,
                                        .topic = adu_text_of("a/b"),
                                        .qos = qos,
                                        .subject = &c->asker.subject,
                                        .now_ms = call.now_ms,
                                        .attempt = true};
    const enum adu_verdict verdict = adu_rate_monitor_count(&call, &request, &c->state, &why);
    ck_assert(verdict == ADU_ABSTAIN || why.text != NULL);
    return verdict;
}

static bool may_log_in(const char *client_id, const char *username)
{
    struct adu_login login = {.client_id = client_id, .why = ADU_REASON_INIT};
    snprintf(login.username, sizeof login.username, "%s", username);
    const enum adu_verdict verdict = adu_rate_monitor_identify(&call, &login);
    ck_assert(verdict == ADU_ABSTAIN || (verdict == ADU_DENY && login.why.text != NULL));
    return verdict == ADU_ABSTAIN;
}

static const char *actions_of(int message)
{
    static char text[128];
    json_t *o = json_loads(messages[message].payload, 0, NULL);
    char *dump = json_dumps(json_object_get(o, "actions"), JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(text, sizeof text, "%s", dump != NULL ? dump : "-");
    free(dump);
    json_decref(o);
    return text;
}

/* A client whose alert for publishing too much has just been told. */
static void above_the_limit(struct client *c, const char *policy)
{
    begin(policy);
    client_make(c, "e", "zona=sur", "op");
    connects(c);
    publishes(c, 11);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
}

START_TEST(throttled_till_it_is_over)
{
    struct client e;
    above_the_limit(&e, ACTING("{'throttle': ['publish_rate']}", ""));
    ck_assert_str_eq(actions_of(0), "[\"throttle\"]");
    ck_assert_uint_eq(counters.clients_throttled, 1);
    ck_assert_ptr_nonnull(strstr(logged, "throttle client=\"e\" username=\"user\": what it"));
    ck_assert_int_eq(audited, 2); /* the alert, and what is done about it */
    ck_assert_int_eq(publishes_with(&e, 0), ADU_DENY);
    ck_assert_int_eq(publishes_with(&e, 1), ADU_TOO_MUCH);
    ck_assert_int_eq(publishes_with(&e, 2), ADU_TOO_MUCH);
    ck_assert_uint_eq(counters.publishes_throttled, 1);
    tick_for(4 * SECOND);
    ck_assert_int_eq(publishes_with(&e, 0), ADU_DENY);
    tick_for(8 * SECOND);
    ck_assert_int_eq(publishes_with(&e, 0), ADU_ABSTAIN);
    ck_assert_int_eq(publishes_with(&e, 1), ADU_ABSTAIN);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(actions_of(1), "-");
    ck_assert_int_eq(audited, 4);
    ck_assert_int_eq(disconnected, 0);
    client_free(&e);
    end();
}
END_TEST

/* Its will is no part of what it does too much of. */
START_TEST(wills_are_not_throttled)
{
    struct client e;
    above_the_limit(&e, ACTING("{'throttle': ['publish_rate']}", ""));
    adu_rate_monitor_left(&call, &e.state, ADU_END_LOST);
    ck_assert_int_eq(publishes_with(&e, 0), ADU_ABSTAIN);
    ck_assert_int_eq(publishes_with(&e, 1), ADU_ABSTAIN);
    client_free(&e);
    end();
}
END_TEST

START_TEST(disconnected_once_an_alert)
{
    struct client e;
    begin(ACTING("{'disconnect': ['publish_rate']}", ""));
    client_make(&e, "e", "", "");
    connects(&e);
    for (int i = 0; i < 20; i++) {
        publishes(&e, 11);
        tick_for(TICK);
    }
    ck_assert_int_eq(disconnected, 1);
    ck_assert_str_eq(actions_of(0), "[\"disconnect\"]");
    ck_assert_uint_eq(counters.clients_disconnected, 1);
    ck_assert(may_log_in("e", "user"));
    tick_for(10 * SECOND);
    publishes(&e, 11);
    tick_for(TICK);
    ck_assert_int_eq(disconnected, 2); /* another alert */
    client_free(&e);
    end();
}
END_TEST

START_TEST(quarantined)
{
    struct client e;
    begin(ACTING("{'quarantine': ['connection_rate'], 'quarantine_seconds': 20}", ""));
    client_make(&e, "e", "", "");
    for (int i = 0; i < 4; i++) {
        ck_assert(may_log_in("e", "user"));
        connects(&e);
    }
    tick_for(TICK);
    ck_assert_str_eq(actions_of(0), "[\"quarantine\"]");
    ck_assert_int_eq(disconnected, 1);
    ck_assert_uint_eq(counters.clients_quarantined, 1);
    ck_assert(!may_log_in("e", "user"));
    ck_assert_uint_eq(counters.logins_quarantined, 1);
    ck_assert(may_log_in("e", "other"));
    ck_assert(may_log_in("f", "user"));
    ck_assert(may_log_in("e", "")); /* nobody has said who it is */
    tick_for(19 * SECOND);
    ck_assert(!may_log_in("e", "user"));
    tick_for(2 * SECOND);
    ck_assert(may_log_in("e", "user"));
    client_free(&e);
    end();
}
END_TEST

/* Its alert is still up when its time is over: it comes back in peace, and is sent away again only
 * for what it does then. */
START_TEST(quarantined_again)
{
    struct client e;
    begin("{'classes': [{'name': 'gateways', 'match': {},"
          " 'publish': {'max_per_second': 10, 'clear_seconds': 3600},"
          " 'actions': {'quarantine': ['publish_rate'], 'quarantine_seconds': 5}}], " ALERTS "}");
    client_make(&e, "e", "", "");
    for (int round = 1; round <= 3; round++) {
        connects(&e);
        tick_for(TICK);
        publishes(&e, 10);
        tick_for(TICK);
        ck_assert_uint_eq(counters.clients_quarantined, round - 1);
        publishes(&e, 1);
        tick_for(TICK);
        ck_assert_uint_eq(counters.clients_quarantined, round);
        ck_assert_int_eq(disconnected, round);
        ck_assert(!may_log_in("e", "user"));
        adu_rate_monitor_left(&call, &e.state, ADU_END_KICKED);
        tick_for(6 * SECOND);
        ck_assert(may_log_in("e", "user"));
    }
    ck_assert_int_eq(message_count, 1);
    client_free(&e);
    end();
}
END_TEST

START_TEST(never_the_essential)
{
    static const char *const essential[] = {"'essential': [{'role': 'x'}, {'zona': 'sur'}], ",
                                            "'essential': [{'role': 'op'}], "};
    char policy[1024];
    for (int i = 0; i < 2; i++) {
        struct client e;
        snprintf(policy, sizeof policy,
                 ACTING("{'throttle': ['publish_rate'], 'quarantine': ['publish_rate']}", "%s"),
                 essential[i]);
        above_the_limit(&e, policy);
        ck_assert_str_eq(actions_of(0), "-");
        ck_assert_int_eq(publishes_with(&e, 0), ADU_ABSTAIN);
        ck_assert(may_log_in("e", "user"));
        ck_assert_int_eq(disconnected, 0);
        client_free(&e);
        end();
    }
}
END_TEST

/* Without being asked for, nothing is done; and no more once the policy asks for it no more. */
START_TEST(only_what_is_asked_for)
{
    struct client e;
    above_the_limit(
        &e, ACTING("{'throttle': ['publish_flood'], 'disconnect': ['connection_rate']}", ""));
    ck_assert_int_eq(publishes_with(&e, 0), ADU_ABSTAIN);
    ck_assert_int_eq(disconnected + log_lines, 0);
    snippet_close(&snippet);
    load(ACTING("{'throttle': ['publish_rate']}", ""));
    publishes(&e, 1);
    tick_for(TICK);
    ck_assert_int_eq(publishes_with(&e, 0), ADU_DENY);
    snippet_close(&snippet);
    load(ACTING("{}", ""));
    tick_for(TICK);
    ck_assert_int_eq(publishes_with(&e, 0), ADU_ABSTAIN);
    client_free(&e);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_actions");
    suite_add(suite, throttled_till_it_is_over);
    suite_add(suite, wills_are_not_throttled);
    suite_add(suite, disconnected_once_an_alert);
    suite_add(suite, quarantined);
    suite_add(suite, quarantined_again);
    suite_add(suite, never_the_essential);
    suite_add(suite, only_what_is_asked_for);
    return run_suite(suite);
}
