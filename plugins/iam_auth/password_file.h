/* A file of mosquitto_passwd: one <name>:<hash> a line. */
#ifndef ADUANA_IAM_AUTH_PASSWORD_FILE_H
#define ADUANA_IAM_AUTH_PASSWORD_FILE_H

#include "plugins/iam_auth/password_hash.h"

/* Reads the file `name`, relative to the policy folder or absolute, and calls `take` for each line.
 * Empty lines and those that begin with `#` are passed over. false with c->error set. */
bool adu_password_file_read(struct adu_compiler *c, const char *name,
                            bool (*take)(void *context, const char *user,
                                         const struct adu_password_hash *hash,
                                         const struct adu_place *place),
                            void *context);

#endif
