/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef ADUANA_COMMON_UTF8_H
#define ADUANA_COMMON_UTF8_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>

/* Bytes of the sequence that starts at `text` (1 to 4), 0 when it is not valid. `length` > 0. */
ADU_API size_t adu_utf8_sequence(const char *text, size_t length);

ADU_API bool adu_utf8_valid(const char *text, size_t length);

/* Takes away a last character of which only the beginning is left, as after a cut by size. */
ADU_API void adu_utf8_trim(char *text);

#endif
