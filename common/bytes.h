/* A run of bytes that somebody owns: a certificate as it came over the wire. */
#ifndef ADUANA_COMMON_BYTES_H
#define ADUANA_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed, there is none. */
struct adu_bytes {
    unsigned char *bytes;
    size_t length;
};

static inline void adu_bytes_clear(struct adu_bytes *bytes)
{
    free(bytes->bytes);
    *bytes = (struct adu_bytes){0};
}

/* The same of a secret. */
static inline void adu_bytes_wipe(struct adu_bytes *bytes)
{
    if (bytes->bytes != NULL) {
        explicit_bzero(bytes->bytes, bytes->length);
    }
    adu_bytes_clear(bytes);
}

/* What `*from` has is now `*to`'s; what that had is freed. */
static inline void adu_bytes_move(struct adu_bytes *to, struct adu_bytes *from)
{
    adu_bytes_clear(to);
    *to = *from;
    *from = (struct adu_bytes){0};
}

/* Makes `*to` a copy, what it was before being freed. false when memory is gone; then it is as it
 * was. */
static inline bool adu_bytes_copy(struct adu_bytes *to, struct adu_bytes from)
{
    struct adu_bytes copy = {0};
    if (from.bytes != NULL) {
        copy.bytes = malloc(from.length > 0 ? from.length : 1);
        if (copy.bytes == NULL) {
            return false;
        }
        memcpy(copy.bytes, from.bytes, from.length);
        copy.length = from.length;
    }
    adu_bytes_clear(to);
    *to = copy;
    return true;
}

#endif
