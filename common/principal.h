/* Everyone the broker has let in, by client id and verified user name: what they proved, and what
 * the running policy makes of it. Outlives the connection, because the broker goes on asking:
 * offline durable sessions receive, wills are sent late, and each delivery of a retained message is
 * asked again in the name of whoever published it (check_retain_source). */
#ifndef ADUANA_COMMON_PRINCIPAL_H
#define ADUANA_COMMON_PRINCIPAL_H

#include "common/bytes.h"
#include "common/recent.h"
#include "common/stage.h"

struct adu_client;
struct adu_user;

/* At most this many lines about one client's refusals go to the log in a window. */
struct adu_log_window {
    int64_t start_ms;
    unsigned lines;
    uint64_t left_out;
};

/* Its certificate, as certificates.c goes by. */
struct adu_certificate_watch {
    struct adu_certificate_facts facts; /* zeroed: not looked at */
    bool several;                       /* its identity expects several clients to have it */
    int64_t shared_ms; /* monotonic: when others were last seen connected by it; 0: never */
    /* What has been told, and not taken back. */
    uint8_t told_level;                        /* enum adu_certificate_level */
    unsigned told_findings;                    /* set of 1 << enum adu_certificate_finding */
    int64_t level_since_ms, findings_since_ms; /* wall clock */
};

struct adu_principal {
    /* What every question needs, together. Under the generation `judged` (0: not yet). */
    unsigned long judged;
    bool valid;
    unsigned long doubts_asked; /* the last that it was asked about */
    unsigned online;            /* open connections; two for a moment during a takeover */
    struct adu_recent *recent;  /* NULL: nothing is remembered, which costs only time */
    void *state[ADU_STAGES];    /* the stages' client_state */
    struct adu_subject subject; /* of its own names always; the rest only while judged */
    void *values_memory;

    struct adu_client *client; /* its client id, and who else used it */
    struct adu_user *user;     /* its user name, and what other client ids it used */
    char *username;            /* verified; NULL for a client let in without a name */

    /* Evidence of the last log-in. */
    struct adu_bytes certificate;
    struct adu_certificate_watch watch;
    struct adu_bytes record;    /* what the stage that checked its password keeps of that */
    struct adu_bytes secret;    /* with which that asks again; while it is online alone */
    int64_t refresh_ms;         /* when it looks that up anew, monotonic; 0: never */
    unsigned proven;            /* set of enum adu_factor */
    struct adu_address address; /* not kept on disk, */
    uint16_t port;              /* nor that of its listener; 0: not known */
    int64_t valid_until_ms;     /* wall clock, of what it proved; 0: for ever */
    bool durable;               /* the broker keeps the session while the client is away */

    struct adu_session *sessions; /* open ones, and closed ones still remembered */
    int64_t seen_ms;              /* wall clock, last log-in or disconnect */

    const char *identity; /* the rule that says who it is, under the generation `judged`, or NULL */
    struct adu_log_window log;
    char why[256]; /* why it is not valid */

    /* Its orders over the control topic. */
    int64_t orders_ms;      /* monotonic: until when it has had its share */
    unsigned long answered; /* the tick after the last answer; 0: none */

    struct adu_principal *next_of_client;
    struct adu_principal *older, *newer;
    struct adu_principal *older_of_user, *newer_of_user;
};

struct adu_principals;

enum { ADU_PRINCIPALS_MOST = 100000 };

/* One user name may fill this share of the table with client ids of its own making. */
enum { ADU_PRINCIPALS_SHARE = 10 };

/* `forget` is told of every principal just before it is freed. NULL when memory is gone. */
struct adu_principals *adu_principals_new(size_t most,
                                          void (*forget)(void *context, struct adu_principal *gone),
                                          void *context);
void adu_principals_free(struct adu_principals *table);

/* NULL if unknown. `username` may be NULL. */
struct adu_principal *adu_principals_find(struct adu_principals *table, const char *client_id,
                                          const char *username);

/* The same, made if it is new. When the table is full somebody who is offline makes room: the
 * longest unseen without a durable session, else the longest unseen; and when one user name has its
 * share of the table, one of its own. NULL when memory is gone or everyone in a full table is
 * online. */
struct adu_principal *adu_principals_get(struct adu_principals *table, const char *client_id,
                                         const char *username);

/* Marks as seen now: last in the order of forgetting. */
void adu_principals_seen(struct adu_principals *table, struct adu_principal *p, int64_t wall_ms);

/* All that used a client id, linked by next_of_client; NULL if nobody did. */
struct adu_principal *adu_principals_of_client(struct adu_principals *table, const char *client_id);

/* The longest unseen, then by `newer`. */
struct adu_principal *adu_principals_first(struct adu_principals *table);

/* All client ids in an order that stays while they come and go: the principals of the first one, or
 * of the one after those of `p`; linked as above. NULL after the last. */
struct adu_principal *adu_principals_next_client(struct adu_principals *table,
                                                 const struct adu_principal *p);

size_t adu_principals_count(const struct adu_principals *table);

/* One of its connections has ended: with the last goes what is kept for it alone. */
void adu_principal_offline(struct adu_principal *p);

ADU_API const char *adu_principal_client_id(const struct adu_principal *p);

/* Frees what the last judgement made. */
void adu_principal_unjudge(struct adu_principal *p);

#endif
