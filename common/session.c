#include "common/session.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

struct entry {
    struct adu_session session; /* first: an entry is its session */
    bool ages;                  /* in the list of those closed for good */
    UT_hash_handle hh;
};

struct adu_sessions {
    struct entry *by_handle;
    struct adu_session *first_closed, *last_closed;
    size_t closed;
};

struct adu_sessions *adu_sessions_new(void)
{
    return calloc(1, sizeof(struct adu_sessions));
}

static struct entry *find(struct adu_sessions *table, const void *handle)
{
    struct entry *e;
    HASH_FIND_PTR(table->by_handle, &handle, e);
    return e;
}

struct adu_session *adu_sessions_find(struct adu_sessions *table, const void *handle,
                                      const char *client_id)
{
    struct entry *e = find(table, handle);
    return e != NULL && strcmp(e->session.client_id, client_id) == 0 ? &e->session : NULL;
}

static void start_ageing(struct adu_sessions *table, struct entry *e)
{
    struct adu_session *s = &e->session;
    e->ages = true;
    s->closed_before = table->last_closed;
    s->closed_after = NULL;
    if (table->last_closed != NULL) {
        table->last_closed->closed_after = s;
    } else {
        table->first_closed = s;
    }
    table->last_closed = s;
    table->closed++;
}

static void stop_ageing(struct adu_sessions *table, struct entry *e)
{
    struct adu_session *s = &e->session;
    if (s->closed_before != NULL) {
        s->closed_before->closed_after = s->closed_after;
    } else {
        table->first_closed = s->closed_after;
    }
    if (s->closed_after != NULL) {
        s->closed_after->closed_before = s->closed_before;
    } else {
        table->last_closed = s->closed_before;
    }
    e->ages = false;
    table->closed--;
}

static void disown(struct adu_session *s)
{
    if (s->principal == NULL) {
        return;
    }
    if (s->online) {
        s->principal->online--;
    }
    struct adu_session **link = &s->principal->sessions;
    while (*link != s) {
        link = &(*link)->next_of_principal;
    }
    *link = s->next_of_principal;
}

static void forget(struct adu_sessions *table, struct entry *e)
{
    if (e->ages) {
        stop_ageing(table, e);
    }
    disown(&e->session);
    HASH_DELETE(hh, table->by_handle, e);
    free(e->session.client_id);
    free(e);
}

void adu_sessions_free(struct adu_sessions *table)
{
    while (table != NULL && table->by_handle != NULL) {
        forget(table, table->by_handle);
    }
    free(table);
}

struct adu_session *adu_sessions_open(struct adu_sessions *table, const void *handle,
                                      const char *client_id, struct adu_principal *principal,
                                      bool durable)
{
    struct entry *stale = find(table, handle);
    if (stale != NULL) {
        forget(table, stale);
    }
    struct entry *e = calloc(1, sizeof *e);
    if (e == NULL || (e->session.client_id = strdup(client_id)) == NULL) {
        free(e);
        return NULL;
    }
    e->session.handle = handle;
    e->session.online = true;
    e->session.durable = durable;
    HASH_ADD_PTR(table->by_handle, session.handle, e);
    if (e->hh.tbl == NULL) {
        free(e->session.client_id);
        free(e);
        return NULL;
    }
    if (principal != NULL) {
        adu_sessions_own(&e->session, principal);
    }
    return &e->session;
}

void adu_sessions_own(struct adu_session *session, struct adu_principal *principal)
{
    session->principal = principal;
    session->next_of_principal = principal->sessions;
    principal->sessions = session;
    if (session->online) {
        principal->online++;
    }
}

void adu_sessions_close(struct adu_sessions *table, struct adu_session *session, int64_t now_ms)
{
    struct entry *e = (struct entry *)session;
    const bool was_online = session->online;
    if (was_online) {
        session->online = false;
        session->closed_ms = now_ms;
        if (session->principal != NULL) {
            session->principal->online--;
        }
    }
    if (!e->ages && !(was_online && session->durable)) {
        start_ageing(table, e);
    }
}

void adu_sessions_expire(struct adu_sessions *table, int64_t now_ms)
{
    while (table->first_closed != NULL &&
           (table->closed > ADU_SESSIONS_CLOSED_MOST ||
            now_ms - table->first_closed->closed_ms > ADU_SESSIONS_CLOSED_MS)) {
        forget(table, (struct entry *)table->first_closed);
    }
}

void adu_sessions_forget(struct adu_sessions *table, struct adu_principal *principal)
{
    while (principal->sessions != NULL) {
        forget(table, (struct entry *)principal->sessions);
    }
}
