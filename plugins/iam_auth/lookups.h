/* Questions to providers that are better not put on the broker's thread: workers put them, the same
 * question is put once however many wait for its answer, and each of them has a ticket. Broker's
 * thread only. */
#ifndef ADUANA_IAM_AUTH_LOOKUPS_H
#define ADUANA_IAM_AUTH_LOOKUPS_H

#include "plugins/iam_auth/iam_policy.h"
#include "plugins/iam_auth/mark.h"

struct adu_lookups;

/* What is asked: is that his secret, from this provider on; or, as a `recheck`, of this one alone,
 * whether his account (`password` NULL), or that secret of his, is still good. */
struct adu_question_to_providers {
    const struct adu_iam_policy *policy; /* kept alive until it is answered */
    size_t from;
    const char *username, *password;
    const struct adu_mark *mark; /* of both */
    bool recheck;
    unsigned closed; /* a bit for each provider that is not to be asked now */
    int64_t wall_ms;
};

/* What came of it. */
struct adu_lookup {
    const struct adu_iam_policy *policy; /* under which it was asked */
    size_t from, by;                     /* who was asked first, and who decided */
    const char *username;
    const struct adu_mark *mark;
    bool was_closed; /* he was not asked, as the question said */
    bool recheck;
    bool for_nobody;    /* whoever asked is not there any more */
    const char *secret; /* where it is to be kept; NULL: it is not at hand any more */
    struct adu_answer answer;
};

/* `told` hears of each answer before anybody who waits for it. NULL when memory is gone. */
struct adu_lookups *adu_lookups_new(void (*told)(void *context, const struct adu_lookup *lookup),
                                    void *context);
/* Waits for the questions that are being put, not for those still to be put. NULL-safe. */
void adu_lookups_free(struct adu_lookups *lookups);

/* A ticket for the answer; 0 if too much is being asked or memory is gone. */
uint64_t adu_lookups_ask(struct adu_lookups *lookups,
                         const struct adu_question_to_providers *question);

/* The same where nobody waits for the answer, if it is not on its way already. */
void adu_lookups_ask_for_nobody(struct adu_lookups *lookups,
                                const struct adu_question_to_providers *question);

/* The next ticket whose answer has come, each once; 0: none. */
uint64_t adu_lookups_answered(struct adu_lookups *lookups);

/* Waits at most `ms` for a ticket's answer. true if it has come. */
bool adu_lookups_wait(struct adu_lookups *lookups, uint64_t ticket, long ms);

/* The answer, until the ticket is given back; NULL while there is none. */
const struct adu_lookup *adu_lookups_result(const struct adu_lookups *lookups, uint64_t ticket);

/* Gives the ticket back, answered or not: the answer is `told` all the same. */
void adu_lookups_abandon(struct adu_lookups *lookups, uint64_t ticket);

#endif
