/* cert_auth as a stage of the pipeline: client certificate -> identity. */
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/cert_auth/cert_policy.h"
#include "plugins/cert_auth/certificate.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_cert_auth_compile(c, root);
}

static const struct adu_revocation *revocation_of(const struct adu_stage_call *call)
{
    return ((const struct adu_cert_policy *)call->policy)->revocation;
}

static void *instance_new(void)
{
    return adu_revocation_live_new();
}

static void instance_free(void *instance)
{
    adu_revocation_live_free(instance);
}

/* A certificate that is somebody's must not have been revoked; which one nobody knows proves
 * nothing anyway. */
static enum adu_verdict identify(const struct adu_stage_call *call, struct adu_login *login)
{
    const enum adu_verdict verdict = adu_cert_auth_identify(call->policy, login, call->wall_ms);
    return verdict == ADU_ALLOW ? adu_revocation_judge(revocation_of(call), call, login, false)
                                : verdict;
}

static enum adu_verdict assume(const struct adu_stage_call *call, struct adu_login *login)
{
    const enum adu_verdict verdict = adu_cert_auth_assume(call->policy, login);
    return verdict == ADU_ALLOW ? adu_revocation_judge(revocation_of(call), call, login, true)
                                : verdict;
}

static bool doubts(const struct adu_stage_call *call, const struct adu_subject *subject)
{
    return adu_revocation_doubts(revocation_of(call), call, &subject->attributes);
}

static void tick(const struct adu_stage_call *call)
{
    adu_revocation_tick(revocation_of(call), call);
}

static void assess(const struct adu_stage_call *call, const struct adu_certificate_sight *sight,
                   struct adu_certificate_health *health)
{
    adu_cert_auth_assess(call->policy, sight, call->wall_ms, health);
}

static void explain_login(const struct adu_stage_call *call, const struct adu_login *login,
                          const struct adu_explainer *to)
{
    adu_cert_auth_explain(call->policy, login, to);
}

const struct adu_stage adu_cert_auth_stage = {
    .kind = ADU_STAGE_CERT_AUTH,
    .compile = compile,
    .instance_new = instance_new,
    .instance_free = instance_free,
    .read_certificate = adu_certificate_attributes,
    .inspect_certificate = adu_certificate_facts,
    .assess_certificate = assess,
    .identify = identify,
    .assume = assume,
    .doubts = doubts,
    .explain_login = explain_login,
    .tick = tick,
};
