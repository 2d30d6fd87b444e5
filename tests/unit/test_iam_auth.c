/* What a log-in must prove, and the password's part in it: every combination of what is required,
 * what the certificate says and what the client gives. */
#include "asker.h"
#include "fixture.h"
#include "plugins/iam_auth/iam_auth.h"

/* The hash of the password x. */
#define X                                                                                          \
    "$7$1$c2FsdHNhbHQ=$"                                                                           \
    "bDMEGmMrIk0+f0PyLhL+HlLaum1oJo+CbqqBhw5ZkBDR+slYbbxvJFvtFjQV1p0XfhFP+eXPQxyzJbhNw9dZMQ=="
#define LOCAL                                                                                      \
    "'providers': ['local'], 'local': {'users': {'ana': {'password': '" X                          \
    "', 'roles': ['op'], 'attributes': {'zona': 'sur'}}}}"

static struct snippet snippet;

static struct adu_iam *iam;
static struct adu_counters counters;

static void setup(void)
{
    iam = adu_iam_new();
    ck_assert_ptr_nonnull(iam);
}

static void teardown(void)
{
    adu_iam_free(iam);
}

static const struct adu_iam_policy *policy_of(const char *json)
{
    snippet_open(&snippet, "iam_auth.json", json);
    const struct adu_iam_policy *policy = adu_iam_auth_compile(&snippet.c, snippet.root);
    ck_assert_msg(policy != NULL, "%s", snippet_error(&snippet));
    snippet_compiled(&snippet);
    return policy;
}

/* What cert_auth has made of the client's certificate. */
enum certificate { NO_CERT, NOBODYS, ANAS, EVAS, ANAS_WITH_PASSWORD, EVAS_WITH_PASSWORD };

static void certify(struct adu_login *login, enum certificate certificate)
{
    static const struct adu_attributes some = {0};
    login->certificate = certificate != NO_CERT ? &some : NULL;
    if (certificate == NOBODYS) {
        login->certificate_why.text = "no identity matches";
    } else if (certificate != NO_CERT) {
        const bool ana = certificate == ANAS || certificate == ANAS_WITH_PASSWORD;
        snprintf(login->username, sizeof login->username, "%s", ana ? "ana" : "eva");
        login->proven = ADU_FACTOR_CERTIFICATE;
    }
    if (certificate >= ANAS_WITH_PASSWORD) {
        login->required = ADU_FACTOR_PASSWORD;
    }
}

/* `C` accepted by certificate, `P` by password, `B` by both, `.` refused. As the pipeline weighs
 * it: what is required must be proven, and something must be. */
static char outcome(const struct adu_iam_policy *policy, struct adu_login *login)
{
    const struct adu_stage_call call = {
        .policy = policy, .instance = iam, .counters = &counters, .now_ms = 1000};
    const enum adu_verdict verdict = adu_iam_auth_identify(&call, login);
    ck_assert_int_ne(verdict, ADU_ERROR);
    if (verdict == ADU_DENY) {
        ck_assert_msg(login->why.text != NULL, "refused without a reason");
        return '.';
    }
    ck_assert_int_eq(verdict == ADU_ALLOW, (login->proven & ADU_FACTOR_PASSWORD) != 0);
    if ((login->required & ~login->proven) != 0 || login->proven == 0) {
        return '.';
    }
    return login->proven == (ADU_FACTOR_CERTIFICATE | ADU_FACTOR_PASSWORD) ? 'B'
           : login->proven == ADU_FACTOR_CERTIFICATE                       ? 'C'
                                                                           : 'P';
}

/* --- log-ins ------------------------------------------------------------------------------------
 */

static const struct {
    const char *username, *password;
} given[] = {
    {NULL, NULL}, {NULL, "x"},   {"", "x"},    {"ana", NULL},
    {"ana", ""},  {"pepe", "x"}, {"ana", "y"}, {"ana", "x"},
};

