/* Whom the naming standard is enforced on, and of whom it is only watched: the key `clients`, by
 * which a live plant is brought in step by step. Pure. */
#ifndef ADUANA_TOPIC_POLICY_ROLLOUT_H
#define ADUANA_TOPIC_POLICY_ROLLOUT_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/reason.h"
#include "common/subject.h"
#include "plugins/topic_policy/refusals.h"

/* Some clients. */
struct adu_rollout_group {
    const char *name;
    const struct adu_match *match;
    bool watched; /* else enforced, also where the file's mode is "watch" */
};

struct adu_rollout {
    bool file_watches;
    size_t count;
    struct adu_rollout_group *groups;
    struct adu_tally *tallies; /* of each; ends with the policy */
};

enum { ADU_ROLLOUT_NOBODY = -1 };

/* `array` may be NULL. false with c->error set. */
bool adu_rollout_compile(struct adu_compiler *c, const struct adu_json *array,
                         struct adu_rollout *rollout);

/* Says in `why`, of a refusal, whether it stands, unless it stands anyhow. The number of the first
 * group that the client belongs to, or ADU_ROLLOUT_NOBODY. Allocates nothing. */
int adu_rollout_apply(const struct adu_rollout *rollout, const struct adu_subject *subject,
                      struct adu_reason *why);

#endif
