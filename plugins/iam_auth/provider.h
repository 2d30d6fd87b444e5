/* A source of users: `local` here; a directory (LDAP) and tokens (OIDC) take the same place. */
#ifndef ADUANA_IAM_AUTH_PROVIDER_H
#define ADUANA_IAM_AUTH_PROVIDER_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/verdict.h"
#include "plugins/iam_auth/answer.h"

struct adu_provider {
    const char *name; /* in "providers", and the key of its settings in iam_auth.json */

    /* Compiles its settings into c->arena. NULL with c->error set. What is alive - connections, a
     * cache of keys - is counted and shared between generations with equal settings; the arena
     * lets go of it when it is freed (adu_arena_at_free), which is after the last question that
     * was asked with these settings has been answered. Any thread. */
    const void *(*compile)(struct adu_compiler *c, const struct adu_json *settings);

    /* Of what the settings name besides their own text, such as a file: a number that is the same
     * only for the same. NULL: nothing, or it does not matter to who is who. */
    uint32_t (*stamp)(const void *settings);

    /* Its questions go over a network or otherwise wait: it is asked by workers alone. */
    bool waits;

    /* Whether a question about this user costs so much processor time that it is better asked by
     * a worker. NULL: no. */
    bool (*dear)(const void *settings, const char *username);

    /* An account can be asked about without its secret: `ask` takes a NULL password. */
    bool rechecks;

    /* A secret may be revoked before it ends, and only by the secret itself can that be found out:
     * so it is kept in memory as long as the session lasts. NULL: none may. */
    bool (*may_be_revoked)(const void *settings);

    /* Has that secret, which was verified, been revoked since? VERIFIED (and nothing more is said),
     * BARRED or UNAVAILABLE. Of a provider with `may_be_revoked`; else as `ask`. */
    void (*ask_again)(const void *settings, const char *secret, struct adu_answer *answer);

    /* The user name that a secret says of itself, of a client that gives none; `ask` will say
     * whether that is so. false: it says none, or a client must give its own. NULL: none ever does.
     * `username` has ADU_USERNAME_MOST + 1 bytes. Any thread, pure. */
    bool (*name_in)(const void *settings, const char *password, char *username);

    /* Is that this user's secret? `password` is never empty; NULL: no secret is at hand, is the
     * account of that name - the one in an earlier answer - (still) good, and what is known of it?
     * `answer` comes zeroed and is cleared by the caller. Any thread, several at a time; may wait
     * within its own limits if it `waits`. `wall_ms` is the time. */
    void (*ask)(const void *settings, const char *username, const char *password, int64_t wall_ms,
                struct adu_answer *answer);

    /* What a verified answer means under these settings: roles and attributes go to `login`. ALLOW;
     * ABSTAIN if the user is not known here any more; ERROR. Broker's thread, pure. */
    enum adu_verdict (*describe)(const void *settings, const struct adu_answer *answer,
                                 struct adu_login *login);
};

extern const struct adu_provider adu_provider_local, adu_provider_ldap, adu_provider_oidc;

#endif
