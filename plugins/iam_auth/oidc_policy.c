#include "plugins/iam_auth/oidc_policy.h"
#include "common/fetch.h"
#include "common/hash.h"
#include "common/match.h"
#include "common/reader.h"
#include "plugins/iam_auth/named_file.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKEW_MOST = 300, REFRESH_LEAST = 60, REFRESH_MOST = 86400, KEEP_MOST = 30 * 86400 };

static const char *const username_names[] = {"required", "optional", NULL};

struct keys {
    const char *issuer, *username_claim;
    int username;
    long skew_seconds;
    const struct adu_json *audience, *jwks, *algorithms, *attributes, *roles_claim, *roles,
        *introspection;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, issuer, STRING, .required = true),
    ADU_FIELD(struct keys, audience, ANY, .required = true),
    ADU_FIELD(struct keys, jwks, OBJECT, .required = true),
    ADU_FIELD(struct keys, algorithms, ARRAY),
    ADU_FIELD(struct keys, username_claim, STRING),
    ADU_FIELD(struct keys, username, CHOICE, .choices = username_names),
    ADU_FIELD(struct keys, skew_seconds, INTEGER, .minimum = 0, .maximum = SKEW_MOST),
    ADU_FIELD(struct keys, attributes, OBJECT),
    ADU_FIELD(struct keys, roles_claim, ANY),
    ADU_FIELD(struct keys, roles, OBJECT),
    ADU_FIELD(struct keys, introspection, OBJECT),
    {0},
};

struct jwks_keys {
    const char *file, *url, *ca_file;
    long refresh_seconds, keep_seconds;
};

static const struct adu_field jwks_fields[] = {
    ADU_FIELD(struct jwks_keys, file, STRING),
    ADU_FIELD(struct jwks_keys, url, STRING),
    ADU_FIELD(struct jwks_keys, ca_file, STRING),
    ADU_FIELD(struct jwks_keys, refresh_seconds, INTEGER, .minimum = REFRESH_LEAST,
              .maximum = REFRESH_MOST),
    ADU_FIELD(struct jwks_keys, keep_seconds, INTEGER, .minimum = REFRESH_LEAST,
              .maximum = KEEP_MOST),
    {0},
};

struct introspection_keys {
    const char *url, *ca_file, *client_id, *client_secret_file;
};

static const struct adu_field introspection_fields[] = {
    ADU_FIELD(struct introspection_keys, url, STRING, .required = true),
    ADU_FIELD(struct introspection_keys, ca_file, STRING),
    ADU_FIELD(struct introspection_keys, client_id, STRING, .required = true),
    ADU_FIELD(struct introspection_keys, client_secret_file, STRING, .required = true),
    {0},
};

/* --- texts --- */

static const char *keep(struct adu_compiler *c, const char *text)
{
    const char *copy = adu_arena_strdup(c->arena, text);
    if (copy == NULL) {
        adu_error_no_memory(c->error);
    }
    return copy;
}

/* "planta.linea" as the answer has it. */
static const char *claim_name(struct adu_compiler *c, const struct adu_json *node)
{
    const char *claim = adu_read_string(node, c->error);
    if (claim == NULL) {
        return NULL;
    }
    if (strlen(claim) >= ADU_TOKEN_NAME_MOST) {
        adu_json_error(node, c->error, "a claim's path has at most %d bytes",
                       ADU_TOKEN_NAME_MOST - 1);
        return NULL;
    }
    const size_t size = sizeof "token." + strlen(claim);
    char *name = adu_arena_alloc(c->arena, size);
    if (name == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    snprintf(name, size, "token.%s", claim);
    return name;
}

static const char *plain_text(struct adu_compiler *c, const struct adu_json *node)
{
    const char *text = adu_read_string(node, c->error);
    return text != NULL ? keep(c, text) : NULL;
}

/* One text, or a list of some; ended with NULL. `nothing` says what an empty list would mean. */
static const char **text_list(struct adu_compiler *c, const struct adu_json *node,
                              const char *(*read)(struct adu_compiler *, const struct adu_json *),
                              const char *nothing)
{
    const bool many = json_is_array(node->value);
    if (many && node->count == 0) {
        adu_json_error(node, c->error, "%s", nothing);
        return NULL;
    }
    const char **list = adu_arena_array(c->arena, (many ? node->count : 1) + 1, sizeof *list);
    if (list == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    size_t count = 0;
    for (const struct adu_json *item = many ? node->first : node; item != NULL;
         item = many ? item->next : NULL) {
        if ((list[count++] = read(c, item)) == NULL) {
            return NULL;
        }
    }
    return list;
}

/* --- where things are --- */

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        const size_t length = strlen(hosts[i]);
        if (strncmp(url, hosts[i], length) == 0 && strchr(":/?#", url[length]) != NULL) {
            return true; /* the end of the text is one of those too */
        }
    }
    return false;
}

