/* Who is asked about at all, by what the client has given and what is required of it. */
#include "plugins/iam_auth/iam_parts.h"
#include <string.h>

enum { SECRET_MOST = 16384 };

static void say_what_is_required(const struct adu_iam_policy *policy, struct adu_login *login)
{
    static const unsigned factors[] = {
        [ADU_IAM_REQUIRE_BOTH] = ADU_FACTOR_CERTIFICATE | ADU_FACTOR_PASSWORD,
        [ADU_IAM_REQUIRE_CERTIFICATE] = ADU_FACTOR_CERTIFICATE,
        [ADU_IAM_REQUIRE_PASSWORD] = ADU_FACTOR_PASSWORD,
        [ADU_IAM_REQUIRE_EITHER] = 0,
    };
    login->required |= factors[policy->require];
}

/* Wanted where it is required, and where it is all that the client offers. */
static bool password_is_wanted(const struct adu_login *login)
{
    return (login->required & ADU_FACTOR_PASSWORD) != 0 ||
           ((login->required & ADU_FACTOR_CERTIFICATE) == 0 &&
            (login->proven & ADU_FACTOR_CERTIFICATE) == 0);
}

/* Whom the client gives itself out as: by its user name, or by a secret that says whose it is. */
static const char *name_given(struct adu_iam_asking *a)
{
    const struct adu_login *login = a->login;
    const char *claimed = login->again ? login->username_before : login->claimed_username;
    if (login->again || (claimed != NULL && claimed[0] != '\0')) {
        return claimed;
    }
    if (login->ticket != 0) { /* the secret is not at hand any more */
        const struct adu_lookup *l = adu_lookups_result(a->iam->lookups, login->ticket);
        return l != NULL ? l->username : NULL;
    }
    for (size_t i = 0; login->password != NULL && i < a->policy->count; i++) {
        const struct adu_iam_asked *asked = &a->policy->asked[i];
        if (asked->provider->name_in != NULL &&
            asked->provider->name_in(asked->settings, login->password, a->name_in_secret)) {
            return a->name_in_secret;
        }
    }
    return claimed;
}

/* What the client has given; ALLOW if that can be asked about. */
static enum adu_verdict check_given(struct adu_login *login, const char *username)
{
    if (username == NULL || username[0] == '\0') {
        return login->required != 0
                   ? adu_iam_refuse(login,
                                    "a password is required, and the client gave no user name")
                   : ADU_ABSTAIN;
    }
    if (strlen(username) > ADU_USERNAME_MOST) {
        return adu_iam_refuse(login, "the user name has more than 256 bytes");
    }
    if (login->again || login->ticket != 0) {
        return ADU_ALLOW; /* there is no password at hand */
    }
    if (login->password == NULL || login->password[0] == '\0') {
        return adu_iam_refuse(login, "a password is required, and the client gave none");
    }
    if (strlen(login->password) > SECRET_MOST) {
        return adu_iam_refuse(login, "the password has more than 16384 bytes");
    }
    return ADU_ALLOW;
}

enum adu_verdict adu_iam_auth_identify(const struct adu_stage_call *call, struct adu_login *login)
{
    struct adu_iam_asking a = {
        .call = call, .policy = call->policy, .iam = call->instance, .login = login};
    say_what_is_required(a.policy, login);
    if (!password_is_wanted(login) ||
        (login->again && (login->proven_before & ADU_FACTOR_PASSWORD) == 0)) {
        return ADU_ABSTAIN;
    }
    a.iam->now_ms = call->now_ms;
    a.secret = login->again ? (const char *)login->secret_before.bytes : login->password;
    a.username = name_given(&a);
    enum adu_verdict verdict = check_given(login, a.username);
    if (verdict == ADU_ALLOW) {
        verdict = adu_iam_same_person(login, a.username);
    }
    if (verdict == ADU_ALLOW && !adu_mark_make(&a.iam->key, a.username, a.secret, &a.mark)) {
        verdict = ADU_ERROR;
    }
    if (verdict == ADU_ALLOW) {
        verdict = login->again ? adu_iam_ask_again(&a) : adu_iam_ask(&a);
    }
    return verdict;
}
