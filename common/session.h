/* The broker's connections and durable sessions, by the broker's own handle: never by client id
 * alone, which anybody can claim. Broker's thread only. */
#ifndef ADUANA_COMMON_SESSION_H
#define ADUANA_COMMON_SESSION_H

#include "common/principal.h"

struct adu_holder;

struct adu_session {
    const void *handle;
    struct adu_principal
        *principal; /* NULL: the broker itself authenticates, and has not said yet */
    const char *client_id;
    bool online;
    bool durable;   /* the broker keeps it when the connection ends, as far as can be known */
    bool rerun_due; /* the broker is about to ask about it again after a reload */
    bool kicked;
    struct adu_session *next_of_principal; /* newest first */
    struct adu_holder *holder; /* the certificate by which it is open; NULL: none, or offline */
};

struct adu_sessions;

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

/* The connection ended. The session is remembered until its principal has opened two more: the
 * broker goes on asking about offline sessions, about wills after the end, and about a session that
 * is just being taken over. One without a principal is forgotten. */
void adu_sessions_close(struct adu_sessions *table, struct adu_session *session);

/* The newest of that principal's connections that are open; NULL: there is none. */
struct adu_session *adu_sessions_online_of(const struct adu_principal *principal);

/* How many connections are open. */
size_t adu_sessions_online(const struct adu_sessions *table);

/* Counts an online session among those open by the certificate of that fingerprint, until it ends.
 * false when memory is gone. */
bool adu_sessions_hold(struct adu_sessions *table, struct adu_session *session,
                       const char *fingerprint);

/* How many connections are open by a certificate, those of a client id's principals (NULL: none)
 * left out: whoever comes with that client id takes them over. */
size_t adu_sessions_held(struct adu_sessions *table, const char *fingerprint,
                         const struct adu_principal *principals_of_client);

/* How many connections are open by the certificates of a client id's principals, beside its own. */
size_t adu_sessions_sharing(const struct adu_principal *principals_of_client);

/* Forgets what stood under a handle, if anything did. */
void adu_sessions_forget_handle(struct adu_sessions *table, const void *handle);

/* Forgets every session of a principal that is about to go. */
void adu_sessions_forget(struct adu_sessions *table, struct adu_principal *principal);

#endif
