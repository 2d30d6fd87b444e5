/* Providers that take their time: asked by workers, each question once, the answers kept as long as
 * they may be, and never for another secret, user or directory. */
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

static void hold(bool held)
{
    pthread_mutex_lock(&directory.lock);
    directory.held = held;
    pthread_cond_broadcast(&directory.wake);
    pthread_mutex_unlock(&directory.lock);
}

static void ask(const void *settings, const char *username, const char *password, int64_t wall_ms,
                struct adu_answer *answer)
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

static enum adu_verdict describe(const void *settings, const struct adu_answer *answer,
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

static bool may_be_revoked(const void *settings)
{
    (void)settings;
    return directory.issues;
}

static void ask_again(const void *settings, const char *secret, struct adu_answer *answer)
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

static void make_policy(uint64_t stamp)
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

static void setup(void)
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

static void teardown(void)
{
    hold(false);
    adu_iam_free(iam);
    adu_bytes_wipe(&secret);
    adu_arena_free(policy->arena);
}

static void pass(int64_t ms)
{
    now_ms += ms;
    wall_ms += ms;
}

static struct adu_stage_call call_of(const struct adu_outlet *outlet)
{
    return (struct adu_stage_call){.policy = policy,
                                   .instance = iam,
                                   .counters = &counters,
                                   .outlet = outlet,
                                   .now_ms = now_ms,
                                   .wall_ms = wall_ms};
}

static void alert(void *context, const struct adu_event *event)
{
    (void)context;
    const bool guessing = strcmp(event->kind, "login_failures") == 0;
    ck_assert(guessing || strcmp(event->kind, "provider_unavailable") == 0);
    ck_assert(event->raised != alert_up);
    alert_up = event->raised;
    alerts++;
}

static void tick(void)
{
    const struct adu_outlet outlet = {.alert = alert};
    const struct adu_stage_call call = call_of(&outlet);
    adu_iam_auth_tick(&call);
}

static char said[1024];
static int said_role; /* the only one */
static struct adu_bytes record;
static bool keeps_record;

static const char *say(enum adu_verdict verdict, struct adu_login *login)
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
static const char *at_once(const char *username, const char *password, uint64_t *ticket)
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

static void until_answered(uint64_t ticket)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    uint64_t come;
    while ((come = adu_iam_auth_answered(iam)) != ticket) {
        ck_assert_uint_eq(come, 0);
        nanosleep(&moment, NULL);
    }
}

/* What is said in the end. */
static const char *in_the_end(const char *username, const char *password)
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
static void is_known(const char *username, const char *password, const char *what)
{
    const int before = atomic_load(&directory.asked);
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once(username, password, &ticket), what);
    ck_assert_int_eq(atomic_load(&directory.asked), before);
}

static void settle_down(void) /* of questions that nobody waits for */
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 200; i++) {
        ck_assert_uint_eq(adu_iam_auth_answered(iam), 0);
        nanosleep(&moment, NULL);
    }
}

START_TEST(by_a_worker_and_then_by_heart)
{
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    ck_assert_int_eq(atomic_load(&directory.asked), 1);
    is_known("ana", "x", "turno1");
    pass(299 * SECOND);
    is_known("ana", "x", "turno1");
    ck_assert_uint_eq(counters.logins_from_cache, 2);
    /* For another secret, and another user, there is no answer. */
    ck_assert_str_eq(in_the_end("ana", "y"), "no: wrong password");
    ck_assert_str_eq(in_the_end("eva", "x"), "turno1");
    ck_assert_int_eq(atomic_load(&directory.asked), 3);
    is_known("ana", "x", "turno1"); /* wrong guesses take nobody's answer away */
}
END_TEST

START_TEST(fresh_then_looked_up_behind_its_back_then_stale)
{
    in_the_end("ana", "x");
    pass(301 * SECOND);
    strcpy(directory.group, "turno2");
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "turno1");
    settle_down();
    ck_assert_int_eq(atomic_load(&directory.asked), 2);
    is_known("ana", "x", "turno2");
    pass(HOUR);
    strcpy(directory.group, "turno3");
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    until_answered(ticket);
    ck_assert_str_eq(at_once("ana", NULL, &ticket), "turno3");
    adu_iam_auth_abandon(iam, ticket);
}
END_TEST

