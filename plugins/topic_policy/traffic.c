#include "plugins/topic_policy/traffic.h"
#include "common/reader.h"
#include "common/utf8.h"
#include "plugins/topic_policy/protobuf.h"
#include <stdio.h>
#include <string.h>

/* Of a payload that is read: no message keeps the broker from its work for long. */
enum { READ_BYTES_DEFAULT = 65536, READ_BYTES_MOST = 1048576 };
/* Of any message (MQTT 5 section 1.5.5). */
enum { BYTES_MOST = 268435455 };
/* Texts of a list that is gone through. */
enum { TYPES_MOST = 16 };

const char *const adu_retain_rule_names[] = {[ADU_RETAIN_OPTIONAL] = "optional",
                                             [ADU_RETAIN_REQUIRED] = "required",
                                             [ADU_RETAIN_FORBIDDEN] = "forbidden",
                                             NULL};

static const char *const format_names[] = {[ADU_PAYLOAD_ANY] = "any",
                                           [ADU_PAYLOAD_UTF8] = "utf8",
                                           [ADU_PAYLOAD_NUMBER] = "number",
                                           [ADU_PAYLOAD_JSON] = "json",
                                           [ADU_PAYLOAD_SPARKPLUG] = "sparkplug",
                                           NULL};

struct qos_keys {
    long min, max;
};

static const struct adu_field qos_fields[] = {
    ADU_FIELD(struct qos_keys, min, INTEGER, .maximum = 2),
    ADU_FIELD(struct qos_keys, max, INTEGER, .maximum = 2),
    {0},
};

struct payload_keys {
    long min_bytes, max_bytes;
    int format;
    const struct adu_json *schema;
};

static const struct adu_field payload_fields[] = {
    ADU_FIELD(struct payload_keys, min_bytes, INTEGER, .maximum = BYTES_MOST),
    ADU_FIELD(struct payload_keys, max_bytes, INTEGER, .maximum = BYTES_MOST),
    ADU_FIELD(struct payload_keys, format, CHOICE, .choices = format_names),
    ADU_FIELD(struct payload_keys, schema, OBJECT),
    {0},
};

static bool compile_qos(struct adu_compiler *c, const struct adu_json *object,
                        struct adu_traffic *traffic)
{
    struct qos_keys keys = {.min = 0, .max = 2};
    if (object != NULL) {
        traffic->qos_place = adu_compiler_place(c, &object->place);
        if (!adu_read_object(object, qos_fields, &keys, c->error)) {
            return false;
        }
    }
    traffic->least_qos = keys.min;
    traffic->most_qos = keys.max;
    return keys.min <= keys.max ||
           adu_json_error(object, c->error, "min %ld is more than max %ld", keys.min, keys.max);
}

static bool check_payload(struct adu_compiler *c, const struct adu_json *object,
                          const struct payload_keys *keys)
{
    const bool read = keys->format == ADU_PAYLOAD_JSON || keys->format == ADU_PAYLOAD_NUMBER;
    if (keys->schema != NULL && !read) {
        return adu_json_error(keys->schema, c->error,
                              "it needs \"format\": \"json\" or \"number\" beside it");
    }
    if (keys->min_bytes > keys->max_bytes) {
        return adu_json_error(object, c->error, "min %ld is more than max %ld", keys->min_bytes,
                              keys->max_bytes);
    }
    return keys->format == ADU_PAYLOAD_ANY || keys->max_bytes <= READ_BYTES_MOST ||
           adu_json_error(object, c->error, "a payload that is read may have at most %d max_bytes",
                          READ_BYTES_MOST);
}

