/* The policy's own users: the file of mosquitto_passwd, and what iam_auth.json says of them. */
#include "asker.h"
#include "fixture.h"
#include "plugins/iam_auth/password_file.h"
#include "provider_snippet.h"
#include <sys/stat.h>
#include <time.h>

/* Hashes of the passwords x and y. */
#define X                                                                                          \
    "$7$1$c2FsdHNhbHQ=$bDMEGmMrIk0+f0PyLhL+HlLaum1oJo+CbqqBhw5ZkBDR+slYbbxvJFvtFjQV1p0XfhFP+"      \
    "eXPQxyzJbhNw9dZMQ=="
#define Y                                                                                          \
    "$7$1$c2FsdHNhbHQ=$g3IRsYxJFVb/5CJfVTxg7VLfIs5iE+i1bCHY94NzAiyI/"                              \
    "A6j34IPgMxQL0weDxI3olndwwPyFS8yFMnjIXiItA=="

#define LATER    "2026-12-31T00:00:00Z"
#define LATER_MS INT64_C(1798675200000)

static void setup(void)
{
    folder_make(&folder);
}

static void teardown(void)
{
    folder_remove(&folder);
}

/* See provider_snippet.h. */
static const void *settings_of(const char *json)
{
    return provider_settings(&adu_provider_local, json);
}

static const void *good_settings(const char *json)
{
    return provider_good_settings(&adu_provider_local, json);
}

/* Whose password is it? */
static enum adu_outcome outcome(const void *settings, const char *name, const char *password)
{
    struct adu_answer answer = {0};
    adu_provider_local.ask(settings, name, password, 0, &answer);
    const enum adu_outcome outcome = answer.outcome;
    ck_assert_int_eq(answer.valid_until_ms, 0); /* no password's end ends a session */
    ck_assert_str_eq(answer.username, outcome >= ADU_OUTCOME_WRONG ? name : "");
    adu_answer_clear(&answer);
    return outcome;
}

/* --- the file -----------------------------------------------------------------------------------
 */

static const struct {
    const char *text;
    const char *users; /* "ana x|luis y": who may log in with what; NULL: see `error` */
    const char *error;
} files[] = {
    {"", "", NULL},
    {"ana:" X "\n", "ana x", NULL},
    {"ana:" X, "ana x", NULL},
    {"ana:" X "\nluis:" Y "\n", "ana x|luis y", NULL},
    {"ana:" X "\r\nluis:" Y "\r\n", "ana x|luis y", NULL},
    {"ana:" X "\r\nluis:" Y "\r", "ana x|luis y", NULL},
    {"\n\n# a comment: with a colon\n\nana:" X "\n#luis:" Y "\n", "ana x", NULL},
    {"\r\n#\r\nana:" X "\r\n\r\n", "ana x", NULL},
    {"ana mar\xc3\xad"
     "a:" X "\n",
     "ana mar\xc3\xad"
     "a x",
     NULL},
    {"an#a:" X "\n", "an#a x", NULL},
    {"ana: " X "\n", NULL, "passwd:1:1: the password of \"ana\": expected a hash"},
    {" \n", NULL, "passwd:1:1: expected <user name>:<hash>"},
    {" # indented\n", NULL, "passwd:1:1: expected <user name>:<hash>"},
    {"ana\n", NULL, "passwd:1:1: expected <user name>:<hash>"},
    {":" X "\n", NULL, "passwd:1:1: expected <user name>:<hash>"},
    {"ana:\n", NULL, "passwd:1:1: the password of \"ana\": expected a hash"},
    {"# one\nana:" X "\nluis:secret\n", NULL,
     "passwd:3:1: the password of \"luis\": expected a hash"},
    {"ana:" X ":more\n", NULL, "passwd:1:1: the password of \"ana\": expected its end as"},
    {"ana:" X ":\n", NULL, "passwd:1:1: the password of \"ana\": expected its end as"},
    {"ana:" X ":" LATER ":\n", NULL, "passwd:1:1: the password of \"ana\": expected its end as"},
    /* Two for a rotation. */
    {"ana:" X ":" LATER "\n", "ana x", NULL},
    {"ana:" X ":" LATER "\nana:" Y "\n", "ana x|ana y", NULL},
    {"ana:" Y "\r\nluis:" Y "\r\nana:" X ":" LATER "\r\n", "ana x|ana y|luis y", NULL},
    {"ana:" X ":" LATER "\nana:" Y ":" LATER "\n", "ana x|ana y", NULL},
    {"ana:" X ":" LATER "\nana:" Y "\nana:" X ":" LATER "\n", NULL,
     "passwd:3:1: the user \"ana\" has two passwords already"},
    {"ana:" X " \n", NULL, "passwd:1:1: the password of \"ana\": the hash is not base64"},
    {"a:na:" X "\n", NULL, "passwd:1:1: the password of \"a\": expected a hash"},
    {"ana:" X "\nluis:" Y "\nana:" Y "\n", NULL,
     "passwd:3:1: the user \"ana\" has a password already"},
    {"ana:" X "\r\nana:" X "\r\n", NULL, "passwd:2:1: the user \"ana\" has a password already"},
    /* Nothing behind a lone carriage return is passed over in silence. */
    {"ana:" X "\rluis:" Y "\r", NULL,
     "passwd:1:1: the password of \"ana\": the hash is not base64"},
    {"ana:" X "\rjunk\n", NULL, "passwd:1:1: the password of \"ana\": the hash is not base64"},
};

