/* iam_auth.json as it is compiled: who is asked, in which order, and for how long an answer holds.
 */
#ifndef ADUANA_IAM_AUTH_POLICY_H
#define ADUANA_IAM_AUTH_POLICY_H

#include "common/stage.h"
#include "plugins/iam_auth/guard.h"
#include "plugins/iam_auth/provider.h"

enum { ADU_IAM_PROVIDERS_MOST = 8 };

enum adu_iam_require {
    ADU_IAM_REQUIRE_BOTH,
    ADU_IAM_REQUIRE_CERTIFICATE,
    ADU_IAM_REQUIRE_PASSWORD,
    ADU_IAM_REQUIRE_EITHER
};

/* In seconds but for the first. */
struct adu_iam_limits {
    long login_budget_ms;       /* that a broker without delayed log-ins waits for one */
    long fresh_seconds;         /* an answer is not asked for again */
    long refused_seconds;       /* nor is a refusal */
    long offline_grace_seconds; /* who was verified before gets in while his provider is away */
    long recheck_seconds;       /* whoever is connected is looked up anew; 0: never */
};

struct adu_iam_asked {
    const struct adu_provider *provider;
    const void *settings;
    uint64_t stamp; /* the same only for the same settings, under whatever generation */
};

/* Whether what it verifies is asked about again by the secret itself. */
static inline bool adu_iam_asked_may_be_revoked(const struct adu_iam_asked *asked)
{
    return asked->provider->may_be_revoked != NULL &&
           asked->provider->may_be_revoked(asked->settings);
}

struct adu_iam_policy {
    enum adu_iam_require require;
    struct adu_iam_limits limits;
    struct adu_guard_limits guard;
    const int *offline_roles; /* in grace, in the place of the provider's; NULL: his provider's */
    struct adu_arena *arena;  /* where the settings are */
    size_t count;
    struct adu_iam_asked asked[ADU_IAM_PROVIDERS_MOST];
};

/* NULL with c->error set. */
const struct adu_iam_policy *adu_iam_auth_compile(struct adu_compiler *c,
                                                  const struct adu_json *root);

/* The place of a provider with those settings in the order, or policy->count. */
size_t adu_iam_policy_find(const struct adu_iam_policy *policy, const char *provider,
                           uint64_t stamp);

#endif
