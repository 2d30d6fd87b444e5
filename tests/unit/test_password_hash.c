/* Password hashes against the programs that write them, and against everything that is none. */
#include "fixture.h"
#include "folder.h"
#include "plugins/iam_auth/password_hash.h"
#include "snippet.h"
#include <argon2.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <sys/wait.h>

/* A salt and a hash of the right length. */
#define SALT "c2FsdHNhbHQ="
#define DIGEST                                                                                     \
    "bDMEGmMrIk0+f0PyLhL+HlLaum1oJo+CbqqBhw5ZkBDR+slYbbxvJFvtFjQV1p0XfhFP+eXPQxyzJbhNw9dZMQ=="
#define ARGON2 "$argon2id$v=19$m=8,t=1,p=1$"
#define SALT2  "c2FsdHNhbHQ"
#define TAG2   "MDEyMzQ1Njc4OWFiY2RlZg"

static char message[1024];

static struct adu_arena *arena;

static void setup(void)
{
    arena = adu_arena_new();
}

static void teardown(void)
{
    adu_arena_free(arena);
}

/* NULL with `message` when it is refused. */
static const struct adu_password_hash *hash_of(const char *text)
{
    struct adu_error error = {0};
    struct adu_compiler c = {.arena = arena, .error = &error, .directory = "/", .file = "f"};
    const struct adu_place place = {.file = "passwd", .line = 7, .column = 1};
    char *copy = strdup(text);
    const struct adu_password_hash *hash = adu_password_hash_compile(&c, copy, "ana", &place);
    free(copy); /* it may not be pointed at later */
    ck_assert_int_eq(hash == NULL, error.set);
    adu_error_format(&error, message, sizeof message);
    return hash;
}

static bool matches(const char *text, const char *password)
{
    const struct adu_password_hash *hash = hash_of(text);
    ck_assert_msg(hash != NULL, "%s: %s", text, message);
    return adu_password_hash_matches(hash, password);
}

/* --- values made by others ----------------------------------------------------------------------
 */

static const struct {
    const char *hash, *password;
} vectors[] = {
    /* mosquitto_passwd 2.0.11, 2.0.21, 2.1.2 */
    {"$7$101$Np8xC4yLm/WPwAu5$Armd6m4qGaZnttR9mJBJVwN9wR4aXPsZ6wr1XKtk34JE6c27zJAPS5kh1tHEw9EAC/"
     "LtkQq5MSnncTeZPeF8wg==",
     "contrase\xc3\xb1"
     "a 1"},
    {"$7$101$ozcqoJMFMBI7ZG70$I/CeUJxlsri9AWq3TKyLiRlySspvDBScgk2sYLd93thXkyoxPsT1P1ljh8l5PlBuiir7w"
     "/+BXPYmzKXw7U82Zg==",
     "contrase\xc3\xb1"
     "a 1"},
    {"$7$1000$j/4EZCwyY1IDLo/"
     "4TOlisV8HouDyHTTEWmYdv2rwHaMJMclQA0ado4vK5YsvBpBj6aQG0L8FKFdA4Xgx3ssBWw"
     "==$81GDr6ARopyLH+/Yf/ZFtGDWAc4ZLX/vYxHZv18WmVRWv9DtWwlPHK2CQ1zSS7itEsswfBFe5qYAZgsgKsiv5Q==",
     "contrase\xc3\xb1"
     "a 1"},
    /* the test vectors of PBKDF2-SHA512 that everybody quotes, and of Argon2's own repository */
    {"$7$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$"
     "jAUR9Mbll8asYxXY8DYuIl88UBSVuiO4aMAFF03E7nERW1n55gzZUy+jPg91rv4wIlxYOhhs2CvU2uqXJKPTuA==",
     "passwordPASSWORDpassword"},
    {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     "password"},
    {"$7$1$" SALT "$" DIGEST, "x"},
};

START_TEST(known_hashes)
{
    char other[64];
    const char *password = vectors[_i].password;
    const struct adu_password_hash *hash = hash_of(vectors[_i].hash);
    ck_assert_msg(hash != NULL, "%s", message);
    ck_assert(adu_password_hash_matches(hash, password));
    ck_assert(!adu_password_hash_matches(hash, ""));
    snprintf(other, sizeof other, "%s ", password);
    ck_assert(!adu_password_hash_matches(hash, other));
    snprintf(other, sizeof other, "%s", password);
    other[strlen(other) - 1] ^= 1;
    ck_assert(!adu_password_hash_matches(hash, other));
    ck_assert(adu_password_hash_matches(hash, password)); /* it has not changed by being asked */
}
END_TEST

