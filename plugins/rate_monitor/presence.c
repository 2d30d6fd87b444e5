#include "plugins/rate_monitor/presence.h"
#include "plugins/rate_monitor/alert.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct adu_presences {
    struct adu_client_presence *by_client_id;
    struct adu_client_presence *first_due, **last_due;
};

struct adu_presences *adu_presences_new(void)
{
    struct adu_presences *table = calloc(1, sizeof *table);
    if (table != NULL) {
        table->last_due = &table->first_due;
    }
    return table;
}

/* --- entries --- */

static void make_due(struct adu_presences *table, struct adu_client_presence *presence)
{
    if (presence->due) {
        return;
    }
    presence->due = true;
    presence->next_due = NULL;
    *table->last_due = presence;
    table->last_due = &presence->next_due;
}

static void take_due(struct adu_presences *table, struct adu_client_presence *presence)
{
    struct adu_client_presence **link = &table->first_due;
    while (*link != presence) {
        link = &(*link)->next_due;
    }
    *link = presence->next_due;
    if (*link == NULL) {
        table->last_due = link;
    }
    presence->due = false;
}

static void own(struct adu_client_presence *presence, struct adu_client_presence **owner)
{
    if (presence->owner != NULL) {
        *presence->owner = NULL;
    }
    presence->owner = owner;
    if (owner != NULL) {
        *owner = presence;
    }
}

static struct adu_client_presence *make(struct adu_presences *table, const char *client_id)
{
    const size_t length = strlen(client_id);
    struct adu_client_presence *presence = calloc(1, sizeof *presence + length + 1);
    if (presence == NULL) {
        return NULL;
    }
    memcpy(presence->client_id, client_id, length + 1);
    HASH_ADD_KEYPTR(hh, table->by_client_id, presence->client_id, length, presence);
    if (presence->hh.tbl == NULL) {
        free(presence);
        return NULL;
    }
    return presence;
}

static struct adu_client_presence *get(struct adu_presences *table, const char *client_id)
{
    struct adu_client_presence *presence;
    HASH_FIND_STR(table->by_client_id, client_id, presence);
    return presence != NULL ? presence : make(table, client_id);
}

void adu_presence_remove(struct adu_presences *table, struct adu_client_presence *presence)
{
    if (presence->due) {
        take_due(table, presence);
    }
    own(presence, NULL);
    HASH_DELETE(hh, table->by_client_id, presence);
    free(presence->topic);
    free(presence);
}

void adu_presences_free(struct adu_presences *table)
{
    while (table != NULL && table->by_client_id != NULL) {
        table->by_client_id->due = false; /* nobody comes to it any more */
        adu_presence_remove(table, table->by_client_id);
    }
    free(table);
}

size_t adu_presence_count(const struct adu_presences *table)
{
    return HASH_COUNT(table->by_client_id);
}

/* --- what happens --- */

static void become(struct adu_presences *table, struct adu_client_presence *presence, bool online,
                   enum adu_presence_reason reason, int64_t since_ms)
{
    presence->online = online;
    presence->reason = (uint8_t)reason;
    presence->since_ms = since_ms;
    presence->untold = true;
    presence->forgotten = false;
    make_due(table, presence);
}

bool adu_presence_connected(struct adu_presences *table, struct adu_client_presence **owner,
                            const char *client_id, int64_t wall_ms)
{
    struct adu_client_presence *presence = *owner != NULL ? *owner : get(table, client_id);
    if (presence == NULL) {
        return false;
    }
    own(presence, owner);
    become(table, presence, true,
           presence->online ? ADU_PRESENCE_TAKEN_OVER : ADU_PRESENCE_CONNECTED, wall_ms);
    return true;
}

void adu_presence_left(struct adu_presences *table, struct adu_client_presence **owner,
                       enum adu_presence_reason reason, int64_t wall_ms)
{
    if (*owner != NULL && (*owner)->online) {
        become(table, *owner, false, reason, wall_ms);
    }
}

void adu_presence_will(struct adu_client_presence **owner)
{
    struct adu_client_presence *presence = *owner;
    if (presence != NULL && !presence->online && presence->untold &&
        presence->reason == ADU_PRESENCE_ENDED) {
        presence->reason = ADU_PRESENCE_LOST;
    }
}

void adu_presence_forget(struct adu_presences *table, struct adu_client_presence **owner)
{
    struct adu_client_presence *presence = *owner;
    if (presence != NULL) {
        own(presence, NULL);
        presence->forgotten = true;
        make_due(table, presence);
    }
}

bool adu_presence_restore(struct adu_presences *table, struct adu_client_presence **owner,
                          const char *client_id, bool online, enum adu_presence_reason reason,
                          int64_t since_ms, const char *topic, int64_t wall_ms)
{
    struct adu_client_presence *presence = get(table, client_id);
    char *copy = presence != NULL && topic != NULL ? strdup(topic) : NULL;
    if (presence == NULL || (topic != NULL && copy == NULL)) {
        return false;
    }
    free(presence->topic);
    presence->topic = copy;
    own(presence, owner);
    become(table, presence, false, online ? ADU_PRESENCE_RESTARTED : reason,
           online ? wall_ms : since_ms);
    return true;
}

void adu_presence_all_due(struct adu_presences *table)
{
    struct adu_client_presence *presence = table->by_client_id;
    for (; presence != NULL; presence = presence->hh.next) {
        make_due(table, presence);
    }
}

struct adu_client_presence *adu_presence_next(struct adu_presences *table)
{
    struct adu_client_presence *presence = table->first_due;
    if (presence != NULL) {
        take_due(table, presence);
    }
    return presence;
}

/* --- the message --- */

char *adu_presence_json(const struct adu_client_presence *presence, const char *username)
{
    static const char *const reasons[ADU_PRESENCE_REASONS] = {
        [ADU_PRESENCE_CONNECTED] = "connected",        [ADU_PRESENCE_TAKEN_OVER] = "taken_over",
        [ADU_PRESENCE_DISCONNECTED] = "disconnected",  [ADU_PRESENCE_LOST] = "connection_lost",
        [ADU_PRESENCE_KICKED] = "disconnected_by_us",  [ADU_PRESENCE_ENDED] = "ended",
        [ADU_PRESENCE_RESTARTED] = "broker_restarted",
    };
    char since[48];
    json_t *object = json_pack(
        "{s:s, s:s*, s:s, s:s, s:s}", "client_id", presence->client_id, "username", username,
        "state", presence->online ? "online" : "offline", "reason", reasons[presence->reason],
        "since", adu_alert_time(presence->since_ms, since, sizeof since));
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}
