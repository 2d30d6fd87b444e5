/* May they? The hot path: from the broker's question to one answer. */
#include "common/asking.h"

/* --- the truth table --- */

/* What is asked for every request, whatever is remembered. False if one of them refuses it. */
static bool count(struct adu_asking *a)
{
    struct adu_pipeline *p = a->p;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage == NULL || stage->count == NULL) {
            continue;
        }
        const struct adu_stage_call call =
            adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, a->now);
        const enum adu_verdict verdict =
            stage->count(&call, &a->request, a->principal->state[kind], a->why);
        if (verdict == ADU_TOO_MUCH) {
            adu_asking_weigh_excess(a, (enum adu_stage_kind)kind);
        } else if (verdict != ADU_ABSTAIN &&
                   adu_asking_stands(a, (enum adu_stage_kind)kind, verdict)) {
            return false;
        }
    }
    return true;
}

/*  any stage DENY or ERROR                  -> DENY   (its reason)
 *  else the granting stage (acl) ALLOW      -> ALLOW
 *  else acl loaded                          -> DENY   (it abstained: silence is never yes)
 *  else acl's file says to do without it    -> ABSTAIN (the broker's own access control decides)
 *  else                                     -> DENY   (refuse_all, before any stage is asked)
 *
 * A stage in watch mode is asked like any other; its DENY is logged and counted and then taken for
 * an ABSTAIN, or for an ALLOW where the stage is the one that grants. So is a DENY that the stage
 * itself says is only watched. */
static enum adu_verdict combine(struct adu_asking *a)
{
    struct adu_pipeline *p = a->p;
    enum adu_verdict granted = p->broker_permits ? ADU_ABSTAIN : ADU_DENY;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage == NULL || stage->decide == NULL) {
            continue;
        }
        const struct adu_stage_call call =
            adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, a->now);
        const enum adu_verdict verdict =
            stage->decide(&call, &a->request, a->principal->state[kind], a->why);
        const bool grants = kind == ADU_STAGE_ACL;
        if (verdict != ADU_ALLOW && (verdict != ADU_ABSTAIN || grants) &&
            adu_asking_stands(a, (enum adu_stage_kind)kind, verdict)) {
            return ADU_DENY;
        }
        granted = grants ? ADU_ALLOW : granted;
    }
    return granted;
}

/* --- who is asking --- */

/* Asked about somebody without a session. That is a durable session restored from the broker's file
 * or the publisher of a retained message, if nobody is connected under that handle; or a connection
 * that the broker let in without asking us, which is a door left open. */
static struct adu_principal *absent(struct adu_pipeline *p, const struct adu_question *question,
                                    struct adu_reason *why)
{
    if (p->host->address(question->handle) != NULL || p->host->has_certificate(question->handle)) {
        why->text = "this connection never logged in: the broker skipped its plugins, as it does "
                    "with use_identity_as_username or use_subject_as_username; switch them off";
        return NULL;
    }
    struct adu_principal *principal = adu_principals_find(p->principals, question->client_id,
                                                          p->host->username(question->handle));
    if (principal == NULL) {
        why->text =
            question->action == ADU_PUBLISH
                ? "the message's publisher is not known; it is let through when that client "
                  "has logged in again"
                : "this offline session's client is not known; it is served again when that "
                  "client has logged in";
    }
    return principal;
}

static struct adu_principal *find_principal(struct adu_pipeline *p,
                                            const struct adu_question *question,
                                            struct adu_session **found, struct adu_reason *why)
{
    struct adu_session *session =
        adu_sessions_find(p->sessions, question->handle, question->client_id);
    *found = session;
    if (session == NULL) {
        return absent(p, question, why);
    }
    if (session->principal == NULL && !adu_pipeline_own_by_name(p, session)) {
        why->text = "out of memory, or too many clients";
        return NULL;
    }
    return session->principal;
}

bool adu_pipeline_well_formed(struct adu_request *request, struct adu_reason *why)
{
    if (request->action != ADU_SUBSCRIBE) {
        if (!adu_topic_name_valid(request->topic)) {
            why->text = "not a topic name that MQTT allows";
        }
    } else if (!adu_topic_filter_valid(request->topic) ||
               !adu_topic_unshare(request->topic, &request->group, &request->topic)) {
        why->text = "not a topic filter that MQTT allows";
    }
    return why->text == NULL;
}

static ADU_COLD void tell_allowed(const struct adu_asking *a)
{
    adu_pipeline_tell_request(a->p, ADU_AUDIT_ALLOWED, a->will, a->handle, &a->request,
                              a->principal, NULL);
}

static bool follows(const struct adu_asking *a)
{
    return a->p->policy->follows && a->request.action == ADU_PUBLISH;
}

static void follow(const struct adu_asking *a)
{
    struct adu_pipeline *p = a->p;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->let_through != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, a->now);
            p->stages[kind]->let_through(&call, &a->request, a->principal->state[kind]);
        }
    }
}

