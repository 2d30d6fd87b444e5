#include "cli/command.h"
#include "plugins/acl/acl.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"

const struct adu_stage *const adu_command_stages[ADU_STAGES] = {
    [ADU_STAGE_CERT_AUTH] = &adu_cert_auth_stage,
    [ADU_STAGE_IAM_AUTH] = &adu_iam_auth_stage,
    [ADU_STAGE_RATE_MONITOR] = &adu_rate_monitor_stage,
    [ADU_STAGE_TOPIC_POLICY] = &adu_topic_policy_stage,
    [ADU_STAGE_ACL] = &adu_acl_stage,
};
