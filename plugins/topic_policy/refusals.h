/* What is refused, or would be, since the policy was loaded: in all, by namespace, by client (the
 * worst of them), by both, and by reason. Part of a policy, which ends with it. In bounded memory.
 * Broker's thread only. */
#ifndef ADUANA_TOPIC_POLICY_REFUSALS_H
#define ADUANA_TOPIC_POLICY_REFUSALS_H

#include "common/arena.h"
#include "common/request.h"

struct adu_tally {
    uint64_t refused, would_refuse;
};

static inline void adu_tally_add(struct adu_tally *tally, bool would)
{
    if (would) {
        tally->would_refuse++;
    } else {
        tally->refused++;
    }
}

/* Of a client, in its state; zeroed to begin. */
struct adu_refused_client {
    uint64_t who;             /* hash of client id and user name; 0: not made yet */
    unsigned long generation; /* of the tally; anew with each */
    struct adu_tally tally;
};

enum {
    ADU_OFFENDERS_MOST = 64,
    ADU_REASONS_MOST = 64,
    ADU_OFFENCES_MOST = 128,
    ADU_OFFENDER_NAME = 65
};

/* A client, and its last refusal. */
struct adu_offender {
    uint64_t who;
    struct adu_tally tally;
    int64_t first_ms, last_ms; /* wall clock; the first since it is listed */
    char client_id[ADU_OFFENDER_NAME], username[ADU_OFFENDER_NAME], topic[121];
    const char *text;             /* why */
    const struct adu_place *rule; /* NULL: none */
};

/* Of a client in a namespace. One that finds no room takes that of the one with fewest, which may
 * have been its own before: so those with most are there, and what is uncertain is said. */
struct adu_offence {
    uint64_t who;
    uint32_t namespace; /* number plus one; 0: none */
    struct adu_tally tally;
    uint64_t before; /* at most so many before it was listed */
    int64_t last_ms; /* wall clock */
    char client_id[ADU_OFFENDER_NAME];
};

struct adu_refused_reason {
    const char *text;
    const struct adu_place *rule; /* NULL: none */
    struct adu_tally tally;
};

/* Of a namespace. */
struct adu_namespace_use {
    struct adu_tally tally;
    uint64_t messages;         /* let through; counted where discovery is asked for */
    int64_t first_ms, last_ms; /* of these */
};

struct adu_refusals {
    int64_t since_ms; /* wall clock, when it was first looked at; 0: not yet */
    struct adu_tally all;
    size_t namespaces; /* and one more, which is of no namespace and comes first */
    struct adu_namespace_use *uses;
    size_t offenders, offences, reasons;
    struct adu_offender offender[ADU_OFFENDERS_MOST];
    struct adu_offence offence[ADU_OFFENCES_MOST];
    struct adu_refused_reason reason[ADU_REASONS_MOST];
};

/* NULL when memory is gone. */
struct adu_refusals *adu_refusals_new(struct adu_arena *arena, size_t namespaces);

/* A hash that tells a client from others, never 0. */
uint64_t adu_refused_who(struct adu_refused_client *client, const struct adu_subject *subject);

/* One more, of a topic of the namespace with that number plus one (0: of none). `client` may be
 * NULL. Allocates nothing. */
void adu_refusals_note(struct adu_refusals *refusals, struct adu_refused_client *client,
                       unsigned long generation, const struct adu_request *request,
                       const struct adu_reason *why, uint32_t namespace, bool would);

#endif
