/* An issuer of tokens, for tests: keys that are the same in every run, and what it signs. In JSON,
 * ' stands for ". All that is returned is freed by the caller; it aborts when anything goes wrong.
 */
#ifndef ADUANA_TESTS_ISSUER_H
#define ADUANA_TESTS_ISSUER_H

#include <stdbool.h>
#include <stddef.h>

enum issuer_key {
    ISSUER_RSA,
    ISSUER_EC,
    ISSUER_ED25519,
    ISSUER_STRANGER, /* Ed25519 too, of somebody else */
    ISSUER_NEXT,     /* Ed25519 too: the issuer's next one */
    ISSUER_WEAK,     /* RSA of 1024 bits, another one in every run */
};

enum issuer_sign {
    ISSUER_RS256,
    ISSUER_PS256,
    ISSUER_ES256,
    ISSUER_EDDSA,
    ISSUER_BY_STRANGER,
    ISSUER_BY_NEXT,
    ISSUER_HMAC, /* HS256 with the public RSA key, in PEM, as the secret */
    ISSUER_UNSIGNED,
};

/* A public key as JSON. `more`: what else the object says, ", 'kid': 'rsa'"; or "". */
char *issuer_jwk(enum issuer_key which, const char *more);

/* RSA, EC and Ed25519, called `rsa`, `ec` and `ed`. */
char *issuer_jwks(void);

char *issuer_token(enum issuer_sign how, const char *header, const char *claims);

/* The same with header and claims as they are given, ' and all. */
char *issuer_token_exactly(enum issuer_sign how, const char *header, const char *claims);

char *issuer_base64url(const void *bytes, size_t length);

#endif
