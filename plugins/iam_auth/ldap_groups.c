#include "plugins/iam_auth/ldap_groups.h"
#include <stdlib.h>
#include <string.h>

struct adu_ldap_groups {
    struct adu_ldap_name base;
    size_t count;
    bool full;
    char *dns[ADU_LDAP_GROUPS_MOST];   /* as they were added */
    char *forms[ADU_LDAP_GROUPS_MOST]; /* in the one form, to know them again */
};

struct adu_ldap_groups *adu_ldap_groups_new(const struct adu_ldap_name *base)
{
    struct adu_ldap_groups *groups = calloc(1, sizeof *groups);
    if (groups != NULL) {
        groups->base = *base;
    }
    return groups;
}

void adu_ldap_groups_free(struct adu_ldap_groups *groups)
{
    for (size_t i = 0; groups != NULL && i < groups->count; i++) {
        free(groups->dns[i]);
        free(groups->forms[i]);
    }
    free(groups);
}

static bool is_known(const struct adu_ldap_groups *groups, const char *form)
{
    size_t i = 0;
    while (i < groups->count && strcmp(groups->forms[i], form) != 0) {
        i++;
    }
    return i < groups->count;
}

bool adu_ldap_groups_add(struct adu_ldap_groups *groups, const char *dn)
{
    struct adu_ldap_name name;
    if (!adu_ldap_name_read(dn, &name) || !adu_ldap_name_is_below(&name, &groups->base) ||
        is_known(groups, name.text)) {
        return true;
    }
    if (groups->count == ADU_LDAP_GROUPS_MOST) {
        groups->full = true;
        return false;
    }
    char *copy = strdup(dn), *form = strdup(name.text);
    if (copy == NULL || form == NULL) {
        free(copy);
        free(form);
        return false;
    }
    groups->dns[groups->count] = copy;
    groups->forms[groups->count++] = form;
    return true;
}

enum adu_ldap_groups_result
adu_ldap_groups_climb(struct adu_ldap_groups *groups, long depth,
                      bool (*parents)(void *context, struct adu_ldap_groups *groups,
                                      const char *const *dns, size_t count),
                      void *context)
{
    size_t asked = 0;
    bool good = true;
    for (long level = 0; good && level < depth && asked < groups->count; level++) {
        const size_t from = asked;
        asked = groups->count;
        good =
            parents(context, groups, (const char *const *)groups->dns + from, groups->count - from);
    }
    return groups->full ? ADU_LDAP_GROUPS_TOO_MANY
           : good       ? ADU_LDAP_GROUPS_FOUND
                        : ADU_LDAP_GROUPS_FAILED;
}

size_t adu_ldap_groups_count(const struct adu_ldap_groups *groups)
{
    return groups->count;
}

bool adu_ldap_groups_full(const struct adu_ldap_groups *groups)
{
    return groups->full;
}

const char *adu_ldap_groups_dn(const struct adu_ldap_groups *groups, size_t i)
{
    return groups->dns[i];
}
