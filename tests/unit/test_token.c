/* Tokens as passwords: which are believed, and what they say. Attack 11, line by line. */
#include "issuer.h"
#include "plugins/iam_auth/token.h"
#include "runner.h"
#include <openssl/err.h>
#include <string.h>

#define WALL_MS INT64_C(1782864000000) /* 2026-07-01 */
#define ISSUER  "'iss': 'https://sso.planta'"
#define FOR_US  "'aud': 'mqtt'"
#define UNTIL   "'exp': 1782864600" /* ten minutes later */
#define GOOD    "{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana'}"
#define RS256   "{'alg': 'RS256', 'kid': 'rsa'}"

static const char *const audiences[] = {"mqtt", "planta", NULL};

static const struct adu_token_rules rules = {
    .algorithms = {true, true, true, true},
    .issuer = "https://sso.planta",
    .audiences = audiences,
    .username_claim = "sub",
    .skew_ms = 30000,
};

static struct adu_jwks *keys_of(const char *json)
{
    char why[ADU_JWKS_WHY] = "";
    struct adu_jwks *keys = adu_jwks_read(json, strlen(json), why);
    ck_assert_msg(keys != NULL, "%s", why);
    return keys;
}

static struct adu_jwks *keys(void)
{
    char *json = issuer_jwks();
    struct adu_jwks *made = keys_of(json);
    free(json);
    return made;
}

static const char *const outcomes[] = {"unavailable", "unknown", "wrong", "barred", "verified"};

/* "verified ana sub=ana ..." or "wrong: the token has expired", and that "?" where fresher keys
 * might know it. */
static const char *judged(const struct adu_token_rules *by, const char *token, const char *username,
                          int64_t wall_ms)
{
    static char text[8192];
    struct adu_answer answer = {0};
    struct adu_jwks *ours = keys();
    const bool known = adu_token_judge(by, ours, token, username, wall_ms, &answer);
    int used = snprintf(text, sizeof text, "%s%s%s%s", outcomes[answer.outcome],
                        answer.outcome == ADU_OUTCOME_VERIFIED ? " " : ": ",
                        answer.outcome == ADU_OUTCOME_VERIFIED ? answer.username : answer.why,
                        known ? "" : "?");
    for (size_t i = 0; answer.outcome == ADU_OUTCOME_VERIFIED && i < answer.attributes.count; i++) {
        const struct adu_attribute *a = &answer.attributes.items[i];
        used += snprintf(text + used, sizeof text - (size_t)used, " %s=%s", a->name, a->value);
    }
    ck_assert_uint_eq(ERR_peek_error(), 0); /* nothing for the broker's TLS to stumble over */
    adu_answer_clear(&answer);
    adu_jwks_free(ours);
    return text;
}

/* --- signatures --- */

