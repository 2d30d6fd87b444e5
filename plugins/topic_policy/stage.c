/* topic_policy as a stage of the pipeline: the plant's naming standard. */
#include "plugins/topic_policy/in_use.h"
#include "plugins/topic_policy/topic_policy.h"

static void *instance_new(void)
{
    return adu_in_use_new();
}

static void instance_free(void *instance)
{
    adu_in_use_free(instance);
}

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_topic_policy_compile(c, root);
}

static enum adu_verdict decide(const struct adu_stage_call *call, const struct adu_request *request,
                               void *client_state, struct adu_reason *why)
{
    (void)client_state;
    const enum adu_verdict verdict = adu_topic_policy_decide(call->policy, request, why);
    if (verdict != ADU_ABSTAIN || request->action != ADU_PUBLISH ||
        !adu_topic_policy_notes(call->policy)) {
        return verdict;
    }
    const struct adu_text other = adu_in_use_alike(call->instance, request->topic);
    return other.length > 0 ? adu_topic_policy_collides(call->policy, other, why) : ADU_ABSTAIN;
}

static void published(const struct adu_stage_call *call, const struct adu_request *request)
{
    if (adu_topic_policy_notes(call->policy)) {
        adu_in_use_note(call->instance, request->topic);
    }
}

static bool possible(const void *policy, struct adu_text filter, struct adu_reason *why)
{
    return adu_topic_policy_possible(policy, filter, why);
}

const struct adu_stage adu_topic_policy_stage = {
    .kind = ADU_STAGE_TOPIC_POLICY,
    .may_watch = true,
    .compile = compile,
    .instance_new = instance_new,
    .instance_free = instance_free,
    .published = published,
    .decide = decide,
    .possible = possible,
};
