/* They may not: a refusal is counted, told and logged. It may take its time. */
#include "common/asking.h"
#include "common/audit.h"

static void count_refusal(struct adu_pipeline *p, const struct adu_request *request, bool will)
{
    uint64_t *const refused[] = {[ADU_PUBLISH] = &p->counters.publish_refused,
                                 [ADU_SUBSCRIBE] = &p->counters.subscribe_refused,
                                 [ADU_RECEIVE] = &p->counters.receive_refused};
    ++*refused[request->action];
    if (will) {
        p->counters.wills_refused++;
    }
}

static ADU_COLD void log_request(struct adu_pipeline *p, struct adu_log_window *window,
                                 const char *verb, bool will, const void *handle,
                                 const struct adu_request *request, const struct adu_reason *why)
{
    char line[ADU_AUDIT_LINE];
    uint64_t left_out;
    if (!adu_audit_may_log(window, request->now_ms, &left_out)) {
        p->counters.log_lines_left_out++;
        return;
    }
    if (left_out > 0) {
        char id[ADU_AUDIT_NAME];
        adu_pipeline_log(p, ADU_LOG_NOTICE, "%llu more refusals of client=%s were not logged",
                         (unsigned long long)left_out,
                         adu_audit_name(request->subject->client_id, id));
    }
    p->host->log(ADU_LOG_NOTICE,
                 adu_audit_request(verb, will, request, p->host->address(handle), why, line));
}

/* All but the stage that has refused it. Whose subject could not be made, for want of memory or by
 * the policy, is of no class. */
static void tell_refused(const struct adu_asking *a)
{
    struct adu_pipeline *p = a->p;
    for (int kind = 0; a->principal->valid && kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->refused != NULL &&
            a->why->stage != adu_stage_name((enum adu_stage_kind)kind) &&
            a->principal->state[kind] != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, a->now);
            p->stages[kind]->refused(&call, &a->request, a->principal->state[kind]);
        }
    }
}

enum adu_verdict adu_asking_refuse(struct adu_asking *a)
{
    count_refusal(a->p, &a->request, a->will);
    tell_refused(a);
    adu_pipeline_tell_request(a->p, ADU_AUDIT_REFUSED, a->will, a->handle, &a->request,
                              a->principal, a->why);
    log_request(a->p, &a->principal->log, "refused", a->will, a->handle, &a->request, a->why);
    return ADU_DENY;
}

enum adu_verdict adu_asking_refuse_unknown(struct adu_pipeline *p,
                                           const struct adu_question *question,
                                           struct adu_reason *why, struct adu_now now)
{
    const struct adu_subject subject = {.client_id = question->client_id,
                                        .username = p->host->username(question->handle)};
    const struct adu_request request = {.action = question->action,
                                        .topic = adu_text_of(question->topic),
                                        .qos = question->qos,
                                        .retain = question->retain,
                                        .subject = &subject,
                                        .payload_length = question->payload_length,
                                        .now_ms = now.mono_ms,
                                        .wall_ms = now.wall_ms};
    p->counters.unknown_sessions++;
    count_refusal(p, &request, false);
    adu_pipeline_tell_request(p, ADU_AUDIT_REFUSED, false, question->handle, &request, NULL, why);
    log_request(p, &p->connect_log, "refused", false, question->handle, &request, why);
    return ADU_DENY;
}

bool adu_asking_stands(struct adu_asking *a, enum adu_stage_kind kind, enum adu_verdict verdict)
{
    struct adu_pipeline *p = a->p;
    if (verdict == ADU_ERROR) {
        p->counters.stage_errors++;
    }
    a->why->stage = adu_stage_name(kind);
    if (adu_reason_stands(a->why, p->policy->watch[kind])) {
        adu_asking_refuse(a);
        return true;
    }
    p->counters.would_refuse++;
    adu_pipeline_tell_request(p, ADU_AUDIT_WOULD_REFUSE, a->will, a->handle, &a->request,
                              a->principal, a->why);
    log_request(p, &a->principal->log, "would refuse", a->will, a->handle, &a->request, a->why);
    adu_reason_clear(a->why);
    a->watched = true;
    return false;
}
