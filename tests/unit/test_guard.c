/* Wrong passwords many times over: who has to wait, for how long, and who never does. */
#include "plugins/iam_auth/guard.h"
#include "runner.h"
#include <string.h>

static const struct adu_guard_limits limits = {.failures = 3, .lockout_seconds = 60};
static struct adu_guard *guard;
static enum adu_guard_kind kind;

static bool fails(const struct adu_guard_who *who, int64_t now_ms)
{
    return adu_guard_failed(guard, &limits, who, now_ms, &kind);
}

static bool locked(const struct adu_guard_who *who, int64_t now_ms)
{
    return adu_guard_locks(guard, &limits, who, now_ms, &kind);
}

static const struct adu_guard_who ana = {.username = "ana", .address = "192.0.2.1"};
static const struct adu_guard_who ana_elsewhere = {.username = "ana", .address = "192.0.2.2"};
static const struct adu_guard_who eva = {.username = "eva", .address = "192.0.2.1"};
static const struct adu_guard_who ana_certified = {
    .username = "ana", .address = "192.0.2.1", .certificate = "ab:cd"};

START_TEST(the_delay_grows)
{
    guard = adu_guard_new();
    int64_t now = 1000000;
    for (int i = 0; i < 3; i++) {
        ck_assert(!fails(&ana, now));
        ck_assert(!locked(&ana, now));
    }
    for (int64_t delay = 1000; delay <= 600000; delay *= 2) {
        const int64_t expected = delay < 60000 ? delay : 60000;
        ck_assert(fails(&ana, now));
        ck_assert_int_eq(kind, ADU_GUARD_USER);
        ck_assert(locked(&ana, now) && locked(&ana, now + expected - 1));
        ck_assert(locked(&ana_elsewhere, now)); /* by the name */
        ck_assert(!locked(&eva, now));          /* not by so few of an address */
        now += expected;
        ck_assert(!locked(&ana, now));
    }
    adu_guard_succeeded(guard, &ana);
    ck_assert(!fails(&ana, now));
    adu_guard_free(guard);
    adu_guard_free(NULL);
}
END_TEST

START_TEST(an_address_that_goes_through_names)
{
    guard = adu_guard_new();
    char name[16];
    for (int i = 0; i <= 30; i++) {
        snprintf(name, sizeof name, "u%d", i);
        const struct adu_guard_who who = {.username = name, .address = "192.0.2.1"};
        ck_assert(!locked(&who, 1000));
        ck_assert_int_eq(fails(&who, 1000), i == 30);
        adu_guard_succeeded(guard, &eva); /* an account of its own does not help it */
    }
    ck_assert(locked(&eva, 1000));
    ck_assert_int_eq(kind, ADU_GUARD_ADDRESS);
    ck_assert(!locked(&ana_elsewhere, 1000));
    adu_guard_free(guard);
}
END_TEST

/* Whoever fails without the certificate locks out nobody who has it, and the other way about. */
START_TEST(a_certificate_is_its_own_account)
{
    guard = adu_guard_new();
    for (int i = 0; i < 100; i++) {
        fails(&ana, 1000);
    }
    ck_assert(locked(&ana, 1000));
    ck_assert(!locked(&ana_certified, 1000));
    for (int i = 0; i < 5; i++) {
        fails(&ana_certified, 1000);
    }
    ck_assert(locked(&ana_certified, 1000));
    ck_assert_int_eq(kind, ADU_GUARD_CERTIFICATE);
    ck_assert(!locked(&ana_elsewhere, 1000 + 60000));
    adu_guard_free(guard);
}
END_TEST

START_TEST(it_is_forgotten)
{
    guard = adu_guard_new();
    for (int i = 0; i < 10; i++) {
        fails(&ana, 1000);
    }
    ck_assert(!fails(&ana, 1000 + 60000 + 300000 + 1));
    adu_guard_free(guard);
}
END_TEST

START_TEST(told_of_only)
{
    const struct adu_guard_limits tell = {.failures = 3};
    guard = adu_guard_new();
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(adu_guard_failed(guard, &tell, &ana, 1000, &kind), i >= 3);
        ck_assert(!adu_guard_locks(guard, &tell, &ana, 1000, &kind));
    }
    adu_guard_free(guard);
}
END_TEST

/* A million names need no more memory, and do not push out who fails just now. */
START_TEST(a_flood_of_names)
{
    guard = adu_guard_new();
    char name[16];
    for (int i = 0; i < 1000000; i++) {
        snprintf(name, sizeof name, "u%d", i);
        const struct adu_guard_who who = {.username = name};
        fails(&who, 1000 + i);
        if (i % 1000 == 0) {
            fails(&ana, 1000 + i);
        }
    }
    ck_assert(locked(&ana, 1000 + 999000));
    adu_guard_free(guard);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard");
    suite_add(suite, the_delay_grows);
    suite_add(suite, an_address_that_goes_through_names);
    suite_add(suite, a_certificate_is_its_own_account);
    suite_add(suite, it_is_forgotten);
    suite_add(suite, told_of_only);
    suite_add(suite, a_flood_of_names);
    return run_suite(suite);
}