static const char *const passwords[] = {"a", "with space", ":colon$dollar",
                                        "\xc3\xb1\xf0\x9f\x98\x80",
                                        "a rather long pass phrase of more than sixty-four bytes, "
                                        "which is the block of HMAC-SHA256"};

/* What we write ourselves is read by everybody; tests/integration/test_command.py asks others. */
START_TEST(our_own)
{
    static const unsigned char salt[ADU_PASSWORD_SALT_BYTES] = "0123456789abcde";
    static const struct {
        enum adu_password_kind kind;
        int iterations;
        const char *begin;
    } kinds[] = {
        {ADU_PASSWORD_PBKDF2, 1, "$7$1$MDEyMzQ1Njc4OWFi$"},
        {ADU_PASSWORD_PBKDF2, 1000, "$7$1000$MDEyMzQ1Njc4OWFi$"},
        {ADU_PASSWORD_PBKDF2, 20000, "$7$20000$MDEyMzQ1Njc4OWFi$"},
        {ADU_PASSWORD_ARGON2ID, 1000, "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlAA$"},
    };
    for (int i = 0; i < ROWS(kinds); i++) {
        char text[ADU_PASSWORD_HASH_TEXT];
        ck_assert(
            adu_password_hash_make(kinds[i].kind, kinds[i].iterations, salt, passwords[_i], text));
        ck_assert_msg(strncmp(text, kinds[i].begin, strlen(kinds[i].begin)) == 0, "%s", text);
        ck_assert(matches(text, passwords[_i]));
        ck_assert(!matches(text, "another"));
    }
}
END_TEST

/* false if there is no mosquitto_passwd on this machine. */
static bool mosquitto_passwd(const char *file, const char *password)
{
    char *const arguments[] = {(char *)(uintptr_t) "mosquitto_passwd",
                               (char *)(uintptr_t) "-c",
                               (char *)(uintptr_t) "-b",
                               (char *)(uintptr_t)file,
                               (char *)(uintptr_t) "ana",
                               (char *)(uintptr_t)password,
                               NULL};
    extern char **environ;
    pid_t child;
    int status = -1;
    if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ) != 0) {
        return false;
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        return false;
    }
    ck_assert_int_eq(status, 0);
    return true;
}

START_TEST(the_installed_mosquitto_passwd)
{
    struct folder folder;
    size_t length;
    folder_make(&folder);
    if (mosquitto_passwd(folder_file(&folder, "passwd"), passwords[_i])) {
        char *line = file_text(folder_file(&folder, "passwd"), &length);
        line[strcspn(line, "\n")] = '\0';
        ck_assert(matches(strchr(line, ':') + 1, passwords[_i]));
        ck_assert(!matches(strchr(line, ':') + 1, "another"));
        free(line);
    } else {
        printf("mosquitto_passwd is not installed: left out\n");
    }
    folder_remove(&folder);
}
END_TEST

static const struct {
    uint32_t memory, passes, lanes;
    size_t salt, tag;
} costs[] = {{8, 1, 1, 8, 16}, {64, 3, 2, 16, 32}, {1024, 10, 4, 64, 64}, {65536, 1, 4, 16, 32}};

START_TEST(libargon2)
{
    static const char salt[64] = "a salt of sixty-four bytes, the longest that anybody would use..";
    const char *password = passwords[_i % ROWS(passwords)];
    char encoded[512];
    ck_assert_int_eq(argon2id_hash_encoded(costs[_i].passes, costs[_i].memory, costs[_i].lanes,
                                           password, strlen(password), salt, costs[_i].salt,
                                           costs[_i].tag, encoded, sizeof encoded),
                     ARGON2_OK);
    ck_assert(matches(encoded, password));
    ck_assert(!matches(encoded, "another"));
}
END_TEST

/* --- passwords ----------------------------------------------------------------------------------
 */

/* The hash of any bytes, as the two libraries make it. */
static const char *made(bool argon2id, const char *password, size_t length)
{
    static char text[512];
    if (argon2id) {
        ck_assert_int_eq(
            argon2id_hash_encoded(1, 8, 1, password, length, "saltsalt", 8, 32, text, sizeof text),
            ARGON2_OK);
        return text;
    }
    unsigned char digest[64], encoded[100];
    ck_assert_int_eq(PKCS5_PBKDF2_HMAC(password, (int)length, (const unsigned char *)"saltsalt", 8,
                                       10, EVP_sha512(), sizeof digest, digest),
                     1);
    EVP_EncodeBlock(encoded, digest, sizeof digest);
    snprintf(text, sizeof text, "$7$10$" SALT "$%s", (const char *)encoded);
    return text;
}

