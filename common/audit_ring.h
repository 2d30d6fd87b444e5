/* A queue of audit records between two threads: one fills in, one takes out, and neither ever waits
 * for the other. Its memory is fixed when it is made. */
#ifndef ADUANA_COMMON_AUDIT_RING_H
#define ADUANA_COMMON_AUDIT_RING_H

#include "common/audit_record.h"

struct adu_audit_ring;

/* NULL when memory is gone. `size` > 0. */
struct adu_audit_ring *adu_audit_ring_new(size_t size);
/* NULL-safe. */
void adu_audit_ring_free(struct adu_audit_ring *ring);

/* The thread that fills in: a record to be filled in, at most `most` of them waiting (or as many as
 * there is room for); NULL when there is no room. It is the same one until it is committed. */
struct adu_audit_record *adu_audit_ring_claim(struct adu_audit_ring *ring, size_t most);
void adu_audit_ring_commit(struct adu_audit_ring *ring);

/* The thread that takes out: the oldest record, which stays until it is popped; NULL when there is
 * none. */
const struct adu_audit_record *adu_audit_ring_front(const struct adu_audit_ring *ring);
void adu_audit_ring_pop(struct adu_audit_ring *ring);

/* The thread that fills in: after what this ring holds comes `next`, and nothing more is added
 * here.
 */
void adu_audit_ring_follow(struct adu_audit_ring *ring, struct adu_audit_ring *next);

/* The thread that takes out: what comes after a ring that is empty for good, which may be freed
 * then; NULL as long as it is not. */
struct adu_audit_ring *adu_audit_ring_next(const struct adu_audit_ring *ring);

/* How many wait. Any thread, and true only for the moment. */
size_t adu_audit_ring_count(const struct adu_audit_ring *ring);

/* How many may wait. */
size_t adu_audit_ring_size(const struct adu_audit_ring *ring);

#endif
