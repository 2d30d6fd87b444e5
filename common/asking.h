/* One question on its way through the stages, and what becomes of it when the answer is not simply
 * yes: for decide.c, and for refuse.c and too_much.c below it. */
#ifndef ADUANA_COMMON_ASKING_H
#define ADUANA_COMMON_ASKING_H

#include "common/pipeline_parts.h"

struct adu_asking {
    struct adu_pipeline *p;
    struct adu_principal *principal;
    const void *handle;
    struct adu_request request;
    struct adu_reason *why;
    struct adu_now now;
    bool will;
    bool watched; /* something of it was refused, and let through */
    bool too_much;
};

/* refuse.c: DENY: counted, told and logged. */
enum adu_verdict adu_asking_refuse(struct adu_asking *a);

/* refuse.c: the same for somebody who is not known, or who need not be looked up. */
enum adu_verdict adu_asking_refuse_unknown(struct adu_pipeline *p,
                                           const struct adu_question *question,
                                           struct adu_reason *why, struct adu_now now);

/* refuse.c: a stage said no, or could not say. True if that stands: logged, counted, and final. In
 * watch mode it is only logged and counted. */
ADU_COLD bool adu_asking_stands(struct adu_asking *a, enum adu_stage_kind kind,
                                enum adu_verdict verdict);

/* too_much.c: a stage said TOO_MUCH. */
ADU_COLD void adu_asking_weigh_excess(struct adu_asking *a, enum adu_stage_kind kind);

/* too_much.c: `verdict`, so that the broker asks again; for the stages nothing was published. */
ADU_COLD enum adu_verdict adu_asking_let_go(const struct adu_asking *a, enum adu_verdict verdict);

#endif
