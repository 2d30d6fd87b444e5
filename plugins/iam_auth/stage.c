/* iam_auth as a stage of the pipeline: user name and password -> identity. */
#include "plugins/iam_auth/iam_auth.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_iam_auth_compile(c, root);
}

static enum adu_verdict identify(const struct adu_stage_call *call, struct adu_login *login)
{
    return adu_iam_auth_identify(call->policy, call->wall_ms, login);
}

const struct adu_stage adu_iam_auth_stage = {
    .kind = ADU_STAGE_IAM_AUTH,
    .compile = compile,
    .identify = identify,
};
