/* They may, but it is too much: the broker is let ask again about such a publish, and is then told
 * to drop it, as the client hears. */
#include "common/asking.h"

/* About an order the broker does not ask again. */
bool adu_pipeline_tells_excess(const struct adu_pipeline *p, const void *handle,
                               struct adu_text topic)
{
    return p->asked_again && !adu_text_begins(topic, "$CONTROL/") && p->host->hears_why != NULL &&
           p->host->hears_why(handle);
}

/* Nor does it about a message that it has already: one of a session that is taken up, or a retained
 * one. Those look like any publish here, and pass; so it is told and counted only when the broker
 * does ask again. */
void adu_asking_weigh_excess(struct adu_asking *a, enum adu_stage_kind kind)
{
    struct adu_pipeline *p = a->p;
    a->too_much = adu_pipeline_tells_excess(p, a->handle, a->request.topic);
    p->too_much.stage = adu_stage_name(kind);
    p->too_much.text = a->why->text;
    adu_reason_clear(a->why);
}

enum adu_verdict adu_asking_let_go(const struct adu_asking *a, enum adu_verdict verdict)
{
    struct adu_too_much *much = &a->p->too_much;
    much->handle = a->handle;
    much->principal = a->principal;
    much->request = a->request;
    much->request.payload = NULL;
    much->request.properties = NULL;
    return verdict;
}

/* --- asked again --- */

bool adu_pipeline_throttles(const struct adu_pipeline *p)
{
    return p->attached > 0 && p->policy->throttles;
}

void adu_pipeline_asked_again(struct adu_pipeline *p, bool is)
{
    p->asked_again = is;
    if (!is && adu_pipeline_throttles(p)) {
        p->counters.stage_errors++;
        adu_pipeline_log(p, ADU_LOG_ERROR,
                         "the broker does not take a callback for each message: what throttled "
                         "clients publish with QoS 1 and 2 is let through");
    }
}

static ADU_COLD void refuse_too_much(struct adu_pipeline *p, const char *topic)
{
    const struct adu_too_much *much = &p->too_much;
    struct adu_reason why;
    adu_reason_clear(&why);
    why.stage = much->stage;
    why.text = much->text;
    struct adu_asking a = {
        .p = p,
        .principal = much->principal,
        .handle = much->handle,
        .request = much->request,
        .why = &why,
        .now = {.mono_ms = much->request.now_ms, .wall_ms = much->request.wall_ms}};
    a.request.topic = adu_text_of(topic);
    p->counters.publishes_throttled++;
    adu_asking_refuse(&a);
}

bool adu_pipeline_too_much(struct adu_pipeline *p, const void *handle, const char *topic)
{
    if (p->attached == 0 || p->too_much.handle == NULL || p->too_much.handle != handle) {
        return false;
    }
    refuse_too_much(p, topic);
    p->too_much.handle = NULL;
    return true;
}
