/* A log-in: by what is known already, or by asking each provider in turn; and who guesses. */
#include "plugins/iam_auth/iam_parts.h"
#include <stdio.h>
#include <string.h>

enum { PARKED_MS = 60000 };

/* Which of those after `from` are away and not to be asked now. */
static unsigned closed_after(const struct adu_iam_asking *a, size_t from)
{
    unsigned closed = 0;
    for (size_t i = from + 1; i < a->policy->count; i++) {
        const struct adu_iam_asked *asked = &a->policy->asked[i];
        if (asked->provider->waits &&
            !adu_breaker_may_ask(&adu_iam_watch(a->iam, asked)->breaker, a->call->now_ms)) {
            closed |= 1U << i;
        }
    }
    return closed;
}

enum adu_verdict adu_iam_ask_worker(const struct adu_iam_asking *a, size_t from,
                                    const char *password)
{
    const struct adu_question_to_providers question = {
        .policy = a->policy,
        .from = from,
        .username = a->username,
        .password = password,
        .mark = &a->mark,
        .recheck = a->login->again,
        .closed = closed_after(a, from),
        .wall_ms = a->call->wall_ms,
    };
    a->login->ticket = adu_lookups_ask(a->iam->lookups, &question);
    return a->login->ticket != 0
               ? ADU_LATER
               : adu_iam_refuse(a->login, "too many log-ins wait for an answer of the providers");
}

static bool is_past(const struct adu_iam_asking *a, int64_t until_ms)
{
    return until_ms != 0 && until_ms <= a->call->wall_ms;
}

static const struct adu_known_answer *find_known(const struct adu_iam_asking *a, size_t *by)
{
    const struct adu_known_answer *known = adu_known_find(a->iam->known, a->username, &a->mark);
    *by = known != NULL ? adu_iam_policy_find(a->policy, known->provider, known->stamp)
                        : a->policy->count;
    const bool ended = known != NULL && (is_past(a, known->answer.valid_until_ms) ||
                                         is_past(a, known->answer.secret_until_ms));
    return *by < a->policy->count && !ended ? known : NULL;
}

/* Who was verified before gets in while his provider is away, for a time; by the secret that was
 * verified last, and only if his provider has not said no since: then he is not known. */
static enum adu_verdict in_its_absence(const struct adu_iam_asking *a, size_t by, const char *why)
{
    size_t known_by;
    const struct adu_known_answer *known = find_known(a, &known_by);
    const int64_t grace_ms = (int64_t)a->policy->limits.offline_grace_seconds * 1000;
    if (known != NULL && known_by == by && known->newest &&
        a->call->now_ms - known->asked_ms <= grace_ms) {
        struct adu_answer then = known->answer; /* borrowed */
        then.in_grace = true;
        a->call->counters->logins_in_grace++;
        return adu_iam_conclude(a, &a->policy->asked[by], &then);
    }
    return adu_iam_refuse_for(a->login, adu_iam_outcome_texts[ADU_OUTCOME_UNAVAILABLE], why);
}

/* On the broker's thread as far as that neither waits nor computes for long, then by a worker. */
static enum adu_verdict ask_each(const struct adu_iam_asking *a)
{
    for (size_t i = 0; i < a->policy->count; i++) {
        const struct adu_iam_asked *asked = &a->policy->asked[i];
        const struct adu_provider *provider = asked->provider;
        if (provider->waits) {
            struct adu_iam_watched *w = adu_iam_watch(a->iam, asked);
            return adu_breaker_may_ask(&w->breaker, a->call->now_ms)
                       ? adu_iam_ask_worker(a, i, a->login->password)
                       : in_its_absence(a, i, w->why);
        }
        if (provider->dear != NULL && provider->dear(asked->settings, a->username)) {
            return adu_iam_ask_worker(a, i, a->login->password);
        }
        struct adu_answer answer = {0};
        provider->ask(asked->settings, a->username, a->login->password, a->call->wall_ms, &answer);
        const bool known = answer.outcome != ADU_OUTCOME_UNKNOWN;
        if (answer.outcome == ADU_OUTCOME_VERIFIED) {
            adu_known_put(a->iam->known, a->username, &a->mark, provider->name, asked->stamp,
                          &answer, false, a->call->now_ms);
        }
        const enum adu_verdict verdict = known ? adu_iam_conclude(a, asked, &answer) : ADU_ABSTAIN;
        adu_answer_clear(&answer);
        if (known) {
            return verdict;
        }
    }
    return adu_iam_refuse(a->login, adu_iam_outcome_texts[ADU_OUTCOME_UNKNOWN]);
}

/* An answer that nobody was there to hear waits a minute for whoever asked to come again. A little
 * while after an answer has ceased to be fresh it still serves, but is looked up again for
 * the next time. */
static enum adu_verdict by_what_is_known(const struct adu_iam_asking *a, size_t by,
                                         const struct adu_known_answer *known)
{
    const int64_t age_ms = a->call->now_ms - known->asked_ms;
    const int64_t fresh_ms = (int64_t)a->policy->limits.fresh_seconds * 1000;
    const int64_t most_ms = known->parked && fresh_ms * 2 < PARKED_MS ? PARKED_MS : fresh_ms * 2;
    if (age_ms > most_ms) {
        return ADU_ABSTAIN;
    }
    if (age_ms > fresh_ms && !known->parked) {
        const struct adu_question_to_providers question = {
            .policy = a->policy,
            .from = by,
            .username = a->username,
            .password = a->login->password,
            .mark = &a->mark,
            .wall_ms = a->call->wall_ms,
        };
        struct adu_iam_watched *w = adu_iam_watch(a->iam, &a->policy->asked[by]);
        if (adu_breaker_may_ask(&w->breaker, a->call->now_ms)) {
            adu_lookups_ask_for_nobody(a->iam->lookups, &question);
        }
    }
    a->call->counters->logins_from_cache++;
    return adu_iam_conclude(a, &a->policy->asked[by], &known->answer);
}

