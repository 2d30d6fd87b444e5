/* A token (a signed JWT, RFC 7519) as a password: whose is it, and what does its issuer say of him?
 * Pure: keys, rules and time are given. */
#ifndef ADUANA_IAM_AUTH_TOKEN_H
#define ADUANA_IAM_AUTH_TOKEN_H

#include "plugins/iam_auth/answer.h"
#include "plugins/iam_auth/jwks.h"

enum {
    ADU_TOKEN_MOST_BYTES = 16 * 1024,
    ADU_TOKEN_KID_MOST = 256,
    ADU_TOKEN_VALUES_MOST = 200,
    ADU_TOKEN_NAME_MOST = 256, /* of a claim, with those that it stands in */
    ADU_TOKEN_DEPTH_MOST = 8,
};

/* What a token must say to be believed. */
struct adu_token_rules {
    bool algorithms[ADU_TOKEN_ALGORITHMS]; /* those that are allowed */
    const char *issuer;
    const char *const *audiences; /* NULL-ended: it must be for one of them */
    const char *username_claim;   /* "sub", "preferred_username", "planta.usuario" */
    bool username_optional;       /* a client need not say its name */
    int64_t skew_ms;              /* by which the issuer's clock may be wrong */
};

/* Whether a password is meant to be a token: three parts in base64url, of which the first begins as
 * JSON. */
bool adu_token_is_one(const char *password);

/* Whose it says it is, whoever has written that: the name goes to `username`, of ADU_USERNAME_MOST
 * + 1 bytes. false if it does not say one. */
bool adu_token_name(const struct adu_token_rules *rules, const char *token, char *username);

/* Judges `token`, which is one, of a client that calls itself `username` (NULL: it does not) at
 * `wall_ms`. What it finds goes to `answer`, which comes zeroed: VERIFIED with the claims as
 * attributes named `token.<claim>`; UNAVAILABLE when memory is gone; else WRONG and why. False if
 * its key is not among `keys`: it is WRONG by these, but fresher ones might have it. Any thread. */
bool adu_token_judge(const struct adu_token_rules *rules, const struct adu_jwks *keys,
                     const char *token, const char *username, int64_t wall_ms,
                     struct adu_answer *answer);

#endif
