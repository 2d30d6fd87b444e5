/* Files that iam_auth.json names. */
#ifndef ADUANA_IAM_AUTH_NAMED_FILE_H
#define ADUANA_IAM_AUTH_NAMED_FILE_H

#include "common/compiler.h"

/* The path of the file `name`: as it is if it begins with a slash, else within the policy folder.
 * Lives in the arena. NULL when memory is gone. */
const char *adu_named_file_path(struct adu_compiler *c, const char *name);

/* Reads it as adu_file_read does. */
char *adu_named_file_read(struct adu_compiler *c, const char *name, size_t most, size_t *length);

#endif
