/* The list of sessions: what is told of each, page by page, and never too much at once. */
#include "ordering.h"
#include <string.h>

/* The session of a client id in a list; fails if it is not there exactly once. */
static json_t *session_of(json_t *data, const char *client_id)
{
    json_t *list = json_object_get(data, "sessions"), *found = NULL, *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (strcmp(string_at(one, "client_id"), client_id) == 0) {
            ck_assert_msg(found == NULL, "%s is there twice", client_id);
            found = one;
        }
    }
    ck_assert_msg(found != NULL, "%s is not there", client_id);
    return found;
}

static size_t count(const json_t *data)
{
    return json_array_size(json_object_get(data, "sessions"));
}

START_TEST(what_is_told)
{
    struct connection person = {
        .client_id = "tercera", .name = "linea3", .password = "pass", .address = "2001:db8::7"};
    ordering_open();
    plant_login(&plant, &person);
    json_t *data = told(&jefe, "{'command': 'sessions'}");
    ck_assert_str_eq(string_at(data, "next"), "null");
    const json_t *one = session_of(data, "edge-linea1");
    ck_assert_str_eq(string_at(one, "username"), "linea1");
    ck_assert_str_eq(string_at(one, "address"), "192.0.2.1");
    ck_assert_str_eq(string_at(one, "seen"), "2023-11-14T22:13:20Z");
    ck_assert(true_at(one, "online") && true_at(one, "durable") && true_at(one, "valid"));
    ck_assert_int_eq(integer_at(one, "generation"), 1);
    const json_t *roles = json_object_get(one, "roles");
    ck_assert_uint_eq(json_array_size(roles), 1);
    ck_assert_str_eq(json_string_value(json_array_get(roles, 0)), "edge");
    const json_t *attributes = json_object_get(one, "attributes");
    ck_assert_str_eq(string_at(attributes, "linea"), "linea1");
    ck_assert_str_eq(string_at(attributes, "cert.cn"), "edge-linea1");
    one = session_of(data, "consola");
    ck_assert(!true_at(one, "durable"));
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(a_name_with_several_values_is_a_list)
{
    struct connection c = service_of("varios", SERVICE("varios") ";cert.ou=dos;cert.ou=tres");
    ordering_open();
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ALLOW);
    json_t *data = told(&jefe, "{'command': 'sessions', 'client_id': 'varios'}");
    ck_assert_uint_eq(count(data), 1);
    const json_t *units =
        json_object_get(json_object_get(session_of(data, "varios"), "attributes"), "cert.ou");
    ck_assert_uint_eq(json_array_size(units), 3);
    ck_assert_str_eq(json_string_value(json_array_get(units, 2)), "tres");
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(no_secret_is_told)
{
    struct connection person = {.client_id = "hmi",
                                .certificate = SERVICE("jefe"),
                                .name = "scada",
                                .password = "otra-clave",
                                .address = "192.0.2.2"};
    const char message[] =
        "{\"commands\": [{\"command\": \"sessions\"}, {\"command\": \"status\"}]}";
    ordering_open();
    plant_login(&plant, &person);
    char *reply = order_bytes(&jefe, message, sizeof message - 1);
    ck_assert_ptr_null(strstr(reply, "otra-clave"));
    ck_assert_ptr_null(strstr(reply, "$7$"));
    free(reply);
    plant_end(&plant);
}
END_TEST

/* Whoever is away is there as long as the broker keeps a session. */
START_TEST(who_is_away)
{
    struct connection short_lived = service_of("corto", SERVICE("nadie"));
    ordering_open();
    ck_assert_int_eq(plant_login(&plant, &short_lived), ADU_ALLOW);
    plant_gone(&plant, &short_lived, false);
    plant_gone(&plant, &edge, false);
    json_t *data = told(&jefe, "{'command': 'sessions'}");
    ck_assert_uint_eq(count(data), 2);
    ck_assert(!true_at(session_of(data, "edge-linea1"), "online"));
    json_decref(data);
    plant_gone(&plant, &edge, true);
    data = told(&jefe, "{'command': 'sessions', 'client_id': 'edge-linea1'}");
    ck_assert_uint_eq(count(data), 0);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* Roles are those of the running policy, also of who is away and has not been asked about since. */
START_TEST(after_a_reload)
{
    ordering_open();
    plant_gone(&plant, &edge, false);
    char *text = json_of(ordering_acl);
    char *name = strstr(text, "\"operador\": {}");
    memcpy(name, "\"nuevo\": {}   ", strlen("\"operador\": {}"));
    folder_write(&plant.policies, "acl.json", text);
    folder_write_json(&plant.policies, "cert_auth.json",
                      "{'identities': ["
                      "{'name': 'a', 'match': {'cert.ou': 'edge'}, 'roles': ['nuevo'],"
                      " 'attributes': {'linea': {'from': 'cert.cn', 'pattern': 'edge-(.*)'}},"
                      " 'username': '${linea}'},"
                      "{'name': 'b', 'match': {'cert.ou': 'servicio'}, 'username': '${cert.cn}'}"
                      "]}");
    folder_write_json(&plant.policies, "topic_policy.json", "{'exempt': ['$CONTROL/#']}");
    free(text);
    ck_assert_msg(plant_reload(&plant), "%s", last_line());
    json_t *data = told(&jefe, "{'command': 'sessions'}");
    const json_t *one = session_of(data, "edge-linea1");
    ck_assert_int_eq(integer_at(one, "generation"), 2);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(one, "roles"), 0)), "nuevo");
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* --- pages --------------------------------------------------------------------------------------
 */

