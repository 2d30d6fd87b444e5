/* What the tree of topic_trie.h is in memory: for topic_trie_build.c, which makes it, and
 * topic_trie.c, which asks it.
 *
 * Literal levels are edges in one hash table for the whole tree, found by parent and text in open
 * addressing; wildcards and attributes hang on the node itself. */
#ifndef ADUANA_COMMON_TOPIC_TRIE_FORM_H
#define ADUANA_COMMON_TOPIC_TRIE_FORM_H

#include "common/topic_trie.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

#define ADU_TRIE_NONE UINT32_MAX

/* What leads to a child says what the child is, so that it need not be looked at when nothing but
 * that is asked of it:
 *   PLAIN  only literal levels go on from there; a walk that has not arrived passes by
 *   END    no level goes on from there; the number is that of the leaf, and there is no node */
#define ADU_TRIE_PLAIN  UINT32_C(0x80000000)
#define ADU_TRIE_END    UINT32_C(0x40000000)
#define ADU_TRIE_NUMBER UINT32_C(0x3fffffff)

struct adu_trie_node {
    uint32_t leaf;       /* of the pattern that ends here */
    uint32_t rest_leaf;  /* of the pattern that goes on with # */
    uint32_t any_one;    /* child behind + */
    uint32_t attributes; /* first of the list */
    uint32_t literals;   /* how many edges with a text leave this node */
};

enum { ADU_TRIE_INLINE_LABEL = 14 };

/* Short labels stand in the edge, so that a step touches one line of cache. */
struct adu_trie_edge {
    uint32_t parent; /* number of a node; NONE: an empty place of the table */
    uint32_t child;
    uint16_t length;
    char label[ADU_TRIE_INLINE_LABEL]; /* longer ones: a uint32_t, where it begins in `labels` */
};

struct adu_trie_attribute {
    uint32_t child, next;
    int slot;
};

struct adu_topic_trie {
    const struct adu_trie_node *nodes; /* the first is the root */
    const struct adu_trie_edge *edges;
    uint32_t edge_places;
    const struct adu_trie_attribute *attributes;
    const char *labels;
};

static inline uint32_t adu_trie_hash(struct adu_text text)
{
    return (uint32_t)XXH3_64bits(text.bytes, text.length);
}

/* Where the search for an edge begins. */
static inline uint32_t adu_trie_first_place(uint32_t parent, uint32_t hash, uint32_t places)
{
    const uint32_t mixed = (hash ^ parent * UINT32_C(0x9e3779b1)) * UINT32_C(0x85ebca6b);
    return (uint32_t)((uint64_t)mixed * places >> 32);
}

static inline uint32_t adu_trie_next_place(uint32_t place, uint32_t places)
{
    return place + 1 < places ? place + 1 : 0;
}

static inline const char *adu_trie_label(const struct adu_trie_edge *edge, const char *labels)
{
    uint32_t offset;
    if (edge->length <= ADU_TRIE_INLINE_LABEL) {
        return edge->label;
    }
    memcpy(&offset, edge->label, sizeof offset);
    return labels + offset;
}

/* The edge's place, or the empty one where it would stand. */
static inline uint32_t adu_trie_find(const struct adu_trie_edge *edges, uint32_t places,
                                     const char *labels, uint32_t parent, uint32_t hash,
                                     struct adu_text text)
{
    uint32_t place = adu_trie_first_place(parent, hash, places);
    for (;;) {
        const struct adu_trie_edge *edge = &edges[place];
        if (edge->parent == ADU_TRIE_NONE ||
            (edge->parent == parent && edge->length == text.length &&
             memcmp(adu_trie_label(edge, labels), text.bytes, text.length) == 0)) {
            return place;
        }
        place = adu_trie_next_place(place, places);
    }
}

#endif
