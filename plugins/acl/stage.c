/* acl as a stage of the pipeline: roles, grants, the final yes or no. */
#include "plugins/acl/acl.h"
#include "plugins/acl/acl_explain.h"

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

static void explain(const struct adu_stage_call *call, const struct adu_request *request,
                    const struct adu_explainer *to)
{
    adu_acl_explain(call->policy, request, to);
}

static void list_rules(const void *policy, const struct adu_explainer *to)
{
    adu_acl_list_rules(policy, to);
}

const struct adu_stage adu_acl_stage = {
    .kind = ADU_STAGE_ACL,
    .may_watch = true,
    .compile = compile,
    .bind = bind,
    .decide = decide,
    .explain = explain,
    .rules = list_rules,
};
