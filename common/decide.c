/* May they? The hot path: from the broker's question to one answer. */
#include "common/audit.h"
#include "common/pipeline_parts.h"
#include <string.h>

/* --- refusing, which may take its time --- */

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

/* One question on its way through the stages. */
struct asking {
    struct adu_pipeline *p;
    struct adu_principal *principal;
    const void *handle;
    struct adu_request request;
    struct adu_reason *why;
    struct adu_now now;
    bool will;
    bool watched; /* something of it was refused, and let through */
    bool too_much;
};

/* All but the stage that has refused it. Whose subject could not be made, for want of memory or by
 * the policy, is of no class. */
static void tell_refused(const struct asking *a)
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

static enum adu_verdict refuse(struct asking *a)
{
    count_refusal(a->p, &a->request, a->will);
    tell_refused(a);
    adu_pipeline_tell_request(a->p, ADU_AUDIT_REFUSED, a->will, a->handle, &a->request,
                              a->principal, a->why);
    log_request(a->p, &a->principal->log, "refused", a->will, a->handle, &a->request, a->why);
    return ADU_DENY;
}

/* --- the truth table --- */

/* A stage said no, or could not say. True if that stands: logged, counted, and final. In watch mode
 * it is only logged and counted. */
static ADU_COLD bool stands(struct asking *a, enum adu_stage_kind kind, enum adu_verdict verdict)
{
    struct adu_pipeline *p = a->p;
    if (verdict == ADU_ERROR) {
        p->counters.stage_errors++;
    }
    a->why->stage = adu_stage_name(kind);
    if (adu_reason_stands(a->why, p->policy->watch[kind])) {
        refuse(a);
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

/* About an order the broker does not ask again. */
ADU_COLD bool adu_pipeline_tells_excess(const struct adu_pipeline *p, const void *handle,
                                        struct adu_text topic)
{
    static const char order[] = "$CONTROL/";
    const bool is_order =
        topic.length >= sizeof order - 1 && memcmp(topic.bytes, order, sizeof order - 1) == 0;
    return p->asked_again && !is_order && p->host->hears_why != NULL && p->host->hears_why(handle);
}

/* Nor does it about a message that it has already: one of a session that is taken up, or a retained
 * one. Those look like any publish here, and pass; so it is told and counted only when the broker
 * does ask again. */
static ADU_COLD void weigh_excess(struct asking *a, enum adu_stage_kind kind)
{
    struct adu_pipeline *p = a->p;
    a->too_much = adu_pipeline_tells_excess(p, a->handle, a->request.topic);
    p->too_much.stage = adu_stage_name(kind);
    p->too_much.text = a->why->text;
    adu_reason_clear(a->why);
}

/* What is asked for every request, whatever is remembered. False if one of them refuses it. */
static bool count(struct asking *a)
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
            weigh_excess(a, (enum adu_stage_kind)kind);
        } else if (verdict != ADU_ABSTAIN && stands(a, (enum adu_stage_kind)kind, verdict)) {
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
static enum adu_verdict combine(struct asking *a)
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
            stands(a, (enum adu_stage_kind)kind, verdict)) {
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

static enum adu_verdict refuse_unknown(struct adu_pipeline *p, const struct adu_question *question,
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

/* A client whom the broker itself let in is known by the name that the broker has for it. */
static bool own_by_name(struct adu_pipeline *p, struct adu_session *session)
{
    struct adu_principal *principal =
        adu_pipeline_broker_principal(p, session->client_id, p->host->username(session->handle));
    if (principal == NULL) {
        return false;
    }
    principal->address = adu_address_of(p->host->address(session->handle));
    principal->subject.address = principal->address;
    adu_sessions_own(session, principal);
    return true;
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
    if (session->principal == NULL && !own_by_name(p, session)) {
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

static ADU_COLD void tell_allowed(const struct asking *a)
{
    adu_pipeline_tell_request(a->p, ADU_AUDIT_ALLOWED, a->will, a->handle, &a->request,
                              a->principal, NULL);
}

static bool follows(const struct asking *a)
{
    return a->p->policy->follows && a->request.action == ADU_PUBLISH;
}

/* So that the broker asks again; for the stages nothing was published. */
static ADU_COLD enum adu_verdict let_go(const struct asking *a, enum adu_verdict verdict)
{
    struct adu_too_much *much = &a->p->too_much;
    much->handle = a->handle;
    much->principal = a->principal;
    much->request = a->request;
    much->request.payload = NULL;
    much->request.properties = NULL;
    return verdict;
}

static void follow(const struct asking *a)
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

static enum adu_verdict allow(const struct asking *a)
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

static void tell_stages(const struct asking *a)
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
static enum adu_verdict judge(struct asking *a)
{
    struct adu_recent *recent =
        a->request.action != ADU_SUBSCRIBE ? a->principal->recent : NULL; /* once is rare */
    if (!count(a)) {
        return ADU_DENY;
    }
    if (adu_recent_allowed(recent, a->request.action,
                           adu_topic_cache_find(a->p->topics, a->request.topic))) {
        a->p->counters.decisions_remembered++;
        return a->too_much ? let_go(a, ADU_ALLOW) : allow(a);
    }
    if (!adu_pipeline_well_formed(&a->request, a->why)) {
        return refuse(a);
    }
    const enum adu_verdict verdict = combine(a);
    if (a->too_much && verdict != ADU_DENY) {
        return let_go(a, verdict);
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
        return refuse_unknown(p, question, &why, now);
    }
    struct adu_session *session;
    struct adu_principal *principal = find_principal(p, question, &session, &why);
    if (principal == NULL) {
        return refuse_unknown(p, question, &why, now);
    }
    if (principal->judged != p->policy->number) {
        adu_pipeline_judge(p, principal, now);
    }
    struct asking a = {.p = p,
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
                       .will =
                           question->action == ADU_PUBLISH && session != NULL && !session->online};
    if (!principal->valid) {
        why.text = principal->why;
        return refuse(&a);
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
    struct asking a = {.p = p,
                       .principal = much->principal,
                       .handle = much->handle,
                       .request = much->request,
                       .why = &why,
                       .now = {.mono_ms = much->request.now_ms, .wall_ms = much->request.wall_ms}};
    a.request.topic = adu_text_of(topic);
    p->counters.publishes_throttled++;
    refuse(&a);
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

static void tell_left(struct adu_pipeline *p, struct adu_principal *principal, enum adu_end end,
                      struct adu_now now)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        /* Whom the broker let in, and who never asked for anything, has no state yet. */
        if (p->stages[kind] != NULL && p->stages[kind]->left != NULL &&
            principal->state[kind] != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            p->stages[kind]->left(&call, &principal->subject, principal->state[kind], end);
        }
    }
}

void adu_pipeline_gone(struct adu_pipeline *p, const void *handle, const char *client_id,
                       bool session_ended, enum adu_end end, struct adu_now now)
{
    if (p->attached == 0 || client_id == NULL) {
        return;
    }
    adu_pipeline_unhold(p, handle, NULL);
    struct adu_session *session = adu_sessions_find(p->sessions, handle, client_id);
    if (session == NULL) {
        return; /* a failed log-in, whoever's client id it claimed */
    }
    if (session->principal == NULL) {
        own_by_name(p, session); /* its will, if it has one, is asked about after this */
    }
    struct adu_principal *principal = session->principal;
    /* Once it is offline a durable session stays; told again of its end, it ends. */
    const bool durable = session->durable && session->online && !session_ended;
    const bool kicked = session->kicked; /* it may not be there any more once it is closed */
    session->durable = durable;
    session->rerun_due = session->rerun_due && durable; /* the broker has forgotten the others */
    adu_sessions_close(p->sessions, session);
    if (principal != NULL && principal->online == 0) {
        const bool changed = principal->durable != durable;
        principal->durable = durable;
        adu_principals_seen(p->principals, principal, now.wall_ms);
        tell_left(p, principal, kicked ? ADU_END_KICKED : end, now);
        if (changed) {
            adu_pipeline_remember(p, principal);
        }
    }
}
