/* aduana passwd FILE USER: the users of a password file. */
#include "cli/command.h"
#include "cli/password_ask.h"
#include "cli/password_edit.h"
#include "common/instant.h"
#include "plugins/iam_auth/passwords.h"
#include <errno.h>
#include <getopt.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* As mosquitto_passwd of 2.1: a log-in holds the broker up for so long, see iam_auth/README.md. */
enum { ITERATIONS = 1000, HASH_MOST = 1024 };

struct passwd {
    bool create, remove, check, argon2id;
    const char *iterations_text, *old_until;
    int iterations;
    const char *file, *user;
};

/* One byte more than may be, so that what is too long is seen. */
typedef char password_room[ADU_PASSWORD_MOST_BYTES + 2];

static bool read_iterations(struct passwd *p)
{
    char *end;
    p->iterations = ITERATIONS;
    if (p->iterations_text == NULL) {
        return true;
    }
    errno = 0;
    const long value = strtol(p->iterations_text, &end, 10);
    if (errno != 0 || end == p->iterations_text || *end != '\0' || value < 1 ||
        value > ADU_PBKDF2_MOST_ITERATIONS) {
        fprintf(stderr, "aduana: iterations: expected 1 to %d, found \"%s\"\n",
                ADU_PBKDF2_MOST_ITERATIONS, p->iterations_text);
        return false;
    }
    p->iterations = (int)value;
    return true;
}

static bool read_until(const struct passwd *p)
{
    int64_t wall_ms;
    if (p->old_until == NULL) {
        return true;
    }
    if (!adu_instant_read(p->old_until, &wall_ms)) {
        fprintf(stderr,
                "aduana: old-until: expected a moment such as 2026-12-31T00:00:00Z, found \"%s\"\n",
                p->old_until);
        return false;
    }
    if (wall_ms <= (int64_t)time(NULL) * 1000) {
        fprintf(stderr, "aduana: old-until: %s is past; to keep no old password, leave it out\n",
                p->old_until);
        return false;
    }
    return true;
}

static bool read_options(struct passwd *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"argon2id", no_argument, NULL, 'a'},         {"pbkdf2", no_argument, NULL, 'p'},
        {"iterations", required_argument, NULL, 'i'}, {"check", no_argument, NULL, 'k'},
        {"old-until", required_argument, NULL, 'u'},  {0}};
    bool pbkdf2 = false;
    int found;
    optind = 1;
    while ((found = getopt_long(argc, argv, "cD", options, NULL)) != -1) {
        p->create = p->create || found == 'c';
        p->remove = p->remove || found == 'D';
        p->check = p->check || found == 'k';
        p->argon2id = p->argon2id || found == 'a';
        pbkdf2 = pbkdf2 || found == 'p';
        if (found == 'i') {
            p->iterations_text = optarg;
        } else if (found == 'u') {
            p->old_until = optarg;
        } else if (found == '?') {
            return false; /* getopt_long has complained */
        }
    }
    const bool hashes = p->argon2id || pbkdf2 || p->iterations_text != NULL || p->old_until != NULL;
    if (argc - optind != 2 || p->create + p->remove + p->check > 1 ||
        ((p->remove || p->check) && hashes) ||
        (p->argon2id && (pbkdf2 || p->iterations_text != NULL)) ||
        (p->create && p->old_until != NULL)) {
        return false;
    }
    p->file = argv[optind];
    p->user = argv[optind + 1];
    return read_iterations(p) && read_until(p);
}

static enum adu_status complain(const struct adu_error *error)
{
    char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
    fprintf(stderr, "aduana: %s\n", adu_error_format(error, text, sizeof text));
    return ADU_STATUS_USAGE;
}

static enum adu_status conclude(enum adu_password_edit result, const struct passwd *p,
                                const struct adu_error *error)
{
    if (result == ADU_PASSWORD_EDIT_NO_USER) {
        fprintf(stderr, "aduana: %s: has no user \"%s\"%s\n", p->file, p->user,
                p->old_until != NULL ? " with a password that could stay" : "");
        return ADU_STATUS_NO;
    }
    return result == ADU_PASSWORD_EDIT_DONE ? ADU_STATUS_YES : complain(error);
}

/* --- passwords --- */

static bool get_password(char *password, size_t size, bool twice)
{
    password_room again;
    if (!isatty(STDIN_FILENO)) {
        return adu_password_read_line(password, size);
    }
    if (!adu_password_ask("Password: ", password, size)) {
        return false;
    }
    if (!twice) {
        return true;
    }
    const bool same =
        adu_password_ask("The same again: ", again, sizeof again) && strcmp(password, again) == 0;
    explicit_bzero(again, sizeof again);
    if (!same) {
        fprintf(stderr, "aduana: that was not the same password twice\n");
    }
    return same;
}

