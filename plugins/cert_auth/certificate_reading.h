/* What the parts of reading a certificate share, in certificate_reading.c: certificate.c (names,
 * serial, fingerprint), certificate_alternatives.c (subjectAltName), certificate_extensions.c (what
 * it may be used for, policies, extensions of one's own). Nothing of a certificate becomes an
 * attribute but through these functions. */
#ifndef ADUANA_CERT_AUTH_CERTIFICATE_READING_H
#define ADUANA_CERT_AUTH_CERTIFICATE_READING_H

#include "common/attributes.h"
#include <openssl/x509.h>

enum { ADU_CERTIFICATE_VALUE = 1024 }; /* bytes that a field may have */

struct adu_certificate_reading {
    struct adu_attributes *attributes;
    char *why; /* what is wrong with the certificate */
    size_t size;
};

/* Says that the certificate cannot be used: "<name> <what>". Returns false. */
bool adu_certificate_refuse(const struct adu_certificate_reading *r, const char *name,
                            const char *what);

/* Adds an attribute. Refuses what is no text of one line: control characters, bytes that are not
 * UTF-8, too many of them. */
bool adu_certificate_add(const struct adu_certificate_reading *r, const char *name,
                         const unsigned char *text, size_t length);

/* The same of a string of any of ASN.1's kinds: BMPString, T61String and the others mean the same
 * text as a UTF8String, so they become one. */
bool adu_certificate_add_asn1(const struct adu_certificate_reading *r, const char *name,
                              const ASN1_STRING *string);

/* Adds "<prefix><dotted OID>" with a text, as in cert.ext.1.3.6.1.4.1.99999.1. */
bool adu_certificate_add_of_oid(const struct adu_certificate_reading *r, const char *prefix,
                                const ASN1_OBJECT *oid, const ASN1_STRING *string);

bool adu_certificate_add_alternatives(const struct adu_certificate_reading *r, const X509 *x509);
bool adu_certificate_add_extensions(const struct adu_certificate_reading *r, X509 *x509);

#endif
