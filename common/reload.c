/* Generations: made on the worker, swapped in by the tick, and every session judged anew. */
#include "common/assertions.h"
#include "common/audit.h"
#include "common/audit_log.h"
#include "common/audit_sink.h"
#include "common/pipeline_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for a broker to ask about all its sessions, which it does at once, in one turn. */
enum { RERUN_MS = 10000, JUDGED_A_TICK = 200, KICKED_A_TICK = 100 };

struct load_job {
    struct adu_job job; /* first: a load job is its job */
    struct adu_pipeline *pipeline;
    const struct adu_stage *stages[ADU_STAGES];
    char *directory;
    int64_t wall_ms; /* for assertions that name no time */
    struct adu_policy *made;
    int64_t took_ns;
    struct adu_error error;
};

/* Freeing a big generation takes time too: not in the broker's loop. */
struct free_job {
    struct adu_job job; /* first */
    struct adu_policy *policy;
};

static void run_free(struct adu_job *job)
{
    adu_policy_free(((struct free_job *)job)->policy);
}

static void done_free(struct adu_job *job)
{
    free(job);
}

static void free_later(struct adu_pipeline *p, struct adu_policy *policy)
{
    struct free_job *f = calloc(1, sizeof *f);
    if (f != NULL) {
        f->job = (struct adu_job){.run = run_free, .done = done_free};
        f->policy = policy;
        if (adu_worker_submit(p->worker, &f->job)) {
            return;
        }
    }
    free(f);
    adu_policy_free(policy);
}

void adu_pipeline_swap(struct adu_pipeline *p, struct adu_policy *fresh)
{
    struct adu_policy *old = p->policy;
    fresh->number = ++p->generations;
    p->policy = fresh;
    p->sweep = true;
    adu_pipeline_tell_where(p);
    adu_pipeline_measure_what(p);
    adu_pipeline_assess(p);
    free_later(p, old);
}

static void run_load(struct adu_job *job)
{
    struct load_job *l = (struct load_job *)job;
    const int64_t begun_ns = adu_pipeline_clock(l->pipeline);
    l->made = adu_pipeline_load_policy(l->directory, l->stages, NULL, &l->error);
    const struct adu_settings *settings = l->made != NULL ? &l->made->settings : NULL;
    if (settings != NULL &&
        (!adu_audit_sink_check(&settings->audit, &l->error) ||
         (settings->gate &&
          !adu_assertions_hold(l->directory, l->made, l->stages, l->wall_ms, &l->error)))) {
        adu_policy_free(l->made);
        l->made = NULL;
    }
    l->took_ns = adu_pipeline_clock(l->pipeline) - begun_ns;
}

static void start_load(struct adu_pipeline *p, struct adu_now now);

/* Nothing is over that was not told of. */
static void tell_policy(struct adu_pipeline *p, const char *rejected)
{
    if (rejected == NULL && p->rejected_since_ms == 0) {
        return;
    }
    if (p->rejected_since_ms == 0) {
        p->rejected_since_ms = p->now.wall_ms;
    }
    const struct adu_event event = {
        .kind = "policy_rejected",
        .raised = rejected != NULL,
        .since_ms = p->rejected_since_ms,
        .text = rejected != NULL ? rejected : "a good policy has been loaded",
    };
    if (rejected == NULL) {
        p->rejected_since_ms = 0;
    }
    adu_pipeline_event(p, &event, p->now);
}

static void accept_policy(struct adu_pipeline *p, struct adu_policy *made)
{
    adu_pipeline_swap(p, made);
    p->counters.policies_loaded++;
    p->last_load.wall_ms = p->loaded_wall_ms = p->now.wall_ms;
    p->last_load.error[0] = '\0';
    adu_pipeline_log(p, ADU_LOG_NOTICE, "policy generation %lu loaded from %s", p->policy->number,
                     p->policy_dir);
    adu_pipeline_say_watch(p);
    adu_pipeline_say_findings(p);
    tell_policy(p, NULL);
}

static void reject_policy(struct adu_pipeline *p, const struct adu_error *error)
{
    char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
    p->counters.policies_rejected++;
    adu_pipeline_log(p, ADU_LOG_ERROR, "policy not loaded, generation %lu stays: %s",
                     p->policy->number, adu_error_format(error, text, sizeof text));
    p->last_load.wall_ms = p->now.wall_ms;
    snprintf(p->last_load.error, sizeof p->last_load.error, "%s", text);
    tell_policy(p, text);
}

static void job_free(struct load_job *l)
{
    adu_policy_free(l->made);
    free(l->directory);
    free(l);
}

static void done_load(struct adu_job *job)
{
    struct load_job *l = (struct load_job *)job;
    struct adu_pipeline *p = l->pipeline;
    p->loading = false;
    p->last_load.took_ns = l->took_ns;
    if (p->attached > 0 && l->made != NULL) {
        accept_policy(p, l->made);
        l->made = NULL;
    } else if (p->attached > 0) {
        reject_policy(p, &l->error);
    }
    job_free(l);
    if (p->load_again && p->attached > 0) {
        start_load(p, p->now);
    }
}

