/* Who is connected, by client id, and what is still to be told of that. Pure: time and what happens
 * are arguments. One entry a known client at most, as an entry goes with the client's state. */
#ifndef ADUANA_RATE_MONITOR_PRESENCE_H
#define ADUANA_RATE_MONITOR_PRESENCE_H

#include "common/hash.h"
#include <stdbool.h>
#include <stdint.h>

enum adu_presence_reason {
    ADU_PRESENCE_CONNECTED,
    ADU_PRESENCE_TAKEN_OVER,   /* by a newer connection of the same client id */
    ADU_PRESENCE_DISCONNECTED, /* by the client itself */
    ADU_PRESENCE_LOST,
    ADU_PRESENCE_KICKED,
    ADU_PRESENCE_ENDED,     /* nobody knows how */
    ADU_PRESENCE_RESTARTED, /* it was connected when the broker ended */
    ADU_PRESENCE_REASONS
};

struct adu_client_presence {
    bool online;
    bool untold;      /* what is above has not gone out */
    bool forgotten;   /* the client is: what was told of it goes */
    bool due;         /* adu_presence_next will come to it */
    uint8_t reason;   /* enum adu_presence_reason */
    int64_t since_ms; /* wall clock */
    char *topic;      /* by which it was told; NULL: it was not. Owned */
    struct adu_client_presence *
        *owner; /* where the client's state points at this; NULL: forgotten */
    struct adu_client_presence *next_due; /* in the order of what happened */
    UT_hash_handle hh;
    char client_id[];
};

struct adu_presences;

/* NULL when memory is gone. */
struct adu_presences *adu_presences_new(void);
void adu_presences_free(struct adu_presences *table); /* NULL-safe */

/* The client is connected; if it was, a newer connection has taken over. `*owner` is set, and
 * whoever had that client id before has it no longer. False when memory is gone: it stays as it
 * was. */
bool adu_presence_connected(struct adu_presences *table, struct adu_client_presence **owner,
                            const char *client_id, int64_t wall_ms);

/* The owner's last connection has ended. `*owner` may be NULL: nothing is known. */
void adu_presence_left(struct adu_presences *table, struct adu_client_presence **owner,
                       enum adu_presence_reason reason, int64_t wall_ms);

/* Its will is being sent: if nobody knew how its connection ended, it was lost. */
void adu_presence_will(struct adu_client_presence **owner);

/* The owner is going: what was told is taken back. */
void adu_presence_forget(struct adu_presences *table, struct adu_client_presence **owner);

/* From before the broker's start, to be told anew: who was connected is not. `topic` (NULL: none)
 * is copied. False when memory is gone. */
bool adu_presence_restore(struct adu_presences *table, struct adu_client_presence **owner,
                          const char *client_id, bool online, enum adu_presence_reason reason,
                          int64_t since_ms, const char *topic, int64_t wall_ms);

/* All are due: the policy may name other topics. */
void adu_presence_all_due(struct adu_presences *table);

/* The next one that is due, each once; NULL: none. */
struct adu_client_presence *adu_presence_next(struct adu_presences *table);

/* Frees it; its owner no longer points at it. */
void adu_presence_remove(struct adu_presences *table, struct adu_client_presence *presence);

size_t adu_presence_count(const struct adu_presences *table);

/* The message, which the caller frees. NULL when memory is gone. */
char *adu_presence_json(const struct adu_client_presence *presence, const char *username);

#endif
