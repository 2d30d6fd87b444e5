/* cert_auth.json -> what cert_auth.c reads. */
#include "plugins/cert_auth/cert_policy.h"
#include "common/reader.h"
#include "common/text.h"
#include "plugins/cert_auth/cert_auth.h"
#include <string.h>

struct identity_keys {
    const char *name, *username;
    const struct adu_json *match, *attributes, *client_id, *roles, *authority, *connections;
    int password;
};

static const char *const password_names[] = {"no", "required", NULL};

static const struct adu_field identity_fields[] = {
    ADU_FIELD(struct identity_keys, name, STRING, .required = true),
    ADU_FIELD(struct identity_keys, match, OBJECT, .required = true),
    ADU_FIELD(struct identity_keys, attributes, OBJECT),
    ADU_FIELD(struct identity_keys, username, STRING, .required = true),
    ADU_FIELD(struct identity_keys, client_id, ANY),
    ADU_FIELD(struct identity_keys, password, CHOICE, .choices = password_names),
    ADU_FIELD(struct identity_keys, roles, ARRAY),
    ADU_FIELD(struct identity_keys, authority, ANY),
    ADU_FIELD(struct identity_keys, connections, OBJECT),
    {0},
};

struct connections_keys {
    long max;
};

static const struct adu_field connections_fields[] = {
    ADU_FIELD(struct connections_keys, max, INTEGER, .required = true, .minimum = 1,
              .maximum = 10000),
    {0},
};

struct derived_keys {
    const char *from, *pattern;
};

static const struct adu_field derived_fields[] = {
    ADU_FIELD(struct derived_keys, from, STRING, .required = true),
    ADU_FIELD(struct derived_keys, pattern, STRING, .required = true),
    {0},
};

static bool compile_derived(struct adu_compiler *c, const struct adu_json *node,
                            struct adu_cert_derived *d)
{
    if (!adu_read_is_name(node, node->key, c->error)) {
        return false;
    }
    if (adu_vocabulary_is_reserved(node->key)) {
        return adu_json_key_error(node, c->error, "this name is the bundle's own; choose another");
    }
    d->name = adu_arena_strdup(c->arena, node->key);
    if (d->name == NULL || adu_vocabulary_define_attribute(c->vocabulary, d->name) == ADU_NO_NAME) {
        return adu_error_no_memory(c->error);
    }
    if (json_is_string(node->value)) {
        const char *text = adu_read_string(node, c->error);
        d->constant = text != NULL ? adu_arena_strdup(c->arena, text) : NULL;
        return d->constant != NULL || adu_error_no_memory(c->error);
    }
    struct derived_keys keys = {0};
    if (!adu_read_object(node, derived_fields, &keys, c->error)) {
        return false;
    }
    const struct adu_json *from = adu_json_member(node, "from");
    d->from = adu_arena_strdup(c->arena, keys.from);
    if (d->from == NULL ||
        adu_vocabulary_use_attribute(c->vocabulary, keys.from, &from->place) == ADU_NO_NAME) {
        return adu_error_no_memory(c->error);
    }
    d->pattern =
        adu_pattern_compile(c->arena, keys.pattern, adu_json_member(node, "pattern"), c->error);
    return d->pattern != NULL;
}

static bool compile_attributes(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_cert_identity *id)
{
    if (object == NULL) {
        return true;
    }
    id->derived = adu_arena_array(c->arena, adu_read_count(object), sizeof *id->derived);
    if (id->derived == NULL) {
        return adu_error_no_memory(c->error);
    }
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (!compile_derived(c, node, &id->derived[id->derived_count++])) {
            return false;
        }
    }
    return true;
}

/* --- authorities --- */

static bool compile_authorities(struct adu_compiler *c, const struct adu_json *object,
                                struct adu_cert_policy *policy)
{
    if (object == NULL) {
        return true;
    }
    const size_t count = adu_read_count(object);
    if (count == 0) {
        return adu_json_error(
            object, c->error,
            "names no authority; leave the key out to believe the broker's cafile");
    }
    if (count > ADU_CERT_AUTHORITIES_MOST) {
        return adu_json_error(object, c->error, "at most %d authorities",
                              ADU_CERT_AUTHORITIES_MOST);
    }
    policy->authorities = adu_arena_array(c->arena, count, sizeof(struct adu_authority *));
    if (policy->authorities == NULL) {
        return adu_error_no_memory(c->error);
    }
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        const struct adu_authority *authority = adu_authority_compile(c, node);
        if (authority == NULL) {
            return false;
        }
        policy->authorities[policy->authority_count++] = authority;
    }
    return true;
}

