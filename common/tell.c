/* What the audit log is told, and what the broker's log is told of the audit log. */
#include "common/audit_log.h"
#include "common/audit_sink.h"
#include "common/pipeline_parts.h"

/* About the audit log itself the broker's log says something at most so often, and once more when
 * it has been wrong for so long. */
enum { SAY_MS = 10000, SAY_AGAIN_MS = 3600000 };

static struct adu_audit_record *next(struct adu_pipeline *p, enum adu_audit_event event,
                                     enum adu_audit_verdict verdict, struct adu_now now)
{
    struct adu_audit_record *record =
        adu_audit_log_next(p->audit, verdict == ADU_AUDIT_ALLOWED, now.mono_ms);
    if (record != NULL) {
        adu_audit_record_begin(record, event, verdict, now.wall_ms, p->policy->number);
    }
    return record;
}

/* Only what the running policy says of somebody. */
static const char *identity_of(const struct adu_pipeline *p, const struct adu_principal *principal)
{
    return principal != NULL && principal->judged == p->policy->number ? principal->identity : NULL;
}

void adu_pipeline_tell_request(struct adu_pipeline *p, enum adu_audit_verdict verdict, bool will,
                               const void *handle, const struct adu_request *request,
                               const struct adu_principal *principal, const struct adu_reason *why)
{
    static const enum adu_audit_event events[] = {[ADU_PUBLISH] = ADU_AUDIT_PUBLISH,
                                                  [ADU_SUBSCRIBE] = ADU_AUDIT_SUBSCRIBE,
                                                  [ADU_RECEIVE] = ADU_AUDIT_RECEIVE};
    const struct adu_now now = {.mono_ms = request->now_ms, .wall_ms = request->wall_ms};
    struct adu_audit_record *record =
        next(p, will ? ADU_AUDIT_WILL : events[request->action], verdict, now);
    if (record == NULL) {
        return;
    }
    adu_audit_record_request(record, request);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_ADDRESS, p->host->address(handle));
    adu_audit_record_text(record, ADU_AUDIT_TEXT_IDENTITY, identity_of(p, principal));
    if (why != NULL) {
        adu_audit_record_reason(record, why);
    }
    adu_audit_log_commit(p->audit);
}

void adu_pipeline_tell_connect(struct adu_pipeline *p, enum adu_audit_verdict verdict,
                               const struct adu_connect *connect, const struct adu_login *login,
                               struct adu_now now)
{
    struct adu_audit_record *record = next(p, ADU_AUDIT_CONNECT, verdict, now);
    if (record == NULL) {
        return;
    }
    adu_audit_record_text(record, ADU_AUDIT_TEXT_CLIENT_ID, connect->client_id);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_CLAIMED_USERNAME, connect->username);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_ADDRESS, connect->address);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_IDENTITY, login->identity);
    if (verdict == ADU_AUDIT_ALLOWED) { /* of a refused one nobody knows that it is so called */
        adu_audit_record_text(record, ADU_AUDIT_TEXT_USERNAME, login->username);
    } else {
        adu_audit_record_reason(record, &login->why);
    }
    adu_audit_log_commit(p->audit);
}

void adu_pipeline_tell_disconnect(struct adu_pipeline *p, const struct adu_session *session,
                                  const struct adu_reason *why, struct adu_now now)
{
    struct adu_audit_record *record = next(p, ADU_AUDIT_DISCONNECT, ADU_AUDIT_REFUSED, now);
    if (record == NULL) {
        return;
    }
    const struct adu_principal *principal = session->principal;
    adu_audit_record_text(record, ADU_AUDIT_TEXT_CLIENT_ID, session->client_id);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_USERNAME,
                          principal != NULL ? principal->username : NULL);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_ADDRESS, p->host->address(session->handle));
    adu_audit_record_text(record, ADU_AUDIT_TEXT_IDENTITY, identity_of(p, principal));
    adu_audit_record_reason(record, why);
    adu_audit_log_commit(p->audit);
}

void adu_pipeline_tell_event(struct adu_pipeline *p, const struct adu_event *event,
                             struct adu_now now)
{
    struct adu_audit_record *record =
        next(p, ADU_AUDIT_ALERT, event->raised ? ADU_AUDIT_RAISED : ADU_AUDIT_CLEARED, now);
    if (record == NULL) {
        return;
    }
    const struct adu_reason why = {.stage = adu_stage_name(ADU_STAGE_RATE_MONITOR),
                                   .text = event->text,
                                   .rule = event->rule,
                                   .limit = ADU_NO_LIMIT};
    adu_audit_record_text(record, ADU_AUDIT_TEXT_KIND, event->kind);
    if (event->about != NULL) {
        adu_audit_record_text(record, ADU_AUDIT_TEXT_CLIENT_ID, event->about->client_id);
        adu_audit_record_text(record, ADU_AUDIT_TEXT_USERNAME, event->about->username);
    }
    adu_audit_record_reason(record, &why);
    adu_audit_log_commit(p->audit);
}

void adu_pipeline_tell_where(struct adu_pipeline *p)
{
    adu_audit_log_use(p->audit, &p->policy->settings.audit);
    p->tell_allowed = adu_audit_log_wants_allowed(p->audit);
}

static void say(struct adu_pipeline *p, const struct adu_audit_state *state, struct adu_now now)
{
    char name[ADU_AUDIT_SINK_NAME];
    const bool wrong = state->error != 0, said = p->audit_wrong;
    const int64_t silent_ms = now.mono_ms - p->audit_said_ms;
    if ((wrong == said && (!wrong || silent_ms < SAY_AGAIN_MS)) ||
        (p->audit_said_ms != 0 && silent_ms < SAY_MS)) {
        return;
    }
    p->audit_wrong = wrong;
    p->audit_said_ms = now.mono_ms;
    adu_audit_sink_name(&p->policy->settings.audit, name);
    if (wrong) {
        adu_pipeline_log(p, ADU_LOG_ERROR,
                         "audit log %.300s: %s; %zu lines wait, and what finds no room is left out",
                         name, adu_audit_sink_text(state->error), state->waiting);
    } else {
        adu_pipeline_log(p, ADU_LOG_NOTICE,
                         "audit log %.300s: it is written again; %llu lines were left out so far",
                         name, (unsigned long long)state->dropped);
    }
}

void adu_pipeline_tell_tick(struct adu_pipeline *p, struct adu_now now)
{
    const struct adu_audit_state state = adu_audit_log_state(p->audit);
    p->counters.audit_written = state.written;
    p->counters.audit_dropped = state.dropped;
    p->counters.audit_failed = state.failed;
    say(p, &state, now);
}
