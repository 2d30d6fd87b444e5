/* What the plugins answer: only what this version of the broker understands, and once a question.
 */
#include "bundle.h"
#include "runner.h"
#include <pthread.h>
#include <string.h>
#include <time.h>

/* --- who may what --- */

START_TEST(a_login_and_its_rights)
{
    struct mosquitto good = scada(), bad = scada();
    bundle_start(_i);
    bad.id = "other";
    ck_assert_int_eq(fake_login(&bad, "scada", "wrong"), MOSQ_ERR_AUTH);
    ck_assert_int_eq(fake_login(&good, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_acl(&good, MOSQ_ACL_WRITE, "planta/linea1/consigna"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_acl(&good, MOSQ_ACL_WRITE, "otra/linea1/consigna"), MOSQ_ERR_ACL_DENIED);
    ck_assert_int_eq(fake_acl(&good, MOSQ_ACL_SUBSCRIBE, "planta/#"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_acl(&good, MOSQ_ACL_SUBSCRIBE, "#"), MOSQ_ERR_ACL_DENIED);
    ck_assert_int_eq(fake_acl(&good, MOSQ_ACL_UNSUBSCRIBE, "#"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_acl(&good, 0x40, "planta/linea1/consigna"), MOSQ_ERR_ACL_DENIED);
    ck_assert_int_eq(fake_acl(&bad, MOSQ_ACL_WRITE, "planta/linea1/consigna"), MOSQ_ERR_ACL_DENIED);
    bundle_stop();
}
END_TEST

/* Any other answer to READ disconnects whoever published the message. */
static const struct {
    const char *what;
    int set;    /* of plugins; the files of the others say "ignore" */
    int answer; /* to the message that the client's roles would let it have */
} readings[] = {
    {"all of them", ALL, MOSQ_ERR_SUCCESS},
    {"no acl: the broker's own access control decides", ALL & ~ACL, MOSQ_ERR_PLUGIN_DEFER},
    {"the broker authenticates", ALL & ~(CERT_AUTH | IAM_AUTH), MOSQ_ERR_SUCCESS},
    {"acl alone", ACL, MOSQ_ERR_SUCCESS},
    {"rate_monitor alone", RATE_MONITOR, MOSQ_ERR_PLUGIN_DEFER},
};

static void ask_to_read(const char *what, struct mosquitto *client)
{
    static const char *const topics[] = {
        "planta/linea1/x", "otra", "", "a//b", "planta/+/x", "\xff", "#", "$SYS/x", NULL};
    for (int i = 0; i < ROWS(topics); i++) {
        const int answer = fake_acl(client, MOSQ_ACL_READ, topics[i]);
        ck_assert_msg(answer == MOSQ_ERR_SUCCESS || answer == MOSQ_ERR_ACL_DENIED ||
                          answer == MOSQ_ERR_PLUGIN_DEFER,
                      "%s, client %s, topic %s: %d", what, client->id, topics[i], answer);
    }
}

START_TEST(answers_to_read_are_legal)
{
    struct mosquitto known = scada(), unknown = scada(), nameless = scada();
    struct mosquitto offline = {.id = "gone"};
    bundle_start_set(readings[_i].set);
    unknown.id = "never-seen";
    nameless.id = NULL;
    fake_login(&known, "scada", "otra-clave");
    ck_assert_msg(fake_acl(&known, MOSQ_ACL_READ, "planta/linea1/x") == readings[_i].answer,
                  "%s: %s", readings[_i].what, fake_last_line());
    ask_to_read(readings[_i].what, &known);
    ask_to_read(readings[_i].what, &unknown);
    ask_to_read(readings[_i].what, &nameless);
    ask_to_read(readings[_i].what, &offline);
    fake_gone(&known);
    ask_to_read("a connection that ended", &known);
    bundle_stop();
    /* And after the plugins have been unloaded, while the broker still delivers. */
    ck_assert_int_eq(fake_acl(&known, MOSQ_ACL_READ, "planta/linea1/x"), MOSQ_ERR_ACL_DENIED);
}
END_TEST

START_TEST(answers_to_read_while_everything_is_refused)
{
    struct mosquitto client = scada();
    bundle_open();
    for (int i = 0; i < PLUGINS; i++) {
        if (i != _i) {
            bundle_start_one(i);
        }
    }
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_AUTH);
    ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_READ, "planta/linea1/x"), MOSQ_ERR_ACL_DENIED);
    ck_assert_int_ge(fake_logged("everything is refused: "), 1);
    bundle_stop();
}
END_TEST

/* --- one question, however many callbacks the version asks --- */

/* Without acl every answer is DEFER, so 2.1 asks the callback of each plugin in turn. */
START_TEST(a_question_is_judged_once)
{
    struct mosquitto client = scada();
    bundle_start_set(ALL & ~ACL);
    folder_write_json(&policies, "topic_policy.json", "{'mode': 'watch', 'depth': {'min': 3}}");
    bundle_reload("policy generation 2 loaded");
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    for (int i = 1; i <= 3; i++) { /* and the same question again is another one */
        ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "planta"), MOSQ_ERR_PLUGIN_DEFER);
        ck_assert_int_eq(fake_logged("would refuse publish client=\"hmi\""), i);
    }
    bundle_stop();
}
END_TEST

