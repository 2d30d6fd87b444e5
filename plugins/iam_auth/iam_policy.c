#include "plugins/iam_auth/iam_policy.h"
#include "common/hash.h"
#include "common/match.h"
#include "common/reader.h"
#include <stdlib.h>
#include <string.h>

/* In no order: iam_auth.json says which are asked and when. */
static const struct adu_provider *const known_providers[] = {
    &adu_provider_local, &adu_provider_ldap, &adu_provider_oidc, NULL};

static const char *const require_names[] = {"both", "certificate", "password", "either", NULL};

struct keys {
    struct adu_stage_header header;
    int require;
    struct adu_iam_limits limits;
    const struct adu_json *providers;
    const struct adu_json *cache, *brute_force;
    const struct adu_json *local, *ldap, *oidc;
};

#define LIMIT(type, member, name, least, most)                                                     \
    {                                                                                              \
        .key = (name), .kind = ADU_FIELD_INTEGER, .offset = offsetof(type, member),                \
        .minimum = (least), .maximum = (most)                                                      \
    }

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, require, CHOICE, .choices = require_names),
    ADU_FIELD(struct keys, providers, ARRAY, .required = true),
    LIMIT(struct keys, limits.login_budget_ms, "login_budget_ms", 0, 1000),
    LIMIT(struct keys, limits.recheck_seconds, "recheck_seconds", 0, 86400),
    ADU_FIELD(struct keys, cache, OBJECT),
    ADU_FIELD(struct keys, brute_force, OBJECT),
    ADU_FIELD(struct keys, local, OBJECT),
    ADU_FIELD(struct keys, ldap, OBJECT),
    ADU_FIELD(struct keys, oidc, OBJECT),
    {0},
};

static const struct adu_field guard_fields[] = {
    LIMIT(struct adu_guard_limits, failures, "failures", 1, 1000),
    LIMIT(struct adu_guard_limits, lockout_seconds, "lockout_seconds", 0, 86400),
    {0},
};

struct cache_keys {
    struct adu_iam_limits limits;
    const struct adu_json *offline_roles;
};

static const struct adu_field cache_fields[] = {
    LIMIT(struct cache_keys, limits.fresh_seconds, "fresh_seconds", 0, 86400),
    LIMIT(struct cache_keys, limits.refused_seconds, "refused_seconds", 0, 300),
    LIMIT(struct cache_keys, limits.offline_grace_seconds, "offline_grace_seconds", 0, 2592000),
    ADU_FIELD(struct cache_keys, offline_roles, ARRAY),
    {0},
};

static const struct adu_provider *find_provider(const char *name)
{
    const struct adu_provider *const *p = known_providers;
    while (*p != NULL && strcmp((*p)->name, name) != 0) {
        p++;
    }
    return *p;
}

static bool is_asked(const struct adu_iam_policy *policy, const struct adu_provider *provider)
{
    size_t i = 0;
    while (i < policy->count && policy->asked[i].provider != provider) {
        i++;
    }
    return i < policy->count;
}

/* Settings that read the same are the same, files that they name aside. */
static bool stamp(struct adu_compiler *c, const struct adu_json *settings,
                  struct adu_iam_asked *asked)
{
    char *text = json_dumps(settings->value, JSON_COMPACT);
    if (text == NULL) {
        return adu_error_no_memory(c->error);
    }
    asked->stamp = adu_hash(text, strlen(text));
    if (asked->provider->stamp != NULL) {
        asked->stamp |= (uint64_t)asked->provider->stamp(asked->settings) << 32;
    }
    free(text);
    return true;
}

static bool compile_provider(struct adu_compiler *c, const struct adu_json *root,
                             const struct adu_json *node, struct adu_iam_policy *policy)
{
    const char *name = adu_read_string(node, c->error);
    const struct adu_provider *provider = name != NULL ? find_provider(name) : NULL;
    if (provider == NULL) {
        return adu_json_error(node, c->error,
                              "expected a provider: \"local\", \"ldap\" or \"oidc\"");
    }
    if (is_asked(policy, provider)) {
        return adu_json_error(node, c->error, "\"%s\" is named twice", name);
    }
    const struct adu_json *settings = adu_json_member(root, name);
    if (settings == NULL) {
        return adu_json_error(node, c->error, "the key \"%s\" with its settings is missing", name);
    }
    if (policy->count == ADU_IAM_PROVIDERS_MOST) {
        return adu_json_error(node, c->error, "at most %d providers", ADU_IAM_PROVIDERS_MOST);
    }
    struct adu_iam_asked *asked = &policy->asked[policy->count++];
    asked->provider = provider;
    asked->settings = provider->compile(c, settings);
    return asked->settings != NULL && stamp(c, settings, asked);
}

/* Settings of a provider that nobody asks must be right all the same: the day it is asked again is
 * no day for surprises. */
static bool check_others(struct adu_compiler *c, const struct adu_json *root,
                         const struct adu_iam_policy *policy)
{
    for (const struct adu_provider *const *p = known_providers; *p != NULL; p++) {
        const struct adu_json *settings = adu_json_member(root, (*p)->name);
        if (settings != NULL && !is_asked(policy, *p) && (*p)->compile(c, settings) == NULL) {
            return false;
        }
    }
    return true;
}

static bool compile_cache(struct adu_compiler *c, const struct adu_json *node,
                          struct adu_iam_policy *policy)
{
    struct cache_keys keys = {.limits = policy->limits};
    if (node != NULL && !adu_read_object(node, cache_fields, &keys, c->error)) {
        return false;
    }
    policy->limits = keys.limits;
    if (keys.offline_roles != NULL) {
        policy->offline_roles = adu_role_list_compile(c, keys.offline_roles);
    }
    return keys.offline_roles == NULL || policy->offline_roles != NULL;
}

const struct adu_iam_policy *adu_iam_auth_compile(struct adu_compiler *c,
                                                  const struct adu_json *root)
{
    struct keys keys = {.limits = {.login_budget_ms = 50,
                                   .fresh_seconds = 300,
                                   .refused_seconds = 5,
                                   .offline_grace_seconds = 86400,
                                   .recheck_seconds = 300}};
    struct adu_iam_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    policy->guard.failures = 10;
    if (!adu_read_object(root, fields, &keys, c->error) ||
        (keys.brute_force != NULL &&
         !adu_read_object(keys.brute_force, guard_fields, &policy->guard, c->error))) {
        return NULL;
    }
    policy->limits = keys.limits;
    if (!compile_cache(c, keys.cache, policy)) {
        return NULL;
    }
    policy->arena = c->arena;
    policy->require = (enum adu_iam_require)keys.require;
    for (const struct adu_json *node = keys.providers->first; node != NULL; node = node->next) {
        if (!compile_provider(c, root, node, policy)) {
            return NULL;
        }
    }
    return check_others(c, root, policy) ? policy : NULL;
}

size_t adu_iam_policy_find(const struct adu_iam_policy *policy, const char *provider,
                           uint64_t stamp_then)
{
    size_t i = 0;
    while (i < policy->count && (policy->asked[i].stamp != stamp_then ||
                                 strcmp(policy->asked[i].provider->name, provider) != 0)) {
        i++;
    }
    return i;
}