static enum adu_status make_hash(const struct passwd *p, char hash[ADU_PASSWORD_HASH_TEXT])
{
    password_room password;
    unsigned char salt[ADU_PASSWORD_SALT_BYTES];
    enum adu_status status = ADU_STATUS_YES;
    if (!get_password(password, sizeof password, true)) {
        status = ADU_STATUS_USAGE;
    } else if (password[0] == '\0' || strlen(password) > ADU_PASSWORD_MOST_BYTES) {
        fprintf(stderr, "aduana: a password has 1 to %d bytes\n", ADU_PASSWORD_MOST_BYTES);
        status = ADU_STATUS_USAGE;
    } else if (RAND_bytes(salt, sizeof salt) != 1 ||
               !adu_password_hash_make(p->argon2id ? ADU_PASSWORD_ARGON2ID : ADU_PASSWORD_PBKDF2,
                                       p->iterations, salt, password, hash)) {
        fprintf(stderr, "aduana: the password cannot be hashed\n");
        status = ADU_STATUS_USAGE;
    }
    explicit_bzero(password, sizeof password);
    return status;
}

/* --- the passwords that a user has --- */

struct checking {
    const struct passwd *p;
    struct adu_compiler c;
    struct adu_passwords passwords;
};

static void take_entry(void *context, const char *entry, unsigned line)
{
    struct checking *checking = context;
    const struct adu_place place = {.file = checking->p->file, .line = line, .column = 1};
    char hash[HASH_MOST];
    snprintf(hash, sizeof hash, "%s", entry);
    char *until = strchr(hash, ':');
    if (until != NULL) {
        *until++ = '\0';
    }
    adu_passwords_add(&checking->c, &checking->passwords, hash, until, checking->p->user, &place);
}

static enum adu_status compare(const struct checking *checking)
{
    password_room password;
    struct adu_answer answer = {0};
    if (!get_password(password, sizeof password, false)) {
        return ADU_STATUS_USAGE;
    }
    adu_passwords_ask(&checking->passwords, password, (int64_t)time(NULL) * 1000, &answer);
    explicit_bzero(password, sizeof password);
    const bool fits = answer.outcome == ADU_OUTCOME_VERIFIED;
    printf("the password %s%s%s\n", fits ? "fits" : "does not fit",
           answer.why[0] != '\0' ? ": " : "", answer.why);
    return fits ? ADU_STATUS_YES : ADU_STATUS_NO;
}

/* --- the three things to do --- */

static enum adu_status check(const struct passwd *p)
{
    struct adu_error error = {0};
    struct checking checking = {.p = p, .c = {.arena = adu_arena_new(), .error = &error}};
    enum adu_password_edit result = ADU_PASSWORD_EDIT_FAILED;
    if (checking.c.arena == NULL) {
        adu_error_no_memory(&error);
    } else {
        result = adu_password_file_find(p->file, p->user, take_entry, &checking, &error);
    }
    const enum adu_status status = result == ADU_PASSWORD_EDIT_DONE && !error.set
                                       ? compare(&checking)
                                       : conclude(result, p, &error);
    adu_arena_free(checking.c.arena);
    return status;
}

/* One that would still be good is not taken away without a word. */
static void tell_ended(const struct passwd *p, const char *ended)
{
    int64_t wall_ms;
    if (adu_instant_read(ended, &wall_ms) && wall_ms > (int64_t)time(NULL) * 1000) {
        fprintf(stderr,
                "aduana: %s: the password of \"%s\" that was to count until %s ends now%s\n",
                p->file, p->user, ended, p->old_until != NULL ? ": at most two are kept" : "");
    }
}

static enum adu_status change(const struct passwd *p, const char *hash)
{
    struct adu_error error = {0};
    char ended[ADU_PASSWORD_UNTIL];
    const enum adu_password_edit result =
        adu_password_file_change(p->file, p->user, hash, p->old_until, ended, &error);
    if (result == ADU_PASSWORD_EDIT_DONE && hash != NULL) {
        tell_ended(p, ended);
    }
    return conclude(result, p, &error);
}

static enum adu_status set(const struct passwd *p)
{
    struct adu_error error = {0};
    char hash[ADU_PASSWORD_HASH_TEXT];
    /* Nobody types a password twice for nothing. */
    const bool exists = access(p->file, F_OK) == 0;
    if (exists == p->create) {
        fprintf(stderr, "aduana: %s: %s\n", p->file,
                exists ? "exists already; without -c the user is added to it"
                       : "is not there; -c makes it");
        return ADU_STATUS_USAGE;
    }
    const enum adu_status status = make_hash(p, hash);
    if (status != ADU_STATUS_YES) {
        return status;
    }
    return p->create ? conclude(adu_password_file_create(p->file, p->user, hash, &error), p, &error)
                     : change(p, hash);
}

enum adu_status adu_command_passwd(int argc, char **argv)
{
    struct passwd p = {0};
    struct adu_error error = {0};
    if (!read_options(&p, argc, argv)) {
        return ADU_STATUS_MISUSED;
    }
    if (!adu_password_name_check(p.user, &error)) {
        return complain(&error);
    }
    if (p.check) {
        return check(&p);
    }
    if (p.remove) {
        return change(&p, NULL);
    }
    return set(&p);
}
