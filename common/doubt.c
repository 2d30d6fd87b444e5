/* Something has become known of certificates, or the like, that were good when their clients logged
 * in: whom it concerns is judged anew, and nobody else is. */
#include "common/pipeline_parts.h"

enum { ASKED_A_TICK = 2000 };

static bool is_doubted(struct adu_pipeline *p, const struct adu_principal *principal,
                       struct adu_now now)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        const struct adu_stage *stage = p->stages[kind];
        if (stage != NULL && stage->doubts != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, now);
            if (stage->doubts(&call, &principal->subject)) {
                return true;
            }
        }
    }
    return false;
}

/* Who is away is judged when the broker next asks about him. */
void adu_pipeline_doubt_due(struct adu_pipeline *p, struct adu_now now)
{
    if (!p->doubting) {
        return;
    }
    unsigned asked = 0;
    struct adu_principal *principal = adu_principals_first(p->principals);
    for (; principal != NULL && asked < ASKED_A_TICK; principal = principal->newer) {
        if (principal->doubts_asked == p->doubts) {
            continue;
        }
        principal->doubts_asked = p->doubts;
        asked++;
        if (principal->valid && is_doubted(p, principal, now)) {
            principal->judged = 0;
            p->sweep = p->sweep || principal->online > 0;
        }
    }
    p->doubting = principal != NULL;
}
