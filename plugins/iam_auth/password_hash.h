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
    ADU_PASSWORD_SALT_BYTES = 16,
    ADU_PASSWORD_HASH_TEXT = 256,
};

enum adu_password_kind { ADU_PASSWORD_PBKDF2, ADU_PASSWORD_ARGON2ID };

/* Reads `text`; the hash lives in the arena. NULL with the error set at `place` when it is not one
 * of the two kinds, is malformed, or would cost more than the bounds above. `whose` names the user.
 */
const struct adu_password_hash *adu_password_hash_compile(struct adu_compiler *c, const char *text,
                                                          const char *whose,
                                                          const struct adu_place *place);

/* True if it is the hash of `password`. The time taken does not depend on how near it comes. */
bool adu_password_hash_matches(const struct adu_password_hash *hash, const char *password);

/* A number that is the same only for the same hash. */
unsigned adu_password_hash_stamp(const struct adu_password_hash *hash);

/* True if to compute it takes more than a millisecond or so. */
bool adu_password_hash_is_dear(const struct adu_password_hash *hash);

/* Writes the hash of `password` (1 to ADU_PASSWORD_MOST_BYTES) as a line of mosquitto_passwd has
 * it. `salt` must be random. `iterations` (1 to ADU_PBKDF2_MOST_ITERATIONS) are those of PBKDF2;
 * Argon2id has 19 MiB and 2 passes. false when memory is gone. */
bool adu_password_hash_make(enum adu_password_kind kind, int iterations,
                            const unsigned char salt[ADU_PASSWORD_SALT_BYTES], const char *password,
                            char text[ADU_PASSWORD_HASH_TEXT]);

#endif