/* The answer that was waited for, under the policy that runs now. */
static enum adu_verdict by_answer(struct adu_iam_asking *a)
{
    const struct adu_lookup *l = adu_lookups_result(a->iam->lookups, a->login->ticket);
    if (l == NULL || l->recheck || strcmp(l->username, a->username) != 0) {
        return ADU_ERROR;
    }
    a->mark = *l->mark; /* the secret itself is not at hand any more, but where it is to be kept */
    a->secret = l->secret;
    const struct adu_iam_asked *then = &l->policy->asked[l->by];
    const size_t by = adu_iam_policy_find(a->policy, then->provider->name, then->stamp);
    if (by == a->policy->count) {
        return adu_iam_refuse(a->login, "the policy has changed while its provider was asked");
    }
    if (l->answer.outcome == ADU_OUTCOME_UNAVAILABLE) {
        return in_its_absence(a, by, l->answer.why);
    }
    return adu_iam_conclude(a, &a->policy->asked[by], &l->answer);
}

/* Whose failures are counted, and who must wait for them. */
static struct adu_guard_who who_tries(const struct adu_login *login, const char *username)
{
    const bool certified =
        (login->proven & ADU_FACTOR_CERTIFICATE) != 0 && login->certificate != NULL;
    return (struct adu_guard_who){
        .username = username,
        .address = login->address,
        .certificate =
            certified ? adu_attributes_single(login->certificate, "cert.fingerprint") : NULL,
    };
}

static enum adu_verdict lock_out(const struct adu_iam_asking *a, enum adu_guard_kind kind)
{
    static const char *const texts[] = {
        [ADU_GUARD_USER] = "too many wrong passwords for this user name: locked out for a while",
        [ADU_GUARD_ADDRESS] = "too many wrong passwords from this address: locked out for a while",
        [ADU_GUARD_CERTIFICATE] =
            "too many wrong passwords with this certificate: locked out for a while",
    };
    a->call->counters->logins_locked_out++;
    return adu_iam_refuse(a->login, texts[kind]);
}

static void count_failure(const struct adu_iam_asking *a)
{
    static const char *const names[] = {[ADU_GUARD_USER] = "the user",
                                        [ADU_GUARD_ADDRESS] = "the address",
                                        [ADU_GUARD_CERTIFICATE] = "the certificate"};
    struct adu_iam *iam = a->iam;
    enum adu_guard_kind kind = ADU_GUARD_USER;
    if (!adu_guard_failed(iam->guard, &a->policy->guard, &a->who, a->call->now_ms, &kind)) {
        return;
    }
    const char *const who[] = {a->who.username, a->who.address, a->who.certificate};
    iam->guessing_ms = a->call->now_ms;
    if (!iam->guessing_told) {
        snprintf(iam->guessing_who, sizeof iam->guessing_who, "%s %s", names[kind], who[kind]);
    }
}

static void count_outcome(const struct adu_iam_asking *a, enum adu_verdict verdict)
{
    const char *text = a->login->why.text;
    if (verdict == ADU_ALLOW) {
        adu_guard_succeeded(a->iam->guard, &a->who);
    } else if (verdict == ADU_DENY && (text == adu_iam_outcome_texts[ADU_OUTCOME_WRONG] ||
                                       text == adu_iam_outcome_texts[ADU_OUTCOME_UNKNOWN])) {
        count_failure(a);
    }
}

/* A secret that was verified before is no guess, however many others guess at it. The same wrong
 * one once more is none either. */
enum adu_verdict adu_iam_ask(struct adu_iam_asking *a)
{
    size_t by;
    enum adu_guard_kind kind;
    a->who = who_tries(a->login, a->username);
    if (a->login->ticket != 0) {
        const enum adu_verdict answered = by_answer(a);
        count_outcome(a, answered);
        return answered;
    }
    const struct adu_known_answer *known = find_known(a, &by);
    const enum adu_verdict verdict = known != NULL ? by_what_is_known(a, by, known) : ADU_ABSTAIN;
    if (verdict != ADU_ABSTAIN) {
        return verdict;
    }
    if (known == NULL &&
        adu_guard_locks(a->iam->guard, &a->policy->guard, &a->who, a->call->now_ms, &kind)) {
        return lock_out(a, kind);
    }
    const struct adu_known_refusal *refusal =
        adu_known_refusal(a->iam->known, &a->mark, a->call->now_ms);
    if (refusal != NULL) {
        adu_iam_refuse_for(a->login, adu_iam_outcome_texts[refusal->outcome], refusal->why);
        if (adu_known_hear(a->iam->known, &a->mark)) {
            count_outcome(a, ADU_DENY);
        }
        return ADU_DENY;
    }
    const enum adu_verdict asked = ask_each(a);
    count_outcome(a, asked);
    return asked;
}
