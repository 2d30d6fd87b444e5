/* One certificate revocation list (RFC 5280 section 5): whose word it is, for how long, and which
 * certificates it names. Immutable and counted by references, so that a worker makes it and the
 * broker's thread asks it. Pure: bytes in, no file, no clock. */
#ifndef ADUANA_CERT_AUTH_CRL_H
#define ADUANA_CERT_AUTH_CRL_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADU_CRL_WHY = 200, ADU_SERIAL_BYTES = 20 /* RFC 5280 section 4.1.2.2 */ };

/* A serial number, so that two of them are compared by memcmp. */
struct adu_serial {
    unsigned char length; /* and 0x80 of a negative one */
    unsigned char bytes[ADU_SERIAL_BYTES];
};

/* false for one that has more bytes than a serial number may have. */
bool adu_serial_of(const ASN1_INTEGER *number, struct adu_serial *serial);
/* The same of hexadecimal text, as in cert.serial; false if it is none. */
bool adu_serial_of_text(const char *text, struct adu_serial *serial);

struct adu_crl;

struct adu_crl_entry {
    struct adu_serial serial;
    signed char reason; /* of RFC 5280 section 5.3.1; -1: none is given */
    int64_t since_ms;   /* wall clock */
};

/* Several, each a reference. */
struct adu_crl_list {
    size_t count;
    struct adu_crl **crls;
};

/* Reads all lists that `length` bytes hold, in PEM or one in DER, and appends them to `list`. Each
 * must be a whole one, of one of `issuers` by name, signature and right to sign lists. `name` is
 * what they are called. false with `why`, of ADU_CRL_WHY bytes; then `list` is as it was. Takes as
 * long as it takes: a tenth of a second for 100,000 certificates. Any thread. */
bool adu_crl_read(const char *name, const unsigned char *bytes, size_t length,
                  STACK_OF(X509) * issuers, struct adu_crl_list *list, char *why);

/* Appends a reference of its own to each of `from`. false when memory is gone, and nothing done. */
bool adu_crl_list_add(struct adu_crl_list *list, const struct adu_crl_list *from);
void adu_crl_list_clear(struct adu_crl_list *list);

const char *adu_crl_name(const struct adu_crl *crl);
size_t adu_crl_count(const struct adu_crl *crl);
X509 *adu_crl_issuer(const struct adu_crl *crl);
int64_t adu_crl_from_ms(const struct adu_crl *crl);  /* thisUpdate */
int64_t adu_crl_until_ms(const struct adu_crl *crl); /* nextUpdate */

/* True if it speaks for the authority with that name and key. */
bool adu_crl_is_of(const struct adu_crl *crl, X509 *issuer);

/* True if `a` was made later than `b`, by its date and then by its number. */
bool adu_crl_is_newer(const struct adu_crl *a, const struct adu_crl *b);

/* Its entry for a certificate of that serial number, or NULL. Allocates nothing. */
const struct adu_crl_entry *adu_crl_find(const struct adu_crl *crl,
                                         const struct adu_serial *serial);

/* "keyCompromise" and the like; "" where none is given. */
const char *adu_crl_reason(const struct adu_crl_entry *entry);

#endif
