/* The passwords of one user: one, or two while it is exchanged, of which one has an end. Pure. */
#ifndef ADUANA_IAM_AUTH_PASSWORDS_H
#define ADUANA_IAM_AUTH_PASSWORDS_H

#include "common/json.h"
#include "plugins/iam_auth/answer.h"
#include "plugins/iam_auth/password_hash.h"

enum { ADU_PASSWORDS_MOST = 2 };

struct adu_password {
    const struct adu_password_hash *hash;
    const char *until; /* as it was written; NULL: for good */
    int64_t until_ms;
};

struct adu_passwords {
    size_t count;
    struct adu_password list[ADU_PASSWORDS_MOST];
};

/* One more, until that moment (NULL: for good). false with c->error set at `place` if either is not
 * written as it should be, or `whose` has two already, or one and neither has an end. */
bool adu_passwords_add(struct adu_compiler *c, struct adu_passwords *passwords, const char *hash,
                       const char *until, const char *whose, const struct adu_place *place);

/* Those of a list: [{"hash": ..., "until": ...}, ...]. false with c->error set. */
bool adu_passwords_compile(struct adu_compiler *c, const struct adu_json *list, const char *whose,
                           struct adu_passwords *passwords);

/* Whether it is one of them at that time, as `answer`: its outcome, and until when that holds. All
 * of them are compared with. */
void adu_passwords_ask(const struct adu_passwords *passwords, const char *password, int64_t wall_ms,
                       struct adu_answer *answer);

/* True if to compute one takes more than a millisecond or so. */
bool adu_passwords_are_dear(const struct adu_passwords *passwords);

/* A number that is the same only for the same. */
uint32_t adu_passwords_stamp(const struct adu_passwords *passwords);

#endif
