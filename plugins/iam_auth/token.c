#include "plugins/iam_auth/token.h"
#include "plugins/iam_auth/base64url.h"
#include "plugins/iam_auth/claims.h"
#include <cjose/cjose.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Where its parts stand: header, payload and signature, a dot between each two. */
struct parts {
    size_t payload, signature, length;
};

/* Three runs of base64url; the signature may be empty, as that of `none` is. */
static bool split(const char *token, struct parts *parts)
{
    const size_t header = adu_base64url_span(token);
    if (header == 0 || token[header] != '.') {
        return false;
    }
    parts->payload = header + 1;
    const size_t payload = adu_base64url_span(token + parts->payload);
    if (payload == 0 || token[parts->payload + payload] != '.') {
        return false;
    }
    parts->signature = parts->payload + payload + 1;
    const size_t signature = adu_base64url_span(token + parts->signature);
    parts->length = parts->signature + signature;
    return token[parts->length] == '\0' && adu_base64url_is_whole(header) &&
           adu_base64url_is_whole(payload) && adu_base64url_is_whole(signature);
}

/* NULL if it is no JSON object, or one in which a name stands twice: readers differ in which of the
 * two they take. */
static json_t *read_part(const char *text, size_t length)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    json_t *object = NULL;
    if (cjose_base64url_decode(text, length, &bytes, &count, NULL)) {
        object = json_loadb((const char *)bytes, count, JSON_REJECT_DUPLICATES, NULL);
    }
    cjose_get_dealloc()(bytes);
    if (!json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool refuse(struct adu_answer *answer, const char *why)
{
    answer->outcome = ADU_OUTCOME_WRONG;
    snprintf(answer->why, sizeof answer->why, "%s", why);
    return false;
}

/* --- the header --- */

struct signer {
    enum adu_token_algorithm algorithm;
    const char *kid; /* NULL: the token names none */
};

static bool read_algorithm(const struct adu_token_rules *rules, const json_t *header,
                           struct signer *signer, struct adu_answer *answer)
{
    const char *name = json_string_value(json_object_get(header, "alg"));
    for (int i = 0; name != NULL && i < ADU_TOKEN_ALGORITHMS; i++) {
        if (strcmp(name, adu_token_algorithm_names[i]) == 0 && rules->algorithms[i]) {
            signer->algorithm = (enum adu_token_algorithm)i;
            return true;
        }
    }
    return refuse(answer, "the token is signed by an algorithm that is not allowed, or not at all");
}

/* Where it says that its key is to be had - jku, x5u, jwk, x5c - is of no interest: the keys are
 * those of the issuer. What it says must be understood is not. */
static bool read_header(const struct adu_token_rules *rules, const json_t *header,
                        struct signer *signer, struct adu_answer *answer)
{
    const json_t *kid = json_object_get(header, "kid");
    signer->kid = json_string_value(kid);
    if (json_object_get(header, "crit") != NULL) {
        return refuse(answer, "the token asks for an extension that is not known here");
    }
    if (kid != NULL && (signer->kid == NULL || strlen(signer->kid) > ADU_TOKEN_KID_MOST)) {
        return refuse(answer, "the token's key id is no text, or too long");
    }
    return read_algorithm(rules, header, signer, answer);
}

/* `known`: whether there is such a key. */
static bool verify(const struct adu_jwks *keys, const struct signer *signer, const char *token,
                   const struct parts *parts, bool *known, struct adu_answer *answer)
{
    const struct adu_jwk *key;
    switch (adu_jwks_find(keys, signer->algorithm, signer->kid, &key)) {
    case ADU_JWKS_NONE:
        *known = false;
        return refuse(answer, "the token is signed with a key that its issuer does not have");
    case ADU_JWKS_SEVERAL:
        return refuse(answer, "the token does not say which of its issuer's keys has signed it");
    case ADU_JWKS_ONE:
        break;
    }
    return adu_jwk_signed(key, signer->algorithm, token, parts->signature, parts->length) ||
           refuse(answer, "the token's signature is wrong");
}

/* --- all of it --- */

bool adu_token_is_one(const char *password)
{
    struct parts parts;
    /* {" and { and a space become ey, { and the end of a line ew. */
    return password[0] == 'e' && (password[1] == 'y' || password[1] == 'w') &&
           split(password, &parts);
}

bool adu_token_name(const struct adu_token_rules *rules, const char *token, char *username)
{
    struct parts parts;
    if (!split(token, &parts) || parts.length > ADU_TOKEN_MOST_BYTES) {
        return false;
    }
    json_t *claims = read_part(token + parts.payload, parts.signature - 1 - parts.payload);
    const bool good = claims != NULL && adu_claims_name(rules, claims, username);
    json_decref(claims);
    return good;
}

static bool judge_signature(const struct adu_token_rules *rules, const struct adu_jwks *keys,
                            const char *token, const struct parts *parts, bool *known,
                            struct adu_answer *answer)
{
    struct signer signer = {0};
    json_t *header = read_part(token, parts->payload - 1);
    const bool good = header != NULL
                          ? read_header(rules, header, &signer, answer) &&
                                verify(keys, &signer, token, parts, known, answer)
                          : refuse(answer, "the token's header is no JSON object, or says "
                                           "something twice");
    json_decref(header);
    return good;
}

bool adu_token_judge(const struct adu_token_rules *rules, const struct adu_jwks *keys,
                     const char *token, const char *username, int64_t wall_ms,
                     struct adu_answer *answer)
{
    struct parts parts = {0};
    bool known = true;
    if (!split(token, &parts)) {
        refuse(answer, "it is no token");
        return true;
    }
    if (parts.length > ADU_TOKEN_MOST_BYTES) {
        refuse(answer, "the token has more than 16384 bytes");
        return true;
    }
    if (!judge_signature(rules, keys, token, &parts, &known, answer)) {
        return known;
    }
    json_t *claims = read_part(token + parts.payload, parts.signature - 1 - parts.payload);
    if (claims != NULL) {
        adu_claims_judge(rules, claims, username, wall_ms, answer);
    } else {
        refuse(answer, "what the token says is no JSON object, or says something twice");
    }
    json_decref(claims);
    return true;
}