static const struct {
    enum issuer_sign how;
    const char *header;
    const char *expected; /* how it begins */
} signatures[] = {
    {ISSUER_RS256, RS256, "verified ana"},
    {ISSUER_PS256, "{'alg': 'PS256', 'kid': 'rsa'}", "verified ana"},
    {ISSUER_ES256, "{'alg': 'ES256', 'kid': 'ec'}", "verified ana"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed'}", "verified ana"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA'}", "verified ana"}, /* one key fits */
    {ISSUER_EDDSA, " {'typ': 'at+jwt', 'alg': 'EdDSA', 'x': [1, {}]}", "verified ana"},
    /* alg none */
    {ISSUER_UNSIGNED, "{'alg': 'none'}", "wrong: the token is signed by an algorithm"},
    {ISSUER_UNSIGNED, "{'alg': 'None', 'kid': 'rsa'}", "wrong: the token is signed by an alg"},
    {ISSUER_UNSIGNED, "{'kid': 'rsa'}", "wrong: the token is signed by an algorithm"},
    {ISSUER_UNSIGNED, RS256, "wrong: the token's signature is wrong"},
    {ISSUER_UNSIGNED, "{'alg': 'EdDSA', 'kid': 'ed'}", "wrong: the token's signature is wrong"},
    /* a shared secret, which everybody has */
    {ISSUER_HMAC, "{'alg': 'HS256', 'kid': 'rsa'}", "wrong: the token is signed by an algorithm"},
    {ISSUER_HMAC, RS256, "wrong: the token's signature is wrong"},
    /* the key of one algorithm for another */
    {ISSUER_RS256, "{'alg': 'PS256', 'kid': 'rsa'}", "wrong: the token's signature is wrong"},
    {ISSUER_RS256, "{'alg': 'ES256', 'kid': 'rsa'}", "wrong: the token is signed with a key"},
    {ISSUER_RS256, "{'alg': 'RS512', 'kid': 'rsa'}", "wrong: the token is signed by an algorithm"},
    {ISSUER_RS256, "{'alg': 'rs256', 'kid': 'rsa'}", "wrong: the token is signed by an algorithm"},
    {ISSUER_EDDSA, "{'alg': 'ES256', 'kid': 'ec'}", "wrong: the token's signature is wrong"},
    {ISSUER_RS256, "{'alg': ['RS256'], 'kid': 'rsa'}", "wrong: the token is signed by an alg"},
    {ISSUER_RS256, "{'alg': 'RS256\\u0000', 'kid': 'rsa'}", "wrong: the token's header is no"},
    /* two algs */
    {ISSUER_RS256, "{'alg': 'none', 'alg': 'RS256', 'kid': 'rsa'}", "wrong: the token's header"},
    {ISSUER_RS256, "{'alg': 'RS256', 'alg': 'RS256', 'kid': 'rsa'}", "wrong: the token's header"},
    /* unknown kid; kid as a path, a URL, SQL */
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'x'}", "wrong: the token is signed with a key"},
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'ed'}", "wrong: the token's signature is wrong"},
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': '../../../../dev/null'}",
     "wrong: the token is signed with a key that its issuer does not have?"},
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'https://evil.example/jwks.json'}",
     "wrong: the token is signed with a key that its issuer does not have?"},
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'x\\' UNION SELECT \\'ed'}",
     "wrong: the token is signed with a key"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ED'}", "wrong: the token is signed with a key"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': ''}", "wrong: the token is signed with a key"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 7}", "wrong: the token's key id is no text"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': null}", "wrong: the token's key id is no text"},
    /* where to get its key, says whoever made it */
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'ed', 'jku': 'https://evil.example/jwks.json'}",
     "wrong: the token's signature is wrong"},
    {ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'jku': 'https://evil.example', 'x5u': 'https://evil'}",
     "wrong: the token's signature is wrong"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed', 'jku': 'https://evil.example', 'x5u': 'x'}",
     "verified ana"},
    /* extensions */
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed', 'crit': ['exp'], 'exp': 1}",
     "wrong: the token asks for an extension"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed', 'b64': false, 'crit': ['b64']}",
     "wrong: the token asks for an extension"},
    {ISSUER_EDDSA, "['EdDSA']", "wrong: the token's header is no JSON object"},
    {ISSUER_EDDSA, "{'alg': 'EdDSA'", "wrong: the token's header is no JSON object"},
};

START_TEST(whose_signature_is_believed)
{
    char *token = issuer_token(signatures[_i].how, signatures[_i].header, GOOD);
    const char *said = judged(&rules, token, "ana", WALL_MS);
    ck_assert_msg(strncmp(said, signatures[_i].expected, strlen(signatures[_i].expected)) == 0,
                  "%s: %s", signatures[_i].header, said);
    free(token);
}
END_TEST

/* The key itself in the header. */
START_TEST(a_key_within_the_token)
{
    char header[1024];
    char *jwk = issuer_jwk(ISSUER_STRANGER, "");
    snprintf(header, sizeof header, "{'alg': 'EdDSA', 'kid': 'ed', 'jwk': %s}", jwk);
    char *token = issuer_token(ISSUER_BY_STRANGER, header, GOOD);
    ck_assert_str_eq(judged(&rules, token, "ana", WALL_MS),
                     "wrong: the token's signature is wrong");
    free(token);
    free(jwk);
}
END_TEST