static const struct {
    const char *require;
    enum certificate certificate;
    const char *outcomes; /* in the order of `given` */
} logins[] = {
    {"certificate", NO_CERT, "........"},
    {"certificate", NOBODYS, "........"},
    {"certificate", ANAS, "CCCCCCCC"}, /* what else the client gives is not looked at */
    {"certificate", EVAS, "CCCCCCCC"},
    {"certificate", ANAS_WITH_PASSWORD, ".......B"},
    {"certificate", EVAS_WITH_PASSWORD, "........"},
    {"password", NO_CERT, ".......P"},
    {"password", NOBODYS, ".......P"},
    {"password", ANAS, ".......B"},
    {"password", EVAS, "........"}, /* nobody is two people */
    {"password", ANAS_WITH_PASSWORD, ".......B"},
    {"password", EVAS_WITH_PASSWORD, "........"},
    {"both", NO_CERT, "........"},
    {"both", NOBODYS, "........"},
    {"both", ANAS, ".......B"},
    {"both", EVAS, "........"},
    {"both", ANAS_WITH_PASSWORD, ".......B"},
    {"both", EVAS_WITH_PASSWORD, "........"},
    {"either", NO_CERT, ".......P"},
    {"either", NOBODYS, ".......P"},
    {"either", ANAS, "CCCCCCCC"},
    {"either", EVAS, "CCCCCCCC"},
    {"either", ANAS_WITH_PASSWORD, ".......B"},
    {"either", EVAS_WITH_PASSWORD, "........"},
};

START_TEST(truth_table)
{
    char json[1024];
    char said[ROWS(given) + 1] = "";
    snprintf(json, sizeof json, "{'require': '%s', " LOCAL "}", logins[_i].require);
    const struct adu_iam_policy *policy = policy_of(json);
    for (int g = 0; g < ROWS(given); g++) {
        struct adu_login login = {.client_id = "c",
                                  .claimed_username = given[g].username,
                                  .password = given[g].password,
                                  .why = ADU_REASON_INIT};
        certify(&login, logins[_i].certificate);
        said[g] = outcome(policy, &login);
        /* Who it is then, and what a password adds. */
        if (said[g] == 'P' || said[g] == 'B') {
            ck_assert_msg(
                strncmp(login_text(&login, snippet.vocabulary), "ana [op] zona=sur", 17) == 0, "%s",
                login_text(&login, snippet.vocabulary));
        } else if (said[g] == 'C') {
            ck_assert_str_eq(login.username, logins[_i].certificate == ANAS ? "ana" : "eva");
            ck_assert_uint_eq(login.role_count + login.attributes.count, 0);
        }
        adu_attributes_clear(&login.attributes);
    }
    ck_assert_str_eq(said, logins[_i].outcomes);
    snippet_close(&snippet);
}
END_TEST

START_TEST(both_unless_said_otherwise)
{
    struct adu_login login = {
        .client_id = "c", .claimed_username = "ana", .password = "x", .why = ADU_REASON_INIT};
    ck_assert_int_eq(outcome(policy_of("{" LOCAL "}"), &login), '.');
    ck_assert_uint_eq(login.required, ADU_FACTOR_CERTIFICATE | ADU_FACTOR_PASSWORD);
    adu_attributes_clear(&login.attributes);
    snippet_close(&snippet);
}
END_TEST

/* --- judged again under a new policy ------------------------------------------------------------
 * The secret is not at hand: the log-in's own proof stands in for it, if the user is still known.
 */

enum { NOTHING, C = ADU_FACTOR_CERTIFICATE, P = ADU_FACTOR_PASSWORD, CP = C | P };

static const struct {
    const char *require;
    enum certificate certificate; /* under the new policy */
    unsigned before;
    const char *outcomes; /* of a log-in as ana, pepe (not known any more) and nobody */
} again[] = {
    {"certificate", NO_CERT, P, "..."},
    {"certificate", ANAS, C, "CCC"},
    {"certificate", ANAS, CP, "CCC"},
    {"certificate", NOBODYS, CP, "..."},
    {"certificate", ANAS_WITH_PASSWORD, C, "..."}, /* it asks for more than was proven */
    {"certificate", ANAS_WITH_PASSWORD, CP, "B.."},
    {"password", NO_CERT, NOTHING, "..."},
    {"password", NO_CERT, P, "P.."},
    {"password", NO_CERT, C, "..."},
    {"password", ANAS, C, "..."},
    {"password", ANAS, CP, "B.."},
    {"password", EVAS, CP, "..."},
    {"both", NO_CERT, P, "..."},
    {"both", NO_CERT, CP, "..."},
    {"both", ANAS, C, "..."},
    {"both", ANAS, P, "B.."},
    {"both", ANAS, CP, "B.."},
    {"both", EVAS, CP, "..."},
    {"either", NO_CERT, NOTHING, "..."},
    {"either", NO_CERT, C, "..."},
    {"either", NO_CERT, P, "P.."},
    {"either", NOBODYS, CP, "P.."},
    {"either", NOBODYS, C, "..."},
    {"either", ANAS, C, "CCC"},
    {"either", ANAS, CP, "CCC"},
};

