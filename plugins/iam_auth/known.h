/* What providers have lately said, so that they need not be asked again: who was verified, by the
 * mark of his secret, and which secrets were refused. Bounded: whoever makes up names and secrets
 * fills the refusals, which only overwrite each other. Pure; one thread. */
#ifndef ADUANA_IAM_AUTH_KNOWN_H
#define ADUANA_IAM_AUTH_KNOWN_H

#include "plugins/iam_auth/answer.h"
#include "plugins/iam_auth/mark.h"

struct adu_known;

struct adu_known_answer {
    const char *provider;     /* its name, which lives for ever */
    uint64_t stamp;           /* of its settings then */
    int64_t asked_ms;         /* monotonic, when it was verified last */
    bool parked;              /* nobody has heard of it yet */
    bool newest;              /* no other secret of this user has been verified since */
    struct adu_answer answer; /* VERIFIED */
};

/* `users` are kept at most, each with a few secrets; the longest unused makes room. NULL when
 * memory is gone. */
struct adu_known *adu_known_new(size_t users);
void adu_known_free(struct adu_known *known); /* NULL-safe */

/* NULL if that user and secret are not known. Lives until the next call. */
const struct adu_known_answer *adu_known_find(struct adu_known *known, const char *username,
                                              const struct adu_mark *mark);

/* Verified now. Without memory it is not kept, which costs only time. */
void adu_known_put(struct adu_known *known, const char *username, const struct adu_mark *mark,
                   const char *provider, uint64_t stamp, const struct adu_answer *answer,
                   bool parked, int64_t now_ms);

/* That secret, or (NULL) whatever is known of the user, is not to be believed any more. */
void adu_known_forget(struct adu_known *known, const char *username, const struct adu_mark *mark);

size_t adu_known_count(const struct adu_known *known); /* of users */

/* A no, with as much of its reason as goes to the log. */
struct adu_known_refusal {
    enum adu_outcome outcome;
    char why[151];
};

/* A secret was refused by that answer: it needs not be asked about again before `until_ms`.
 * `parked`: nobody has heard of it yet. */
void adu_known_refuse(struct adu_known *known, const struct adu_mark *mark,
                      const struct adu_answer *answer, bool parked, int64_t until_ms);

/* The refusal that still holds, until the next one is put; NULL if there is none. */
const struct adu_known_refusal *adu_known_refusal(const struct adu_known *known,
                                                  const struct adu_mark *mark, int64_t now_ms);

/* Somebody hears of that refusal now. True if he is the first. */
bool adu_known_hear(struct adu_known *known, const struct adu_mark *mark);

#endif
