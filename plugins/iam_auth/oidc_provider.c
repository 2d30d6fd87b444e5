/* Users by their tokens: what an issuer signed is judged here, without asking it. */
#include "plugins/iam_auth/oidc_policy.h"
#include "plugins/iam_auth/provider.h"
#include <stdio.h>
#include <string.h>

static const void *compile(struct adu_compiler *c, const struct adu_json *settings)
{
    return adu_oidc_policy_compile(c, settings);
}

static uint32_t stamp(const void *settings)
{
    return ((const struct adu_oidc_policy *)settings)->stamp;
}

/* --- asking --- */

static void without_keys(struct adu_answer *answer, const char *why)
{
    answer->outcome = ADU_OUTCOME_UNAVAILABLE;
    snprintf(answer->why, sizeof answer->why, "the issuer's keys cannot be had: %s", why);
}

/* By the keys of the file where none can be had. Twice, if the first time its key is unknown and
 * fresher ones can be had. */
static void judge_by_source(const struct adu_oidc_policy *policy, const char *username,
                            const char *token, int64_t wall_ms, struct adu_answer *answer)
{
    char why[ADU_JWKS_WHY];
    struct adu_jwks *keys = adu_jwks_source_keys(policy->source, why);
    if (keys == NULL && policy->keys != NULL) {
        keys = adu_jwks_share(policy->keys);
    }
    if (keys == NULL) {
        without_keys(answer, why);
        return;
    }
    const bool known = adu_token_judge(&policy->rules, keys, token, username, wall_ms, answer);
    adu_jwks_free(keys);
    if (!known && (keys = adu_jwks_source_fresher(policy->source)) != NULL) {
        adu_answer_clear(answer);
        adu_token_judge(&policy->rules, keys, token, username, wall_ms, answer);
        adu_jwks_free(keys);
    }
}

static void ask(const void *settings, const char *username, const char *password, int64_t wall_ms,
                struct adu_answer *answer)
{
    const struct adu_oidc_policy *policy = settings;
    if (password == NULL) {
        snprintf(answer->why, sizeof answer->why, "nobody can tell without the token");
        return;
    }
    if (!adu_token_is_one(password)) {
        answer->outcome = ADU_OUTCOME_UNKNOWN;
        return;
    }
    if (policy->source != NULL) {
        judge_by_source(policy, username, password, wall_ms, answer);
    } else {
        adu_token_judge(&policy->rules, policy->keys, password, username, wall_ms, answer);
    }
    if (answer->outcome == ADU_OUTCOME_VERIFIED && policy->introspection != NULL) {
        adu_introspect(policy->introspection, password, answer);
    }
}

/* --- asking again --- */

static bool may_be_revoked(const void *settings)
{
    return ((const struct adu_oidc_policy *)settings)->introspection != NULL;
}

/* Its issuer alone is asked: that a key has been exchanged since ends no session. */
static void ask_again(const void *settings, const char *token, struct adu_answer *answer)
{
    const struct adu_oidc_policy *policy = settings;
    answer->outcome = ADU_OUTCOME_VERIFIED;
    adu_introspect(policy->introspection, token, answer);
}

static bool name_of_token(const void *settings, const char *password, char *username)
{
    const struct adu_oidc_policy *policy = settings;
    return policy->rules.username_optional && adu_token_is_one(password) &&
           adu_token_name(&policy->rules, password, username);
}

/* --- what the answer means --- */

static bool give_attributes(const struct adu_oidc_policy *policy, const struct adu_answer *answer,
                            struct adu_login *login)
{
    for (size_t a = 0; a < policy->attribute_count; a++) {
        for (size_t i = 0; i < answer->attributes.count; i++) {
            const struct adu_attribute *claim = &answer->attributes.items[i];
            if (strcmp(claim->name, policy->attributes[a].claim) == 0 &&
                !adu_attributes_add(&login->attributes, policy->attributes[a].name, claim->value)) {
                return false;
            }
        }
    }
    return true;
}

static bool is_roles_claim(const struct adu_oidc_policy *policy, const char *name)
{
    const char **claim = policy->roles_claims;
    while (claim != NULL && *claim != NULL && strcmp(*claim, name) != 0) {
        claim++;
    }
    return claim != NULL && *claim != NULL;
}

static bool give_roles(const struct adu_oidc_policy *policy, const struct adu_answer *answer,
                       struct adu_login *login)
{
    for (size_t i = 0; i < answer->attributes.count; i++) {
        const struct adu_attribute *claim = &answer->attributes.items[i];
        for (size_t r = 0; r < policy->role_count; r++) {
            if (strcmp(claim->value, policy->roles[r].value) == 0 &&
                is_roles_claim(policy, claim->name) &&
                !adu_login_add_roles(login, policy->roles[r].roles)) {
                return false;
            }
        }
    }
    return true;
}

static enum adu_verdict describe(const void *settings, const struct adu_answer *answer,
                                 struct adu_login *login)
{
    const struct adu_oidc_policy *policy = settings;
    return give_attributes(policy, answer, login) && give_roles(policy, answer, login) ? ADU_ALLOW
                                                                                       : ADU_ERROR;
}

const struct adu_provider adu_provider_oidc = {
    .name = "oidc",
    .compile = compile,
    .stamp = stamp,
    .waits = true, /* what is remembered of an answer would otherwise be asked for again */
    .may_be_revoked = may_be_revoked,
    .ask_again = ask_again,
    .name_in = name_of_token,
    .ask = ask,
    .describe = describe,
};
