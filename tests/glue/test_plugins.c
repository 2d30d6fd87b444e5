/* The .so files as a broker meets them: what they export, what they refuse to start with, and that
 * each answer is one that this version of the broker understands. */
#include "fake_broker.h"
#include "folder.h"
#include "runner.h"
#include <pthread.h>
#include <string.h>

static struct loaded plugins[PLUGINS];
static struct folder policies;

static void open_all(void)
{
    fake_reset();
    folder_make(&policies);
    folder_copy(&policies, ADU_TEST_DATA "/policies/planta");
    for (int i = 0; i < PLUGINS; i++) {
        fake_open(&plugins[i], plugin_names[i]);
    }
}

/* The plugin lines in an order that begins with number `first`. */
static void start_all(int first)
{
    open_all();
    for (int i = 0; i < PLUGINS; i++) {
        struct loaded *plugin = &plugins[(first + i) % PLUGINS];
        ck_assert_msg(fake_init(plugin, "policy_dir", policies.path) == MOSQ_ERR_SUCCESS, "%s",
                      fake_last_line());
    }
}

static void stop_all(void)
{
    for (int i = 0; i < PLUGINS; i++) {
        if (plugins[i].user_data != NULL) {
            fake_cleanup(&plugins[i]);
        }
    }
    folder_remove(&policies);
}

static struct mosquitto scada(void)
{
    return (struct mosquitto){.id = "hmi", .address = "192.0.2.1", .clean = true};
}

/* --- what they are --- */

START_TEST(only_the_entry_points_are_exported)
{
    char command[1024], line[512];
    snprintf(command, sizeof command, "nm -D --defined-only %s/aduana_%s.so", ADU_PLUGIN_DIR,
             plugin_names[_i]);
    FILE *nm = popen(command, "r");
    int symbols = 0;
    ck_assert_ptr_nonnull(nm);
    while (fgets(line, sizeof line, nm) != NULL) {
        ck_assert_msg(strstr(line, " mosquitto_plugin_") != NULL || strstr(line, "asan") != NULL,
                      "%s", line);
        symbols++;
    }
    ck_assert_int_eq(pclose(nm), 0);
    ck_assert_int_ge(symbols, 3);
}
END_TEST

START_TEST(the_core_knows_no_broker)
{
    char command[1024], line[512];
    snprintf(command, sizeof command, "find %s/CMakeFiles/%s_core.dir -name '*.o' | xargs nm -u",
             ADU_BUILD_DIR, plugin_names[_i]);
    FILE *nm = popen(command, "r");
    int symbols = 0;
    ck_assert_ptr_nonnull(nm);
    while (fgets(line, sizeof line, nm) != NULL) {
        ck_assert_msg(strstr(line, " mosquitto_") == NULL, "%s", line);
        symbols++;
    }
    ck_assert_int_eq(pclose(nm), 0);
    ck_assert_int_gt(symbols, 5);
}
END_TEST

START_TEST(they_speak_version_five)
{
    const int old[] = {2, 3, 4}, all[] = {5, 4, 3, 2};
    open_all();
    for (int i = 0; i < PLUGINS; i++) {
        ck_assert_int_eq(plugins[i].version(4, all), 5);
        ck_assert_int_lt(plugins[i].version(3, old), 0);
    }
    stop_all();
}
END_TEST

/* --- what they refuse to start with --- */

static const struct {
    const char *key, *value, *line;
} options[] = {
    {NULL, NULL, "plugin_opt_policy_dir is missing"},
    {"policy_dir", "policies", "name the folder from the root"},
    {"policy_dir", "/no/such/folder", "/no/such/folder"},
    {"policydir", "/etc", "unknown option plugin_opt_policydir"},
    {"state_dir", "/tmp", "plugin_opt_policy_dir is missing"},
};

START_TEST(options_that_refuse_the_start)
{
    open_all();
    for (int i = 0; i < PLUGINS; i++) {
        char begin[128];
        ck_assert_int_ne(fake_init(&plugins[i], options[_i].key, options[_i].value),
                         MOSQ_ERR_SUCCESS);
        snprintf(begin, sizeof begin, "aduana: aduana_%s.so refuses to start: ", plugin_names[i]);
        ck_assert_msg(strncmp(fake_last_line(), begin, strlen(begin)) == 0, "%s", fake_last_line());
        ck_assert_msg(strstr(fake_last_line(), options[_i].line) != NULL, "%s", fake_last_line());
        ck_assert_ptr_null(plugins[i].user_data);
    }
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_ACL_CHECK), 0);
    stop_all();
}
END_TEST

START_TEST(a_broker_that_takes_no_callback)
{
    open_all();
    fake_refuse_callbacks(MOSQ_ERR_NOMEM);
    ck_assert_int_ne(fake_init(&plugins[0], "policy_dir", policies.path), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_logged("the broker does not take its callbacks"), 1);
    stop_all();
}
END_TEST

/* --- what they answer --- */

