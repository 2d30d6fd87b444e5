#include "plugins/topic_policy/in_use.h"
#include "plugins/topic_policy/looks.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct place {
    uint32_t folded; /* hash of what it and all that look like it are written as */
    uint16_t length; /* 0: nothing is here */
    char topic[ADU_IN_USE_BYTES];
};

struct set {
    struct place places[ADU_IN_USE_WAYS]; /* the one noted last first */
};

struct adu_in_use {
    struct set sets[ADU_IN_USE_SETS];
};

struct adu_in_use *adu_in_use_new(void)
{
    return calloc(1, sizeof(struct adu_in_use)); /* what nobody touches of it takes no memory */
}

void adu_in_use_free(struct adu_in_use *in_use)
{
    free(in_use);
}

static bool folded_hash(struct adu_text topic, uint32_t *hash)
{
    char folded[2 * ADU_IN_USE_BYTES + 4];
    size_t length;
    if (topic.length > ADU_IN_USE_BYTES || !adu_looks_fold(topic, folded, sizeof folded, &length)) {
        return false;
    }
    *hash = (uint32_t)XXH3_64bits(folded, length);
    return true;
}

static bool is_it(const struct place *place, struct adu_text topic)
{
    return place->length == topic.length && memcmp(place->topic, topic.bytes, topic.length) == 0;
}

struct adu_text adu_in_use_alike(const struct adu_in_use *in_use, struct adu_text topic)
{
    struct adu_text other = {0};
    uint32_t hash;
    if (!folded_hash(topic, &hash)) {
        return other;
    }
    const struct set *set = &in_use->sets[hash % ADU_IN_USE_SETS];
    for (int way = 0; way < ADU_IN_USE_WAYS; way++) {
        const struct place *place = &set->places[way];
        if (is_it(place, topic)) {
            return (struct adu_text){0};
        }
        if (place->length > 0 && place->folded == hash) {
            other = (struct adu_text){place->topic, place->length};
        }
    }
    return other;
}

void adu_in_use_note(struct adu_in_use *in_use, struct adu_text topic)
{
    uint32_t hash;
    if (topic.length == 0 || !folded_hash(topic, &hash)) {
        return;
    }
    struct set *set = &in_use->sets[hash % ADU_IN_USE_SETS];
    for (int way = 0; way < ADU_IN_USE_WAYS; way++) {
        if (is_it(&set->places[way], topic)) {
            return;
        }
    }
    memmove(&set->places[1], &set->places[0], (ADU_IN_USE_WAYS - 1) * sizeof(struct place));
    struct place *place = &set->places[0];
    place->folded = hash;
    place->length = (uint16_t)topic.length;
    memcpy(place->topic, topic.bytes, topic.length);
}
