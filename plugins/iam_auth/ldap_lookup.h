/* What the directory has about one user: his entry and his groups. */
#ifndef ADUANA_IAM_AUTH_LDAP_LOOKUP_H
#define ADUANA_IAM_AUTH_LDAP_LOOKUP_H

#include "plugins/iam_auth/answer.h"
#include "plugins/iam_auth/ldap_connection.h"
#include "plugins/iam_auth/ldap_groups.h"
#include "plugins/iam_auth/ldap_policy.h"

/* Zeroed before use, but for the first two. */
struct adu_ldap_found {
    const struct adu_ldap_policy *policy;
    int64_t wall_ms;
    char *dn; /* NULL: there is no such entry */
    unsigned names;
    char name[ADU_USERNAME_MOST + 1];
    const char *barred; /* what is the matter with the account, or NULL */
    struct adu_ldap_groups *groups;
    struct adu_attributes attributes; /* of the session */
    char problem[ADU_LDAP_WHY];       /* why what the directory says cannot be used; "": nothing */
};

void adu_ldap_found_clear(struct adu_ldap_found *found);

/* Writes the name to bind with where binds are direct. false if it is too long. */
bool adu_ldap_user_dn(const struct adu_ldap_policy *policy, const char *username, char *buffer,
                      size_t size);

/* Looks for the user's entry, by what he calls himself or, `verified`, by what the directory has
 * called him before. ADU_LDAP_STOPPED: there are several, or found->problem. */
void adu_ldap_find_user(struct adu_ldap_connection *connection, const char *username, bool verified,
                        int64_t deadline_ms, struct adu_ldap_found *found,
                        struct adu_ldap_result *result);

/* Then for his groups, and puts their names among the attributes. ADU_LDAP_STOPPED:
 * found->problem. */
void adu_ldap_find_groups(struct adu_ldap_connection *connection, int64_t deadline_ms,
                          struct adu_ldap_found *found, struct adu_ldap_result *result);

enum { ADU_LDAP_DN_TEXT = 2048 };

#endif
