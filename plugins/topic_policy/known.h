/* Topics that were lately found legal for whoever may publish to them, each with its namespace, so
 * that the next message on one of them is not judged level by level again. It is part of a policy
 * and ends with it. Broker's thread only. */
#ifndef ADUANA_TOPIC_POLICY_KNOWN_H
#define ADUANA_TOPIC_POLICY_KNOWN_H

#include "common/arena.h"
#include "common/topic.h"
#include <stdint.h>

struct adu_known;

enum {
    ADU_KNOWN_SETS = 4096,
    ADU_KNOWN_WAYS = 2,
    ADU_KNOWN_BYTES = 116
}; /* longer are not known */

/* NULL when memory is gone. */
struct adu_known *adu_known_new(struct adu_arena *arena);

/* True with `*value`, what it was added with, if the topic is known. Hot path. */
bool adu_known_find(const struct adu_known *known, struct adu_text topic, uint32_t *value);

/* The older of two makes room. */
void adu_known_add(struct adu_known *known, struct adu_text topic, uint32_t value);

#endif