START_TEST(only_what_is_allowed)
{
    struct adu_token_rules few = rules;
    memset(few.algorithms, 0, sizeof few.algorithms);
    few.algorithms[ADU_TOKEN_ES256] = true;
    char *rs = issuer_token(ISSUER_RS256, RS256, GOOD),
         *es = issuer_token(ISSUER_ES256, "{'alg': 'ES256', 'kid': 'ec'}", GOOD);
    ck_assert_str_eq(
        judged(&few, rs, "ana", WALL_MS),
        "wrong: the token is signed by an algorithm that is not allowed, or not at all");
    ck_assert_msg(strncmp(judged(&few, es, "ana", WALL_MS), "verified", 8) == 0, "%s", es);
    free(rs);
    free(es);
}
END_TEST

/* --- claims --- */

#define SKEW "'exp': 1782863971" /* 29 s ago */

static const struct {
    const char *claims;
    const char *username;
    const char *expected; /* how it begins */
} said[] = {
    {GOOD, "ana",
     "verified ana token.iss=https://sso.planta token.aud=mqtt token.exp=1782864600 "
     "token.sub=ana"},
    /* of another issuer, for another audience */
    {"{" FOR_US ", " UNTIL ", 'sub': 'ana'}", "ana", "wrong: the token is of another issuer"},
    {"{'iss': 'https://sso.planta/', " FOR_US ", " UNTIL ", 'sub': 'ana'}", "ana",
     "wrong: the token is of another issuer"},
    {"{'iss': ['https://sso.planta'], " FOR_US ", " UNTIL ", 'sub': 'ana'}", "ana",
     "wrong: the token is of another issuer"},
    {"{" ISSUER ", " UNTIL ", 'sub': 'ana'}", "ana", "wrong: the token is for another audience"},
    {"{" ISSUER ", 'aud': 'mqt', " UNTIL ", 'sub': 'ana'}", "ana",
     "wrong: the token is for another audience"},
    {"{" ISSUER ", 'aud': [], " UNTIL ", 'sub': 'ana'}", "ana",
     "wrong: the token is for another audience"},
    {"{" ISSUER ", 'aud': ['erp', ['mqtt'], {'mqtt': 1}], " UNTIL ", 'sub': 'ana'}", "ana",
     "wrong: the token is for another audience"},
    {"{" ISSUER ", 'aud': ['erp', 'planta'], " UNTIL ", 'sub': 'ana'}", "ana", "verified ana"},
    /* now */
    {"{" ISSUER ", " FOR_US ", 'sub': 'ana'}", "ana", "wrong: the token never expires"},
    {"{" ISSUER ", " FOR_US ", 'exp': 1782863970, 'sub': 'ana'}", "ana",
     "wrong: the token has expired"},
    {"{" ISSUER ", " FOR_US ", " SKEW ", 'sub': 'ana'}", "ana", "verified ana"},
    {"{" ISSUER ", " FOR_US ", 'exp': 1782863971.5, 'sub': 'ana'}", "ana", "verified ana"},
    {"{" ISSUER ", " FOR_US ", 'exp': '1782864600', 'sub': 'ana'}", "ana",
     "wrong: the token's times are no times"},
    {"{" ISSUER ", " FOR_US ", 'exp': 1e300, 'sub': 'ana'}", "ana",
     "wrong: the token's times are no times"},
    {"{" ISSUER ", " FOR_US ", 'exp': 9223372036854775807, 'sub': 'ana'}", "ana",
     "wrong: the token's times are no times"},
    {"{" ISSUER ", " FOR_US ", 'exp': 92233720368547758070, 'sub': 'ana'}", "ana",
     "wrong: what the token says is no JSON object"},
    {"{" ISSUER ", " FOR_US ", 'exp': -1, 'sub': 'ana'}", "ana",
     "wrong: the token's times are no times"},
    {"{" ISSUER ", " FOR_US ", 'exp': null, 'sub': 'ana'}", "ana",
     "wrong: the token's times are no times"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'nbf': 1782864031}", "ana",
     "wrong: the token is not valid yet"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'nbf': 1782864030}", "ana", "verified"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'nbf': true}", "ana",
     "wrong: the token's times are no times"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'iat': 1782864031}", "ana",
     "wrong: the token was issued in the future"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'iat': 1782864030}", "ana", "verified"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'iat': 'x'}", "ana",
     "wrong: the token's times are no times"},
    /* said twice */
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'luis', 'sub': 'ana'}", "ana",
     "wrong: what the token says is no JSON object, or says something twice"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'exp': 9982864600, 'sub': 'ana'}", "ana",
     "wrong: what the token says is no JSON object, or says something twice"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'a': {'b': 1, 'b': 2}}", "ana",
     "wrong: what the token says is no JSON object, or says something twice"},
    /* whose */
    {GOOD, "luis", "wrong: the token is of somebody else"},
    {GOOD, "Ana", "wrong: the token is of somebody else"},
    {GOOD, NULL, "wrong: the client does not say its user name"},
    {GOOD, "", "wrong: the client does not say its user name"},
    {"{" ISSUER ", " FOR_US ", " UNTIL "}", "ana", "wrong: the token does not say one name"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': ''}", "", "wrong: the token does not say one"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': ['ana', 'luis']}", "ana",
     "wrong: the token does not say one name"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'an\\u0000a'}", "an",
     "wrong: what the token says is no JSON object"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana\\n'}", "ana\n",
     "wrong: the token does not say one name"},
    {"{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 7}", "7", "verified 7"},
    {"[]", "ana", "wrong: what the token says is no JSON object"},
    {"ana", "ana", "wrong: what the token says is no JSON object"},
    /* what becomes of the rest */
    {"{" ISSUER ", " FOR_US ", " UNTIL
     ", 'sub': 'ana', 'realm_access': {'roles': ['operador', 'lector']}, 'n': {'m': {'k': true}},"
     " 'f': 1.5, 'z': null, 'l': [['x'], {'y': 1}, false, -3], 'scope': 'leer  mandar '}",
     "ana",
     "verified ana token.iss=https://sso.planta token.aud=mqtt token.exp=1782864600 token.sub=ana "
     "token.realm_access.roles=operador token.realm_access.roles=lector token.n.m.k=true "
     "token.l=false token.l=-3 token.scope=leer token.scope=mandar"},
    {"{" ISSUER ", " FOR_US ", " UNTIL
     ", 'sub': 'ana', 'a': {'a': {'a': {'a': {'a': {'a': {'a': {'a': {'a': 1}}}}}}}}}",
     "ana", "wrong: the token says something too deep"},
};

