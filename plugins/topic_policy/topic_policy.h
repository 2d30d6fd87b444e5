/* The plant's naming standard, by topic_policy.json: a veto on publish and subscribe. Pure. */
#ifndef ADUANA_TOPIC_POLICY_H
#define ADUANA_TOPIC_POLICY_H

#include "common/stage.h"
#include "plugins/topic_policy/refusals.h"
#include "plugins/topic_policy/rollout.h"

struct adu_topic_policy;
struct adu_telling;

/* NULL with c->error set. */
const struct adu_topic_policy *adu_topic_policy_compile(struct adu_compiler *c,
                                                        const struct adu_json *root);

/* DENY with the reason and the level, else ABSTAIN. A subscribe filter is judged by the levels it
 * spells out, and refused when no legal topic can match it. Deliveries are not judged: what was
 * legal when it was published may be delivered. Hot path. */
enum adu_verdict adu_topic_policy_decide(const struct adu_topic_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why);

/* Says in why->nearest what a topic that was refused for its name should be called, if that is to
 * be guessed and would be legal. It takes tens of microseconds: only so often for each client. */
void adu_topic_policy_suggest(const struct adu_topic_policy *policy,
                              const struct adu_request *request, struct adu_reason *why);

/* True if the first refusal of a kind of each client is to be told. */
bool adu_topic_policy_reports(const struct adu_topic_policy *policy);

/* True if topics in use are to be noted, with adu_topic_policy_collides asked of those that are
 * legal. */
bool adu_topic_policy_notes(const struct adu_topic_policy *policy);

/* DENY with the reason if a publish would be to a topic that can be taken for `other`, which is in
 * use. */
enum adu_verdict adu_topic_policy_collides(const struct adu_topic_policy *policy,
                                           struct adu_text other, struct adu_reason *why);

/* False with `why` if no topic that `filter` can match is legal, whoever asks. */
bool adu_topic_policy_possible(const struct adu_topic_policy *policy, struct adu_text filter,
                               struct adu_reason *why);

/* Says of a refusal whether the client is one whom it holds for, and counts it if it is an attempt.
 * `client` may be NULL. Allocates nothing. */
void adu_topic_policy_refused(const struct adu_topic_policy *policy,
                              struct adu_refused_client *client, unsigned long generation,
                              const struct adu_request *request, struct adu_reason *why);

/* Of the namespace that a publish's topic belongs to: its number plus one, 0 for none; and its
 * name, NULL for none. */
uint32_t adu_topic_policy_namespace(const struct adu_topic_policy *policy,
                                    const struct adu_request *request);
const char *adu_topic_policy_namespace_name(const struct adu_topic_policy *policy, uint32_t which);

/* Parts of it that telling.c and stage.c go by. What is counted changes as messages come. */
const struct adu_telling *adu_topic_policy_telling(const struct adu_topic_policy *policy);
struct adu_refusals *adu_topic_policy_refusals(const struct adu_topic_policy *policy);
const struct adu_rollout *adu_topic_policy_rollout(const struct adu_topic_policy *policy);

/* What the plugin, the command and the tests load. */
extern const struct adu_stage adu_topic_policy_stage;

#endif
