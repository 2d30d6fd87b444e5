/* What a certificate says, by OpenSSL's own printing of it: a second opinion that shares nothing
 * with the code under test but the parser of DER. */
#ifndef ADUANA_TESTS_FUZZ_PRINTED_H
#define ADUANA_TESTS_FUZZ_PRINTED_H

#include <stdbool.h>
#include <stddef.h>

struct fuzz_printed;

/* NULL if it is no certificate. */
struct fuzz_printed *fuzz_print(const unsigned char *der, size_t length);
void fuzz_printed_free(struct fuzz_printed *printed);

/* The value of a field of the subject ("CN", "OU") that is there once, else NULL. */
const char *fuzz_printed_subject(const struct fuzz_printed *printed, const char *field);
/* The same of the issuer. */
const char *fuzz_printed_issuer(const struct fuzz_printed *printed, const char *field);
/* Whether one of a field's values in the subject is `value`. */
bool fuzz_printed_has(const struct fuzz_printed *printed, const char *field, const char *value);
/* Whether one of the alternative names is printed as that: "URI:urn:planta:scada". */
bool fuzz_printed_alternative(const struct fuzz_printed *printed, const char *text);

#endif
