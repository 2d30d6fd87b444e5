/* Log-ins and re-checks that wait for a stage's answer, each under the ticket of its question. The
 * ticket is what an answer goes by: a client id can be claimed by the next connection while the
 * answer about this one is still on its way. Pure; one thread. */
#ifndef ADUANA_COMMON_PENDING_H
#define ADUANA_COMMON_PENDING_H

#include "common/pipeline.h"

struct adu_held; /* one that waits */

struct adu_pending;

/* At most `most` wait at a time. NULL when memory is gone. */
struct adu_pending *adu_pending_new(size_t most);
void adu_pending_free(struct adu_pending *pending); /* NULL-safe */

/* A log-in waits; everything but its password is copied. Whoever waits under this handle or client
 * id must have been dropped. false when memory is gone or too many wait. */
bool adu_pending_hold(struct adu_pending *pending, const struct adu_connect *connect,
                      uint64_t ticket, int64_t now_ms);

/* A re-check of a client that is connected waits. */
bool adu_pending_recheck(struct adu_pending *pending, const char *client_id, const char *username,
                         uint64_t ticket, int64_t now_ms);

/* Takes out who waits under this ticket; NULL if nobody does any more. */
struct adu_held *adu_pending_take(struct adu_pending *pending, uint64_t ticket);

/* The log-in that waits under this handle, or else this client id (either may be NULL), waits no
 * more: its ticket, 0 if there is none. */
uint64_t adu_pending_drop(struct adu_pending *pending, const void *handle, const char *client_id);

/* The ticket of one that has waited since `before_ms` or longer; 0: nobody has. */
uint64_t adu_pending_overdue(const struct adu_pending *pending, int64_t before_ms);

/* How many wait. */
size_t adu_pending_count(const struct adu_pending *pending);

/* What was held, with its password NULL and nothing parsed; lives as long as `held`. */
const struct adu_connect *adu_held_connect(const struct adu_held *held);
bool adu_held_is_recheck(const struct adu_held *held);
void adu_held_free(struct adu_held *held); /* NULL-safe */

#endif
