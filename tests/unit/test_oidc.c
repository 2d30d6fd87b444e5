/* The provider of tokens: its settings, what its answers mean, and the issuer that is asked. */
#include "asker.h"
#include "fixture.h"
#include "issuer.h"
#include "plugins/iam_auth/introspection.h"
#include "provider_snippet.h"
#include "web.h"

#define WALL_MS   INT64_C(1782864000000) /* 2026-07-01 */
#define BASE      "'issuer': 'https://sso.planta', 'audience': 'mqtt'"
#define FILE_KEYS "'jwks': {'file': 'jwks.json'}"
#define CLAIMS                                                                                     \
    "{'iss': 'https://sso.planta', 'aud': 'mqtt', 'exp': 1782864600, 'sub': 'ana', "               \
    "'planta': {'linea': 'linea1', 'turno': ['a', 'b']}, 'realm_access': {'roles': ['op', 'x']}, " \
    "'scope': 'leer mandar', 'kid': 'op'}"

static struct web web;

static void setup(void)
{
    char *json = issuer_jwks();
    folder_make(&folder);
    folder_write(&folder, "jwks.json", json);
    folder_write(&folder, "secret", "s3cret +\n");
    folder_write(&folder, "ca.pem", "-----BEGIN CERTIFICATE-----\n");
    web_start(&web);
    web_answers(&web, 200, json);
    free(json);
}

static void teardown(void)
{
    web_stop(&web);
    folder_remove(&folder);
}

/* See provider_snippet.h. */
static const void *settings_of(const char *json)
{
    return provider_settings(&adu_provider_oidc, json);
}

static const void *good_settings(const char *json)
{
    return provider_good_settings(&adu_provider_oidc, json);
}

/* --- settings --- */

