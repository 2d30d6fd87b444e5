#include "plugins/topic_policy/protobuf.h"
#include "common/utf8.h"
#include <stdint.h>

/* Wire types, and what the fields of the schema hold by way of them. */
enum { VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 };

enum kind { NO_FIELD, NUMBER, NUMBERS, DOUBLE, FLOAT, TEXT, BYTES, MESSAGE };

struct message {
    size_t count;
    const struct field *fields;
};

/* By its number. */
struct field {
    enum kind kind;
    const struct message *message;
};

/* Numbers beyond these are extensions, which may hold anything. */
#define FIELDS(name) .count = sizeof(name) / sizeof((name)[0]), .fields = (name)

static const struct message dataset, template, metric;

static const struct field value_fields[] = {
    [1] = {NUMBER}, [2] = {NUMBER}, [3] = {FLOAT}, [4] = {DOUBLE}, [5] = {NUMBER}, [6] = {TEXT}};
static const struct message dataset_value = {FIELDS(value_fields)};

static const struct field row_fields[] = {[1] = {MESSAGE, &dataset_value}};
static const struct message row = {FIELDS(row_fields)};

static const struct field dataset_fields[] = {
    [1] = {NUMBER}, [2] = {TEXT}, [3] = {NUMBERS}, [4] = {MESSAGE, &row}};
static const struct message dataset = {FIELDS(dataset_fields)};

static const struct field parameter_fields[] = {
    [1] = {TEXT},  [2] = {NUMBER}, [3] = {NUMBER}, [4] = {NUMBER},
    [5] = {FLOAT}, [6] = {DOUBLE}, [7] = {NUMBER}, [8] = {TEXT}};
static const struct message parameter = {FIELDS(parameter_fields)};

static const struct field template_fields[] = {[1] = {TEXT},
                                               [2] = {MESSAGE, &metric},
                                               [3] = {MESSAGE, &parameter},
                                               [4] = {TEXT},
                                               [5] = {NUMBER}};
static const struct message template = {FIELDS(template_fields)};

static const struct message properties, properties_list;

static const struct field property_fields[] = {[1] = {NUMBER},
                                               [2] = {NUMBER},
                                               [3] = {NUMBER},
                                               [4] = {NUMBER},
                                               [5] = {FLOAT},
                                               [6] = {DOUBLE},
                                               [7] = {NUMBER},
                                               [8] = {TEXT},
                                               [9] = {MESSAGE, &properties},
                                               [10] = {MESSAGE, &properties_list}};
static const struct message property = {FIELDS(property_fields)};

static const struct field properties_fields[] = {[1] = {TEXT}, [2] = {MESSAGE, &property}};
static const struct message properties = {FIELDS(properties_fields)};

static const struct field properties_list_fields[] = {[1] = {MESSAGE, &properties}};
static const struct message properties_list = {FIELDS(properties_list_fields)};

static const struct field metadata_fields[] = {
    [1] = {NUMBER}, [2] = {TEXT}, [3] = {NUMBER}, [4] = {NUMBER},
    [5] = {TEXT},   [6] = {TEXT}, [7] = {TEXT},   [8] = {TEXT}};
static const struct message metadata = {FIELDS(metadata_fields)};

static const struct field metric_fields[] = {[1] = {TEXT},
                                             [2] = {NUMBER},
                                             [3] = {NUMBER},
                                             [4] = {NUMBER},
                                             [5] = {NUMBER},
                                             [6] = {NUMBER},
                                             [7] = {NUMBER},
                                             [8] = {MESSAGE, &metadata},
                                             [9] = {MESSAGE, &properties},
                                             [10] = {NUMBER},
                                             [11] = {NUMBER},
                                             [12] = {FLOAT},
                                             [13] = {DOUBLE},
                                             [14] = {NUMBER},
                                             [15] = {TEXT},
                                             [16] = {BYTES},
                                             [17] = {MESSAGE, &dataset},
                                             [18] = {MESSAGE, &template}};
static const struct message metric = {FIELDS(metric_fields)};

static const struct field payload_fields[] = {
    [1] = {NUMBER}, [2] = {MESSAGE, &metric}, [3] = {NUMBER}, [4] = {TEXT}, [5] = {BYTES}};