/* What was looked up behind its back was a no. */
START_TEST(no_is_remembered_at_once)
{
    in_the_end("ana", "x");
    pass(301 * SECOND);
    directory.outcome = ADU_OUTCOME_BARRED;
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "turno1");
    settle_down();
    is_known("ana", "x", "no: the account is not to be used");
    pass(11 * SECOND); /* refusals are remembered for a shorter time */
    ck_assert_str_eq(in_the_end("ana", "x"), "no: the account is not to be used");
    ck_assert_int_eq(atomic_load(&directory.asked), 3);
}
END_TEST

/* And for the same reason, however often it is heard. */
START_TEST(a_remembered_no_says_why)
{
    directory.outcome = ADU_OUTCOME_BARRED;
    strcpy(directory.why, "the token is not active");
    static const char no[] = "no: the account is not to be used \"the token is not active\"";
    ck_assert_str_eq(in_the_end("ana", "x"), no);
    is_known("ana", "x", no);
    is_known("ana", "x", no);
    strcpy(directory.why, "the account is disabled");
    pass(11 * SECOND);
    ck_assert_str_eq(in_the_end("ana", "x"),
                     "no: the account is not to be used \"the account is disabled\"");
}
END_TEST

/* Whoever is refused at the same moment does not come back at the same moment. */
START_TEST(refusals_do_not_end_together)
{
    enum { GUESSES = 100, STEPS = 10 };
    char guess[32];
    uint64_t ticket = 0;
    int ended[STEPS + 1] = {0};
    for (int i = 0; i < GUESSES; i++) {
        snprintf(guess, sizeof guess, "guess %d", i);
        in_the_end("ana", guess);
    }
    hold(true);
    for (int step = 1; step <= STEPS; step++) {
        pass(SECOND - (step == STEPS)); /* 10 s, but for a moment */
        for (int i = 0; i < GUESSES; i++) {
            snprintf(guess, sizeof guess, "guess %d", i);
            ended[step] += strcmp(at_once("ana", guess, &ticket), "later") == 0;
            adu_iam_auth_abandon(iam, ticket);
            ticket = 0;
        }
    }
    /* A few have the same place, or the same moment, by chance. */
    ck_assert_int_lt(ended[5], 10);
    ck_assert_int_gt(ended[8], ended[6]);
    ck_assert_int_lt(ended[6], GUESSES - 10);
    ck_assert_int_gt(ended[STEPS], GUESSES - 10);
}
END_TEST

START_TEST(one_question_for_all)
{
    uint64_t tickets[200] = {0};
    hold(true);
    for (int i = 0; i < ROWS(tickets); i++) {
        ck_assert_str_eq(at_once("ana", "x", &tickets[i]), "later");
    }
    adu_iam_auth_abandon(iam, tickets[7]); /* one has gone */
    hold(false);
    int told = 0;
    uint64_t ticket;
    while (told < ROWS(tickets) - 1) {
        if ((ticket = adu_iam_auth_answered(iam)) != 0) {
            ck_assert_uint_ne(ticket, tickets[7]);
            ck_assert_str_eq(at_once("ana", NULL, &ticket), "turno1");
            adu_iam_auth_abandon(iam, ticket);
            told++;
        }
    }
    ck_assert_int_eq(atomic_load(&directory.asked), 1);
    ck_assert_uint_eq(adu_iam_auth_answered(iam), 0);
}
END_TEST

/* Who asked has hung up, as with 2.0, and comes again. */
START_TEST(an_answer_is_parked)
{
    policy->limits.fresh_seconds = 0;
    uint64_t ticket = 0;
    hold(true);
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    adu_iam_auth_abandon(iam, ticket);
    hold(false);
    settle_down();
    pass(59 * SECOND);
    is_known("ana", "x", "turno1");
    pass(2 * SECOND);
    ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    until_answered(ticket);
    at_once("ana", "x", &ticket);
    adu_iam_auth_abandon(iam, ticket);
    /* It was told of: without a time of being fresh it is not kept. */
    pass(1);
    ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
}
END_TEST

START_TEST(the_loop_waits_a_little)
{
    uint64_t ticket = 0;
    hold(true);
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    const struct adu_stage_call call = call_of(NULL);
    int waited = 0;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 100; i++) { /* of which most find the share of the time used up */
        waited += adu_iam_auth_wait(&call, ticket);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert_int_eq(waited, 0);
    ck_assert_int_lt(after.tv_sec - before.tv_sec, 3); /* not the five seconds of 100 times 50 ms */
    policy->limits.login_budget_ms = 1000;
    hold(false);
    while (!adu_iam_auth_wait(&call, ticket)) {
    }
    ck_assert_str_eq(at_once("ana", "x", &ticket), "turno1");
    adu_iam_auth_abandon(iam, ticket);
    ck_assert_uint_eq(adu_iam_auth_answered(iam), 0); /* it was told of */
}
END_TEST