START_TEST(events_they_register_for)
{
    start_all(_i);
    const int each = IS_2_1 ? PLUGINS : 1;
    const int events[] = {MOSQ_EVT_BASIC_AUTH, MOSQ_EVT_ACL_CHECK, MOSQ_EVT_DISCONNECT,
                          MOSQ_EVT_RELOAD, MOSQ_EVT_TICK};
    for (int i = 0; i < ROWS(events); i++) {
        ck_assert_int_eq(fake_registrations(events[i]), each);
    }
    ck_assert_int_eq(fake_registrations(EVENT_OFFLINE), IS_2_1 ? PLUGINS : 0);
    /* Taking one without an answer for it would let MQTT 5 clients in, or end them. */
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_EXT_AUTH_START), 0);
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_MESSAGE), 0);
    stop_all();
}
END_TEST

START_TEST(a_login_and_its_rights)
{
    struct mosquitto good = scada(), bad = scada();
    start_all(_i);
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
    stop_all();
}
END_TEST

/* Any other answer to READ disconnects whoever published the message. */
START_TEST(answers_to_read_are_legal)
{
    static const char *const topics[] = {"planta/linea1/x", "otra", "",      "a//b",
                                         "planta/+/x",      "\xff", "$SYS/x"};
    struct mosquitto known = scada(), unknown = scada(), offline = {.id = "gone"};
    struct mosquitto *const clients[] = {&known, &unknown, &offline};
    start_all(0);
    unknown.id = "never-seen";
    ck_assert_int_eq(fake_login(&known, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    for (int t = 0; t < ROWS(topics); t++) {
        for (int c = 0; c < ROWS(clients); c++) {
            const int answer = fake_acl(clients[c], MOSQ_ACL_READ, topics[t]);
            ck_assert_msg(answer == MOSQ_ERR_SUCCESS || answer == MOSQ_ERR_ACL_DENIED, "%d",
                          answer);
        }
    }
    stop_all();
    /* And after the plugins have been unloaded, while the broker still delivers. */
    ck_assert_int_eq(fake_acl(&known, MOSQ_ACL_READ, "planta/linea1/x"), MOSQ_ERR_ACL_DENIED);
}
END_TEST

/* 2.0 would drop acl_file and password_file at SUCCESS; 2.1 ends at anything else. */
START_TEST(the_answer_to_reload)
{
    start_all(0);
    ck_assert_int_eq(fake_reload(), IS_2_1 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER);
    stop_all();
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
    start_all(0);
    ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_from_elsewhere, &client), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    const int *answers = result;
    ck_assert_int_eq(answers[0], MOSQ_ERR_AUTH);
    ck_assert_int_eq(answers[1], MOSQ_ERR_ACL_DENIED);
    ck_assert_int_eq(answers[2], MOSQ_ERR_ACL_DENIED);
    stop_all();
}
END_TEST

/* --- coming and going --- */

START_TEST(unloaded_in_any_order_and_loaded_again)
{
    for (int round = 0; round < 2; round++) {
        struct mosquitto client = scada();
        start_all(_i);
        ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
        for (int i = 0; i < PLUGINS; i++) {
            fake_cleanup(&plugins[(_i * 2 + i) % PLUGINS]);
        }
        ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "planta/linea1/x"), MOSQ_ERR_ACL_DENIED);
        ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_AUTH);
        stop_all();
    }
}
END_TEST

/* The broker unloads what it has loaded when one plugin refuses. */
START_TEST(one_that_refuses_ends_the_others_well)
{
    char file[64];
    open_all();
    snprintf(file, sizeof file, "%s.json", plugin_names[_i]);
    for (int i = 0; i < PLUGINS; i++) {
        if (i != _i) {
            ck_assert_int_eq(fake_init(&plugins[i], "policy_dir", policies.path), MOSQ_ERR_SUCCESS);
        }
    }
    folder_write(&policies, file, "{\"nope\": 1}");
    ck_assert_int_ne(fake_init(&plugins[_i], "policy_dir", policies.path), MOSQ_ERR_SUCCESS);
    ck_assert_msg(strstr(fake_last_line(), file) != NULL, "%s", fake_last_line());
    stop_all();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create(IS_2_1 ? "plugins in 2.1" : "plugins in 2.0");
    suite_add_rows(suite, only_the_entry_points_are_exported, PLUGINS);
    suite_add_rows(suite, the_core_knows_no_broker, PLUGINS);
    suite_add(suite, they_speak_version_five);
    suite_add_rows(suite, options_that_refuse_the_start, ROWS(options));
    suite_add(suite, a_broker_that_takes_no_callback);
    suite_add_rows(suite, events_they_register_for, PLUGINS);
    suite_add_rows(suite, a_login_and_its_rights, PLUGINS);
    suite_add(suite, answers_to_read_are_legal);
    suite_add(suite, the_answer_to_reload);
    suite_add(suite, another_thread_gets_nothing);
    suite_add_rows(suite, unloaded_in_any_order_and_loaded_again, PLUGINS);
    suite_add_rows(suite, one_that_refuses_ends_the_others_well, PLUGINS);
    return run_suite(suite);
}
