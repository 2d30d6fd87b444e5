#include "plugins/iam_auth/ldap_policy.h"
#include "common/match.h"
#include "common/reader.h"
#include "plugins/iam_auth/ldap_text.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ATTRIBUTE_MOST = 59 }; /* so that ldap.<attribute> is a name */

static const char *const scope_names[] = {"subtree", "one", NULL};
static const char *const bind_names[] = {"search", "direct", NULL};
static const char *const lookup_names[] = {"member",   "uniqueMember", "memberUid",
                                           "memberOf", "in_chain",     NULL};

struct user_keys {
    const char *base, *filter, *name;
    int bind, scope;
    const struct adu_json *attributes, *roles;
};

static const struct adu_field user_fields[] = {
    ADU_FIELD(struct user_keys, bind, CHOICE, .choices = bind_names),
    ADU_FIELD(struct user_keys, base, STRING, .required = true),
    ADU_FIELD(struct user_keys, filter, STRING),
    ADU_FIELD(struct user_keys, scope, CHOICE, .choices = scope_names),
    ADU_FIELD(struct user_keys, name, STRING),
    ADU_FIELD(struct user_keys, attributes, ARRAY),
    ADU_FIELD(struct user_keys, roles, ARRAY),
    {0},
};

struct group_keys {
    int lookup, scope;
    const char *base, *filter;
    long nested_depth;
    const struct adu_json *roles;
};

static const struct adu_field group_fields[] = {
    ADU_FIELD(struct group_keys, lookup, CHOICE, .choices = lookup_names),
    ADU_FIELD(struct group_keys, base, STRING, .required = true),
    ADU_FIELD(struct group_keys, scope, CHOICE, .choices = scope_names),
    ADU_FIELD(struct group_keys, filter, STRING),
    ADU_FIELD(struct group_keys, nested_depth, INTEGER, .minimum = 0, .maximum = 32),
    ADU_FIELD(struct group_keys, roles, OBJECT, .required = true),
    {0},
};

struct keys {
    struct adu_ldap_link_keys link;
    const struct adu_json *user, *groups;
};

static const struct adu_field fields[] = {
    ADU_LDAP_LINK_FIELDS(struct keys),
    ADU_FIELD(struct keys, user, OBJECT, .required = true),
    ADU_FIELD(struct keys, groups, OBJECT),
    {0},
};

/* --- parts --- */

static const char *copy(struct adu_compiler *c, const char *text)
{
    const char *copied = adu_arena_strdup(c->arena, text);
    if (copied == NULL) {
        adu_error_no_memory(c->error);
    }
    return copied;
}

static bool compile_base(struct adu_compiler *c, const struct adu_json *object, const char *text,
                         const char **base, struct adu_ldap_name *name)
{
    if (!adu_ldap_name_read(text, name)) {
        return adu_json_error(adu_json_member(object, "base"), c->error,
                              "expected a distinguished name, such as ou=personas,dc=planta");
    }
    return (*base = copy(c, text)) != NULL;
}

/* A description of RFC 4512 without options, whose values are text. */
static bool is_attribute(const struct adu_json *node, const char *text, struct adu_error *error)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const size_t length = strlen(text);
    return (length > 0 && length <= ATTRIBUTE_MOST && strchr(letters, text[0]) != NULL &&
            strspn(text, others) == length) ||
           adu_json_error(node, error, "expected the name of an attribute, such as uid");
}

/* Text with ${username} in it, which must be there: else it would be the same for everybody. */
static const struct adu_template *compile_template(struct adu_compiler *c,
                                                   const struct adu_json *object, const char *key,
                                                   const char *text, char *sample, size_t size)
{
    static const char *const names[] = {"username", NULL};
    const struct adu_json *node = adu_json_member(object, key);
    if (strstr(text, "${username}") == NULL) {
        adu_json_error(node, c->error, "${username} is missing");
        return NULL;
    }
    const struct adu_template *template = adu_template_compile(c, text, node, names);
    if (template != NULL && !adu_template_replace(template, "x", sample, size)) {
        adu_json_error(node, c->error, "has more than %zu bytes", size - 1);
        return NULL;
    }
    return template;
}

