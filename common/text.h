/* Text for people: names that cannot break a log line, and "did you mean". */
#ifndef ADUANA_COMMON_TEXT_H
#define ADUANA_COMMON_TEXT_H

#include "common/api.h"
#include <stddef.h>

/* Copies `text` between double quotes so that it stays one line and cannot be mistaken for the
 * rest of it: quotes and back-slashes are escaped, control characters, bytes that are not UTF-8
 * and characters that turn the writing direction become \xNN or \uNNNN. At most `limit` bytes of
 * `text` are shown; what is left out is named as "...(N bytes)". `text` NULL gives `-`.
 * Always ends `buffer`; where that holds less than 4 * limit + 32 bytes, less may be shown. Returns
 * `buffer`. */
ADU_API const char *adu_text_quote(const char *text, size_t length, size_t limit, char *buffer,
                                   size_t size);

enum { ADU_TEXT_SHOWN = 16 };

/* Writes the character that `text` begins with as a terminal may be given it: as it is, or escaped
 * as above if it would disturb (quotes and back-slashes do not). `length` > 0. Returns the bytes of
 * `text` that it took. */
ADU_API size_t adu_text_show(const char *text, size_t length, char shown[ADU_TEXT_SHOWN]);

/* Writes as many whole characters of `text` as `size` bytes hold, as what stands between the quotes
 * of a JSON string (RFC 8259): the same characters become \uNNNN, and a byte that is not UTF-8 the
 * replacement character. Always ends `buffer`, whose last bytes may stay unused. Returns how many
 * bytes of `text` were written. */
ADU_API size_t adu_text_json(const char *text, size_t length, char *buffer, size_t size);

/* The entry of the NULL-ended list `known` nearest to `word`, NULL if none is near enough to be
 * worth suggesting. */
ADU_API const char *adu_text_nearest(const char *word, const char *const *known);

#endif
