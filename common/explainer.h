/* What a stage tells somebody who wants to know how it comes to its answer. */
#ifndef ADUANA_COMMON_EXPLAINER_H
#define ADUANA_COMMON_EXPLAINER_H

#include "common/error.h"

/* A rule, and what it has to say in one request. It and its texts live as long as the call
 * that tells of it, its place as long as the policy. */
struct adu_rule_told {
    const struct adu_place *place;
    const char *name;   /* NULL: it has none */
    const char *role;   /* whose rule it is; NULL: everybody's */
    const char *effect; /* "allow", "deny", "deny, only watched", "identity" */
    const char *not_by; /* why it has no say here; NULL: it has */
};

struct adu_explainer {
    void (*rule)(void *context, const struct adu_rule_told *rule);
    /* A sentence: what to change, and where. */
    void (*advice)(void *context, const char *sentence);
    void *context;
};

#endif
