#include "plugins/topic_policy/sparkplug.h"
#include "common/match.h"
#include "common/reader.h"
#include "common/topic_pattern.h"
#include "common/vocabulary.h"
#include "plugins/topic_policy/filters.h"
#include "plugins/topic_policy/protobuf.h"
#include <stdio.h>

struct keys {
    const char *edge_node, *group;
    const struct adu_json *host_roles;
    bool payloads;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, edge_node, STRING, .required = true),
    ADU_FIELD(struct keys, group, STRING),
    ADU_FIELD(struct keys, host_roles, ARRAY),
    ADU_FIELD(struct keys, payloads, BOOL),
    {0},
};

enum from { FROM_NODE, FROM_HOST };

/* The types of messages: spBv1.0/group/TYPE/node, with a device behind it or not. */
static const struct {
    const char *name;
    enum from from;
    bool device;
    uint8_t qos; /* of an NDEATH, a will, it is 1 */
} types[] = {
    {"NBIRTH", FROM_NODE, false, 0}, {"NDEATH", FROM_NODE, false, 1},
    {"NDATA", FROM_NODE, false, 0},  {"DBIRTH", FROM_NODE, true, 0},
    {"DDEATH", FROM_NODE, true, 0},  {"DDATA", FROM_NODE, true, 0},
    {"NCMD", FROM_HOST, false, 0},   {"DCMD", FROM_HOST, true, 0},
};

enum { TYPES = sizeof types / sizeof types[0], LEVELS = 5 };

static bool use_attribute(struct adu_compiler *c, const struct adu_json *object, const char *key,
                          const char *name, int *slot)
{
    const struct adu_json *node = adu_json_member(object, key);
    *slot = ADU_NO_NAME;
    if (node == NULL) {
        return true;
    }
    if (!adu_read_is_name(node, name, c->error)) {
        return false;
    }
    *slot = adu_vocabulary_use_attribute(c->vocabulary, name, &node->place);
    return *slot != ADU_NO_NAME || adu_error_no_memory(c->error);
}

bool adu_sparkplug_compile(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_sparkplug *sparkplug)
{
    struct keys keys = {0};
    if (object == NULL) {
        return true;
    }
    sparkplug->asks = true;
    sparkplug->place = adu_compiler_place(c, &object->place);
    if (!adu_read_object(object, fields, &keys, c->error) ||
        !use_attribute(c, object, "edge_node", keys.edge_node, &sparkplug->node) ||
        !use_attribute(c, object, "group", keys.group, &sparkplug->group)) {
        return false;
    }
    sparkplug->payloads = keys.payloads;
    const int *roles =
        keys.host_roles != NULL ? adu_role_list_compile(c, keys.host_roles) : (const int[]){-1};
    return roles != NULL && adu_role_set(c, roles, &sparkplug->hosts);
}

bool adu_sparkplug_owns(const struct adu_sparkplug *sparkplug, struct adu_text topic)
{
    struct adu_text level;
    return sparkplug->asks && adu_topic_next_level(&topic, &level) &&
           (adu_text_is(level, "spBv1.0") || adu_text_is(level, "$sparkplug"));
}

static bool refuse(struct adu_reason *why, const char *text)
{
    why->text = text;
    return false;
}

/* A topic or filter in parts. */
struct parts {
    struct adu_text levels[LEVELS];
    size_t count;
    bool open_ended; /* a final #, which does not count */
};

static bool take_apart(struct adu_text topic, struct parts *parts)
{
    struct adu_text level;
    *parts = (struct parts){0};
    while (adu_topic_next_level(&topic, &level)) {
        if (adu_text_is(level, "#")) {
            parts->open_ended = true;
            return true;
        }
        if (parts->count == LEVELS || level.length == 0) {
            return false;
        }
        parts->levels[parts->count++] = level;
    }
    return true;
}

static int type_of(struct adu_text level)
{
    int type = 0;
    while (type < TYPES && !adu_text_is(level, types[type].name)) {
        type++;
    }
    return type;
}

/* --- filters --- */

static bool filter_legal(const struct parts *parts, struct adu_reason *why)
{
    const bool state = parts->count > 1 && adu_text_is(parts->levels[1], "STATE");
    if (state) {
        return parts->count == 3 || (parts->count < 3 && parts->open_ended) ||
               refuse(why, "no Sparkplug topic can match: it is spBv1.0/STATE/host");
    }
    if (parts->count < 3) {
        return parts->open_ended || refuse(why, "no Sparkplug topic has so few levels");
    }
    if (adu_text_is(parts->levels[2], "+")) {
        return true;
    }
    const int type = type_of(parts->levels[2]);
    if (type == TYPES) {
        return refuse(why, "no Sparkplug message has this type");
    }
    const size_t levels = types[type].device ? 5 : 4;
    return parts->count == levels || (parts->count < levels && parts->open_ended) ||
           (parts->count == levels && parts->open_ended) ||
           refuse(why, "no Sparkplug topic of this type has so many levels, or so few");
}

