/* acl as a stage of the pipeline: roles, grants, the final yes or no. */
#include "plugins/acl/acl.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_acl_compile(c, root);
}

static bool bind(const struct adu_stage_call *call, const struct adu_attributes *attributes,
                 struct adu_login *login)
{
    return adu_acl_bind(call->policy, attributes, login);
}

static enum adu_verdict decide(const struct adu_stage_call *call, const struct adu_request *request,
                               void *client_state, struct adu_reason *why)
{
    (void)client_state;
    return adu_acl_decide(call->policy, request, why);
}

const struct adu_stage adu_acl_stage = {
    .kind = ADU_STAGE_ACL,
    .may_watch = true,
    .compile = compile,
    .bind = bind,
    .decide = decide,
};
