#include "plugins/iam_auth/mark.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

bool adu_mark_key_make(struct adu_mark_key *key)
{
    return RAND_bytes(key->bytes, ADU_MARK_BYTES) == 1;
}

void adu_mark_key_wipe(struct adu_mark_key *key)
{
    OPENSSL_cleanse(key->bytes, ADU_MARK_BYTES);
}

static bool hmac(const unsigned char key[ADU_MARK_BYTES], const char *text,
                 unsigned char out[ADU_MARK_BYTES])
{
    unsigned length = 0;
    return HMAC(EVP_sha256(), key, ADU_MARK_BYTES, (const unsigned char *)text, strlen(text), out,
                &length) != NULL &&
           length == ADU_MARK_BYTES;
}

/* The user name makes a key of its own, so that nobody's name and secret run into one another. */
bool adu_mark_make(const struct adu_mark_key *key, const char *username, const char *secret,
                   struct adu_mark *mark)
{
    unsigned char his[ADU_MARK_BYTES];
    const bool good = hmac(key->bytes, username, his) &&
                      hmac(his, secret != NULL ? secret : "", mark->bytes); /* none is empty */
    OPENSSL_cleanse(his, sizeof his);
    return good;
}

bool adu_mark_equal(const struct adu_mark *a, const struct adu_mark *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, ADU_MARK_BYTES) == 0;
}
