#include "plugins/iam_auth/ldap_lookup.h"
#include "common/utf8.h"
#include "plugins/iam_auth/ldap_account.h"
#include "plugins/iam_auth/ldap_text.h"
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILTER_MOST = 8192, GROUP_FILTER_MOST = 32768, VALUE_MOST = 1024 };

static const char member_of[] = "memberOf";
static const char many_groups[] = "the user is in more than 200 groups; narrow groups.base";

static bool is_member_of(const struct adu_ldap_policy *policy)
{
    return policy->has_groups && policy->groups.lookup == ADU_LDAP_LOOKUP_MEMBER_OF;
}

void adu_ldap_found_clear(struct adu_ldap_found *found)
{
    free(found->dn);
    adu_ldap_groups_free(found->groups);
    adu_attributes_clear(&found->attributes);
}

static bool problem(struct adu_ldap_found *found, const char *text, const char *what)
{
    if (found->problem[0] == '\0') {
        snprintf(found->problem, sizeof found->problem, "%s%s", text, what);
    }
    return false;
}

/* --- the user's entry --- */

static bool expand(const struct adu_template *template, const char *username, char *buffer,
                   size_t size)
{
    static char key[] = "username";
    char escaped[3 * ADU_USERNAME_MOST + 1];
    const char *missing;
    struct adu_attribute item = {.name = key, .value = escaped};
    const struct adu_attributes values = {.items = &item, .count = 1};
    return adu_ldap_escape(username, escaped, sizeof escaped) &&
           adu_template_expand(template, &values, buffer, size, &missing);
}

bool adu_ldap_user_dn(const struct adu_ldap_policy *policy, const char *username, char *buffer,
                      size_t size)
{
    char escaped[3 * ADU_USERNAME_MOST + 1];
    return adu_ldap_escape(username, escaped, sizeof escaped) &&
           (size_t)snprintf(buffer, size, "%s=%s,%s", policy->user.name, escaped,
                            policy->user.base) < size;
}

/* The same filter of whoever has this name: he may have called himself otherwise, by his address of
 * mail perhaps, but all else that the filter asks must hold. */
static bool filter_by_name(const struct adu_ldap_policy *policy, const char *name, char *buffer,
                           size_t size)
{
    char escaped[3 * ADU_USERNAME_MOST + 1], anybody[ADU_LDAP_FILTER_MOST + 1];
    return adu_ldap_escape(name, escaped, sizeof escaped) &&
           adu_template_replace(policy->user.filter, "*", anybody, sizeof anybody) &&
           (size_t)snprintf(buffer, size, "(&(%s=%s)%s)", policy->user.name, escaped, anybody) <
               size;
}

static bool make_filter(const struct adu_ldap_policy *policy, const char *username, bool verified,
                        char filter[FILTER_MOST])
{
    return verified ? filter_by_name(policy, username, filter, FILTER_MOST)
                    : expand(policy->user.filter, username, filter, FILTER_MOST);
}

static bool take_user(void *context, const char *dn)
{
    struct adu_ldap_found *found = context;
    struct adu_ldap_name name;
    if (!adu_ldap_name_read(dn, &name) ||
        !adu_ldap_name_is_below(&name, &found->policy->user.base_name)) {
        return problem(found, "the entry does not lie below user.base", "");
    }
    found->dn = strdup(dn);
    return found->dn != NULL || problem(found, "out of memory", "");
}

static bool is_text(const char *bytes, size_t length)
{
    return length <= VALUE_MOST && memchr(bytes, '\0', length) == NULL &&
           adu_utf8_valid(bytes, length);
}

static bool take_session_value(struct adu_ldap_found *found, const char *attribute,
                               const char *bytes, size_t length)
{
    const struct adu_ldap_policy *policy = found->policy;
    size_t i = 0;
    while (i < policy->user.attribute_count &&
           strcasecmp(policy->user.attributes[i], attribute) != 0) {
        i++;
    }
    return i == policy->user.attribute_count ||
           adu_attributes_add_bytes(&found->attributes, policy->user.session_names[i], bytes,
                                    length) ||
           problem(found, "too many values: ", policy->user.attributes[i]);
}

/* libldap ends values with a NUL. */
static bool take_group_name(struct adu_ldap_found *found, const char *bytes, size_t length)
{
    return memchr(bytes, '\0', length) != NULL || adu_ldap_groups_add(found->groups, bytes) ||
           problem(found, many_groups, "");
}

static bool take_name(struct adu_ldap_found *found, const char *bytes, size_t length)
{
    found->names++;
    snprintf(found->name, sizeof found->name, "%s", bytes);
    return length < sizeof found->name ||
           problem(found, "is longer than a user name may be: ", found->policy->user.name);
}

