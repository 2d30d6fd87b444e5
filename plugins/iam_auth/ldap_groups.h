/* Which groups somebody is in, also by way of groups that are in groups. Pure but for `parents`. */
#ifndef ADUANA_IAM_AUTH_LDAP_GROUPS_H
#define ADUANA_IAM_AUTH_LDAP_GROUPS_H

#include "plugins/iam_auth/ldap_name.h"

enum { ADU_LDAP_GROUPS_MOST = 200, ADU_LDAP_GROUPS_DEEPEST = 32 };

enum adu_ldap_groups_result {
    ADU_LDAP_GROUPS_FAILED, /* `parents` failed, or memory is gone */
    ADU_LDAP_GROUPS_TOO_MANY,
    ADU_LDAP_GROUPS_FOUND
};

struct adu_ldap_groups;

/* `base`: groups that do not lie below it are not seen; copied. NULL when memory is gone. */
struct adu_ldap_groups *adu_ldap_groups_new(const struct adu_ldap_name *base);
/* NULL-safe. */
void adu_ldap_groups_free(struct adu_ldap_groups *groups);

/* A group, by its distinguished name. One that is known already, does not lie below the base, or
 * has no readable name is passed over. false when there are too many or memory is gone. */
bool adu_ldap_groups_add(struct adu_ldap_groups *groups, const char *dn);

/* Has `parents` called for the groups found so far, then for those which that added, and so on, at
 * most `depth` times; `parents` adds the groups that these `count` groups are in, and is never
 * called for a group twice. */
enum adu_ldap_groups_result
adu_ldap_groups_climb(struct adu_ldap_groups *groups, long depth,
                      bool (*parents)(void *context, struct adu_ldap_groups *groups,
                                      const char *const *dns, size_t count),
                      void *context);

size_t adu_ldap_groups_count(const struct adu_ldap_groups *groups);
/* True if there were more than ADU_LDAP_GROUPS_MOST. */
bool adu_ldap_groups_full(const struct adu_ldap_groups *groups);
/* The distinguished name of one, as it was added. */
const char *adu_ldap_groups_dn(const struct adu_ldap_groups *groups, size_t i);

#endif
