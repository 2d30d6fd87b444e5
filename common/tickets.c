/* Answers that take their time: who gives them, and whose are not waited for any more. */
#include "common/pipeline_parts.h"

const struct adu_stage *adu_pipeline_answering(const struct adu_pipeline *p, void **instance)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->answered != NULL) {
            *instance = p->instances[kind];
            return p->stages[kind];
        }
    }
    return NULL;
}

void adu_pipeline_abandon(struct adu_pipeline *p, uint64_t ticket)
{
    void *instance = NULL;
    const struct adu_stage *stage = adu_pipeline_answering(p, &instance);
    if (stage != NULL && ticket != 0) {
        stage->abandon(instance, ticket);
    }
}

void adu_pipeline_unhold(struct adu_pipeline *p, const void *handle, const char *client_id)
{
    uint64_t ticket;
    while ((ticket = adu_pending_drop(p->pending, handle, client_id)) != 0) {
        adu_pipeline_abandon(p, ticket);
    }
}

void adu_pipeline_superseded(struct adu_pipeline *p, const char *client_id)
{
    if (p->attached > 0) {
        adu_pipeline_unhold(p, NULL, client_id);
    }
}
