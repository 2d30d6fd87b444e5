#include "common/inquiry.h"
#include "common/pipeline_parts.h"
#include <stdlib.h>
#include <string.h>

/* A pipeline that is attached to nothing, with the one client that was last described. */
struct adu_inquiry {
    struct adu_pipeline p;
    struct adu_stage assuming[ADU_STAGES]; /* certificates are lists of attributes */
    struct adu_principal *client;
    char no_name[1];
};

/* What passes for a certificate here is the address of the attributes that describe it. */
static bool take_words(struct adu_bytes words, struct x509_st *parsed,
                       struct adu_attributes *attributes, char *why, size_t size)
{
    const struct adu_attributes *described;
    memcpy(&described, words.bytes, sizeof described);
    (void)parsed;
    (void)why;
    (void)size;
    return adu_attributes_add_all(attributes, described);
}

static void forget(void *context, struct adu_principal *gone)
{
    struct adu_inquiry *inquiry = context;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = inquiry->p.stages[kind];
        if (gone->state[kind] != NULL && stage != NULL && stage->client_forget != NULL) {
            stage->client_forget(inquiry->p.instances[kind], gone->state[kind]);
        }
    }
}

static void say_nothing(enum adu_log_level level, const char *line)
{
    (void)level;
    (void)line;
}

static const struct adu_host nobody = {.log = say_nothing};

static bool take_stages(struct adu_inquiry *inquiry,
                        const struct adu_stage *const stages[ADU_STAGES])
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage =
            inquiry->p.policy->presence[kind] == ADU_PRESENCE_LOADED ? stages[kind] : NULL;
        inquiry->p.stages[kind] = stage;
        if (stage != NULL && stage->instance_new != NULL &&
            (inquiry->p.instances[kind] = stage->instance_new()) == NULL) {
            return false;
        }
        if (stage != NULL && (stage->assume != NULL || kind == ADU_STAGE_CERT_AUTH)) {
            struct adu_stage *assuming = &inquiry->assuming[kind];
            *assuming = *stage;
            assuming->identify = stage->assume != NULL ? stage->assume : stage->identify;
            assuming->read_certificate = take_words;
            inquiry->p.stages[kind] = assuming;
        }
    }
    return true;
}

struct adu_inquiry *adu_inquiry_new(struct adu_policy *policy,
                                    const struct adu_stage *const stages[ADU_STAGES])
{
    struct adu_inquiry *inquiry = calloc(1, sizeof *inquiry);
    if (inquiry == NULL) {
        return NULL;
    }
    inquiry->p.policy = policy;
    inquiry->p.host = &nobody;
    inquiry->p.name = inquiry->p.policy_dir = inquiry->p.state_dir = inquiry->no_name;
    inquiry->p.principals = adu_principals_new(ADU_PRINCIPALS_MOST, forget, inquiry);
    if (inquiry->p.principals == NULL || !take_stages(inquiry, stages)) {
        adu_inquiry_free(inquiry);
        return NULL;
    }
    adu_pipeline_assess(&inquiry->p);
    return inquiry;
}

void adu_inquiry_free(struct adu_inquiry *inquiry)
{
    if (inquiry == NULL) {
        return;
    }
    adu_principals_free(inquiry->p.principals);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (inquiry->p.instances[kind] != NULL && inquiry->p.stages[kind]->instance_free != NULL) {
            inquiry->p.stages[kind]->instance_free(inquiry->p.instances[kind]);
        }
    }
    free(inquiry);
}

static void explain_login(struct adu_pipeline *p, const struct adu_login *login, struct adu_now now,
                          const struct adu_explainer *to)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->explain_login != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            p->stages[kind]->explain_login(&call, login, to);
        }
    }
}

const struct adu_principal *adu_inquiry_client(struct adu_inquiry *inquiry,
                                               const struct adu_described *described,
                                               struct adu_now now, const struct adu_explainer *to)
{
    struct adu_pipeline *p = &inquiry->p;
    struct adu_attributes certificate = {0};
    const struct adu_bytes words = {
        .bytes = described->certificate != NULL ? (unsigned char *)&described->certificate : NULL,
        .length = sizeof described->certificate,
    };
    struct adu_login login = {
        .again = true, /* what was proven is not to be proven once more */
        .proven_before = (described->certificate != NULL ? ADU_FACTOR_CERTIFICATE : 0) |
                         (described->username != NULL ? ADU_FACTOR_PASSWORD : 0),
        .username_before = described->username,
        .client_id = described->client_id,
        .claimed_username = described->username,
        .why = ADU_REASON_INIT,
    };
    const bool valid =
        p->broker_authenticates || (adu_pipeline_read_certificate(p, words, &certificate, &login) &&
                                    adu_pipeline_identify(p, &login, now) == ADU_ALLOW);
    if (to != NULL) {
        explain_login(p, &login, now, to);
    }
    const char *username = login.username[0] != '\0' ? login.username : described->username;
    inquiry->client = adu_principals_get(p->principals, described->client_id, username);
    if (inquiry->client != NULL) {
        inquiry->client->address = adu_address_of(described->address);
        adu_pipeline_settle(p, inquiry->client, &login, valid, now);
    }
    adu_attributes_clear(&login.attributes);
    adu_attributes_clear(&certificate);
    return inquiry->client;
}

enum adu_verdict adu_inquiry_ask(struct adu_inquiry *inquiry, const struct adu_question *question,
                                 struct adu_now now, struct adu_reason *why)
{
    return adu_pipeline_would(&inquiry->p, inquiry->client, question, now, why);
}

void adu_inquiry_explain(struct adu_inquiry *inquiry, const struct adu_question *question,
                         struct adu_now now, const struct adu_explainer *to)
{
    struct adu_pipeline *p = &inquiry->p;
    struct adu_request request;
    struct adu_reason why = ADU_REASON_INIT;
    if (!adu_pipeline_pose(p, inquiry->client, question, now, &request, &why)) {
        return;
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->explain != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            p->stages[kind]->explain(&call, &request, to);
        }
    }
}

void adu_inquiry_rules(struct adu_inquiry *inquiry, const struct adu_explainer *to)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = inquiry->p.stages[kind];
        if (stage != NULL && stage->rules != NULL) {
            stage->rules(inquiry->p.policy->compiled[kind], to);
        }
    }
}
