/* rate_monitor as a stage of the pipeline: rates, connections, alerts. */
#include "plugins/rate_monitor/rate_policy.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_rate_monitor_compile(c, root);
}

static void *instance_new(void)
{
    return adu_rate_monitor_new();
}

static void instance_free(void *instance)
{
    adu_rate_monitor_free(instance);
}

static void forget(void *instance, void *client_state)
{
    adu_rate_monitor_forget(instance, client_state);
}

static void connected(const struct adu_stage_call *call, const struct adu_subject *subject,
                      void *client_state)
{
    adu_rate_monitor_connected(call, subject, client_state);
}

static void left(const struct adu_stage_call *call, const struct adu_subject *subject,
                 void *client_state, enum adu_end end)
{
    (void)subject;
    adu_rate_monitor_left(call, client_state, end);
}

static bool restore(const struct adu_stage_call *call, const struct adu_subject *subject,
                    void *client_state, struct adu_bytes record)
{
    return adu_rate_monitor_restore(call, subject, client_state, record);
}

static void judged(const struct adu_stage_call *call, const struct adu_subject *subject,
                   void *client_state)
{
    adu_rate_monitor_judged(call, subject, client_state);
}

static void refused(const struct adu_stage_call *call, const struct adu_request *request,
                    void *client_state)
{
    adu_rate_monitor_refused(call, request, client_state);
}

static enum adu_verdict count(const struct adu_stage_call *call, const struct adu_request *request,
                              void *client_state, struct adu_reason *why)
{
    return adu_rate_monitor_count(call, request, client_state, why);
}

static enum adu_verdict holds_back(const struct adu_request *request, const void *client_state,
                                   struct adu_reason *why)
{
    return adu_rate_monitor_holds_back(request, client_state, why);
}

static bool throttles(const void *policy)
{
    const struct adu_rate_policy *rates = policy;
    size_t i = 0;
    while (i < rates->class_count && rates->classes[i].acts_on[ADU_RATE_THROTTLE] == 0) {
        i++;
    }
    return i < rates->class_count;
}

static enum adu_verdict decide(const struct adu_stage_call *call, const struct adu_request *request,
                               void *client_state, struct adu_reason *why)
{
    (void)client_state;
    return adu_rate_monitor_decide(call->policy, request, why);
}

const struct adu_stage adu_rate_monitor_stage = {
    .kind = ADU_STAGE_RATE_MONITOR,
    .compile = compile,
    .instance_new = instance_new,
    .instance_free = instance_free,
    .client_state_size = sizeof(struct adu_rate_client),
    .client_forget = forget,
    .client_restore = restore,
    .identify = adu_rate_monitor_identify,
    .keeps_out = adu_rate_monitor_keeps_out,
    .judged = judged,
    .login_failed = adu_rate_monitor_login_failed,
    .connected = connected,
    .left = left,
    .count = count,
    .holds_back = holds_back,
    .throttles = throttles,
    .refused = refused,
    .decide = decide,
    .tick = adu_rate_monitor_tick,
    .event = adu_rate_monitor_event,
};