/* --- user --- */

static bool compile_user_filter(struct adu_compiler *c, const struct adu_json *object,
                                const char *text, struct adu_ldap_policy *policy)
{
    char sample[ADU_LDAP_FILTER_MOST + 1];
    if (text == NULL) {
        return policy->user.direct ||
               adu_json_error(object, c->error, "the key \"filter\" is missing");
    }
    policy->user.filter = compile_template(c, object, "filter", text, sample, sizeof sample);
    if (policy->user.filter == NULL) {
        return false;
    }
    const char *wrong = adu_ldap_filter_error(sample);
    return wrong == NULL ||
           adu_json_error(adu_json_member(object, "filter"), c->error, "%s", wrong);
}

static bool compile_search(struct adu_compiler *c, const struct adu_json *object,
                           const struct user_keys *keys, struct adu_ldap_policy *policy)
{
    policy->user.direct = keys->bind == 1;
    if (policy->user.direct && policy->link.bind_dn == NULL) {
        return adu_json_error(adu_json_member(object, "bind"), c->error,
                              "\"direct\" needs \"bind_dn\" all the same: who is connected is "
                              "looked at again without his password");
    }
    return compile_base(c, object, keys->base, &policy->user.base, &policy->user.base_name) &&
           compile_user_filter(c, object, keys->filter, policy);
}

static bool is_listed(const struct adu_ldap_policy *policy, const char *name)
{
    size_t i = 0;
    while (i < policy->user.attribute_count && strcasecmp(policy->user.attributes[i], name) != 0) {
        i++;
    }
    return i < policy->user.attribute_count;
}

static bool compile_attribute(struct adu_compiler *c, const struct adu_json *node,
                              struct adu_ldap_policy *policy)
{
    char session_name[sizeof "ldap." + ATTRIBUTE_MOST];
    const char *name = adu_read_string(node, c->error);
    if (name == NULL || !is_attribute(node, name, c->error)) {
        return false;
    }
    if (is_listed(policy, name)) {
        return adu_json_error(node, c->error, "\"%s\" is named twice", name);
    }
    if (strcasecmp(name, "group") == 0) {
        return adu_json_error(node, c->error, ADU_LDAP_GROUP_ATTRIBUTE " holds the groups' names");
    }
    const size_t i = policy->user.attribute_count++;
    snprintf(session_name, sizeof session_name, "ldap.%s", name);
    policy->user.attributes[i] = copy(c, name);
    policy->user.session_names[i] = copy(c, session_name);
    return policy->user.attributes[i] != NULL && policy->user.session_names[i] != NULL &&
           (adu_vocabulary_define_attribute(c->vocabulary, policy->user.session_names[i]) !=
                ADU_NO_NAME ||
            adu_error_no_memory(c->error));
}

static bool compile_attributes(struct adu_compiler *c, const struct adu_json *list,
                               struct adu_ldap_policy *policy)
{
    const size_t count = list != NULL ? list->count : 0;
    if (count > ADU_LDAP_ATTRIBUTES_MOST) {
        return adu_json_error(list, c->error, "at most %d attributes", ADU_LDAP_ATTRIBUTES_MOST);
    }
    policy->user.attributes = adu_arena_array(c->arena, count + 1, sizeof(char *));
    policy->user.session_names = adu_arena_array(c->arena, count + 1, sizeof(char *));
    if (policy->user.attributes == NULL || policy->user.session_names == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = count > 0 ? list->first : NULL; node != NULL;
         node = node->next) {
        if (!compile_attribute(c, node, policy)) {
            return false;
        }
    }
    return true;
}

