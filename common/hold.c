/* Log-ins whose answer takes its time: held where the broker can hold them, else waited for as long
 * as the loop bears it; and clients that are looked up anew while they are connected. */
#include "common/audit.h"
#include "common/pipeline_parts.h"
#include <string.h>

/* Nobody is held for longer: clients give up before. */
enum { HELD_MS = 60000, ANSWERS_AT_ONCE = 16, REFRESHED_A_TICK = 50, REFRESHING_MOST = 1000 };

static void refuse(struct adu_pipeline *p, const struct adu_connect *connect, struct adu_now now,
                   const char *text)
{
    const struct adu_login login = {.why = {.text = text, .limit = ADU_NO_LIMIT}};
    adu_pipeline_refused(p, connect, &login, now);
}

static bool wait_for(struct adu_pipeline *p, struct adu_now now, uint64_t ticket)
{
    void *instance = NULL;
    const struct adu_stage *stage = adu_pipeline_answering(p, &instance);
    const struct adu_stage_call call = adu_pipeline_call(p, stage->kind, NULL, now);
    return stage->wait(&call, ticket);
}

enum adu_verdict adu_pipeline_hold(struct adu_pipeline *p, const struct adu_connect *connect,
                                   struct adu_now now, uint64_t ticket, char *username)
{
    if (p->host->complete != NULL) {
        if (adu_pending_hold(p->pending, connect, ticket, now.mono_ms)) {
            p->counters.logins_held++;
            return ADU_LATER;
        }
        adu_pipeline_abandon(p, ticket);
        refuse(p, connect, now, "too many log-ins wait for an answer");
        return ADU_DENY;
    }
    if (wait_for(p, now, ticket)) {
        const enum adu_verdict verdict = adu_pipeline_log_in(p, connect, now, &ticket, username);
        adu_pipeline_abandon(p, ticket);
        return verdict == ADU_LATER ? ADU_DENY : verdict;
    }
    adu_pipeline_abandon(p, ticket);
    refuse(p, connect, now,
           "the answer takes longer than the broker may wait: it will be there "
           "when the client comes again");
    return ADU_LATER;
}

bool adu_pipeline_is_holding(const struct adu_pipeline *p)
{
    return p->attached > 0 && adu_pending_count(p->pending) > 0;
}

/* --- answers come --- */

static void complete_login(struct adu_pipeline *p, const struct adu_connect *connect,
                           uint64_t ticket, struct adu_now now)
{
    char username[ADU_USERNAME_MOST + 1] = "";
    const bool accepted = adu_pipeline_log_in(p, connect, now, &ticket, username) == ADU_ALLOW;
    if (!p->host->complete(connect->handle, connect->client_id, accepted, username) && accepted) {
        adu_pipeline_gone(p, connect->handle, connect->client_id, true, ADU_END_UNKNOWN, now);
        adu_sessions_forget_handle(p->sessions, connect->handle); /* there never was one */
    }
}

static void complete_recheck(struct adu_pipeline *p, const struct adu_connect *about,
                             uint64_t ticket, struct adu_now now)
{
    struct adu_principal *principal =
        adu_principals_find(p->principals, about->client_id, about->username);
    if (principal != NULL && adu_pipeline_judge_afresh(p, principal, now, &ticket) &&
        !principal->valid) {
        p->sweep = true;
    }
}

static void complete(struct adu_pipeline *p, uint64_t ticket, struct adu_now now)
{
    struct adu_held *held = adu_pending_take(p->pending, ticket);
    if (held != NULL && adu_held_is_recheck(held)) {
        complete_recheck(p, adu_held_connect(held), ticket, now);
    } else if (held != NULL) {
        complete_login(p, adu_held_connect(held), ticket, now);
    }
    adu_pipeline_abandon(p, ticket);
    adu_held_free(held);
}

void adu_pipeline_answers(struct adu_pipeline *p, struct adu_now now)
{
    void *instance = NULL;
    const struct adu_stage *stage = p->attached > 0 ? adu_pipeline_answering(p, &instance) : NULL;
    uint64_t ticket;
    for (int i = 0; stage != NULL && i < ANSWERS_AT_ONCE; i++) {
        if ((ticket = stage->answered(instance)) == 0) {
            return;
        }
        complete(p, ticket, now);
    }
}

/* --- time passes --- */

static void refuse_overdue(struct adu_pipeline *p, struct adu_now now)
{
    uint64_t ticket;
    while ((ticket = adu_pending_overdue(p->pending, now.mono_ms - HELD_MS)) != 0) {
        struct adu_held *held = adu_pending_take(p->pending, ticket);
        const struct adu_connect *connect = adu_held_connect(held);
        adu_pipeline_abandon(p, ticket);
        if (!adu_held_is_recheck(held)) {
            refuse(p, connect, now, "no answer has come for a minute");
            p->host->complete(connect->handle, connect->client_id, false, "");
        }
        adu_held_free(held);
    }
}

/* One that cannot be asked about now is asked about at the next occasion. */
static void refresh(struct adu_pipeline *p, struct adu_principal *principal, struct adu_now now)
{
    uint64_t ticket = 0;
    principal->refresh_ms = now.mono_ms + HELD_MS;
    if (adu_pipeline_judge_afresh(p, principal, now, &ticket)) {
        p->sweep = p->sweep || !principal->valid;
    } else if (!adu_pending_recheck(p->pending, adu_principal_client_id(principal),
                                    principal->username, ticket, now.mono_ms)) {
        adu_pipeline_abandon(p, ticket);
    }
}

static void refresh_due(struct adu_pipeline *p, struct adu_now now)
{
    if (p->refresh_ms == 0 || now.mono_ms < p->refresh_ms ||
        adu_pending_count(p->pending) >= REFRESHING_MOST) {
        return;
    }
    int asked = 0;
    p->refresh_ms = 0;
    struct adu_principal *principal = adu_principals_first(p->principals);
    for (; principal != NULL; principal = principal->newer) {
        if (principal->refresh_ms == 0 || principal->online == 0) {
            continue;
        }
        if (principal->refresh_ms <= now.mono_ms && asked < REFRESHED_A_TICK) {
            refresh(p, principal, now);
            asked++;
        }
        if (p->refresh_ms == 0 || principal->refresh_ms < p->refresh_ms) {
            p->refresh_ms = principal->refresh_ms;
        }
    }
    /* To go through all of them at every tick would be too much of a good thing. */
    if (p->refresh_ms != 0 && p->refresh_ms < now.mono_ms + 200) {
        p->refresh_ms = now.mono_ms + 200;
    }
}

void adu_pipeline_hold_tick(struct adu_pipeline *p, struct adu_now now)
{
    adu_pipeline_answers(p, now);
    refuse_overdue(p, now);
    refresh_due(p, now);
}
