/* Topics in use and what is refused: as orders tell it, as the bundle publishes it, and group by
 * group of clients. */
#include "ordering.h"
#include <stdio.h>
#include <string.h>

/* The plant, with `extra` keys of topic_policy.json. */
static void open_plant(const char *extra)
{
    char policy[2048];
    ordering_prepare();
    snprintf(policy, sizeof policy,
             "{'names': {'lowercase': true}, 'depth': {'min': 3}, 'exempt': ['$CONTROL/#'],"
             " 'namespaces': [{'name': 'telemetry', 'template': 'planta/{linea}/{que}'}], "
             "'other_topics': 'allow' %s}",
             extra);
    folder_write_json(&plant.policies, "topic_policy.json", policy);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    plant_pass(&plant, 100);
    log_clear();
}

static const json_t *entry(const json_t *data, const char *list, const char *key, const char *value)
{
    json_t *one;
    size_t i;
    json_array_foreach(json_object_get(data, list), i, one)
    {
        const char *text = json_string_value(json_object_get(one, key));
        if (value == NULL ? text == NULL : text != NULL && strcmp(text, value) == 0) {
            return one;
        }
    }
    return NULL;
}

static void publish(const char *topic, enum adu_verdict verdict)
{
    ck_assert_msg(plant_ask(&plant, &edge, ADU_PUBLISH, topic) == verdict, "%s: %s", topic,
                  last_line());
}

