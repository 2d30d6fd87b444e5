/* What is remarkable in the rules of acl.json: those that say nothing new, never anything, or too
 * much. Each finding is certain; not everything is found. Pure. */
#ifndef ADUANA_ACL_FINDINGS_H
#define ADUANA_ACL_FINDINGS_H

#include "common/compiler.h"
#include "plugins/acl/acl_rules.h"

/* A rule as it was read: in the order of the file, by the numbers that entries have. */
struct adu_acl_read {
    const struct adu_topic_pattern *pattern;
    struct adu_acl_entry entry;
    uint32_t leaf; /* as the tree tells it */
};

/* Adds to c->findings. Costs a walk through the tree of patterns for each rule. */
void adu_acl_find(struct adu_compiler *c, const struct adu_acl *acl,
                  const struct adu_acl_read *rules);

#endif
