/* Certificate revocation lists as a source: of files, folders and web addresses. */
#ifndef ADUANA_CERT_AUTH_CRL_SOURCE_H
#define ADUANA_CERT_AUTH_CRL_SOURCE_H

#include "plugins/cert_auth/revocation.h"

extern const struct adu_revocation_source adu_crl_source;

#endif
