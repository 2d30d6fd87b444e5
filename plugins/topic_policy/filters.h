/* How much a subscription may ask for at once. Pure. */
#ifndef ADUANA_TOPIC_POLICY_FILTERS_H
#define ADUANA_TOPIC_POLICY_FILTERS_H

#include "common/reason.h"
#include "common/request.h"

struct adu_filters {
    long most_levels, most_wildcards;
    size_t broad_count;
    const struct adu_text *broad;
    struct adu_roles broad_roles; /* who may ask for as much all the same */
    struct adu_place levels_place, wildcards_place, broad_place;
};

/* Compiles "subscriptions" (NULL: nothing is asked of them). false with c->error set. */
bool adu_filters_compile(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_filters *filters);

/* False with `why` if the filter (without its share group) asks for too much. */
bool adu_filters_legal(const struct adu_filters *filters, const struct adu_request *request,
                       struct adu_reason *why);

/* The roles of a list (vocabulary.h) that ends with -1, as a set. false with c->error set. */
bool adu_role_set(struct adu_compiler *c, const int *roles, struct adu_roles *set);

#endif
