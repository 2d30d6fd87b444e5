#include "common/audit_ring.h"
#include <stdatomic.h>
#include <stdlib.h>

struct adu_audit_ring {
    size_t size;
    atomic_size_t in, out; /* records so far; each is written by one of the threads alone */
    _Atomic(struct adu_audit_ring *) next;
    struct adu_audit_record records[];
};

struct adu_audit_ring *adu_audit_ring_new(size_t size)
{
    /* Zeroed memory of this size is the kernel's: it is not taken before it is used. */
    struct adu_audit_ring *ring = calloc(1, sizeof *ring + size * sizeof ring->records[0]);
    if (ring != NULL) {
        ring->size = size;
    }
    return ring;
}

void adu_audit_ring_free(struct adu_audit_ring *ring)
{
    free(ring);
}

size_t adu_audit_ring_count(const struct adu_audit_ring *ring)
{
    const size_t out = atomic_load_explicit(&ring->out, memory_order_acquire);
    const size_t in = atomic_load(&ring->in); /* in one order with whoever says he sleeps */
    return in - out;
}

size_t adu_audit_ring_size(const struct adu_audit_ring *ring)
{
    return ring->size;
}

struct adu_audit_record *adu_audit_ring_claim(struct adu_audit_ring *ring, size_t most)
{
    if (adu_audit_ring_count(ring) >= (most < ring->size ? most : ring->size)) {
        return NULL;
    }
    return &ring->records[atomic_load_explicit(&ring->in, memory_order_relaxed) % ring->size];
}

void adu_audit_ring_commit(struct adu_audit_ring *ring)
{
    atomic_fetch_add(&ring->in, 1);
}

const struct adu_audit_record *adu_audit_ring_front(const struct adu_audit_ring *ring)
{
    if (adu_audit_ring_count(ring) == 0) {
        return NULL;
    }
    return &ring->records[atomic_load_explicit(&ring->out, memory_order_relaxed) % ring->size];
}

void adu_audit_ring_pop(struct adu_audit_ring *ring)
{
    atomic_fetch_add(&ring->out, 1);
}

void adu_audit_ring_follow(struct adu_audit_ring *ring, struct adu_audit_ring *next)
{
    atomic_store(&ring->next, next);
}

struct adu_audit_ring *adu_audit_ring_next(const struct adu_audit_ring *ring)
{
    struct adu_audit_ring *next = atomic_load(&ring->next);
    /* Only now: what was added before it was said is seen. */
    return next != NULL && adu_audit_ring_count(ring) == 0 ? next : NULL;
}
