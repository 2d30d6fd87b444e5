/* The control topic: who may give orders, what is no order, and how many are answered. */
#include "ordering.h"
#include <string.h>

/* --- who may ------------------------------------------------------------------------------------
 */

#define STATUS "{'commands': [{'command': 'status'}]}"

static const struct {
    const char *certificate, *log;
    bool answered;
} askers[] = {
    {SERVICE("jefe"), NULL, true},
    {SERVICE("mudo"),
     "refused receive client=\"x\" username=\"mudo\" address=192.0.2.9 "
     "topic=\"$CONTROL/aduana/v1/response\"",
     false},
    {SERVICE("nadie"),
     "refused control client=\"x\" username=\"nadie\" address=192.0.2.9: acl: ", false},
    {SERVICE("todo"), "refused control client=\"x\" username=\"todo\" address=192.0.2.9: acl: ",
     false}, /* `#` is not $CONTROL */
};

START_TEST(who_may)
{
    struct connection c = service_of("x", askers[_i].certificate);
    ordering_open();
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ALLOW);
    json_t *reply = order(&c, STATUS);
    ck_assert_int_eq(reply != NULL, askers[_i].answered);
    json_decref(reply);
    if (askers[_i].log != NULL) {
        ck_assert_msg(logged(askers[_i].log) == 1, "%s", last_line());
    }
    plant_end(&plant);
}
END_TEST

/* Whoever has no log-in here: a bridge's remote broker, or an earlier connection. */
START_TEST(strangers_may_not)
{
    struct connection bridge = {.client_id = "puente", .address = "192.0.2.66"};
    ordering_open();
    ck_assert_ptr_null(order(&bridge, STATUS));
    ck_assert_msg(logged("refused control client=\"puente\" username=- address=192.0.2.66: whoever "
                         "sent it has not logged in here") == 1,
                  "%s", last_line());
    plant_gone(&plant, &jefe, false);
    ck_assert_ptr_null(order(&jefe, STATUS));
    ck_assert_uint_eq(plant_counters(&plant)->control_refused, 2);
    ck_assert_uint_eq(plant_counters(&plant)->control_commands, 0);
    plant_end(&plant);
}
END_TEST

/* What watch mode lets through is no grant. */
START_TEST(watch_mode_gives_no_rights)
{
    struct connection nobody = service_of("x", SERVICE("nadie"));
    ordering_prepare();
    char *acl = json_of(ordering_acl), *watched = malloc(strlen(acl) + 64);
    sprintf(watched, "{\"mode\": \"watch\", %s", acl + 1);
    folder_write(&plant.policies, "acl.json", watched);
    free(watched);
    free(acl);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &nobody), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &nobody, ADU_PUBLISH, ADU_CONTROL_TOPIC), ADU_ALLOW);
    ck_assert_msg(strstr(wrong(&nobody, "{'command': 'reload'}"), "acl: the client has no roles") !=
                      NULL,
                  "%s", last_line());
    ck_assert_int_eq(logged("reload asked for"), 0);
    json_decref(told(&jefe, "{'command': 'status'}"));
    plant_end(&plant);
}
END_TEST

/* With permissions left to the broker's acl_file nobody has a role. */
START_TEST(without_acl_nobody_may)
{
    ordering_prepare();
    folder_write_json(&plant.policies, "acl.json", "{'if_not_loaded': 'ignore'}");
    folder_write_json(&plant.policies, "topic_policy.json", "{'mode': 'watch'}");
    for (int kind = 0; kind < ADU_STAGE_ACL; kind++) {
        struct adu_error error = {0};
        ck_assert_msg(plant_attach(&plant, (enum adu_stage_kind)kind, &error), "%s", error.text);
    }
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    ck_assert_ptr_null(order(&jefe, STATUS));
    ck_assert_int_eq(logged("orders need a role of acl.json, which is not loaded"), 1);
    ck_assert_ptr_null(strstr(last_line(), "upper-case")); /* watched: not the reason */
    ck_assert_ptr_null(strstr(last_line(), "right would be"));
    ck_assert_ptr_null(strstr(last_line(), "topic_policy"));
    plant_end(&plant);
}
END_TEST