/* --- the directory is away -----------------------------------------------------------------------
 */

static const char away[] = "no: its provider cannot be asked \"no route\"";

START_TEST(grace)
{
    in_the_end("ana", "x");
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(1000 * SECOND); /* it is not fresh any more */
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    ck_assert_uint_eq(counters.logins_in_grace, 1);
    ck_assert_str_eq(in_the_end("ana", "y"), away);
    ck_assert_str_eq(in_the_end("eva", "x"), away);
    pass(HOUR);
    ck_assert_str_eq(in_the_end("ana", "x"), away);
}
END_TEST

/* Never after a no: neither of this secret nor of the account. */
START_TEST(no_grace_after_a_no)
{
    in_the_end("ana", "x");
    in_the_end("eva", "x");
    pass(1000 * SECOND);
    strcpy(directory.right, "z");
    ck_assert_str_eq(in_the_end("ana", "x"), "no: wrong password");
    directory.outcome = ADU_OUTCOME_BARRED;
    ck_assert_str_eq(in_the_end("eva", "x"), "no: the account is not to be used");
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(1000 * SECOND);
    ck_assert_str_eq(in_the_end("ana", "x"), away);
    ck_assert_str_eq(in_the_end("eva", "x"), away);
}
END_TEST

/* A password that has been replaced since is not the one that was verified last. */
START_TEST(no_grace_for_an_older_password)
{
    in_the_end("ana", "x");
    strcpy(directory.right, "nueva");
    ck_assert_str_eq(in_the_end("ana", "nueva"), "turno1");
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(1000 * SECOND);
    ck_assert_str_eq(in_the_end("ana", "x"), away);
    ck_assert_str_eq(in_the_end("ana", "nueva"), "turno1");
}
END_TEST

/* Nor is what another directory has verified. */
START_TEST(no_grace_by_another_directory)
{
    in_the_end("ana", "x");
    adu_arena_free(policy->arena);
    make_policy(2);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    ck_assert_str_eq(in_the_end("ana", "x"), away);
    adu_arena_free(policy->arena);
    make_policy(1);
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
}
END_TEST

START_TEST(a_breaker)
{
    in_the_end("ana", "x");
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    tick();
    for (int i = 0; i < 3; i++) {
        in_the_end("eva", "x");
    }
    tick();
    ck_assert_int_eq(alerts, 1);
    ck_assert(alert_up);
    /* Now nobody is kept waiting for a directory that does not answer. */
    is_known("eva", "x", away);
    pass(1000 * SECOND);
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1"); /* which asked, after so long */
    is_known("ana", "x", "turno1");
    directory.outcome = ADU_OUTCOME_VERIFIED;
    is_known("eva", "x", away); /* until it is asked once more */
    pass(60 * SECOND);
    ck_assert_str_eq(in_the_end("eva", "x"), "turno1");
    tick();
    ck_assert_int_eq(alerts, 2);
    ck_assert(!alert_up);
}
END_TEST

/* --- the policy changes meanwhile ----------------------------------------------------------------
 */

START_TEST(a_reload_in_between)
{
    uint64_t ticket = 0;
    hold(true);
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    adu_arena_free(policy->arena); /* the question keeps what it needs */
    make_policy(1);
    hold(false);
    until_answered(ticket);
    ck_assert_str_eq(at_once("ana", NULL, &ticket), "turno1");
    adu_iam_auth_abandon(iam, ticket);
    is_known("ana", "x", "turno1");
}
END_TEST

START_TEST(another_directory_in_between)
{
    uint64_t ticket = 0;
    hold(true);
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    adu_arena_free(policy->arena);
    make_policy(2);
    hold(false);
    until_answered(ticket);
    ck_assert_str_eq(at_once("ana", NULL, &ticket),
                     "no: the policy has changed while its provider was asked");
    adu_iam_auth_abandon(iam, ticket);
    ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
}
END_TEST

/* A token that has ended is not known any more, however fresh the answer. */
START_TEST(an_answer_ends)
{
    directory.until_ms = wall_ms + 10 * SECOND;
    in_the_end("ana", "x");
    pass(9 * SECOND);
    is_known("ana", "x", "turno1");
    pass(1 * SECOND);
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
}
END_TEST