static bool add_authority(struct adu_compiler *c, const struct adu_cert_policy *policy,
                          const struct adu_json *node, uint64_t *set)
{
    const char *name = adu_read_string(node, c->error);
    const char *known[ADU_CERT_AUTHORITIES_MOST + 1] = {NULL};
    for (size_t i = 0; name != NULL && i < policy->authority_count; i++) {
        known[i] = adu_authority_name(policy->authorities[i]);
        if (strcmp(known[i], name) == 0) {
            *set |= UINT64_C(1) << i;
            return true;
        }
    }
    if (name == NULL) {
        return false;
    }
    const char *nearest = adu_text_nearest(name, known);
    return adu_json_error(node, c->error, "\"authorities\" names no \"%s\"%s%s%s", name,
                          nearest != NULL ? "; did you mean \"" : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* One name, or a list of which one is enough; not said: any. */
static bool compile_authority(struct adu_compiler *c, const struct adu_cert_policy *policy,
                              const struct adu_json *node, uint64_t *set)
{
    if (node == NULL) {
        *set = UINT64_MAX;
        return true;
    }
    if (!json_is_array(node->value)) {
        return add_authority(c, policy, node, set);
    }
    for (const struct adu_json *name = node->first; name != NULL; name = name->next) {
        if (!add_authority(c, policy, name, set)) {
            return false;
        }
    }
    return node->count > 0 || adu_json_error(node, c->error, "an empty list matches nobody");
}

/* --- revocation --- */

static bool compile_revocation(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_cert_policy *policy)
{
    if (object == NULL) {
        return true;
    }
    STACK_OF(X509) *all = sk_X509_new_null();
    bool good = all != NULL;
    for (size_t i = 0; good && i < policy->authority_count; i++) {
        good = adu_authority_certificates(policy->authorities[i], all);
    }
    if (good) {
        const struct adu_cert_policy *before = c->before;
        policy->revocation =
            adu_revocation_compile(c, object, all, before != NULL ? before->revocation : NULL);
    } else {
        adu_error_no_memory(c->error);
    }
    sk_X509_pop_free(all, X509_free);
    return policy->revocation != NULL;
}

/* --- identities --- */

static bool compile_connections(struct adu_compiler *c, const struct adu_json *object,
                                struct adu_cert_identity *id)
{
    struct connections_keys keys = {0};
    if (object != NULL && !adu_read_object(object, connections_fields, &keys, c->error)) {
        return false;
    }
    id->connections_most = keys.max;
    return true;
}

/* Nothing but the certificate is known when an identity is looked for: what else an identity asked
 * for would keep it from ever fitting. */
static const struct adu_match *compile_match(struct adu_compiler *c, const struct adu_json *object)
{
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (strncmp(node->key, "cert.", 5) != 0) {
            adu_json_key_error(node, c->error,
                               "only the certificate is known here: cert.cn and the like");
            return NULL;
        }
    }
    return adu_match_compile(c, object, false);
}

static bool compile_identity(struct adu_compiler *c, const struct adu_cert_policy *policy,
                             const struct adu_json *node, struct adu_cert_identity *id)
{
    struct identity_keys keys = {0};
    if (!adu_read_object(node, identity_fields, &keys, c->error)) {
        return false;
    }
    id->place = adu_compiler_place(c, &node->place);
    id->needs_password = keys.password == 1;
    if ((id->name = adu_arena_strdup(c->arena, keys.name)) == NULL) {
        return adu_error_no_memory(c->error);
    }
    if (!compile_authority(c, policy, keys.authority, &id->authorities) ||
        (id->match = compile_match(c, keys.match)) == NULL ||
        !compile_attributes(c, keys.attributes, id) ||
        !compile_connections(c, keys.connections, id) ||
        (id->roles = adu_role_list_compile(c, keys.roles)) == NULL) {
        return false;
    }
    id->username = adu_template_compile(c, keys.username, adu_json_member(node, "username"), NULL);
    id->binding = keys.client_id != NULL ? adu_binding_compile(c, keys.client_id) : NULL;
    return id->username != NULL && (keys.client_id == NULL || id->binding != NULL);
}

struct keys {
    struct adu_stage_header header;
    const struct adu_json *authorities, *revocation, *identities, *expiry;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, authorities, OBJECT),
    ADU_FIELD(struct keys, revocation, OBJECT),
    ADU_FIELD(struct keys, identities, ARRAY, .required = true),
    ADU_FIELD(struct keys, expiry, OBJECT),
    {0},
};

const struct adu_cert_policy *adu_cert_auth_compile(struct adu_compiler *c,
                                                    const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_cert_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(root, fields, &keys, c->error) ||
        !compile_authorities(c, keys.authorities, policy) ||
        !compile_revocation(c, keys.revocation, policy) ||
        !adu_countdown_compile(c, keys.expiry, &policy->countdown)) {
        return NULL;
    }
    policy->identities =
        adu_arena_array(c->arena, keys.identities->count, sizeof *policy->identities);
    if (policy->identities == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    const struct adu_json *node = keys.identities->first;
    for (; node != NULL; node = node->next) {
        if (!compile_identity(c, policy, node, &policy->identities[policy->count++])) {
            return NULL;
        }
    }
    return policy;
}