START_TEST(what_is_said_is_believed)
{
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed'}", said[_i].claims);
    const char *text = judged(&rules, token, said[_i].username, WALL_MS);
    ck_assert_msg(strncmp(text, said[_i].expected, strlen(said[_i].expected)) == 0, "%s: %s",
                  said[_i].claims, text);
    free(token);
}
END_TEST

START_TEST(a_client_may_leave_its_name_out)
{
    struct adu_token_rules lenient = rules;
    lenient.username_optional = true;
    lenient.username_claim = "p.usuario";
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA'}",
                               "{" ISSUER ", " FOR_US ", " UNTIL ", 'p': {'usuario': 'ana'}}");
    ck_assert_msg(strncmp(judged(&lenient, token, NULL, WALL_MS), "verified ana ", 13) == 0,
                  "NULL");
    ck_assert_msg(strncmp(judged(&lenient, token, "", WALL_MS), "verified ana ", 13) == 0, "empty");
    ck_assert_str_eq(judged(&lenient, token, "luis", WALL_MS),
                     "wrong: the token is of somebody else");
    free(token);
}
END_TEST

START_TEST(it_ends_when_the_token_does)
{
    struct adu_answer answer = {0};
    struct adu_jwks *ours = keys();
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA'}", GOOD);
    ck_assert(adu_token_judge(&rules, ours, token, "ana", WALL_MS, &answer));
    ck_assert_int_eq(answer.outcome, ADU_OUTCOME_VERIFIED);
    ck_assert_int_eq(answer.valid_until_ms, INT64_C(1782864600000) + 30000);
    adu_answer_clear(&answer);
    /* The last millisecond, and the next. */
    ck_assert(adu_token_judge(&rules, ours, token, "ana", INT64_C(1782864629999), &answer));
    ck_assert_int_eq(answer.outcome, ADU_OUTCOME_VERIFIED);
    adu_answer_clear(&answer);
    ck_assert(adu_token_judge(&rules, ours, token, "ana", INT64_C(1782864630000), &answer));
    ck_assert_int_eq(answer.outcome, ADU_OUTCOME_WRONG);
    adu_answer_clear(&answer);
    free(token);
    adu_jwks_free(ours);
}
END_TEST