/* --- guesses -------------------------------------------------------------------------------------
 */

/* Attack 12: a device that works goes on working while others guess at its password. */
START_TEST(guesses_lock_out_guessers)
{
    char guess[32];
    policy->guard = (struct adu_guard_limits){.failures = 3, .lockout_seconds = 3600};
    in_the_end("ana", "x");
    tick();
    for (int i = 0; i < 4; i++) {
        snprintf(guess, sizeof guess, "guess %d", i);
        ck_assert_str_eq(in_the_end("ana", guess), "no: wrong password");
    }
    tick();
    ck_assert_int_eq(alerts, 1);
    ck_assert(alert_up);
    static const char no[] =
        "no: too many wrong passwords for this user name: locked out for a while";
    is_known("ana", "one more", no);
    ck_assert_uint_eq(counters.logins_locked_out, 1);
    is_known("ana", "x", "turno1");
    pass(HOUR / 2);
    for (int i = 0; i < 10; i++) { /* nor when its answer is not fresh any more */
        ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    }
    ck_assert_str_eq(in_the_end("eva", "x"), "turno1");
    tick();
    ck_assert_int_eq(alerts, 2);
    ck_assert(!alert_up);
}
END_TEST

/* Who hangs up, or is hung up on as by 2.0, has failed when he comes again and hears it. */
START_TEST(a_guess_that_nobody_waits_for)
{
    char guess[32];
    policy->guard = (struct adu_guard_limits){.failures = 3, .lockout_seconds = 3600};
    for (int i = 0; i < 4; i++) {
        uint64_t ticket = 0;
        snprintf(guess, sizeof guess, "guess %d", i);
        hold(true);
        ck_assert_str_eq(at_once("ana", guess, &ticket), "later");
        adu_iam_auth_abandon(iam, ticket);
        hold(false);
        settle_down();
        pass(9 * SECOND);
        is_known("ana", guess, "no: wrong password");
    }
    is_known("ana", "one more",
             "no: too many wrong passwords for this user name: locked out for a while");
}
END_TEST

/* A device that goes on with its old password is no guesser: it tries the same again and again. */
START_TEST(the_same_again_is_no_guess)
{
    policy->guard = (struct adu_guard_limits){.failures = 3, .lockout_seconds = 3600};
    for (int i = 0; i < 100; i++) {
        ck_assert_str_eq(in_the_end("ana", "old"), "no: wrong password");
    }
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    ck_assert_int_eq(atomic_load(&directory.asked), 2);
}
END_TEST

/* --- again ---------------------------------------------------------------------------------------
 */

static const char *again(bool refresh, uint64_t *ticket)
{
    struct adu_login login = {.again = true,
                              .refresh = refresh,
                              .ticket = *ticket,
                              .client_id = "c",
                              .proven_before = ADU_FACTOR_PASSWORD,
                              .username_before = "ana",
                              .record_before = record,
                              .secret_before = secret,
                              .why = ADU_REASON_INIT};
    const struct adu_stage_call call = call_of(NULL);
    const enum adu_verdict verdict = adu_iam_auth_identify(&call, &login);
    *ticket = login.ticket;
    if (verdict == ADU_ALLOW) {
        ck_assert_int_eq(login.refresh_seconds, directory.issues ? 60 : 0);
        ck_assert_ptr_null(login.secret.bytes); /* what is kept stays as it is */
        adu_bytes_clear(&record);
        record = login.record;
        login.record = (struct adu_bytes){0};
    }
    return say(verdict, &login);
}

static const char *looked_up_anew(void)
{
    uint64_t ticket = 0;
    if (strcmp(again(true, &ticket), "later") == 0) {
        until_answered(ticket);
        again(true, &ticket);
        adu_iam_auth_abandon(iam, ticket);
    }
    return said;
}

/* Others while his provider is away, and until it has been asked again; not for who was in before.
 */
START_TEST(roles_in_grace)
{
    static const int less[] = {3, ADU_NO_NAME};
    uint64_t ticket = 0;
    policy->offline_roles = less;
    in_the_end("ana", "x");
    ck_assert_int_eq(said_role, 7);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(1000 * SECOND);
    keeps_record = true;
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    keeps_record = false;
    ck_assert_int_eq(said_role, 3);
    ck_assert_str_eq(again(false, &ticket), "turno1"); /* a reload */
    ck_assert_int_eq(said_role, 3);
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 3);
    directory.outcome = ADU_OUTCOME_VERIFIED;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 7);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 7);
    adu_bytes_clear(&record);
}
END_TEST