/* --- messages --- */

static bool names(const struct adu_request *request, int slot, struct adu_text level)
{
    const char *value = request->subject->values != NULL ? request->subject->values[slot] : NULL;
    return value != NULL && adu_text_is(level, value);
}

static bool publisher_legal(const struct adu_sparkplug *s, const struct adu_request *request,
                            const struct parts *parts, int type, struct adu_reason *why)
{
    if (types[type].from == FROM_HOST) {
        return adu_roles_overlap(&s->hosts, &request->subject->roles) ||
               refuse(why, "Sparkplug commands are for sparkplug.host_roles");
    }
    if (!names(request, s->node, parts->levels[3])) {
        why->level = 4;
        why->level_text = parts->levels[3];
        return refuse(why, "the client is not this Sparkplug edge node");
    }
    if (s->group != ADU_NO_NAME && !names(request, s->group, parts->levels[1])) {
        why->level = 2;
        why->level_text = parts->levels[1];
        return refuse(why, "the client's Sparkplug edge node is not of this group");
    }
    return true;
}

/* STATE of a host application: retained, with QoS 1. */
static bool state_legal(const struct adu_sparkplug *s, const struct adu_request *request,
                        const struct parts *parts, struct adu_reason *why)
{
    if (parts->count != 3) {
        return refuse(why, "no such Sparkplug topic: it is spBv1.0/STATE/host");
    }
    if (!adu_roles_overlap(&s->hosts, &request->subject->roles)) {
        return refuse(why, "Sparkplug STATE is for sparkplug.host_roles");
    }
    return (request->qos == 1 && request->retain) ||
           refuse(why, "Sparkplug STATE is published with QoS 1 and retained");
}

/* A birth of a big node has some hundred thousand bytes. */
enum { PAYLOAD_MOST = 1048576 };

/* One that is not known, as in an inquiry, is not looked at. */
static bool payload_legal(const struct adu_sparkplug *s, const struct adu_request *request,
                          struct adu_reason *why)
{
    const struct adu_text payload = {request->payload, request->payload_length};
    const char *found;
    if (!s->payloads || (payload.bytes == NULL && !request->attempt)) {
        return true;
    }
    if (payload.length > PAYLOAD_MOST) {
        why->limit = PAYLOAD_MOST;
        return refuse(why, "a Sparkplug payload of more bytes than are read");
    }
    if (payload.length == 0 || payload.bytes == NULL) {
        return refuse(why, "a Sparkplug message of this type has a payload");
    }
    if (adu_sparkplug_payload_legal(payload, &found)) {
        return true;
    }
    snprintf(why->detail, sizeof why->detail, "%s", found);
    return refuse(why, "the payload is not of Sparkplug B's form:");
}

static bool message_legal(const struct adu_sparkplug *s, const struct adu_request *request,
                          const struct parts *parts, struct adu_reason *why)
{
    if (parts->count > 1 && adu_text_is(parts->levels[1], "STATE")) {
        return state_legal(s, request, parts, why);
    }
    const int type = parts->count > 3 ? type_of(parts->levels[2]) : TYPES;
    if (type == TYPES || parts->count != (types[type].device ? 5 : 4)) {
        return refuse(why,
                      "no such Sparkplug topic: it is spBv1.0/group/type/node, and /device for "
                      "the types of devices");
    }
    if (!publisher_legal(s, request, parts, type, why)) {
        return false;
    }
    if (request->qos != types[type].qos || request->retain) {
        return refuse(why, types[type].qos == 1 ? "a Sparkplug NDEATH has QoS 1 and is not retained"
                                                : "a Sparkplug message of this type has QoS 0 and "
                                                  "is not retained");
    }
    return payload_legal(s, request, why);
}

bool adu_sparkplug_legal(const struct adu_sparkplug *s, const struct adu_request *request,
                         struct adu_reason *why)
{
    struct parts parts;
    why->rule = &s->place;
    if (adu_topic_hidden(request->topic)) { /* certificates: births that the broker itself keeps */
        return request->action == ADU_SUBSCRIBE ||
               refuse(why, "what is below $sparkplug is the broker's own");
    }
    if (!take_apart(request->topic, &parts)) {
        return refuse(why, "no Sparkplug topic has an empty level, or so many levels");
    }
    if (request->action == ADU_SUBSCRIBE) {
        return filter_legal(&parts, why);
    }
    why->passing = true;
    return message_legal(s, request, &parts, why);
}
