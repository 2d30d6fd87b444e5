/* status: what runs, under which policy, and what it has counted. */
#include "common/audit_log.h"
#include "common/audit_sink.h"
#include "common/control_parts.h"

static json_t *one_stage(const struct adu_pipeline *p, enum adu_stage_kind kind)
{
    static const char *const presence[] = {
        [ADU_PRESENCE_NONE] = "none",
        [ADU_PRESENCE_LOADED] = "loaded",
        [ADU_PRESENCE_IGNORED] = "ignored",
        [ADU_PRESENCE_MISSED] = "missing",
    };
    if (p->policy->presence[kind] != ADU_PRESENCE_LOADED) {
        return json_pack("{s:s}", "plugin", presence[p->policy->presence[kind]]);
    }
    const int mode = p->policy->watch[kind] ? ADU_MODE_WATCH : ADU_MODE_ENFORCE;
    return json_pack("{s:s, s:s}", "plugin", presence[ADU_PRESENCE_LOADED], "mode",
                     adu_mode_names[mode]);
}

static json_t *all_stages(const struct adu_pipeline *p)
{
    json_t *object = json_object();
    bool complete = object != NULL;
    for (int kind = 0; complete && kind < ADU_STAGES; kind++) {
        const enum adu_stage_kind stage = (enum adu_stage_kind)kind;
        complete = json_object_set_new(object, adu_stage_name(stage), one_stage(p, stage)) == 0;
    }
    if (!complete) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* `finished` counts loads after the start, good and bad; whoever asked for one waits for it. */
static json_t *loads(const struct adu_pipeline *p)
{
    const char *error = p->last_load.error[0] != '\0' ? p->last_load.error : NULL;
    return json_pack("{s:b, s:I, s:o, s:o}", "loading", p->loading, "finished",
                     (json_int_t)(p->counters.policies_loaded + p->counters.policies_rejected),
                     "last", adu_control_time(p->last_load.wall_ms), "error",
                     adu_control_text(error));
}

static json_t *audit(const struct adu_pipeline *p)
{
    char name[ADU_AUDIT_SINK_NAME];
    const struct adu_audit_state state = adu_audit_log_state(p->audit);
    const char *error = state.error != 0 ? adu_audit_sink_text(state.error) : NULL;
    return json_pack("{s:o, s:I, s:o}", "to",
                     adu_control_text(adu_audit_sink_name(&p->policy->settings.audit, name)),
                     "waiting", (json_int_t)state.waiting, "error", adu_control_text(error));
}

static json_t *metrics(const struct adu_pipeline *p)
{
    const struct adu_measure *m = &p->measure;
    return json_pack("{s:b, s:o}", "served", m->has.http, "error",
                     adu_control_text(m->why_not[0] != '\0' ? m->why_not : NULL));
}

json_t *adu_control_status(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error)
{
    const struct adu_pipeline *p = c->p;
    (void)command;
    (void)error;
    return json_pack("{s:s, s:o, s:I, s:o, s:I, s:o, s:o, s:I, s:o, s:I, s:I, s:o, s:o, s:o}",
                     "version", ADUANA_VERSION, "pipeline", adu_control_text(p->name), "generation",
                     (json_int_t)p->policy->number, "policy_dir", adu_control_text(p->policy_dir),
                     "findings", (json_int_t)adu_findings_count(p->policy->findings), "stages",
                     all_stages(p), "refuse_all",
                     adu_control_text(p->refuse_all ? p->refuse_why : NULL), "uptime_seconds",
                     (json_int_t)((c->now.mono_ms - p->since.mono_ms) / 1000), "loads", loads(p),
                     "online", (json_int_t)adu_sessions_online(p->sessions), "known",
                     (json_int_t)adu_principals_count(p->principals), "audit", audit(p), "metrics",
                     metrics(p), "counters", adu_counters_json(&p->counters));
}