START_TEST(by_the_record)
{
    const struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED, .username = "ana"};
    struct adu_answer with = answer;
    uint64_t ticket = 0;
    ck_assert(adu_attributes_add(&with.attributes, "ldap.group", "turno0"));
    ck_assert(adu_answer_write(&with, "ldap", &record));
    adu_answer_clear(&with);
    hold(true); /* nobody is asked: not in a rerun */
    ck_assert_str_eq(again(false, &ticket), "turno0");
    ck_assert_uint_eq(ticket, 0);
    hold(false);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_str_eq(again(false, &ticket), "turno1");
    /* While the directory is away all stays as it was, however long. */
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    strcpy(directory.group, "turno2");
    for (int i = 0; i < 10; i++) {
        pass(HOUR);
        ck_assert_str_eq(looked_up_anew(), "turno1");
    }
    directory.outcome = ADU_OUTCOME_VERIFIED;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno2");
    directory.outcome = ADU_OUTCOME_BARRED;
    ck_assert_str_eq(looked_up_anew(), "no: the account is not to be used");
    directory.outcome = ADU_OUTCOME_UNKNOWN;
    ck_assert_str_eq(looked_up_anew(), "no: no provider knows this user");
    adu_bytes_clear(&record);
    ck_assert_str_eq(again(false, &ticket), "no: no provider knows this user");
}
END_TEST

/* Whoever is barred while he is connected is not let in by what was known of him before. */
START_TEST(barred_while_connected)
{
    in_the_end("ana", "x");
    const struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED, .username = "ana"};
    ck_assert(adu_answer_write(&answer, "ldap", &record));
    directory.outcome = ADU_OUTCOME_BARRED;
    looked_up_anew();
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    adu_bytes_clear(&record);
}
END_TEST

/* --- again: by the secret, which may be revoked --- */

static void as_issuer(void)
{
    policy->asked[0].provider = &issuer;
    keeps_record = true;
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    ck_assert_str_eq((const char *)secret.bytes, "x");
    ck_assert_uint_eq(secret.length, 2);
    ck_assert_int_eq(refresh_seconds, 60);
    keeps_record = false;
}

START_TEST(a_secret_is_revoked_while_it_is_in_use)
{
    uint64_t ticket = 0;
    as_issuer();
    pass(60 * SECOND);
    strcpy(directory.group, "turno2");
    ck_assert_str_eq(looked_up_anew(), "turno1"); /* nothing new of its user */
    ck_assert_str_eq(directory.shown, "x");
    ck_assert_int_eq(atomic_load(&directory.asked), 2);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE; /* nobody goes for that */
    ck_assert_str_eq(looked_up_anew(), "turno1");
    directory.outcome = ADU_OUTCOME_VERIFIED;
    strcpy(directory.revoked, "another");
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_str_eq(again(false, &ticket), "turno1"); /* a reload asks nobody */
    ck_assert_uint_eq(ticket, 0);
    is_known("ana", "x", "turno1");
    strcpy(directory.revoked, "x");
    ck_assert_str_eq(looked_up_anew(), "no: the account is not to be used \"it is revoked\"");
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later"); /* nor is it let in by heart */
    adu_bytes_clear(&record);
}
END_TEST

/* Two of one user are asked about each by its own, and neither is taken for a log-in by it. */
START_TEST(one_of_two_secrets_is_revoked)
{
    uint64_t tickets[3] = {0};
    struct adu_bytes first;
    as_issuer();
    first = secret;
    secret = (struct adu_bytes){0};
    strcpy(directory.right, "y");
    ck_assert_str_eq(in_the_end("ana", "y"), "turno1");
    hold(true);
    ck_assert_str_eq(again(true, &tickets[0]), "later"); /* "y" */
    struct adu_bytes second = secret;
    secret = first;
    ck_assert_str_eq(again(true, &tickets[1]), "later"); /* "x" */
    pass(HOUR);
    secret = (struct adu_bytes){0};
    ck_assert_str_eq(at_once("ana", "x", &tickets[2]), "later");
    strcpy(directory.revoked, "x");
    hold(false);
    for (int come = 0; come < 3;) {
        come += adu_iam_auth_answered(iam) != 0;
    }
    secret = second;
    ck_assert_str_eq(again(true, &tickets[0]), "turno1");
    secret = first;
    ck_assert_str_eq(again(true, &tickets[1]),
                     "no: the account is not to be used \"it is revoked\"");
    secret = (struct adu_bytes){0};
    ck_assert_str_eq(at_once("ana", NULL, &tickets[2]), "no: wrong password");
    for (int i = 0; i < 3; i++) {
        adu_iam_auth_abandon(iam, tickets[i]);
    }
    adu_bytes_wipe(&first);
    adu_bytes_wipe(&second);
    adu_bytes_clear(&record);
}
END_TEST