/* The answer is sent by client id in the broker's next turn: until then nobody else gets it. */
START_TEST(the_answer_is_for_the_asker)
{
    struct connection thief = service_of("consola", SERVICE("mudo"));
    ordering_open();
    json_decref(told(&jefe, "{'command': 'status'}"));
    plant_gone(&plant, &jefe, true);
    ck_assert_int_eq(plant_login(&plant, &thief), ADU_DENY);
    plant_pass(&plant, 100);
    ck_assert_int_eq(plant_login(&plant, &thief), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

/* --- what is no order ---------------------------------------------------------------------------
 */

static const struct {
    const char *message, *error;
} messages[] = {
    {"", "message:1:1: not valid JSON: "},
    {"reload", "not valid JSON"},
    {"{'commands': [{'command': 'status'}]", "not valid JSON"},
    {"{'commands': [{'command': 'status'}]} x", "not valid JSON"},
    {"{'commands': [{'command': 'status'}], 'commands': []}", "duplicate object key"},
    {"\xef\xbb\xbf{}", "byte order mark"},
    {"{'commands': ['\xff']}", "not valid JSON"},
    {"{'commands': ['a\\u0000b']}", "not valid JSON"},
    {"[]", "message:1:1: expected an object, found an array"},
    {"null", "not valid JSON"},
    {"{}", "the key \"commands\" is missing"},
    {"{'command': 'status'}", "command: unknown key; did you mean \"commands\"?"},
    {"{'commands': {}}", "message:1:14: commands: expected an array, found an object"},
    {"{'commands': 'status'}", "commands: expected an array, found a string"},
    {"{'commands': []}", "commands: expected 1 to 16 commands, found 0"},
    {"{'commands': [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
     "commands: expected 1 to 16 commands, found 17"},
    {"{'commands': [1], 'more': 1}", "more: unknown key"},
};

START_TEST(messages_that_are_no_orders)
{
    ordering_open();
    json_t *root = order(&jefe, messages[_i].message);
    json_t *one = json_array_get(json_object_get(root, "responses"), 0);
    ck_assert(json_is_null(json_object_get(one, "command")));
    ck_assert_msg(strstr(string_at(one, "error"), messages[_i].error) != NULL, "%s: %s",
                  messages[_i].message, string_at(one, "error"));
    json_decref(root);
    plant_end(&plant);
}
END_TEST

static const struct {
    const char *command, *error;
} commands[] = {
    {"1", "commands[0]: expected an object, found an integer"},
    {"[]", "commands[0]: expected an object, found an array"},
    {"{}", "commands[0]: the key \"command\" is missing"},
    {"{'command': 1}", "commands[0].command: expected a string, found an integer"},
    {"{'command': null}", "commands[0].command: expected a string, found null"},
    {"{'command': ''}", "commands[0].command: expected a string that is not empty"},
    {"{'command': 'stauts'}", "commands[0].command: unknown command; did you mean \"status\"?"},
    {"{'command': 'setDefaultACLAccess'}",
     "unknown command; known are status, sessions, certs, topics, naming, reload, kick, explain"},
    {"{'command': 'status', 'correlationData': 7}",
     "commands[0].correlationData: expected a string, found an integer"},
    {"{'command': 'status', 'verbose': true}", "commands[0].verbose: unknown key"},
    {"{'command': 'kick'}", "the key \"client_id\" is missing"},
    {"{'command': 'kick', 'client_id': ['x']}", "client_id: expected a string, found an array"},
    {"{'command': 'kick', 'client_id': 'x', 'will': 'no'}", "will: expected true or false"},
    {"{'command': 'kick', 'client_id': 'x\\n'}", "client_id: control characters"},
    {"{'command': 'sessions', 'limit': 0}", "limit: expected an integer from 1 to 500, found 0"},
    {"{'command': 'sessions', 'limit': 501}", "limit: expected an integer from 1 to 500"},
    {"{'command': 'sessions', 'limit': 1e3}", "limit: expected an integer, found a number"},
    {"{'command': 'sessions', 'after': 'nadie'}", "no longer known: begin again"},
    {"{'command': 'explain', 'client_id': 'edge-linea1', 'topic': 'a/b/c'}",
     "the key \"action\" is missing"},
    {"{'command': 'explain', 'client_id': 'edge-linea1', 'action': 'read', 'topic': 'a/b/c'}",
     "action: expected one of \"publish\", \"subscribe\", \"receive\""},
    {"{'command': 'explain', 'client_id': 'edge-linea1', 'action': 'publish', 'topic': 'a', "
     "'qos': 3}",
     "qos: expected an integer from 0 to 2, found 3"},
    {"{'command': 'explain', 'client_id': 'edge-linea1', 'action': 'publish', 'topic': 'a', "
     "'payload_bytes': -1}",
     "payload_bytes: expected an integer from 0"},
};

START_TEST(commands_that_are_none)
{
    ordering_open();
    const char *error = wrong(&jefe, commands[_i].command);
    ck_assert_msg(strstr(error, commands[_i].error) != NULL, "%s: %s", commands[_i].command, error);
    plant_end(&plant);
}
END_TEST

START_TEST(the_largest_message)
{
    static char message[ADU_CONTROL_BYTES_MOST + 1];
    const char begin[] = "{\"commands\": [{\"command\": \"status\"}]}";
    memset(message, ' ', sizeof message);
    memcpy(message, begin, sizeof begin - 1);
    ordering_open();
    char *reply = order_bytes(&jefe, message, sizeof message - 1);
    ck_assert_msg(strstr(reply, "\"generation\":1") != NULL, "%s", reply);
    free(reply);
    reply = order_bytes(&jefe, message, sizeof message);
    ck_assert_msg(strstr(reply, "the message has 65537 bytes; at most 65536 are read") != NULL,
                  "%s", reply);
    free(reply);
    reply = order_bytes(&jefe, NULL, 0);
    ck_assert_msg(strstr(reply, "not valid JSON") != NULL, "%s", reply);
    free(reply);
    plant_end(&plant);
}
END_TEST

START_TEST(nesting)
{
    static char message[60000];
    ordering_open();
    for (int open = '['; open != 0; open = open == '[' ? '{' : 0) {
        memset(message, open, sizeof message);
        if (open == '{') {
            for (size_t i = 0; i + 6 < sizeof message; i += 5) {
                memcpy(message + i, "{\"a\":", 5);
            }
        }
        char *reply = order_bytes(&jefe, message, sizeof message);
        ck_assert_msg(strstr(reply, "maximum parsing depth reached") != NULL, "%s", reply);
        free(reply);
    }
    plant_end(&plant);
}
END_TEST

/* Each command has a response of its own, in order; one that is wrong does not hold up the next. */
START_TEST(several_commands)
{
    ordering_open();
    json_t *root =
        order(&jefe, "{'commands': [{'command': 'status', 'correlationData': 'a\\u00e1'},"
                     "{'command': 'nada', 'correlationData': 'b'}, 7,"
                     "{'command': 'sessions', 'correlationData': ''}]}");
    json_t *list = json_object_get(root, "responses");
    ck_assert_uint_eq(json_array_size(list), 4);
    ck_assert_str_eq(string_at(json_array_get(list, 0), "correlationData"), "a\xc3\xa1");
    ck_assert_str_eq(string_at(json_array_get(list, 0), "command"), "status");
    ck_assert_str_eq(string_at(json_array_get(list, 1), "correlationData"), "b");
    ck_assert_str_eq(string_at(json_array_get(list, 1), "command"), "nada");
    ck_assert_ptr_nonnull(strstr(string_at(json_array_get(list, 1), "error"), "commands[1]"));
    ck_assert_ptr_nonnull(strstr(string_at(json_array_get(list, 2), "error"), "commands[2]"));
    ck_assert_ptr_nonnull(json_object_get(json_array_get(list, 3), "data"));
    ck_assert_str_eq(string_at(json_array_get(list, 3), "correlationData"), "");
    ck_assert_uint_eq(plant_counters(&plant)->control_commands, 2);
    json_decref(root);
    plant_end(&plant);
}
END_TEST

/* --- how many -----------------------------------------------------------------------------------
 */

START_TEST(a_flood_is_answered_shortly)
{
    struct connection other = service_of("otra", SERVICE("jefe"));
    ordering_open();
    ck_assert_int_eq(plant_login(&plant, &other), ADU_ALLOW);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ADU_CONTROL_A_SECOND_MOST; i++) {
            json_decref(told(&jefe, "{'command': 'status'}"));
        }
        for (int i = 0; i < 100; i++) {
            ck_assert_str_eq(wrong(&jefe, "{'command': 'reload'}"),
                             "more commands than are answered: at most 20 a second");
        }
        json_decref(told(&other, "{'command': 'status'}")); /* others are heard */
        plant_pass(&plant, 1000);
    }
    ck_assert_int_eq(logged("reload asked for"), 0);
    plant_end(&plant);
}
END_TEST