START_TEST(truth_table_of_again)
{
    static const char *const before[] = {"ana", "pepe", NULL};
    char json[1024];
    char said[ROWS(before) + 1] = "";
    snprintf(json, sizeof json, "{'require': '%s', " LOCAL "}", again[_i].require);
    const struct adu_iam_policy *policy = policy_of(json);
    for (int b = 0; b < ROWS(before); b++) {
        struct adu_login login = {.again = true,
                                  .proven_before = again[_i].before,
                                  .username_before = before[b],
                                  .claimed_username = "ana", /* asked again it counts for nothing */
                                  .password = "x",
                                  .client_id = "c",
                                  .why = ADU_REASON_INIT};
        certify(&login, again[_i].certificate);
        said[b] = outcome(policy, &login);
        adu_attributes_clear(&login.attributes);
    }
    ck_assert_str_eq(said, again[_i].outcomes);
    snippet_close(&snippet);
}
END_TEST

/* --- a password that ends ----------------------------------------------------------------------
 */

#define UNTIL_MS INT64_C(1798675200000)

static enum adu_verdict rotated(const struct adu_iam_policy *policy, const char *password,
                                int64_t wall_ms, struct adu_login *login)
{
    const struct adu_stage_call call = {.policy = policy,
                                        .instance = iam,
                                        .counters = &counters,
                                        .now_ms = 1000,
                                        .wall_ms = wall_ms};
    *login = (struct adu_login){.again = password == NULL,
                                .proven_before = ADU_FACTOR_PASSWORD,
                                .username_before = "ana",
                                .claimed_username = "ana",
                                .password = password,
                                .client_id = "c",
                                .why = ADU_REASON_INIT};
    return adu_iam_auth_identify(&call, login);
}

/* What is remembered of it ends with it; whoever is connected stays. */
START_TEST(a_password_ends)
{
    struct adu_login login;
    const struct adu_iam_policy *policy =
        policy_of("{'require': 'password', 'providers': ['local'], 'local': {'users': {'ana': "
                  "{'passwords': [{'hash': '" X "', 'until': '2026-12-31T00:00:00Z'}]}}}}");
    counters = (struct adu_counters){0};
    for (int i = 0; i < 2; i++) { /* asked, and remembered */
        ck_assert_int_eq(rotated(policy, "x", UNTIL_MS - 1, &login), ADU_ALLOW);
        ck_assert_int_eq(login.valid_until_ms, 0);
    }
    ck_assert_uint_eq(counters.logins_from_cache, 1);
    ck_assert_uint_eq(counters.logins_by_ending_password, 2);
    ck_assert_int_eq(rotated(policy, "x", UNTIL_MS, &login), ADU_DENY);
    ck_assert_str_eq(login.why.text, "wrong password");
    ck_assert_str_eq(login.why.detail, "it was valid until 2026-12-31T00:00:00Z");
    ck_assert_int_eq(rotated(policy, NULL, UNTIL_MS, &login), ADU_ALLOW);
    ck_assert_int_eq(login.valid_until_ms, 0);
    ck_assert_uint_eq(counters.logins_by_ending_password, 2);
    snippet_close(&snippet);
}
END_TEST

/* --- reasons ------------------------------------------------------------------------------------
 */

static char long_name[ADU_USERNAME_MOST + 2];

