/* They go: a connection has ended, and with it, or not, the session. */
#include "common/pipeline_parts.h"

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

/* Who is bound to its client id has taken it from this one, and the broker's session with it. */
static bool is_displaced(struct adu_pipeline *p, const char *client_id,
                         const struct adu_principal *principal)
{
    const struct adu_principal *one = adu_principals_of_client(p->principals, client_id);
    while (one != NULL && (one == principal || one->online == 0)) {
        one = one->next_of_client;
    }
    return one != NULL;
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
    if (session->principal == NULL) { /* its will, if it has one, is asked about after this */
        adu_pipeline_own_by_name(p, session);
    }
    struct adu_principal *principal = session->principal;
    /* Once it is offline a durable session stays; told again of its end, it ends. */
    const bool durable = session->durable && session->online && !session_ended &&
                         !is_displaced(p, client_id, principal);
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
