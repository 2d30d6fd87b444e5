/* User name and secret -> identity, by the providers of iam_auth.json; and what every log-in must
 * prove. Pure but for what a provider asks. */
#ifndef ADUANA_IAM_AUTH_H
#define ADUANA_IAM_AUTH_H

#include "common/stage.h"

struct adu_iam_policy;

/* NULL with c->error set. */
const struct adu_iam_policy *adu_iam_auth_compile(struct adu_compiler *c,
                                                  const struct adu_json *root);

/* Says what must be proven, and proves ADU_FACTOR_PASSWORD where that is asked for. DENY with
 * login->why when the password is wrong, or belongs to somebody else than the certificate. */
enum adu_verdict adu_iam_auth_identify(const struct adu_iam_policy *policy, int64_t wall_ms,
                                       struct adu_login *login);

/* What the plugin, the command and the tests load. */
extern const struct adu_stage adu_iam_auth_stage;

#endif
