/* What a client was lately allowed: its last topics, so that the next message on one of them is not
 * judged level by level again. Only yes is remembered, and only where it follows from the policy,
 * the client, the action and the topic alone. It lives no longer than the judgement of its client,
 * which ends with the policy generation. Broker's thread only. */
#ifndef ADUANA_COMMON_RECENT_H
#define ADUANA_COMMON_RECENT_H

#include "common/hash.h"
#include "common/request.h"

/* An answer fills a line of cache; longer topics are judged each time. */
enum { ADU_RECENT_ANSWERS = 8, ADU_RECENT_LINE = 64, ADU_RECENT_TOPIC = ADU_RECENT_LINE - 2 };

struct adu_recent {
    struct {
        uint8_t length; /* of the topic; 0: no answer here */
        uint8_t action;
        char topic[ADU_RECENT_TOPIC];
    } answers[ADU_RECENT_ANSWERS];
};

/* The first of two places where the answer for that topic may stand; the other is its neighbour. */
static inline unsigned adu_recent_place(struct adu_text topic)
{
    return adu_hash(topic.bytes, topic.length) % ADU_RECENT_ANSWERS;
}

static inline bool adu_recent_is(const struct adu_recent *recent, unsigned place,
                                 enum adu_action action, struct adu_text topic)
{
    return recent->answers[place].length == topic.length &&
           recent->answers[place].action == action &&
           memcmp(recent->answers[place].topic, topic.bytes, topic.length) == 0;
}

/* True if it was allowed. `recent` may be NULL. */
static inline bool adu_recent_allowed(const struct adu_recent *recent, enum adu_action action,
                                      struct adu_text topic)
{
    if (recent == NULL || topic.length == 0 || topic.length > ADU_RECENT_TOPIC) {
        return false;
    }
    const unsigned place = adu_recent_place(topic);
    return adu_recent_is(recent, place, action, topic) ||
           adu_recent_is(recent, place ^ 1, action, topic);
}

static inline void adu_recent_remember(struct adu_recent *recent, enum adu_action action,
                                       struct adu_text topic)
{
    if (recent == NULL || topic.length == 0 || topic.length > ADU_RECENT_TOPIC) {
        return;
    }
    unsigned place = adu_recent_place(topic);
    if (recent->answers[place].length > 0 && recent->answers[place ^ 1].length == 0) {
        place ^= 1;
    }
    recent->answers[place].length = (uint8_t)topic.length;
    recent->answers[place].action = (uint8_t)action;
    memcpy(recent->answers[place].topic, topic.bytes, topic.length);
}

#endif
