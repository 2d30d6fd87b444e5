/* iam_auth as a stage of the pipeline: user name and password -> identity. */
#include "plugins/iam_auth/iam_auth.h"

static const void *compile(struct adu_compiler *c, const struct adu_json *root)
{
    return adu_iam_auth_compile(c, root);
}

static void *instance_new(void)
{
    return adu_iam_new();
}

static void instance_free(void *instance)
{
    adu_iam_free(instance);
}

static enum adu_verdict assume(const struct adu_stage_call *call, struct adu_login *login)
{
    login->assumed = true;
    return adu_iam_auth_identify(call, login);
}

static uint64_t answered(void *instance)
{
    return adu_iam_auth_answered(instance);
}

static void abandon(void *instance, uint64_t ticket)
{
    adu_iam_auth_abandon(instance, ticket);
}

const struct adu_stage adu_iam_auth_stage = {
    .kind = ADU_STAGE_IAM_AUTH,
    .compile = compile,
    .instance_new = instance_new,
    .instance_free = instance_free,
    .identify = adu_iam_auth_identify,
    .assume = assume,
    .answered = answered,
    .abandon = abandon,
    .wait = adu_iam_auth_wait,
    .tick = adu_iam_auth_tick,
};
