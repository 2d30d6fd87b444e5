/* Cases that have something made before each test and unmade after it. */
#ifndef ADUANA_TESTS_FIXTURE_H
#define ADUANA_TESTS_FIXTURE_H

#include "runner.h"

/* As suite_add_rows. What `setup` makes is unmade even if the test fails. */
static inline void suite_add_fixture(Suite *suite, const TTest *test, int rows, SFun setup,
                                     SFun teardown)
{
    TCase *tcase = tcase_create(test->name);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test, 0, rows);
    suite_add_tcase(suite, tcase);
}

#endif
