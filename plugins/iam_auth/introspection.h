/* Asking an issuer whether a token is still good (RFC 7662). */
#ifndef ADUANA_IAM_AUTH_INTROSPECTION_H
#define ADUANA_IAM_AUTH_INTROSPECTION_H

#include "plugins/iam_auth/answer.h"
#include <stddef.h>

enum { ADU_INTROSPECTION_MOST_BYTES = 64 * 1024 };

struct adu_introspection {
    const char *url, *ca_file;      /* the latter NULL: whom this machine believes */
    const char *client_id, *secret; /* who asks; as a form has them */
    long timeout_ms;
};

/* Leaves the answer VERIFIED if the token is active; else it is BARRED, or UNAVAILABLE if the
 * issuer gives no usable answer. `token` is one that has been judged good. Waits: for workers. */
void adu_introspect(const struct adu_introspection *introspection, const char *token,
                    struct adu_answer *answer);

/* What the issuer answered: JSON of `length` bytes. Pure. */
void adu_introspection_read(const char *text, size_t length, struct adu_answer *answer);

#endif
