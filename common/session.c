#include "common/session.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

/* The end of uthash's part and what every question asks of a session share one line of cache. */
struct entry {
    char before[32];
    UT_hash_handle hh;
    struct adu_session session;
    char client_id[];
};

enum { LINE = 64 };

_Static_assert(offsetof(struct entry, hh.key) / LINE ==
                   (offsetof(struct entry, session.online)) / LINE,
               "a look-up should touch one line of an entry");

/* A certificate by which connections are open. */
struct adu_holder {
    size_t online;
    UT_hash_handle hh;
    char fingerprint[];
};

struct adu_sessions {
    struct entry *by_handle;
    struct adu_holder *holders;
    size_t online;
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
    return e != NULL && strcmp(e->client_id, client_id) == 0 ? &e->session : NULL;
}

/* --- certificates --- */

static struct adu_holder *holder_find(struct adu_sessions *table, const char *fingerprint)
{
    struct adu_holder *holder;
    HASH_FIND_STR(table->holders, fingerprint, holder);
    return holder;
}

static struct adu_holder *holder_make(struct adu_sessions *table, const char *fingerprint)
{
    const size_t length = strlen(fingerprint);
    struct adu_holder *holder = calloc(1, sizeof *holder + length + 1);
    if (holder == NULL) {
        return NULL;
    }
    memcpy(holder->fingerprint, fingerprint, length + 1);
    HASH_ADD_KEYPTR(hh, table->holders, holder->fingerprint, length, holder);
    if (holder->hh.tbl == NULL) {
        free(holder);
        return NULL;
    }
    return holder;
}

static void release(struct adu_sessions *table, struct adu_session *s)
{
    if (s->holder != NULL && --s->holder->online == 0) {
        HASH_DELETE(hh, table->holders, s->holder);
        free(s->holder);
    }
    s->holder = NULL;
}

bool adu_sessions_hold(struct adu_sessions *table, struct adu_session *session,
                       const char *fingerprint)
{
    struct adu_holder *holder = holder_find(table, fingerprint);
    if (holder == NULL && (holder = holder_make(table, fingerprint)) == NULL) {
        return false;
    }
    holder->online++;
    release(table, session);
    session->holder = holder;
    return true;
}

static size_t held_by_others(const struct adu_holder *holder,
                             const struct adu_principal *principals_of_client)
{
    size_t count = holder->online;
    for (const struct adu_principal *p = principals_of_client; p != NULL; p = p->next_of_client) {
        for (const struct adu_session *s = p->sessions; s != NULL; s = s->next_of_principal) {
            count -= s->holder == holder;
        }
    }
    return count;
}

size_t adu_sessions_held(struct adu_sessions *table, const char *fingerprint,
                         const struct adu_principal *principals_of_client)
{
    const struct adu_holder *holder = holder_find(table, fingerprint);
    return holder != NULL ? held_by_others(holder, principals_of_client) : 0;
}

size_t adu_sessions_sharing(const struct adu_principal *principals_of_client)
{
    size_t most = 0;
    for (const struct adu_principal *p = principals_of_client; p != NULL; p = p->next_of_client) {
        for (const struct adu_session *s = p->sessions; s != NULL; s = s->next_of_principal) {
            const size_t count =
                s->holder != NULL ? held_by_others(s->holder, principals_of_client) : 0;
            most = count > most ? count : most;
        }
    }
    return most;
}

/* --- sessions --- */

static void disown(struct adu_session *s)
{
    if (s->principal == NULL) {
        return;
    }
    if (s->online) {
        adu_principal_offline(s->principal);
    }
    struct adu_session **link = &s->principal->sessions;
    while (*link != s) {
        link = &(*link)->next_of_principal;
    }
    *link = s->next_of_principal;
}

static void forget(struct adu_sessions *table, struct entry *e)
{
    table->online -= e->session.online;
    release(table, &e->session);
    disown(&e->session);
    HASH_DELETE(hh, table->by_handle, e);
    free(e);
}

static struct entry *entry_of(struct adu_session *session)
{
    return (struct entry *)((char *)session - offsetof(struct entry, session));
}

static struct entry *entry_new(const char *client_id)
{
    const size_t length = strlen(client_id) + 1;
    const size_t size = (sizeof(struct entry) + length + LINE - 1) / LINE * LINE;
    struct entry *e = aligned_alloc(LINE, size);
    if (e != NULL) {
        memset(e, 0, sizeof *e);
        e->session.client_id = memcpy(e->client_id, client_id, length);
    }
    return e;
}

void adu_sessions_free(struct adu_sessions *table)
{
    while (table != NULL && table->by_handle != NULL) {
        forget(table, table->by_handle);
    }
    free(table);
}

/* Of one client id and name the broker has at most the session it serves and the one it is about to
 * replace. */
static void forget_all_but_newest(struct adu_sessions *table, struct adu_principal *principal)
{
    struct adu_session *next;
    struct adu_session *s =
        principal->sessions != NULL ? principal->sessions->next_of_principal : NULL;
    for (; s != NULL; s = next) {
        next = s->next_of_principal;
        if (!s->online) {
            forget(table, entry_of(s));
        }
    }
}

void adu_sessions_forget_handle(struct adu_sessions *table, const void *handle)
{
    struct entry *e = find(table, handle);
    if (e != NULL) {
        forget(table, e);
    }
}

struct adu_session *adu_sessions_open(struct adu_sessions *table, const void *handle,
                                      const char *client_id, struct adu_principal *principal,
                                      bool durable)
{
    adu_sessions_forget_handle(table, handle);
    struct entry *e = entry_new(client_id);
    if (e == NULL) {
        return NULL;
    }
    e->session.handle = handle;
    e->session.online = true;
    e->session.durable = durable;
    HASH_ADD_PTR(table->by_handle, session.handle, e);
    if (e->hh.tbl == NULL) {
        free(e);
        return NULL;
    }
    table->online++;
    if (principal != NULL) {
        forget_all_but_newest(table, principal);
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

void adu_sessions_close(struct adu_sessions *table, struct adu_session *session)
{
    if (session->principal == NULL) {
        forget(table, entry_of(session));
    } else if (session->online) {
        session->online = false;
        adu_principal_offline(session->principal);
        table->online--;
        release(table, session);
    }
}

void adu_sessions_forget(struct adu_sessions *table, struct adu_principal *principal)
{
    while (principal->sessions != NULL) {
        forget(table, entry_of(principal->sessions));
    }
}

struct adu_session *adu_sessions_online_of(const struct adu_principal *principal)
{
    struct adu_session *session = principal->sessions;
    while (session != NULL && !session->online) {
        session = session->next_of_principal;
    }
    return session;
}

size_t adu_sessions_online(const struct adu_sessions *table)
{
    return table->online;
}
