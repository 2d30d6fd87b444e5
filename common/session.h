/* The broker's connections and durable sessions, by the broker's own handle: never by client id
 * alone, which anybody can claim. Broker's thread only. */
#ifndef ADUANA_COMMON_SESSION_H
#define ADUANA_COMMON_SESSION_H

#include "common/principal.h"

struct adu_session {
    const void *handle;
    struct adu_principal
        *principal; /* NULL: the broker itself authenticates, and has not said yet */
    char *client_id;
    bool online;
    bool durable;   /* the broker keeps it when the connection ends */
    bool rerun_due; /* the broker is about to ask about it again after a reload */
    bool kicked;
    int64_t closed_ms;
    struct adu_session *next_of_principal;
    struct adu_session *closed_before, *closed_after; /* in the order of closing */
};

struct adu_sessions;

/* A closed session is remembered for a while, because the broker announces the end before it asks
 * about the will, which may be delayed. A durable one is remembered as long as its principal. */
enum { ADU_SESSIONS_CLOSED_MOST = 4096, ADU_SESSIONS_CLOSED_MS = 3600 * 1000 };

/* NULL when memory is gone. */
struct adu_sessions *adu_sessions_new(void);
/* NULL-safe; before the principals are freed. */
void adu_sessions_free(struct adu_sessions *table);

/* The session of a handle if it is that client id's, else NULL: the broker reuses addresses. */
struct adu_session *adu_sessions_find(struct adu_sessions *table, const void *handle,
                                      const char *client_id);

/* A new online session of `principal` (which may be NULL, see adu_sessions_own); what stood under
 * that handle before is forgotten. NULL when memory is gone. */
struct adu_session *adu_sessions_open(struct adu_sessions *table, const void *handle,
                                      const char *client_id, struct adu_principal *principal,
                                      bool durable);

/* Gives a session that was opened without a principal its own. */
void adu_sessions_own(struct adu_session *session, struct adu_principal *principal);

/* The connection ended, or a durable session that was offline already has ended for good. */
void adu_sessions_close(struct adu_sessions *table, struct adu_session *session, int64_t now_ms);

/* Forgets what has been closed long enough, or is too many. */
void adu_sessions_expire(struct adu_sessions *table, int64_t now_ms);

/* Forgets every session of a principal that is about to go. */
void adu_sessions_forget(struct adu_sessions *table, struct adu_principal *principal);

#endif
