/* The compiled form of acl.json, made by acl_compile.c and read by acl.c. */
#ifndef ADUANA_ACL_RULES_H
#define ADUANA_ACL_RULES_H

#include "common/match.h"
#include "common/request.h"

/* One pattern of one rule, for the actions whose bits are set. */
struct adu_acl_rule {
    const struct adu_topic_pattern *pattern;
    const char *name; /* NULL: the rule has none */
    unsigned actions; /* set of 1 << enum adu_action */
};

struct adu_acl_rules {
    size_t count;
    struct adu_acl_rule *rules;
};

struct adu_acl_role {
    const char *name;
    struct adu_acl_rules allow, deny;
};

struct adu_acl_binding {
    const struct adu_match *match;
    const int *roles; /* ends with -1 */
};

struct adu_acl {
    size_t role_count;
    struct adu_acl_role *roles; /* by the vocabulary's number */
    size_t binding_count;
    struct adu_acl_binding *bindings;
};

#endif