enum { CROWD = 1200, LONG_ID = 1000 };

static struct connection crowd[CROWD];
static char ids[CROWD][LONG_ID + 1];

/* Durable sessions that are away, so that a plant of any size fits. */
static void open_crowd(int count_of, size_t id_length, bool durable)
{
    ordering_open();
    for (int i = 0; i < count_of; i++) {
        memset(ids[i], 'x', id_length);
        ids[i][id_length] = '\0';
        char number[16];
        memcpy(ids[i], number, (size_t)snprintf(number, sizeof number, "c%05d", i));
        crowd[i] = service_of(ids[i], SERVICE("nadie"));
        crowd[i].durable = durable;
        ck_assert_msg(plant_login(&plant, &crowd[i]) == ADU_ALLOW, "%s", last_line());
        plant_gone(&plant, &crowd[i], false);
    }
}

/* Every session exactly once, whatever the pages are. Gives the number of pages. */
static int pages(long limit, size_t expected)
{
    static char after[LONG_ID + 1];
    json_t *names = json_object();
    int number = 0;
    for (after[0] = '\0'; number == 0 || after[0] != '\0'; number++) {
        char command[LONG_ID + 128], where[LONG_ID + 32] = "";
        if (after[0] != '\0') {
            snprintf(where, sizeof where, ", 'after': '%s'", after);
        }
        snprintf(command, sizeof command, "{'command': 'sessions', 'limit': %ld%s}", limit, where);
        plant_pass(&plant, 100);
        json_t *data = told(&jefe, command), *one;
        size_t i;
        ck_assert_uint_le(count(data), (size_t)limit);
        json_array_foreach(json_object_get(data, "sessions"), i, one)
        {
            const char *name = string_at(one, "client_id");
            ck_assert_msg(json_object_get(names, name) == NULL, "%s is there twice", name);
            json_object_set_new(names, name, json_true());
        }
        const char *next = json_string_value(json_object_get(data, "next"));
        snprintf(after, sizeof after, "%s", next != NULL ? next : "");
        json_decref(data);
    }
    ck_assert_uint_eq(json_object_size(names), expected);
    json_decref(names);
    return number;
}

START_TEST(pages_of_any_size)
{
    open_crowd(50, 6, true);
    ck_assert_int_eq(pages(500, 52), 1);
    ck_assert_int_eq(pages(52, 52), 1);
    ck_assert_int_eq(pages(51, 52), 2);
    ck_assert_int_eq(pages(1, 52), 52);
    plant_end(&plant);
}
END_TEST

START_TEST(a_page_is_never_long)
{
    open_crowd(CROWD, 6, true);
    ck_assert_int_ge(pages(500, CROWD + 2), 3);
    plant_end(&plant);
}
END_TEST

START_TEST(long_names_make_short_pages)
{
    open_crowd(CROWD / 4, LONG_ID, true);
    const char message[] = "{\"commands\": [{\"command\": \"sessions\"}]}";
    char *reply = order_bytes(&jefe, message, sizeof message - 1);
    ck_assert_uint_lt(strlen(reply), 2 * ADU_CONTROL_TEXT_MOST);
    free(reply);
    ck_assert_int_ge(pages(500, CROWD / 4 + 2), 3);
    plant_end(&plant);
}
END_TEST

/* Several commands of one message share what one answer may hold. */
START_TEST(one_message_is_one_answer)
{
    open_crowd(CROWD, 6, true);
    json_t *root = order(&jefe, "{'commands': [{'command': 'sessions'}, {'command': 'sessions'},"
                                "{'command': 'status'}]}");
    json_t *list = json_object_get(root, "responses");
    ck_assert_uint_gt(count(json_object_get(json_array_get(list, 0), "data")), 100);
    ck_assert_str_eq(string_at(json_array_get(list, 1), "error"),
                     "no room is left in this answer: ask in another message");
    ck_assert_ptr_nonnull(json_object_get(json_array_get(list, 2), "data"));
    json_decref(root);
    plant_end(&plant);
}
END_TEST

/* Thousands that are known but have no session: a page may be empty, and there is a next one. */
START_TEST(looking_ends_too)
{
    struct connection passer = service_of("", SERVICE("nadie"));
    static char id[32];
    ordering_open();
    for (int i = 0; i < ADU_CONTROL_LOOKED_AT_MOST + 10; i++) {
        snprintf(id, sizeof id, "de-paso-%d", i);
        passer.client_id = id;
        ck_assert_int_eq(plant_login(&plant, &passer), ADU_ALLOW);
        plant_gone(&plant, &passer, true);
    }
    ck_assert_int_eq(pages(500, 2), 2);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_sessions");
    suite_add(suite, what_is_told);
    suite_add(suite, a_name_with_several_values_is_a_list);
    suite_add(suite, no_secret_is_told);
    suite_add(suite, who_is_away);
    suite_add(suite, after_a_reload);
    suite_add(suite, pages_of_any_size);
    suite_add(suite, a_page_is_never_long);
    suite_add(suite, long_names_make_short_pages);
    suite_add(suite, one_message_is_one_answer);
    suite_add(suite, looking_ends_too);
    return run_suite(suite);
}
