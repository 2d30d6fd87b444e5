/* Metrics: what is timed, what is shown to whoever scrapes, and where. */
#include "common/audit_log.h"
#include "common/pipeline_parts.h"
#include "common/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 10000 };

/* Has the server listen as the policy says, on the worker: a library is to be loaded, a thread to
 * be ended. */
struct listen_job {
    struct adu_job job; /* first */
    struct adu_pipeline *pipeline;
    struct adu_metrics_settings wanted;
    struct adu_error error;
    uint16_t port; /* that it listens on */
    bool good;
};

int64_t adu_pipeline_clock(const struct adu_pipeline *p)
{
    return p->host->nanoseconds != NULL ? p->host->nanoseconds() : 0;
}

void adu_pipeline_took(const struct adu_pipeline *p, struct adu_histogram *histogram,
                       int64_t begun_ns)
{
    adu_histogram_add(histogram, adu_pipeline_clock(p) - begun_ns);
}

void adu_pipeline_measure_what(struct adu_pipeline *p)
{
    const struct adu_metrics_settings *wanted = &p->policy->settings.metrics;
    p->measure.again_ms = 0;
    p->measure.said = false;
    p->measuring = wanted->http;
    if (wanted->sample_every != (long)p->sampler.every || !wanted->http) {
        adu_sampler_set(&p->sampler, wanted->http ? (uint32_t)wanted->sample_every : 0);
    }
}

/* --- where --- */

static bool same(const struct adu_metrics_settings *a, const struct adu_metrics_settings *b)
{
    return a->http == b->http &&
           (!a->http || (a->port == b->port &&
                         memcmp(a->address.bytes, b->address.bytes, sizeof a->address.bytes) == 0));
}

static void run_listen(struct adu_job *job)
{
    struct listen_job *l = (struct listen_job *)job;
    struct adu_metrics_server *server = l->pipeline->measure.server;
    if (!l->wanted.http) {
        adu_metrics_server_close(server);
        l->good = true;
        return;
    }
    l->port = (uint16_t)l->wanted.port;
    l->good = adu_metrics_server_listen(server, &l->wanted.address, &l->port, &l->error);
}

/* Once for each policy: it is tried again and again. */
static void failed(struct adu_pipeline *p, const char *why)
{
    p->counters.metrics_failed++;
    snprintf(p->measure.why_not, sizeof p->measure.why_not, "%s", why);
    p->measure.again_ms = p->now.mono_ms + AGAIN_MS;
    if (!p->measure.said) {
        const struct adu_place *place = &p->policy->settings.metrics.place;
        adu_pipeline_log(p, ADU_LOG_ERROR, "%s [%s:%u]", why, place->file, place->line);
        p->measure.said = true;
    }
}

static void done_listen(struct adu_job *job)
{
    struct listen_job *l = (struct listen_job *)job;
    struct adu_pipeline *p = l->pipeline;
    char text[ADU_ADDRESS_TEXT];
    p->measure.busy = false;
    p->measure.has = l->good ? l->wanted : (struct adu_metrics_settings){0};
    if (p->attached > 0 && !l->good) {
        failed(p, l->error.text);
    } else if (p->attached > 0 && l->wanted.http) {
        const char *address = adu_address_text(&l->wanted.address, text);
        const bool v6 = strchr(address, ':') != NULL;
        adu_pipeline_log(p, ADU_LOG_NOTICE, "metrics at http://%s%s%s:%u/metrics", v6 ? "[" : "",
                         address, v6 ? "]" : "", l->port);
    }
    free(l);
}

static void listen_as_wanted(struct adu_pipeline *p)
{
    struct adu_measure *m = &p->measure;
    const struct adu_metrics_settings *wanted = &p->policy->settings.metrics;
    const bool is_so = same(&m->has, wanted);
    if (is_so && !m->busy) {
        m->why_not[0] = '\0';
    }
    if (m->busy || is_so || p->now.mono_ms < m->again_ms) {
        return;
    }
    struct listen_job *l = calloc(1, sizeof *l);
    if (l != NULL) {
        l->job = (struct adu_job){.run = run_listen, .done = done_listen};
        l->pipeline = p;
        l->wanted = *wanted;
        m->busy = adu_worker_submit(p->worker, &l->job);
    }
    if (!m->busy) {
        free(l);
        failed(p, "metrics cannot be had: no memory or no thread");
    }
}

/* --- what --- */

const struct adu_metrics *adu_pipeline_measured(struct adu_pipeline *p)
{
    struct adu_metrics *m = &p->metrics;
    const int64_t ms = 1000000;
    const int64_t last_ms = p->last_load.wall_ms != 0 ? p->last_load.wall_ms : p->since.wall_ms;
    adu_worker_load(m->queues);
    m->counters = p->counters;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        m->stages[kind].loaded = p->policy->presence[kind] == ADU_PRESENCE_LOADED;
        m->stages[kind].watching = p->policy->watch[kind];
    }
    m->policy_generation = p->policy->number;
    m->policy_findings = adu_findings_count(p->policy->findings);
    m->policy_last_load_successful = p->last_load.error[0] == '\0';
    m->everything_refused = p->refuse_all;
    m->sessions_online = adu_sessions_online(p->sessions);
    m->clients_known = adu_principals_count(p->principals);
    m->logins_waiting = adu_pending_count(p->pending);
    m->audit_lines_waiting = adu_audit_log_state(p->audit).waiting;
    m->start_time = (uint64_t)(p->since.wall_ms * ms);
    m->policy_loaded_time =
        (uint64_t)((p->loaded_wall_ms != 0 ? p->loaded_wall_ms : p->since.wall_ms) * ms);
    m->policy_last_load_time = (uint64_t)(last_ms * ms);
    m->certificates_left = p->counters.certificates_days_left * 24 * 3600 * UINT64_C(1000000000);
    m->policy_last_load_duration = (uint64_t)p->last_load.took_ns;
    snprintf(m->pipeline, sizeof m->pipeline, "%s", p->name);
    adu_utf8_trim(m->pipeline);
    return m;
}

void adu_pipeline_measure_tick(struct adu_pipeline *p)
{
    listen_as_wanted(p);
    if (p->measuring) {
        adu_metrics_server_show(p->measure.server, adu_pipeline_measured(p));
    }
}
