/* JSON as it comes in a message (RFC 8259), read where it stands: nothing is copied or allocated.
 * Strict: valid UTF-8, no number beyond what a double holds, no NaN. Pure. */
#ifndef ADUANA_TOPIC_POLICY_SCAN_H
#define ADUANA_TOPIC_POLICY_SCAN_H

#include "common/topic.h"
#include <stdbool.h>
#include <stdint.h>

struct adu_scan {
    const char *at, *end;
};

void adu_scan_blanks(struct adu_scan *scan);

/* Skips blanks; true if a byte `wanted` stands there, which is then taken. */
bool adu_scan_take(struct adu_scan *scan, char wanted);

/* Takes the letters of `word` if they stand there. */
bool adu_scan_word(struct adu_scan *scan, const char *word);

/* Takes a string whose opening quote stands there; `raw` is what stands between the quotes, with
 * its escapes. NULL, or what is wrong with it. */
const char *adu_scan_string(struct adu_scan *scan, struct adu_text *raw);

/* Takes a number. NULL, or what is wrong with it. */
const char *adu_scan_number(struct adu_scan *scan, double *value);

/* Writes what a string's raw text stands for, into a buffer of `size`; false if that is too small.
 */
bool adu_scan_unescape(struct adu_text raw, char *buffer, size_t size, size_t *length);

/* The characters of a string, an escape counting for what it stands for. */
size_t adu_scan_characters(struct adu_text raw);

#endif
