/* topic_policy as a stage of the pipeline: the plant's naming standard. */
#include "plugins/topic_policy/topic_policy.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_topic_policy_compile(c, root);
}

static enum adu_verdict decide(const struct adu_stage_call *call, const struct adu_request *request,
                               void *client_state, struct adu_reason *why)
{
    (void)client_state;
    return adu_topic_policy_decide(call->policy, request, why);
}

static bool possible(const void *policy, struct adu_text filter, struct adu_reason *why)
{
    return adu_topic_policy_possible(policy, filter, why);
}

const struct adu_stage adu_topic_policy_stage = {
    .kind = ADU_STAGE_TOPIC_POLICY,
    .may_watch = true,
    .compile = compile,
    .decide = decide,
    .possible = possible,
};
