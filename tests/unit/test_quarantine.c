/* Who is kept out, for how long, and that this never grows without end. */
#include "plugins/rate_monitor/quarantine.h"
#include "runner.h"
#include <stdio.h>

START_TEST(till_its_time_is_over)
{
    struct adu_quarantine *q = adu_quarantine_new();
    ck_assert(adu_quarantine_add(q, "e", "u", 1000));
    ck_assert_int_eq(adu_quarantine_left(q, "e", "u", 0), 1000);
    ck_assert_int_eq(adu_quarantine_left(q, "e", "u", 999), 1);
    ck_assert_int_eq(adu_quarantine_left(q, "e", "u", 1000), 0);
    ck_assert(adu_quarantine_add(q, "e", "u", 500)); /* never less */
    ck_assert_int_eq(adu_quarantine_left(q, "e", "u", 600), 400);
    ck_assert(adu_quarantine_add(q, "e", "u", 2000));
    ck_assert_int_eq(adu_quarantine_left(q, "e", "u", 1000), 1000);
    adu_quarantine_expire(q, 1999, 10);
    ck_assert_uint_eq(adu_quarantine_count(q), 1);
    adu_quarantine_expire(q, 2000, 10);
    ck_assert_uint_eq(adu_quarantine_count(q), 0);
    adu_quarantine_free(q);
}
END_TEST

/* Both names count: nobody is locked out by what another does under one of them. */
START_TEST(whom_it_means)
{
    struct adu_quarantine *q = adu_quarantine_new();
    ck_assert(adu_quarantine_add(q, "a", "bc", 1000));
    ck_assert(adu_quarantine_add(q, "d", NULL, 1000));
    ck_assert_int_eq(adu_quarantine_left(q, "a", "b", 0), 0);
    ck_assert_int_eq(adu_quarantine_left(q, "ab", "c", 0), 0);
    ck_assert_int_eq(adu_quarantine_left(q, "a", NULL, 0), 0);
    ck_assert_int_eq(adu_quarantine_left(q, "d", "", 0), 0);
    ck_assert_int_eq(adu_quarantine_left(q, "d", NULL, 0), 1000);
    adu_quarantine_free(q);
}
END_TEST

START_TEST(bounded)
{
    struct adu_quarantine *q = adu_quarantine_new();
    char id[16];
    for (int i = 0; i < ADU_QUARANTINE_MOST + 10; i++) {
        snprintf(id, sizeof id, "c%d", i);
        ck_assert(adu_quarantine_add(q, id, "u", 1000 + i));
    }
    ck_assert_uint_eq(adu_quarantine_count(q), ADU_QUARANTINE_MOST);
    ck_assert_int_eq(adu_quarantine_left(q, "c9", "u", 0), 0);
    ck_assert_int_eq(adu_quarantine_left(q, "c10", "u", 0), 1010);
    adu_quarantine_expire(q, INT64_MAX, 100);
    ck_assert_uint_eq(adu_quarantine_count(q), ADU_QUARANTINE_MOST - 100);
    adu_quarantine_free(q);
    adu_quarantine_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quarantine");
    suite_add(suite, till_its_time_is_over);
    suite_add(suite, whom_it_means);
    suite_add(suite, bounded);
    return run_suite(suite);
}
