#include "plugins/cert_auth/cert_auth.h"
#include "common/match.h"
#include "common/pattern.h"
#include "common/reader.h"
#include "common/template.h"
#include <stdio.h>
#include <string.h>

/* One entry of "attributes": a constant, or what a pattern finds in another attribute. */
struct derived {
    const char *name;
    const char *constant;
    const char *from;
    const struct adu_pattern *pattern;
};

struct identity {
    struct adu_place place;
    const char *name;
    const struct adu_match *match;
    size_t derived_count;
    struct derived *derived;
    const struct adu_template *username, *client_id;
    bool needs_password;
    const int *roles;
};

struct adu_cert_policy {
    size_t count;
    struct identity *identities;
};

/* --- compiling --- */

struct identity_keys {
    const char *name, *username, *client_id;
    const struct adu_json *match, *attributes, *roles;
    int password;
};

static const char *const password_names[] = {"no", "required", NULL};

static const struct adu_field identity_fields[] = {
    ADU_FIELD(struct identity_keys, name, STRING, .required = true),
    ADU_FIELD(struct identity_keys, match, OBJECT, .required = true),
    ADU_FIELD(struct identity_keys, attributes, OBJECT),
    ADU_FIELD(struct identity_keys, username, STRING, .required = true),
    ADU_FIELD(struct identity_keys, client_id, STRING),
    ADU_FIELD(struct identity_keys, password, CHOICE, .choices = password_names),
    ADU_FIELD(struct identity_keys, roles, ARRAY),
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

static bool compile_derived(struct adu_compiler *c, const struct adu_json *node, struct derived *d)
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
                               struct identity *id)
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

static bool compile_identity(struct adu_compiler *c, const struct adu_json *node,
                             struct identity *id)
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
    if ((id->match = adu_match_compile(c, keys.match, false)) == NULL ||
        !compile_attributes(c, keys.attributes, id) ||
        (id->roles = adu_role_list_compile(c, keys.roles)) == NULL) {
        return false;
    }
    id->username = adu_template_compile(c, keys.username, adu_json_member(node, "username"), NULL);
    if (keys.client_id != NULL) {
        id->client_id =
            adu_template_compile(c, keys.client_id, adu_json_member(node, "client_id"), NULL);
    }
    return id->username != NULL && (keys.client_id == NULL || id->client_id != NULL);
}

struct keys {
    struct adu_stage_header header;
    const struct adu_json *identities;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, identities, ARRAY, .required = true),
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
    if (!adu_read_object(root, fields, &keys, c->error)) {
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
        if (!compile_identity(c, node, &policy->identities[policy->count++])) {
            return NULL;
        }
    }
    return policy;
}

/* --- identifying --- */

/* Adds the identity's attributes to `all`. ABSTAIN when one of its patterns finds nothing: then the
 * identity does not match. ERROR when there is no room: then no other identity may match instead.
 */
static enum adu_verdict derive(const struct identity *id, struct adu_attributes *all)
{
    for (size_t i = 0; i < id->derived_count; i++) {
        const struct derived *d = &id->derived[i];
        struct adu_capture found = {.text = d->constant};
        if (d->constant != NULL) {
            found.length = strlen(d->constant);
        } else {
            const char *from = adu_attributes_single(all, d->from);
            if (from == NULL || !adu_pattern_matches(d->pattern, from, strlen(from), &found) ||
                found.length == 0) {
                return ADU_ABSTAIN;
            }
        }
        if (!adu_attributes_add_bytes(all, d->name, found.text, found.length)) {
            return ADU_ERROR;
        }
    }
    return ADU_ALLOW;
}

static enum adu_verdict refuse(struct adu_login *login, const struct identity *id, const char *text)
{
    login->why.text = text;
    login->why.rule = id != NULL ? &id->place : NULL;
    return ADU_DENY;
}

static enum adu_verdict expand_username(const struct identity *id, struct adu_login *login,
                                        const struct adu_attributes *all)
{
    const char *missing;
    if (adu_template_expand(id->username, all, login->username, sizeof login->username, &missing)) {
        return ADU_ALLOW;
    }
    snprintf(login->why.detail, sizeof login->why.detail, "%s", missing != NULL ? missing : "");
    return refuse(login, id,
                  missing != NULL ? "the identity's user name needs one value of"
                                  : "the identity's user name would have more than 256 bytes");
}

static enum adu_verdict bind_client_id(const struct identity *id, struct adu_login *login,
                                       const struct adu_attributes *all)
{
    char wanted[1024];
    const char *missing;
    if (id->client_id == NULL) {
        return ADU_ALLOW;
    }
    if (!adu_template_expand(id->client_id, all, wanted, sizeof wanted, &missing)) {
        return refuse(login, id, "the identity's client id cannot be made of this certificate");
    }
    if (strcmp(wanted, login->client_id) != 0) {
        snprintf(login->why.detail, sizeof login->why.detail, "%.100s", wanted);
        return refuse(login, id, "this certificate must use the client id");
    }
    login->client_id_bound = true;
    return ADU_ALLOW;
}

/* The identity matches: what it makes of the client. `all` holds certificate and derived. */
static enum adu_verdict take(const struct identity *id, struct adu_login *login,
                             const struct adu_attributes *all)
{
    enum adu_verdict verdict = expand_username(id, login, all);
    if (verdict == ADU_ALLOW) {
        verdict = bind_client_id(id, login, all);
    }
    if (verdict != ADU_ALLOW) {
        return verdict;
    }
    for (size_t i = login->certificate->count; i < all->count; i++) {
        if (!adu_attributes_add(&login->attributes, all->items[i].name, all->items[i].value)) {
            return ADU_ERROR;
        }
    }
    if (!adu_login_add_roles(login, id->roles)) {
        return refuse(login, id, "the identity gives more roles than one client may have");
    }
    login->proven |= ADU_FACTOR_CERTIFICATE;
    if (id->needs_password) {
        login->required |= ADU_FACTOR_PASSWORD;
    }
    return ADU_ALLOW;
}

enum adu_verdict adu_cert_auth_identify(const struct adu_cert_policy *policy,
                                        struct adu_login *login)
{
    if (login->certificate == NULL) {
        return ADU_ABSTAIN;
    }
    for (size_t i = 0; i < policy->count; i++) {
        const struct identity *id = &policy->identities[i];
        struct adu_attributes all = {0};
        enum adu_verdict verdict = ADU_ABSTAIN;
        if (!adu_attributes_add_all(&all, login->certificate)) {
            verdict = ADU_ERROR;
        } else if (adu_match_holds(id->match, &all, NULL) &&
                   (verdict = derive(id, &all)) == ADU_ALLOW) {
            verdict = take(id, login, &all);
        }
        adu_attributes_clear(&all);
        if (verdict != ADU_ABSTAIN) {
            return verdict;
        }
    }
    /* Whether that is a refusal depends on what else the client proves, and on what is required. */
    const char *cn = adu_attributes_single(login->certificate, "cert.cn");
    const char *issuer = adu_attributes_single(login->certificate, "cert.issuer.cn");
    struct adu_reason *why = &login->certificate_why;
    *why = (struct adu_reason)ADU_REASON_INIT;
    why->stage = adu_stage_name(ADU_STAGE_CERT_AUTH);
    why->text = "no identity of cert_auth.json matches the certificate";
    snprintf(why->detail, sizeof why->detail, "CN=%.48s, issuer CN=%.48s", cn != NULL ? cn : "-",
             issuer != NULL ? issuer : "-");
    return ADU_ABSTAIN;
}
