#include "plugins/iam_auth/iam_parts.h"
#include "plugins/iam_auth/jwks_source.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KNOWN_USERS_MOST = 50000, PARKED_NO_MS = 10000, GUESSING_OVER_MS = 300000 };

/* Of all the time that passes, the part that may be spent waiting for log-ins: a quarter. */
enum { SHARE = 4 };

/* --- what is known of providers --- */

struct adu_iam_watched *adu_iam_watch(struct adu_iam *iam, const struct adu_iam_asked *asked)
{
    struct adu_iam_watched *free_place = NULL;
    for (size_t i = 0; i < ADU_IAM_PROVIDERS_MOST; i++) {
        struct adu_iam_watched *w = &iam->watched[i];
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
    adu_known_refuse(iam->known, l->mark, &l->answer, l->for_nobody,
                     iam->now_ms + (l->for_nobody && ms < PARKED_NO_MS ? PARKED_NO_MS : ms));
}

/* An answer has come: it is remembered before anybody is told. */
static void told(void *context, const struct adu_lookup *l)
{
    struct adu_iam *iam = context;
    const struct adu_iam_asked *by = &l->policy->asked[l->by];
    struct adu_iam_watched *w = adu_iam_watch(iam, by);
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

static void tell(const struct adu_stage_call *call, struct adu_iam_watched *w)
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
        struct adu_iam_watched *w = &iam->watched[i];
        if (w->told != adu_breaker_is_broken(&w->breaker)) {
            tell(call, w);
        }
    }
}
