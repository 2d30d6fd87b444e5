/* The life of a pipeline: plugins come, the first event starts it, time passes, plugins go. */
#include "common/pipeline_parts.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One a listener with its own plugin lines; never freed, because the broker's callbacks keep
 * pointing at them until the process ends. */
static struct adu_pipeline *pipelines;

void adu_pipeline_log(struct adu_pipeline *p, enum adu_log_level level, const char *format, ...)
{
    char text[800], line[960];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "aduana: %s%s%s", p->name, p->name[0] != '\0' ? ": " : "", text);
    p->host->log(level, line);
}

struct adu_stage_call adu_pipeline_call(struct adu_pipeline *p, enum adu_stage_kind kind,
                                        const struct adu_outlet *outlet, struct adu_now now)
{
    return (struct adu_stage_call){
        .policy = p->policy->compiled[kind],
        .instance = p->instances[kind],
        .counters = &p->counters,
        .outlet = outlet,
        .generation = p->policy->number,
        .now_ms = now.mono_ms,
        .wall_ms = now.wall_ms,
    };
}

/* --- attaching ------------------------------------------------------------------------------- */

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
    p->worker = adu_worker_new();
    if (p->name == NULL || p->principals == NULL || p->sessions == NULL || p->worker == NULL) {
        adu_worker_free(p->worker);
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

static bool open_state(struct adu_pipeline *p, struct adu_error *error)
{
    if (p->state_dir == NULL || p->state != NULL) {
        return true;
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
    struct adu_policy *fresh = adu_policy_load(p->policy_dir, p->stages, error);
    if (fresh == NULL) {
        return false;
    }
    adu_policy_free(p->policy);
    p->policy = fresh;
    fresh->number = 1;
    p->generations = 1;
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

/* --- starting -------------------------------------------------------------------------------- */

static void refuse_all(struct adu_pipeline *p, const char *format, ...) ADU_PRINTF(2, 3);

static void refuse_all(struct adu_pipeline *p, const char *format, ...)
{
    if (p->refuse_all) {
        return; /* the first reason is enough */
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->refuse_why, sizeof p->refuse_why, format, arguments);
    va_end(arguments);
    p->refuse_all = true;
}

static void assess_missing(struct adu_pipeline *p, enum adu_stage_kind kind)
{
    static const char *const without[ADU_STAGES] = {
        [ADU_STAGE_CERT_AUTH] = "client certificates are not looked at",
        [ADU_STAGE_IAM_AUTH] = "passwords are not checked",
        [ADU_STAGE_RATE_MONITOR] = "rates are not watched",
        [ADU_STAGE_TOPIC_POLICY] = "topic names are not checked",
        [ADU_STAGE_ACL] = "permissions are not checked",
    };
    const char *name = adu_stage_name(kind);
    switch (p->policy->presence[kind]) {
    case ADU_PRESENCE_LOADED:
        return;
    case ADU_PRESENCE_NONE:
        adu_pipeline_log(p, ADU_LOG_NOTICE, "aduana_%s.so is not loaded: %s", name, without[kind]);
        return;
    case ADU_PRESENCE_IGNORED:
        adu_pipeline_log(p, ADU_LOG_WARNING,
                         "aduana_%s.so is not loaded: %s (%s.json says \"if_not_loaded\": "
                         "\"ignore\")",
                         name, without[kind], name);
        return;
    case ADU_PRESENCE_MISSED:
        refuse_all(
            p,
            "aduana_%s.so is not loaded but %s.json is in the policy folder; load it, or say "
            "\"if_not_loaded\": \"ignore\" there",
            name, name);
        return;
    }
}

void adu_pipeline_assess(struct adu_pipeline *p)
{
    const enum adu_presence *presence = p->policy->presence;
    p->refuse_all = false;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        assess_missing(p, (enum adu_stage_kind)kind);
    }
    const bool someone_authenticates = presence[ADU_STAGE_CERT_AUTH] == ADU_PRESENCE_LOADED ||
                                       presence[ADU_STAGE_IAM_AUTH] == ADU_PRESENCE_LOADED;
    const bool broker_may = presence[ADU_STAGE_CERT_AUTH] == ADU_PRESENCE_IGNORED ||
                            presence[ADU_STAGE_IAM_AUTH] == ADU_PRESENCE_IGNORED;
    p->broker_authenticates = !someone_authenticates && broker_may;
    p->broker_permits = presence[ADU_STAGE_ACL] == ADU_PRESENCE_IGNORED;
    if (!someone_authenticates && !broker_may) {
        refuse_all(p, "neither aduana_cert_auth.so nor aduana_iam_auth.so is loaded: nobody says "
                      "who a client is");
    }
    if (presence[ADU_STAGE_ACL] == ADU_PRESENCE_NONE) {
        refuse_all(p, "aduana_acl.so is not loaded: nobody grants anything");
    }
    if (p->refuse_all) {
        adu_pipeline_log(p, ADU_LOG_ERROR, "everything is refused: %s", p->refuse_why);
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->policy->watch[kind]) {
            adu_pipeline_log(p, ADU_LOG_WARNING,
                             "%s.json is in watch mode: what it would refuse is let through",
                             adu_stage_name((enum adu_stage_kind)kind));
        }
    }
}

static void restore(void *context, const struct adu_state_row *row)
{
    struct adu_pipeline *p = context;
    struct adu_principal *principal =
        adu_principals_get(p->principals, row->client_id, row->username);
    if (principal == NULL || !adu_attributes_add_all(&principal->certificate, row->certificate)) {
        p->counters.state_errors++;
        return;
    }
    principal->has_certificate = row->has_certificate;
    principal->proven = row->proven;
    principal->durable = row->durable;
    adu_principals_seen(p->principals, principal, row->seen_ms);
}

static void restore_all(struct adu_pipeline *p)
{
    struct adu_error error = {0};
    if (p->state == NULL) {
        adu_pipeline_log(p, ADU_LOG_WARNING,
                         "no plugin_opt_state_dir: after a restart of the broker, offline sessions "
                         "and retained messages are refused until their clients log in again");
    } else if (!adu_state_each(p->state, restore, p, &error)) {
        p->counters.state_errors++;
        adu_pipeline_log(p, ADU_LOG_ERROR, "%s", error.text);
    }
}

void adu_pipeline_start(struct adu_pipeline *p, struct adu_now now)
{
    if (p->started) {
        return;
    }
    p->started = true;
    p->now = now;
    restore_all(p);
    char list[128] = "";
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL) {
            const size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                     adu_stage_name((enum adu_stage_kind)kind));
        }
    }
    adu_pipeline_assess(p);
    adu_pipeline_log(p, ADU_LOG_NOTICE, "pipeline ready: %s; policy generation %lu from %s", list,
                     p->policy->number, p->policy_dir);
}