/* Whoever can change what comes from there decides who may log in. */
static const char *address(struct adu_compiler *c, const struct adu_json *object, const char *url)
{
    char why[ADU_FETCH_WHY];
    const struct adu_json *node = adu_json_member(object, "url");
    if (!adu_fetch_allows(url, why)) {
        adu_json_error(node, c->error, "%s", why);
        return NULL;
    }
    if (strncmp(url, "https://", 8) != 0 && !is_loopback(url)) {
        adu_json_error(node, c->error, "expected https://; http:// only to this machine itself");
        return NULL;
    }
    return keep(c, url);
}

/* The path of a file with certificates, once somebody has looked at it. */
static bool ca_file(struct adu_compiler *c, const char *name, const char **path)
{
    size_t length;
    if (name == NULL) {
        return true;
    }
    char *text = adu_named_file_read(c, name, ADU_OIDC_CA_FILE_MOST, &length);
    if (text == NULL) {
        return false;
    }
    const bool good = strstr(text, "-----BEGIN CERTIFICATE-----") != NULL;
    free(text);
    if (!good) {
        return adu_error_set(c->error, &(struct adu_place){.file = name}, "holds no certificate");
    }
    *path = adu_named_file_path(c, name);
    return *path != NULL || adu_error_no_memory(c->error);
}

/* --- keys --- */

static void free_keys(void *thing)
{
    adu_jwks_free(thing);
}

static void close_source(void *thing)
{
    adu_jwks_source_close(thing);
}

static bool read_keys(struct adu_compiler *c, const char *name, struct adu_oidc_policy *policy)
{
    size_t length;
    char why[ADU_JWKS_WHY];
    char *text = adu_named_file_read(c, name, ADU_JWKS_MOST_BYTES, &length);
    if (text == NULL) {
        return false;
    }
    struct adu_jwks *keys = adu_jwks_read(text, length, why);
    policy->stamp = adu_hash(text, length);
    explicit_bzero(text, length); /* perhaps it should not have been there */
    free(text);
    if (keys == NULL) {
        return adu_error_set(c->error, &(struct adu_place){.file = name}, "%s", why);
    }
    policy->keys = keys;
    return adu_arena_at_free(c->arena, free_keys, keys) || adu_error_no_memory(c->error);
}

static bool open_source(struct adu_compiler *c, const struct adu_json *object,
                        const struct jwks_keys *keys, struct adu_oidc_policy *policy)
{
    struct adu_jwks_address to = {.refresh_ms = keys->refresh_seconds * 1000,
                                  .keep_ms = keys->keep_seconds * 1000,
                                  .again_ms = ADU_OIDC_AGAIN_SECONDS * 1000,
                                  .timeout_ms = ADU_OIDC_TIMEOUT_MS};
    if (keys->keep_seconds < keys->refresh_seconds) {
        return adu_json_error(object, c->error,
                              "keep_seconds %ld is less than refresh_seconds %ld: there would be "
                              "times without keys",
                              keys->keep_seconds, keys->refresh_seconds);
    }
    if ((to.url = address(c, object, keys->url)) == NULL ||
        !ca_file(c, keys->ca_file, &to.ca_file)) {
        return false;
    }
    policy->source = adu_jwks_source_open(&to);
    return (policy->source != NULL && adu_arena_at_free(c->arena, close_source, policy->source)) ||
           adu_error_no_memory(c->error);
}

