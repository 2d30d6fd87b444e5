#include "plugins/iam_auth/jwks.h"
#include "plugins/iam_auth/base64url.h"
#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ED25519_BYTES = 32, ED25519_SIGNATURE = 64 };

const char *const adu_token_algorithm_names[] = {"RS256", "PS256", "ES256", "EdDSA", NULL};

struct adu_jwk {
    char *kid; /* NULL: it has none */
    bool fits[ADU_TOKEN_ALGORITHMS];
    cjose_jwk_t *jwk;  /* of RSA and EC */
    EVP_PKEY *ed25519; /* which cjose does not know */
};

struct adu_jwks {
    atomic_uint holders;
    size_t count;
    struct adu_jwk keys[];
};

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* --- reading --- */

/* Names of what must not be shown: of RSA and EC, of OKP, and of a shared secret. */
static bool is_private(const json_t *jwk)
{
    return json_object_get(jwk, "d") != NULL || json_object_get(jwk, "p") != NULL ||
           json_object_get(jwk, "q") != NULL || json_object_get(jwk, "k") != NULL;
}

/* The numbers of a public key; what is there is base64url. */
static bool is_decodable(const json_t *jwk)
{
    static const char *const names[] = {"n", "e", "x", "y"};
    bool good = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = text_of(jwk, names[i]);
        const size_t length = text != NULL ? strlen(text) : 0;
        good =
            good &&
            (json_object_get(jwk, names[i]) == NULL ||
             (length > 0 && adu_base64url_span(text) == length && adu_base64url_is_whole(length)));
    }
    return good;
}

static bool is_for_signatures(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use"), *operations = json_object_get(jwk, "key_ops");
    const char *text = json_string_value(use);
    bool verifies = operations == NULL;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *operation = json_string_value(json_array_get(operations, i));
        verifies = verifies || (operation != NULL && strcmp(operation, "verify") == 0);
    }
    return verifies && (use == NULL || (text != NULL && strcmp(text, "sig") == 0));
}

/* What its kind can verify, and of that what it says it is for. */
static bool set_algorithms(struct adu_jwk *key, const json_t *jwk)
{
    const char *kind = text_of(jwk, "kty"), *curve = text_of(jwk, "crv"), *only;
    const json_t *alg = json_object_get(jwk, "alg");
    if (kind == NULL) {
        return false;
    }
    const bool rsa = strcmp(kind, "RSA") == 0, ec = strcmp(kind, "EC") == 0,
               okp = strcmp(kind, "OKP") == 0;
    key->fits[ADU_TOKEN_RS256] = key->fits[ADU_TOKEN_PS256] = rsa;
    key->fits[ADU_TOKEN_ES256] = ec && curve != NULL && strcmp(curve, "P-256") == 0;
    key->fits[ADU_TOKEN_EDDSA] = okp && curve != NULL && strcmp(curve, "Ed25519") == 0;
    bool any = false;
    for (int i = 0; i < ADU_TOKEN_ALGORITHMS; i++) {
        only = json_string_value(alg);
        key->fits[i] =
            key->fits[i] &&
            (alg == NULL || (only != NULL && strcmp(only, adu_token_algorithm_names[i]) == 0));
        any = any || key->fits[i];
    }
    return any;
}

static EVP_PKEY *read_ed25519(const json_t *jwk)
{
    const char *x = text_of(jwk, "x");
    uint8_t *bytes = NULL;
    size_t length = 0;
    EVP_PKEY *key = NULL;
    if (x != NULL && cjose_base64url_decode(x, strlen(x), &bytes, &length, NULL) &&
        length == ED25519_BYTES) {
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length);
    }
    cjose_get_dealloc()(bytes);
    return key;
}

static bool is_strong(const cjose_jwk_t *jwk)
{
    const size_t bits = cjose_jwk_get_keysize(jwk, NULL);
    return cjose_jwk_get_kty(jwk, NULL) != CJOSE_JWK_KTY_RSA ||
           (bits >= ADU_JWKS_RSA_LEAST_BITS && bits <= ADU_JWKS_RSA_MOST_BITS);
}

/* False if it is none that we can use, and leaves then nothing behind. */
static bool read_key(struct adu_jwk *key, json_t *jwk)
{
    const json_t *kid = json_object_get(jwk, "kid");
    *key = (struct adu_jwk){0};
    if (!json_is_object(jwk) || !is_for_signatures(jwk) || !is_decodable(jwk) ||
        !set_algorithms(key, jwk) || (kid != NULL && !json_is_string(kid))) {
        return false;
    }
    if (key->fits[ADU_TOKEN_EDDSA]) {
        key->ed25519 = read_ed25519(jwk);
    } else {
        key->jwk = cjose_jwk_import_json((cjose_header_t *)jwk, NULL);
    }
    key->kid = kid != NULL ? strdup(json_string_value(kid)) : NULL;
    if ((key->ed25519 != NULL || (key->jwk != NULL && is_strong(key->jwk))) &&
        (kid == NULL || key->kid != NULL)) {
        return true;
    }
    EVP_PKEY_free(key->ed25519);
    cjose_jwk_release(key->jwk);
    free(key->kid);
    return false;
}