START_TEST(password_files)
{
    static const char *const names[] = {"ana",
                                        "luis",
                                        "ana mar\xc3\xad"
                                        "a",
                                        "an#a",
                                        "#luis",
                                        "",
                                        "#"};
    folder_write(&folder, "passwd", files[_i].text);
    const void *settings = settings_of("{'password_file': 'passwd'}");
    if (files[_i].error != NULL) {
        ck_assert_msg(settings == NULL, "%s: taken", files[_i].text);
        ck_assert_msg(strstr(snippet_error(&snippet), files[_i].error) != NULL, "%s", snippet.text);
    }
    for (int n = 0; settings != NULL && n < ROWS(names); n++) {
        for (const char *password = "xy"; *password != '\0'; password++) {
            const char given[] = {*password, '\0'};
            char pair[64], list[128];
            snprintf(pair, sizeof pair, "|%s %s|", names[n], given);
            snprintf(list, sizeof list, "|%s|", files[_i].users);
            ck_assert_msg((outcome(settings, names[n], given) == ADU_OUTCOME_VERIFIED) ==
                              (strstr(list, pair) != NULL),
                          "%s in %s", pair, files[_i].text);
        }
    }
    snippet_close(&snippet);
}
END_TEST

static const char *file_error(const char *json)
{
    ck_assert_ptr_null(settings_of(json));
    return snippet_error(&snippet);
}

START_TEST(files_that_cannot_be_read)
{
    static const char with_nul[] = "ana:" X "\n\0luis:" Y "\n";
    char json[FOLDER_PATH + 64];
    ck_assert_str_eq(file_error("{'password_file': 'passwd'}"),
                     "passwd: cannot be read: No such file or directory");
    snippet_close(&snippet);
    folder_write_bytes(&folder, "passwd", with_nul, sizeof with_nul - 1);
    ck_assert_str_eq(file_error("{'password_file': 'passwd'}"), "passwd: holds a NUL byte");
    snippet_close(&snippet);
    folder_write(&folder, "passwd", "ana:" X "\n");
    ck_assert_int_eq(chmod(folder_file(&folder, "passwd"), 0660), 0);
    ck_assert_ptr_nonnull(strstr(file_error("{'password_file': 'passwd'}"), "others may write it"));
    snippet_close(&snippet);
    ck_assert_ptr_nonnull(strstr(file_error("{'password_file': '.'}"), "not a regular file"));
    snippet_close(&snippet);
    ck_assert_int_eq(mkfifo(folder_file(&folder, "pipe"), 0600), 0); /* and nobody waits for it */
    ck_assert_ptr_nonnull(strstr(file_error("{'password_file': 'pipe'}"), "not a regular file"));
    snippet_close(&snippet);
    /* An absolute name is taken as it is. */
    ck_assert_int_eq(chmod(folder_file(&folder, "passwd"), 0600), 0);
    snprintf(json, sizeof json, "{'password_file': '%s'}", folder_file(&folder, "passwd"));
    ck_assert_int_eq(outcome(good_settings(json), "ana", "x"), ADU_OUTCOME_VERIFIED);
    snippet_close(&snippet);
}
END_TEST

/* --- with iam_auth.json -------------------------------------------------------------------------
 */