/* Told of its end twice, an offline session would end, and its client id be free for others. */
START_TEST(an_end_is_told_once)
{
    struct mosquitto first = scada(), other = scada();
    bundle_start(0);
    first.clean = false;
    ck_assert_int_eq(fake_login(&first, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    fake_gone(&first);
    ck_assert_int_eq(fake_login(&other, "tablero", "pass"), MOSQ_ERR_AUTH);
    fake_gone(&other);
    ck_assert_int_eq(fake_acl(&first, MOSQ_ACL_READ, "planta/linea1/x"), MOSQ_ERR_SUCCESS);
    first.clean = true; /* its session expires */
    fake_gone(&first);
    ck_assert_int_eq(fake_login(&other, "tablero", "pass"), MOSQ_ERR_SUCCESS);
    bundle_stop();
}
END_TEST

START_TEST(a_broker_that_authenticates_itself)
{
    struct mosquitto client = scada();
    bundle_start_set(ALL & ~(CERT_AUTH | IAM_AUTH));
    ck_assert_int_eq(fake_login(&client, "scada", "its own"), MOSQ_ERR_PLUGIN_DEFER);
    ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "planta/linea1/x"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "otra/linea1/x"), MOSQ_ERR_ACL_DENIED);
    bundle_stop();
}
END_TEST

START_TEST(a_reload_loads_once)
{
    bundle_start(_i);
    for (int generation = 2; generation <= 4; generation++) {
        char line[64];
        snprintf(line, sizeof line, "policy generation %d loaded", generation);
        bundle_reload(line);
        ck_assert_int_eq(fake_logged("aduana: policy generation "), generation - 1);
    }
    bundle_stop();
}
END_TEST

/* 2.0 would drop acl_file and password_file at SUCCESS; 2.1 ends at anything else. */
START_TEST(the_answer_to_reload)
{
    bundle_start(0);
    ck_assert_int_eq(fake_reload(), IS_2_1 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER);
    bundle_stop();
}
END_TEST

static void *ask_from_elsewhere(void *context)
{
    struct mosquitto *client = context;
    static int answers[3];
    answers[0] = fake_login(client, "scada", "otra-clave");
    answers[1] = fake_acl(client, MOSQ_ACL_READ, "planta/linea1/x");
    answers[2] = fake_acl(client, MOSQ_ACL_WRITE, "planta/linea1/x");
    return answers;
}

/* 2.1's http_api asks from a thread of its own. */
START_TEST(another_thread_gets_nothing)
{
    struct mosquitto client = scada();
    pthread_t thread;
    void *result;
    bundle_start(0);
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_from_elsewhere, &client), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    const int *answers = result;
    ck_assert_int_eq(answers[0], MOSQ_ERR_AUTH);
    ck_assert_int_eq(answers[1], MOSQ_ERR_ACL_DENIED);
    ck_assert_int_eq(answers[2], MOSQ_ERR_ACL_DENIED);
    bundle_stop();
}
END_TEST

