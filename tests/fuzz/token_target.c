#include "token_target.h"
#include "issuer.h"
#include "plugins/iam_auth/token.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "{\"alg\": \"EdDSA\", \"kid\": \"ed\"}"
#define CLAIMS                                                                                     \
    "{\"iss\": \"https://sso.planta\", \"aud\": [\"erp\", \"mqtt\"], \"exp\": 1782864600, "        \
    "\"sub\": \"ana\", \"realm_access\": {\"roles\": [\"operador\"]}, \"scope\": \"a b\"}"

enum { TEXT_MOST = 128 * 1024, SKEW_S = 30, WALL_S = FUZZ_WALL_MS / 1000 };

static const char *const audiences[] = {"mqtt", NULL};
static const struct adu_token_rules rules = {.algorithms = {true, false, false, true},
                                             .issuer = "https://sso.planta",
                                             .audiences = audiences,
                                             .username_claim = "sub",
                                             .skew_ms = SKEW_S * 1000};

static struct adu_jwks *keys;

/* --- seeds --- */

static const struct {
    const char *name;
    char kind;
    enum issuer_sign how; /* of 'T' */
    const char *header, *claims;
    int good;
} seeds[] = {
    {"rs256", 'T', ISSUER_RS256, "{\"alg\": \"RS256\", \"kid\": \"rsa\"}", CLAIMS, 1},
    {"eddsa", 'T', ISSUER_EDDSA, HEADER, CLAIMS, 1},
    {"none", 'T', ISSUER_UNSIGNED, "{\"alg\": \"none\"}", CLAIMS, 0},
    {"hmac", 'T', ISSUER_HMAC, "{\"alg\": \"HS256\", \"kid\": \"rsa\"}", CLAIMS, 0},
    {"stranger", 'T', ISSUER_BY_STRANGER, HEADER, CLAIMS, 0},
    {"claims", 'C', ISSUER_EDDSA, HEADER, CLAIMS, 1},
    {"times", 'C', ISSUER_EDDSA, HEADER,
     "{\"iss\": \"https://sso.planta\", \"aud\": \"mqtt\", \"exp\": 1782864600.5, \"nbf\": "
     "1782864000, \"iat\": 1e9, \"sub\": \"ana\", \"n\": [null, true, -7, 1.5, {}]}",
     1},
    {"no-kid", 'C', ISSUER_EDDSA, "{\"alg\": \"EdDSA\"}", CLAIMS, 1},
    {"crit", 'C', ISSUER_EDDSA, "{\"alg\": \"EdDSA\", \"crit\": [\"b64\"], \"b64\": false}", CLAIMS,
     0},
    {"keys", 'K', ISSUER_EDDSA, "", "", 0},
};

size_t fuzz_token_seeds(void)
{
    return sizeof seeds / sizeof seeds[0];
}

const char *fuzz_token_seed_name(size_t seed)
{
    return seeds[seed].name;
}

int fuzz_token_seed_good(size_t seed)
{
    return seeds[seed].good;
}

struct fuzz_der fuzz_token_seed_make(size_t seed)
{
    char *text = NULL, *inner = NULL;
    if (seeds[seed].kind == 'T') {
        inner = issuer_token(seeds[seed].how, seeds[seed].header, seeds[seed].claims);
    } else if (seeds[seed].kind == 'K') {
        inner = issuer_jwks();
    } else if (asprintf(&inner, "%s\n%s", seeds[seed].header, seeds[seed].claims) < 0) {
        abort();
    }
    if (asprintf(&text, "%c%s", seeds[seed].kind, inner) < 0) {
        abort();
    }
    free(inner);
    return (struct fuzz_der){.bytes = (unsigned char *)text, .length = strlen(text)};
}

/* --- what is wrong --- */

static const unsigned char *tried;
static size_t tried_length;

static void must(bool good, const char *what, const char *more)
{
    if (good) {
        return;
    }
    fprintf(stderr, "%s: %s\n", what, more);
    for (size_t i = 0; i < tried_length; i++) {
        fprintf(stderr, "%02x", tried[i]);
    }
    fprintf(stderr, "\n");
    abort();
}

void fuzz_token_start(void)
{
    char why[ADU_JWKS_WHY] = "";
    char *json = issuer_jwks();
    keys = adu_jwks_read(json, strlen(json), why);
    free(json);
    must(keys != NULL, "no keys", why);
}

void fuzz_token_end(void)
{
    adu_jwks_free(keys);
}

/* --- a token --- */

static void check_text(const char *text)
{
    for (; *text != '\0'; text++) {
        must((unsigned char)*text >= 0x20 && *text != 0x7f, "a control character", text);
    }
}

static bool judged(const char *token)
{
    struct adu_answer answer = {0};
    const bool known = adu_token_judge(&rules, keys, token, "ana", FUZZ_WALL_MS, &answer);
    const bool in = answer.outcome == ADU_OUTCOME_VERIFIED;
    check_text(answer.why);
    check_text(answer.username);
    must(in || answer.outcome == ADU_OUTCOME_WRONG, "neither yes nor no", answer.why);
    must(in == (answer.why[0] == '\0') && (known || !in), "a reason, or none", answer.why);
    must(!in || (strcmp(answer.username, "ana") == 0 && answer.valid_until_ms > FUZZ_WALL_MS &&
                 answer.attributes.count <= ADU_TOKEN_VALUES_MOST),
         "it is let in as somebody else, or for too long", answer.username);
    adu_answer_clear(&answer);
    return in;
}