static const struct {
    const char *json;
    const char *error; /* NULL: good */
} settings[] = {
    {"{" BASE ", " FILE_KEYS "}", NULL},
    {"{'issuer': 'x', 'audience': ['a', 'b'], " FILE_KEYS ", 'algorithms': ['EdDSA', 'RS256']}",
     NULL},
    {"{" BASE ", 'jwks': {'url': 'https://sso.planta/jwks', 'ca_file': 'ca.pem', "
     "'refresh_seconds': 60, 'keep_seconds': 60}}",
     NULL},
    {"{" BASE ", 'jwks': {'url': 'http://localhost:8080/jwks'}}", NULL},
    {"{" BASE ", 'jwks': {'url': 'http://[::1]/'}}", NULL},
    {"{'audience': 'mqtt', " FILE_KEYS "}", "the key \"issuer\" is missing"},
    {"{'issuer': 'x', " FILE_KEYS "}", "the key \"audience\" is missing"},
    {"{" BASE "}", "the key \"jwks\" is missing"},
    {"{'issuer': 'x', 'audience': [], " FILE_KEYS "}", "audience: an empty list lets nobody in"},
    {"{'issuer': 'x', 'audience': 7, " FILE_KEYS "}", "audience: expected a string, found"},
    {"{'issuer': 'x', 'audience': ['a', ''], " FILE_KEYS "}",
     "audience[1]: expected a string that"},
    {"{" BASE ", 'jwks': {}}", "jwks: expected \"file\", \"url\" or both"},
    {"{" BASE ", 'jwks': {'file': 'jwks.json', 'url': 'https://x/'}}", NULL},
    {"{" BASE ", 'jwks': {'file': 'jwks.json', 'refresh_seconds': 60}}",
     "jwks.refresh_seconds: has no meaning without \"url\""},
    {"{" BASE ", 'jwks': {'file': 'none.json'}}", "none.json: cannot be read"},
    {"{" BASE ", 'jwks': {'file': 'ca.pem'}}", "ca.pem: is no set of keys"},
    {"{" BASE ", 'jwks': {'url': 'http://sso.planta/jwks'}}",
     "jwks.url: expected https://; http:// only to this machine itself"},
    {"{" BASE ", 'jwks': {'url': 'http://localhost.evil.example/'}}",
     "jwks.url: expected https://; http:// only to this machine itself"},
    {"{" BASE ", 'jwks': {'url': 'http://127.0.0.1@evil.example/'}}",
     "jwks.url: an address must not"},
    {"{" BASE ", 'jwks': {'url': 'file:///etc/passwd'}}", "jwks.url: expected an address that"},
    {"{" BASE ", 'jwks': {'url': 'https://u:p@sso.planta/'}}",
     "jwks.url: an address must not hold"},
    {"{" BASE ", 'jwks': {'url': 'https://x/', 'ca_file': 'secret'}}",
     "secret: holds no certificate"},
    {"{" BASE ", 'jwks': {'url': 'https://x/', 'refresh_seconds': 600, 'keep_seconds': 599}}",
     "jwks: keep_seconds 599 is less than refresh_seconds 600"},
    {"{" BASE ", 'jwks': {'url': 'https://x/', 'refresh_seconds': 59}}",
     "jwks.refresh_seconds: expected an integer from 60 to 86400, found 59"},
    {"{" BASE ", " FILE_KEYS ", 'algorithms': []}", "algorithms: an empty list lets nobody in"},
    {"{" BASE ", " FILE_KEYS ", 'algorithms': ['none']}", "algorithms[0]: expected \"RS256\""},
    {"{" BASE ", " FILE_KEYS ", 'algorithms': ['RS256', 'HS256']}",
     "algorithms[1]: expected \"RS256\""},
    {"{" BASE ", " FILE_KEYS ", 'username': 'maybe'}", "username: expected one of \"required\", "},
    {"{" BASE ", " FILE_KEYS ", 'skew_seconds': 301}", "skew_seconds: expected an integer from 0"},
    {"{" BASE ", " FILE_KEYS ", 'attributes': {'cert.cn': 'sub'}}",
     "attributes.cert.cn: this name is the bundle's own"},
    {"{" BASE ", " FILE_KEYS ", 'attributes': {'a b': 'sub'}}",
     "attributes.a b: a name has letters"},
    {"{" BASE ", " FILE_KEYS ", 'attributes': {'linea': ['sub']}}",
     "attributes.linea: expected a string"},
    {"{" BASE ", " FILE_KEYS ", 'roles_claim': 'groups'}",
     "\"roles_claim\" and \"roles\" need each other"},
    {"{" BASE ", " FILE_KEYS ", 'roles': {'op': ['operador']}}",
     "\"roles_claim\" and \"roles\" need each other"},
    {"{" BASE ", " FILE_KEYS ", 'roles_claim': [], 'roles': {}}",
     "roles_claim: an empty list gives no role"},
    {"{" BASE ", " FILE_KEYS ", 'roles_claim': 'groups', 'roles': {'op': 'operador'}}",
     "roles.op: expected an array"},
    {"{" BASE ", " FILE_KEYS ", 'introspection': {'url': 'https://x/', 'client_id': 'a'}}",
     "introspection: the key \"client_secret_file\" is missing"},
    {"{" BASE ", " FILE_KEYS
     ", 'introspection': {'url': 'https://x/', 'client_id': 'a', 'client_secret_file': 'none'}}",
     "none: cannot be read"},
    {"{" BASE ", " FILE_KEYS
     ", 'introspection': {'url': 'https://x/', 'client_id': 'a', 'client_secret_file': 'lines'}}",
     "lines: expected one line with the secret"},
    {"{" BASE ", " FILE_KEYS ", 'introspection': {'url': 'http://sso.planta/', 'client_id': 'a', "
     "'client_secret_file': 'secret'}}",
     "introspection.url: expected https://"},
};

START_TEST(settings_good_and_bad)
{
    folder_write(&folder, "lines", "one\ntwo\n");
    const void *made = settings_of(settings[_i].json);
    ck_assert_msg((made != NULL) == (settings[_i].error == NULL), "%s: %s", settings[_i].json,
                  snippet_error(&snippet));
    ck_assert_msg(made != NULL || strstr(snippet_error(&snippet), settings[_i].error) != NULL,
                  "%s: %s", settings[_i].json, snippet.text);
    ck_assert_int_eq(web_requests(&web), 0);
    snippet_close(&snippet);
}
END_TEST

/* --- what an answer gives --- */

