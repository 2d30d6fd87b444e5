/* Findings as people read them: the place, what is wrong there, the line, and a caret below. */
#ifndef ADUANA_CLI_REPORT_H
#define ADUANA_CLI_REPORT_H

#include "cli/paint.h"
#include "common/findings.h"
#include <jansson.h>

struct adu_report;

/* `directory` is where the files of places are; it and `paint` must outlive the report. NULL when
 * memory is gone. */
struct adu_report *adu_report_new(const char *directory, const struct adu_paint *paint);
/* NULL-safe. */
void adu_report_free(struct adu_report *report);

/* Prints one finding to stdout. Lines are quoted from the policy's own files (*.json), those of
 * iam_auth.json without their values, and for the first hundred findings only, or fewer where lines
 * are megabytes long. */
void adu_report_print(struct adu_report *report, const struct adu_finding *finding);

/* The finding as an object for --json: {"file", "line", "column", "severity", "code", "message"};
 * what it does not have is null. NULL when memory is gone. */
json_t *adu_report_json(const struct adu_finding *finding);

#endif
