/* A secret as it may be kept: a keyed hash of user name and secret, with a key that no other
 * process has and that is nowhere but in memory. */
#ifndef ADUANA_IAM_AUTH_MARK_H
#define ADUANA_IAM_AUTH_MARK_H

#include <stdbool.h>

enum { ADU_MARK_BYTES = 32 };

struct adu_mark {
    unsigned char bytes[ADU_MARK_BYTES];
};

struct adu_mark_key {
    unsigned char bytes[ADU_MARK_BYTES];
};

/* A key by chance. false if there is no chance to be had. */
bool adu_mark_key_make(struct adu_mark_key *key);
void adu_mark_key_wipe(struct adu_mark_key *key);

/* HMAC-SHA256. `secret` NULL: of nobody's secret. false when memory is gone. */
bool adu_mark_make(const struct adu_mark_key *key, const char *username, const char *secret,
                   struct adu_mark *mark);

/* In a time that does not depend on how near it comes. */
bool adu_mark_equal(const struct adu_mark *a, const struct adu_mark *b);

#endif