static struct adu_jwks *refuse(char *why, const char *text)
{
    snprintf(why, ADU_JWKS_WHY, "%s", text);
    return NULL;
}

static struct adu_jwks *read_keys(const json_t *list, char *why)
{
    const size_t count = json_array_size(list);
    if (count > ADU_JWKS_MOST_KEYS) {
        return refuse(why, "holds more than 64 keys");
    }
    struct adu_jwks *keys = calloc(1, sizeof *keys + count * sizeof keys->keys[0]);
    if (keys == NULL) {
        return refuse(why, "out of memory");
    }
    atomic_init(&keys->holders, 1);
    for (size_t i = 0; i < count; i++) {
        json_t *jwk = json_array_get(list, i);
        if (is_private(jwk)) {
            adu_jwks_free(keys);
            return refuse(why,
                          "holds a private key or a shared secret, which nobody but the issuer "
                          "may have");
        }
        keys->count += read_key(&keys->keys[keys->count], jwk) ? 1 : 0;
    }
    if (keys->count == 0) {
        adu_jwks_free(keys);
        return refuse(why, "holds no key that can verify RS256, PS256 (RSA of 2048 bits or more), "
                           "ES256 (P-256) or EdDSA (Ed25519)");
    }
    return keys;
}

struct adu_jwks *adu_jwks_read(const char *text, size_t length, char *why)
{
    ERR_set_mark();
    json_t *set = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(set, "keys");
    struct adu_jwks *keys = json_is_array(list)
                                ? read_keys(list, why)
                                : refuse(why, "is no set of keys: expected {\"keys\": [...]}");
    json_decref(set);
    ERR_pop_to_mark();
    return keys;
}

struct adu_jwks *adu_jwks_share(struct adu_jwks *keys)
{
    atomic_fetch_add(&keys->holders, 1);
    return keys;
}

void adu_jwks_free(struct adu_jwks *keys)
{
    if (keys == NULL || atomic_fetch_sub(&keys->holders, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < keys->count; i++) {
        EVP_PKEY_free(keys->keys[i].ed25519);
        cjose_jwk_release(keys->keys[i].jwk);
        free(keys->keys[i].kid);
    }
    free(keys);
}

size_t adu_jwks_count(const struct adu_jwks *keys)
{
    return keys->count;
}

/* --- using --- */

enum adu_jwks_found adu_jwks_find(const struct adu_jwks *keys, enum adu_token_algorithm algorithm,
                                  const char *kid, const struct adu_jwk **key)
{
    *key = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const struct adu_jwk *k = &keys->keys[i];
        if (!k->fits[algorithm] || (kid != NULL && (k->kid == NULL || strcmp(k->kid, kid) != 0))) {
            continue;
        }
        if (*key != NULL) {
            *key = NULL;
            return ADU_JWKS_SEVERAL;
        }
        *key = k;
    }
    return *key != NULL ? ADU_JWKS_ONE : ADU_JWKS_NONE;
}

static bool ed25519_signed(EVP_PKEY *key, const char *token, size_t signature, size_t length)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool good =
        context != NULL &&
        cjose_base64url_decode(token + signature, length - signature, &bytes, &count, NULL) &&
        count == ED25519_SIGNATURE && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestVerify(context, bytes, count, (const unsigned char *)token, signature - 1) == 1;
    EVP_MD_CTX_free(context);
    cjose_get_dealloc()(bytes);
    return good;
}

static bool jose_signed(const struct adu_jwk *key, const char *token, size_t length)
{
    cjose_jws_t *jws = cjose_jws_import(token, length, NULL);
    const bool good = jws != NULL && cjose_jws_verify(jws, key->jwk, NULL);
    cjose_jws_release(jws);
    return good;
}

/* What OpenSSL says of a failure stays here: the broker's own TLS, on the same thread, would take
 * it for its own. */
bool adu_jwk_signed(const struct adu_jwk *key, enum adu_token_algorithm algorithm,
                    const char *token, size_t signature, size_t length)
{
    ERR_set_mark();
    const bool good =
        key->fits[algorithm] &&
        (algorithm == ADU_TOKEN_EDDSA ? ed25519_signed(key->ed25519, token, signature, length)
                                      : jose_signed(key, token, length));
    ERR_pop_to_mark();
    return good;
}