static bool compile_jwks(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_oidc_policy *policy)
{
    struct jwks_keys keys = {.refresh_seconds = ADU_OIDC_REFRESH_SECONDS,
                             .keep_seconds = ADU_OIDC_KEEP_SECONDS};
    if (!adu_read_object(object, jwks_fields, &keys, c->error)) {
        return false;
    }
    if (keys.file == NULL && keys.url == NULL) {
        return adu_json_error(object, c->error, "expected \"file\", \"url\" or both");
    }
    if (keys.file != NULL && !read_keys(c, keys.file, policy)) {
        return false;
    }
    if (keys.url != NULL) {
        return open_source(c, object, &keys, policy);
    }
    static const char *const of_url[] = {"ca_file", "refresh_seconds", "keep_seconds"};
    for (size_t i = 0; i < sizeof of_url / sizeof of_url[0]; i++) {
        const struct adu_json *node = adu_json_member(object, of_url[i]);
        if (node != NULL) {
            return adu_json_key_error(node, c->error, "has no meaning without \"url\"");
        }
    }
    return true;
}

static bool compile_algorithms(struct adu_compiler *c, const struct adu_json *list,
                               struct adu_token_rules *rules)
{
    for (int i = 0; list == NULL && i < ADU_TOKEN_ALGORITHMS; i++) {
        rules->algorithms[i] = true;
    }
    if (list != NULL && list->count == 0) {
        return adu_json_error(list, c->error, "an empty list lets nobody in");
    }
    for (const struct adu_json *node = list != NULL ? list->first : NULL; node != NULL;
         node = node->next) {
        const char *name = adu_read_string(node, c->error);
        int i = 0;
        while (name != NULL && i < ADU_TOKEN_ALGORITHMS &&
               strcmp(name, adu_token_algorithm_names[i]) != 0) {
            i++;
        }
        if (name == NULL || i == ADU_TOKEN_ALGORITHMS) {
            return adu_json_error(node, c->error,
                                  "expected \"RS256\", \"PS256\", \"ES256\" or \"EdDSA\": "
                                  "no other way to sign is believed");
        }
        rules->algorithms[i] = true;
    }
    return true;
}

/* --- introspection --- */

static void wipe(void *secret)
{
    OPENSSL_cleanse(secret, strlen(secret));
}

/* As RFC 6749 (2.3.1) wants name and secret before they become Basic authentication. */
static const char *form_encoded(struct adu_compiler *c, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *encoded = adu_arena_alloc(c->arena, strlen(text) * 3 + 1), *at = encoded;
    if (encoded == NULL || !adu_arena_at_free(c->arena, wipe, encoded)) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    for (; *text != '\0'; text++) {
        at += strchr(plain, *text) != NULL ? sprintf(at, "%c", *text)
                                           : sprintf(at, "%%%02X", (unsigned char)*text);
    }
    return encoded;
}

/* The first line of a file. */
static const char *read_secret(struct adu_compiler *c, const char *name)
{
    size_t length;
    char *text = adu_named_file_read(c, name, ADU_OIDC_SECRET_MOST, &length);
    if (text == NULL) {
        return NULL;
    }
    const size_t used = strcspn(text, "\r\n");
    const bool clean =
        used > 0 && text[used + strspn(text + used, "\r\n")] == '\0' && strlen(text) == length;
    text[used] = '\0';
    const char *secret = clean ? form_encoded(c, text) : NULL;
    explicit_bzero(text, length);
    free(text);
    if (!clean) {
        adu_error_set(c->error, &(struct adu_place){.file = name},
                      "expected one line with the secret");
    }
    return secret;
}

static bool compile_introspection(struct adu_compiler *c, const struct adu_json *object,
                                  struct adu_oidc_policy *policy)
{
    struct introspection_keys keys = {0};
    if (object == NULL) {
        return true;
    }
    struct adu_introspection *made = adu_arena_alloc(c->arena, sizeof *made);
    if (made == NULL) {
        return adu_error_no_memory(c->error);
    }
    if (!adu_read_object(object, introspection_fields, &keys, c->error) ||
        (made->url = address(c, object, keys.url)) == NULL ||
        !ca_file(c, keys.ca_file, &made->ca_file) ||
        (made->client_id = form_encoded(c, keys.client_id)) == NULL ||
        (made->secret = read_secret(c, keys.client_secret_file)) == NULL) {
        return false;
    }
    made->timeout_ms = ADU_OIDC_TIMEOUT_MS;
    policy->introspection = made;
    return true;
}