START_TEST(what_is_in_use)
{
    open_plant(", 'discovery': {}");
    for (int i = 0; i < 5; i++) { /* the first is judged, the others are remembered */
        publish("planta/linea1/temperatura", ADU_ALLOW);
        plant_pass(&plant, 1000);
    }
    publish("planta/linea1/presion", ADU_ALLOW);
    publish("planta/linea2/presion", ADU_DENY); /* by the acl */
    publish("planta/linea1/Presion", ADU_DENY);
    json_t *data = told(&jefe, "{'command': 'topics'}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "topics")), 2);
    ck_assert_str_eq(string_at(data, "next"), "null");
    const json_t *one = entry(data, "topics", "topic", "planta/linea1/temperatura");
    ck_assert_int_eq(integer_at(one, "messages"), 5);
    ck_assert_int_eq(integer_at(one, "clients"), 1);
    ck_assert_str_eq(string_at(one, "namespace"), "telemetry");
    ck_assert_str_eq(string_at(one, "client_id"), "edge-linea1");
    ck_assert_str_eq(string_at(one, "first_seen"), "2023-11-14T22:13:20Z");
    ck_assert_str_eq(string_at(one, "last_seen"), "2023-11-14T22:13:24Z");
    json_decref(data);
    data = told(&jefe, "{'command': 'naming'}");
    one = entry(data, "namespaces", "namespace", "telemetry");
    ck_assert_int_eq(integer_at(one, "messages"), 6);
    ck_assert_int_eq(integer_at(one, "refused"), 1);
    ck_assert_int_eq(integer_at(data, "refused"), 1);
    ck_assert_int_eq(integer_at(data, "topics_known"), 2);
    one = entry(data, "worst_clients", "client_id", "edge-linea1");
    ck_assert_str_eq(string_at(one, "topic"), "planta/linea1/Presion");
    ck_assert_str_eq(string_at(one, "reason"), "upper-case letters are not allowed");
    ck_assert_int_eq(integer_at(one, "refused"), 1);
    ck_assert_ptr_nonnull(entry(data, "reasons", "reason", "upper-case letters are not allowed"));
    one = entry(data, "by_namespace_and_client", "namespace", "telemetry");
    ck_assert_str_eq(string_at(one, "client_id"), "edge-linea1");
    ck_assert_int_eq(integer_at(one, "refused"), 1);
    ck_assert_int_eq(integer_at(one, "would_refuse"), 0);
    ck_assert_int_eq(integer_at(one, "before_at_most"), 0);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* By pages and by client; first seen stays as it was over a reload, what is counted begins anew. */
START_TEST(pages_and_reload)
{
    open_plant(", 'discovery': {}");
    publish("planta/linea1/a", ADU_ALLOW);
    publish("planta/linea1/b", ADU_ALLOW);
    publish("planta/linea1/C", ADU_DENY);
    json_t *data = told(&jefe, "{'command': 'topics', 'limit': 1}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "topics")), 1);
    char command[128];
    snprintf(command, sizeof command, "{'command': 'topics', 'limit': 9, 'after': '%s'}",
             string_at(data, "next"));
    json_decref(data);
    data = told(&jefe, command);
    ck_assert_uint_eq(json_array_size(json_object_get(data, "topics")), 1);
    json_decref(data);
    data = told(&jefe, "{'command': 'topics', 'client_id': 'otro'}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "topics")), 0);
    json_decref(data);
    ck_assert_ptr_nonnull(strstr(wrong(&jefe, "{'command': 'topics', 'after': 'x'}"), "after"));
    ck_assert(plant_reload(&plant));
    data = told(&jefe, "{'command': 'topics', 'client_id': 'edge-linea1'}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "topics")), 2);
    ck_assert_str_eq(string_at(entry(data, "topics", "topic", "planta/linea1/a"), "namespace"),
                     "telemetry");
    json_decref(data);
    data = told(&jefe, "{'command': 'naming'}");
    ck_assert_int_eq(integer_at(data, "refused"), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(data, "worst_clients")), 0);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(nothing_is_gathered_unasked)
{
    open_plant("");
    publish("planta/linea1/temperatura", ADU_ALLOW);
    publish("planta/linea1/Temperatura", ADU_DENY);
    json_t *data = told(&jefe, "{'command': 'topics'}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "topics")), 0);
    json_decref(data);
    data = told(&jefe, "{'command': 'naming'}");
    ck_assert(!true_at(data, "discovery"));
    ck_assert_int_eq(integer_at(data, "topics_known"), 0);
    ck_assert_int_eq(integer_at(data, "refused"), 1); /* this is counted always */
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* A file that only watches, and is enforced on those that have been mended. */
START_TEST(step_by_step)
{
    open_plant(", 'mode': 'watch', 'discovery': {'topic': 'planta/linea1/temas'}, 'clients': ["
               "{'name': 'viejos', 'match': {'cert.cn': 'edge-linea9'}, 'mode': 'watch'},"
               "{'name': 'edges', 'match': {'role': 'edge'}, 'mode': 'enforce'}]");
    struct connection old = {
        .client_id = "edge-linea9", .certificate = EDGE("edge-linea9"), .address = "192.0.2.9"};
    struct connection todo = service_of("todo", SERVICE("todo"));
    ck_assert_int_eq(plant_login(&plant, &old), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &todo), ADU_ALLOW);
    publish("planta/linea1/Temperatura", ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &old, ADU_PUBLISH, "planta/linea9/Presion"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &todo, ADU_PUBLISH, "planta/linea9/Nivel"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &todo, ADU_PUBLISH, "planta/linea9/Nivel"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &todo, ADU_PUBLISH, "planta/linea1/temas"), ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &old, ADU_PUBLISH, "planta/linea1/temas"), ADU_DENY);
    json_t *data = told(&jefe, "{'command': 'naming'}");
    ck_assert_int_eq(integer_at(entry(data, "groups", "name", "viejos"), "would_refuse"), 1);
    ck_assert_int_eq(integer_at(entry(data, "groups", "name", "edges"), "refused"), 1);
    ck_assert_int_eq(integer_at(data, "would_refuse"), 3);
    ck_assert_int_eq(integer_at(data, "refused"), 3);
    ck_assert_str_eq(
        string_at(json_array_get(json_object_get(data, "worst_clients"), 0), "client_id"), "todo");
    json_decref(data);
    data = told(&jefe, "{'command': 'topics'}"); /* what is let through is in use */
    ck_assert_ptr_nonnull(entry(data, "topics", "topic", "planta/linea9/Nivel"));
    ck_assert_ptr_null(entry(data, "topics", "topic", "planta/linea1/Temperatura"));
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* Retained, at the start and then every so often. */
START_TEST(report)
{
    open_plant(", 'discovery': {'topic': 'planta/linea1/temas', 'every_seconds': 30,"
               " 'topics_most': 1}");
    const int before = published("topics_known", "would_refuse");
    ck_assert_int_ge(before, 1);
    publish("planta/linea1/a", ADU_ALLOW);
    publish("planta/linea1/b", ADU_ALLOW);
    publish("planta/linea1/b", ADU_ALLOW);
    plant_pass(&plant, 1000);
    ck_assert_int_eq(published("topics_known", "would_refuse"), before);
    plant_pass(&plant, 30000);
    ck_assert_int_eq(published("topics_known", "would_refuse"), before + 1);
    ck_assert_int_eq(published("\"topic\":\"planta/linea1/b\"", "\"topics_known\":2"), 1);
    ck_assert_int_eq(published("\"topic\":\"planta/linea1/a\"", ""), 0);
    plant_end(&plant);
}
END_TEST

/* A hundred thousand topics: the answer is as long as before, and what the plant uses is in it. */
START_TEST(explosion)
{
    char topic[64];
    open_plant(", 'discovery': {}");
    for (int i = 0; i < 50; i++) {
        publish("planta/linea1/temperatura", ADU_ALLOW);
    }
    for (int i = 0; i < 100000; i++) {
        snprintf(topic, sizeof topic, "planta/linea1/ruido%d", i);
        publish(topic, ADU_ALLOW);
    }
    json_t *data = told(&jefe, "{'command': 'naming'}");
    ck_assert_int_eq(integer_at(data, "topics_known"), 16384);
    ck_assert_int_gt(integer_at(data, "messages_left_out"), 50000);
    json_decref(data);
    bool found = false;
    char command[128] = "{'command': 'topics'}";
    for (int pages = 0; command[0] != '\0'; pages++) {
        ck_assert_int_lt(pages, 200);
        plant_pass(&plant, 1000);
        data = told(&jefe, command);
        ck_assert_uint_le(json_array_size(json_object_get(data, "topics")), 500);
        const json_t *one = entry(data, "topics", "topic", "planta/linea1/temperatura");
        found = found || (one != NULL && integer_at(one, "messages") == 50);
        const char *next = json_string_value(json_object_get(data, "next"));
        snprintf(command, sizeof command,
                 next != NULL ? "{'command': 'topics', 'after': '%s'}" : "", next);
        json_decref(data);
    }
    ck_assert(found);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_topics");
    suite_add(suite, what_is_in_use);
    suite_add(suite, pages_and_reload);
    suite_add(suite, nothing_is_gathered_unasked);
    suite_add(suite, step_by_step);
    suite_add(suite, report);
    suite_add(suite, explosion);
    return run_suite(suite);
}
