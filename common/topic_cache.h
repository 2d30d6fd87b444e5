/* Topics that somebody was lately allowed to use. Each has a number which stands for its very text,
 * until another topic takes its place and a new number with it: so whoever remembers numbers
 * remembers topics, in four bytes each. Broker's thread only. */
#ifndef ADUANA_COMMON_TOPIC_CACHE_H
#define ADUANA_COMMON_TOPIC_CACHE_H

#include "common/topic.h"
#include <stdint.h>

struct adu_topic_cache;

enum { ADU_TOPIC_CACHE_SETS = 8192, ADU_TOPIC_CACHE_WAYS = 2 };

/* Longer topics have no number. */
enum { ADU_TOPIC_CACHE_BYTES = 122 };

/* NULL when memory is gone. */
struct adu_topic_cache *adu_topic_cache_new(void);
/* NULL-safe. */
void adu_topic_cache_free(struct adu_topic_cache *cache);

/* The topic's number, 0 if it has none. Two topics never have the same, not even one after the
 * other. Hot path. */
uint32_t adu_topic_cache_find(const struct adu_topic_cache *cache, struct adu_text topic);

/* The same, giving it one. 0 where it is too long, or all numbers are used up. */
uint32_t adu_topic_cache_add(struct adu_topic_cache *cache, struct adu_text topic);

/* True when so many numbers are used up that it is time to forget everything that remembers one,
 * and then to call adu_topic_cache_clear: every two thousand million new topics. */
bool adu_topic_cache_worn(const struct adu_topic_cache *cache);
void adu_topic_cache_clear(struct adu_topic_cache *cache);

/* As if all numbers but the last `left` had been given, for whoever cannot wait for it. */
void adu_topic_cache_use_up(struct adu_topic_cache *cache, uint32_t left);

#endif
