/* sessions: who is connected, and whom the broker keeps a session for. A page at a time, in the
 * order in which their client ids became known. */
#include "common/control_parts.h"
#include <string.h>

const struct adu_field adu_control_sessions_fields[] = {
    ADU_COMMAND_FIELDS,
    ADU_FIELD(struct adu_command, client_id, STRING),
    ADU_FIELD(struct adu_command, after, STRING),
    ADU_FIELD(struct adu_command, limit, INTEGER, .minimum = 1,
              .maximum = ADU_CONTROL_SESSIONS_MOST),
    {0},
};

/* What stands around a text in JSON, roughly. */
enum { FRAME = 24 };

/* What a judgement costs: a certificate is read for it. */
enum { AS_MANY_LOOKS = 100 };

json_t *adu_control_said(struct adu_control *c, const char *text)
{
    const size_t length = FRAME + (text != NULL ? strlen(text) : 0);
    c->text_left -= length < c->text_left ? length : c->text_left;
    return adu_control_text(text);
}

static json_t *roles(struct adu_control *c, const struct adu_principal *principal)
{
    const struct adu_vocabulary *v = c->p->policy->vocabulary;
    const struct adu_roles *set = &principal->subject.roles;
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; i < set->count; i++) {
        for (uint64_t bits = set->words[i]; complete && bits != 0; bits &= bits - 1) {
            const size_t role = i * 64 + (size_t)__builtin_ctzll(bits);
            complete = json_array_append_new(
                           list, adu_control_said(c, adu_vocabulary_role_name(v, role))) == 0;
        }
    }
    if (!complete) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* A name that is there several times becomes a list. */
static bool add_attribute(struct adu_control *c, json_t *object, const struct adu_attribute *a)
{
    json_t *value = adu_control_said(c, a->value);
    json_t *before = json_object_get(object, a->name);
    if (before == NULL) {
        return json_object_set_new(object, a->name, value) == 0;
    }
    if (!json_is_array(before)) {
        json_t *list = json_pack("[O]", before);
        if (list == NULL || json_object_set_new(object, a->name, list) != 0) {
            json_decref(value);
            return false;
        }
        before = list;
    }
    return json_array_append_new(before, value) == 0;
}

static json_t *attributes(struct adu_control *c, const struct adu_principal *principal)
{
    const struct adu_attributes *list = &principal->subject.attributes;
    json_t *object = json_object();
    bool complete = object != NULL;
    for (size_t i = 0; complete && i < list->count; i++) {
        complete = add_attribute(c, object, &list->items[i]);
    }
    if (!complete) {
        json_decref(object);
        return NULL;
    }
    return object;
}

void adu_control_judge(struct adu_control *c, struct adu_principal *principal)
{
    if (principal->judged != c->p->policy->number) {
        adu_pipeline_judge(c->p, principal, c->now);
        c->looks_left -= c->looks_left < AS_MANY_LOOKS ? c->looks_left : AS_MANY_LOOKS;
    }
}

static json_t *one(struct adu_control *c, struct adu_principal *principal)
{
    char address[ADU_ADDRESS_TEXT];
    adu_control_judge(c, principal); /* its roles may be numbers of another policy */
    return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:I, s:b, s:o}", "client_id",
                     adu_control_said(c, adu_principal_client_id(principal)), "username",
                     adu_control_said(c, principal->username), "online", principal->online > 0,
                     "durable", principal->durable, "address",
                     adu_control_said(c, adu_address_text(&principal->address, address)), "roles",
                     roles(c, principal), "attributes", attributes(c, principal), "seen",
                     adu_control_time(principal->seen_ms), "generation",
                     (json_int_t)principal->judged, "valid", principal->valid, "why",
                     adu_control_said(c, principal->valid ? NULL : principal->why));
}

/* All principals of one client id. false when memory is gone. */
static bool add_client(struct adu_control *c, json_t *list, struct adu_principal *principal)
{
    for (; principal != NULL; principal = principal->next_of_client) {
        if (principal->online == 0 && !principal->durable) {
            continue;
        }
        if (json_array_append_new(list, one(c, principal)) != 0) {
            return false;
        }
        c->sessions_left -= c->sessions_left > 0;
    }
    return true;
}

static bool add_page(struct adu_control *c, json_t *list, struct adu_principal *next, long limit,
                     adu_control_add add, const char **last)
{
    struct adu_principal *principal = next;
    while (principal != NULL && json_array_size(list) < (size_t)limit && c->sessions_left > 0 &&
           c->looks_left > 0 && c->text_left > 0) {
        if (!add(c, list, principal)) {
            return false;
        }
        c->looks_left -= c->looks_left > 0;
        *last = adu_principal_client_id(principal);
        principal = adu_principals_next_client(c->p->principals, principal);
    }
    if (principal == NULL) {
        *last = NULL; /* that was all */
    }
    return true;
}

json_t *adu_control_pages(struct adu_control *c, const struct adu_command *command, const char *key,
                          adu_control_add add, struct adu_error *error)
{
    struct adu_principals *all = c->p->principals;
    const char *last = command->after; /* where nothing more fits, the next page begins again */
    struct adu_principal *next = NULL;
    if (command->client_id == NULL && command->after == NULL) {
        next = adu_principals_next_client(all, NULL);
    } else if (command->client_id == NULL) {
        const struct adu_principal *before = adu_principals_of_client(all, command->after);
        if (before == NULL) {
            adu_error_set(error, NULL, "the client of \"after\" is no longer known: begin again");
            return NULL;
        }
        next = adu_principals_next_client(all, before);
    }
    if (c->sessions_left == 0 || c->looks_left == 0 || c->text_left == 0) {
        adu_error_set(error, NULL, "no room is left in this answer: ask in another message");
        return NULL;
    }
    json_t *list = json_array();
    const bool complete =
        list != NULL && (command->client_id != NULL
                             ? add(c, list, adu_principals_of_client(all, command->client_id))
                             : add_page(c, list, next, command->limit, add, &last));
    if (!complete) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o, s:o}", key, list, "next",
                     adu_control_text(command->client_id != NULL ? NULL : last));
}

json_t *adu_control_sessions(struct adu_control *c, const struct adu_command *command,
                             struct adu_error *error)
{
    return adu_control_pages(c, command, "sessions", add_client, error);
}
