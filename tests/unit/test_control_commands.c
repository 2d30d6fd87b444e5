/* What each order does. */
#include "ordering.h"
#include <string.h>
#include <unistd.h>

/* --- status -------------------------------------------------------------------------------------
 */

START_TEST(status_of_a_plant)
{
    ordering_open();
    plant_pass(&plant, 5000);
    json_t *data = told(&jefe, "{'command': 'status'}");
    ck_assert_str_eq(string_at(data, "version"), ADUANA_VERSION);
    ck_assert_int_eq(integer_at(data, "generation"), 1);
    ck_assert_str_eq(string_at(data, "policy_dir"), plant.policies.path);
    ck_assert_str_eq(string_at(data, "refuse_all"), "null");
    ck_assert_int_eq(integer_at(data, "uptime_seconds"), 5);
    ck_assert_int_eq(integer_at(data, "online"), 2);
    ck_assert_int_eq(integer_at(data, "known"), 2);
    ck_assert_int_eq(integer_at(json_object_get(data, "counters"), "logins_accepted"), 2);
    const json_t *stages = json_object_get(data, "stages");
    ck_assert_uint_eq(json_object_size(stages), ADU_STAGES);
    ck_assert_str_eq(string_at(json_object_get(stages, "acl"), "plugin"), "loaded");
    ck_assert_str_eq(string_at(json_object_get(stages, "acl"), "mode"), "enforce");
    const json_t *loads = json_object_get(data, "loads");
    ck_assert_int_eq(integer_at(loads, "finished"), 0);
    ck_assert_str_eq(string_at(loads, "last"), "null");
    json_decref(data);
    plant_gone(&plant, &edge, false);
    data = told(&jefe, "{'command': 'status'}");
    ck_assert_int_eq(integer_at(data, "online"), 1);
    ck_assert_int_eq(integer_at(data, "known"), 2);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* An address of nobody's: it cannot be listened on. */
START_TEST(status_says_why_metrics_are_not_served)
{
    ordering_prepare();
    folder_write_json(&plant.policies, "aduana.json", "{'metrics': {'address': '192.0.2.1'}}");
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    for (int i = 0; i < TEST_SECONDS * 500 && plant_counters(&plant)->metrics_failed == 0; i++) {
        usleep(1000);
        plant_pass(&plant, 1);
    }
    json_t *data = told(&jefe, "{'command': 'status'}");
    const json_t *metrics = json_object_get(data, "metrics");
    ck_assert(json_is_false(json_object_get(metrics, "served")));
    ck_assert_str_eq(string_at(metrics, "error"), "metrics cannot be had at 192.0.2.1 port 9883: "
                                                  "Cannot assign requested address");
    json_decref(data);
    folder_write_json(&plant.policies, "aduana.json", "{}");
    ck_assert(plant_reload(&plant));
    data = told(&jefe, "{'command': 'status'}");
    ck_assert_str_eq(string_at(json_object_get(data, "metrics"), "error"), "null");
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(status_names_what_is_watched_and_what_is_missing)
{
    ordering_prepare();
    folder_write_json(&plant.policies, "topic_policy.json",
                      "{'mode': 'watch', 'exempt': ['$CONTROL/#']}");
    folder_write_json(&plant.policies, "rate_monitor.json", "{'if_not_loaded': 'ignore'}");
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        ck_assert_msg(kind == ADU_STAGE_RATE_MONITOR ||
                          plant_attach(&plant, (enum adu_stage_kind)kind, &error),
                      "%s", error.text);
    }
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    json_t *data = told(&jefe, "{'command': 'status'}");
    const json_t *stages = json_object_get(data, "stages");
    ck_assert_str_eq(string_at(json_object_get(stages, "topic_policy"), "mode"), "watch");
    ck_assert_str_eq(string_at(json_object_get(stages, "rate_monitor"), "plugin"), "ignored");
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* --- reload -------------------------------------------------------------------------------------
 */

/* Waits as the command does: until so many loads have finished. */
static json_t *loads_after(long long finished)
{
    for (int i = 0; i < 20000; i++) {
        usleep(1000);
        plant_pass(&plant, 100); /* no more than 20 questions a second */
        json_t *data = told(&jefe, "{'command': 'status'}");
        if (integer_at(json_object_get(data, "loads"), "finished") >= finished) {
            return data;
        }
        json_decref(data);
    }
    ck_abort_msg("the load never finished");
    return NULL;
}

static long long reload(void)
{
    json_t *data = told(&jefe, "{'command': 'reload'}");
    const long long finished = integer_at(data, "finished");
    ck_assert(true_at(data, "accepted"));
    json_decref(data);
    return finished;
}

START_TEST(reload_good_and_bad)
{
    ordering_open();
    ck_assert_int_eq(reload(), 1);
    json_t *data = loads_after(1);
    ck_assert_int_eq(integer_at(data, "generation"), 2);
    ck_assert_str_eq(string_at(json_object_get(data, "loads"), "error"), "null");
    ck_assert_str_ne(string_at(json_object_get(data, "loads"), "last"), "null");
    json_decref(data);
    ck_assert_int_eq(logged("aduana: reload asked for by client=\"consola\" username=\"jefe\" "
                            "address=192.0.2.9"),
                     1);

    folder_write_json(&plant.policies, "acl.json", "{'roles': {'edge': {'alow': []}}}");
    data = loads_after(reload());
    ck_assert_int_eq(integer_at(data, "generation"), 2);
    const char *error = string_at(json_object_get(data, "loads"), "error");
    ck_assert_msg(strstr(error, "acl.json:1:21: roles.edge.alow: unknown key; did you mean "
                                "\"allow\"?") == error,
                  "%s", error);
    json_decref(data);

    folder_write_json(&plant.policies, "acl.json", ordering_acl);
    data = loads_after(reload());
    ck_assert_int_eq(integer_at(data, "generation"), 3);
    ck_assert_str_eq(string_at(json_object_get(data, "loads"), "error"), "null");
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* The files may have changed after the load under way has read them: it takes another. */
START_TEST(reload_during_a_reload)
{
    ordering_open();
    ck_assert_int_eq(reload(), 1);
    ck_assert_int_eq(reload(), 2);
    ck_assert_int_eq(reload(), 2);
    json_decref(loads_after(2));
    plant_end(&plant);
}
END_TEST

/* The broker asks again about its sessions after SIGHUP, not after this: nobody gets in by it. */
START_TEST(reload_is_no_sighup)
{
    ordering_open();
    reload();
    edge.certificate = NULL;
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_DENY);
    plant_end(&plant);
}
END_TEST

/* --- kick ---------------------------------------------------------------------------------------
 */

#define KICK_EDGE "{'command': 'kick', 'client_id': 'edge-linea1'}"

START_TEST(kick_waits_for_the_tick)
{
    ordering_open();
    json_t *data = told(&jefe, KICK_EDGE);
    ck_assert_str_eq(string_at(data, "username"), "linea1");
    ck_assert(true_at(data, "will"));
    json_decref(data);
    ck_assert_int_eq(kicks(), 0);
    adu_pipeline_tick(plant.p, plant.now, false); /* not here */
    ck_assert_int_eq(kicks(), 0);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    ck_assert_str_eq(last_kicked(), "edge-linea1");
    ck_assert(last_kicked_with_will());
    ck_assert_int_eq(logged("aduana: disconnecting client=\"edge-linea1\" username=\"linea1\" (its "
                            "will is sent): asked for by client=\"consola\" username=\"jefe\""),
                     1);
    ck_assert_uint_eq(plant_counters(&plant)->sessions_kicked, 1);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    plant_end(&plant);
}
END_TEST

START_TEST(kick_without_its_will)
{
    ordering_open();
    json_decref(told(&jefe, "{'command': 'kick', 'client_id': 'edge-linea1', 'will': false}"));
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    ck_assert(!last_kicked_with_will());
    plant_end(&plant);
}
END_TEST

/* Who has gone and come back meanwhile is another connection. */
START_TEST(kick_of_one_that_went)
{
    struct connection again = edge;
    ordering_open();
    json_decref(told(&jefe, KICK_EDGE));
    plant_gone(&plant, &edge, false);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW); /* under the same handle */
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 0);
    json_decref(told(&jefe, KICK_EDGE));
    again = edge;
    ck_assert_int_eq(plant_login(&plant, &again), ADU_ALLOW); /* a takeover */
    plant_gone(&plant, &edge, false);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

START_TEST(kick_of_one_that_is_away)
{
    struct connection short_lived = service_of("corto", SERVICE("nadie"));
    ordering_open();
    plant_gone(&plant, &edge, false);
    ck_assert_str_eq(wrong(&jefe, KICK_EDGE),
                     "the client \"edge-linea1\" is not connected; the session that the broker "
                     "keeps for it, and what is queued, stay");
    ck_assert_int_eq(plant_login(&plant, &short_lived), ADU_ALLOW);
    plant_gone(&plant, &short_lived, true);
    ck_assert_str_eq(wrong(&jefe, "{'command': 'kick', 'client_id': 'corto'}"),
                     "the client \"corto\" is not connected");
    ck_assert_str_eq(wrong(&jefe, "{'command': 'kick', 'client_id': 'nadie'}"),
                     "no client is known by the id \"nadie\"");
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

START_TEST(kick_in_a_broker_without_a_clock)
{
    ordering_prepare();
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    adu_pipeline_tick(plant.p, plant.now, false);
    ck_assert_ptr_nonnull(strstr(wrong(&jefe, KICK_EDGE), "no moment to disconnect"));
    plant_end(&plant);
}
END_TEST

START_TEST(kick_of_oneself_and_unloading)
{
    ordering_open();
    json_decref(told(&jefe, "{'command': 'kick', 'client_id': 'consola'}"));
    plant_pass(&plant, 100);
    ck_assert_str_eq(last_kicked(), "consola");
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    json_decref(told(&jefe, KICK_EDGE));
    plant_end(&plant); /* forgets it */
}
END_TEST

/* --- explain ------------------------------------------------------------------------------------
 */

static const struct {
    enum adu_action action;
    const char *topic, *reason;
} questions[] = {
    {ADU_PUBLISH, "planta/linea1/temperatura", NULL},
    {ADU_PUBLISH, "planta/linea2/temperatura", "acl: no rule grants it to its roles \"edge\""},
    {ADU_PUBLISH, "planta/linea1/Temperatura",
     "topic_policy: upper-case letters are not allowed (level 3 \"Temperatura\"); right would be "
     "\"planta/linea1/temperatura\" "
     "[topic_policy.json:1]"},
    {ADU_PUBLISH, "planta/linea1/consigna",
     "acl: denied by the rule \"no setpoints\" [acl.json:1]"},
    {ADU_PUBLISH, "planta/linea1/mirado", NULL},
    {ADU_PUBLISH, "planta/linea1", "topic_policy: "},
    {ADU_PUBLISH, "planta/+/x", "pipeline: not a topic name that MQTT allows"},
    {ADU_PUBLISH, "planta/_sys/alertas/flood/x", "rate_monitor: "},
    {ADU_PUBLISH, ADU_CONTROL_TOPIC, "acl: "},
    {ADU_SUBSCRIBE, "planta/linea1/comandos/#", NULL},
    {ADU_SUBSCRIBE, "$share/g/planta/linea1/comandos/#", NULL},
    {ADU_SUBSCRIBE, "planta/#", "acl: no one rule grants all that this filter can match"},
    {ADU_SUBSCRIBE, "a/#/b", "pipeline: not a topic filter that MQTT allows"},
    {ADU_RECEIVE, "planta/linea1/comandos/x", NULL},
    {ADU_RECEIVE, "planta/linea2/comandos/x", "acl: "},
};

static json_t *explain_qos(const char *client_id, enum adu_action action, const char *topic,
                           int qos)
{
    static const char *const names[] = {"publish", "subscribe", "receive"};
    char command[512];
    snprintf(command, sizeof command,
             "{'command': 'explain', 'client_id': '%s', 'action': '%s', 'topic': '%s', 'qos': %d}",
             client_id, names[action], topic, qos);
    return told(&jefe, command);
}

static json_t *explain(const char *client_id, enum adu_action action, const char *topic)
{
    return explain_qos(client_id, action, topic, 1);
}

/* The answer is what the client gets, and nobody notices that it was asked for. */
START_TEST(explain_is_what_happens)
{
    ordering_open();
    const struct adu_counters before = *plant_counters(&plant);
    json_t *data = explain("edge-linea1", questions[_i].action, questions[_i].topic);
    struct adu_counters after = *plant_counters(&plant);
    after.control_commands = before.control_commands;
    after.receive_allowed = before.receive_allowed; /* the answer's own way */
    ck_assert_mem_eq(&before, &after, sizeof before);
    ck_assert_int_eq(logged(""), 0);
    const enum adu_verdict verdict =
        plant_ask(&plant, &edge, questions[_i].action, questions[_i].topic);
    ck_assert_str_eq(string_at(data, "verdict"), verdict == ADU_ALLOW ? "allowed" : "refused");
    ck_assert_int_eq(verdict, questions[_i].reason == NULL ? ADU_ALLOW : ADU_DENY);
    if (questions[_i].reason != NULL) {
        const char *reason = string_at(data, "reason");
        ck_assert_msg(strstr(reason, questions[_i].reason) == reason, "%s", reason);
        ck_assert_msg(logged(reason) == 1, "%s\n%s", reason, last_line());
        ck_assert(!true_at(data, "watched"));
    }
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* Granted, and yet the broker does not ask about it. */
static const struct {
    enum adu_action action;
    const char *topic, *reason;
} not_asked[] = {
    {ADU_PUBLISH, "$SYS", "pipeline: the broker itself refuses"},
    {ADU_PUBLISH, "$SYS/broker/uptime", "pipeline: the broker itself refuses"},
    {ADU_PUBLISH, "$SYS/broker/connection/a/b/state", "pipeline: the broker itself refuses"},
    {ADU_PUBLISH, "$SYS/broker/connection/norte/state", NULL},
};

START_TEST(explain_what_no_plugin_is_asked)
{
    ordering_open();
    json_t *data = explain("edge-linea1", not_asked[_i].action, not_asked[_i].topic);
    const char *wanted = not_asked[_i].reason;
    ck_assert_str_eq(string_at(data, "verdict"), wanted == NULL ? "allowed" : "refused");
    ck_assert(wanted == NULL || strstr(string_at(data, "reason"), wanted) != NULL);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(explain_names_what_is_only_watched)
{
    ordering_open();
    json_t *data = explain("edge-linea1", ADU_PUBLISH, "planta/linea1/mirado");
    ck_assert_str_eq(string_at(data, "verdict"), "allowed");
    ck_assert(true_at(data, "watched"));
    ck_assert_ptr_nonnull(strstr(string_at(data, "reason"), "acl: denied by"));
    ck_assert_str_eq(string_at(json_object_get(data, "rule"), "file"), "acl.json");
    ck_assert_int_eq(integer_at(json_object_get(data, "rule"), "line"), 1);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(explain_who_is_away_and_who_is_refused)
{
    ordering_open();
    plant_gone(&plant, &edge, false);
    json_t *data = explain("edge-linea1", ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_str_eq(string_at(data, "verdict"), "allowed");
    ck_assert(!true_at(data, "online"));
    json_decref(data);
    folder_write_json(&plant.policies, "cert_auth.json",
                      "{'identities': [{'name': 'service', 'match': {'cert.ou': 'servicio'},"
                      " 'username': '${cert.cn}'}, {'name': 'never', 'match': {'cert.ou': 'x'},"
                      " 'attributes': {'linea': {'from': 'cert.cn', 'pattern': 'x'}},"
                      " 'username': '${linea}'}]}");
    ck_assert_msg(plant_reload(&plant), "%s", last_line());
    data = explain("edge-linea1", ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_str_eq(string_at(data, "verdict"), "refused");
    ck_assert_ptr_nonnull(strstr(string_at(data, "reason"), "cert_auth: "));
    json_decref(data);
    ck_assert_ptr_nonnull(strstr(wrong(&jefe, "{'command': 'explain', 'client_id': 'edge-linea1',"
                                              "'username': 'otro', 'action': 'publish',"
                                              "'topic': 'a/b/c'}"),
                                 "no client is known by the id \"edge-linea1\" and that user"));
    plant_end(&plant);
}
END_TEST

/* What is asked about a client that is throttled. */
static const struct {
    const char *what, *topic;
    int qos, protocol;
    bool told; /* the broker asks again */
    const char *reason;
} excesses[] = {
    {"QoS 0", "planta/linea1/temperatura", 0, 4, false, "rate_monitor: it publishes or connects"},
    {"QoS 1", "planta/linea1/temperatura", 1, 5, true, "rate_monitor: it publishes or connects"},
    {"QoS 2", "planta/linea1/temperatura", 2, 5, true, "rate_monitor: it publishes or connects"},
    {"only watched", "planta/linea1/mirado", 1, 5, true, "rate_monitor: it publishes or connects"},
    {"not told", "planta/linea1/temperatura", 1, 5, false, NULL},
    {"MQTT 3.1.1", "planta/linea1/temperatura", 1, 4, true, NULL},
    {"it may not", "planta/linea1/consigna", 1, 5, true, "acl: denied by the rule"},
    {"it may not, not told", "planta/linea1/consigna", 1, 4, true, "acl: denied by the rule"},
    {"an order", "$CONTROL/other/v1", 1, 5, true, NULL},
    {"an order, dropped", "$CONTROL/other/v1", 0, 5, true,
     "rate_monitor: it publishes or connects"},
};

static enum adu_verdict publishes(const char *topic, int qos)
{
    const struct adu_question question = {.handle = &edge,
                                          .client_id = edge.client_id,
                                          .action = ADU_PUBLISH,
                                          .topic = topic,
                                          .qos = (uint8_t)qos};
    const enum adu_verdict verdict = adu_pipeline_decide(plant.p, &question, plant.now);
    return adu_pipeline_too_much(plant.p, &edge, topic) ? ADU_DENY : verdict;
}

/* edge is throttled since a moment ago. */
static void throttled_open(void)
{
    ordering_open();
    folder_write_json(
        &plant.policies, "rate_monitor.json",
        "{'classes': [{'name': 'gateways', 'match': {'role': 'edge'}, 'publish':"
        " {'max_per_second': 10, 'clear_seconds': 5}, 'actions': {'throttle': ['publish_rate']}}],"
        " 'alerts': {'topic': 'planta/_sys/alertas/${kind}/${client_id}'}}");
    ck_assert_msg(plant_reload(&plant), "%s", last_line());
    for (int i = 0; i < 20; i++) {
        publishes("planta/linea1/temperatura", 0);
    }
    plant_pass(&plant, 100);
    log_clear();
}

START_TEST(explain_who_is_throttled)
{
    throttled_open();
    edge.protocol = excesses[_i].protocol;
    if (excesses[_i].told) {
        adu_pipeline_asked_again(plant.p, true);
    }
    const struct adu_counters before = *plant_counters(&plant);
    json_t *data = explain_qos("edge-linea1", ADU_PUBLISH, excesses[_i].topic, excesses[_i].qos);
    struct adu_counters after = *plant_counters(&plant);
    after.control_commands = before.control_commands;
    after.receive_allowed = before.receive_allowed; /* the answer's own way */
    after.decisions_remembered = before.decisions_remembered;
    ck_assert_mem_eq(&before, &after, sizeof before);
    ck_assert_int_eq(logged(""), 0);
    const enum adu_verdict verdict = publishes(excesses[_i].topic, excesses[_i].qos);
    ck_assert_int_eq(verdict, excesses[_i].reason == NULL ? ADU_ALLOW : ADU_DENY);
    ck_assert_str_eq(string_at(data, "verdict"), verdict == ADU_ALLOW ? "allowed" : "refused");
    ck_assert(!true_at(data, "watched"));
    const char *reason = string_at(data, "reason");
    const char *expected = excesses[_i].reason != NULL ? excesses[_i].reason : "null";
    ck_assert_msg(strstr(reason, expected) == reason, "%s", reason);
    ck_assert_msg(excesses[_i].reason == NULL || logged(reason) == 1, "%s\n%s", reason,
                  last_line());
    json_decref(data);
    plant_end(&plant);
}
END_TEST

static void check_told(const char *topic, int qos, const char *verdict)
{
    json_t *data = explain_qos("edge-linea1", ADU_PUBLISH, topic, qos);
    ck_assert_str_eq(string_at(data, "verdict"), verdict);
    json_decref(data);
}

START_TEST(explain_who_was_throttled)
{
    throttled_open();
    edge.protocol = 5;
    adu_pipeline_asked_again(plant.p, true);
    check_told("planta/linea1/temperatura", 0, "refused");
    for (int i = 0; i < 100; i++) {
        plant_pass(&plant, 100);
    }
    check_told("planta/linea1/temperatura", 0, "allowed");
    check_told("planta/linea1/temperatura", 1, "allowed");
    plant_end(&plant);
}
END_TEST

/* It would be throttled if it came back now; by which protocol nobody knows. */
START_TEST(explain_who_is_throttled_and_away)
{
    throttled_open();
    edge.protocol = 5;
    adu_pipeline_asked_again(plant.p, true);
    plant_gone(&plant, &edge, false);
    check_told("planta/linea1/temperatura", 0, "refused");
    check_told("planta/linea1/temperatura", 1, "allowed");
    json_t *data = explain("edge-linea1", ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_str_eq(string_at(data, "verdict"), "allowed");
    json_decref(data);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    check_told("planta/linea1/temperatura", 1, "refused");
    ck_assert_int_eq(publishes("planta/linea1/temperatura", 0), ADU_DENY);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_commands");
    suite_add(suite, status_of_a_plant);
    suite_add(suite, status_says_why_metrics_are_not_served);
    suite_add(suite, status_names_what_is_watched_and_what_is_missing);
    suite_add(suite, reload_good_and_bad);
    suite_add(suite, reload_during_a_reload);
    suite_add(suite, reload_is_no_sighup);
    suite_add(suite, kick_waits_for_the_tick);
    suite_add(suite, kick_without_its_will);
    suite_add(suite, kick_of_one_that_went);
    suite_add(suite, kick_of_one_that_is_away);
    suite_add(suite, kick_in_a_broker_without_a_clock);
    suite_add(suite, kick_of_oneself_and_unloading);
    suite_add_rows(suite, explain_is_what_happens, ROWS(questions));
    suite_add_rows(suite, explain_what_no_plugin_is_asked, ROWS(not_asked));
    suite_add(suite, explain_names_what_is_only_watched);
    suite_add(suite, explain_who_is_away_and_who_is_refused);
    suite_add_rows(suite, explain_who_is_throttled, ROWS(excesses));
    suite_add(suite, explain_who_was_throttled);
    suite_add(suite, explain_who_is_throttled_and_away);
    return run_suite(suite);
}
