/* What a client certificate says, as attributes. */
#ifndef ADUANA_CERT_AUTH_CERTIFICATE_H
#define ADUANA_CERT_AUTH_CERTIFICATE_H

#include "common/attributes.h"

/* Adds cert.cn, cert.ou, cert.o, cert.l, cert.st, cert.c, cert.serial, cert.fingerprint,
 * cert.issuer.cn, cert.issuer.o, cert.issuer.ou and cert.san.dns/uri/email/ip of `x509` (an OpenSSL
 * X509, borrowed), each as often as it stands there. Text is UTF-8 whatever ASN.1 type it has.
 * false with `why` when a value holds a NUL or another control character, is no text, or is longer
 * than 1,024 bytes: then nothing of it can be trusted to mean what it seems to. */
bool adu_certificate_attributes(void *x509, struct adu_attributes *attributes, char *why,
                                size_t size);

#endif
