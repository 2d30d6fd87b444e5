/* From the bytes of a client certificate to an identity and to the lines that tell of it, by a
 * fixed policy, and what must hold of any bytes whatever. */
#ifndef ADUANA_TESTS_FUZZ_TARGET_H
#define ADUANA_TESTS_FUZZ_TARGET_H

#include <stddef.h>

/* Compiles the policy, and makes the seeds. Aborts if it cannot. Once a process. */
void fuzz_start(void);
void fuzz_end(void);

/* Reads the certificate, identifies its client under several client ids, and writes what the log
 * and the audit log would. The identity's name, "nobody" or "unreadable"; it lives until fuzz_end.
 * Aborts with the certificate in hexadecimal if
 *  - it is given an identity, a user name or a client id that OpenSSL's printing of it does not
 *    bear out, or is not given one that it does;
 *  - a line breaks out of its line, or is no JSON;
 *  - an authority vouches for it (which is asked where `vouching`, as it takes time), and it is not
 *    what one of the seeds says. */
const char *fuzz_certificate(const unsigned char *der, size_t length, int vouching);

#endif
