/* Password hashes as mosquitto_passwd writes them: $7$ (PBKDF2-SHA512) and Argon2id. Pure. */
#ifndef ADUANA_IAM_AUTH_PASSWORD_HASH_H
#define ADUANA_IAM_AUTH_PASSWORD_HASH_H

#include "common/compiler.h"

struct adu_password_hash;

enum {
    ADU_PBKDF2_MOST_ITERATIONS = 1000000,
    ADU_ARGON2_MOST_KIB = 64 * 1024,
    ADU_ARGON2_MOST_PASSES = 10,
    ADU_ARGON2_MOST_LANES = 4,
    ADU_PASSWORD_MOST_BYTES = 1024,
};

/* Reads `text`; the hash lives in the arena. NULL with the error set at `place` when it is not one
 * of the two kinds, is malformed, or would cost more than the bounds above. `whose` names the user.
 */
const struct adu_password_hash *adu_password_hash_compile(struct adu_compiler *c, const char *text,
                                                          const char *whose,
                                                          const struct adu_place *place);

/* True if it is the hash of `password`. The time taken does not depend on how near it comes. */
bool adu_password_hash_matches(const struct adu_password_hash *hash, const char *password);

#endif