/* Commands count, however they are put into messages; and a message is answered as a whole or not.
 */
START_TEST(a_flood_of_full_messages)
{
    char message[ADU_CONTROL_COMMANDS_MOST * 40] = "{'commands': [{'command': 'status'}";
    for (int i = 1; i < ADU_CONTROL_COMMANDS_MOST; i++) {
        strcat(message, ", {'command': 'sessions'}");
    }
    strcat(message, "]}");
    ordering_open();
    for (int s = 0; s < 100; s++) {
        json_t *root = order(&jefe, message);
        json_t *list = json_object_get(root, "responses");
        if (s % 10 == 0) {
            ck_assert_uint_eq(json_array_size(list), ADU_CONTROL_COMMANDS_MOST);
        } else {
            ck_assert_uint_eq(json_array_size(list), 1);
            ck_assert_str_eq(string_at(json_array_get(list, 0), "error"),
                             "more commands than are answered: at most 20 a second");
        }
        json_decref(root);
        plant_pass(&plant, s % 10 == 9 ? 1000 : 1);
    }
    ck_assert_uint_eq(plant_counters(&plant)->control_commands, 10 * ADU_CONTROL_COMMANDS_MOST);
    for (int ms = 0; ms < 10000; ms += 10) { /* without a pause there is less */
        json_decref(order(&jefe, message));
        plant_pass(&plant, 10);
    }
    ck_assert_uint_le(plant_counters(&plant)->control_commands,
                      10 * ADU_CONTROL_COMMANDS_MOST + 11 * ADU_CONTROL_A_SECOND_MOST);
    plant_end(&plant);
}
END_TEST

