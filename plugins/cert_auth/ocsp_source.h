/* OCSP responders as a source of revocation: asked by workers, remembered, and asked again before
 * an answer ends. */
#ifndef ADUANA_CERT_AUTH_OCSP_SOURCE_H
#define ADUANA_CERT_AUTH_OCSP_SOURCE_H

#include "plugins/cert_auth/revocation.h"

extern const struct adu_revocation_source adu_ocsp_source;

#endif
