/* The broker asks whether somebody may come in: a log-in, or one that it asks about once more. */
#include "common/pipeline_parts.h"

/* After SIGHUP every broker asks about all its sessions once more. What it then has of a client is
 * not what the client proved, so the answer is the one that its log-in earned; whom the new policy
 * does not know is kicked by the sweep. */
static bool is_rerun(struct adu_pipeline *p, const struct adu_connect *connect, struct adu_now now,
                     struct adu_principal **principal)
{
    if (now.mono_ms > p->rerun_until_ms || connect->client_id == NULL) {
        return false;
    }
    struct adu_session *session =
        adu_sessions_find(p->sessions, connect->handle, connect->client_id);
    /* Who is offline shows no certificate; a new connection under the same handle might. */
    if (session != NULL && session->rerun_due &&
        (session->online || connect->certificate.bytes == NULL)) {
        session->rerun_due = false;
        *principal = session->principal;
        return true;
    }
    /* A durable session that the broker restored from its file: nobody is connected. */
    if (session == NULL && connect->address == NULL && connect->certificate.bytes == NULL &&
        connect->password == NULL) {
        *principal = adu_principals_find(p->principals, connect->client_id, connect->username);
        return true; /* it stays; what it may receive is asked for each message */
    }
    return false;
}

static enum adu_verdict judge_connect(struct adu_pipeline *p, const struct adu_connect *connect,
                                      struct adu_now now, char *username)
{
    struct adu_principal *principal = NULL;
    username[0] = '\0';
    if (is_rerun(p, connect, now, &principal)) {
        return p->broker_authenticates ? ADU_ABSTAIN : ADU_ALLOW;
    }
    if (p->broker_authenticates && !p->refuse_all && connect->client_id != NULL) {
        return adu_sessions_open(p->sessions, connect->handle, connect->client_id, NULL,
                                 connect->durable) != NULL
                   ? ADU_ABSTAIN
                   : ADU_DENY;
    }
    /* Whatever stood under this handle is gone: the broker has taken its memory for this one. */
    adu_sessions_forget_handle(p->sessions, connect->handle);
    adu_pipeline_unhold(p, connect->handle, connect->client_id);
    uint64_t ticket = 0;
    const enum adu_verdict verdict = adu_pipeline_log_in(p, connect, now, &ticket, username);
    return verdict == ADU_LATER ? adu_pipeline_hold(p, connect, now, ticket, username) : verdict;
}

enum adu_verdict adu_pipeline_login(struct adu_pipeline *p, const struct adu_connect *connect,
                                    struct adu_now now, char *username)
{
    if (p->attached == 0) {
        return ADU_DENY;
    }
    adu_pipeline_start(p, now);
    if (!p->measuring) {
        return judge_connect(p, connect, now, username);
    }
    const int64_t begun_ns = adu_pipeline_clock(p);
    const enum adu_verdict verdict = judge_connect(p, connect, now, username);
    adu_pipeline_took(p, &p->metrics.login, begun_ns);
    return verdict;
}