static const struct {
    enum certificate certificate;
    const char *username, *password, *why;
} reasons[] = {
    {ANAS, NULL, NULL, "why: a password is required, and the client gave no user name"},
    {ANAS, "", "x", "why: a password is required, and the client gave no user name"},
    {ANAS, "ana", NULL, "why: a password is required, and the client gave none"},
    {ANAS, "ana", "", "why: a password is required, and the client gave none"},
    {ANAS, "ana", "y", "why: wrong password"},
    {NO_CERT, "pepe", "x", "why: no provider knows this user"},
    {NO_CERT, long_name, "x", "why: the user name has more than 256 bytes"},
    {NO_CERT, long_name + 1, "x", "why: no provider knows this user"},
    {EVAS, "ana", "x",
     "why: certificate and password must name the same person; the certificate is of \"eva\""},
    /* It is said before the password is looked at, so that nobody tries passwords of others. */
    {EVAS, "ana", "y",
     "why: certificate and password must name the same person; the certificate is of \"eva\""},
};

START_TEST(why_it_is_refused)
{
    memset(long_name, 'n', sizeof long_name - 1);
    struct adu_login login = {.client_id = "c",
                              .claimed_username = reasons[_i].username,
                              .password = reasons[_i].password,
                              .why = ADU_REASON_INIT};
    certify(&login, reasons[_i].certificate);
    ck_assert_int_eq(outcome(policy_of("{" LOCAL "}"), &login), '.');
    ck_assert_str_eq(why_text("why", &login.why), reasons[_i].why);
    ck_assert_uint_eq(login.role_count, 0);
    ck_assert_uint_eq(login.attributes.count, 0);
    snippet_close(&snippet);
}
END_TEST

START_TEST(without_providers)
{
    struct adu_login login = {
        .client_id = "c", .claimed_username = "ana", .password = "x", .why = ADU_REASON_INIT};
    ck_assert_int_eq(outcome(policy_of("{'require': 'password', 'providers': []}"), &login), '.');
    snippet_close(&snippet);
    login = (struct adu_login){.client_id = "c", .why = ADU_REASON_INIT};
    certify(&login, ANAS);
    ck_assert_int_eq(outcome(policy_of("{'require': 'certificate', 'providers': []}"), &login),
                     'C');
    snippet_close(&snippet);
}
END_TEST

/* --- files refused ------------------------------------------------------------------------------
 */

static const struct {
    const char *json, *error;
} refused[] = {
    {"{}", "the key \"providers\" is missing"},
    {"{'providers': ['local']}", "the key \"local\" with its settings is missing"},
    {"{'providers': ['local', 'local'], 'local': {}}", "\"local\" is named twice"},
    {"{'providers': ['ldap'], 'ldap': {}}", "ldap: the key \"servers\" is missing"},
    {"{'providers': ['ldap']}", "the key \"ldap\" with its settings is missing"},
    {"{'providers': ['radius']}",
     "providers[0]: expected a provider: \"local\", \"ldap\" or \"oidc\""},
    {"{'providers': [1]}", "expected a string"},
    {"{'providers': 'local', 'local': {}}", "expected an array"},
    {"{'providers': [], 'require': 'all'}",
     "expected one of \"both\", \"certificate\", \"password\", \"either\""},
    {"{'providers': [], 'require': ''}", "expected"},
    {"{'providers': [], 'require': null}", "expected"},
    {"{'providers': ['local'], 'local': {'user': {}}}", "did you mean \"users\"?"},
    {"{'providers': [], 'mode': 'watch'}", "mode: unknown key"},
};

START_TEST(files_refused)
{
    snippet_open(&snippet, "iam_auth.json", refused[_i].json);
    ck_assert_msg(adu_iam_auth_compile(&snippet.c, snippet.root) == NULL, "taken");
    ck_assert_msg(strstr(snippet_error(&snippet), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].json, snippet.text);
    snippet_close(&snippet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iam_auth");
    suite_add_fixture(suite, truth_table, ROWS(logins), setup, teardown);
    suite_add_fixture(suite, both_unless_said_otherwise, 1, setup, teardown);
    suite_add_fixture(suite, truth_table_of_again, ROWS(again), setup, teardown);
    suite_add_fixture(suite, a_password_ends, 1, setup, teardown);
    suite_add_fixture(suite, why_it_is_refused, ROWS(reasons), setup, teardown);
    suite_add_fixture(suite, without_providers, 1, setup, teardown);
    suite_add_rows(suite, files_refused, ROWS(refused));
    return run_suite(suite);
}