/* --- what is no token, and too much of one --- */

START_TEST(other_secrets_are_no_tokens)
{
    static const char *const others[] = {
        "",           "secret",    "a.b.c",    "ey.a",        "ey..c",        ".eya.b.c",
        "eya.b.c.d",  "eya.b.c d", "eya.b=.c", "eyaaa.bb.cc", "eya.bbbbb.cc", "eya.bb.ccccc",
        "eya.bb.cc\n"};
    for (int i = 0; i < ROWS(others); i++) {
        ck_assert_msg(!adu_token_is_one(others[i]), "%s", others[i]);
    }
    ck_assert(adu_token_is_one("eya.bb.cc"));
    ck_assert(adu_token_is_one("ewo.bb.")); /* as that of alg none */
    ck_assert_str_eq(judged(&rules, "secret", "ana", WALL_MS), "wrong: it is no token");
}
END_TEST

START_TEST(a_token_of_a_megabyte)
{
    enum { MEGABYTE = 1024 * 1024 };
    char *good = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA'}", GOOD), *big = malloc(MEGABYTE + 1);
    const char *dot = strrchr(good, '.');
    memset(big, 'A', MEGABYTE);
    big[MEGABYTE] = '\0';
    memcpy(big, good, (size_t)(dot - good) + 1);
    big[adu_token_is_one(big) ? MEGABYTE : MEGABYTE - 1] = '\0'; /* whole bytes */
    ck_assert(adu_token_is_one(big));
    ck_assert_str_eq(judged(&rules, big, "ana", WALL_MS),
                     "wrong: the token has more than 16384 bytes");
    free(good);
    free(big);
}
END_TEST

START_TEST(a_token_that_says_too_much)
{
    static char claims[16384];
    size_t used = (size_t)snprintf(claims, sizeof claims,
                                   "{" ISSUER ", " FOR_US ", " UNTIL ", 'sub': 'ana', 'groups': [");
    for (int i = 0; i < 197; i++) { /* and four that stand there already */
        used += (size_t)snprintf(claims + used, sizeof claims - used, "'%d', ", i);
    }
    snprintf(claims + used - 2, sizeof claims - used + 2, "]}");
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA'}", claims);
    ck_assert_str_eq(judged(&rules, token, "ana", WALL_MS),
                     "wrong: the token says more than 200 things");
    free(token);
}
END_TEST

/* Every bit of a good one counts; but for those that base64 leaves over at the end of a part. */
START_TEST(every_byte_is_signed)
{
    char *token = issuer_token(ISSUER_RS256, RS256, GOOD);
    for (size_t i = 0; token[i] != '\0'; i++) {
        const char was = token[i], after = token[i + 1];
        token[i] = was == 'A' ? 'Z' : 'A';
        ck_assert_msg(after == '.' || after == '\0' ||
                          strncmp(judged(&rules, token, "ana", WALL_MS), "wrong", 5) == 0,
                      "byte %zu", i);
        token[i] = was;
    }
    free(token);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("token");
    suite_add_rows(suite, whose_signature_is_believed, ROWS(signatures));
    suite_add(suite, a_key_within_the_token);
    suite_add(suite, only_what_is_allowed);
    suite_add_rows(suite, what_is_said_is_believed, ROWS(said));
    suite_add(suite, a_client_may_leave_its_name_out);
    suite_add(suite, it_ends_when_the_token_does);
    suite_add(suite, other_secrets_are_no_tokens);
    suite_add(suite, a_token_of_a_megabyte);
    suite_add(suite, a_token_that_says_too_much);
    suite_add(suite, every_byte_is_signed);
    return run_suite(suite);
}
