/* A client in somebody's words, key by key, and a moment in plain text: for `aduana explain` and
 * for the assertions that come with a policy. Any thread. */
#ifndef ADUANA_COMMON_DESCRIPTION_H
#define ADUANA_COMMON_DESCRIPTION_H

#include "common/inquiry.h"
#include <stdint.h>

/* Zeroed, nothing is said yet. */
struct adu_description {
    struct adu_attributes certificate;
    char *client_id, *username, *address;
};

/* "cert.cn" and the like (a key again: one more value), "client_id", or "username": whose password
 * the client has shown. NULL if it is taken, else what is wrong with it. */
ADU_API const char *adu_description_say(struct adu_description *d, const char *key,
                                        const char *value);

/* What an inquiry wants, borrowed from `d`. A client that was given no client id has the common
 * name of its certificate, or else its user name. */
ADU_API struct adu_described adu_description_of(const struct adu_description *d);

/* Frees what it holds and leaves nothing said. */
ADU_API void adu_description_clear(struct adu_description *d);

/* "2026-11-23T08:00" (with seconds or not; with Z, or +01:00, or else in the zone of that name;
 * NULL: UTC) as milliseconds since 1970. false if it is none. */
ADU_API bool adu_moment_read(const char *text, const char *zone, int64_t *wall_ms);

#endif
