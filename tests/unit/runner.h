/* How every test program runs its one suite. */
#ifndef ADUANA_TESTS_RUNNER_H
#define ADUANA_TESTS_RUNNER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof(table)[0]))

/* Long enough for a machine that does ten other things: a test that passes does not wait for it. */
enum { TEST_SECONDS = 600 };

/* A test function as a case of its own. With `rows` it runs once for each row of its table, whose
 * number is `_i`; so one bad row does not hide the next. */
static inline void suite_add_rows(Suite *suite, const TTest *test, int rows)
{
    TCase *tcase = tcase_create(test->name);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_loop_test(tcase, test, 0, rows);
    suite_add_tcase(suite, tcase);
}

static inline void suite_add(Suite *suite, const TTest *test)
{
    suite_add_rows(suite, test, 1);
}

/* The exit status: failure if a test failed, and if none ran. CK_FORK, CK_TAP_LOG_FILE_NAME,
 * CK_RUN_CASE and Check's other variables hold. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (run == 0) {
        fprintf(stderr, "no test ran\n");
    }
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
