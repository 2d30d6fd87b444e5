/* Lists that were fetched from web addresses, kept in the state folder as they came: a broker that
 * starts while their server is away begins with the last good ones. What is read back is to be
 * checked like any other. Touches files: for workers. */
#ifndef ADUANA_CERT_AUTH_CRL_KEPT_H
#define ADUANA_CERT_AUTH_CRL_KEPT_H

#include "common/error.h"
#include <stdbool.h>
#include <stddef.h>

/* "<folder>/crl-<SHA-256 of the address>", which the caller frees. NULL when memory is gone. */
char *adu_crl_kept_path(const char *folder, const char *url);

/* Puts the file in the place of the one before, or leaves that as it is: false with `error`. */
bool adu_crl_keep(const char *path, const unsigned char *bytes, size_t length,
                  struct adu_error *error);

#endif