static bool compile_payload(struct adu_compiler *c, const struct adu_json *object,
                            struct adu_traffic *traffic)
{
    struct payload_keys keys = {.max_bytes = -1};
    if (object != NULL) {
        traffic->payload_place = adu_compiler_place(c, &object->place);
        if (!adu_read_object(object, payload_fields, &keys, c->error)) {
            return false;
        }
    }
    if (keys.max_bytes < 0) {
        keys.max_bytes = keys.format == ADU_PAYLOAD_ANY ? BYTES_MOST : READ_BYTES_DEFAULT;
    }
    traffic->least_bytes = keys.min_bytes;
    traffic->most_bytes = keys.max_bytes;
    traffic->format = keys.format;
    return (object == NULL || check_payload(c, object, &keys)) &&
           (keys.schema == NULL || (traffic->schema = adu_schema_compile(c, keys.schema)) != NULL);
}

/* --- properties --- */

struct type_keys {
    const struct adu_json *one_of;
    bool required;
};

static const struct adu_field type_fields[] = {
    ADU_FIELD(struct type_keys, one_of, ARRAY, .required = true),
    ADU_FIELD(struct type_keys, required, BOOL),
    {0},
};

static bool compile_type(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_traffic *traffic)
{
    struct type_keys keys = {0};
    if (object == NULL) {
        return true;
    }
    traffic->type_place = adu_compiler_place(c, &object->place);
    if (!adu_read_object(object, type_fields, &keys, c->error)) {
        return false;
    }
    if (keys.one_of->count == 0 || keys.one_of->count > TYPES_MOST) {
        return adu_json_error(keys.one_of, c->error, "expected 1 to %d texts", TYPES_MOST);
    }
    traffic->type_required = keys.required;
    traffic->types = adu_arena_array(c->arena, keys.one_of->count, sizeof *traffic->types);
    const struct adu_json *node = keys.one_of->first;
    for (; traffic->types != NULL && node != NULL; node = node->next) {
        const char *text = adu_read_string(node, c->error);
        const char *copy = text != NULL ? adu_arena_strdup(c->arena, text) : NULL;
        if (copy == NULL) {
            return text != NULL ? adu_error_no_memory(c->error) : false;
        }
        traffic->types[traffic->type_count++] = adu_text_of(copy);
    }
    return traffic->types != NULL || adu_error_no_memory(c->error);
}

bool adu_traffic_compile(struct adu_compiler *c, const struct adu_traffic_keys *keys,
                         struct adu_traffic *traffic)
{
    if (keys->retain_node != NULL) {
        traffic->retain_place = adu_compiler_place(c, &keys->retain_node->place);
    }
    traffic->retain = keys->retain;
    traffic->asks = keys->qos != NULL || keys->payload != NULL ||
                    keys->retain != ADU_RETAIN_OPTIONAL || keys->content_type != NULL;
    return compile_qos(c, keys->qos, traffic) && compile_payload(c, keys->payload, traffic) &&
           compile_type(c, keys->content_type, traffic);
}

/* --- deciding --- */

static bool refuse(struct adu_reason *why, const char *text, const struct adu_place *place)
{
    why->text = text;
    why->rule = place;
    return false;
}

static bool refuse_limit(struct adu_reason *why, const char *text, long limit,
                         const struct adu_place *place)
{
    why->limit = limit;
    return refuse(why, text, place);
}

static bool qos_legal(const struct adu_traffic *t, const struct adu_request *request,
                      struct adu_reason *why)
{
    if (request->qos < t->least_qos) {
        return refuse_limit(why, "the QoS is lower than the namespace asks for", t->least_qos,
                            &t->qos_place);
    }
    return request->qos <= t->most_qos ||
           refuse_limit(why, "the QoS is higher than the namespace allows", t->most_qos,
                        &t->qos_place);
}

static bool retain_legal(const struct adu_traffic *t, const struct adu_request *request,
                         struct adu_reason *why)
{
    if (t->retain == ADU_RETAIN_REQUIRED && !request->retain) {
        return refuse(why, "the namespace's messages must be retained", &t->retain_place);
    }
    return t->retain != ADU_RETAIN_FORBIDDEN || !request->retain ||
           refuse(why, "the namespace's messages must not be retained", &t->retain_place);
}

