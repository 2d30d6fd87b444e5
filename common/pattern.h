/* Patterns of the policy: PCRE2 with Unicode, compiled at load, matched within fixed limits, so
 * that no pattern can hold the broker up. */
#ifndef ADUANA_COMMON_PATTERN_H
#define ADUANA_COMMON_PATTERN_H

#include "common/json.h"

struct adu_pattern;

/* Compiles `text` so that it must match a whole value. `node` is where an error is reported.
 * The pattern lives in `arena`. NULL with `error` filled in. Any thread. */
ADU_API const struct adu_pattern *adu_pattern_compile(struct adu_arena *arena, const char *text,
                                                      const struct adu_json *node,
                                                      struct adu_error *error);

/* What a match found: the bytes of the first group, or of the whole where there is no group. */
struct adu_capture {
    const char *text;
    size_t length;
};

/* True if `value` matches. `capture` may be NULL. A pattern that runs into its limit does not
 * match. Allocates nothing. One thread at a time a pattern. */
ADU_API bool adu_pattern_matches(const struct adu_pattern *pattern, const char *value,
                                 size_t length, struct adu_capture *capture);

#endif
