#include "plugins/iam_auth/iam_auth.h"
#include "plugins/iam_auth/breaker.h"
#include "plugins/iam_auth/jwks_source.h"
#include "plugins/iam_auth/known.h"
#include "plugins/iam_auth/lookups.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KNOWN_USERS_MOST = 50000,
    SECRET_MOST = 16384,
    PARKED_MS = 60000,
    PARKED_NO_MS = 10000,
    GUESSING_OVER_MS = 300000
};

/* Of all the time that passes, the part that may be spent waiting for log-ins: a quarter. */
enum { SHARE = 4 };

struct adu_iam {
    struct adu_lookups *lookups;
    struct adu_known *known;
    struct adu_guard *guard;
    int64_t guessing_ms;    /* when somebody last failed too often; 0: nobody has lately */
    bool guessing_told;     /* that somebody does */
    char guessing_who[320]; /* for the alert */
    struct adu_mark_key key;
    struct watched {
        const struct adu_provider *provider;
        uint64_t stamp;
        struct adu_breaker breaker;
        bool told; /* that it is away */
        char why[sizeof((struct adu_answer *)0)->why];
    } watched[ADU_IAM_PROVIDERS_MOST];
    const struct adu_iam_policy *policy; /* the running one, as far as was seen */
    int64_t now_ms, wall_ms;             /* lately */
    int64_t waited_ms, saved_since_ms;
};

/* --- what is known of providers --- */

static struct watched *watch(struct adu_iam *iam, const struct adu_iam_asked *asked)
{
    struct watched *free_place = NULL;
    for (size_t i = 0; i < ADU_IAM_PROVIDERS_MOST; i++) {
        struct watched *w = &iam->watched[i];
        if (w->provider == asked->provider) {
            if (w->stamp != asked->stamp) { /* another server, perhaps */
                w->stamp = asked->stamp;
                adu_breaker_answered(&w->breaker);
            }
            return w;
        }
        free_place = free_place == NULL && w->provider == NULL ? w : free_place;
    }
    if (free_place != NULL) {
        free_place->provider = asked->provider;
        free_place->stamp = asked->stamp;
    }
    return free_place; /* there are no more providers than places */
}

static void refuse_for_a_while(struct adu_iam *iam, const struct adu_lookup *l)
{
    const long seconds = l->policy->limits.refused_seconds;
    /* Not everybody comes back at the same moment. */
    const int64_t jitter = seconds * (l->mark->bytes[ADU_MARK_BYTES - 1] % 100) * 5;
    const int64_t ms = seconds * 1000 - jitter;
    adu_known_refuse(iam->known, l->mark, l->answer.outcome, l->for_nobody,
                     iam->now_ms + (l->for_nobody && ms < PARKED_NO_MS ? PARKED_NO_MS : ms));
}

/* An answer has come: it is remembered before anybody is told. */
static void told(void *context, const struct adu_lookup *l)
{
    struct adu_iam *iam = context;
    const struct adu_iam_asked *by = &l->policy->asked[l->by];
    struct watched *w = watch(iam, by);
    if (l->answer.outcome == ADU_OUTCOME_UNAVAILABLE) {
        if (!l->was_closed) {
            adu_breaker_failed(&w->breaker, iam->now_ms);
            snprintf(w->why, sizeof w->why, "%s", l->answer.why);
        }
        return;
    }
    adu_breaker_answered(&w->breaker);
    if (l->answer.outcome == ADU_OUTCOME_BARRED || l->recheck) {
        if (l->answer.outcome != ADU_OUTCOME_VERIFIED) {
            adu_known_forget(iam->known, l->username, NULL);
        }
    }
    if (l->recheck) {
        return;
    }
    if (l->answer.outcome == ADU_OUTCOME_VERIFIED) {
        adu_known_put(iam->known, l->username, l->mark, by->provider->name, by->stamp, &l->answer,
                      l->for_nobody, iam->now_ms);
        return;
    }
    adu_known_forget(iam->known, l->username, l->mark);
    refuse_for_a_while(iam, l);
}

/* --- the instance --- */

struct adu_iam *adu_iam_new(void)
{
    struct adu_iam *iam = calloc(1, sizeof *iam);
    if (iam == NULL) {
        return NULL;
    }
    iam->lookups = adu_lookups_new(told, iam);
    iam->known = adu_known_new(KNOWN_USERS_MOST);
    iam->guard = adu_guard_new();
    if (iam->lookups == NULL || iam->known == NULL || iam->guard == NULL ||
        !adu_mark_key_make(&iam->key)) {
        adu_iam_free(iam);
        return NULL;
    }
    return iam;
}

