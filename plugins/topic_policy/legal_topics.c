#include "plugins/topic_policy/legal_topics.h"
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SETS = ADU_LEGAL_TOPICS_SETS, WAYS = ADU_LEGAL_TOPICS_WAYS, SEEN = 3 };

/* What most topics that are not here need to look at: a quarter of a line of cache, all of them
 * together in as much as a processor has nearest. Tags are parts of hashes; 0: nothing is there. */
struct set {
    uint16_t tags[WAYS];
    uint16_t seen[SEEN]; /* of topics that came once */
    uint8_t oldest, oldest_seen;
};

/* Two lines of cache. */
struct place {
    uint32_t value;
    uint16_t length;
    char topic[ADU_LEGAL_TOPICS_BYTES];
};

struct adu_legal_topics {
    struct set *sets;
    struct place (*places)[WAYS]; /* of each set */
};

struct adu_legal_topics *adu_legal_topics_new(struct adu_arena *arena)
{
    struct adu_legal_topics *legal = adu_arena_alloc(arena, sizeof *legal);
    if (legal == NULL) {
        return NULL;
    }
    /* Not of the arena: what nobody touches of it takes no memory. */
    legal->sets = calloc(SETS, sizeof *legal->sets);
    legal->places = calloc(SETS, sizeof *legal->places);
    if (legal->sets == NULL || legal->places == NULL) {
        free(legal->sets);
        free(legal->places);
        return NULL;
    }
    const bool kept = adu_arena_at_free(arena, free, legal->sets);
    return adu_arena_at_free(arena, free, legal->places) && kept ? legal : NULL;
}

static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48 | 1);
}

bool adu_legal_topics_find(const struct adu_legal_topics *legal, struct adu_text topic,
                           uint64_t *hash, uint32_t *value)
{
    *hash = XXH3_64bits(topic.bytes, topic.length);
    const struct set *set = &legal->sets[*hash % SETS];
#pragma GCC unroll 4
    for (int way = 0; way < WAYS; way++) {
        if (set->tags[way] != tag_of(*hash)) {
            continue;
        }
        const struct place *place = &legal->places[*hash % SETS][way];
        if (place->length == topic.length && memcmp(place->topic, topic.bytes, topic.length) == 0) {
            *value = place->value;
            return true;
        }
    }
    return false;
}

/* True if it has come before, of late; if not, it has now. */
static bool came_before(struct set *set, uint16_t tag)
{
    for (int i = 0; i < SEEN; i++) {
        if (set->seen[i] == tag) {
            return true;
        }
    }
    set->seen[set->oldest_seen] = tag;
    set->oldest_seen = (uint8_t)((set->oldest_seen + 1) % SEEN);
    return false;
}

void adu_legal_topics_add(struct adu_legal_topics *legal, struct adu_text topic, uint64_t hash,
                          uint32_t value)
{
    struct set *set = &legal->sets[hash % SETS];
    if (topic.length > ADU_LEGAL_TOPICS_BYTES || !came_before(set, tag_of(hash))) {
        return;
    }
    struct place *place = &legal->places[hash % SETS][set->oldest];
    set->tags[set->oldest] = tag_of(hash);
    set->oldest = (uint8_t)((set->oldest + 1) % WAYS);
    place->value = value;
    place->length = (uint16_t)topic.length;
    memcpy(place->topic, topic.bytes, topic.length);
}
