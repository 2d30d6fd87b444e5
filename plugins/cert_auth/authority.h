/* The certificate authorities that cert_auth.json trusts, each by its own roots: which of them
 * vouches for a client's certificate. The broker has checked a chain too, against everything in its
 * `cafile`; this says against whom, and asks more of it. Pure: the time is an argument. */
#ifndef ADUANA_CERT_AUTH_AUTHORITY_H
#define ADUANA_CERT_AUTH_AUTHORITY_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/reason.h"
#include <openssl/x509.h>

struct adu_authority;

/* Compiles one member of "authorities": {"roots": [file...], "intermediates": [file...],
 * "security_level": 0-5}. Files are PEM, named from the policy folder. NULL with c->error set. */
const struct adu_authority *adu_authority_compile(struct adu_compiler *c,
                                                  const struct adu_json *node);

/* As the policy calls it. */
const char *adu_authority_name(const struct adu_authority *authority);

/* Adds all its certificates, roots and intermediates, to `all`, which holds references of its own.
 * false when memory is gone. */
bool adu_authority_certificates(const struct adu_authority *authority, STACK_OF(X509) * all);

/* True if a chain leads from `leaf` to one of its roots that is valid at `wall_ms` (since 1970,
 * UTC) for a TLS client (RFC 5280 section 6): dates, signatures, path lengths, name constraints,
 * extended key usage, and no key or signature below its security level. Otherwise `why`, of `size`
 * bytes, says what is wrong, and `*related` whether a chain was found at all. One thread. */
bool adu_authority_vouches(const struct adu_authority *authority, X509 *leaf, int64_t wall_ms,
                           bool *related, char *why, size_t size);

#endif
