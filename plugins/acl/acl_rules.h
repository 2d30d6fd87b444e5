/* The compiled form of acl.json, made by acl_compile.c and acl_rules.c, read by acl.c. */
#ifndef ADUANA_ACL_RULES_H
#define ADUANA_ACL_RULES_H

#include "common/compiler.h"
#include "common/match.h"
#include "common/request.h"
#include "common/topic_trie.h"
#include "plugins/acl/when.h"

/* One pattern of a rule, as people know it. */
struct adu_acl_rule {
    struct adu_place place;      /* of the pattern */
    const char *name;            /* NULL: the rule has none */
    const struct adu_when *when; /* NULL: always */
};

/* What a pattern means for one role. */
struct adu_acl_entry {
    uint32_t rule; /* index */
    uint32_t role : 26, actions : 3 /* set of 1 << enum adu_action */;
    uint32_t deny : 1, watch : 1 /* the deny is only said */, conditional : 1;
};

/* Everything said with one pattern: denies, then denies that are only watched, then grants; each
 * part by role. Leaves lie one behind the other, and the tree tells where one begins. */
struct adu_acl_leaf {
    uint32_t denies, watched, allows; /* how many of `entries` */
    struct adu_acl_entry entries[];
};

struct adu_acl_binding {
    const struct adu_match *match;
    const int *roles; /* ends with -1 */
};

struct adu_acl {
    const struct adu_topic_trie *patterns; /* of all roles; what it tells is for adu_acl_leaf_at */
    const uint32_t *leaves;
    size_t rule_count;
    struct adu_acl_rule *rules; /* in the order of the file */
    size_t role_count;
    const char **role_names; /* by the vocabulary's number */
    size_t includes_count;
    const int *const *includes;     /* by role: all that it includes, ending with -1; NULL: none */
    struct adu_roles watched_roles; /* whom nothing is refused, only said */
    size_t binding_count;
    struct adu_acl_binding *bindings;
};

/* acl_rules.c: what the roles say, into `patterns`, `leaves`, `rules` and `watched_roles`, whose
 * words are there. Every role has its number. `zone` is NULL where the file names none. false with
 * the error set. */
bool adu_acl_rules_compile(struct adu_compiler *c, const struct adu_json *roles,
                           const struct adu_time_zone *zone, struct adu_acl *acl);

static inline const struct adu_acl_leaf *adu_acl_leaf_at(const struct adu_acl *acl, uint32_t told)
{
    return (const struct adu_acl_leaf *)&acl->leaves[told];
}

#endif
