/* A set of roles, one bit each, numbered by the vocabulary. */
#ifndef ADUANA_COMMON_ROLES_H
#define ADUANA_COMMON_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `words` holds (roles + 63) / 64 words. A role beyond them is not in the set. */
struct adu_roles {
    uint64_t *words;
    size_t count; /* of words */
};

static inline size_t adu_roles_words(size_t roles)
{
    return (roles + 63) / 64;
}

static inline bool adu_roles_has(const struct adu_roles *set, int role)
{
    const size_t word = (size_t)role / 64;
    return role >= 0 && word < set->count && (set->words[word] >> ((size_t)role % 64) & 1) != 0;
}

static inline void adu_roles_add(struct adu_roles *set, int role)
{
    const size_t word = (size_t)role / 64;
    if (role >= 0 && word < set->count) {
        set->words[word] |= UINT64_C(1) << ((size_t)role % 64);
    }
}

static inline bool adu_roles_overlap(const struct adu_roles *a, const struct adu_roles *b)
{
    const size_t count = a->count < b->count ? a->count : b->count;
    for (size_t i = 0; i < count; i++) {
        if ((a->words[i] & b->words[i]) != 0) {
            return true;
        }
    }
    return false;
}

#endif