void adu_iam_free(struct adu_iam *iam)
{
    if (iam != NULL) {
        adu_lookups_free(iam->lookups);
        adu_known_free(iam->known);
        adu_guard_free(iam->guard);
        adu_mark_key_wipe(&iam->key);
        free(iam);
    }
}

uint64_t adu_iam_auth_answered(struct adu_iam *iam)
{
    return adu_lookups_answered(iam->lookups);
}

void adu_iam_auth_abandon(struct adu_iam *iam, uint64_t ticket)
{
    adu_lookups_abandon(iam->lookups, ticket);
}

/* Milliseconds that may be waited now: a share of what has passed, of which no more than for one
 * log-in is saved up. So several that come at once hold the loop up no longer than one. */
static long may_wait(struct adu_iam *iam, long most, int64_t now_ms)
{
    iam->waited_ms -= (now_ms - iam->saved_since_ms) / SHARE;
    iam->saved_since_ms = now_ms;
    if (iam->waited_ms < 0) {
        iam->waited_ms = 0;
    }
    const int64_t left = most - iam->waited_ms;
    return left < 0 ? 0 : (long)left;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool adu_iam_auth_wait(const struct adu_stage_call *call, uint64_t ticket)
{
    const struct adu_iam_policy *policy = call->policy;
    struct adu_iam *iam = call->instance;
    const int64_t before = clock_ms();
    const long most = may_wait(iam, policy->limits.login_budget_ms, before);
    const bool come = adu_lookups_wait(iam->lookups, ticket, most);
    iam->waited_ms += clock_ms() - before;
    return come;
}

static void tell(const struct adu_stage_call *call, struct watched *w)
{
    char text[400];
    const bool away = adu_breaker_is_broken(&w->breaker);
    snprintf(text, sizeof text,
             away ? "the provider \"%s\" does not answer%s%s; whom it has verified lately gets in"
                  : "the provider \"%s\" answers again",
             w->provider->name, w->why[0] != '\0' ? ": " : "", w->why);
    w->told = away;
    const struct adu_event event = {.kind = "provider_unavailable",
                                    .severity = ADU_SEVERITY_CRITICAL,
                                    .raised = away,
                                    .text = text};
    call->outlet->alert(call->outlet->context, &event);
}

/* One alert for all who guess: a thousand guessers are not a thousand alerts. */
static void tell_of_guessing(const struct adu_stage_call *call, struct adu_iam *iam)
{
    char text[400];
    const bool guessing =
        iam->guessing_ms != 0 && call->now_ms - iam->guessing_ms < GUESSING_OVER_MS;
    if (guessing == iam->guessing_told) {
        return;
    }
    iam->guessing_told = guessing;
    snprintf(text, sizeof text,
             guessing ? "passwords fail again and again, first of %s"
                      : "passwords have not failed again and again for five minutes, nor of %s",
             iam->guessing_who);
    const struct adu_event event = {.kind = "login_failures", .raised = guessing, .text = text};
    call->outlet->alert(call->outlet->context, &event);
}

void adu_iam_auth_tick(const struct adu_stage_call *call)
{
    struct adu_iam *iam = call->instance;
    const struct adu_jwks_use keys = adu_jwks_use();
    iam->now_ms = call->now_ms;
    call->counters->jwks_fetches = keys.fetches;
    call->counters->jwks_failed = keys.failed;
    call->counters->jwks_from_cache = keys.at_hand;
    call->counters->jwks_waited = keys.waited;
    tell_of_guessing(call, iam);
    for (size_t i = 0; i < ADU_IAM_PROVIDERS_MOST; i++) {
        struct watched *w = &iam->watched[i];
        if (w->told != adu_breaker_is_broken(&w->breaker)) {
            tell(call, w);
        }
    }
}

/* --- identifying --- */

/* One that asks. */
struct asking {
    const struct adu_stage_call *call;
    const struct adu_iam_policy *policy;
    struct adu_iam *iam;
    struct adu_login *login;
    const char *username;
    char name_in_secret[ADU_USERNAME_MOST + 1];
    struct adu_mark mark;
    struct adu_guard_who who;
};

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

static enum adu_verdict refuse(struct adu_login *login, const char *text)
{
    login->why.text = text;
    return ADU_DENY;
}

static enum adu_verdict refuse_for(struct adu_login *login, const char *text, const char *detail)
{
    snprintf(login->why.detail, sizeof login->why.detail, "%.150s", detail);
    return refuse(login, text);
}

static const char *const outcome_texts[] = {
    [ADU_OUTCOME_UNAVAILABLE] = "its provider cannot be asked",
    [ADU_OUTCOME_UNKNOWN] = "no provider knows this user",
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

static bool is_other_person(const struct adu_login *login, const char *username)
{
    return (login->proven & ADU_FACTOR_CERTIFICATE) != 0 && strcmp(login->username, username) != 0;
}

static enum adu_verdict same_person(struct adu_login *login, const char *username)
{
    if (!is_other_person(login, username)) {
        return ADU_ALLOW;
    }
    snprintf(login->why.detail, sizeof login->why.detail, "%.100s", login->username);
    return refuse(login,
                  "certificate and password must name the same person; the certificate is of");
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

/* What a provider's answer, by `asked`, makes of the log-in. */
static enum adu_verdict conclude(const struct asking *a, const struct adu_iam_asked *asked,
                                 const struct adu_answer *answer)
{
    struct adu_login *login = a->login;
    if (answer->outcome != ADU_OUTCOME_VERIFIED) {
        return refuse_for(login, outcome_texts[answer->outcome], answer->why);
    }
    const char *username = answer->username[0] != '\0' ? answer->username : a->username;
    enum adu_verdict verdict = same_person(login, username);
    if (verdict != ADU_ALLOW) {
        return verdict;
    }
    verdict = describe(a->policy, asked, answer, login);
    if (verdict != ADU_ALLOW) {
        return verdict == ADU_ABSTAIN ? refuse(login, outcome_texts[ADU_OUTCOME_UNKNOWN]) : verdict;
    }
    if (asked->provider->waits) {
        if (!adu_answer_write(answer, asked->provider->name, &login->record)) {
            return ADU_ERROR;
        }
        login->refresh_seconds = asked->provider->rechecks ? a->policy->limits.recheck_seconds : 0;
    }
    end_with(login, answer->valid_until_ms);
    a->call->counters->logins_by_ending_password += answer->secret_until_ms != 0;
    login->proven |= ADU_FACTOR_PASSWORD;
    snprintf(login->username, sizeof login->username, "%s", username);
    return ADU_ALLOW;
}

/* Which of those after `from` are away and not to be asked now. */
static unsigned closed_after(const struct asking *a, size_t from)
{
    unsigned closed = 0;
    for (size_t i = from + 1; i < a->policy->count; i++) {
        const struct adu_iam_asked *asked = &a->policy->asked[i];
        if (asked->provider->waits &&
            !adu_breaker_may_ask(&watch(a->iam, asked)->breaker, a->call->now_ms)) {
            closed |= 1U << i;
        }
    }
    return closed;
}

static enum adu_verdict ask_worker(const struct asking *a, size_t from, const char *password)
{
    const struct adu_question_to_providers question = {
        .policy = a->policy,
        .from = from,
        .username = a->username,
        .password = password,
        .mark = &a->mark,
        .closed = closed_after(a, from),
        .wall_ms = a->call->wall_ms,
    };
    a->login->ticket = adu_lookups_ask(a->iam->lookups, &question);
    return a->login->ticket != 0
               ? ADU_LATER
               : refuse(a->login, "too many log-ins wait for an answer of the providers");
}

static bool is_past(const struct asking *a, int64_t until_ms)
{
    return until_ms != 0 && until_ms <= a->call->wall_ms;
}

static const struct adu_known_answer *find_known(const struct asking *a, size_t *by)
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
static enum adu_verdict in_its_absence(const struct asking *a, size_t by, const char *why)
{
    size_t known_by;
    const struct adu_known_answer *known = find_known(a, &known_by);
    const int64_t grace_ms = (int64_t)a->policy->limits.offline_grace_seconds * 1000;
    if (known != NULL && known_by == by && known->newest &&
        a->call->now_ms - known->asked_ms <= grace_ms) {
        struct adu_answer then = known->answer; /* borrowed */
        then.in_grace = true;
        a->call->counters->logins_in_grace++;
        return conclude(a, &a->policy->asked[by], &then);
    }
    return refuse_for(a->login, outcome_texts[ADU_OUTCOME_UNAVAILABLE], why);
}

/* On the broker's thread as far as that neither waits nor computes for long, then by a worker. */
static enum adu_verdict ask_each(const struct asking *a)
{
    for (size_t i = 0; i < a->policy->count; i++) {
        const struct adu_iam_asked *asked = &a->policy->asked[i];
        const struct adu_provider *provider = asked->provider;
        if (provider->waits) {
            struct watched *w = watch(a->iam, asked);
            return adu_breaker_may_ask(&w->breaker, a->call->now_ms)
                       ? ask_worker(a, i, a->login->password)
                       : in_its_absence(a, i, w->why);
        }
        if (provider->dear != NULL && provider->dear(asked->settings, a->username)) {
            return ask_worker(a, i, a->login->password);
        }
        struct adu_answer answer = {0};
        provider->ask(asked->settings, a->username, a->login->password, a->call->wall_ms, &answer);
        const bool known = answer.outcome != ADU_OUTCOME_UNKNOWN;
        if (answer.outcome == ADU_OUTCOME_VERIFIED) {
            adu_known_put(a->iam->known, a->username, &a->mark, provider->name, asked->stamp,
                          &answer, false, a->call->now_ms);
        }
        const enum adu_verdict verdict = known ? conclude(a, asked, &answer) : ADU_ABSTAIN;
        adu_answer_clear(&answer);
        if (known) {
            return verdict;
        }
    }
    return refuse(a->login, outcome_texts[ADU_OUTCOME_UNKNOWN]);
}

/* An answer that nobody was there to hear waits a minute for whoever asked to come again. A little
 * while after an answer has ceased to be fresh it still serves, but is looked up again for
 * the next time. */
static enum adu_verdict by_what_is_known(const struct asking *a, size_t by,
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
        struct watched *w = watch(a->iam, &a->policy->asked[by]);
        if (adu_breaker_may_ask(&w->breaker, a->call->now_ms)) {
            adu_lookups_ask_for_nobody(a->iam->lookups, &question);
        }
    }
    a->call->counters->logins_from_cache++;
    return conclude(a, &a->policy->asked[by], &known->answer);
}

/* The answer that was waited for, under the policy that runs now. */
static enum adu_verdict by_answer(struct asking *a)
{
    const struct adu_lookup *l = adu_lookups_result(a->iam->lookups, a->login->ticket);
    if (l == NULL || l->recheck || strcmp(l->username, a->username) != 0) {
        return ADU_ERROR;
    }
    a->mark = *l->mark; /* the secret itself is not at hand any more */
    const struct adu_iam_asked *then = &l->policy->asked[l->by];
    const size_t by = adu_iam_policy_find(a->policy, then->provider->name, then->stamp);
    if (by == a->policy->count) {
        return refuse(a->login, "the policy has changed while its provider was asked");
    }
    if (l->answer.outcome == ADU_OUTCOME_UNAVAILABLE) {
        return in_its_absence(a, by, l->answer.why);
    }
    return conclude(a, &a->policy->asked[by], &l->answer);
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

static enum adu_verdict lock_out(const struct asking *a, enum adu_guard_kind kind)
{
    static const char *const texts[] = {
        [ADU_GUARD_USER] = "too many wrong passwords for this user name: locked out for a while",
        [ADU_GUARD_ADDRESS] = "too many wrong passwords from this address: locked out for a while",
        [ADU_GUARD_CERTIFICATE] =
            "too many wrong passwords with this certificate: locked out for a while",
    };
    a->call->counters->logins_locked_out++;
    return refuse(a->login, texts[kind]);
}

static void count_failure(const struct asking *a)
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

static void count_outcome(const struct asking *a, enum adu_verdict verdict)
{
    const char *text = a->login->why.text;
    if (verdict == ADU_ALLOW) {
        adu_guard_succeeded(a->iam->guard, &a->who);
    } else if (verdict == ADU_DENY && (text == outcome_texts[ADU_OUTCOME_WRONG] ||
                                       text == outcome_texts[ADU_OUTCOME_UNKNOWN])) {
        count_failure(a);
    }
}

/* A secret that was verified before is no guess, however many others guess at it. The same wrong
 * one once more is none either. */
static enum adu_verdict ask(struct asking *a)
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
    const enum adu_outcome refusal = adu_known_refusal(a->iam->known, &a->mark, a->call->now_ms);
    if (refusal != ADU_OUTCOME_VERIFIED) {
        refuse(a->login, outcome_texts[refusal]);
        if (adu_known_hear(a->iam->known, &a->mark)) {
            count_outcome(a, ADU_DENY);
        }
        return ADU_DENY;
    }
    const enum adu_verdict asked = ask_each(a);
    count_outcome(a, asked);
    return asked;
}

/* --- again: without the secret --- */

/* By the answer that the log-in had, or a fresh one. */
static enum adu_verdict by_record(const struct asking *a, size_t i)
{
    const struct adu_iam_asked *asked = &a->policy->asked[i];
    struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED};
    if (a->login->refresh && a->login->ticket == 0 && asked->provider->rechecks) {
        struct watched *w = watch(a->iam, asked);
        if (adu_breaker_may_ask(&w->breaker, a->call->now_ms)) {
            return ask_worker(a, i, NULL);
        }
    }
    const struct adu_lookup *l =
        a->login->ticket != 0 ? adu_lookups_result(a->iam->lookups, a->login->ticket) : NULL;
    if (l != NULL && l->policy->asked[l->by].provider == asked->provider &&
        l->answer.outcome != ADU_OUTCOME_UNAVAILABLE) {
        return conclude(a, asked, &l->answer);
    }
    if (a->login->record_before.bytes != NULL &&
        !adu_answer_read(a->login->record_before, &answer)) {
        return ADU_ERROR;
    }
    const enum adu_verdict verdict = conclude(a, asked, &answer);
    adu_answer_clear(&answer);
    return verdict;
}

static enum adu_verdict ask_again(const struct asking *a)
{
    const char *by = adu_answer_provider(a->login->record_before);
    for (size_t i = 0; i < a->policy->count; i++) {
        const struct adu_iam_asked *asked = &a->policy->asked[i];
        struct adu_answer answer = {0};
        if (asked->provider->waits) {
            if (a->login->assumed || (by != NULL && strcmp(by, asked->provider->name) == 0)) {
                return by_record(a, i);
            }
            continue;
        }
        asked->provider->ask(asked->settings, a->username, NULL, a->call->wall_ms, &answer);
        if (answer.outcome != ADU_OUTCOME_UNKNOWN) {
            const enum adu_verdict verdict = conclude(a, asked, &answer);
            adu_answer_clear(&answer);
            return verdict;
        }
    }
    return refuse(a->login, outcome_texts[ADU_OUTCOME_UNKNOWN]);
}

/* --- all together --- */

/* Whom the client gives itself out as: by its user name, or by a secret that says whose it is. */
static const char *name_given(struct asking *a)
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
                   ? refuse(login, "a password is required, and the client gave no user name")
                   : ADU_ABSTAIN;
    }
    if (strlen(username) > ADU_USERNAME_MOST) {
        return refuse(login, "the user name has more than 256 bytes");
    }
    if (login->again || login->ticket != 0) {
        return ADU_ALLOW; /* there is no password at hand */
    }
    if (login->password == NULL || login->password[0] == '\0') {
        return refuse(login, "a password is required, and the client gave none");
    }
    if (strlen(login->password) > SECRET_MOST) {
        return refuse(login, "the password has more than 16384 bytes");
    }
    return ADU_ALLOW;
}

enum adu_verdict adu_iam_auth_identify(const struct adu_stage_call *call, struct adu_login *login)
{
    struct asking a = {.call = call, .policy = call->policy, .iam = call->instance, .login = login};
    say_what_is_required(a.policy, login);
    if (!password_is_wanted(login) ||
        (login->again && (login->proven_before & ADU_FACTOR_PASSWORD) == 0)) {
        return ADU_ABSTAIN;
    }
    a.iam->now_ms = call->now_ms;
    a.username = name_given(&a);
    enum adu_verdict verdict = check_given(login, a.username);
    if (verdict == ADU_ALLOW) {
        verdict = same_person(login, a.username);
    }
    if (verdict == ADU_ALLOW &&
        !adu_mark_make(&a.iam->key, a.username, login->again ? NULL : login->password, &a.mark)) {
        verdict = ADU_ERROR;
    }
    if (verdict == ADU_ALLOW) {
        verdict = login->again ? ask_again(&a) : ask(&a);
    }
    return verdict;
}