#define FILE_AND(users) "{'password_file': 'passwd', 'users': {" users "}}"

static const struct {
    const char *json, *error;
} refused[] = {
    /* one password a user, from one place */
    {FILE_AND("'ana': {'password': '" X "'}"),
     "passwd:1:1: the user \"ana\" has a password already"},
    {FILE_AND("'ana': {'password': '" Y "'}"),
     "passwd:1:1: the user \"ana\" has a password already"},
    {FILE_AND("'eva': {}"), "iam_auth.json:1:39: users.eva: has no password, neither here nor in"},
    {"{'users': {'ana': {}}}",
     "iam_auth.json:1:12: users.ana: has no password, neither here nor in"},
    {"{'users': {'ana': {'password': 'secret'}}}", "the password of \"ana\": expected a hash that"},
    {FILE_AND("'ana': {'passwords': [{'hash': '" Y "', 'until': '" LATER "'}]}"),
     "passwd:1:1: the user \"ana\" has a password already"},
    {"{'users': {'ana': {'passwords': {}}}}", "expected an array"},
    {"{'users': {'ana': {'passwords': ['" X "']}}}", "expected an object"},
    {"{'users': {'ana': {'passwords': [{'until': '" LATER "'}]}}}", "hash"},
    {"{'users': {'ana': {'passwords': [{'hash': '" X "', 'until': 1}]}}}", "expected a string"},
    {"{'users': {'ana': {'password': ''}}}", "expected a string that is not empty"},
    {"{'users': {'ana': {'password': '" X "', 'role': ['a']}}}", "did you mean \"roles\"?"},
    {"{'users': {'ana': {'password': '" X "', 'roles': 'a'}}}", "expected an array"},
    {"{'users': {'ana': {'password': '" X "', 'roles': [1]}}}", "expected a string"},
    {"{'users': {'ana': {'password': '" X "', 'attributes': {'cert.cn': 'a'}}}}",
     "the bundle's own"},
    {"{'users': {'ana': {'password': '" X "', 'attributes': {'username': 'a'}}}}",
     "the bundle's own"},
    {"{'users': {'ana': {'password': '" X "', 'attributes': {'a/b': 'a'}}}}", "attributes.a/b"},
    {"{'users': {'ana': {'password': '" X "', 'attributes': {'a': ''}}}}", "that is not empty"},
    {"{'users': {'ana': {'password': '" X "', 'attributes': {'a': ['b']}}}}", "expected a string"},
    {"{'users': ['ana']}", "expected an object"},
    {"{'user': {}}", "did you mean \"users\"?"},
    {"{'password_file': ''}", "expected a string that is not empty"},
};

START_TEST(settings_refused)
{
    folder_write(&folder, "passwd", "ana:" X "\n");
    ck_assert_msg(settings_of(refused[_i].json) == NULL, "taken: %s", refused[_i].json);
    ck_assert_msg(strstr(snippet_error(&snippet), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].json, snippet.text);
    snippet_close(&snippet);
}
END_TEST

/* What is known of a user: "[role,...] name=value ...", or "not known". */
static const char *described(const void *settings, const char *name)
{
    static char said[4096];
    struct adu_login login = {.why = ADU_REASON_INIT};
    struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED};
    snprintf(answer.username, sizeof answer.username, "%s", name);
    const enum adu_verdict verdict = adu_provider_local.describe(settings, &answer, &login);
    snprintf(said, sizeof said, "%s",
             verdict == ADU_ALLOW     ? login_text(&login, snippet.vocabulary) + 1
             : verdict == ADU_ABSTAIN ? "not known"
                                      : "error");
    adu_attributes_clear(&login.attributes);
    return said;
}

