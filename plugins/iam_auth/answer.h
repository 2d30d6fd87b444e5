/* What a provider found out about a user and his secret: strings only, so that it outlives policy
 * generations; roles are made of it under the running one. Made on a worker. */
#ifndef ADUANA_IAM_AUTH_ANSWER_H
#define ADUANA_IAM_AUTH_ANSWER_H

#include "common/attributes.h"
#include "common/bytes.h"
#include "common/request.h"
#include <stdint.h>

/* Zero is what memory says that nobody filled in: refused. */
enum adu_outcome {
    ADU_OUTCOME_UNAVAILABLE = 0, /* it could not be asked, or gave no usable answer: refused, may be
                                    asked again */
    ADU_OUTCOME_UNKNOWN,         /* no such user here: the next provider is asked */
    ADU_OUTCOME_WRONG,           /* the user is known, the secret is not his: final */
    ADU_OUTCOME_BARRED, /* the account is disabled, locked or expired, or the token revoked: final
                         */
    ADU_OUTCOME_VERIFIED
};

/* Zeroed, it is an answer that could not be had. */
struct adu_answer {
    enum adu_outcome outcome;
    char username[ADU_USERNAME_MOST + 1]; /* what the provider calls him; empty: as he was asked for
                                           */
    struct adu_attributes attributes;     /* "ldap.departmentNumber", "ldap.group" (several), ... */
    int64_t valid_until_ms;               /* wall clock; 0: for ever (a token's `exp`) */
    bool in_grace;                        /* his provider was away: it is what it said before */
    int64_t secret_until_ms; /* the secret opens nothing after that, but ends no session; 0: none */
    char why[200];           /* for the log: never a secret */
};

/* Frees what it holds and zeroes it. */
static inline void adu_answer_clear(struct adu_answer *answer)
{
    adu_attributes_clear(&answer->attributes);
    *answer = (struct adu_answer){0};
}

/* Copies into a zeroed answer. false when memory is gone; then it is zeroed again. */
bool adu_answer_copy(struct adu_answer *to, const struct adu_answer *from);

/* An answer of VERIFIED as bytes that outlive the process, with the name of the provider that gave
 * it. false when memory is gone. */
bool adu_answer_write(const struct adu_answer *answer, const char *provider,
                      struct adu_bytes *record);

/* The name of the provider that gave the answer in a record, borrowed; NULL if it is no record. */
const char *adu_answer_provider(struct adu_bytes record);

/* The answer, into a zeroed one. false if it is no record or memory is gone; zeroed then. */
bool adu_answer_read(struct adu_bytes record, struct adu_answer *answer);

#endif
