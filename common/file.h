/* Files of the administrator: read whole, and only if nobody else could have written them. */
#ifndef ADUANA_COMMON_FILE_H
#define ADUANA_COMMON_FILE_H

#include "common/error.h"
#include <stddef.h>

/* Reads a regular file of at most `max` bytes. Returns memory that the caller frees (ended with a
 * NUL that is not counted) and its length, or NULL with `error` naming `name`. */
ADU_API char *adu_file_read(const char *name, const char *path, size_t max, size_t *length,
                            struct adu_error *error);

/* True if only root or this process's user may write what `path` names (a file or a folder), and no
 * folder above it is anybody's to write. */
ADU_API bool adu_file_trusted(const char *name, const char *path, struct adu_error *error);

#endif
