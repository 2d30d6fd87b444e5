#include "plugins/iam_auth/password_hash.h"
#include "common/hash.h"
#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { PBKDF2_BYTES = 64, SALT_MOST = 64, ENCODED_MOST = 512 };

/* What we write. Brokers before 2.1 read no other length of salt. Argon2id as OWASP has it for
 * little memory. */
enum {
    PBKDF2_CHEAP_ITERATIONS = 1000,
    ARGON2_CHEAP_KIB = 1024,
    PBKDF2_SALT_BYTES = 12,
    ARGON2_KIB = 19 * 1024,
    ARGON2_PASSES = 2,
    ARGON2_BYTES = 32
};

struct adu_password_hash {
    const char *argon2id;     /* the encoded form; NULL: PBKDF2 */
    unsigned long argon2_kib; /* to be written in all */
    unsigned stamp;
    int iterations;
    int salt_length;
    unsigned char salt[SALT_MOST + 2];
    unsigned char digest[PBKDF2_BYTES + 2];
};

static bool malformed(struct adu_compiler *c, const char *whose, const struct adu_place *place,
                      const char *what)
{
    return adu_error_set(c->error, place, "the password of \"%s\": %s", whose, what);
}

/* Base64 without line breaks into at most `most` bytes (`out` has two to spare: EVP_DecodeBlock
 * pads). The number of bytes, or -1. */
static int decode_base64(const char *text, size_t length, unsigned char *out, size_t most)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t used = strspn(text, digits), padding = strspn(text + used, "=");
    if (length == 0 || length % 4 != 0 || length / 4 * 3 > most + 2 || padding > 2 ||
        used + padding != length) {
        return -1;
    }
    const int bytes = EVP_DecodeBlock(out, (const unsigned char *)text, (int)length) - (int)padding;
    return bytes <= (int)most ? bytes : -1;
}

/* $7$<iterations>$<salt>$<digest> */
static bool read_pbkdf2(struct adu_compiler *c, struct adu_password_hash *h, const char *text,
                        const char *whose, const struct adu_place *place)
{
    int used = 0;
    long iterations = 0;
    if (text[3] < '1' || text[3] > '9' || /* scanf takes signs and spaces */
        sscanf(text, "$7$%7ld$%n", &iterations, &used) != 1 || used == 0) {
        return malformed(c, whose, place, "expected $7$<iterations>$<salt>$<hash>");
    }
    if (iterations > ADU_PBKDF2_MOST_ITERATIONS) {
        return malformed(c, whose, place,
                         "more than 1000000 iterations would hold the broker up at each log-in");
    }
    const char *salt = text + used, *dollar = strchr(salt, '$');
    h->iterations = (int)iterations;
    h->salt_length =
        dollar != NULL ? decode_base64(salt, (size_t)(dollar - salt), h->salt, SALT_MOST) : -1;
    if (h->salt_length < 8) {
        return malformed(c, whose, place, "the salt is not base64 of 8 to 64 bytes");
    }
    if (decode_base64(dollar + 1, strlen(dollar + 1), h->digest, PBKDF2_BYTES) != PBKDF2_BYTES) {
        return malformed(c, whose, place, "the hash is not base64 of 64 bytes");
    }
    return true;
}

/* $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<digest>; libargon2 reads the rest itself. */
static bool read_argon2id(struct adu_compiler *c, struct adu_password_hash *h, const char *text,
                          const char *whose, const struct adu_place *place)
{
    unsigned long memory, passes, lanes;
    int used = 0;
    if (sscanf(text, "$argon2id$v=19$m=%9lu,t=%9lu,p=%9lu$%n", &memory, &passes, &lanes, &used) !=
            3 ||
        used == 0 || strlen(text) > ENCODED_MOST || strchr(text + used, '$') == NULL) {
        return malformed(c, whose, place, "expected $argon2id$v=19$m=..,t=..,p=..$<salt>$<hash>");
    }
    if (memory > ADU_ARGON2_MOST_KIB || passes > ADU_ARGON2_MOST_PASSES ||
        lanes > ADU_ARGON2_MOST_LANES) {
        return malformed(c, whose, place,
                         "Argon2id beyond m=65536, t=10, p=4 would hold the broker up at each "
                         "log-in");
    }
    /* A malformed salt or digest shows here rather than at the first log-in. */
    const int rc = argon2id_verify(text, "", 0);
    if (rc != ARGON2_OK && rc != ARGON2_VERIFY_MISMATCH) {
        return malformed(c, whose, place, argon2_error_message(rc));
    }
    h->argon2_kib = memory * passes;
    h->argon2id = adu_arena_strdup(c->arena, text);
    return h->argon2id != NULL || adu_error_no_memory(c->error);
}