/* --- time and the end ------------------------------------------------------------------------ */

void adu_pipeline_event(struct adu_pipeline *p, enum adu_event event, const char *text,
                        struct adu_now now)
{
    const struct adu_outlet outlet = {.publish = p->host->publish};
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->event != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, &outlet, now);
            p->stages[kind]->event(&call, event, text);
        }
    }
}

void adu_pipeline_tick(struct adu_pipeline *p, struct adu_now now, bool may_kick)
{
    if (p->attached == 0) {
        return;
    }
    adu_pipeline_start(p, now);
    p->now = now;
    p->rerun_until_ms = 0; /* a broker asks again within the turn of its SIGHUP */
    adu_worker_drain(p->worker);
    adu_pipeline_sweep(p, now, may_kick);
    adu_sessions_expire(p->sessions, now.mono_ms);
    const struct adu_outlet outlet = {.publish = p->host->publish};
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->tick != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, &outlet, now);
            p->stages[kind]->tick(&call);
        }
    }
}

bool adu_pipeline_tick_is_late(const struct adu_pipeline *p, struct adu_now now)
{
    return p->attached > 0 && p->started && now.mono_ms - p->now.mono_ms > 1000;
}

static void forget_principal(void *context, struct adu_principal *gone)
{
    struct adu_pipeline *p = context;
    adu_sessions_forget(p->sessions, gone);
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
    adu_state_close(p->state);
    p->state = NULL;
    adu_sessions_free(p->sessions);
    adu_principals_free(p->principals);
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

const struct adu_counters *adu_pipeline_counters(const struct adu_pipeline *p)
{
    return &p->counters;
}
