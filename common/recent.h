/* What a client was lately allowed: the numbers (topic_cache.h) of its last topics, so that the
 * next message on one of them is not judged level by level again. Only yes is remembered, and only
 * where it follows from the policy, the client, the action and the topic alone. It lives no longer
 * than the judgement of its client, which ends with the policy generation. Broker's thread only. */
#ifndef ADUANA_COMMON_RECENT_H
#define ADUANA_COMMON_RECENT_H

#include "common/request.h"

enum { ADU_RECENT_PAIRS = 128 };

/* Zeroed, it remembers nothing. */
struct adu_recent {
    uint32_t answers[ADU_RECENT_PAIRS][2]; /* number of the topic, and 1 for ADU_RECEIVE */
};

static inline uint32_t adu_recent_answer(enum adu_action action, uint32_t topic)
{
    return topic << 1 | (action == ADU_RECEIVE);
}

/* True if publish or receive was allowed on the topic of that number (0: it has none). `recent` may
 * be NULL. */
static inline bool adu_recent_allowed(const struct adu_recent *recent, enum adu_action action,
                                      uint32_t topic)
{
    if (recent == NULL || topic == 0) {
        return false;
    }
    const uint32_t answer = adu_recent_answer(action, topic);
    const uint32_t *pair = recent->answers[topic % ADU_RECENT_PAIRS];
    return pair[0] == answer || pair[1] == answer;
}

/* The older answer of the pair makes room. */
static inline void adu_recent_remember(struct adu_recent *recent, enum adu_action action,
                                       uint32_t topic)
{
    if (recent != NULL && topic != 0) {
        uint32_t *pair = recent->answers[topic % ADU_RECENT_PAIRS];
        pair[1] = pair[0];
        pair[0] = adu_recent_answer(action, topic);
    }
}

#endif