START_TEST(odd_passwords)
{
    const bool argon2id = _i == 1;
    char longest[ADU_PASSWORD_MOST_BYTES + 2];
    memset(longest, 'p', sizeof longest);
    longest[ADU_PASSWORD_MOST_BYTES] = '\0';
    ck_assert(matches(made(argon2id, longest, ADU_PASSWORD_MOST_BYTES), longest));
    longest[ADU_PASSWORD_MOST_BYTES] = 'p';
    longest[ADU_PASSWORD_MOST_BYTES + 1] = '\0';
    ck_assert(!matches(made(argon2id, longest, ADU_PASSWORD_MOST_BYTES + 1), longest));
    /* Nobody logs in with an empty password, whatever the file says. */
    ck_assert(!matches(made(argon2id, "", 0), ""));
    /* A NUL ends what the broker hands over: the rest of a hash's password is not made up. */
    ck_assert(!matches(made(argon2id, "abc\0def", 7), "abc"));
    ck_assert(matches(made(argon2id, "abc", 3), "abc\0def"));
    ck_assert(matches(made(argon2id, "\xff\x01", 2), "\xff\x01"));
}
END_TEST

/* --- what is no hash ----------------------------------------------------------------------------
 */

#define NO_PBKDF2 "expected $7$<iterations>$<salt>$<hash>"
#define NO_SALT   "the salt is not base64 of 8 to 64 bytes"
#define NO_DIGEST "the hash is not base64 of 64 bytes"
#define NO_ARGON2 "expected $argon2id$v=19$m=..,t=..,p=..$<salt>$<hash>"
#define TOO_DEAR  "would hold the broker up"
#define SALT_64                                                                                    \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static const struct {
    const char *text, *error; /* NULL: it is one */
} texts[] = {
    {"", "expected a hash that begins with $7$ or $argon2id$"},
    {"secret", "expected a hash that begins with $7$ or $argon2id$"},
    {"$6$c2FsdA==$aGFzaA==", "expected a hash that begins with $7$ or $argon2id$"},
    {" $7$1$" SALT "$" DIGEST, "expected a hash that begins with $7$ or $argon2id$"},
    {"$argon2i$v=19$m=8,t=1,p=1$" SALT2 "$" TAG2, "expected a hash that begins with"},
    {"$argon2d$v=19$m=8,t=1,p=1$" SALT2 "$" TAG2, "expected a hash that begins with"},
    /* PBKDF2 */
    {"$7$1$" SALT "$" DIGEST, NULL},
    {"$7$1000000$" SALT "$" DIGEST, NULL},
    {"$7$1$" SALT_64 "$" DIGEST, NULL},
    {"$7$", NO_PBKDF2},
    {"$7$$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$x$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$1", NO_PBKDF2},
    {"$7$1x$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$1e3$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$0$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$-1$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$+1$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$ 1$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$0x10$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$1000001$" SALT "$" DIGEST, TOO_DEAR},
    {"$7$9999999$" SALT "$" DIGEST, TOO_DEAR},
    {"$7$10000000$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$4294967297$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$18446744073709551617$" SALT "$" DIGEST, NO_PBKDF2},
    {"$7$1$", NO_SALT},
    {"$7$1$" SALT, NO_SALT},
    {"$7$1$$" DIGEST, NO_SALT},
    {"$7$1$c2FsdHNhbA==$" DIGEST, NO_SALT}, /* seven bytes */
    {"$7$1$" SALT_64 "AAAA$" DIGEST, NO_SALT},
    {"$7$1$c2FsdHNhbHQ$" DIGEST, NO_SALT}, /* without its padding */
    {"$7$1$c2FsdHNhb*Q=$" DIGEST, NO_SALT},
    {"$7$1$    c2FsdHNhbHQ=$" DIGEST, NO_SALT},
    {"$7$1$c2FsdHNhbHQ=    $" DIGEST, NO_SALT},
    {"$7$1$c2Fs=HNhbHQ=$" DIGEST, NO_SALT},
    {"$7$1$c2FsdHNhbHQ=====$" DIGEST, NO_SALT},
    {"$7$1$" SALT "$", NO_DIGEST},
    {"$7$1$" SALT "$" SALT, NO_DIGEST},
    {"$7$1$" SALT "$" DIGEST "AAAA", NO_DIGEST},
    {"$7$1$" SALT "$" DIGEST "$", NO_DIGEST},
    {"$7$1$" SALT "$" DIGEST " ", NO_DIGEST},
    {"$7$1$" SALT "$" DIGEST ":x", NO_DIGEST},
    /* Argon2id */
    {ARGON2 SALT2 "$" TAG2, NULL},
    {"$argon2id$", NO_ARGON2},
    {"$argon2id$m=8,t=1,p=1$" SALT2 "$" TAG2, NO_ARGON2},
    {"$argon2id$v=16$m=8,t=1,p=1$" SALT2 "$" TAG2, NO_ARGON2},
    {"$argon2id$v=19$t=1,m=8,p=1$" SALT2 "$" TAG2, NO_ARGON2},
    {"$argon2id$v=19$m=8,t=1,p=1" SALT2 "$" TAG2, NO_ARGON2},
    {"$argon2id$v=19$m=65537,t=1,p=1$" SALT2 "$" TAG2, TOO_DEAR},
    {"$argon2id$v=19$m=8,t=11,p=1$" SALT2 "$" TAG2, TOO_DEAR},
    {"$argon2id$v=19$m=64,t=1,p=5$" SALT2 "$" TAG2, TOO_DEAR},
    {"$argon2id$v=19$m=999999999,t=999999999,p=999$" SALT2 "$" TAG2, TOO_DEAR},
    {"$argon2id$v=19$m=-1,t=1,p=1$" SALT2 "$" TAG2, TOO_DEAR},
    {"$argon2id$v=19$m=8,t=-1,p=1$" SALT2 "$" TAG2, TOO_DEAR},
    {"$argon2id$v=19$m=4294967304,t=1,p=1$" SALT2 "$" TAG2, NO_ARGON2},
    {"$argon2id$v=19$m=0,t=1,p=1$" SALT2 "$" TAG2, "Memory cost is too small"},
    {"$argon2id$v=19$m=8,t=0,p=1$" SALT2 "$" TAG2, "Time cost is too small"},
    {"$argon2id$v=19$m=8,t=1,p=0$" SALT2 "$" TAG2, "Too few lanes"},
    {"$argon2id$v=19$m=8,t=1,p=4$" SALT2 "$" TAG2, "Memory cost is too small"},
    {"$argon2id$v=19$m= 8,t=1,p=1$" SALT2 "$" TAG2, "Decoding failed"},
    {"$argon2id$v=19$m=+8,t=1,p=1$" SALT2 "$" TAG2, "Decoding failed"},
    {ARGON2 SALT2, NO_ARGON2},
    {ARGON2 SALT2 "$", "Output is too short"},
    {ARGON2 "$" TAG2, "Salt is too short"},
    {ARGON2 "c2FsdA$" TAG2, "Salt is too short"},
    {ARGON2 SALT2 "$" TAG2 "==", "Decoding failed"},
    {ARGON2 SALT2 "$" TAG2 "$", "Decoding failed"},
    {ARGON2 SALT2 "$" TAG2 " ", "Decoding failed"},
    {ARGON2 "c2Fsd*NhbHQ$" TAG2, "Decoding failed"},
};

