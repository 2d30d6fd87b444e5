#include "plugins/iam_auth/iam_auth.h"
#include "common/reader.h"
#include "plugins/iam_auth/provider.h"
#include <stdio.h>
#include <string.h>

/* In no order: iam_auth.json says which are asked and when. */
static const struct adu_provider *const known_providers[] = {&adu_provider_local, NULL};

enum { PROVIDERS_MOST = 8 };

enum require { REQUIRE_BOTH, REQUIRE_CERTIFICATE, REQUIRE_PASSWORD, REQUIRE_EITHER };

static const char *const require_names[] = {"both", "certificate", "password", "either", NULL};

struct adu_iam_policy {
    enum require require;
    size_t count;
    struct {
        const struct adu_provider *provider;
        const void *settings;
    } asked[PROVIDERS_MOST];
};

/* --- compiling --- */

struct keys {
    struct adu_stage_header header;
    int require;
    const struct adu_json *providers;
    const struct adu_json *local;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_FIELD(struct keys, require, CHOICE, .choices = require_names),
    ADU_FIELD(struct keys, providers, ARRAY, .required = true),
    ADU_FIELD(struct keys, local, OBJECT),
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

static bool compile_provider(struct adu_compiler *c, const struct adu_json *root,
                             const struct adu_json *node, struct adu_iam_policy *policy)
{
    const char *name = adu_read_string(node, c->error);
    const struct adu_provider *provider = name != NULL ? find_provider(name) : NULL;
    if (provider == NULL) {
        return adu_json_error(node, c->error, "expected a provider: \"local\"");
    }
    if (is_asked(policy, provider)) {
        return adu_json_error(node, c->error, "\"%s\" is named twice", name);
    }
    const struct adu_json *settings = adu_json_member(root, name);
    if (settings == NULL) {
        return adu_json_error(node, c->error, "the key \"%s\" with its settings is missing", name);
    }
    if (policy->count == PROVIDERS_MOST) {
        return adu_json_error(node, c->error, "at most %d providers", PROVIDERS_MOST);
    }
    policy->asked[policy->count].provider = provider;
    policy->asked[policy->count].settings = provider->compile(c, settings);
    return policy->asked[policy->count++].settings != NULL;
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

const struct adu_iam_policy *adu_iam_auth_compile(struct adu_compiler *c,
                                                  const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_iam_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(root, fields, &keys, c->error)) {
        return NULL;
    }
    policy->require = (enum require)keys.require;
    for (const struct adu_json *node = keys.providers->first; node != NULL; node = node->next) {
        if (!compile_provider(c, root, node, policy)) {
            return NULL;
        }
    }
    return check_others(c, root, policy) ? policy : NULL;
}

/* --- identifying --- */

static void say_what_is_required(const struct adu_iam_policy *policy, struct adu_login *login)
{
    static const unsigned factors[] = {
        [REQUIRE_BOTH] = ADU_FACTOR_CERTIFICATE | ADU_FACTOR_PASSWORD,
        [REQUIRE_CERTIFICATE] = ADU_FACTOR_CERTIFICATE,
        [REQUIRE_PASSWORD] = ADU_FACTOR_PASSWORD,
        [REQUIRE_EITHER] = 0,
    };
    login->required |= factors[policy->require];
}

static enum adu_verdict refuse(struct adu_login *login, const char *text)
{
    login->why.text = text;
    return ADU_DENY;
}

static const char *const outcome_texts[] = {
    [ADU_OUTCOME_UNAVAILABLE] = "its provider cannot be asked",
    [ADU_OUTCOME_WRONG] = "wrong password",
    [ADU_OUTCOME_BARRED] = "the account is not to be used",
};

/* Wanted where it is required, and where it is all that the client offers. */
static bool password_is_wanted(const struct adu_login *login)
{
    return (login->required & ADU_FACTOR_PASSWORD) != 0 ||
           ((login->required & ADU_FACTOR_CERTIFICATE) == 0 &&
            (login->proven & ADU_FACTOR_CERTIFICATE) == 0);
}

/* What the first provider says that knows the user; without a password: the first that still knows
 * him. */
static enum adu_verdict ask(const struct adu_iam_policy *policy, struct adu_login *login,
                            const char *username, int64_t wall_ms)
{
    const char *password = login->again ? NULL : login->password;
    enum adu_verdict verdict = ADU_ABSTAIN;
    for (size_t i = 0; i < policy->count && verdict == ADU_ABSTAIN; i++) {
        const struct adu_provider *provider = policy->asked[i].provider;
        const void *settings = policy->asked[i].settings;
        struct adu_answer answer = {0};
        provider->ask(settings, username, password, wall_ms, &answer);
        if (answer.outcome == ADU_OUTCOME_VERIFIED) {
            verdict = provider->describe(settings, &answer, login);
        } else if (answer.outcome != ADU_OUTCOME_UNKNOWN) {
            verdict = refuse(login, outcome_texts[answer.outcome]);
        }
        adu_answer_clear(&answer);
    }
    return verdict == ADU_ABSTAIN ? refuse(login, "no provider knows this user") : verdict;
}

static enum adu_verdict same_person(struct adu_login *login, const char *username)
{
    if ((login->proven & ADU_FACTOR_CERTIFICATE) == 0 || strcmp(login->username, username) == 0) {
        return ADU_ALLOW;
    }
    snprintf(login->why.detail, sizeof login->why.detail, "%.100s", login->username);
    return refuse(login,
                  "certificate and password must name the same person; the certificate is of");
}

enum adu_verdict adu_iam_auth_identify(const struct adu_iam_policy *policy, int64_t wall_ms,
                                       struct adu_login *login)
{
    say_what_is_required(policy, login);
    if (!password_is_wanted(login)) {
        return ADU_ABSTAIN;
    }
    if (login->again && (login->proven_before & ADU_FACTOR_PASSWORD) == 0) {
        return ADU_ABSTAIN;
    }
    const char *username = login->again ? login->username_before : login->claimed_username;
    if (username == NULL || username[0] == '\0') {
        return login->required != 0
                   ? refuse(login, "a password is required, and the client gave no user name")
                   : ADU_ABSTAIN;
    }
    if (strlen(username) > ADU_USERNAME_MOST) {
        return refuse(login, "the user name has more than 256 bytes");
    }
    if (!login->again && (login->password == NULL || login->password[0] == '\0')) {
        return refuse(login, "a password is required, and the client gave none");
    }
    enum adu_verdict verdict = same_person(login, username);
    if (verdict == ADU_ALLOW) {
        verdict = ask(policy, login, username, wall_ms);
    }
    if (verdict == ADU_ALLOW) {
        login->proven |= ADU_FACTOR_PASSWORD;
        snprintf(login->username, sizeof login->username, "%s", username);
    }
    return verdict;
}
