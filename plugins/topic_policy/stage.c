/* topic_policy as a stage of the pipeline: the plant's naming standard. */
#include "plugins/topic_policy/in_use.h"
#include "plugins/topic_policy/reports.h"
#include "plugins/topic_policy/telling.h"
#include "plugins/topic_policy/topic_policy.h"
#include <stdlib.h>

/* What outlives a generation. */
struct instance {
    struct adu_in_use *in_use;
    struct adu_reports *reports;
    struct adu_discovery *discovery;
    int64_t report_due_ms;
};

/* Of a client. */
struct client {
    struct adu_topic_client reports;
    struct adu_refused_client refused;
};

static void instance_free(void *instance)
{
    struct instance *i = instance;
    if (i != NULL) {
        adu_in_use_free(i->in_use);
        adu_reports_free(i->reports);
        adu_discovery_free(i->discovery);
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
    i->discovery = adu_discovery_new();
    if (i->in_use == NULL || i->reports == NULL || i->discovery == NULL) {
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
                          struct client *client, struct adu_reason *why)
{
    const struct instance *i = call->instance;
    adu_topic_policy_refused(call->policy, client != NULL ? &client->refused : NULL,
                             call->generation, request, why);
    if (client == NULL) {
        return;
    }
    if (request->action == ADU_PUBLISH && !why->passing &&
        adu_reports_may_suggest(&client->reports, request->now_ms)) {
        adu_topic_policy_suggest(call->policy, request, why);
    }
    if (request->attempt && adu_topic_policy_reports(call->policy)) {
        adu_reports_note(i->reports, &client->reports, call, request, why);
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

/* --- topics in use --- */

static bool follows(const void *policy)
{
    return adu_topic_policy_telling(policy)->on;
}

static uint32_t namespace_of(const struct adu_stage_call *call, const struct adu_request *request,
                             struct adu_found_topic *found)
{
    if (found != NULL && found->generation == call->generation) {
        return found->namespace;
    }
    const uint32_t namespace = adu_topic_policy_namespace(call->policy, request);
    if (found != NULL) {
        found->generation = call->generation;
        found->namespace = namespace;
    }
    return namespace;
}

static void let_through(const struct adu_stage_call *call, const struct adu_request *request,
                        void *client_state)
{
    struct instance *i = call->instance;
    struct client *client = client_state;
    if (!request->attempt || client == NULL || !follows(call->policy)) {
        return;
    }
    const uint32_t who = (uint32_t)adu_refused_who(&client->refused, request->subject);
    struct adu_found_topic *found =
        adu_discovery_note(i->discovery, request->topic, request->subject->client_id,
                           who != 0 ? who : 1, request->now_ms, request->wall_ms);
    struct adu_namespace_use *use =
        &adu_topic_policy_refusals(call->policy)->uses[namespace_of(call, request, found)];
    use->first_ms = use->messages == 0 ? request->wall_ms : use->first_ms;
    use->last_ms = request->wall_ms;
    use->messages++;
}

static json_t *tell_topics(const struct adu_stage_call *call, const struct adu_topics_asked *asked)
{
    const struct instance *i = call->instance;
    return asked->summary ? adu_telling_summary(call, i->discovery)
                          : adu_telling_page(call, i->discovery, asked);
}

static void publish_report(const struct adu_stage_call *call, struct instance *i)
{
    const struct adu_telling *telling = adu_topic_policy_telling(call->policy);
    if (telling->topic.length == 0 || call->now_ms < i->report_due_ms) {
        return;
    }
    i->report_due_ms = call->now_ms + telling->every_ms;
    char *text = adu_telling_report(call, i->discovery, telling->most);
    if (text != NULL) {
        call->outlet->publish(call->outlet->context, telling->topic.bytes, text, 0, true);
    } else {
        call->counters->stage_errors++;
    }
    free(text);
}

static void tick(const struct adu_stage_call *call)
{
    struct instance *i = call->instance;
    struct adu_refusals *refusals = adu_topic_policy_refusals(call->policy);
    refusals->since_ms = refusals->since_ms != 0 ? refusals->since_ms : call->wall_ms;
    adu_reports_tell(i->reports, call);
    publish_report(call, i);
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
    .client_state_size = sizeof(struct client),
    .published = published,
    .decide = decide,
    .let_through = let_through,
    .follows = follows,
    .tell_topics = tell_topics,
    .tick = tick,
    .possible = possible,
};
