/* Log-ins by a provider that takes its time and answers as the test says. For the one program that
 * includes it: it keeps its state in variables. */
#ifndef ADUANA_TESTS_SLOW_PROVIDER_H
#define ADUANA_TESTS_SLOW_PROVIDER_H

#include "asker.h"
#include "fixture.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/iam_auth/lookups.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* --- a directory whose answers the test gives ----------------------------------------------------
 */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool held; /* questions wait */
    atomic_int asked;
    enum adu_outcome outcome;
    char right[64]; /* the password of everybody */
    char group[64];
    int64_t until_ms;
    char why[64];     /* somebody is barred */
    char revoked[64]; /* a secret that is not good any more */
    char shown[64];   /* the last that was asked about again */
    bool issues;      /* secrets, which may be revoked */
} directory = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static inline void hold(bool held)
{
    pthread_mutex_lock(&directory.lock);
    directory.held = held;
    pthread_cond_broadcast(&directory.wake);
    pthread_mutex_unlock(&directory.lock);
}

static inline void ask(const void *settings, const char *username, const char *password,
                       int64_t wall_ms, struct adu_answer *answer)
{
    (void)settings;
    (void)wall_ms;
    atomic_fetch_add(&directory.asked, 1);
    pthread_mutex_lock(&directory.lock);
    while (directory.held) {
        pthread_cond_wait(&directory.wake, &directory.lock);
    }
    answer->outcome = directory.outcome;
    answer->valid_until_ms = directory.until_ms;
    if (strcmp(username, "nadie") == 0) {
        answer->outcome = ADU_OUTCOME_UNKNOWN;
    } else if (answer->outcome == ADU_OUTCOME_VERIFIED && password != NULL &&
               strcmp(password, directory.right) != 0) {
        answer->outcome = ADU_OUTCOME_WRONG;
    }
    if (answer->outcome == ADU_OUTCOME_UNAVAILABLE) {
        snprintf(answer->why, sizeof answer->why, "no route");
    } else if (answer->outcome == ADU_OUTCOME_BARRED) {
        snprintf(answer->why, sizeof answer->why, "%s", directory.why);
    }
    snprintf(answer->username, sizeof answer->username, "%s", username);
    adu_attributes_add(&answer->attributes, "ldap.group", directory.group);
    pthread_mutex_unlock(&directory.lock);
}

static inline enum adu_verdict describe(const void *settings, const struct adu_answer *answer,
                                        struct adu_login *login)
{
    static const int roles[] = {7, ADU_NO_NAME};
    (void)settings;
    return adu_login_add_roles(login, roles) &&
                   adu_attributes_add_all(&login->attributes, &answer->attributes)
               ? ADU_ALLOW
               : ADU_ERROR;
}

static const struct adu_provider provider = {
    .name = "ldap", .waits = true, .rechecks = true, .ask = ask, .describe = describe};

static inline bool may_be_revoked(const void *settings)
{
    (void)settings;
    return directory.issues;
}

static inline void ask_again(const void *settings, const char *secret, struct adu_answer *answer)
{
    (void)settings;
    atomic_fetch_add(&directory.asked, 1);
    pthread_mutex_lock(&directory.lock);
    while (directory.held) {
        pthread_cond_wait(&directory.wake, &directory.lock);
    }
    snprintf(directory.shown, sizeof directory.shown, "%s", secret);
    answer->outcome = directory.outcome;
    if (strcmp(secret, directory.revoked) == 0) {
        answer->outcome = ADU_OUTCOME_BARRED;
        snprintf(answer->why, sizeof answer->why, "it is revoked");
    }
    pthread_mutex_unlock(&directory.lock);
}

static const struct adu_provider issuer = {.name = "oidc",
                                           .waits = true,
                                           .may_be_revoked = may_be_revoked,
                                           .ask_again = ask_again,
                                           .ask = ask,
                                           .describe = describe};

/* --- log-ins ------------------------------------------------------------------------------------
 */

enum { SECOND = 1000, HOUR = 3600 * SECOND };

static struct adu_iam *iam;
static struct adu_counters counters;
static struct adu_iam_policy *policy;
static int64_t now_ms, wall_ms;
static int alerts;
static struct adu_bytes secret; /* what the last log-in left, as the pipeline keeps it */
static long refresh_seconds;
static bool alert_up;

static inline void make_policy(uint64_t stamp)
{
    struct adu_arena *arena = adu_arena_new();
    policy = adu_arena_alloc(arena, sizeof *policy);
    *policy = (struct adu_iam_policy){
        .require = ADU_IAM_REQUIRE_PASSWORD,
        .limits = {.login_budget_ms = 50,
                   .fresh_seconds = 300,
                   .refused_seconds = 10,
                   .offline_grace_seconds = 3600,
                   .recheck_seconds = 60},
        .arena = arena,
        .count = 1,
        .asked = {{.provider = &provider, .stamp = stamp}},
    };
}

