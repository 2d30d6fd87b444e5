/* Who is in already: after a reload by what his log-in left, and now and then by asking anew. */
#include "plugins/iam_auth/iam_parts.h"
#include <string.h>

static bool recheck_is_due(const struct adu_iam_asking *a, const struct adu_iam_asked *asked)
{
    return a->login->refresh && a->login->ticket == 0 &&
           (asked->provider->rechecks ||
            (a->secret != NULL && adu_iam_asked_may_be_revoked(asked))) &&
           adu_breaker_may_ask(&adu_iam_watch(a->iam, asked)->breaker, a->call->now_ms);
}

/* What that provider has said meanwhile; NULL if it has not, or could not. */
static const struct adu_answer *fresh_answer(const struct adu_iam_asking *a,
                                             const struct adu_iam_asked *asked)
{
    const struct adu_lookup *l =
        a->login->ticket != 0 ? adu_lookups_result(a->iam->lookups, a->login->ticket) : NULL;
    return l != NULL && l->policy->asked[l->by].provider == asked->provider &&
                   l->answer.outcome != ADU_OUTCOME_UNAVAILABLE
               ? &l->answer
               : NULL;
}

/* By the answer that the log-in had, or a fresh one. That a secret is still good says nothing new
 * of its user, but that his provider is there. */
static enum adu_verdict by_record(const struct adu_iam_asking *a, size_t i)
{
    const struct adu_iam_asked *asked = &a->policy->asked[i];
    struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED};
    if (recheck_is_due(a, asked)) {
        return adu_iam_ask_worker(a, i, asked->provider->rechecks ? NULL : a->secret);
    }
    const struct adu_answer *fresh = fresh_answer(a, asked);
    if (fresh != NULL && (fresh->outcome != ADU_OUTCOME_VERIFIED || asked->provider->rechecks)) {
        return adu_iam_conclude(a, asked, fresh);
    }
    if (a->login->record_before.bytes != NULL &&
        !adu_answer_read(a->login->record_before, &answer)) {
        return ADU_ERROR;
    }
    answer.in_grace = answer.in_grace && fresh == NULL;
    const enum adu_verdict verdict = adu_iam_conclude(a, asked, &answer);
    adu_answer_clear(&answer);
    return verdict;
}

enum adu_verdict adu_iam_ask_again(const struct adu_iam_asking *a)
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
            const enum adu_verdict verdict = adu_iam_conclude(a, asked, &answer);
            adu_answer_clear(&answer);
            return verdict;
        }
    }
    return adu_iam_refuse(a->login, adu_iam_outcome_texts[ADU_OUTCOME_UNKNOWN]);
}
