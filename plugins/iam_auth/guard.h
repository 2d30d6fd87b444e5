/* Wrong passwords many times over: counted by user name, by address and by certificate, each with a
 * delay that doubles until it is a lock-out. Who presents a certificate is locked out by its own
 * failures alone: nobody else can bring that about. Bounded: a flood of names overwrites what is
 * oldest of the few that share a place. Pure; one thread. */
#ifndef ADUANA_IAM_AUTH_GUARD_H
#define ADUANA_IAM_AUTH_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum adu_guard_kind { ADU_GUARD_USER, ADU_GUARD_ADDRESS, ADU_GUARD_CERTIFICATE, ADU_GUARD_KINDS };

struct adu_guard;

/* What the policy says; `failures` 0: nothing is counted. */
struct adu_guard_limits {
    long failures; /* that cost nothing; of an address ten times as many */
    long
        lockout_seconds; /* the longest delay; 0: nobody is locked out, failures are only told of */
};

struct adu_guard *adu_guard_new(void); /* NULL when memory is gone */
void adu_guard_free(struct adu_guard *guard);

/* Who it is that tries; NULL: not known. With a certificate nothing else counts. */
struct adu_guard_who {
    const char *username, *address, *certificate;
};

/* True if it may not try now; `*kind` says by which, `*until_ms` for how long. */
bool adu_guard_locks(const struct adu_guard *guard, const struct adu_guard_limits *limits,
                     const struct adu_guard_who *who, int64_t now_ms, enum adu_guard_kind *kind);

/* It has failed. True where there are now more failures than cost nothing; `*kind` says by which.
 */
bool adu_guard_failed(struct adu_guard *guard, const struct adu_guard_limits *limits,
                      const struct adu_guard_who *who, int64_t now_ms, enum adu_guard_kind *kind);

/* It has succeeded: the failures of its user name or certificate are forgotten, those of its
 * address are not: there may be others. */
void adu_guard_succeeded(struct adu_guard *guard, const struct adu_guard_who *who);

#endif