static const struct message whole = {FIELDS(payload_fields)};

/* --- walking --- */

/* Messages within messages: a template of templates, properties of properties. */
enum { DEPTH_MOST = 16, VARINT_BYTES_MOST = 10 };

static bool refuse(const char **why, const char *text)
{
    *why = text;
    return false;
}

static void skip(struct adu_text *rest, size_t bytes)
{
    rest->bytes += bytes;
    rest->length -= bytes;
}

static bool read_varint(struct adu_text *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MOST && i < rest->length; i++) {
        const unsigned char byte = (unsigned char)rest->bytes[i];
        *value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            skip(rest, i + 1);
            return i < VARINT_BYTES_MOST - 1 || byte <= 1; /* 64 bits */
        }
    }
    return false;
}

/* What a field holds, in the bytes that its wire type says; `within` is a part with a length. */
static bool read_value(struct adu_text *rest, unsigned wire, struct adu_text *within,
                       const char **why)
{
    uint64_t value = 0;
    size_t bytes = 0;
    switch (wire) {
    case VARINT:
        return read_varint(rest, &value) || refuse(why, "a number that does not end");
    case FIXED64:
        bytes = 8;
        break;
    case FIXED32:
        bytes = 4;
        break;
    case LENGTH:
        if (!read_varint(rest, &value)) {
            return refuse(why, "a length that does not end");
        }
        bytes = value <= rest->length ? (size_t)value : rest->length + 1;
        break;
    default:
        return refuse(why, "a wire type that Sparkplug does not use");
    }
    if (bytes > rest->length) {
        return refuse(why, "a field that goes beyond the end of its message");
    }
    *within = (struct adu_text){rest->bytes, bytes};
    skip(rest, bytes);
    return true;
}

static bool wire_fits(enum kind kind, unsigned wire)
{
    switch (kind) {
    case NUMBER:
        return wire == VARINT;
    case NUMBERS: /* one by one, or packed */
        return wire == VARINT || wire == LENGTH;
    case DOUBLE:
        return wire == FIXED64;
    case FLOAT:
        return wire == FIXED32;
    case TEXT:
    case BYTES:
    case MESSAGE:
        return wire == LENGTH;
    case NO_FIELD:
        break;
    }
    return false;
}

static bool numbers_legal(struct adu_text packed)
{
    uint64_t value;
    while (packed.length > 0) {
        if (!read_varint(&packed, &value)) {
            return false;
        }
    }
    return true;
}

struct level {
    const struct message *message;
    struct adu_text rest;
};

/* One field of the message on top of the stack, on which a message within it is put. */
static bool read_field(struct level *stack, int *depth, const char **why)
{
    struct level *top = &stack[*depth];
    const struct message *m = top->message;
    struct adu_text within = {0};
    uint64_t tag;
    if (!read_varint(&top->rest, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) {
        return refuse(why, "no field where one should begin");
    }
    const uint64_t number = tag >> 3;
    const unsigned wire = tag & 7;
    const struct field *field = number < m->count ? &m->fields[number] : NULL;
    if (field != NULL && !wire_fits(field->kind, wire)) {
        return refuse(why, "a field of another wire type than Sparkplug's");
    }
    if (!read_value(&top->rest, wire, &within, why)) {
        return false;
    }
    if (field == NULL) {
        return true;
    }
    if (field->kind == TEXT) {
        return within.length == 0 || adu_utf8_valid(within.bytes, within.length) ||
               refuse(why, "text that is not UTF-8");
    }
    if (field->kind == NUMBERS) {
        return numbers_legal(within) || refuse(why, "a number that does not end");
    }
    if (field->kind == MESSAGE) {
        if (*depth + 1 == DEPTH_MOST) {
            return refuse(why, "more messages within each other than are read");
        }
        stack[++*depth] = (struct level){field->message, within};
    }
    return true;
}

bool adu_sparkplug_payload_legal(struct adu_text payload, const char **why)
{
    struct level stack[DEPTH_MOST];
    int depth = 0;
    *why = NULL;
    stack[0] = (struct level){&whole, payload};
    while (depth >= 0) {
        if (stack[depth].rest.length == 0) {
            depth--;
        } else if (!read_field(stack, &depth, why)) {
            return false;
        }
    }
    return true;
}
