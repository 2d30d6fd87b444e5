#include "stages.h"
#include "plugins/acl/acl.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_certificate(struct adu_bytes der, struct x509_st *parsed,
                             struct adu_attributes *attributes, char *why, size_t size)
{
    (void)parsed;
    char copy[1024];
    const char *text = copy;
    snprintf(copy, sizeof copy, "%.*s", (int)der.length, (const char *)der.bytes);
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

static struct adu_stage certificates_as_text;

static int64_t number(const struct adu_attributes *attributes, const char *name, int64_t otherwise)
{
    const char *text = attributes != NULL ? adu_attributes_single(attributes, name) : NULL;
    return text != NULL ? atoll(text) : otherwise;
}

/* "cert.until=1795500000": when it ends, in seconds since 1970; without, in some thousand years.
 * "cert.bits=1024": of an RSA key. */
static void facts_of(const struct adu_attributes *attributes, struct adu_certificate_facts *facts)
{
    *facts = (struct adu_certificate_facts){
        .until_ms = number(attributes, "cert.until", INT64_C(99999999999)) * 1000,
        .key = ADU_KEY_RSA,
        .key_bits = (uint32_t)number(attributes, "cert.bits", 2048)};
}

static void inspect_certificate(struct adu_bytes der, struct x509_st *parsed,
                                struct adu_certificate_facts *facts)
{
    struct adu_attributes attributes = {0};
    char why[64];
    read_certificate(der, parsed, &attributes, why, sizeof why);
    facts_of(&attributes, facts);
    adu_attributes_clear(&attributes);
}

static enum adu_verdict identify(const struct adu_stage_call *call, struct adu_login *login)
{
    const enum adu_verdict verdict = adu_cert_auth_stage.identify(call, login);
    login->valid_until_ms = number(login->certificate, "cert.until", 0) * 1000;
    if (login->certificate != NULL) {
        facts_of(login->certificate, &login->facts);
    }
    return verdict;
}

const struct adu_stage *test_stage(enum adu_stage_kind kind)
{
    static const struct adu_stage *const stages[ADU_STAGES] = {
        [ADU_STAGE_CERT_AUTH] = &certificates_as_text,
        [ADU_STAGE_IAM_AUTH] = &adu_iam_auth_stage,
        [ADU_STAGE_RATE_MONITOR] = &adu_rate_monitor_stage,
        [ADU_STAGE_TOPIC_POLICY] = &adu_topic_policy_stage,
        [ADU_STAGE_ACL] = &adu_acl_stage,
    };
    certificates_as_text = adu_cert_auth_stage;
    certificates_as_text.read_certificate = read_certificate;
    certificates_as_text.inspect_certificate = inspect_certificate;
    certificates_as_text.identify = identify;
    return stages[kind];
}
