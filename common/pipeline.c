/* The life of a pipeline: plugins come, time passes, plugins go. */
#include "common/audit_log.h"
#include "common/audit_sink.h"
#include "common/pipeline_parts.h"
#include <stdlib.h>
#include <string.h>

/* One a listener with its own plugin lines; never freed, because the broker's callbacks keep
 * pointing at them until the process ends. */
static struct adu_pipeline *pipelines;

/* Log-ins that wait at a time: as many as a plant has clients that come back at once. */
enum { PENDING_MOST = 16384 };

/* --- attaching --- */

static void forget_principal(void *context, struct adu_principal *gone);

static struct adu_pipeline *find_or_make(const char *name, const struct adu_host *host)
{
    struct adu_pipeline *p = pipelines;
    while (p != NULL && (p->attached == 0 || strcmp(p->name, name) != 0)) {
        p = p->next;
    }
    if (p != NULL || (p = calloc(1, sizeof *p)) == NULL) {
        return p;
    }
    p->name = strdup(name);
    p->host = host;
    p->principals = adu_principals_new(ADU_PRINCIPALS_MOST, forget_principal, p);
    p->sessions = adu_sessions_new();
    p->pending = adu_pending_new(PENDING_MOST);
    p->topics = adu_topic_cache_new();
    p->worker = adu_worker_new();
    p->audit = adu_audit_log_new();
    p->certificates = adu_certificates_new();
    p->measure.server = adu_metrics_server_new(ADU_METRICS_SERVER_SECONDS);
    if (p->measure.server == NULL || p->certificates == NULL || p->name == NULL ||
        p->principals == NULL || p->sessions == NULL || p->worker == NULL || p->pending == NULL ||
        p->topics == NULL || p->audit == NULL) {
        adu_metrics_server_free(p->measure.server);
        adu_certificates_free(p->certificates);
        adu_audit_log_free(p->audit);
        adu_worker_free(p->worker);
        adu_topic_cache_free(p->topics);
        adu_pending_free(p->pending);
        adu_sessions_free(p->sessions);
        adu_principals_free(p->principals);
        free(p->name);
        free(p);
        return NULL;
    }
    p->next = pipelines;
    pipelines = p;
    return p;
}

static bool take_option(char **mine, const char *given, const char *name, struct adu_error *error)
{
    if (given == NULL) {
        return true;
    }
    if (given[0] != '/') {
        return adu_error_set(error, NULL,
                             "plugin_opt_%s is \"%s\"; name the folder from the root, as in "
                             "/etc/aduana/policies",
                             name, given);
    }
    if (*mine != NULL) {
        return strcmp(*mine, given) == 0 ||
               adu_error_set(error, NULL,
                             "plugin_opt_%s is %s here and %s on an earlier plugin line; they must "
                             "be the same",
                             name, given, *mine);
    }
    *mine = strdup(given);
    return *mine != NULL || adu_error_no_memory(error);
}

/* What one listener's policy believes must not be what another's remembers. */
static const struct adu_pipeline *shares_state(const struct adu_pipeline *p)
{
    const struct adu_pipeline *other = pipelines;
    while (other != NULL &&
           (other == p || other->state == NULL || strcmp(other->state_dir, p->state_dir) != 0)) {
        other = other->next;
    }
    return other;
}

static bool open_state(struct adu_pipeline *p, struct adu_error *error)
{
    if (p->state_dir == NULL || p->state != NULL) {
        return true;
    }
    const struct adu_pipeline *other = shares_state(p);
    if (other != NULL) {
        return adu_error_set(error, NULL,
                             "plugin_opt_state_dir %s is that of the pipeline \"%s\" too; give "
                             "each pipeline a folder of its own",
                             p->state_dir, other->name);
    }
    bool set_aside;
    struct adu_error why = {0};
    char text[ADU_ERROR_TEXT + 32];
    p->state = adu_state_open(p->state_dir, &set_aside, &why);
    if (p->state == NULL) {
        return adu_error_set(error, NULL, "plugin_opt_state_dir %s: %s", p->state_dir,
                             adu_error_format(&why, text, sizeof text));
    }
    if (set_aside) {
        p->counters.state_errors++;
        adu_pipeline_log(p, ADU_LOG_ERROR, "%s", why.text);
    }
    return true;
}