/* What cannot be read takes its share as well. */
START_TEST(a_flood_of_no_orders)
{
    int answered = 0;
    ordering_open();
    for (int i = 0; i < 1000; i++) {
        char *reply = order_bytes(&jefe, "{", 1);
        answered += strstr(reply, "more commands than are answered") == NULL;
        free(reply);
    }
    ck_assert_int_eq(answered, ADU_CONTROL_A_SECOND_MOST);
    plant_end(&plant);
}
END_TEST

/* Refused ones are logged as all refusals are: some of them. */
START_TEST(a_flood_of_refused_orders)
{
    struct connection nobody = service_of("x", SERVICE("nadie"));
    struct connection bridge = {.client_id = "puente", .address = "192.0.2.66"};
    ordering_open();
    ck_assert_int_eq(plant_login(&plant, &nobody), ADU_ALLOW);
    for (int i = 0; i < 100; i++) {
        ck_assert_ptr_null(order(&nobody, STATUS));
        ck_assert_ptr_null(order(&bridge, STATUS));
    }
    ck_assert_int_le(logged("refused control"), 20);
    ck_assert_uint_eq(plant_counters(&plant)->control_refused, 200);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    suite_add_rows(suite, who_may, ROWS(askers));
    suite_add(suite, strangers_may_not);
    suite_add(suite, watch_mode_gives_no_rights);
    suite_add(suite, without_acl_nobody_may);
    suite_add(suite, the_answer_is_for_the_asker);
    suite_add_rows(suite, messages_that_are_no_orders, ROWS(messages));
    suite_add_rows(suite, commands_that_are_none, ROWS(commands));
    suite_add(suite, the_largest_message);
    suite_add(suite, nesting);
    suite_add(suite, several_commands);
    suite_add(suite, a_flood_is_answered_shortly);
    suite_add(suite, a_flood_of_full_messages);
    suite_add(suite, a_flood_of_no_orders);
    suite_add(suite, a_flood_of_refused_orders);
    return run_suite(suite);
}
