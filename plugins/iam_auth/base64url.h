/* Base64url without padding (RFC 7515). cjose decodes it, and ends the process (0.6.2) when it is
 * given what is none: so everything is looked at before. */
#ifndef ADUANA_IAM_AUTH_BASE64URL_H
#define ADUANA_IAM_AUTH_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* How many bytes `text` begins with that are of its alphabet. */
static inline size_t adu_base64url_span(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

/* Whether so many of them are whole bytes. */
static inline bool adu_base64url_is_whole(size_t length)
{
    return length % 4 != 1;
}

#endif
