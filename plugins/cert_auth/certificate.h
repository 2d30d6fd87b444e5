/* What a client certificate says, as attributes. */
#ifndef ADUANA_CERT_AUTH_CERTIFICATE_H
#define ADUANA_CERT_AUTH_CERTIFICATE_H

#include "common/attributes.h"
#include "common/bytes.h"
#include "common/certificate_health.h"
#include <openssl/types.h>

/* The certificate `der` as OpenSSL has it, to be freed by X509_free; NULL if it is none. `parsed`
 * is the same where somebody has parsed it already, borrowed, else NULL: parsing takes a tenth of
 * what a whole log-in takes, as OpenSSL 3 looks for a decoder of its key. So for all below. */
X509 *adu_certificate_parse(struct adu_bytes der, X509 *parsed);

/* Adds what policies/README.md lists under "Matching a client" of the certificate `der`, each as
 * often as it stands there. Text is UTF-8 whatever ASN.1 type it has. false with `why` when it is
 * no certificate, or when a value holds a NUL or another control character, is no text, or is
 * longer than 1,024 bytes: then nothing of it can be trusted to mean what it seems to. */
bool adu_certificate_attributes(struct adu_bytes der, X509 *parsed,
                                struct adu_attributes *attributes, char *why, size_t size);

/* Its time and its strength: certificate_facts.c. What cannot be read has ended long ago. */
void adu_certificate_facts(struct adu_bytes der, X509 *parsed, struct adu_certificate_facts *facts);

#endif
