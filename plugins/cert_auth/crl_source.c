#include "plugins/cert_auth/crl_source.h"
#include <stdlib.h>

static bool compile(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                    STACK_OF(X509) * issuers, const void **settings)
{
    (void)keys;
    (void)issuers;
    (void)c;
    *settings = NULL;
    return true;
}

static void *live_new(void)
{
    return calloc(1, 1);
}

static void adopt(void *live, const void *settings)
{
    (void)live;
    (void)settings;
}

static enum adu_verdict ask(void *live, const struct adu_revocation_question *question,
                            struct adu_reason *why)
{
    (void)live;
    (void)question;
    (void)why;
    return ADU_ABSTAIN;
}

static void tick(void *live, const struct adu_stage_call *call)
{
    (void)live;
    (void)call;
}

static bool doubts(void *live, const struct adu_attributes *certificate)
{
    (void)live;
    (void)certificate;
    return false;
}

const struct adu_revocation_source adu_crl_source = {
    .name = "crl",
    .compile = compile,
    .live_new = live_new,
    .live_free = free,
    .adopt = adopt,
    .ask = ask,
    .tick = tick,
    .doubts = doubts,
};