static bool load_for_attach(struct adu_pipeline *p, struct adu_error *error)
{
    const int64_t begun_ns = adu_pipeline_clock(p);
    adu_pipeline_begin_watch(p);
    struct adu_policy *fresh = adu_pipeline_load_policy(p->policy_dir, p->stages, p->policy, error);
    if (fresh == NULL || !adu_audit_sink_check(&fresh->settings.audit, error)) {
        adu_policy_free(fresh);
        return false;
    }
    adu_policy_free(p->policy);
    p->policy = fresh;
    fresh->number = 1;
    p->generations = 1;
    p->last_load.took_ns = adu_pipeline_clock(p) - begun_ns;
    return true;
}

static bool attach(struct adu_pipeline *p, const struct adu_stage *stage,
                   const struct adu_options *options, struct adu_error *error)
{
    if (p->stages[stage->kind] != NULL) {
        return adu_error_set(
            error, NULL,
            "aduana_%s.so is loaded already. If several listeners load the bundle "
            "(per_listener_settings true), give each listener's plugin lines their "
            "own plugin_opt_pipeline <name>",
            adu_stage_name(stage->kind));
    }
    if (!take_option(&p->policy_dir, options->policy_dir, "policy_dir", error) ||
        !take_option(&p->state_dir, options->state_dir, "state_dir", error)) {
        return false;
    }
    if (options->policy_dir == NULL) {
        return adu_error_set(error, NULL,
                             "plugin_opt_policy_dir is missing: name the folder of the policy, as "
                             "in plugin_opt_policy_dir /etc/aduana/policies");
    }
    if (!open_state(p, error)) {
        return false;
    }
    if (stage->instance_new != NULL &&
        (p->instances[stage->kind] = stage->instance_new()) == NULL) {
        return adu_error_no_memory(error);
    }
    p->stages[stage->kind] = stage;
    if (!load_for_attach(p, error)) {
        p->stages[stage->kind] = NULL;
        if (stage->instance_free != NULL) {
            stage->instance_free(p->instances[stage->kind]);
        }
        p->instances[stage->kind] = NULL;
        return false;
    }
    return true;
}

static void close_pipeline(struct adu_pipeline *p);

struct adu_pipeline *adu_pipeline_attach(const struct adu_stage *stage,
                                         const struct adu_options *options,
                                         const struct adu_host *host, unsigned *order,
                                         struct adu_error *error)
{
    struct adu_pipeline *p = find_or_make(options->pipeline != NULL ? options->pipeline : "", host);
    if (p == NULL) {
        adu_error_no_memory(error);
        return NULL;
    }
    if (!attach(p, stage, options, error)) {
        if (p->attached == 0) {
            close_pipeline(p);
        }
        return NULL;
    }
    *order = p->attached++;
    return p;
}

/* --- time and the end --- */

static void forget_topics(struct adu_pipeline *p)
{
    struct adu_principal *principal = adu_principals_first(p->principals);
    for (; principal != NULL; principal = principal->newer) {
        if (principal->recent != NULL) {
            *principal->recent = (struct adu_recent){0};
        }
    }
    adu_topic_cache_clear(p->topics);
}

