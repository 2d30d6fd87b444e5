/* A source of users: `local` here; a directory (LDAP) and tokens (OIDC) take the same place. */
#ifndef ADUANA_IAM_AUTH_PROVIDER_H
#define ADUANA_IAM_AUTH_PROVIDER_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/request.h"
#include "common/verdict.h"

struct adu_provider {
    const char *name; /* in "providers", and the key of its settings in iam_auth.json */

    /* Compiles its settings. NULL with c->error set. */
    const void *(*compile)(struct adu_compiler *c, const struct adu_json *settings);

    /* Is that this user's secret? ALLOW yes, DENY no (final: no other provider is asked), ABSTAIN
     * the user is not known here. */
    enum adu_verdict (*verify)(const void *settings, const char *username, const char *password);

    /* Is the user (still) known here? Then its roles and attributes go to `login`. */
    enum adu_verdict (*describe)(const void *settings, const char *username,
                                 struct adu_login *login);
};

extern const struct adu_provider adu_provider_local;

#endif