/* --- what tokens give --- */

static bool compile_attributes(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_oidc_policy *policy)
{
    if (object == NULL) {
        return true;
    }
    policy->attributes =
        adu_arena_array(c->arena, adu_read_count(object), sizeof *policy->attributes);
    const struct adu_json *node = NULL;
    while (policy->attributes != NULL && (node = adu_read_next(object, node)) != NULL) {
        struct adu_oidc_attribute *a = &policy->attributes[policy->attribute_count++];
        if ((a->claim = claim_name(c, node)) == NULL ||
            !adu_read_is_name(node, node->key, c->error)) {
            return false;
        }
        if (adu_vocabulary_is_reserved(node->key)) {
            return adu_json_key_error(node, c->error,
                                      "this name is the bundle's own; choose another");
        }
        a->name = adu_arena_strdup(c->arena, node->key);
        if (a->name == NULL ||
            adu_vocabulary_define_attribute(c->vocabulary, a->name) == ADU_NO_NAME) {
            return adu_error_no_memory(c->error);
        }
    }
    return policy->attributes != NULL || adu_error_no_memory(c->error);
}

static bool compile_roles(struct adu_compiler *c, const struct adu_json *settings,
                          const struct keys *keys, struct adu_oidc_policy *policy)
{
    if ((keys->roles == NULL) != (keys->roles_claim == NULL)) {
        return adu_json_error(
            settings, c->error,
            "\"roles_claim\" and \"roles\" need each other: where the values are, "
            "and what each gives");
    }
    if (keys->roles == NULL) {
        return true;
    }
    policy->roles_claims =
        text_list(c, keys->roles_claim, claim_name, "an empty list gives no role");
    policy->roles = adu_arena_array(c->arena, adu_read_count(keys->roles), sizeof *policy->roles);
    const struct adu_json *node = NULL;
    while (policy->roles_claims != NULL && policy->roles != NULL &&
           (node = adu_read_next(keys->roles, node)) != NULL) {
        struct adu_oidc_role *role = &policy->roles[policy->role_count++];
        if ((role->value = keep(c, node->key)) == NULL ||
            (role->roles = adu_role_list_compile(c, node)) == NULL) {
            return false;
        }
    }
    return policy->roles_claims != NULL && (policy->roles != NULL || adu_error_no_memory(c->error));
}

static bool compile_rules(struct adu_compiler *c, const struct keys *keys,
                          const struct adu_json *settings, struct adu_token_rules *rules)
{
    const struct adu_json *claim = adu_json_member(settings, "username_claim");
    rules->skew_ms = keys->skew_seconds * 1000;
    rules->username_optional = keys->username == 1;
    return (rules->issuer = keep(c, keys->issuer)) != NULL &&
           (rules->audiences =
                text_list(c, keys->audience, plain_text, "an empty list lets nobody in")) != NULL &&
           (claim == NULL || claim_name(c, claim) != NULL) &&
           (rules->username_claim = keep(c, keys->username_claim)) != NULL &&
           compile_algorithms(c, keys->algorithms, rules);
}

const struct adu_oidc_policy *adu_oidc_policy_compile(struct adu_compiler *c,
                                                      const struct adu_json *settings)
{
    struct keys keys = {.username_claim = "sub", .skew_seconds = ADU_OIDC_SKEW_SECONDS};
    struct adu_oidc_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(settings, fields, &keys, c->error) ||
        !compile_rules(c, &keys, settings, &policy->rules) || !compile_jwks(c, keys.jwks, policy) ||
        !compile_attributes(c, keys.attributes, policy) ||
        !compile_roles(c, settings, &keys, policy) ||
        !compile_introspection(c, keys.introspection, policy)) {
        return NULL;
    }
    return policy;
}