START_TEST(users)
{
    folder_write(&folder, "passwd", "ana:" X "\nluis:" Y "\n");
    const void *s = good_settings(
        FILE_AND("'//': 'not a user', 'luis': {'roles': ['op', 'edge'], 'attributes': {'linea': "
                 "'linea1', '//': 'no attribute', 'zona': 'a/b'}}, 'eva': {'password': '" X "'}"));
    ck_assert_str_eq(described(s, "ana"), "[]"); /* the file alone gives no role */
    ck_assert_str_eq(described(s, "luis"), "[op,edge] linea=linea1 zona=a/b");
    ck_assert_str_eq(described(s, "eva"), "[]");
    ck_assert_str_eq(described(s, "pepe"), "not known");
    ck_assert_str_eq(described(s, "//"), "not known");
    ck_assert_str_eq(described(s, ""), "not known");
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *name, *password;
    enum adu_outcome outcome;
} asked[] = {
    {"ana", "x", ADU_OUTCOME_VERIFIED}, {"ana", "y", ADU_OUTCOME_WRONG},
    {"ana", "xx", ADU_OUTCOME_WRONG},   {"ana", "", ADU_OUTCOME_WRONG},
    {"ana", "X", ADU_OUTCOME_WRONG},    {"luis", "y", ADU_OUTCOME_VERIFIED},
    {"luis", "x", ADU_OUTCOME_WRONG},   {"Ana", "x", ADU_OUTCOME_UNKNOWN},
    {"an", "x", ADU_OUTCOME_UNKNOWN},   {"ana ", "x", ADU_OUTCOME_UNKNOWN},
    {"ana:", "x", ADU_OUTCOME_UNKNOWN}, {"", "x", ADU_OUTCOME_UNKNOWN},
    {"pepe", "x", ADU_OUTCOME_UNKNOWN}, /* the password that the decoy's owner has */
    {"pepe", "", ADU_OUTCOME_UNKNOWN},
};

START_TEST(passwords)
{
    folder_write(&folder, "passwd", "luis:" Y "\n");
    const void *s = good_settings(FILE_AND("'ana': {'password': '" X "'}"));
    ck_assert_int_eq(outcome(s, asked[_i].name, asked[_i].password), asked[_i].outcome);
    snippet_close(&snippet);
    s = good_settings("{}"); /* nobody at all */
    ck_assert_int_eq(outcome(s, asked[_i].name, asked[_i].password), ADU_OUTCOME_UNKNOWN);
    snippet_close(&snippet);
}
END_TEST

/* One that lasts and one that ends, or both that end, or one alone. */
#define ENDS(hash, until)    "{'hash': '" hash "', 'until': '" until "'}"
#define USER_WITH(passwords) "{'users': {'ana': {'passwords': [" passwords "]}}}"

static const struct {
    const char *json, *password;
    int64_t wall_ms, until_ms;
    enum adu_outcome outcome;
    const char *why;
} in_time[] = {
    {USER_WITH(ENDS(X, LATER) ", {'hash': '" Y "'}"), "x", LATER_MS - 1, LATER_MS,
     ADU_OUTCOME_VERIFIED, ""},
    {USER_WITH(ENDS(X, LATER) ", {'hash': '" Y "'}"), "x", LATER_MS, 0, ADU_OUTCOME_WRONG,
     "it was valid until " LATER},
    {USER_WITH(ENDS(X, LATER) ", {'hash': '" Y "'}"), "y", LATER_MS - 1, 0, ADU_OUTCOME_VERIFIED,
     ""},
    {USER_WITH(ENDS(X, LATER) ", {'hash': '" Y "'}"), "y", LATER_MS + 1, 0, ADU_OUTCOME_VERIFIED,
     ""},
    {USER_WITH(ENDS(X, LATER) ", {'hash': '" Y "'}"), "z", LATER_MS + 1, 0, ADU_OUTCOME_WRONG, ""},
    {USER_WITH("{'hash': '" X "'}, " ENDS(X, LATER)), "x", LATER_MS, 0, ADU_OUTCOME_VERIFIED, ""},
    {USER_WITH(ENDS(X, LATER) ", {'hash': '" X "'}"), "x", LATER_MS, 0, ADU_OUTCOME_VERIFIED, ""},
    {USER_WITH(ENDS(X, "1970-01-01T00:00:00Z") "," ENDS(X, LATER)), "x", 1, LATER_MS,
     ADU_OUTCOME_VERIFIED, ""},
    {USER_WITH(ENDS(X, LATER) "," ENDS(X, "2000-01-01T00:00:00Z")), "x", LATER_MS - 1, LATER_MS,
     ADU_OUTCOME_VERIFIED, ""},
    {USER_WITH(ENDS(X, LATER)), "x", LATER_MS, 0, ADU_OUTCOME_WRONG, "it was valid until " LATER},
    {USER_WITH(ENDS(X, LATER)), NULL, LATER_MS, 0, ADU_OUTCOME_VERIFIED, ""}, /* the account */
};