static bool compile_user(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_ldap_policy *policy)
{
    struct user_keys keys = {.name = "uid"};
    if (!adu_read_object(object, user_fields, &keys, c->error)) {
        return false;
    }
    policy->user.scope = (enum adu_ldap_scope)keys.scope;
    policy->user.name = copy(c, keys.name);
    policy->user.roles = adu_role_list_compile(c, keys.roles);
    return policy->user.name != NULL && policy->user.roles != NULL &&
           is_attribute(adu_json_member(object, "name"), keys.name, c->error) &&
           compile_search(c, object, &keys, policy) &&
           compile_attributes(c, keys.attributes, policy);
}

/* --- groups --- */

static bool compile_roles(struct adu_compiler *c, const struct adu_json *object,
                          struct adu_ldap_policy *policy)
{
    policy->groups.roles =
        adu_arena_array(c->arena, adu_read_count(object) + 1, sizeof *policy->groups.roles);
    if (policy->groups.roles == NULL) {
        return adu_error_no_memory(c->error);
    }
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        struct adu_ldap_group_roles *group = &policy->groups.roles[policy->groups.count++];
        group->group = copy(c, node->key);
        group->roles = adu_role_list_compile(c, node);
        if (group->group == NULL || group->roles == NULL) {
            return false;
        }
    }
    return true;
}

/* Keys that another lookup has no use for were meant to do something. */
static bool keys_fit(struct adu_compiler *c, const struct adu_json *object,
                     enum adu_ldap_lookup lookup)
{
    const struct adu_json *depth = adu_json_member(object, "nested_depth");
    const struct adu_json *filter = adu_json_member(object, "filter");
    if (depth != NULL &&
        (lookup == ADU_LDAP_LOOKUP_MEMBER_UID || lookup == ADU_LDAP_LOOKUP_IN_CHAIN)) {
        return adu_json_key_error(depth, c->error, "has no meaning with \"%s\"",
                                  lookup_names[lookup]);
    }
    return filter == NULL || lookup != ADU_LDAP_LOOKUP_MEMBER_OF ||
           adu_json_key_error(filter, c->error, "has no meaning with \"%s\"", lookup_names[lookup]);
}

static bool compile_filter(struct adu_compiler *c, const struct adu_json *object, const char *text,
                           struct adu_ldap_policy *policy)
{
    const struct adu_json *node = adu_json_member(object, "filter");
    if (text == NULL) {
        return true;
    }
    if (strlen(text) > ADU_LDAP_FILTER_MOST) {
        return adu_json_error(node, c->error, "has more than %d bytes", ADU_LDAP_FILTER_MOST);
    }
    const char *wrong = adu_ldap_filter_error(text);
    return wrong == NULL ? (policy->groups.filter = copy(c, text)) != NULL
                         : adu_json_error(node, c->error, "%s", wrong);
}

static bool compile_groups(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_ldap_policy *policy)
{
    struct group_keys keys = {0};
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, group_fields, &keys, c->error)) {
        return false;
    }
    policy->has_groups = true;
    policy->groups.lookup = (enum adu_ldap_lookup)keys.lookup;
    policy->groups.scope = (enum adu_ldap_scope)keys.scope;
    policy->groups.nested_depth = keys.nested_depth;
    return keys_fit(c, object, policy->groups.lookup) &&
           compile_base(c, object, keys.base, &policy->groups.base, &policy->groups.base_name) &&
           compile_filter(c, object, keys.filter, policy) && compile_roles(c, keys.roles, policy) &&
           (adu_vocabulary_define_attribute(c->vocabulary, ADU_LDAP_GROUP_ATTRIBUTE) !=
                ADU_NO_NAME ||
            adu_error_no_memory(c->error));
}

struct adu_ldap_policy *adu_ldap_policy_compile(struct adu_compiler *c,
                                                const struct adu_json *settings)
{
    struct keys keys = {.link = ADU_LDAP_LINK_DEFAULTS};
    struct adu_ldap_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    const bool good = adu_read_object(settings, fields, &keys, c->error) &&
                      adu_ldap_link_compile(c, settings, &keys.link, &policy->link) &&
                      compile_user(c, keys.user, policy) && compile_groups(c, keys.groups, policy);
    return good ? policy : NULL;
}