const struct adu_password_hash *adu_password_hash_compile(struct adu_compiler *c, const char *text,
                                                          const char *whose,
                                                          const struct adu_place *place)
{
    struct adu_password_hash *h = adu_arena_alloc(c->arena, sizeof *h);
    if (h == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    bool good;
    if (strncmp(text, "$7$", 3) == 0) {
        good = read_pbkdf2(c, h, text, whose, place);
    } else if (strncmp(text, "$argon2id$", 10) == 0) {
        good = read_argon2id(c, h, text, whose, place);
    } else {
        good = malformed(c, whose, place,
                         "expected a hash that begins with $7$ or $argon2id$, as mosquitto_passwd "
                         "writes it");
    }
    h->stamp = adu_hash(text, strlen(text));
    return good ? h : NULL;
}

bool adu_password_hash_matches(const struct adu_password_hash *hash, const char *password)
{
    const size_t length = strlen(password);
    if (length == 0 || length > ADU_PASSWORD_MOST_BYTES) {
        return false;
    }
    if (hash->argon2id != NULL) {
        return argon2id_verify(hash->argon2id, password, length) == ARGON2_OK;
    }
    unsigned char digest[PBKDF2_BYTES];
    const bool made = PKCS5_PBKDF2_HMAC(password, (int)length, hash->salt, hash->salt_length,
                                        hash->iterations, EVP_sha512(), PBKDF2_BYTES, digest) == 1;
    const bool same = made && CRYPTO_memcmp(digest, hash->digest, PBKDF2_BYTES) == 0;
    OPENSSL_cleanse(digest, sizeof digest);
    return same;
}

unsigned adu_password_hash_stamp(const struct adu_password_hash *hash)
{
    return hash->stamp;
}

bool adu_password_hash_is_dear(const struct adu_password_hash *hash)
{
    return hash->argon2_kib > ARGON2_CHEAP_KIB || hash->iterations > PBKDF2_CHEAP_ITERATIONS;
}

static bool make_pbkdf2(int iterations, const unsigned char *salt, const char *password, char *text)
{
    unsigned char digest[PBKDF2_BYTES];
    char salt_text[PBKDF2_SALT_BYTES * 2], digest_text[PBKDF2_BYTES * 2];
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, PBKDF2_SALT_BYTES, iterations,
                          EVP_sha512(), PBKDF2_BYTES, digest) != 1) {
        return false;
    }
    EVP_EncodeBlock((unsigned char *)salt_text, salt, PBKDF2_SALT_BYTES);
    EVP_EncodeBlock((unsigned char *)digest_text, digest, PBKDF2_BYTES);
    snprintf(text, ADU_PASSWORD_HASH_TEXT, "$7$%d$%s$%s", iterations, salt_text, digest_text);
    return true;
}

bool adu_password_hash_make(enum adu_password_kind kind, int iterations,
                            const unsigned char salt[ADU_PASSWORD_SALT_BYTES], const char *password,
                            char text[ADU_PASSWORD_HASH_TEXT])
{
    if (kind == ADU_PASSWORD_PBKDF2) {
        return make_pbkdf2(iterations, salt, password, text);
    }
    return argon2id_hash_encoded(ARGON2_PASSES, ARGON2_KIB, 1, password, strlen(password), salt,
                                 ADU_PASSWORD_SALT_BYTES, ARGON2_BYTES, text,
                                 ADU_PASSWORD_HASH_TEXT) == ARGON2_OK;
}
