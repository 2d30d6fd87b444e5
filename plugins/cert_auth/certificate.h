/* What a client certificate says, as attributes. */
#ifndef ADUANA_CERT_AUTH_CERTIFICATE_H
#define ADUANA_CERT_AUTH_CERTIFICATE_H

#include "common/attributes.h"
#include "common/bytes.h"
#include <openssl/types.h>
#include <stdint.h>

/* `parsed` is the same certificate where somebody has parsed it already, borrowed; NULL: it is done
 * here, which costs much of what a log-in costs (OpenSSL 3 looks for a decoder of its key).
 * Adds what policies/README.md lists under "Matching a client" of the certificate `der`, each as
 * often as it stands there. Text is UTF-8 whatever ASN.1 type it has. false with `why` when it is
 * no certificate, or when a value holds a NUL or another control character, is no text, or is
 * longer than 1,024 bytes: then nothing of it can be trusted to mean what it seems to. */
bool adu_certificate_attributes(struct adu_bytes der, X509 *parsed,
                                struct adu_attributes *attributes, char *why, size_t size);

/* When it ends (notAfter), in milliseconds since 1970; 0 for what is no certificate. */
int64_t adu_certificate_until_ms(struct adu_bytes der);

#endif
