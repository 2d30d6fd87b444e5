/* A file of mosquitto_passwd: one <name>:<hash> a line; and, which that does not write,
 * <name>:<hash>:<until> of a password that ends. */
#ifndef ADUANA_IAM_AUTH_PASSWORD_FILE_H
#define ADUANA_IAM_AUTH_PASSWORD_FILE_H

#include "common/compiler.h"

/* A line; `until` is NULL where it has none. false with the error set. */
typedef bool adu_password_file_take(void *context, const char *user, const char *hash,
                                    const char *until, const struct adu_place *place);

/* Reads the file `name`, relative to the policy folder or absolute, and calls `take` for each line.
 * Empty lines and those that begin with `#` are passed over. false with c->error set. */
bool adu_password_file_read(struct adu_compiler *c, const char *name, adu_password_file_take *take,
                            void *context);

#endif
