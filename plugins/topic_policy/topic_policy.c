#include "plugins/topic_policy/topic_policy.h"
#include "plugins/topic_policy/policy_parts.h"
#include "plugins/topic_policy/suggest.h"
#include <string.h>

/* --- deciding --- */

static bool is_exempt(const struct adu_topic_policy *policy, const struct adu_request *request)
{
    if (request->topic.length > 0 &&
        !policy->exempt_first[(unsigned char)request->topic.bytes[0]]) {
        return false;
    }
    for (size_t i = 0; i < policy->exempt_count; i++) {
        const struct adu_topic_pattern *p = policy->exempt[i];
        if (request->action == ADU_SUBSCRIBE
                ? adu_topic_pattern_contains(p, request->topic, request->subject->values)
                : adu_topic_pattern_matches(p, request->topic, request->subject->values)) {
            return true;
        }
    }
    return false;
}

static enum adu_verdict refuse(const struct adu_topic_policy *policy, struct adu_reason *why)
{
    if (why->rule == NULL || why->rule->line == 0) {
        why->rule = &policy->place;
    }
    return ADU_DENY;
}

/* A message, by the rules of its namespace, which may be NULL. */
static enum adu_verdict judge_message(const struct adu_topic_policy *policy,
                                      const struct adu_namespace *namespace,
                                      const struct adu_request *request, struct adu_reason *why)
{
    if (namespace == NULL || !namespace->traffic.asks) {
        return ADU_ABSTAIN;
    }
    why->passing = true;
    if (adu_traffic_legal(&namespace->traffic, request, why)) {
        return ADU_ABSTAIN;
    }
    why->rule_name = namespace->name;
    why->watched = namespace->watched;
    return refuse(policy, why);
}

/* A topic that is only flagged or watched says nothing for its message, which may be refused. */
static enum adu_verdict refuse_topic(const struct adu_judging *j, struct adu_reason *why)
{
    if (why->watched && j->namespace != NULL && !j->namespace->watched) {
        struct adu_reason of_message = ADU_REASON_INIT;
        if (judge_message(j->policy, j->namespace, j->request, &of_message) == ADU_DENY) {
            *why = of_message;
        }
    }
    return refuse(j->policy, why);
}

/* Its topics are exempt from all else, however exempt they may be by themselves. */
static enum adu_verdict judge_sparkplug(const struct adu_topic_policy *policy,
                                        const struct adu_request *request, struct adu_reason *why)
{
    if (!adu_sparkplug_legal(&policy->sparkplug, request, why)) {
        return refuse(policy, why);
    }
    why->rule = NULL;
    return ADU_ABSTAIN;
}

/* The bundle's own report. */
static bool is_own(const struct adu_topic_policy *policy, struct adu_text topic)
{
    const struct adu_text own = policy->telling.topic;
    return own.length > 0 && own.length == topic.length &&
           memcmp(own.bytes, topic.bytes, own.length) == 0;
}

static enum adu_verdict refuse_own(const struct adu_topic_policy *policy, struct adu_reason *why)
{
    why->text = "only the bundle itself publishes its report of topics";
    why->rule = &policy->telling.place;
    why->enforced = true;
    return ADU_DENY;
}

static enum adu_verdict judge_publish(const struct adu_topic_policy *policy,
                                      const struct adu_request *request, struct adu_reason *why)
{
    const struct adu_namespaces *namespaces = &policy->namespaces;
    struct adu_judging j;
    uint32_t number;
    uint64_t hash;
    if (is_own(policy, request->topic)) {
        return refuse_own(policy, why);
    }
    if (adu_legal_topics_find(policy->legal, request->topic, &hash, &number)) {
        return judge_message(policy, number > 0 ? &namespaces->list[number - 1] : NULL, request,
                             why);
    }
    if (adu_sparkplug_owns(&policy->sparkplug, request->topic)) {
        return judge_sparkplug(policy, request, why);
    }
    if (is_exempt(policy, request)) {
        return ADU_ABSTAIN;
    }
    if (!adu_topic_legal(&j, policy, request, false, why)) {
        return refuse_topic(&j, why);
    }
    if (j.for_all) {
        number = j.namespace != NULL ? (uint32_t)(j.namespace - namespaces->list) + 1 : 0;
        adu_legal_topics_add(policy->legal, request->topic, hash, number);
    }
    return judge_message(policy, j.namespace, request, why);
}

enum adu_verdict adu_topic_policy_decide(const struct adu_topic_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why)
{
    struct adu_judging j;
    if (request->action == ADU_RECEIVE) {
        return ADU_ABSTAIN;
    }
    if (request->action == ADU_PUBLISH) {
        return judge_publish(policy, request, why);
    }
    if (adu_sparkplug_owns(&policy->sparkplug, request->topic)) {
        return judge_sparkplug(policy, request, why);
    }
    return is_exempt(policy, request) || (adu_filters_legal(&policy->filters, request, why) &&
                                          adu_topic_legal(&j, policy, request, false, why))
               ? ADU_ABSTAIN
               : refuse(policy, why);
}

