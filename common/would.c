/* Might they? The answer that the truth table of decide.c gives, without anybody having asked. */
#include "common/pipeline_parts.h"

/* The first refusal that is only watched is kept beside a yes. */
static enum adu_verdict combine(struct adu_pipeline *p, struct adu_principal *principal,
                                const struct adu_request *request, struct adu_now now,
                                struct adu_reason *why)
{
    enum adu_verdict granted = p->broker_permits ? ADU_ABSTAIN : ADU_DENY;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage == NULL || stage->decide == NULL) {
            continue;
        }
        struct adu_reason one = ADU_REASON_INIT;
        const struct adu_stage_call call =
            adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
        const enum adu_verdict verdict =
            stage->decide(&call, request, principal->state[kind], &one);
        const bool grants = kind == ADU_STAGE_ACL;
        if (verdict != ADU_ALLOW && (verdict != ADU_ABSTAIN || grants)) {
            one.stage = adu_stage_name((enum adu_stage_kind)kind);
            if (adu_reason_stands(&one, p->policy->watch[kind])) {
                *why = one;
                return ADU_DENY;
            }
            if (!why->watched) {
                *why = one;
                why->watched = true;
            }
        }
        granted = grants ? ADU_ALLOW : granted;
    }
    return granted;
}

/* True if that client can be told of too much, on the connection that it has. */
static bool is_told(const struct adu_pipeline *p, const struct adu_principal *principal,
                    const struct adu_request *request)
{
    const struct adu_session *session = adu_sessions_online_of(principal);
    return session != NULL && adu_pipeline_tells_excess(p, session->handle, request->topic);
}

/* DENY, or TOO_MUCH where the client would be told, with `why`; else ABSTAIN. */
static enum adu_verdict hold_back(const struct adu_pipeline *p,
                                  const struct adu_principal *principal,
                                  const struct adu_request *request, struct adu_reason *why)
{
    enum adu_verdict held = ADU_ABSTAIN;
    for (int kind = 0; held == ADU_ABSTAIN && kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage != NULL && stage->holds_back != NULL) {
            held = stage->holds_back(request, principal->state[kind], why);
            why->stage = adu_stage_name((enum adu_stage_kind)kind);
        }
    }
    return held == ADU_TOO_MUCH && !is_told(p, principal, request) ? ADU_ABSTAIN : held;
}

/* $SYS/broker/connection/+/state: what bridges say of themselves. */
static bool is_bridge_state(struct adu_text topic)
{
    static const char *const levels[] = {"$SYS", "broker", "connection", NULL, "state"};
    enum { LEVELS = sizeof levels / sizeof levels[0] };
    struct adu_text level;
    size_t count = 0;
    while (adu_topic_next_level(&topic, &level)) {
        if (count == LEVELS || (levels[count] != NULL && !adu_text_is(level, levels[count]))) {
            return false;
        }
        count++;
    }
    return count == LEVELS;
}

/* Every broker refuses these before it asks a plugin, whatever that would say. */
static bool is_asked(const struct adu_request *request, struct adu_reason *why)
{
    if (request->action == ADU_PUBLISH && adu_text_begins(request->topic, "$SYS") &&
        !is_bridge_state(request->topic)) {
        why->text = "the broker itself refuses what clients publish to $SYS";
    }
    return why->text == NULL;
}

bool adu_pipeline_pose(struct adu_pipeline *p, struct adu_principal *principal,
                       const struct adu_question *question, struct adu_now now,
                       struct adu_request *request, struct adu_reason *why)
{
    adu_reason_clear(why);
    if (p->refuse_all) {
        why->text = p->refuse_why;
        return false;
    }
    if (principal->judged != p->policy->number) {
        adu_pipeline_judge(p, principal, now);
    }
    if (!principal->valid) {
        why->text = principal->why;
        return false;
    }
    *request = (struct adu_request){.action = question->action,
                                    .topic = adu_text_of(question->topic),
                                    .qos = question->qos,
                                    .retain = question->retain,
                                    .payload_length = question->payload_length,
                                    .payload = question->payload,
                                    .subject = &principal->subject,
                                    .now_ms = now.mono_ms,
                                    .wall_ms = now.wall_ms};
    return adu_pipeline_well_formed(request, why) && is_asked(request, why);
}

enum adu_verdict adu_pipeline_would(struct adu_pipeline *p, struct adu_principal *principal,
                                    const struct adu_question *question, struct adu_now now,
                                    struct adu_reason *why)
{
    struct adu_request request;
    struct adu_reason excess = ADU_REASON_INIT;
    if (!adu_pipeline_pose(p, principal, question, now, &request, why)) {
        return ADU_DENY;
    }
    const enum adu_verdict held = hold_back(p, principal, &request, &excess);
    if (held != ADU_DENY) {
        const enum adu_verdict verdict = combine(p, principal, &request, now, why);
        if (held == ADU_ABSTAIN || verdict == ADU_DENY) { /* too much or not, it may not */
            return verdict;
        }
    }
    *why = excess;
    return ADU_DENY;
}
