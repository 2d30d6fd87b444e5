/* The .so files as a broker meets them: what they export, what they refuse to start with, what they
 * register for, and that they come and go in any order. */
#include "bundle.h"
#include "permutation.h"
#include "runner.h"
#include <string.h>

enum { ORDERS = 120 }; /* of five */

/* What they register for everywhere; 2.1 has CLIENT_OFFLINE too. */
static const int events[] = {MOSQ_EVT_BASIC_AUTH, MOSQ_EVT_ACL_CHECK, MOSQ_EVT_DISCONNECT,
                             MOSQ_EVT_RELOAD,     MOSQ_EVT_TICK,      MOSQ_EVT_CONTROL};

/* --- what they are --- */

START_TEST(only_the_entry_points_are_exported)
{
    static const char *const entries[] = {"T mosquitto_plugin_version\n",
                                          "T mosquitto_plugin_init\n",
                                          "T mosquitto_plugin_cleanup\n"};
    char command[1024], line[512];
    snprintf(command, sizeof command, "nm -D --defined-only %s/aduana_%s.so", ADU_PLUGIN_DIR,
             plugin_names[_i]);
    FILE *nm = popen(command, "r");
    int found = 0;
    ck_assert_ptr_nonnull(nm);
    while (fgets(line, sizeof line, nm) != NULL) {
        int entry = 0;
        while (entry < ROWS(entries) && strstr(line, entries[entry]) == NULL) {
            entry++;
        }
        ck_assert_msg(entry < ROWS(entries) || strstr(line, "__asan") != NULL, "%s", line);
        found += entry < ROWS(entries);
    }
    ck_assert_int_eq(pclose(nm), 0);
    ck_assert_int_eq(found, ROWS(entries));
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
    bundle_open();
    for (int i = 0; i < PLUGINS; i++) {
        ck_assert_int_eq(plugins[i].version(4, all), 5);
        ck_assert_int_lt(plugins[i].version(3, old), 0);
    }
    bundle_stop();
}
END_TEST

/* --- what they refuse to start with --- */

static const struct {
    const char *key, *value, *line;
} options[] = {
    {NULL, NULL, "plugin_opt_policy_dir is missing"},
    {"policy_dir", "policies",
     "plugin_opt_policy_dir is \"policies\"; name the folder from the root"},
    {"policy_dir", "", "plugin_opt_policy_dir is \"\"; name the folder from the root"},
    {"policy_dir", "/dev/null", "/dev/null"},
    {"policy_dir", "/no/such/folder", "/no/such/folder"},
    {"policydir", "/etc", "unknown option plugin_opt_policydir"},
    {"state_dir", "/tmp", "plugin_opt_policy_dir is missing"},
    {"state_dir", "state", "plugin_opt_state_dir is \"state\"; name the folder from the root"},
};

START_TEST(options_that_refuse_the_start)
{
    bundle_open();
    for (int i = 0; i < PLUGINS; i++) {
        char begin[128];
        ck_assert_int_ne(fake_init(&plugins[i], options[_i].key, options[_i].value),
                         MOSQ_ERR_SUCCESS);
        snprintf(begin, sizeof begin, "aduana: aduana_%s.so refuses to start: ", plugin_names[i]);
        ck_assert_msg(strncmp(fake_last_line(), begin, strlen(begin)) == 0, "%s", fake_last_line());
        ck_assert_msg(strstr(fake_last_line(), options[_i].line) != NULL, "%s", fake_last_line());
        ck_assert_int_eq(fake_logged("refuses to start"), i + 1); /* once is enough */
        ck_assert_ptr_null(plugins[i].user_data);
    }
    ck_assert_int_eq(fake_registrations(MOSQ_EVT_ACL_CHECK), 0);
    bundle_stop();
}
END_TEST

