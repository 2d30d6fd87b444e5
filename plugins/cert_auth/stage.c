/* cert_auth as a stage of the pipeline: client certificate -> identity. */
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/cert_auth/certificate.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_cert_auth_compile(c, root);
}

static enum adu_verdict identify(const struct adu_stage_call *call, struct adu_login *login)
{
    return adu_cert_auth_identify(call->policy, login, call->wall_ms);
}

static enum adu_verdict assume(const struct adu_stage_call *call, struct adu_login *login)
{
    return adu_cert_auth_assume(call->policy, login);
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
    .read_certificate = adu_certificate_attributes,
    .inspect_certificate = adu_certificate_facts,
    .assess_certificate = assess,
    .identify = identify,
    .assume = assume,
    .explain_login = explain_login,
};
