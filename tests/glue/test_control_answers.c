/* The control topic in a broker: whatever comes, nobody is disconnected, and the answer goes to
 * whoever asked. */
#include "bundle.h"
#include "runner.h"
#include <pthread.h>
#include <string.h>
#include <time.h>

#define TOPIC  "$CONTROL/aduana/v1"
#define STATUS "{\"commands\":[{\"command\":\"status\"}]}"

/* scada may give orders. `first` is the plugin line that comes first. */
static void start(int first)
{
    bundle_open();
    folder_write_json(&policies, "acl.json",
                      "{'roles': {'edge': {'allow': [{'publish': ['planta/${linea}/+']}]},"
                      " 'operador': {'allow': [{'publish': ['$CONTROL/aduana/v1'],"
                      "                         'subscribe': ['$CONTROL/aduana/v1/response']}]}},"
                      " 'bindings': [{'match': {'username': 'scada'}, 'roles': ['operador']}]}");
    folder_write_json(&policies, "topic_policy.json", "{'exempt': ['$CONTROL/#']}");
    for (int i = 0; i < PLUGINS; i++) {
        bundle_start_one((first + i) % PLUGINS);
    }
}

START_TEST(answered_in_any_order_of_plugin_lines)
{
    start(_i);
    struct mosquitto client = scada();
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_control(&client, TOPIC, STATUS), MOSQ_ERR_SUCCESS);
    const char begin[] = "hmi $CONTROL/aduana/v1/response {\"responses\":[{\"command\":\"status\","
                         "\"data\":{";
    ck_assert_msg(strncmp(fake_told(), begin, sizeof begin - 1) == 0, "%s", fake_told());
    bundle_stop();
}
END_TEST

static const char *const payloads[] = {"",
                                       "{",
                                       "null",
                                       "{\"commands\":[]}",
                                       "\xff",
                                       "[[[[[[",
                                       "{\"commands\":[{\"command\":\"x\"}]}",
                                       "\"\"\"",
                                       "0",
                                       "{\"commands\":[{\"command\":\"kick\"}]}"};

/* Any other result than SUCCESS would disconnect the client. */
START_TEST(no_payload_disconnects)
{
    start(0);
    struct mosquitto client = scada();
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_control(&client, TOPIC, payloads[_i]), MOSQ_ERR_SUCCESS);
    ck_assert_msg(strstr(fake_told(), "\"error\":") != NULL, "%s", fake_told());
    bundle_stop();
}
END_TEST

/* The broker asks nobody about what a bridge of its own brings. */
START_TEST(who_never_logged_in_is_told_nothing)
{
    struct mosquitto bridge = {.id = "puente", .address = "192.0.2.66"};
    struct mosquitto nameless = {.address = "192.0.2.66"};
    start(0);
    ck_assert_int_eq(fake_control_unasked(&bridge, TOPIC, STATUS), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_control_unasked(&nameless, TOPIC, STATUS), MOSQ_ERR_SUCCESS);
    ck_assert_str_eq(fake_told(), "");
    ck_assert_int_eq(fake_logged("refused control client=\"puente\""), 1);
    bundle_stop();
}
END_TEST

START_TEST(kick_by_the_tick)
{
    struct mosquitto_evt_tick tick = {0};
    start(0);
    fake_tell(MOSQ_EVT_TICK, &tick);
    struct mosquitto client = scada();
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_control(&client, TOPIC,
                                  "{\"commands\":[{\"command\":\"kick\",\"client_id\":\"hmi\"}]}"),
                     MOSQ_ERR_SUCCESS);
    ck_assert_str_eq(fake_kicked(), "");
    for (int i = 0; i < 1000 && fake_kicked()[0] == '\0'; i++) { /* not every tick is used */
        fake_tell(MOSQ_EVT_TICK, &tick);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_str_eq(fake_kicked(), "hmi");
    bundle_stop();
}
END_TEST

static void *order_on_thread(void *client)
{
    ck_assert_int_eq(fake_control_unasked(client, TOPIC, STATUS), MOSQ_ERR_SUCCESS);
    return NULL;
}

START_TEST(nothing_is_done_on_another_thread)
{
    pthread_t thread;
    start(0);
    struct mosquitto client = scada();
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(pthread_create(&thread, NULL, order_on_thread, &client), 0);
    pthread_join(thread, NULL);
    ck_assert_str_eq(fake_told(), "");
    bundle_stop();
}
END_TEST

START_TEST(nothing_is_done_after_unloading)
{
    start(0);
    struct mosquitto client = scada();
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    bundle_stop();
    ck_assert_int_eq(fake_control_unasked(&client, TOPIC, STATUS), MOSQ_ERR_SUCCESS);
    ck_assert_str_eq(fake_told(), "");
}
END_TEST

/* A broker may be built without control: then there are no orders. */
START_TEST(a_broker_without_control)
{
    bundle_open();
    fake_without_control();
    for (int i = 0; i < PLUGINS; i++) {
        bundle_start_one(i);
    }
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_CONTROL), 0);
    bundle_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create(IS_2_1 ? "control answers in 2.1" : "control answers in 2.0");
    suite_add_rows(suite, answered_in_any_order_of_plugin_lines, PLUGINS);
    suite_add_rows(suite, no_payload_disconnects, ROWS(payloads));
    suite_add(suite, who_never_logged_in_is_told_nothing);
    suite_add(suite, kick_by_the_tick);
    suite_add(suite, nothing_is_done_on_another_thread);
    suite_add(suite, nothing_is_done_after_unloading);
    suite_add(suite, a_broker_without_control);
    return run_suite(suite);
}
