/* What stages may ask of the pipeline, and an event that all of them are told of. */
#include "common/pipeline_parts.h"

static void outlet_publish(void *context, const char *topic, const char *payload, int qos,
                           bool retain)
{
    const struct adu_pipeline *p = context;
    p->host->publish(NULL, topic, payload, qos, retain);
}

static void outlet_alert(void *context, const struct adu_event *event)
{
    struct adu_pipeline *p = context;
    adu_pipeline_event(p, event, p->now);
}

static void outlet_log(void *context, enum adu_log_level level, const char *text)
{
    adu_pipeline_log(context, level, "%s", text);
}

static void outlet_doubt(void *context)
{
    struct adu_pipeline *p = context;
    p->doubts++;
    p->doubting = true;
}

static void outlet_keep(void *context, enum adu_stage_kind stage, const char *client_id,
                        const char *username, struct adu_bytes record)
{
    adu_pipeline_keep(context, stage, client_id, username, record);
}

static bool outlet_disconnect(void *context, const char *client_id, const char *username,
                              const struct adu_reason *why)
{
    struct adu_pipeline *p = context;
    return adu_pipeline_disconnect(p, client_id, username, why, p->now);
}

static void outlet_audit(void *context, const struct adu_event *event)
{
    struct adu_pipeline *p = context;
    adu_pipeline_tell_event(p, event, p->now);
}

static const struct adu_metrics *outlet_measured(void *context)
{
    return adu_pipeline_measured(context);
}

struct adu_outlet adu_pipeline_outlet(struct adu_pipeline *p)
{
    return (struct adu_outlet){.publish = outlet_publish,
                               .alert = outlet_alert,
                               .log = outlet_log,
                               .doubt = outlet_doubt,
                               .keep = p->state != NULL ? outlet_keep : NULL,
                               .disconnect = outlet_disconnect,
                               .measured = outlet_measured,
                               .audit = outlet_audit,
                               .context = p};
}

void adu_pipeline_event(struct adu_pipeline *p, const struct adu_event *event, struct adu_now now)
{
    const struct adu_outlet outlet = adu_pipeline_outlet(p);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->event != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, &outlet, now);
            p->stages[kind]->event(&call, event);
        }
    }
}
