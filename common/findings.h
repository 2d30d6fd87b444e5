/* What is remarkable in a policy, and what is wrong with it, each with its place. */
#ifndef ADUANA_COMMON_FINDINGS_H
#define ADUANA_COMMON_FINDINGS_H

#include "common/error.h"

struct adu_finding {
    const struct adu_finding *next; /* in the order in which they were added */
    /* A word for programs, "shadowed-rule"; documented in policies/README.md. NULL: an error, which
     * keeps the policy from loading; all others are warnings. */
    const char *code;
    struct adu_place place; /* file NULL: it belongs to no place */
    const char *text;       /* one line, without control characters */
};

struct adu_findings;

/* NULL when memory is gone. One thread at a time. */
ADU_API struct adu_findings *adu_findings_new(void);
/* NULL-safe. */
ADU_API void adu_findings_free(struct adu_findings *findings);

/* Adds a warning; place and text are copied, `code` must live for ever. With `findings` NULL nobody
 * wants to know. When memory is gone it is counted as lost. */
ADU_API void adu_findings_add(struct adu_findings *findings, const char *code,
                              const struct adu_place *place, const char *format, ...)
    ADU_PRINTF(4, 5);

/* Adds an error that is set; copied too. */
ADU_API void adu_findings_add_error(struct adu_findings *findings, const struct adu_error *error);

ADU_API const struct adu_finding *adu_findings_first(const struct adu_findings *findings);
/* Those lost included. NULL-safe. */
ADU_API unsigned long adu_findings_count(const struct adu_findings *findings);

#endif
