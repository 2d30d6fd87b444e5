/* The results of `aduana test`: gathered, then told to people and to programs. */
#ifndef ADUANA_CLI_TEST_TELL_H
#define ADUANA_CLI_TEST_TELL_H

#include "common/assertions.h"
#include <stdio.h>

struct adu_test_results;

struct adu_test_results *adu_test_results_new(void);
void adu_test_results_free(struct adu_test_results *results);

/* A result is copied. */
void adu_test_add(struct adu_test_results *results, const struct adu_assertion_result *result);

/* A rule that there is, and one that had a say in an answer; both by the same pointer. */
void adu_test_add_rule(struct adu_test_results *results, const struct adu_place *rule);
void adu_test_touch(struct adu_test_results *results, const struct adu_place *rule);

/* There was at least one, and none failed. */
bool adu_test_passed(const struct adu_test_results *results);

/* A table, and what no assertion touches. `directory`: where the rules stand. */
void adu_test_tell(const struct adu_test_results *results, const char *directory, bool quiet,
                   FILE *out);
void adu_test_tell_json(const struct adu_test_results *results, FILE *out);

/* false after a complaint on stderr. */
bool adu_test_write_junit(const struct adu_test_results *results, const char *path);

#endif