void adu_topic_policy_suggest(const struct adu_topic_policy *policy,
                              const struct adu_request *request, struct adu_reason *why)
{
    const struct adu_namespaces *n = &policy->namespaces;
    const struct adu_tree *tree = n->count > 0 && n->others != ADU_OTHERS_ALLOW ? n->tree : NULL;
    struct adu_reason other = ADU_REASON_INIT;
    struct adu_request right = *request;
    struct adu_judging j;
    if (adu_suggest(policy->names, tree, request->topic, request->subject->values, why->nearest)) {
        right.topic = adu_text_of(why->nearest);
        if (adu_topic_legal(&j, policy, &right, false, &other)) {
            return;
        }
    }
    why->nearest[0] = '\0';
}

bool adu_topic_policy_reports(const struct adu_topic_policy *policy)
{
    return policy->report;
}

bool adu_topic_policy_notes(const struct adu_topic_policy *policy)
{
    const struct adu_place *place;
    return adu_names_collisions(policy->names, &place) != ADU_ALIKE_ALLOW;
}

enum adu_verdict adu_topic_policy_collides(const struct adu_topic_policy *policy,
                                           struct adu_text other, struct adu_reason *why)
{
    why->text = "but for case, or - and _, it is the same as a topic in use,";
    why->watched = adu_names_collisions(policy->names, &why->rule) == ADU_ALIKE_FLAG;
    const size_t length =
        other.length < sizeof why->detail - 1 ? other.length : sizeof why->detail - 1;
    memcpy(why->detail, other.bytes, length);
    why->detail[length] = '\0';
    return refuse(policy, why);
}

/* --- what is told --- */

uint32_t adu_topic_policy_namespace(const struct adu_topic_policy *policy,
                                    const struct adu_request *request)
{
    const struct adu_namespaces *n = &policy->namespaces;
    struct adu_text levels[ADU_JUDGED_LEVELS], rest = request->topic;
    struct adu_tree_levels topic = {.levels = levels, .values = request->subject->values};
    uint32_t number;
    uint64_t hash;
    bool for_all;
    if (n->count == 0 || request->action != ADU_PUBLISH) {
        return 0;
    }
    if (adu_legal_topics_find(policy->legal, request->topic, &hash, &number)) {
        return number;
    }
    while (adu_topic_next_level(&rest, &levels[topic.count])) {
        if (levels[topic.count].length == 0 || ++topic.count == ADU_JUDGED_LEVELS) {
            return 0;
        }
    }
    const struct adu_namespace *one = adu_namespace_of(n, &topic, &for_all);
    return one != NULL ? (uint32_t)(one - n->list) + 1 : 0;
}

const char *adu_topic_policy_namespace_name(const struct adu_topic_policy *policy, uint32_t which)
{
    return which > 0 ? policy->namespaces.list[which - 1].name : NULL;
}

void adu_topic_policy_refused(const struct adu_topic_policy *policy,
                              struct adu_refused_client *client, unsigned long generation,
                              const struct adu_request *request, struct adu_reason *why)
{
    const int group = adu_rollout_apply(&policy->rollout, request->subject, why);
    const bool would = !adu_reason_stands(why, policy->rollout.file_watches);
    if (!request->attempt) {
        return;
    }
    if (group != ADU_ROLLOUT_NOBODY) {
        adu_tally_add(&policy->rollout.tallies[group], would);
    }
    adu_refusals_note(policy->refusals, client, generation, request, why,
                      adu_topic_policy_namespace(policy, request), would);
}

const struct adu_telling *adu_topic_policy_telling(const struct adu_topic_policy *policy)
{
    return &policy->telling;
}

struct adu_refusals *adu_topic_policy_refusals(const struct adu_topic_policy *policy)
{
    return policy->refusals;
}

const struct adu_rollout *adu_topic_policy_rollout(const struct adu_topic_policy *policy)
{
    return &policy->rollout;
}

/* --- what can be legal at all --- */

/* True if some topic may match both. Says so too often rather than too seldom: `$` is not looked
 * at. */
static bool may_meet(const struct adu_topic_pattern *p, struct adu_text filter)
{
    struct adu_text level;
    for (size_t i = 0; i < p->count; i++) {
        if (p->levels[i].kind == ADU_LEVEL_ANY_REST) {
            return true;
        }
        if (!adu_topic_next_level(&filter, &level)) {
            return false;
        }
        if (adu_text_is(level, "#")) {
            return true;
        }
        if (p->levels[i].kind == ADU_LEVEL_LITERAL && !adu_text_is(level, "+") &&
            (level.length != p->levels[i].text.length ||
             memcmp(level.bytes, p->levels[i].text.bytes, level.length) != 0)) {
            return false;
        }
    }
    return filter.bytes == NULL || adu_text_is(filter, "#");
}

bool adu_topic_policy_possible(const struct adu_topic_policy *policy, struct adu_text filter,
                               struct adu_reason *why)
{
    static const struct adu_subject anybody;
    const struct adu_request request = {
        .action = ADU_SUBSCRIBE, .topic = filter, .subject = &anybody};
    for (size_t i = 0; i < policy->exempt_count; i++) {
        if (may_meet(policy->exempt[i], filter)) {
            return true;
        }
    }
    struct adu_judging j;
    if (adu_sparkplug_owns(&policy->sparkplug, filter)) {
        return judge_sparkplug(policy, &request, why) != ADU_DENY;
    }
    if (adu_topic_legal(&j, policy, &request, true, why) || why->watched) {
        return true;
    }
    refuse(policy, why);
    return false;
}