static enum adu_verdict allow(const struct adu_asking *a)
{
    struct adu_pipeline *p = a->p;
    if (p->tell_allowed) {
        tell_allowed(a);
    }
    if (follows(a)) {
        follow(a);
    }
    switch (a->request.action) {
    case ADU_PUBLISH:
        p->counters.publish_allowed++;
        break;
    case ADU_SUBSCRIBE:
        p->counters.subscribe_allowed++;
        break;
    case ADU_RECEIVE:
        p->counters.receive_allowed++;
        break;
    }
    return ADU_ALLOW;
}

static void tell_stages(const struct adu_asking *a)
{
    struct adu_pipeline *p = a->p;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->published != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, a->now);
            p->stages[kind]->published(&call, &a->request);
        }
    }
}

/* Of somebody known, by the running policy. */
static enum adu_verdict judge(struct adu_asking *a)
{
    struct adu_recent *recent =
        a->request.action != ADU_SUBSCRIBE ? a->principal->recent : NULL; /* once is rare */
    if (!count(a)) {
        return ADU_DENY;
    }
    if (adu_recent_allowed(recent, a->request.action,
                           adu_topic_cache_find(a->p->topics, a->request.topic))) {
        a->p->counters.decisions_remembered++;
        return a->too_much ? adu_asking_let_go(a, ADU_ALLOW) : allow(a);
    }
    if (!adu_pipeline_well_formed(&a->request, a->why)) {
        return adu_asking_refuse(a);
    }
    const enum adu_verdict verdict = combine(a);
    if (a->too_much && verdict != ADU_DENY) {
        return adu_asking_let_go(a, verdict);
    }
    if (verdict == ADU_ABSTAIN && follows(a)) {
        follow(a);
    }
    if (verdict != ADU_ALLOW) {
        return verdict;
    }
    if (!a->watched && a->request.action == ADU_PUBLISH) {
        tell_stages(a);
    }
    if (!a->watched && !a->why->passing) {
        adu_recent_remember(recent, a->request.action,
                            adu_topic_cache_add(a->p->topics, a->request.topic));
    }
    return allow(a);
}

static enum adu_verdict decide(struct adu_pipeline *p, const struct adu_question *question,
                               struct adu_now now)
{
    if (p->attached == 0 || question->client_id == NULL || question->topic == NULL) {
        return ADU_DENY;
    }
    adu_pipeline_start(p, now);
    p->too_much.handle = NULL;
    struct adu_reason why; /* one for all: only a refusal writes to it */
    adu_reason_clear(&why);
    if (p->refuse_all) {
        why.text = p->refuse_why;
        return adu_asking_refuse_unknown(p, question, &why, now);
    }
    struct adu_session *session;
    struct adu_principal *principal = find_principal(p, question, &session, &why);
    if (principal == NULL) {
        return adu_asking_refuse_unknown(p, question, &why, now);
    }
    if (principal->judged != p->policy->number) {
        adu_pipeline_judge(p, principal, now);
    }
    struct adu_asking a = {.p = p,
                           .principal = principal,
                           .handle = question->handle,
                           .request = {.action = question->action,
                                       .topic = adu_text_of(question->topic),
                                       .qos = question->qos,
                                       .retain = question->retain,
                                       .payload_length = question->payload_length,
                                       .payload = question->payload,
                                       .properties = question->properties,
                                       .subject = &principal->subject,
                                       .now_ms = now.mono_ms,
                                       .wall_ms = now.wall_ms,
                                       .attempt = session != NULL},
                           .why = &why,
                           .now = now,
                           /* The broker sends a will after the end of its connection. */
                           .will = question->action == ADU_PUBLISH && session != NULL &&
                                   !session->online};
    if (!principal->valid) {
        why.text = principal->why;
        return adu_asking_refuse(&a);
    }
    return judge(&a);
}

static ADU_COLD enum adu_verdict
decide_timed(struct adu_pipeline *p, const struct adu_question *question, struct adu_now now)
{
    struct adu_histogram *const took[] = {[ADU_PUBLISH] = &p->metrics.decision_publish,
                                          [ADU_SUBSCRIBE] = &p->metrics.decision_subscribe,
                                          [ADU_RECEIVE] = &p->metrics.decision_receive};
    const int64_t begun_ns = adu_pipeline_clock(p);
    const enum adu_verdict verdict = decide(p, question, now);
    adu_pipeline_took(p, took[question->action], begun_ns);
    adu_sampler_next(&p->sampler);
    return verdict;
}

enum adu_verdict adu_pipeline_decide(struct adu_pipeline *p, const struct adu_question *question,
                                     struct adu_now now)
{
    return adu_sampler_due(&p->sampler) ? decide_timed(p, question, now) : decide(p, question, now);
}