START_TEST(texts_refused)
{
    const char *text = texts[_i].text;
    const struct adu_password_hash *hash = hash_of(text);
    if (texts[_i].error == NULL) {
        ck_assert_msg(hash != NULL, "%s: %s", text, message);
        return;
    }
    ck_assert_msg(hash == NULL, "taken: %s", text);
    ck_assert_msg(strncmp(message, "passwd:7:1: the password of \"ana\": ", 35) == 0 &&
                      strstr(message, texts[_i].error) != NULL,
                  "%s: %s", text, message);
}
END_TEST

/* What stands where a hash should may be the password itself: it is never repeated. */
START_TEST(no_secrets_in_errors)
{
    static const char *const secrets[] = {"hunter2hunter2", "$7$101$hunter2hunter2$",
                                          "$7$hunter2hunter2", "$argon2id$hunter2hunter2"};
    for (int i = 0; i < ROWS(secrets); i++) {
        ck_assert_ptr_null(hash_of(secrets[i]));
        ck_assert_ptr_null(strstr(message, "hunter2"));
    }
}
END_TEST

START_TEST(very_long)
{
    static char text[100000];
    static const char *const begins[] = {"$7$1$", "$7$1$" SALT "$", ARGON2, ARGON2 SALT2 "$",
                                         "$7$"};
    for (int i = 0; i < ROWS(begins); i++) {
        memset(text, 'A', sizeof text - 1);
        memcpy(text, begins[i], strlen(begins[i]));
        ck_assert_ptr_null(hash_of(text));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("password_hash");
    suite_add_fixture(suite, known_hashes, ROWS(vectors), setup, teardown);
    suite_add_fixture(suite, our_own, ROWS(passwords), setup, teardown);
    suite_add_fixture(suite, the_installed_mosquitto_passwd, ROWS(passwords), setup, teardown);
    suite_add_fixture(suite, libargon2, ROWS(costs), setup, teardown);
    suite_add_fixture(suite, odd_passwords, 2, setup, teardown);
    suite_add_fixture(suite, texts_refused, ROWS(texts), setup, teardown);
    suite_add_fixture(suite, no_secrets_in_errors, 1, setup, teardown);
    suite_add_fixture(suite, very_long, 1, setup, teardown);
    return run_suite(suite);
}