static bool take_user_value(void *context, const char *attribute, const char *bytes, size_t length)
{
    struct adu_ldap_found *found = context;
    if (is_member_of(found->policy) && strcasecmp(attribute, member_of) == 0) {
        return take_group_name(found, bytes, length);
    }
    if (!is_text(bytes, length)) {
        return problem(found, "no text of at most 1024 bytes is in ", attribute);
    }
    if (strcasecmp(attribute, found->policy->user.name) == 0 && !take_name(found, bytes, length)) {
        return false;
    }
    if (found->barred == NULL) {
        found->barred = adu_ldap_account_barred(attribute, bytes, found->wall_ms);
    }
    return take_session_value(found, attribute, bytes, length);
}

/* What is asked of the entry. */
static void list_attributes(const struct adu_ldap_policy *policy, const char **list)
{
    size_t count = 0;
    list[count++] = policy->user.name;
    for (const char *const *name = adu_ldap_account_attributes; *name != NULL; name++) {
        list[count++] = *name;
    }
    for (size_t i = 0; i < policy->user.attribute_count; i++) {
        list[count++] = policy->user.attributes[i];
    }
    if (is_member_of(policy)) {
        list[count++] = member_of;
    }
    list[count] = NULL;
}

static int scope_of(enum adu_ldap_scope scope)
{
    return scope == ADU_LDAP_ONE ? LDAP_SCOPE_ONELEVEL : LDAP_SCOPE_SUBTREE;
}

void adu_ldap_find_user(struct adu_ldap_connection *connection, const char *username, bool verified,
                        int64_t deadline_ms, struct adu_ldap_found *found,
                        struct adu_ldap_result *result)
{
    const struct adu_ldap_policy *policy = found->policy;
    const char *attributes[ADU_LDAP_ATTRIBUTES_MOST + 16];
    char filter[FILTER_MOST] = "(objectClass=*)", dn[ADU_LDAP_DN_TEXT];
    const bool direct = policy->user.direct;
    if (policy->has_groups) {
        found->groups = adu_ldap_groups_new(&policy->groups.base_name);
    }
    *result = (struct adu_ldap_result){.status = ADU_LDAP_STOPPED};
    if (policy->has_groups && found->groups == NULL) {
        problem(found, "out of memory", "");
        return;
    }
    if ((direct && !adu_ldap_user_dn(policy, username, dn, sizeof dn)) ||
        (policy->user.filter != NULL && !make_filter(policy, username, verified, filter))) {
        problem(found, "the user name is too long for a filter", "");
        return;
    }
    list_attributes(policy, attributes);
    const struct adu_ldap_search search = {
        .base = direct ? dn : policy->user.base,
        .scope = direct ? LDAP_SCOPE_BASE : scope_of(policy->user.scope),
        .filter = filter,
        .attributes = attributes,
        .most = 1,
        .entry = take_user,
        .value = take_user_value,
        .context = found,
    };
    adu_ldap_search(connection, &search, deadline_ms, result);
}

/* --- his groups --- */

struct climbing {
    struct adu_ldap_connection *connection;
    int64_t deadline_ms;
    struct adu_ldap_found *found;
    struct adu_ldap_result *result;
};

static bool take_group(void *context, const char *dn)
{
    struct adu_ldap_found *found = context;
    return adu_ldap_groups_add(found->groups, dn);
}

static bool take_group_value(void *context, const char *attribute, const char *bytes, size_t length)
{
    struct adu_ldap_found *found = context;
    return strcasecmp(attribute, member_of) != 0 || take_group_name(found, bytes, length);
}

static bool pass_entry(void *context, const char *dn)
{
    (void)context;
    (void)dn;
    return true;
}

/* A search that may find less than everything is of no use. */
static bool run(const struct climbing *climbing, const struct adu_ldap_search *search)
{
    adu_ldap_search(climbing->connection, search, climbing->deadline_ms, climbing->result);
    return climbing->result->status == ADU_LDAP_DONE;
}

static bool search_groups(const struct climbing *climbing, const char *filter)
{
    static const char *const none[] = {LDAP_NO_ATTRS, NULL};
    const struct adu_ldap_policy *policy = climbing->found->policy;
    const struct adu_ldap_search search = {
        .base = policy->groups.base,
        .scope = scope_of(policy->groups.scope),
        .filter = filter,
        .attributes = none,
        .most = ADU_LDAP_GROUPS_MOST,
        .entry = take_group,
        .value = take_group_value,
        .context = climbing->found,
    };
    return run(climbing, &search);
}

static const char *member_attribute(enum adu_ldap_lookup lookup)
{
    static const char *const names[] = {
        [ADU_LDAP_LOOKUP_MEMBER] = "member",
        [ADU_LDAP_LOOKUP_UNIQUE_MEMBER] = "uniqueMember",
        [ADU_LDAP_LOOKUP_MEMBER_UID] = "memberUid",
        [ADU_LDAP_LOOKUP_MEMBER_OF] = member_of,
        [ADU_LDAP_LOOKUP_IN_CHAIN] = "member:1.2.840.113556.1.4.1941:",
    };
    return names[lookup];
}

