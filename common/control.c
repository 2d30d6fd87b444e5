/* Reading a message of orders, and who may give them. */
#include "common/audit.h"
#include "common/control_parts.h"
#include "common/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
    const char *name;
    const struct adu_field *fields;
    json_t *(*run)(struct adu_control *c, const struct adu_command *command,
                   struct adu_error *error);
} verbs[] = {
    {"status", adu_control_plain_fields, adu_control_status},
    {"sessions", adu_control_sessions_fields, adu_control_sessions},
    {"certs", adu_control_sessions_fields, adu_control_certs},
    {"topics", adu_control_sessions_fields, adu_control_topics},
    {"naming", adu_control_plain_fields, adu_control_naming},
    {"reload", adu_control_plain_fields, adu_control_reload},
    {"kick", adu_control_kick_fields, adu_control_kick},
    {"explain", adu_control_explain_fields, adu_control_explain},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static const char no_memory[] = "{\"responses\":[{\"command\":null,\"error\":\"out of memory\"}]}";

/* --- one command --- */

/* Takes `data`. NULL when memory is gone. */
static json_t *response(json_t *name, json_t *correlation, json_t *data, const char *error)
{
    json_t *command = name != NULL ? json_incref(name) : json_null();
    json_t *object = data != NULL ? json_pack("{s:o, s:o}", "command", command, "data", data)
                                  : json_pack("{s:o, s:o}", "command", command, "error",
                                              adu_control_text(error));
    if (object != NULL && correlation != NULL &&
        json_object_set(object, "correlationData", correlation) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static const struct verb *find_verb(const struct adu_json *name, struct adu_error *error)
{
    const char *text = adu_read_string(name, error);
    const char *known[VERBS + 1] = {0};
    char list[128] = "";
    for (size_t i = 0; text != NULL && i < VERBS; i++) {
        if (strcmp(verbs[i].name, text) == 0) {
            return &verbs[i];
        }
        known[i] = verbs[i].name;
        strncat(list, i > 0 ? ", " : "", sizeof list - strlen(list) - 1);
        strncat(list, verbs[i].name, sizeof list - strlen(list) - 1);
    }
    const char *nearest = text != NULL ? adu_text_nearest(text, known) : NULL;
    if (nearest != NULL) {
        adu_json_error(name, error, "unknown command; did you mean \"%s\"?", nearest);
    }
    adu_json_error(name, error, "unknown command; known are %s", list);
    return NULL;
}

static json_t *run(struct adu_control *c, const struct adu_json *node, struct adu_error *error)
{
    struct adu_command command = {.limit = ADU_CONTROL_SESSIONS_MOST, .will = true};
    if (!adu_read_is_object(node, error)) {
        return NULL;
    }
    const struct adu_json *name = adu_json_member(node, "command");
    if (name == NULL) {
        adu_json_error(node, error, "the key \"command\" is missing");
        return NULL;
    }
    const struct verb *verb = find_verb(name, error);
    if (verb == NULL || !adu_read_object(node, verb->fields, &command, error)) {
        return NULL;
    }
    if (command.correlation != NULL && !json_is_string(command.correlation->value)) {
        adu_json_error(command.correlation, error, "expected a string, found %s",
                       adu_json_type_name(command.correlation->value));
        return NULL;
    }
    c->p->counters.control_commands++;
    return verb->run(c, &command, error);
}

static json_t *string_member(const struct adu_json *node, const char *key)
{
    json_t *value = json_object_get(node->value, key); /* NULL if it is no object */
    return json_is_string(value) ? value : NULL;
}

static json_t *answer_one(struct adu_control *c, const struct adu_json *node)
{
    struct adu_error error = {0};
    char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
    json_t *data = run(c, node, &error);
    if (data == NULL && !error.set) {
        adu_error_no_memory(&error);
    }
    return response(string_member(node, "command"), string_member(node, "correlationData"), data,
                    adu_error_format(&error, text, sizeof text));
}

/* --- one message --- */

/* {"responses": [...]}, of which it takes the list; NULL when memory is gone. */
static char *written(json_t *responses)
{
    json_t *root = json_pack("{s:o}", "responses", responses);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}

static char *complaint(const char *error)
{
    json_t *one = response(NULL, NULL, NULL, error);
    return one != NULL ? written(json_pack("[o]", one)) : NULL;
}

static char *answer_all(struct adu_control *c, const struct adu_json *commands)
{
    json_t *responses = json_array();
    bool complete = responses != NULL;
    for (const struct adu_json *node = commands->first; complete && node != NULL;
         node = node->next) {
        complete = json_array_append_new(responses, answer_one(c, node)) == 0;
    }
    if (!complete) {
        json_decref(responses);
        return NULL;
    }
    return written(responses);
}

/* Each command takes its share of a second, of which one is lent. What is not answered takes none.
 */
static bool has_share(struct adu_control *c, size_t commands)
{
    const int64_t now_ms = c->now.mono_ms, had_ms = c->asker->orders_ms;
    const int64_t until_ms = (had_ms > now_ms ? had_ms : now_ms) +
                             (int64_t)commands * (1000 / ADU_CONTROL_A_SECOND_MOST);
    if (until_ms - now_ms > 1000) {
        return false;
    }
    c->asker->orders_ms = until_ms;
    return true;
}

static const char too_many[] = "more commands than are answered: at most 20 a second";

/* A message takes the share of its first command before it is read. */
static char *answer(struct adu_control *c, const struct adu_order *order)
{
    static const struct adu_field fields[] = {
        {.key = "commands", .kind = ADU_FIELD_ARRAY, .required = true}, {0}};
    struct adu_error error = {0};
    char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
    if (order->payload_length > ADU_CONTROL_BYTES_MOST) {
        snprintf(text, sizeof text, "the message has %zu bytes; at most %d are read",
                 order->payload_length, ADU_CONTROL_BYTES_MOST);
        return complaint(text);
    }
    if (!has_share(c, 1)) {
        return complaint(too_many);
    }
    const struct adu_json *commands = NULL;
    char *reply = NULL;
    struct adu_json_document *document = adu_json_parse(
        "message", order->payload_length > 0 ? order->payload : "", order->payload_length, &error);
    if (document == NULL ||
        !adu_read_object(adu_json_root(document), fields, (void *)&commands, &error)) {
        reply = complaint(adu_error_format(&error, text, sizeof text));
    } else if (commands->count == 0 || commands->count > ADU_CONTROL_COMMANDS_MOST) {
        adu_json_error(commands, &error, "expected 1 to %d commands, found %zu",
                       ADU_CONTROL_COMMANDS_MOST, commands->count);
        reply = complaint(adu_error_format(&error, text, sizeof text));
    } else {
        reply = has_share(c, commands->count - 1) ? answer_all(c, commands) : complaint(too_many);
    }
    adu_json_free(document);
    return reply;
}

/* --- who may --- */

static void log_refusal(struct adu_pipeline *p, struct adu_log_window *window, const char *who,
                        const char *why, struct adu_now now)
{
    uint64_t left_out;
    p->counters.control_refused++;
    if (adu_audit_may_log(window, now.mono_ms, &left_out)) {
        adu_pipeline_log(p, ADU_LOG_NOTICE, "refused control %s: %s", who, why);
    } else {
        p->counters.log_lines_left_out++;
    }
}

/* A yes of the truth table is not enough: in watch mode everybody gets one. */
static bool granted(struct adu_pipeline *p, struct adu_principal *asker,
                    const struct adu_order *order, struct adu_now now, struct adu_reason *why)
{
    const struct adu_question question = {.action = ADU_PUBLISH,
                                          .topic = ADU_CONTROL_TOPIC,
                                          .qos = order->qos,
                                          .retain = order->retain,
                                          .payload_length = (uint32_t)order->payload_length};
    const enum adu_verdict verdict = adu_pipeline_would(p, asker, &question, now, why);
    if (verdict == ADU_ABSTAIN) {
        adu_reason_clear(why); /* of a stage whose file is only watched */
        why->text = "orders need a role of acl.json, which is not loaded";
    }
    return verdict == ADU_ALLOW && why->text == NULL;
}

/* The reply is no delivery that the broker would ask about. */
static bool may_read(struct adu_pipeline *p, const struct adu_order *order, struct adu_now now)
{
    const struct adu_question question = {.handle = order->handle,
                                          .client_id = order->client_id,
                                          .action = ADU_RECEIVE,
                                          .topic = ADU_CONTROL_RESPONSE};
    return adu_pipeline_decide(p, &question, now) == ADU_ALLOW;
}

char *adu_pipeline_order(struct adu_pipeline *p, const struct adu_order *order, struct adu_now now)
{
    struct adu_control c = {.p = p,
                            .now = now,
                            .sessions_left = ADU_CONTROL_SESSIONS_MOST,
                            .looks_left = ADU_CONTROL_LOOKED_AT_MOST,
                            .text_left = ADU_CONTROL_TEXT_MOST};
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME], reason[400];
    if (p->attached == 0 || order->client_id == NULL) {
        return NULL;
    }
    adu_pipeline_start(p, now);
    const char *address = p->host->address(order->handle);
    const struct adu_session *session =
        adu_sessions_find(p->sessions, order->handle, order->client_id);
    c.asker = session != NULL && session->online ? session->principal : NULL;
    snprintf(c.who, sizeof c.who, "client=%s username=%s address=%s",
             adu_audit_name(order->client_id, id),
             adu_audit_name(c.asker != NULL ? c.asker->username : NULL, name),
             address != NULL ? address : "-");
    if (c.asker == NULL) { /* what a bridge of this broker brings is not asked about */
        log_refusal(p, &p->connect_log, c.who, "whoever sent it has not logged in here", now);
        return NULL;
    }
    struct adu_reason why;
    char *reply;
    if (!granted(p, c.asker, order, now, &why)) {
        log_refusal(p, &c.asker->log, c.who, adu_audit_reason(&why, reason, sizeof reason), now);
        reply = complaint(reason);
    } else {
        reply = answer(&c, order);
    }
    if (!may_read(p, order, now)) {
        free(reply);
        return NULL;
    }
    c.asker->answered = p->ticks + 1;
    return reply != NULL ? reply : strdup(no_memory);
}