static bool size_legal(const struct adu_traffic *t, const struct adu_request *request,
                       struct adu_reason *why)
{
    if ((long)request->payload_length < t->least_bytes) {
        return refuse_limit(why, "the payload has too few bytes", t->least_bytes,
                            &t->payload_place);
    }
    return (long)request->payload_length <= t->most_bytes ||
           refuse_limit(why, "the payload has too many bytes", t->most_bytes, &t->payload_place);
}

static bool json_legal(const struct adu_traffic *t, struct adu_text payload, struct adu_reason *why)
{
    static const struct adu_schema number = {.types = ADU_TYPE_NUMBER,
                                             .min_length = -1,
                                             .max_length = -1,
                                             .min_items = -1,
                                             .max_items = -1};
    const bool is_number = t->format == ADU_PAYLOAD_NUMBER;
    if ((is_number && !adu_schema_holds(&number, payload, why->detail)) ||
        (t->schema != NULL && !adu_schema_holds(t->schema, payload, why->detail)) ||
        (t->schema == NULL && !is_number && !adu_schema_holds(NULL, payload, why->detail))) {
        return refuse(why,
                      is_number ? "the payload is no such number as it should be:"
                                : "the payload is no such JSON as it should be:",
                      &t->payload_place);
    }
    return true;
}

static bool sparkplug_legal(const struct adu_traffic *t, struct adu_text payload,
                            struct adu_reason *why)
{
    const char *found;
    if (adu_sparkplug_payload_legal(payload, &found)) {
        return true;
    }
    snprintf(why->detail, sizeof why->detail, "%s", found);
    return refuse(why, "the payload is not of Sparkplug B's form:", &t->payload_place);
}

static bool format_legal(const struct adu_traffic *t, const struct adu_request *request,
                         struct adu_reason *why)
{
    const struct adu_text payload = {request->payload != NULL ? request->payload : "",
                                     request->payload_length};
    if (t->format == ADU_PAYLOAD_ANY) {
        return true;
    }
    if (request->payload == NULL && payload.length > 0) {
        return !request->attempt || /* an inquiry */
               refuse(why, "the payload cannot be seen", &t->payload_place);
    }
    if (t->format == ADU_PAYLOAD_UTF8) {
        return payload.length == 0 || adu_utf8_valid(payload.bytes, payload.length) ||
               refuse(why, "the payload is not UTF-8", &t->payload_place);
    }
    return t->format == ADU_PAYLOAD_SPARKPLUG ? sparkplug_legal(t, payload, why)
                                              : json_legal(t, payload, why);
}

static bool type_legal(const struct adu_traffic *t, const struct adu_request *request,
                       struct adu_reason *why)
{
    const struct adu_properties *properties = request->properties;
    struct adu_text type;
    if (t->type_count == 0) {
        return true;
    }
    if (properties == NULL) {
        return !request->attempt || /* an inquiry */
               refuse(why, "this broker, before 2.1, shows no content type to plugins",
                      &t->type_place);
    }
    if (!properties->content_type(properties->list, &type)) {
        return !t->type_required ||
               refuse(why, "the namespace's messages must have a content type", &t->type_place);
    }
    for (size_t i = 0; i < t->type_count; i++) {
        if (t->types[i].length == type.length &&
            memcmp(t->types[i].bytes, type.bytes, type.length) == 0) {
            return true;
        }
    }
    return refuse(why, "the content type is none of the namespace's", &t->type_place);
}

/* A retained message of no bytes deletes what is retained: it has no payload that could be wrong.
 */
static bool is_deletion(const struct adu_request *request)
{
    return request->retain && request->payload_length == 0;
}

bool adu_traffic_legal(const struct adu_traffic *t, const struct adu_request *request,
                       struct adu_reason *why)
{
    return qos_legal(t, request, why) && retain_legal(t, request, why) &&
           (is_deletion(request) || (type_legal(t, request, why) && size_legal(t, request, why) &&
                                     format_legal(t, request, why)));
}
