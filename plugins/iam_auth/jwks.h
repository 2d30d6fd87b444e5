/* The public keys of an issuer of tokens (RFC 7517), and what they have signed. Pure. */
#ifndef ADUANA_IAM_AUTH_JWKS_H
#define ADUANA_IAM_AUTH_JWKS_H

#include <stdbool.h>
#include <stddef.h>

/* Those that a policy may allow. `none` and whatever has a shared secret are not among them. */
enum adu_token_algorithm {
    ADU_TOKEN_RS256,
    ADU_TOKEN_PS256,
    ADU_TOKEN_ES256,
    ADU_TOKEN_EDDSA,
    ADU_TOKEN_ALGORITHMS
};

/* "RS256", ..., NULL-ended. */
extern const char *const adu_token_algorithm_names[ADU_TOKEN_ALGORITHMS + 1];

enum {
    ADU_JWKS_MOST_BYTES = 256 * 1024,
    ADU_JWKS_MOST_KEYS = 64,
    ADU_JWKS_RSA_LEAST_BITS = 2048,
    ADU_JWKS_RSA_MOST_BITS = 8192,
    ADU_JWKS_WHY = 160,
};

/* Never changes once it is read: any number of threads may use one. */
struct adu_jwks;

/* Keys of another kind or for another use are left out, as RFC 7517 wants it. NULL with `why`, of
 * ADU_JWKS_WHY bytes, if it is no set of keys, if none can be used, or if it holds a private key:
 * whoever shows those has lost them. */
struct adu_jwks *adu_jwks_read(const char *text, size_t length, char *why);

/* One more holder of the same keys; each ends with adu_jwks_free. */
struct adu_jwks *adu_jwks_share(struct adu_jwks *keys);

/* NULL-safe. */
void adu_jwks_free(struct adu_jwks *keys);

size_t adu_jwks_count(const struct adu_jwks *keys);

enum adu_jwks_found { ADU_JWKS_NONE, ADU_JWKS_SEVERAL, ADU_JWKS_ONE };

struct adu_jwk;

/* The key for `algorithm` that is called `kid`. A token that names none (`kid` NULL) is answered
 * with the only key that fits. */
enum adu_jwks_found adu_jwks_find(const struct adu_jwks *keys, enum adu_token_algorithm algorithm,
                                  const char *kid, const struct adu_jwk **key);

/* Whether the key has signed `token` (`length` bytes: header, payload and signature in base64url,
 * with the dots at `payload` - 1 and `signature` - 1) by `algorithm`. */
bool adu_jwk_signed(const struct adu_jwk *key, enum adu_token_algorithm algorithm,
                    const char *token, size_t signature, size_t length);

#endif