/* --- too much --- */

#define THROTTLING                                                                                 \
    "{'classes': [{'name': 'todos', 'match': {}, 'publish': {'max_per_second': 10, "               \
    "'clear_seconds': 3600}, 'actions': {'throttle': ['publish_rate']}}], "                        \
    "'alerts': {'topic': 'planta/_sys/alertas/${kind}/${client_id}'}}"

static char topic[] = "planta/linea1/x";

/* Floods the broker, and ticks until QoS 0 of it is dropped. */
static void flood(struct mosquitto *client)
{
    const struct timespec turn = {.tv_nsec = 1000000};
    struct mosquitto_evt_tick tick = {0};
    for (int i = 0; i < 100; i++) {
        fake_publish(client, 0, topic);
    }
    for (int i = 0; i < TEST_SECONDS * 500 && fake_publish(client, 0, topic) == MOSQ_ERR_SUCCESS;
         i++) {
        fake_tell(MOSQ_EVT_TICK, &tick);
        nanosleep(&turn, NULL);
    }
    ck_assert_int_eq(fake_publish(client, 0, topic), MOSQ_ERR_ACL_DENIED);
}

/* 2.0 would end the connection for an answer that 2.1 passes on to clients of MQTT 5. */
START_TEST(too_much)
{
    struct mosquitto client = scada();
    bundle_start(_i);
    folder_write_json(&policies, "rate_monitor.json", THROTTLING);
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_MESSAGE), 0);
    bundle_reload("policy generation 2 loaded");
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    flood(&client);
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_MESSAGE), IS_2_1 ? 1 : 0);
    for (client.protocol = 3; client.protocol <= 5; client.protocol++) {
        const int answer = IS_2_1 && client.protocol == 5 ? QUOTA_EXCEEDED : MOSQ_ERR_SUCCESS;
        ck_assert_int_eq(fake_publish(&client, 1, topic), answer);
        ck_assert_int_eq(fake_publish(&client, 2, topic), answer);
    }
    client.protocol = 5;
    folder_copy(&policies, ADU_TEST_DATA "/policies/planta");
    bundle_reload("policy generation 3 loaded");
    fake_tell(MOSQ_EVT_TICK, &(struct mosquitto_evt_tick){0}); /* that of whichever plugin */
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_MESSAGE), 0);
    ck_assert_int_eq(fake_publish(&client, 1, topic), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_publish(&client, 0, topic), MOSQ_ERR_SUCCESS);
    bundle_stop();
}
END_TEST

#ifdef FAKE_2_1
START_TEST(no_room_for_the_callback)
{
    struct mosquitto client = scada();
    client.protocol = 5;
    bundle_start(0);
    folder_write_json(&policies, "rate_monitor.json", THROTTLING);
    fake_refuse_event(MOSQ_EVT_MESSAGE);
    bundle_reload("policy generation 2 loaded");
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    flood(&client);
    ck_assert_int_eq(fake_logged("does not take a callback for each message"), 1);
    ck_assert_int_eq(fake_publish(&client, 1, topic), MOSQ_ERR_SUCCESS);
    bundle_stop();
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create(IS_2_1 ? "plugin answers in 2.1" : "plugin answers in 2.0");
    suite_add_rows(suite, a_login_and_its_rights, PLUGINS);
    suite_add_rows(suite, answers_to_read_are_legal, ROWS(readings));
    suite_add_rows(suite, answers_to_read_while_everything_is_refused, PLUGINS);
    suite_add(suite, a_question_is_judged_once);
    suite_add(suite, an_end_is_told_once);
    suite_add(suite, a_broker_that_authenticates_itself);
    suite_add_rows(suite, a_reload_loads_once, PLUGINS);
    suite_add(suite, the_answer_to_reload);
    suite_add(suite, another_thread_gets_nothing);
    suite_add_rows(suite, too_much, PLUGINS);
#ifdef FAKE_2_1
    suite_add(suite, no_room_for_the_callback);
#endif
    return run_suite(suite);
}
