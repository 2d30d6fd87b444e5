/* How acl comes to its answer, and what one might change. Pure. */
#ifndef ADUANA_ACL_EXPLAIN_H
#define ADUANA_ACL_EXPLAIN_H

#include "common/explainer.h"
#include "common/stage.h"

struct adu_acl;

/* Tells of every pattern that matches the topic (of a SUBSCRIBE: that contains the whole filter),
 * whatever role and action it is for, and if the request is refused, of the least that would have
 * to change. Not for the hot path. */
void adu_acl_explain(const struct adu_acl *acl, const struct adu_request *request,
                     const struct adu_explainer *to);

/* Tells of every pattern there is, in the order of the file. */
void adu_acl_list_rules(const struct adu_acl *acl, const struct adu_explainer *to);

#endif
