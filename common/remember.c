/* Keeping the state file in step with who is known: each change is one job for the worker. */
#include "common/pipeline_parts.h"
#include <stdlib.h>
#include <string.h>

struct state_job {
    struct adu_job job; /* first: a state job is its job */
    struct adu_pipeline *pipeline;
    struct adu_state *state;
    bool removal;
    char *client_id, *username;
    bool durable;
    struct adu_bytes certificate, record;
    unsigned proven;
    int64_t seen_ms;
    struct adu_error error;
};

static void run(struct adu_job *job)
{
    struct state_job *j = (struct state_job *)job;
    const struct adu_state_row row = {
        .client_id = j->client_id,
        .username = j->username,
        .certificate = j->certificate,
        .record = j->record,
        .proven = j->proven,
        .durable = j->durable,
        .seen_ms = j->seen_ms,
    };
    if (j->removal) {
        adu_state_remove(j->state, j->client_id, j->username, &j->error);
    } else {
        adu_state_put(j->state, &row, &j->error);
    }
}

static void job_free(struct state_job *j)
{
    adu_bytes_clear(&j->certificate);
    adu_bytes_clear(&j->record);
    free(j->client_id);
    free(j->username);
    free(j);
}

/* A full disk fails every write: the counter tells how many, the log once in a while. */
static void complain(struct adu_pipeline *p, const struct adu_error *error)
{
    if (error->set) {
        p->counters.state_errors++;
        if (p->writes_failed++ % 1000 == 0) {
            adu_pipeline_log(p, ADU_LOG_ERROR, "%s", error->text);
        }
    }
}

static void done(struct adu_job *job)
{
    struct state_job *j = (struct state_job *)job;
    complain(j->pipeline, &j->error);
    job_free(j);
}

static struct state_job *job_new(struct adu_pipeline *p, const struct adu_principal *principal)
{
    struct state_job *j = calloc(1, sizeof *j);
    if (j == NULL) {
        return NULL;
    }
    j->job = (struct adu_job){.run = run, .done = done};
    j->pipeline = p;
    j->state = p->state;
    j->client_id = strdup(adu_principal_client_id(principal));
    j->username = principal->username != NULL ? strdup(principal->username) : NULL;
    if (j->client_id == NULL || (principal->username != NULL && j->username == NULL)) {
        job_free(j);
        return NULL;
    }
    return j;
}

static void submit(struct adu_pipeline *p, struct state_job *j)
{
    if (j == NULL || !adu_worker_submit(p->worker, &j->job)) {
        p->counters.state_errors++;
        if (j != NULL) {
            job_free(j);
        }
    }
}

void adu_pipeline_remember(struct adu_pipeline *p, const struct adu_principal *principal)
{
    if (p->state == NULL) {
        return;
    }
    struct state_job *j = job_new(p, principal);
    if (j != NULL && (!adu_bytes_copy(&j->certificate, principal->certificate) ||
                      !adu_bytes_copy(&j->record, principal->record))) {
        job_free(j);
        j = NULL;
    }
    if (j != NULL) {
        j->proven = principal->proven;
        j->durable = principal->durable;
        j->seen_ms = principal->seen_ms;
    }
    submit(p, j);
}

void adu_pipeline_disremember(struct adu_pipeline *p, const struct adu_principal *principal)
{
    if (p->state == NULL) {
        return;
    }
    struct state_job *j = job_new(p, principal);
    if (j != NULL) {
        j->removal = true;
    }
    submit(p, j);
}

/* --- what stages keep of clients --- */

struct adu_keep_job {
    struct adu_job job; /* first */
    struct adu_pipeline *pipeline;
    struct adu_kept *first;
    struct adu_error error;
};

static void keep_run(struct adu_job *job)
{
    struct adu_keep_job *j = (struct adu_keep_job *)job;
    adu_state_keep(j->pipeline->state, j->first, &j->error);
}

static void keep_free(struct adu_keep_job *j)
{
    while (j->first != NULL) {
        struct adu_kept *kept = j->first;
        j->first = kept->next;
        free(kept);
    }
    free(j);
}

static void keep_done(struct adu_job *job)
{
    struct adu_keep_job *j = (struct adu_keep_job *)job;
    complain(j->pipeline, &j->error);
    keep_free(j);
}

/* One piece of memory, with the names and the record behind it. */
static struct adu_kept *kept_new(enum adu_stage_kind stage, const char *client_id,
                                 const char *username, struct adu_bytes record)
{
    const size_t id = strlen(client_id) + 1, user = username != NULL ? strlen(username) + 1 : 0;
    struct adu_kept *kept = malloc(sizeof *kept + record.length + id + user);
    if (kept == NULL) {
        return NULL;
    }
    unsigned char *rest = (unsigned char *)(kept + 1);
    *kept = (struct adu_kept){.stage = adu_stage_name(stage),
                              .record = {.bytes = rest, .length = record.length}};
    memcpy(rest, record.bytes, record.length);
    kept->client_id = memcpy(rest + record.length, client_id, id);
    kept->username = user > 0 ? memcpy(rest + record.length + id, username, user) : NULL;
    return kept;
}

void adu_pipeline_keep(struct adu_pipeline *p, enum adu_stage_kind stage, const char *client_id,
                       const char *username, struct adu_bytes record)
{
    struct adu_keep_job *j =
        p->keeping != NULL ? p->keeping : (p->keeping = calloc(1, sizeof *p->keeping));
    struct adu_kept *kept = j != NULL ? kept_new(stage, client_id, username, record) : NULL;
    if (kept == NULL) {
        p->counters.state_errors++;
        return;
    }
    kept->next = j->first;
    j->first = kept;
}

void adu_pipeline_keep_due(struct adu_pipeline *p)
{
    struct adu_keep_job *j = p->keeping;
    if (j == NULL) {
        return;
    }
    p->keeping = NULL;
    j->job = (struct adu_job){.run = keep_run, .done = keep_done};
    j->pipeline = p;
    if (!adu_worker_submit(p->worker, &j->job)) {
        p->counters.state_errors++;
        keep_free(j);
    }
}
