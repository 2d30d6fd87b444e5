/* Providers that take their time: asked by workers, each question once, the answers kept as long as
 * they may be, and never for another secret, user or directory. */
#include "slow_provider.h"

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
    };
    Suite *suite = suite_create("iam_lookups");
    for (int i = 0; i < ROWS(tests); i++) {
        suite_add_fixture(suite, tests[i], 1, setup, teardown);
    }
    return run_suite(suite);
}
