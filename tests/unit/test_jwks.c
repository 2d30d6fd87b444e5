/* Sets of keys: which are read, which are left out, and which key a token is answered with. */
#include "issuer.h"
#include "plugins/iam_auth/jwks.h"
#include "snippet.h"

static char why[ADU_JWKS_WHY];

static struct adu_jwks *read_set(const char *text)
{
    char *json = json_of(text);
    struct adu_jwks *keys = adu_jwks_read(json, strlen(json), why);
    free(json);
    return keys;
}

static const struct {
    const char *text, *expected;
} refused[] = {
    {"", "is no set of keys"},
    {"null", "is no set of keys"},
    {"[]", "is no set of keys"},
    {"{}", "is no set of keys"},
    {"{'keys': {}}", "is no set of keys"},
    {"{'keys': []", "is no set of keys"},
    {"{'keys': [], 'keys': []}", "is no set of keys"},
    {"{'keys': []}", "holds no key that can verify"},
    {"{'keys': [7, null, 'x', [], {}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'RSA'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'RSA', 'n': '', 'e': 'AQAB'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'RSA', 'n': 7, 'e': 'AQAB'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'RSA', 'n': '!!!!', 'e': 'AQ?B'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'EC', 'crv': 'P-256', 'x': 'AAAA', 'y': 'AAAA'}]}",
     "holds no key that can verify"},
    {"{'keys': [{'kty': 'EC', 'crv': 'P-521', 'x': 'AAAA', 'y': 'AAAA'}]}",
     "holds no key that can verify"},
    {"{'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'x': 'AAAA'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'x': 'AAAAA'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'x': 'AAAAA='}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'RSA', 'n': 'AAAAA=', 'e': 'A='}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'EC', 'crv': 'P-256', 'x': 'A=', 'y': 'A='}]}",
     "holds no key that can verify"},
    {"{'keys': [{'kty': 'OKP', 'crv': 'Ed25519'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'OKP', 'crv': 'X25519', 'x': 'AAAA'}]}", "holds no key that can verify"},
    {"{'keys': [{'kty': 'oct', 'k': 'AAAA'}]}", "holds a private key or a shared secret"},
    {"{'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'x': 'AAAA', 'd': 'AAAA'}]}",
     "holds a private key or a shared secret"},
};

START_TEST(sets_that_are_refused)
{
    ck_assert_ptr_null(read_set(refused[_i].text));
    ck_assert_msg(strstr(why, refused[_i].expected) != NULL, "%s: %s", refused[_i].text, why);
}
END_TEST

/* What else a key says of itself, and whether it is one for us then. */
static const struct {
    enum issuer_key which;
    const char *more;
    bool taken;
} said[] = {
    {ISSUER_RSA, "", true},
    {ISSUER_RSA, ", 'use': 'sig', 'alg': 'PS256', 'kid': 'x', 'x5c': ['...']", true},
    {ISSUER_RSA, ", 'use': 'enc'", false},
    {ISSUER_RSA, ", 'use': ['sig']", false},
    {ISSUER_RSA, ", 'alg': 'RS512'", false},
    {ISSUER_RSA, ", 'alg': 'RSA-OAEP'", false},
    {ISSUER_RSA, ", 'alg': 'HS256'", false},
    {ISSUER_RSA, ", 'alg': 7", false},
    {ISSUER_RSA, ", 'key_ops': ['verify', 'sign']", true},
    {ISSUER_RSA, ", 'key_ops': ['encrypt']", false},
    {ISSUER_RSA, ", 'key_ops': 'verify'", false},
    {ISSUER_RSA, ", 'kid': 7", false},
    {ISSUER_EC, ", 'alg': 'ES256'", true},
    {ISSUER_EC, ", 'alg': 'RS256'", false},
    {ISSUER_ED25519, ", 'alg': 'EdDSA'", true},
    {ISSUER_ED25519, ", 'alg': 'ES256'", false},
    {ISSUER_WEAK, "", false},
};