/* "ana [operador] linea=linea1", or "wrong: ...". */
static const char *said_of(const void *made, const char *username, const char *token)
{
    static const char *const outcomes[] = {"unavailable", "unknown", "wrong", "barred", "verified"};
    struct adu_answer answer = {0};
    struct adu_login login = {.why = ADU_REASON_INIT};
    static char text[5120];
    adu_provider_oidc.ask(made, username, token, WALL_MS, &answer);
    if (answer.outcome == ADU_OUTCOME_VERIFIED) {
        snprintf(login.username, sizeof login.username, "%s", answer.username);
        ck_assert_int_eq(adu_provider_oidc.describe(made, &answer, &login), ADU_ALLOW);
        snprintf(text, sizeof text, "%s", login_text(&login, snippet.vocabulary));
    } else {
        snprintf(text, sizeof text, "%s: %s", outcomes[answer.outcome], answer.why);
    }
    adu_attributes_clear(&login.attributes);
    adu_answer_clear(&answer);
    return text;
}

static const struct {
    const char *more, *expected;
} gives[] = {
    {"", "ana []"},
    {", 'attributes': {'linea': 'planta.linea', 'turno': 'planta.turno', 'nada': 'planta'}",
     "ana [] linea=linea1 turno=a turno=b"},
    {", 'roles_claim': 'realm_access.roles', 'roles': {'op': ['operador', 'lector'], 'y': "
     "['jefe']}",
     "ana [operador,lector]"},
    {", 'roles_claim': ['realm_access.roles', 'scope'], 'roles': {'//': 1, 'op': ['operador'], "
     "'leer': ['lector'], 'leer mandar': ['jefe']}",
     "ana [operador,lector]"},
    {", 'roles_claim': 'groups', 'roles': {'op': ['operador']}", "ana []"},
    {", 'username_claim': 'planta.linea'", "wrong: the token is of somebody else"},
    {", 'algorithms': ['ES256']", "wrong: the token is signed by an algorithm that is not allowed, "
                                  "or not at all"},
};

START_TEST(what_an_answer_gives)
{
    char json[1024];
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed'}", CLAIMS);
    snprintf(json, sizeof json, "{" BASE ", " FILE_KEYS "%s}", gives[_i].more);
    ck_assert_str_eq(said_of(good_settings(json), "ana", token), gives[_i].expected);
    snippet_close(&snippet);
    free(token);
}
END_TEST

START_TEST(other_secrets_are_for_other_providers)
{
    const void *made = good_settings("{" BASE ", " FILE_KEYS "}");
    ck_assert_str_eq(said_of(made, "ana", "secret"), "unknown: ");
    ck_assert_str_eq(
        said_of(made, "ana", "eyJhbGciOiJub25lIn0.e30."),
        "wrong: the token is signed by an algorithm that is not allowed, or not at all");
    ck_assert_str_eq(said_of(made, "ana", NULL), "unavailable: nobody can tell without the token");
    snippet_close(&snippet);
}
END_TEST

/* A client without a user name goes by the token's, which is no more than said until it is asked.
 */
START_TEST(a_token_that_names_its_user)
{
    static const char *const names[] = {"required", "optional"};
    char json[512], username[ADU_USERNAME_MOST + 1];
    char *token = issuer_token(ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'ed'}", CLAIMS),
         *nameless = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA'}", "{'sub': 7, 'sub': 8}");
    for (int i = 0; i < ROWS(names); i++) {
        username[0] = '\0';
        snprintf(json, sizeof json, "{" BASE ", " FILE_KEYS ", 'username': '%s'}", names[i]);
        const void *made = good_settings(json);
        ck_assert_int_eq(adu_provider_oidc.name_in(made, token, username), i == 1);
        ck_assert_str_eq(username, i == 1 ? "ana" : "");
        ck_assert(!adu_provider_oidc.name_in(made, nameless, username));
        ck_assert(!adu_provider_oidc.name_in(made, "secret", username));
        ck_assert(!adu_provider_oidc.name_in(made, "eya.bb.cc", username));
        ck_assert_str_eq(said_of(made, "ana", token), "wrong: the token's signature is wrong");
        snippet_close(&snippet);
    }
    free(token);
    free(nameless);
}
END_TEST