/* Of a good token every byte that is signed must be as it was. */
static bool is_of_a_seed(const char *token)
{
    const char *end = strrchr(token, '.');
    bool found = false;
    for (size_t i = 0; i < fuzz_token_seeds() && !found; i++) {
        struct fuzz_der seed = fuzz_token_seed_make(i);
        const char *theirs = strrchr((char *)seed.bytes, '.');
        found = seeds[i].good && seeds[i].kind == 'T' && end != NULL && theirs != NULL &&
                theirs - (char *)seed.bytes - 1 == end - token &&
                memcmp(seed.bytes + 1, token, (size_t)(end - token)) == 0;
        free(seed.bytes);
    }
    return found;
}

static int try_token(const char *token)
{
    const bool in = judged(token);
    must(!in || is_of_a_seed(token), "a token is believed that nobody has signed", token);
    must(!in || adu_token_is_one(token), "what is no token is believed", token);
    return in;
}

/* --- what a token says --- */

static bool is(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

/* From `least` to `most`, or not there at all where that is allowed. */
static bool is_time(const json_t *claims, const char *name, bool needed, double least, double most)
{
    const json_t *value = json_object_get(claims, name);
    const double seconds = json_number_value(value);
    return value == NULL ? !needed
                         : json_is_number(value) && seconds >= 0 && seconds <= 253402300799.0 &&
                               seconds >= least && seconds <= most;
}

static bool is_for_us(const json_t *audience)
{
    bool found = is(audience, "mqtt");
    for (size_t i = 0; i < json_array_size(audience); i++) {
        found = found || is(json_array_get(audience, i), "mqtt");
    }
    return found;
}

static bool names_a_key(const json_t *header)
{
    const json_t *kid = json_object_get(header, "kid");
    return json_is_object(header) && is(json_object_get(header, "alg"), "EdDSA") &&
           json_object_get(header, "crit") == NULL && (kid == NULL || is(kid, "ed"));
}

/* A plain reading of the rules. It does not know what is too much: then `ours` may be no. */
static void check_claims(const char *header, const char *claims, bool ours)
{
    json_t *h = json_loads(header, JSON_REJECT_DUPLICATES, NULL),
           *c = json_loads(claims, JSON_REJECT_DUPLICATES, NULL);
    const json_t *sub = json_object_get(c, "sub");
    const bool good = names_a_key(h) && is(json_object_get(c, "iss"), rules.issuer) &&
                      is_for_us(json_object_get(c, "aud")) &&
                      is_time(c, "exp", true, WALL_S - SKEW_S + 0.001, 1e300) &&
                      is_time(c, "nbf", false, 0, WALL_S + SKEW_S + 0.001) &&
                      is_time(c, "iat", false, 0, WALL_S + SKEW_S + 0.001);
    /* ["ana"] is one name too */
    const bool ana = is(sub, "ana") || (json_array_size(sub) >= 1 && json_is_array(sub));
    must(!ours || (good && ana), "it is let in, and should not be", claims);
    must(ours || !(good && is(sub, "ana")) || json_object_size(c) > 4, "it is not let in", claims);
    json_decref(h);
    json_decref(c);
}

static int try_claims(const char *text)
{
    char *header = strdup(text);
    char *claims = header + strcspn(header, "\n");
    claims += *claims != '\0';
    header[strcspn(header, "\n")] = '\0';
    char *token = issuer_token_exactly(ISSUER_EDDSA, header, claims);
    const bool in = header[0] != '\0' && claims[0] != '\0' && judged(token);
    if (strlen(token) <= ADU_TOKEN_MOST_BYTES) {
        check_claims(header, claims, in);
    }
    free(token);
    free(header);
    return in;
}

/* --- a set of keys --- */

static int try_keys(const char *text, size_t length)
{
    char why[ADU_JWKS_WHY] = "";
    const struct adu_jwk *key;
    struct adu_jwks *set = adu_jwks_read(text, length, why);
    check_text(why);
    must((set != NULL) == (why[0] == '\0'), "a set and an error, or neither", why);
    for (int i = 0; set != NULL && i < ADU_TOKEN_ALGORITHMS; i++) {
        must((adu_jwks_find(set, (enum adu_token_algorithm)i, NULL, &key) == ADU_JWKS_ONE) ==
                 (key != NULL),
             "a key, or none", "");
        must(key == NULL ||
                 !adu_jwk_signed(key, (enum adu_token_algorithm)i, "e30.e30.AAAA", 8, 12),
             "a key has signed nothing", "");
    }
    must(set == NULL || adu_jwks_count(set) <= ADU_JWKS_MOST_KEYS, "too many keys", "");
    adu_jwks_free(set);
    return 0;
}

int fuzz_token(const unsigned char *bytes, size_t length)
{
    static char text[TEXT_MOST];
    tried = bytes;
    tried_length = length;
    if (length < 1 || length >= sizeof text) {
        return 0;
    }
    memcpy(text, bytes + 1, length - 1);
    text[length - 1] = '\0';
    return bytes[0] == 'T'   ? try_token(text)
           : bytes[0] == 'C' ? try_claims(text)
           : bytes[0] == 'K' ? try_keys(text, length - 1)
                             : 0;
}