START_TEST(keys_that_are_left_out)
{
    char *jwk = issuer_jwk(said[_i].which, said[_i].more), *good = issuer_jwk(ISSUER_STRANGER, "");
    char set[2048];
    snprintf(set, sizeof set, "{'keys': [%s, %s]}", jwk, good);
    struct adu_jwks *keys = read_set(set);
    ck_assert_msg(keys != NULL, "%s", why);
    ck_assert_uint_eq(adu_jwks_count(keys), said[_i].taken ? 2 : 1);
    adu_jwks_free(keys);
    free(jwk);
    free(good);
}
END_TEST

START_TEST(too_many_keys)
{
    static char set[16384];
    char *jwk = issuer_jwk(ISSUER_ED25519, "");
    for (int count = ADU_JWKS_MOST_KEYS; count <= ADU_JWKS_MOST_KEYS + 1; count++) {
        size_t used = (size_t)snprintf(set, sizeof set, "{'keys': [%s", jwk);
        for (int i = 1; i < count; i++) {
            used += (size_t)snprintf(set + used, sizeof set - used, ", %s", jwk);
        }
        snprintf(set + used, sizeof set - used, "]}");
        struct adu_jwks *keys = read_set(set);
        ck_assert_int_eq(keys != NULL, count == ADU_JWKS_MOST_KEYS);
        adu_jwks_free(keys);
    }
    ck_assert_str_eq(why, "holds more than 64 keys");
    free(jwk);
}
END_TEST

static const struct {
    enum adu_token_algorithm algorithm;
    const char *kid;
    enum adu_jwks_found found;
} asked[] = {
    {ADU_TOKEN_RS256, "a", ADU_JWKS_ONE},     {ADU_TOKEN_PS256, "a", ADU_JWKS_ONE},
    {ADU_TOKEN_ES256, "a", ADU_JWKS_NONE},    {ADU_TOKEN_EDDSA, "a", ADU_JWKS_NONE},
    {ADU_TOKEN_EDDSA, "b", ADU_JWKS_ONE},     {ADU_TOKEN_EDDSA, "c", ADU_JWKS_SEVERAL},
    {ADU_TOKEN_EDDSA, "", ADU_JWKS_NONE},     {ADU_TOKEN_EDDSA, NULL, ADU_JWKS_SEVERAL},
    {ADU_TOKEN_RS256, NULL, ADU_JWKS_ONE},    {ADU_TOKEN_ES256, NULL, ADU_JWKS_ONE},
    {ADU_TOKEN_ES256, "null", ADU_JWKS_NONE},
};

/* a: RSA; b: Ed25519; c: two Ed25519; and one without a name: EC. */
START_TEST(which_key_it_is)
{
    char *a = issuer_jwk(ISSUER_RSA, ", 'kid': 'a'"),
         *b = issuer_jwk(ISSUER_ED25519, ", 'kid': 'b'"),
         *c = issuer_jwk(ISSUER_STRANGER, ", 'kid': 'c'"),
         *d = issuer_jwk(ISSUER_NEXT, ", 'kid': 'c'"), *e = issuer_jwk(ISSUER_EC, "");
    char set[4096];
    const struct adu_jwk *key;
    snprintf(set, sizeof set, "{'keys': [%s, %s, %s, %s, %s]}", a, b, c, d, e);
    struct adu_jwks *keys = read_set(set);
    ck_assert_ptr_nonnull(keys);
    ck_assert_int_eq(adu_jwks_find(keys, asked[_i].algorithm, asked[_i].kid, &key),
                     asked[_i].found);
    ck_assert_int_eq(key != NULL, asked[_i].found == ADU_JWKS_ONE);
    adu_jwks_free(keys);
    free(a);
    free(b);
    free(c);
    free(d);
    free(e);
}
END_TEST

START_TEST(holders_share_them)
{
    char *json = issuer_jwks();
    struct adu_jwks *keys = read_set(json), *same = adu_jwks_share(keys);
    ck_assert_ptr_eq(same, keys);
    adu_jwks_free(keys);
    ck_assert_uint_eq(adu_jwks_count(same), 3);
    adu_jwks_free(same);
    adu_jwks_free(NULL);
    free(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jwks");
    suite_add_rows(suite, sets_that_are_refused, ROWS(refused));
    suite_add_rows(suite, keys_that_are_left_out, ROWS(said));
    suite_add(suite, too_many_keys);
    suite_add_rows(suite, which_key_it_is, ROWS(asked));
    suite_add(suite, holders_share_them);
    return run_suite(suite);
}