/* Appends (<attribute>=<value>); false if there is no room for it and for what ends the filter. */
static bool append_member(const struct adu_ldap_policy *policy, const char *value, char *filter,
                          size_t *used)
{
    char escaped[3 * ADU_LDAP_DN_TEXT + 1];
    if (!adu_ldap_escape(value, escaped, sizeof escaped)) {
        return false;
    }
    const size_t room = GROUP_FILTER_MOST - *used;
    const int length =
        snprintf(filter + *used, room, "(%s=%s)", member_attribute(policy->groups.lookup), escaped);
    if ((size_t)length + 3 > room) {
        filter[*used] = '\0';
        return false;
    }
    *used += (size_t)length;
    return true;
}

/* Groups that have one of the values as members, as many to a search as its filter can hold. */
static bool search_by_members(const struct climbing *climbing, const char *const *values,
                              size_t count)
{
    const struct adu_ldap_policy *policy = climbing->found->policy;
    char *filter = malloc(GROUP_FILTER_MOST);
    bool good = filter != NULL || problem(climbing->found, "out of memory", "");
    for (size_t i = 0; good && i < count;) {
        size_t used = (size_t)snprintf(filter, GROUP_FILTER_MOST, "(&%s(|",
                                       policy->groups.filter != NULL ? policy->groups.filter : "");
        const size_t from = i;
        while (i < count && append_member(policy, values[i], filter, &used)) {
            i++;
        }
        snprintf(filter + used, GROUP_FILTER_MOST - used, "))");
        good = i > from ? search_groups(climbing, filter)
                        : problem(climbing->found, "the name of a group or user is too long", "");
    }
    free(filter);
    return good;
}

/* The groups that a group says itself to be in. One that cannot be read is in none. */
static bool read_member_of(const struct climbing *climbing, const char *dn)
{
    static const char *const attributes[] = {member_of, NULL};
    const struct adu_ldap_search search = {
        .base = dn,
        .scope = LDAP_SCOPE_BASE,
        .filter = "(objectClass=*)",
        .attributes = attributes,
        .most = 1,
        .entry = pass_entry,
        .value = take_group_value,
        .context = climbing->found,
    };
    return run(climbing, &search) || climbing->result->status == ADU_LDAP_REFUSED;
}

static bool parents(void *context, struct adu_ldap_groups *groups, const char *const *dns,
                    size_t count)
{
    const struct climbing *climbing = context;
    (void)groups;
    if (!is_member_of(climbing->found->policy)) {
        return search_by_members(climbing, dns, count);
    }
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        good = read_member_of(climbing, dns[i]);
    }
    return good;
}

/* The groups that the user himself is in. */
static bool first_groups(const struct climbing *climbing)
{
    struct adu_ldap_found *found = climbing->found;
    switch (found->policy->groups.lookup) {
    case ADU_LDAP_LOOKUP_MEMBER_OF: /* came with his entry */
        return true;
    case ADU_LDAP_LOOKUP_MEMBER_UID:
        return search_by_members(climbing, &(const char *){found->name}, 1);
    default:
        return search_by_members(climbing, &(const char *){found->dn}, 1);
    }
}

static bool name_groups(struct adu_ldap_found *found)
{
    bool good = true;
    for (size_t i = 0; good && i < adu_ldap_groups_count(found->groups); i++) {
        char name[ADU_LDAP_DN_TEXT];
        if (adu_ldap_name_value(adu_ldap_groups_dn(found->groups, i), name, sizeof name) &&
            is_text(name, strlen(name))) {
            good = adu_attributes_add(&found->attributes, ADU_LDAP_GROUP_ATTRIBUTE, name);
        }
    }
    return good || problem(found, "too many groups and attributes", "");
}

void adu_ldap_find_groups(struct adu_ldap_connection *connection, int64_t deadline_ms,
                          struct adu_ldap_found *found, struct adu_ldap_result *result)
{
    struct climbing climbing = {connection, deadline_ms, found, result};
    *result = (struct adu_ldap_result){.status = ADU_LDAP_DONE};
    if (!found->policy->has_groups) {
        return;
    }
    bool good = first_groups(&climbing) &&
                adu_ldap_groups_climb(found->groups, found->policy->groups.nested_depth, parents,
                                      &climbing) == ADU_LDAP_GROUPS_FOUND;
    if (adu_ldap_groups_full(found->groups) ||
        (!good && result->status == ADU_LDAP_STOPPED && found->problem[0] == '\0')) {
        good = problem(found, many_groups, "");
    }
    good = good && name_groups(found);
    if (found->problem[0] != '\0') {
        result->status = ADU_LDAP_STOPPED;
    } else if (good) {
        result->status = ADU_LDAP_DONE;
    }
}
