#include "plugins/topic_policy/legal_topics.h"
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Two lines of cache. */
struct place {
    uint32_t value, hash;
    uint16_t length; /* 0: nothing is here */
    char topic[ADU_LEGAL_TOPICS_BYTES];
};

struct adu_legal_topics {
    struct place *places; /* ADU_LEGAL_TOPICS_WAYS of each set, the younger first */
};

struct adu_legal_topics *adu_legal_topics_new(struct adu_arena *arena)
{
    struct adu_legal_topics *legal = adu_arena_alloc(arena, sizeof *legal);
    if (legal == NULL) {
        return NULL;
    }
    /* Not of the arena: what nobody touches of it takes no memory. */
    legal->places =
        calloc((size_t)ADU_LEGAL_TOPICS_SETS * ADU_LEGAL_TOPICS_WAYS, sizeof *legal->places);
    return legal->places != NULL && adu_arena_at_free(arena, free, legal->places) ? legal : NULL;
}

static struct place *set_of(const struct adu_legal_topics *legal, uint32_t hash)
{
    return &legal->places[(size_t)(hash % ADU_LEGAL_TOPICS_SETS) * ADU_LEGAL_TOPICS_WAYS];
}

static bool is_here(const struct place *place, struct adu_text topic, uint32_t hash)
{
    return place->hash == hash && place->length == topic.length &&
           memcmp(place->topic, topic.bytes, topic.length) == 0;
}

bool adu_legal_topics_find(const struct adu_legal_topics *legal, struct adu_text topic,
                           uint32_t *value)
{
    if (topic.length > ADU_LEGAL_TOPICS_BYTES || topic.length == 0) {
        return false;
    }
    const uint32_t hash = (uint32_t)XXH3_64bits(topic.bytes, topic.length);
    const struct place *set = set_of(legal, hash);
    for (int way = 0; way < ADU_LEGAL_TOPICS_WAYS; way++) {
        if (is_here(&set[way], topic, hash)) {
            *value = set[way].value;
            return true;
        }
    }
    return false;
}

void adu_legal_topics_add(struct adu_legal_topics *legal, struct adu_text topic, uint32_t value)
{
    if (topic.length > ADU_LEGAL_TOPICS_BYTES || topic.length == 0) {
        return;
    }
    const uint32_t hash = (uint32_t)XXH3_64bits(topic.bytes, topic.length);
    struct place *set = set_of(legal, hash);
    memmove(set + 1, set, (ADU_LEGAL_TOPICS_WAYS - 1) * sizeof *set);
    set->value = value;
    set->hash = hash;
    set->length = (uint16_t)topic.length;
    memcpy(set->topic, topic.bytes, topic.length);
}
