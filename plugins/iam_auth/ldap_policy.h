/* The key "ldap" of iam_auth.json, compiled. */
#ifndef ADUANA_IAM_AUTH_LDAP_POLICY_H
#define ADUANA_IAM_AUTH_LDAP_POLICY_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/template.h"
#include "plugins/iam_auth/ldap_link.h"
#include "plugins/iam_auth/ldap_name.h"

enum { ADU_LDAP_ATTRIBUTES_MOST = 64, ADU_LDAP_FILTER_MOST = 1024 };

enum adu_ldap_scope { ADU_LDAP_SUBTREE, ADU_LDAP_ONE };

enum adu_ldap_lookup {
    ADU_LDAP_LOOKUP_MEMBER,        /* groups whose `member` is the entry's name */
    ADU_LDAP_LOOKUP_UNIQUE_MEMBER, /* the same with `uniqueMember` */
    ADU_LDAP_LOOKUP_MEMBER_UID,    /* groups whose `memberUid` is the user's name */
    ADU_LDAP_LOOKUP_MEMBER_OF,     /* the entry's own `memberOf` */
    ADU_LDAP_LOOKUP_IN_CHAIN,      /* as `member`, climbed by the server (Active Directory) */
};

struct adu_ldap_group_roles {
    const char *group;
    const int *roles; /* ends with -1 */
};

struct adu_ldap_servers;

struct adu_ldap_policy {
    struct adu_ldap_link link;
    struct adu_ldap_servers *servers; /* connections, shared with other generations */
    struct {
        bool direct; /* bind as <name>=<user name>,<base> at once; else search for him first */
        const struct adu_template *filter; /* NULL: any, where `direct` */
        const char *base;
        struct adu_ldap_name base_name;
        enum adu_ldap_scope scope;
        const char *name; /* the attribute that holds the user's name */
        size_t attribute_count;
        const char **attributes;    /* that become the session's */
        const char **session_names; /* what they are called there: ldap.<attribute> */
        const int *roles;           /* of everybody it knows; ends with -1 */
    } user;
    bool has_groups;
    struct {
        enum adu_ldap_lookup lookup;
        const char *base;
        struct adu_ldap_name base_name;
        enum adu_ldap_scope scope;
        const char *filter; /* NULL: any */
        long nested_depth;
        size_t count;
        struct adu_ldap_group_roles *roles;
    } groups;
};

/* The name of the attribute that holds the names of a session's groups. */
#define ADU_LDAP_GROUP_ATTRIBUTE "ldap.group"

/* All but `servers`. NULL with c->error set. */
struct adu_ldap_policy *adu_ldap_policy_compile(struct adu_compiler *c,
                                                const struct adu_json *settings);

#endif
