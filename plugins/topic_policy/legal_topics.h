/* Topics that were lately found legal for whoever may publish to them, each with its namespace, so
 * that the next message on one of them is not judged level by level again. One is remembered when
 * it comes the second time: topics that come once, however many, cost nothing to keep and push out
 * none that go on. It is part of a policy and ends with it. Broker's thread only. */
#ifndef ADUANA_TOPIC_POLICY_LEGAL_TOPICS_H
#define ADUANA_TOPIC_POLICY_LEGAL_TOPICS_H

#include "common/arena.h"
#include "common/topic.h"
#include <stdint.h>

struct adu_legal_topics;

enum {
    ADU_LEGAL_TOPICS_SETS = 2048,
    ADU_LEGAL_TOPICS_WAYS = 4,
    ADU_LEGAL_TOPICS_BYTES = 122
}; /* longer are not kept */

/* NULL when memory is gone. */
struct adu_legal_topics *adu_legal_topics_new(struct adu_arena *arena);

/* True with `*value`, what it was added with, if the topic is there. `*hash` is for adding it. Hot
 * path. */
bool adu_legal_topics_find(const struct adu_legal_topics *legal, struct adu_text topic,
                           uint64_t *hash, uint32_t *value);

/* A topic that was not found. The oldest of those that share its places makes room. Hot path. */
void adu_legal_topics_add(struct adu_legal_topics *legal, struct adu_text topic, uint64_t hash,
                          uint32_t value);

#endif
