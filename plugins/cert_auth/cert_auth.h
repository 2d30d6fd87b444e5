/* Client certificate -> identity, by the rules of cert_auth.json. Pure: certificates come as
 * attributes, and nothing here knows a broker. */
#ifndef ADUANA_CERT_AUTH_H
#define ADUANA_CERT_AUTH_H

#include "common/stage.h"

struct adu_cert_policy;

/* NULL with c->error set. */
const struct adu_cert_policy *adu_cert_auth_compile(struct adu_compiler *c,
                                                    const struct adu_json *root);

/* Proves ADU_FACTOR_CERTIFICATE by the first identity that matches login->certificate and whose
 * authority vouches for login->shown at `wall_ms` (since 1970, UTC). ABSTAIN without a certificate,
 * and with login->certificate_why when no authority vouches or no identity matches it; DENY with
 * login->why when the client id is not the one that the identity binds. */
enum adu_verdict adu_cert_auth_identify(const struct adu_cert_policy *policy,
                                        struct adu_login *login, int64_t wall_ms);

/* The same of a certificate that is described in words: every authority is taken to vouch for it.
 * Nobody may be let in by this. */
enum adu_verdict adu_cert_auth_assume(const struct adu_cert_policy *policy,
                                      struct adu_login *login);

/* What the policy thinks of a certificate in use; see struct adu_certificate_health. */
void adu_cert_auth_assess(const struct adu_cert_policy *policy,
                          const struct adu_certificate_sight *sight, int64_t wall_ms,
                          struct adu_certificate_health *health);

/* Tells of every identity, and what keeps it from being the client's. */
void adu_cert_auth_explain(const struct adu_cert_policy *policy, const struct adu_login *login,
                           const struct adu_explainer *to);

/* What the plugin, the command and the tests load. */
extern const struct adu_stage adu_cert_auth_stage;

#endif