/* Whatever is remembered of answers by other keys is not to be believed. */
START_TEST(other_keys_are_another_stamp)
{
    char *jwk = issuer_jwk(ISSUER_NEXT, ""), set[1024];
    uint32_t stamps[3];
    for (int i = 0; i < ROWS(stamps); i++) {
        stamps[i] = adu_provider_oidc.stamp(good_settings("{" BASE ", " FILE_KEYS "}"));
        snippet_close(&snippet);
        if (i == 1) {
            snprintf(set, sizeof set, "{\"keys\": [%s]}", jwk);
            folder_write(&folder, "jwks.json", set);
        }
    }
    ck_assert_uint_eq(stamps[0], stamps[1]);
    ck_assert_uint_ne(stamps[1], stamps[2]);
    free(jwk);
}
END_TEST

/* --- keys from an address --- */

START_TEST(keys_from_an_address)
{
    char json[512];
    char *good = issuer_token(ISSUER_RS256, "{'alg': 'RS256', 'kid': 'rsa'}", CLAIMS),
         *next = issuer_token(ISSUER_BY_NEXT, "{'alg': 'EdDSA', 'kid': 'next'}", CLAIMS);
    snprintf(json, sizeof json, "{" BASE ", 'jwks': {'url': '%s'}}", web.url);
    const void *made = good_settings(json);
    ck_assert_str_eq(said_of(made, "ana", "secret"), "unknown: ");
    ck_assert_int_eq(web_requests(&web), 0); /* no token, no keys */
    ck_assert_str_eq(said_of(made, "ana", good), "ana []");
    for (int i = 0; i < 100; i++) {
        ck_assert_str_eq(said_of(made, "ana", next),
                         "wrong: the token is signed with a key that its issuer does not have");
    }
    ck_assert_int_eq(web_requests(&web), 1);
    snippet_close(&snippet);
    free(good);
    free(next);
}
END_TEST

START_TEST(keys_that_cannot_be_had)
{
    char json[512];
    char *token = issuer_token(ISSUER_RS256, "{'alg': 'RS256', 'kid': 'rsa'}", CLAIMS);
    web_answers(&web, 503, "");
    snprintf(json, sizeof json, "{" BASE ", 'jwks': {'url': '%s'}}", web.url);
    ck_assert_str_eq(said_of(good_settings(json), "ana", token),
                     "unavailable: the issuer's keys cannot be had: the answer is HTTP status 503");
    snippet_close(&snippet);
    /* But those of a file. */
    snprintf(json, sizeof json, "{" BASE ", 'jwks': {'file': 'jwks.json', 'url': '%s'}}", web.url);
    ck_assert_str_eq(said_of(good_settings(json), "ana", token), "ana []");
    snippet_close(&snippet);
    free(token);
}
END_TEST

/* --- introspection --- */

static const struct {
    int status;
    const char *body, *expected;
} replies[] = {
    {200, "{\"active\": true, \"sub\": \"ana\"}", "ana []"},
    {200, "{\"active\": false}", "barred: its issuer says that the token is not active"},
    {200, "{\"active\": \"true\"}", "unavailable: the issuer's answer does not say whether"},
    {200, "{\"active\": 1}", "unavailable: the issuer's answer does not say whether"},
    {200, "{\"active\": false, \"active\": true}", "unavailable: the issuer's answer does not say"},
    {200, "{}", "unavailable: the issuer's answer does not say whether"},
    {200, "[true]", "unavailable: the issuer's answer does not say whether"},
    {200, "", "unavailable: the issuer's answer does not say whether"},
    {200, "{\"active\": tru", "unavailable: the issuer's answer does not say whether"},
    {401, "{\"active\": true}", "unavailable: its issuer cannot be asked: the answer is HTTP stat"},
    {302, "{\"active\": true}", "unavailable: its issuer cannot be asked: the answer is HTTP stat"},
};