START_TEST(passwords_in_time)
{
    struct adu_answer answer = {0};
    const void *s = good_settings(in_time[_i].json);
    adu_provider_local.ask(s, "ana", in_time[_i].password, in_time[_i].wall_ms, &answer);
    ck_assert_int_eq(answer.outcome, in_time[_i].outcome);
    ck_assert_int_eq(answer.secret_until_ms, in_time[_i].until_ms);
    ck_assert_int_eq(answer.valid_until_ms, 0);
    ck_assert_str_eq(answer.why, in_time[_i].why);
    snippet_close(&snippet);
}
END_TEST

/* Answers from before are not believed when an end has changed. */
START_TEST(stamps_of_passwords)
{
    static const char *const others[] = {USER_WITH(ENDS(X, LATER)),
                                         USER_WITH(ENDS(X, "2026-12-31T00:00:01Z")),
                                         USER_WITH("{'hash': '" X "'}"), USER_WITH(ENDS(Y, LATER)),
                                         USER_WITH(ENDS(X, LATER) ", {'hash': '" Y "'}")};
    uint32_t stamps[ROWS(others)];
    for (int i = 0; i < ROWS(others); i++) {
        stamps[i] = adu_provider_local.stamp(good_settings(others[i]));
        snippet_close(&snippet);
        for (int j = 0; j < i; j++) {
            ck_assert_uint_ne(stamps[i], stamps[j]);
        }
    }
}
END_TEST

START_TEST(many_roles)
{
    char json[4096];
    for (int more = 0; more < 2; more++) {
        size_t used = (size_t)snprintf(json, sizeof json,
                                       "{'users': {'ana': {'password': '" X "', 'roles': ['r'");
        for (int i = 1; i < ADU_LOGIN_ROLES_MOST + more; i++) {
            used += (size_t)snprintf(json + used, sizeof json - used, ",'r%d'", i);
        }
        snprintf(json + used, sizeof json - used, "]}}}");
        const void *s = good_settings(json);
        ck_assert_int_eq(strcmp(described(s, "ana"), "error") == 0, more);
        snippet_close(&snippet);
    }
}
END_TEST

/* --- an unknown user takes the road of a wrong password ------------------------------------------
 */

static int64_t cpu_us(const void *settings, const char *name, const char *password)
{
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    ck_assert_int_ne(outcome(settings, name, password), ADU_OUTCOME_VERIFIED);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
}

/* In processor time, which the machine's load does not change: the best of three each. */
START_TEST(time_tells_no_names)
{
    static const char *const dear[] = {
        "{'users': {'ana': {'password': "
        "'$7$60000$c2FsdHNhbHQ=$OOxDe4EhxLh3TyTpqoRH2yIP1B8CQuIWVgH8QIx9nFq81maCM4H83Obh9CEKFMFbD+"
        "4GJUMY1lwhsxMY7diJ/A=='}}}",
        "{'users': {'ana': {'password': "
        "'$argon2id$v=19$m=16384,t=2,p=1$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg'}}}"};
    const void *s = good_settings(dear[_i]);
    int64_t wrong = INT64_MAX, unknown = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        const int64_t w = cpu_us(s, "ana", "wrong"), u = cpu_us(s, "pepe", "wrong");
        wrong = w < wrong ? w : wrong;
        unknown = u < unknown ? u : unknown;
    }
    ck_assert_msg(unknown > wrong / 2 && unknown < wrong * 2,
                  "unknown user %lld us, wrong password %lld us", (long long)unknown,
                  (long long)wrong);
    snippet_close(&snippet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("local_provider");
    suite_add_fixture(suite, password_files, ROWS(files), setup, teardown);
    suite_add_fixture(suite, files_that_cannot_be_read, 1, setup, teardown);
    suite_add_fixture(suite, settings_refused, ROWS(refused), setup, teardown);
    suite_add_fixture(suite, users, 1, setup, teardown);
    suite_add_fixture(suite, passwords, ROWS(asked), setup, teardown);
    suite_add_fixture(suite, passwords_in_time, ROWS(in_time), setup, teardown);
    suite_add_fixture(suite, stamps_of_passwords, 1, setup, teardown);
    suite_add_fixture(suite, many_roles, 1, setup, teardown);
    suite_add_fixture(suite, time_tells_no_names, 2, setup, teardown);
    return run_suite(suite);
}