/* By heart, and while the issuer is away, as well: what is known serves, but is asked about. */
START_TEST(however_it_was_let_in_it_is_asked_about)
{
    uint64_t ticket = 0;
    as_issuer();
    is_known("ana", "x", "turno1");
    ck_assert_str_eq((const char *)secret.bytes, "x");
    ck_assert_int_eq(refresh_seconds, 60);
    pass(1000 * SECOND);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    keeps_record = true;
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1"); /* in grace */
    keeps_record = false;
    ck_assert_uint_eq(counters.logins_in_grace, 1);
    ck_assert_str_eq((const char *)secret.bytes, "x");
    static const int less[] = {3, ADU_NO_NAME};
    policy->offline_roles = less;
    again(false, &ticket);
    ck_assert_int_eq(said_role, 3);
    directory.outcome = ADU_OUTCOME_VERIFIED;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 7); /* its issuer is back */
    adu_bytes_clear(&record);
}
END_TEST

/* Where none can be revoked, or nobody shall be asked again, none is kept. */
START_TEST(no_secret_is_kept_in_vain)
{
    in_the_end("ana", "x");
    ck_assert_ptr_null(secret.bytes);
    as_issuer();
    policy->limits.recheck_seconds = 0;
    in_the_end("ana", "x");
    ck_assert_ptr_null(secret.bytes);
    ck_assert_int_eq(refresh_seconds, 0);
    policy->limits.recheck_seconds = 60;
    directory.issues = false;
    pass(HOUR);
    in_the_end("ana", "x");
    ck_assert_ptr_null(secret.bytes);
    ck_assert_int_eq(refresh_seconds, 0);
    const int before = atomic_load(&directory.asked);
    ck_assert_str_eq(looked_up_anew(), "turno1"); /* of a session from before: nobody is asked */
    ck_assert_int_eq(atomic_load(&directory.asked), before);
    adu_bytes_clear(&record);
}
END_TEST

/* What is not a record, or is of nobody who is asked, lets nobody in. */
START_TEST(records_that_are_none)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "3\0ldap\0ana\0"
                                        "0",
                                        "1\0oidc\0ana\0"
                                        "0",
                                        "1\0ldap",
                                        "1\0ldap\0ana"};
    static const size_t lengths[] = {0, 1, 13, 13, 6, 10};
    uint64_t ticket = 0;
    for (int i = 0; i < ROWS(texts); i++) {
        record = (struct adu_bytes){.bytes = malloc(lengths[i] + 1), .length = lengths[i]};
        memcpy(record.bytes, texts[i], lengths[i]);
        again(false, &ticket);
        ck_assert_msg(strcmp(said, "error") == 0 || strncmp(said, "no:", 3) == 0, "%d: %s", i,
                      said);
        adu_bytes_clear(&record);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        by_a_worker_and_then_by_heart,
        fresh_then_looked_up_behind_its_back_then_stale,
        no_is_remembered_at_once,
        a_remembered_no_says_why,
        refusals_do_not_end_together,
        one_question_for_all,
        an_answer_is_parked,
        the_loop_waits_a_little,
        grace,
        no_grace_after_a_no,
        no_grace_for_an_older_password,
        no_grace_by_another_directory,
        a_breaker,
        a_reload_in_between,
        another_directory_in_between,
        an_answer_ends,
        guesses_lock_out_guessers,
        a_guess_that_nobody_waits_for,
        the_same_again_is_no_guess,
        by_the_record,
        roles_in_grace,
        barred_while_connected,
        records_that_are_none,
        a_secret_is_revoked_while_it_is_in_use,
        one_of_two_secrets_is_revoked,
        however_it_was_let_in_it_is_asked_about,
        no_secret_is_kept_in_vain,
    };
    Suite *suite = suite_create("iam_lookups");
    for (int i = 0; i < ROWS(tests); i++) {
        suite_add_fixture(suite, tests[i], 1, setup, teardown);
    }
    return run_suite(suite);
}
