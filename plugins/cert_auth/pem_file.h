/* Files that a policy names: certificates of authorities, lists of what they revoked. */
#ifndef ADUANA_CERT_AUTH_PEM_FILE_H
#define ADUANA_CERT_AUTH_PEM_FILE_H

#include "common/compiler.h"
#include "common/json.h"
#include <openssl/types.h>

enum { ADU_PATH_MOST = 4096 };

/* The path of what the string `node` names, from the policy folder, in ADU_PATH_MOST bytes. Returns
 * the name as it stands there, borrowed; NULL with c->error set. */
const char *adu_pem_path(struct adu_compiler *c, const struct adu_json *node, char *path);

/* Told of each certificate, which it borrows; false where it may not stand there, with `what` is
 * wrong. */
typedef bool (*adu_pem_take)(void *context, X509 *x509, const char **what);

/* Reads the PEM files that `array` (or NULL) names; each must hold a certificate. */
bool adu_pem_read_files(struct adu_compiler *c, const struct adu_json *array, adu_pem_take take,
                        void *context);

#endif
