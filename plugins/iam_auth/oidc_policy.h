/* The key "oidc" of iam_auth.json, compiled: whose tokens are believed, and what they give. */
#ifndef ADUANA_IAM_AUTH_OIDC_POLICY_H
#define ADUANA_IAM_AUTH_OIDC_POLICY_H

#include "common/compiler.h"
#include "common/json.h"
#include "plugins/iam_auth/introspection.h"
#include "plugins/iam_auth/jwks_source.h"
#include "plugins/iam_auth/token.h"

enum {
    ADU_OIDC_SKEW_SECONDS = 30,
    ADU_OIDC_REFRESH_SECONDS = 3600,
    ADU_OIDC_KEEP_SECONDS = 86400,
    ADU_OIDC_AGAIN_SECONDS = 10,
    ADU_OIDC_TIMEOUT_MS = 5000,
    ADU_OIDC_SECRET_MOST = 1024,
    ADU_OIDC_CA_FILE_MOST = 4 * 1024 * 1024,
};

/* A claim that becomes an attribute of the session. */
struct adu_oidc_attribute {
    const char *name, *claim; /* the latter as the answer has it: "token.planta.linea" */
};

/* What one value of a claim gives. */
struct adu_oidc_role {
    const char *value;
    const int *roles; /* ends with -1 */
};

struct adu_oidc_policy {
    struct adu_token_rules rules;
    uint32_t stamp;                                /* of the file of keys */
    struct adu_jwks *keys;                         /* of a file; NULL: there is none */
    struct adu_jwks_source *source;                /* NULL: those of the file are all */
    const struct adu_introspection *introspection; /* NULL: the issuer is not asked */
    size_t attribute_count;
    struct adu_oidc_attribute *attributes;
    const char **roles_claims; /* NULL-ended, as the answer has them */
    size_t role_count;
    struct adu_oidc_role *roles;
};

/* NULL with c->error set. */
const struct adu_oidc_policy *adu_oidc_policy_compile(struct adu_compiler *c,
                                                      const struct adu_json *settings);

#endif
