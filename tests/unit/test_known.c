/* What is remembered of answers: marks of secrets, who is known by them, and when a provider is
 * left alone. */
#include "plugins/iam_auth/breaker.h"
#include "plugins/iam_auth/known.h"
#include "runner.h"
#include <string.h>

static struct adu_mark_key key;

static struct adu_mark mark_of(const char *username, const char *secret)
{
    struct adu_mark mark;
    ck_assert(adu_mark_make(&key, username, secret, &mark));
    return mark;
}

START_TEST(marks)
{
    struct adu_mark_key other;
    ck_assert(adu_mark_key_make(&key) && adu_mark_key_make(&other));
    const struct adu_mark a = mark_of("ana", "x"), again = mark_of("ana", "x");
    ck_assert(adu_mark_equal(&a, &again));
    static const char *const others[][2] = {
        {"ana", "y"}, {"anax", ""}, {"an", "ax"}, {"eva", "x"}, {"ana", NULL}};
    for (int i = 0; i < ROWS(others); i++) {
        const struct adu_mark b = mark_of(others[i][0], others[i][1]);
        ck_assert_msg(!adu_mark_equal(&a, &b), "row %d", i);
    }
    key = other; /* another process */
    const struct adu_mark c = mark_of("ana", "x");
    ck_assert(!adu_mark_equal(&a, &c));
    adu_mark_key_wipe(&key);
    static const struct adu_mark_key nothing;
    ck_assert_mem_eq(&key, &nothing, sizeof key);
}
END_TEST

static void put(struct adu_known *known, const char *username, const char *secret, int64_t now_ms)
{
    const struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED};
    const struct adu_mark mark = mark_of(username, secret);
    adu_known_put(known, username, &mark, "ldap", 1, &answer, false, now_ms);
}

static const struct adu_known_answer *find(struct adu_known *known, const char *username,
                                           const char *secret)
{
    const struct adu_mark mark = mark_of(username, secret);
    return adu_known_find(known, username, &mark);
}

START_TEST(several_secrets_of_one)
{
    struct adu_known *known = adu_known_new(10);
    put(known, "ana", "1", 1);
    put(known, "ana", "2", 2);
    ck_assert(!find(known, "ana", "1")->newest);
    ck_assert(find(known, "ana", "2")->newest);
    put(known, "ana", "1", 3);
    ck_assert(find(known, "ana", "1")->newest);
    ck_assert_int_eq(find(known, "ana", "1")->asked_ms, 3);
    for (int i = 3; i < 10; i++) {
        const char secret[] = {(char)('0' + i), '\0'};
        put(known, "ana", secret, i);
    }
    ck_assert_ptr_null(find(known, "ana", "1")); /* the oldest make room */
    ck_assert_ptr_nonnull(find(known, "ana", "6"));
    ck_assert_uint_eq(adu_known_count(known), 1);
    const struct adu_mark nine = mark_of("ana", "9");
    adu_known_forget(known, "ana", &nine);
    ck_assert_ptr_null(find(known, "ana", "9"));
    ck_assert(find(known, "ana", "8")->newest);
    adu_known_forget(known, "ana", NULL);
    ck_assert_ptr_null(find(known, "ana", "8"));
    ck_assert_uint_eq(adu_known_count(known), 0);
    adu_known_free(known);
    adu_known_free(NULL);
}
END_TEST

START_TEST(bounded)
{
    struct adu_known *known = adu_known_new(100);
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "u%d", i);
        put(known, name, "x", i);
        ck_assert_ptr_nonnull(find(known, "u0", "x")); /* who is asked for stays */
    }
    ck_assert_uint_eq(adu_known_count(known), 100);
    adu_known_free(known);
}
END_TEST

/* A flood of guesses takes nobody's answer away, and is remembered as far as there is room. */
START_TEST(refusals)
{
    struct adu_known *known = adu_known_new(10);
    put(known, "ana", "x", 1);
    for (int i = 0; i < 100000; i++) {
        char guess[16];
        snprintf(guess, sizeof guess, "g%d", i);
        const struct adu_mark mark = mark_of("ana", guess);
        struct adu_answer no = {.outcome = i % 3 == 0 ? ADU_OUTCOME_BARRED : ADU_OUTCOME_WRONG};
        snprintf(no.why, sizeof no.why, "because of %s", guess);
        adu_known_refuse(known, &mark, &no, i % 2 == 0, 1000 + i);
        ck_assert_int_eq(adu_known_hear(known, &mark), i % 2 == 0);
        ck_assert(!adu_known_hear(known, &mark));
        ck_assert_int_eq(adu_known_refusal(known, &mark, 1000 + i - 1)->outcome, no.outcome);
        ck_assert_str_eq(adu_known_refusal(known, &mark, 1000 + i - 1)->why, no.why);
        ck_assert_ptr_null(adu_known_refusal(known, &mark, 1000 + i));
    }
    const struct adu_mark never = mark_of("ana", "never");
    ck_assert_ptr_null(adu_known_refusal(known, &never, 1));
    struct adu_answer long_one = {.outcome = ADU_OUTCOME_WRONG};
    memset(long_one.why, 'x', sizeof long_one.why - 1);
    adu_known_refuse(known, &never, &long_one, false, 1000);
    ck_assert_uint_eq(strlen(adu_known_refusal(known, &never, 1)->why), 150);
    ck_assert_ptr_nonnull(find(known, "ana", "x"));
    adu_known_free(known);
}
END_TEST

START_TEST(breaker)
{
    struct adu_breaker b = {0};
    int64_t now = 1000;
    for (int i = 0; i < ADU_BREAKER_FAILURES; i++) {
        ck_assert(!adu_breaker_is_broken(&b));
        ck_assert(adu_breaker_may_ask(&b, now));
        adu_breaker_failed(&b, now);
    }
    ck_assert(adu_breaker_is_broken(&b));
    int64_t pause = ADU_BREAKER_PAUSE_MS;
    for (int i = 0; i < 10; i++) {
        for (int late = 0; late < 50; late++) { /* answers of questions from before */
            adu_breaker_failed(&b, now);
        }
        ck_assert(!adu_breaker_may_ask(&b, now + pause - 1));
        now += pause;
        ck_assert(adu_breaker_may_ask(&b, now));
        ck_assert(!adu_breaker_may_ask(&b, now)); /* one at a time */
        now += 10;
        adu_breaker_failed(&b, now);
        pause = pause * 2 < ADU_BREAKER_PAUSE_MOST_MS ? pause * 2 : ADU_BREAKER_PAUSE_MOST_MS;
    }
    now += pause;
    ck_assert(adu_breaker_may_ask(&b, now));
    adu_breaker_answered(&b);
    ck_assert(!adu_breaker_is_broken(&b));
    ck_assert(adu_breaker_may_ask(&b, now) && adu_breaker_may_ask(&b, now));
}
END_TEST

/* An answer in between, and it is not broken. */
START_TEST(now_and_then)
{
    struct adu_breaker b = {0};
    for (int i = 0; i < 100; i++) {
        adu_breaker_failed(&b, i);
        adu_breaker_failed(&b, i);
        adu_breaker_answered(&b);
    }
    ck_assert(!adu_breaker_is_broken(&b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("known");
    suite_add(suite, marks);
    suite_add(suite, several_secrets_of_one);
    suite_add(suite, bounded);
    suite_add(suite, refusals);
    suite_add(suite, breaker);
    suite_add(suite, now_and_then);
    return run_suite(suite);
}
