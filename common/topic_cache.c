#include "common/topic_cache.h"
#include "common/hash.h"
#include <stdlib.h>
#include <string.h>

/* Two lines of cache. */
struct place {
    uint32_t number; /* 0: nothing is here */
    uint16_t length;
    char topic[ADU_TOPIC_CACHE_BYTES];
};

struct set {
    struct place places[ADU_TOPIC_CACHE_WAYS];
};

struct adu_topic_cache {
    uint32_t last; /* number given */
    struct set *sets;
};

enum { LINE = 64 };

/* So that a number and an action fit in 32 bits. */
#define NUMBERS (UINT32_C(1) << 31)

struct adu_topic_cache *adu_topic_cache_new(void)
{
    struct adu_topic_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) {
        return NULL;
    }
    cache->sets = aligned_alloc(LINE, ADU_TOPIC_CACHE_SETS * sizeof(struct set));
    if (cache->sets == NULL) {
        free(cache);
        return NULL;
    }
    adu_topic_cache_clear(cache);
    return cache;
}

void adu_topic_cache_free(struct adu_topic_cache *cache)
{
    if (cache != NULL) {
        free(cache->sets);
        free(cache);
    }
}

static struct set *set_of(const struct adu_topic_cache *cache, struct adu_text topic)
{
    return &cache->sets[adu_hash(topic.bytes, topic.length) % ADU_TOPIC_CACHE_SETS];
}

static bool is_here(const struct place *place, struct adu_text topic)
{
    return place->number != 0 && place->length == topic.length &&
           memcmp(place->topic, topic.bytes, topic.length) == 0;
}

uint32_t adu_topic_cache_find(const struct adu_topic_cache *cache, struct adu_text topic)
{
    if (topic.length > ADU_TOPIC_CACHE_BYTES) {
        return 0;
    }
    const struct set *set = set_of(cache, topic);
    for (int way = 0; way < ADU_TOPIC_CACHE_WAYS; way++) {
        if (is_here(&set->places[way], topic)) {
            return set->places[way].number;
        }
    }
    return 0;
}

/* An empty place, else that of the older topic. */
static struct place *place_for(struct set *set)
{
    struct place *oldest = &set->places[0];
    for (int way = 1; way < ADU_TOPIC_CACHE_WAYS; way++) {
        if (set->places[way].number < oldest->number) {
            oldest = &set->places[way];
        }
    }
    return oldest;
}

uint32_t adu_topic_cache_add(struct adu_topic_cache *cache, struct adu_text topic)
{
    const uint32_t known = adu_topic_cache_find(cache, topic);
    if (known != 0 || topic.length > ADU_TOPIC_CACHE_BYTES || cache->last == NUMBERS - 1) {
        return known;
    }
    struct place *place = place_for(set_of(cache, topic));
    place->number = ++cache->last;
    place->length = (uint16_t)topic.length;
    memcpy(place->topic, topic.bytes, topic.length);
    return place->number;
}

bool adu_topic_cache_worn(const struct adu_topic_cache *cache)
{
    return cache->last >= NUMBERS - NUMBERS / 16;
}

void adu_topic_cache_use_up(struct adu_topic_cache *cache, uint32_t left)
{
    cache->last = NUMBERS - 1 - left;
}

void adu_topic_cache_clear(struct adu_topic_cache *cache)
{
    cache->last = 0;
    memset(cache->sets, 0, ADU_TOPIC_CACHE_SETS * sizeof(struct set));
}
