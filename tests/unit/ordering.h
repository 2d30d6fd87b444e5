/* For the tests of control: a plant where some may give orders, and what they are answered. */
#ifndef ADUANA_TESTS_ORDERING_H
#define ADUANA_TESTS_ORDERING_H

#include "common/control.h"
#include "plant.h"
#include "snippet.h"
#include <jansson.h>

/* jefe may give orders and read the answers; mudo may give them only; linea1 may do neither. */
static const char ordering_acl[] =
    "{'roles': {"
    "'jefe': {'allow': [{'publish': ['$CONTROL/aduana/v1'],"
    "                    'subscribe': ['$CONTROL/aduana/v1/response']}]},"
    "'mudo': {'allow': [{'publish': ['$CONTROL/aduana/v1']}]},"
    "'todo': {'allow': [{'publish': ['#'], 'subscribe': ['#']}]},"
    "'edge': {'allow': [{'publish': ['planta/${linea}/+', '$CONTROL/other/v1', '$SYS/#'],"
    "                    'subscribe': ['planta/${linea}/comandos/#']}],"
    "         'deny': [{'name': 'no setpoints', 'publish': ['planta/+/consigna']},"
    "                  {'publish': ['planta/+/mirado'], 'mode': 'watch'}]},"
    "'operador': {}},"
    "'bindings': [{'match': {'username': 'jefe'}, 'roles': ['jefe']},"
    "             {'match': {'username': 'mudo'}, 'roles': ['mudo']},"
    "             {'match': {'username': 'todo'}, 'roles': ['todo']}]}";

static struct plant plant;
static struct connection jefe, edge;

static inline struct connection service_of(const char *client_id, const char *certificate)
{
    return (struct connection){
        .client_id = client_id, .certificate = certificate, .address = "192.0.2.9"};
}

static inline void ordering_prepare(void)
{
    jefe = service_of("consola", SERVICE("jefe"));
    edge = (struct connection){.client_id = "edge-linea1",
                               .certificate = EDGE("edge-linea1"),
                               .durable = true,
                               .address = "192.0.2.1"};
    plant_prepare(&plant);
    folder_write_json(&plant.policies, "acl.json", ordering_acl);
    folder_write_json(&plant.policies, "topic_policy.json",
                      "{'names': {'lowercase': true}, 'depth': {'min': 3},"
                      " 'exempt': ['$CONTROL/#', '$SYS/#', 'libre/#']}");
}

static inline void ordering_open(void)
{
    ordering_prepare();
    plant_start(&plant);
    ck_assert_msg(plant_login(&plant, &jefe) == ADU_ALLOW, "%s", last_line());
    ck_assert_msg(plant_login(&plant, &edge) == ADU_ALLOW, "%s", last_line());
    plant_pass(&plant, 100);
    log_clear();
}

/* The answer to those bytes; NULL for none. The caller frees it. */
static inline char *order_bytes(const struct connection *c, const void *bytes, size_t length)
{
    const struct adu_order order = {.handle = c,
                                    .client_id = c->client_id,
                                    .payload = bytes,
                                    .payload_length = length,
                                    .qos = 1};
    return adu_pipeline_order(plant.p, &order, plant.now);
}

/* All that is answered to a message in which ' stands for ". */
static inline json_t *order(const struct connection *c, const char *message)
{
    char *json = json_of(message), *reply = order_bytes(c, json, strlen(json));
    json_t *root = reply != NULL ? json_loads(reply, JSON_REJECT_DUPLICATES, NULL) : NULL;
    ck_assert_msg((reply == NULL) == (root == NULL), "no JSON: %s", reply);
    free(reply);
    free(json);
    return root;
}

/* The only response to one command: {"command": ..., "data": ...}. */
static inline json_t *respond(const struct connection *c, const char *command)
{
    char message[4096];
    snprintf(message, sizeof message, "{'commands': [%s]}", command);
    json_t *root = order(c, message);
    json_t *list = json_object_get(root, "responses");
    ck_assert_uint_eq(json_array_size(list), 1);
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(root);
    return one;
}

/* The data of a command that must go well. */
static inline json_t *told(const struct connection *c, const char *command)
{
    json_t *one = respond(c, command);
    json_t *data = json_incref(json_object_get(one, "data"));
    ck_assert_msg(data != NULL, "%s: %s", command,
                  json_string_value(json_object_get(one, "error")));
    json_decref(one);
    return data;
}

/* The error of a command that must not; the text lives until the next call. */
static inline const char *wrong(const struct connection *c, const char *command)
{
    static char text[1024];
    json_t *one = respond(c, command);
    const char *error = json_string_value(json_object_get(one, "error"));
    ck_assert_msg(error != NULL && json_object_get(one, "data") == NULL, "went well: %s", command);
    snprintf(text, sizeof text, "%s", error);
    json_decref(one);
    return text;
}

static inline const char *string_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(value != NULL, "no \"%s\"", key);
    return json_is_string(value) ? json_string_value(value) : "null";
}

static inline long long integer_at(const json_t *object, const char *key)
{
    ck_assert_msg(json_is_integer(json_object_get(object, key)), "no \"%s\"", key);
    return json_integer_value(json_object_get(object, key));
}

static inline bool true_at(const json_t *object, const char *key)
{
    ck_assert_msg(json_is_boolean(json_object_get(object, key)), "no \"%s\"", key);
    return json_is_true(json_object_get(object, key));
}

#endif
