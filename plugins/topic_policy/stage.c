/* topic_policy as a stage of the pipeline: the plant's naming standard. */
#include "plugins/topic_policy/in_use.h"
#include "plugins/topic_policy/reports.h"
#include "plugins/topic_policy/topic_policy.h"
#include <stdlib.h>

/* What outlives a generation. */
struct instance {
    struct adu_in_use *in_use;
    struct adu_reports *reports;
};

static void instance_free(void *instance)
{
    struct instance *i = instance;
    if (i != NULL) {
        adu_in_use_free(i->in_use);
        adu_reports_free(i->reports);
        free(i);
    }
}

static void *instance_new(void)
{
    struct instance *i = calloc(1, sizeof *i);
    if (i == NULL) {
        return NULL;
    }
    i->in_use = adu_in_use_new();
    i->reports = adu_reports_new();
    if (i->in_use == NULL || i->reports == NULL) {
        instance_free(i);
        return NULL;
    }
    return i;
}

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_topic_policy_compile(c, root);
}

/* A topic that can be taken for another one in use. */
static enum adu_verdict decide_alike(const struct adu_stage_call *call,
                                     const struct adu_request *request, struct adu_reason *why)
{
    const struct instance *i = call->instance;
    if (request->action != ADU_PUBLISH || !adu_topic_policy_notes(call->policy)) {
        return ADU_ABSTAIN;
    }
    const struct adu_text other = adu_in_use_alike(i->in_use, request->topic);
    return other.length > 0 ? adu_topic_policy_collides(call->policy, other, why) : ADU_ABSTAIN;
}

/* Help for whoever reads of it. A message that is wrong (why->passing) has the right topic. */
static ADU_COLD void help(const struct adu_stage_call *call, const struct adu_request *request,
                          struct adu_topic_client *client, struct adu_reason *why)
{
    const struct instance *i = call->instance;
    if (client == NULL) {
        return;
    }
    if (request->action == ADU_PUBLISH && !why->passing &&
        adu_reports_may_suggest(client, request->now_ms)) {
        adu_topic_policy_suggest(call->policy, request, why);
    }
    if (request->attempt && adu_topic_policy_reports(call->policy)) {
        adu_reports_note(i->reports, client, call, request, why);
    }
}

static enum adu_verdict decide(const struct adu_stage_call *call, const struct adu_request *request,
                               void *client_state, struct adu_reason *why)
{
    enum adu_verdict verdict = adu_topic_policy_decide(call->policy, request, why);
    if (verdict == ADU_ABSTAIN) {
        verdict = decide_alike(call, request, why);
    }
    if (verdict == ADU_DENY) {
        help(call, request, client_state, why);
    }
    return verdict;
}

static void published(const struct adu_stage_call *call, const struct adu_request *request)
{
    const struct instance *i = call->instance;
    if (adu_topic_policy_notes(call->policy)) {
        adu_in_use_note(i->in_use, request->topic);
    }
}

static void tick(const struct adu_stage_call *call)
{
    const struct instance *i = call->instance;
    adu_reports_tell(i->reports, call);
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
    .client_state_size = sizeof(struct adu_topic_client),
    .published = published,
    .decide = decide,
    .tick = tick,
    .possible = possible,
};