START_TEST(a_token_of_a_user_since_disabled)
{
    char json[512], form[2048];
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed'}", CLAIMS);
    web_answers(&web, replies[_i].status, replies[_i].body);
    snprintf(json, sizeof json,
             "{" BASE ", " FILE_KEYS ", 'introspection': {'url': '%s', 'client_id': 'bro:ker', "
             "'client_secret_file': 'secret'}}",
             web.url);
    const char *text = said_of(good_settings(json), "ana", token);
    ck_assert_msg(strncmp(text, replies[_i].expected, strlen(replies[_i].expected)) == 0, "%s: %s",
                  replies[_i].body, text);
    snprintf(form, sizeof form, "\r\n\r\ntoken_type_hint=access_token&token=%s", token);
    ck_assert_ptr_nonnull(strstr(web.asked, "POST / "));
    ck_assert_ptr_nonnull(
        strstr(web.asked, "Authorization: Basic YnJvJTNBa2VyOnMzY3JldCUyMCUyQg=="));
    ck_assert_ptr_nonnull(strstr(web.asked, form));
    snippet_close(&snippet);
    free(token);
}
END_TEST

/* Its issuer alone is asked again: not for its keys, which it may have exchanged. */
START_TEST(asked_about_again)
{
    char json[512];
    char *token = issuer_token(ISSUER_EDDSA, "{'alg': 'EdDSA', 'kid': 'ed'}", CLAIMS);
    ck_assert(!adu_provider_oidc.may_be_revoked(good_settings("{" BASE ", " FILE_KEYS "}")));
    snippet_close(&snippet);
    snprintf(json, sizeof json,
             "{" BASE ", 'jwks': {'url': '%s'}, 'introspection': {'url': '%s', 'client_id': 'a', "
             "'client_secret_file': 'secret'}}",
             web.url, web.url);
    const void *made = good_settings(json);
    ck_assert(adu_provider_oidc.may_be_revoked(made));
    for (int i = 0; i < ROWS(replies); i++) {
        struct adu_answer answer = {0};
        char text[256];
        web_answers(&web, replies[i].status, replies[i].body);
        adu_provider_oidc.ask_again(made, token, &answer);
        if (answer.outcome == ADU_OUTCOME_VERIFIED) {
            ck_assert_int_eq(i, 0);
            continue;
        }
        snprintf(text, sizeof text, "%s: %s",
                 answer.outcome == ADU_OUTCOME_BARRED ? "barred" : "unavailable", answer.why);
        ck_assert_msg(strncmp(text, replies[i].expected, strlen(replies[i].expected)) == 0,
                      "%d: %s", i, text);
    }
    ck_assert_int_eq(web_requests(&web), ROWS(replies)); /* and none for keys */
    snippet_close(&snippet);
    free(token);
}
END_TEST

START_TEST(a_bad_token_is_shown_to_nobody)
{
    char json[512];
    char *token = issuer_token(ISSUER_BY_STRANGER, "{'alg': 'EdDSA', 'kid': 'ed'}", CLAIMS);
    snprintf(json, sizeof json,
             "{" BASE ", " FILE_KEYS ", 'introspection': {'url': '%s', 'client_id': 'bro:ker', "
             "'client_secret_file': 'secret'}}",
             web.url);
    ck_assert_str_eq(said_of(good_settings(json), "ana", token),
                     "wrong: the token's signature is wrong");
    ck_assert_int_eq(web_requests(&web), 0);
    snippet_close(&snippet);
    free(token);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oidc");
    suite_add_fixture(suite, settings_good_and_bad, ROWS(settings), setup, teardown);
    suite_add_fixture(suite, what_an_answer_gives, ROWS(gives), setup, teardown);
    suite_add_fixture(suite, other_secrets_are_for_other_providers, 1, setup, teardown);
    suite_add_fixture(suite, a_token_that_names_its_user, 1, setup, teardown);
    suite_add_fixture(suite, other_keys_are_another_stamp, 1, setup, teardown);
    suite_add_fixture(suite, keys_from_an_address, 1, setup, teardown);
    suite_add_fixture(suite, keys_that_cannot_be_had, 1, setup, teardown);
    suite_add_fixture(suite, a_token_of_a_user_since_disabled, ROWS(replies), setup, teardown);
    suite_add_fixture(suite, asked_about_again, 1, setup, teardown);
    suite_add_fixture(suite, a_bad_token_is_shown_to_nobody, 1, setup, teardown);
    return run_suite(suite);
}