static void tick(struct adu_pipeline *p, struct adu_now now, bool may_kick)
{
    p->now = now;
    p->rerun_until_ms = 0; /* a broker asks again within the turn of its SIGHUP */
    p->ticks++;
    adu_pipeline_watch_clock(p, now);
    adu_pipeline_hold_tick(p, now);
    adu_pipeline_expire_due(p, now);
    adu_pipeline_doubt_due(p, now);
    adu_pipeline_sweep(p, now, may_kick);
    adu_worker_drain(p->worker); /* a swap, if there is one, is all that this turn does */
    adu_pipeline_watch_folder(p, now);
    adu_pipeline_watch_certificates(p, now);
    adu_pipeline_tell_tick(p, now);
    if (adu_topic_cache_worn(p->topics)) {
        forget_topics(p);
    }
    if (may_kick) {
        p->may_kick = true;
        adu_pipeline_kick_due(p);
    }
    const struct adu_outlet outlet = adu_pipeline_outlet(p);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->tick != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, &outlet, now);
            p->stages[kind]->tick(&call);
        }
    }
    adu_pipeline_keep_due(p);
}

void adu_pipeline_tick(struct adu_pipeline *p, struct adu_now now, bool may_kick)
{
    if (p->attached == 0) {
        return;
    }
    adu_pipeline_start(p, now);
    const int64_t begun_ns = p->measuring ? adu_pipeline_clock(p) : 0;
    const bool timed = p->measuring;
    tick(p, now, may_kick);
    if (timed) {
        adu_pipeline_took(p, &p->metrics.tick, begun_ns);
    }
    adu_pipeline_measure_tick(p);
}

bool adu_pipeline_tick_is_late(const struct adu_pipeline *p, struct adu_now now)
{
    return p->attached > 0 && p->started && now.mono_ms - p->now.mono_ms > 200;
}

static void forget_principal(void *context, struct adu_principal *gone)
{
    struct adu_pipeline *p = context;
    adu_sessions_forget(p->sessions, gone);
    adu_pipeline_unwatch_certificate(p, gone);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (gone->state[kind] != NULL && p->stages[kind] != NULL &&
            p->stages[kind]->client_forget != NULL) {
            p->stages[kind]->client_forget(p->instances[kind], gone->state[kind]);
        }
    }
    adu_pipeline_disremember(p, gone);
}

static void close_pipeline(struct adu_pipeline *p)
{
    adu_worker_free(p->worker); /* what is still to be written is written */
    p->worker = NULL;
    adu_metrics_server_free(p->measure.server);
    p->measure.server = NULL;
    p->measuring = false;
    adu_sampler_set(&p->sampler, 0);
    adu_folder_watch_free(p->watch);
    p->watch = NULL;
    adu_audit_log_free(p->audit);
    p->audit = NULL;
    adu_state_close(p->state);
    p->state = NULL;
    adu_topic_cache_free(p->topics);
    adu_pipeline_kick_none(p);
    adu_pending_free(p->pending);
    p->pending = NULL;
    adu_sessions_free(p->sessions);
    adu_principals_free(p->principals);
    adu_certificates_free(p->certificates);
    p->certificates = NULL;
    p->topics = NULL;
    p->sessions = NULL;
    p->principals = NULL;
    adu_policy_free(p->policy);
    p->policy = NULL;
    free(p->policy_dir);
    free(p->state_dir);
    p->policy_dir = p->state_dir = NULL;
    p->refuse_all = true;
}

void adu_pipeline_detach(struct adu_pipeline *p, const struct adu_stage *stage)
{
    if (p->attached > 1) {
        /* The stage's part goes with the last plugin: until then its code is still asked. */
        p->attached--;
        return;
    }
    p->attached = 0;
    close_pipeline(p);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->instances[kind] != NULL && p->stages[kind]->instance_free != NULL) {
            p->stages[kind]->instance_free(p->instances[kind]);
        }
        p->instances[kind] = NULL;
        p->stages[kind] = NULL;
    }
    (void)stage;
}

bool adu_pipeline_knows(const struct adu_pipeline *p, const void *handle, const char *client_id)
{
    return p->attached > 0 && client_id != NULL &&
           adu_sessions_find(p->sessions, handle, client_id) != NULL;
}

const struct adu_counters *adu_pipeline_counters(const struct adu_pipeline *p)
{
    return &p->counters;
}