static inline void setup(void)
{
    directory.outcome = ADU_OUTCOME_VERIFIED;
    directory.held = false;
    directory.until_ms = 0;
    atomic_store(&directory.asked, 0);
    strcpy(directory.right, "x");
    strcpy(directory.group, "turno1");
    directory.why[0] = directory.revoked[0] = directory.shown[0] = '\0';
    directory.issues = true;
    now_ms = 1000000;
    wall_ms = INT64_C(1700000000000);
    counters = (struct adu_counters){0};
    alerts = 0;
    alert_up = false;
    make_policy(1);
    iam = adu_iam_new();
    ck_assert_ptr_nonnull(iam);
}

static inline void teardown(void)
{
    hold(false);
    adu_iam_free(iam);
    adu_bytes_wipe(&secret);
    adu_arena_free(policy->arena);
}

static inline void pass(int64_t ms)
{
    now_ms += ms;
    wall_ms += ms;
}

static inline struct adu_stage_call call_of(const struct adu_outlet *outlet)
{
    return (struct adu_stage_call){.policy = policy,
                                   .instance = iam,
                                   .counters = &counters,
                                   .outlet = outlet,
                                   .now_ms = now_ms,
                                   .wall_ms = wall_ms};
}

static inline void alert(void *context, const struct adu_event *event)
{
    (void)context;
    const bool guessing = strcmp(event->kind, "login_failures") == 0;
    ck_assert(guessing || strcmp(event->kind, "provider_unavailable") == 0);
    ck_assert(event->raised != alert_up);
    alert_up = event->raised;
    alerts++;
}

static inline void tick(void)
{
    const struct adu_outlet outlet = {.alert = alert};
    const struct adu_stage_call call = call_of(&outlet);
    adu_iam_auth_tick(&call);
}

static char said[1024];
static int said_role; /* the only one */
static struct adu_bytes record;
static bool keeps_record;

static inline const char *say(enum adu_verdict verdict, struct adu_login *login)
{
    const char *group = adu_attributes_single(&login->attributes, "ldap.group");
    snprintf(said, sizeof said, "%s",
             verdict == ADU_ALLOW   ? group
             : verdict == ADU_LATER ? "later"
             : verdict == ADU_ERROR ? "error"
                                    : why_text("no", &login->why));
    ck_assert_uint_eq(login->role_count, verdict == ADU_ALLOW);
    said_role = login->roles[0];
    if (keeps_record) {
        adu_bytes_clear(&record);
        record = login->record;
        login->record = (struct adu_bytes){0};
    }
    if (!login->again) {
        adu_bytes_wipe(&secret);
        secret = login->secret;
        refresh_seconds = login->refresh_seconds;
    }
    adu_attributes_clear(&login->attributes);
    adu_bytes_clear(&login->record);
    return said;
}

/* What is said at once: the group, "later" or why not. */
static inline const char *at_once(const char *username, const char *password, uint64_t *ticket)
{
    struct adu_login login = {.client_id = "c",
                              .claimed_username = username,
                              .password = *ticket == 0 ? password : NULL,
                              .ticket = *ticket,
                              .why = ADU_REASON_INIT};
    const struct adu_stage_call call = call_of(NULL);
    const enum adu_verdict verdict = adu_iam_auth_identify(&call, &login);
    *ticket = login.ticket;
    return say(verdict, &login);
}

static inline void until_answered(uint64_t ticket)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    uint64_t come;
    while ((come = adu_iam_auth_answered(iam)) != ticket) {
        ck_assert_uint_eq(come, 0);
        nanosleep(&moment, NULL);
    }
}

/* What is said in the end. */
static inline const char *in_the_end(const char *username, const char *password)
{
    uint64_t ticket = 0;
    at_once(username, password, &ticket);
    if (strcmp(said, "later") == 0) {
        until_answered(ticket);
        at_once(username, password, &ticket);
        adu_iam_auth_abandon(iam, ticket);
    }
    return said;
}

/* The answer is known without anybody being asked. */
static inline void is_known(const char *username, const char *password, const char *what)
{
    const int before = atomic_load(&directory.asked);
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once(username, password, &ticket), what);
    ck_assert_int_eq(atomic_load(&directory.asked), before);
}

static inline void settle_down(void) /* of questions that nobody waits for */
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 200; i++) {
        ck_assert_uint_eq(adu_iam_auth_answered(iam), 0);
        nanosleep(&moment, NULL);
    }
}

#endif
