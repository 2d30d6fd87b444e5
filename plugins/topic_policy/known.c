#include "plugins/topic_policy/known.h"
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Two lines of cache. */
struct place {
    uint32_t value, hash;
    uint16_t length; /* 0: nothing is here */
    char topic[ADU_KNOWN_BYTES];
};

struct adu_known {
    struct place *places; /* ADU_KNOWN_WAYS of each set, the younger first */
};

struct adu_known *adu_known_new(struct adu_arena *arena)
{
    struct adu_known *known = adu_arena_alloc(arena, sizeof *known);
    if (known == NULL) {
        return NULL;
    }
    /* Not of the arena: what nobody touches of it takes no memory. */
    known->places = calloc((size_t)ADU_KNOWN_SETS * ADU_KNOWN_WAYS, sizeof *known->places);
    return known->places != NULL && adu_arena_at_free(arena, free, known->places) ? known : NULL;
}

static struct place *set_of(const struct adu_known *known, uint32_t hash)
{
    return &known->places[(size_t)(hash % ADU_KNOWN_SETS) * ADU_KNOWN_WAYS];
}

static bool is_here(const struct place *place, struct adu_text topic, uint32_t hash)
{
    return place->hash == hash && place->length == topic.length &&
           memcmp(place->topic, topic.bytes, topic.length) == 0;
}

bool adu_known_find(const struct adu_known *known, struct adu_text topic, uint32_t *value)
{
    if (topic.length > ADU_KNOWN_BYTES || topic.length == 0) {
        return false;
    }
    const uint32_t hash = (uint32_t)XXH3_64bits(topic.bytes, topic.length);
    const struct place *set = set_of(known, hash);
    for (int way = 0; way < ADU_KNOWN_WAYS; way++) {
        if (is_here(&set[way], topic, hash)) {
            *value = set[way].value;
            return true;
        }
    }
    return false;
}

void adu_known_add(struct adu_known *known, struct adu_text topic, uint32_t value)
{
    if (topic.length > ADU_KNOWN_BYTES || topic.length == 0) {
        return;
    }
    const uint32_t hash = (uint32_t)XXH3_64bits(topic.bytes, topic.length);
    struct place *set = set_of(known, hash);
    memmove(set + 1, set, (ADU_KNOWN_WAYS - 1) * sizeof *set);
    set->value = value;
    set->hash = hash;
    set->length = (uint16_t)topic.length;
    memcpy(set->topic, topic.bytes, topic.length);
}