/* What was registered before stays, and its answer must be no. */
START_TEST(a_broker_that_does_not_take_a_callback)
{
    struct mosquitto client = scada();
    bundle_open();
    fake_refuse_event(events[_i]);
    ck_assert_int_ne(fake_init(&plugins[0], "policy_dir", policies.path), MOSQ_ERR_SUCCESS);
    ck_assert_int_eq(fake_logged("the broker does not take its callbacks"), 1);
    ck_assert_ptr_null(plugins[0].user_data);
    if (fake_registrations(MOSQ_EVT_BASIC_AUTH) > 0) {
        ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_AUTH);
    }
    if (fake_registrations(MOSQ_EVT_ACL_CHECK) > 0) {
        ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "planta/linea1/x"), MOSQ_ERR_ACL_DENIED);
    }
    fake_gone(&client);
    fake_tell(MOSQ_EVT_TICK, &(struct mosquitto_evt_tick){0});
    bundle_stop();
}
END_TEST

/* --- what they register for --- */

/* How often an event is registered for by that many plugins. */
static void check_registrations(int loaded)
{
    const int each = IS_2_1 ? loaded : 1;
    for (int event = 0; event < EVENTS; event++) {
        int meant = event == EVENT_OFFLINE && IS_2_1;
        for (int i = 0; i < ROWS(events); i++) {
            meant |= event == events[i];
        }
        /* Taking EXT_AUTH without an answer for it would let MQTT 5 clients in, or end them. */
        const int meant_each = event == MOSQ_EVT_CONTROL ? 1 : each; /* one a topic */
        ck_assert_int_eq(fake_registrations(event), meant ? meant_each : 0);
    }
}

START_TEST(events_they_register_for)
{
    bundle_start(_i);
    check_registrations(PLUGINS);
    bundle_stop();
}
END_TEST

START_TEST(any_number_of_them_registers_once)
{
    const int set = _i + 1;
    bundle_start_set(set);
    check_registrations(__builtin_popcount((unsigned)set));
    bundle_stop();
}
END_TEST

/* --- coming and going --- */

START_TEST(unloaded_in_any_order_and_loaded_again)
{
    int order[PLUGINS];
    permutation(_i, PLUGINS, order);
    for (int round = 0; round < 2; round++) {
        struct mosquitto client = scada();
        bundle_start(_i % PLUGINS);
        ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_SUCCESS);
        for (int i = 0; i < PLUGINS; i++) {
            ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "planta/linea1/x"),
                             MOSQ_ERR_SUCCESS);
            ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "otra/linea1/x"),
                             MOSQ_ERR_ACL_DENIED);
            fake_cleanup(&plugins[order[i]]);
        }
        ck_assert_int_eq(fake_acl(&client, MOSQ_ACL_WRITE, "planta/linea1/x"), MOSQ_ERR_ACL_DENIED);
        ck_assert_int_eq(fake_login(&client, "scada", "otra-clave"), MOSQ_ERR_AUTH);
        bundle_stop();
    }
}
END_TEST

/* The broker unloads what it has loaded when one plugin refuses. */
START_TEST(one_that_refuses_ends_the_others_well)
{
    char file[64];
    bundle_open();
    snprintf(file, sizeof file, "%s.json", plugin_names[_i]);
    for (int i = 0; i < PLUGINS; i++) {
        if (i != _i) {
            ck_assert_int_eq(fake_init(&plugins[i], "policy_dir", policies.path), MOSQ_ERR_SUCCESS);
        }
    }
    folder_write(&policies, file, "{\"nope\": 1}");
    ck_assert_int_ne(fake_init(&plugins[_i], "policy_dir", policies.path), MOSQ_ERR_SUCCESS);
    ck_assert_msg(strstr(fake_last_line(), file) != NULL, "%s", fake_last_line());
    bundle_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create(IS_2_1 ? "plugins in 2.1" : "plugins in 2.0");
    suite_add_rows(suite, only_the_entry_points_are_exported, PLUGINS);
    suite_add_rows(suite, the_core_knows_no_broker, PLUGINS);
    suite_add(suite, they_speak_version_five);
    suite_add_rows(suite, options_that_refuse_the_start, ROWS(options));
    suite_add_rows(suite, a_broker_that_does_not_take_a_callback, ROWS(events));
    suite_add_rows(suite, events_they_register_for, PLUGINS);
    suite_add_rows(suite, any_number_of_them_registers_once, ALL);
    suite_add_rows(suite, unloaded_in_any_order_and_loaded_again, ORDERS);
    suite_add_rows(suite, one_that_refuses_ends_the_others_well, PLUGINS);
    return run_suite(suite);
}
