/* What an answer makes of a log-in. */
#include "plugins/iam_auth/iam_parts.h"
#include <stdio.h>
#include <string.h>

enum adu_verdict adu_iam_refuse(struct adu_login *login, const char *text)
{
    login->why.text = text;
    return ADU_DENY;
}

enum adu_verdict adu_iam_refuse_for(struct adu_login *login, const char *text, const char *detail)
{
    snprintf(login->why.detail, sizeof login->why.detail, "%.150s", detail);
    return adu_iam_refuse(login, text);
}

const char *const adu_iam_outcome_texts[] = {
    [ADU_OUTCOME_UNAVAILABLE] = "its provider cannot be asked",
    [ADU_OUTCOME_UNKNOWN] = "no provider knows this user",
    [ADU_OUTCOME_WRONG] = "wrong password",
    [ADU_OUTCOME_BARRED] = "the account is not to be used",
};
static bool is_other_person(const struct adu_login *login, const char *username)
{
    return (login->proven & ADU_FACTOR_CERTIFICATE) != 0 && strcmp(login->username, username) != 0;
}

enum adu_verdict adu_iam_same_person(struct adu_login *login, const char *username)
{
    if (!is_other_person(login, username)) {
        return ADU_ALLOW;
    }
    snprintf(login->why.detail, sizeof login->why.detail, "%.100s", login->username);
    return adu_iam_refuse(
        login, "certificate and password must name the same person; the certificate is of");
}

static void end_with(struct adu_login *login, int64_t until_ms)
{
    if (until_ms != 0 && (login->valid_until_ms == 0 || until_ms < login->valid_until_ms)) {
        login->valid_until_ms = until_ms;
    }
}

/* In grace other roles may be his than those that his provider gives him. */
static enum adu_verdict describe(const struct adu_iam_policy *policy,
                                 const struct adu_iam_asked *asked, const struct adu_answer *answer,
                                 struct adu_login *login)
{
    const size_t roles = login->role_count;
    const enum adu_verdict verdict = asked->provider->describe(asked->settings, answer, login);
    if (verdict != ADU_ALLOW || !answer->in_grace || policy->offline_roles == NULL) {
        return verdict;
    }
    login->role_count = roles;
    return adu_login_add_roles(login, policy->offline_roles) ? ADU_ALLOW : ADU_ERROR;
}

/* Who is in is asked about again: by his name, or by a secret that is kept for that. */
static bool plan_recheck(const struct adu_iam_asking *a, const struct adu_iam_asked *asked)
{
    struct adu_login *login = a->login;
    const long seconds = a->policy->limits.recheck_seconds;
    const bool by_secret = seconds > 0 && a->secret != NULL && adu_iam_asked_may_be_revoked(asked);
    const struct adu_bytes secret = {(unsigned char *)a->secret,
                                     by_secret ? strlen(a->secret) + 1 : 0};
    login->refresh_seconds = asked->provider->rechecks || by_secret ? seconds : 0;
    return !by_secret || login->again || adu_bytes_copy(&login->secret, secret);
}

/* What a provider's answer, by `asked`, makes of the log-in. */
enum adu_verdict adu_iam_conclude(const struct adu_iam_asking *a, const struct adu_iam_asked *asked,
                                  const struct adu_answer *answer)
{
    struct adu_login *login = a->login;
    if (answer->outcome != ADU_OUTCOME_VERIFIED) {
        return adu_iam_refuse_for(login, adu_iam_outcome_texts[answer->outcome], answer->why);
    }
    const char *username = answer->username[0] != '\0' ? answer->username : a->username;
    enum adu_verdict verdict = adu_iam_same_person(login, username);
    if (verdict != ADU_ALLOW) {
        return verdict;
    }
    verdict = describe(a->policy, asked, answer, login);
    if (verdict != ADU_ALLOW) {
        return verdict == ADU_ABSTAIN
                   ? adu_iam_refuse(login, adu_iam_outcome_texts[ADU_OUTCOME_UNKNOWN])
                   : verdict;
    }
    if (asked->provider->waits) {
        if (!adu_answer_write(answer, asked->provider->name, &login->record) ||
            !plan_recheck(a, asked)) {
            return ADU_ERROR;
        }
    }
    end_with(login, answer->valid_until_ms);
    a->call->counters->logins_by_ending_password += answer->secret_until_ms != 0;
    login->proven |= ADU_FACTOR_PASSWORD;
    snprintf(login->username, sizeof login->username, "%s", username);
    return ADU_ALLOW;
}
