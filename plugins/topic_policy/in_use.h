/* Topics that somebody publishes to, so that another one which differs from one of them by case
 * alone, or by - and _, is seen. Bounded: the one that was noted first makes room. Broker's thread
 * only. */
#ifndef ADUANA_TOPIC_POLICY_IN_USE_H
#define ADUANA_TOPIC_POLICY_IN_USE_H

#include "common/topic.h"

struct adu_in_use;

enum { ADU_IN_USE_SETS = 4096, ADU_IN_USE_WAYS = 4, ADU_IN_USE_BYTES = 120 }; /* longer: not seen */

/* NULL when memory is gone. */
struct adu_in_use *adu_in_use_new(void);
/* NULL-safe. */
void adu_in_use_free(struct adu_in_use *in_use);

/* The topic in use that `topic` can be taken for; length 0: there is none, or `topic` itself is in
 * use. */
struct adu_text adu_in_use_alike(const struct adu_in_use *in_use, struct adu_text topic);

/* `topic` is in use. */
void adu_in_use_note(struct adu_in_use *in_use, struct adu_text topic);

#endif
