/* Where something stands in a policy file, and what is wrong with it. */
#ifndef ADUANA_COMMON_ERROR_H
#define ADUANA_COMMON_ERROR_H

#include "common/api.h"
#include <stdbool.h>

/* A place in a policy file. Lines and columns count from 1; columns are characters, not bytes.
 * `file` is the name within the policy folder and is borrowed from whoever made the place. */
struct adu_place {
    const char *file;
    unsigned line, column;
};

enum { ADU_ERROR_TEXT = 512, ADU_ERROR_FILE = 128 };

/* Owned by the caller, who zeroes it before use. The first error stays: later ones follow from it.
 */
struct adu_error {
    bool set;
    unsigned line, column; /* 0: the error belongs to no place */
    char file[ADU_ERROR_FILE];
    char text[ADU_ERROR_TEXT];
};

/* Records an error at a place (NULL: at none), unless one is recorded already.
 * Always returns false, so that a loader can `return adu_error_set(...)`. Any thread. */
ADU_API bool adu_error_set(struct adu_error *error, const struct adu_place *place,
                           const char *format, ...) ADU_PRINTF(3, 4);

/* The usual refusal when memory is gone. Returns false. */
ADU_API bool adu_error_no_memory(struct adu_error *error);

/* Writes "file:line:column: text", or the part of it that is known. Returns `buffer`. */
ADU_API const char *adu_error_format(const struct adu_error *error, char *buffer,
                                     unsigned long size);

#endif