static void start_load(struct adu_pipeline *p, struct adu_now now)
{
    p->load_again = false;
    adu_pipeline_begin_watch(p);
    struct load_job *l = calloc(1, sizeof *l);
    if (l != NULL && (l->directory = strdup(p->policy_dir)) != NULL) {
        l->job = (struct adu_job){.run = run_load, .done = done_load};
        l->pipeline = p;
        l->wall_ms = now.wall_ms;
        memcpy(l->stages, p->stages, sizeof l->stages);
        p->loading = adu_worker_submit(p->worker, &l->job);
        if (p->loading) {
            return;
        }
        job_free(l);
    } else {
        free(l);
    }
    struct adu_error error = {0};
    adu_error_set(&error, NULL, "no memory or no thread to load it");
    reject_policy(p, &error);
}

static void expect_rerun(struct adu_pipeline *p)
{
    struct adu_principal *principal = adu_principals_first(p->principals);
    for (; principal != NULL; principal = principal->newer) {
        for (struct adu_session *s = principal->sessions; s != NULL; s = s->next_of_principal) {
            s->rerun_due = s->online || s->durable; /* the broker has forgotten the others */
        }
    }
}

void adu_pipeline_reload(struct adu_pipeline *p, struct adu_now now)
{
    if (p->attached == 0) {
        return;
    }
    adu_pipeline_start(p, now);
    expect_rerun(p);
    p->rerun_until_ms = now.mono_ms + RERUN_MS;
    adu_pipeline_load(p, now);
}

void adu_pipeline_load(struct adu_pipeline *p, struct adu_now now)
{
    p->now = now;
    adu_audit_log_reopen(p->audit); /* whatever becomes of the policy: it may have been rotated */
    if (p->loading) {
        p->load_again = true; /* the files may have changed after they were read */
    } else {
        start_load(p, now);
    }
}

/* --- a folder that is watched --- */

/* What changes after it was read must be seen, and whether it is to be watched stands in it. */
void adu_pipeline_begin_watch(struct adu_pipeline *p)
{
    if (p->watch == NULL) {
        p->watch = adu_folder_watch_new(p->policy_dir);
    }
}

void adu_pipeline_say_watch(struct adu_pipeline *p)
{
    const int error = p->watch != NULL ? adu_folder_watch_error(p->watch) : ENOMEM;
    if (p->policy->settings.watch_folder && error != 0) {
        adu_pipeline_log(p, ADU_LOG_WARNING, "cannot watch %s, will try again: %s", p->policy_dir,
                         strerror(error));
    }
}

void adu_pipeline_watch_folder(struct adu_pipeline *p, struct adu_now now)
{
    if (!p->policy->settings.watch_folder) {
        if (!p->loading) { /* what is being loaded may say otherwise */
            adu_folder_watch_free(p->watch);
            p->watch = NULL;
        }
        return;
    }
    adu_pipeline_begin_watch(p);
    if (p->watch != NULL && adu_folder_watch_changed(p->watch, now.mono_ms)) {
        adu_pipeline_log(p, ADU_LOG_NOTICE, "%s has changed: loading it", p->policy_dir);
        adu_pipeline_load(p, now);
    }
}

/* --- the sweep --- */

static struct adu_session *to_kick(struct adu_principal *principal)
{
    struct adu_session *s = principal->sessions;
    while (s != NULL && (!s->online || s->kicked)) {
        s = s->next_of_principal;
    }
    return s;
}

void adu_pipeline_sweep(struct adu_pipeline *p, struct adu_now now, bool may_kick)
{
    if (!p->sweep) {
        return;
    }
    struct adu_session *going[KICKED_A_TICK];
    size_t judged = 0, kicks = 0;
    p->sweep = false;
    struct adu_principal *principal = adu_principals_first(p->principals);
    for (; principal != NULL; principal = principal->newer) {
        if (principal->online == 0) {
            continue;
        }
        if (judged == JUDGED_A_TICK || kicks == KICKED_A_TICK) {
            p->sweep = true;
            break;
        }
        if (principal->judged != p->policy->number) {
            adu_pipeline_judge(p, principal, now);
            judged++;
        }
        struct adu_session *session = principal->valid ? NULL : to_kick(principal);
        if (session == NULL) {
            continue;
        }
        if (!may_kick) {
            p->sweep = true; /* until one that may */
            continue;
        }
        session->kicked = true;
        going[kicks++] = session;
        char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME];
        adu_pipeline_log(p, ADU_LOG_NOTICE, "disconnecting client=%s username=%s: %s",
                         adu_audit_name(session->client_id, id),
                         adu_audit_name(principal->username, name), principal->why);
        const struct adu_reason why = {.text = principal->why, .limit = ADU_NO_LIMIT};
        adu_pipeline_tell_disconnect(p, session, &why, now);
        const struct adu_event event = {.kind = "session_ended",
                                        .raised = true,
                                        .about = &principal->subject,
                                        .text = principal->why};
        adu_pipeline_event(p, &event, now);
    }
    for (size_t i = 0; i < kicks; i++) { /* each ends in adu_pipeline_gone, within the call */
        p->counters.sessions_kicked++;
        p->host->kick(going[i]->client_id, true);
    }
}
