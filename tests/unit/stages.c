#include "stages.h"
#include "plugins/acl/acl.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"
#include <stdio.h>
#include <string.h>

static const void *compile_cert_auth(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_cert_auth_compile(c, root);
}

static bool read_certificate(void *x509, struct adu_attributes *attributes, char *why, size_t size)
{
    const char *text = x509;
    if (text[0] == '!') {
        snprintf(why, size, "%s", text + 1);
        return false;
    }
    while (*text != '\0') {
        char name[64];
        const size_t name_length = strcspn(text, "=");
        const char *value = text + name_length + 1;
        const size_t length = strcspn(value, ";");
        snprintf(name, sizeof name, "%.*s", (int)name_length, text);
        if (!adu_attributes_add_bytes(attributes, name, value, length)) {
            snprintf(why, size, "out of memory");
            return false;
        }
        text = value + length + (value[length] == ';');
    }
    return true;
}

static enum adu_verdict identify_certificate(const struct adu_stage_call *call,
                                             struct adu_login *login)
{
    return adu_cert_auth_identify(call->policy, login);
}

static const void *compile_iam_auth(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_iam_auth_compile(c, root);
}

static enum adu_verdict identify_user(const struct adu_stage_call *call, struct adu_login *login)
{
    return adu_iam_auth_identify(call->policy, login);
}

static const void *compile_rate_monitor(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_rate_monitor_compile(c, root);
}

static void *monitor_new(void)
{
    return adu_rate_monitor_new();
}

static void monitor_free(void *instance)
{
    adu_rate_monitor_free(instance);
}

static void monitor_forget(void *instance, void *client_state)
{
    adu_rate_monitor_forget(instance, client_state);
}

static void monitor_connected(const struct adu_stage_call *call, const struct adu_subject *subject,
                              void *client_state)
{
    adu_rate_monitor_connected(call, subject, client_state);
}

static enum adu_verdict monitor_decide(const struct adu_stage_call *call,
                                       const struct adu_request *request, void *client_state,
                                       struct adu_reason *why)
{
    return adu_rate_monitor_decide(call, request, client_state, why);
}

static const void *compile_topic_policy(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_topic_policy_compile(c, root);
}

static enum adu_verdict decide_topic(const struct adu_stage_call *call,
                                     const struct adu_request *request, void *client_state,
                                     struct adu_reason *why)
{
    (void)client_state;
    return adu_topic_policy_decide(call->policy, request, why);
}

static const void *compile_acl(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_acl_compile(c, root);
}

static bool bind_roles(const struct adu_stage_call *call, const struct adu_attributes *attributes,
                       struct adu_login *login)
{
    return adu_acl_bind(call->policy, attributes, login);
}

static enum adu_verdict decide_acl(const struct adu_stage_call *call,
                                   const struct adu_request *request, void *client_state,
                                   struct adu_reason *why)
{
    (void)client_state;
    return adu_acl_decide(call->policy, request, why);
}

const struct adu_stage test_stages[ADU_STAGES] = {
    [ADU_STAGE_CERT_AUTH] = {.kind = ADU_STAGE_CERT_AUTH,
                             .compile = compile_cert_auth,
                             .read_certificate = read_certificate,
                             .identify = identify_certificate},
    [ADU_STAGE_IAM_AUTH] = {.kind = ADU_STAGE_IAM_AUTH,
                            .compile = compile_iam_auth,
                            .identify = identify_user},
    [ADU_STAGE_RATE_MONITOR] = {.kind = ADU_STAGE_RATE_MONITOR,
                                .compile = compile_rate_monitor,
                                .instance_new = monitor_new,
                                .instance_free = monitor_free,
                                .client_state_size = sizeof(struct adu_rate_client),
                                .client_forget = monitor_forget,
                                .connected = monitor_connected,
                                .decide = monitor_decide,
                                .tick = adu_rate_monitor_tick,
                                .event = adu_rate_monitor_event},
    [ADU_STAGE_TOPIC_POLICY] = {.kind = ADU_STAGE_TOPIC_POLICY,
                                .may_watch = true,
                                .compile = compile_topic_policy,
                                .decide = decide_topic},
    [ADU_STAGE_ACL] = {.kind = ADU_STAGE_ACL,
                       .may_watch = true,
                       .compile = compile_acl,
                       .bind = bind_roles,
                       .decide = decide_acl},
};
