/* What the tree of tree.h is in memory: for those who make it, and those who ask it. */
#ifndef ADUANA_TOPIC_POLICY_TREE_FORM_H
#define ADUANA_TOPIC_POLICY_TREE_FORM_H

#include "common/topic_trie_form.h"
#include "plugins/topic_policy/tree.h"

/* What a walk looks at: a number a node, the first of which is the root. Nodes from which all goes
 * on alike are one, so that ten thousand areas with the same stations below have those stations
 * once. What differs, the namespace, is a sum: each way from node to node adds its part to what
 * stands at the end. */
struct adu_tree_node {
    uint32_t leaf; /* to the number of the namespace whose template ends here */
    uint32_t rest; /* to that of the one that goes on with a tail */
    uint32_t any;  /* node behind any name */
    uint32_t any_adds;
    uint32_t tests; /* the first of those ways whose rule must be asked */
    uint32_t test_count;
    bool edges;   /* there are some */
    uint8_t only; /* enum adu_tree_only: the one kind of way that there is */
};

enum adu_tree_only { ADU_TREE_BY_ALL, ADU_TREE_BY_EDGE, ADU_TREE_BY_TEST };

/* A text as it is looked for: what has 16 bytes or less is all in `first` and `last`, and the
 * length says how; of a longer one they are a hash and where it begins in `labels`. */
struct adu_tree_key {
    uint64_t first, last;
    uint16_t length;
};

enum { ADU_TREE_SHORT = 16 };

/* The texts and the values of lists that go on from a node are edges in one hash table for the
 * whole tree, in open addressing: a step touches one line of cache, of which two edges are one. */
struct adu_tree_edge {
    uint64_t first, last;
    uint32_t parent; /* NONE: an empty place of the table */
    uint32_t child, adds;
    uint16_t length;
};

/* An edge that leads to more than one node: its child is, with this bit, the first of a list of
 * branches, which are in the order of trying. */
#define ADU_TREE_MANY UINT32_C(0x80000000)

struct adu_tree_branch {
    uint32_t child, adds, next;
};

struct adu_tree_test {
    const struct adu_level_rule *rule;
    uint32_t child, adds;
};

/* What is walked through. */
struct adu_tree_ways {
    struct adu_tree_node *nodes;
    struct adu_tree_edge *edges;
    uint32_t edge_places;
    char *labels;
    struct adu_tree_branch *branches;
    struct adu_tree_test *tests;
};

/* How the tree looks from above, with each node by itself: the first is the root, and children come
 * behind their parents. */
struct adu_tree_branching {
    const struct adu_level_rule *rule; /* NULL: a text leads here */
    struct adu_text text;
    uint32_t parent, first, next, same_bucket;
    uint32_t leaf; /* number of the namespace whose template ends here */
    uint32_t rest; /* of the one that goes on with a tail */
};

struct adu_tree {
    struct adu_tree_branching *branching;
    uint32_t count;
    struct adu_tree_ways ways;
};

static inline uint64_t adu_tree_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t adu_tree_half(const char *bytes)
{
    uint32_t half;
    memcpy(&half, bytes, sizeof half);
    return half;
}

static inline struct adu_tree_key adu_tree_key(struct adu_text text)
{
    const char *bytes = text.bytes, *end = text.bytes + text.length;
    struct adu_tree_key key = {.length = (uint16_t)text.length};
    if (text.length > ADU_TREE_SHORT) {
        key.first = XXH3_64bits(bytes, text.length);
    } else if (text.length >= 8) {
        key.first = adu_tree_word(bytes);
        key.last = adu_tree_word(end - 8);
    } else if (text.length >= 4) {
        key.first = adu_tree_half(bytes) | adu_tree_half(end - 4) << 32;
    } else if (text.length > 0) {
        key.first = (uint64_t)(unsigned char)bytes[0] |
                    (uint64_t)(unsigned char)bytes[text.length / 2] << 8 |
                    (uint64_t)(unsigned char)end[-1] << 16;
    }
    return key;
}

static inline bool adu_tree_is(const struct adu_tree_ways *ways, const struct adu_tree_edge *edge,
                               uint32_t parent, const struct adu_tree_key *key,
                               struct adu_text text)
{
    return edge->parent == parent && edge->first == key->first && edge->length == key->length &&
           (text.length <= ADU_TREE_SHORT
                ? edge->last == key->last
                : memcmp(ways->labels + edge->last, text.bytes, text.length) == 0);
}

/* The edge with that text, or the empty place where it would stand. */
static inline __attribute__((always_inline)) struct adu_tree_edge *
adu_tree_edge(const struct adu_tree_ways *ways, uint32_t parent, struct adu_text text)
{
    const struct adu_tree_key key = adu_tree_key(text);
    uint64_t hash =
        (key.first ^ parent * UINT64_C(0xc2b2ae3d27d4eb4f)) * UINT64_C(0x9e3779b97f4a7c15);
    hash = ((hash ^ hash >> 32) + key.last) * UINT64_C(0xd6e8feb86659fd93);
    uint32_t place = (uint32_t)((hash >> 32) * ways->edge_places >> 32);
    for (;;) {
        struct adu_tree_edge *edge = &ways->edges[place];
        if (edge->parent == ADU_TREE_NONE || adu_tree_is(ways, edge, parent, &key, text)) {
            return edge;
        }
        place = adu_trie_next_place(place, ways->edge_places);
    }
}

/* tree_ways.c: makes what is walked through, of nodes that are alike one if `join`. false when
 * memory is gone, or it would be too big (`*too_big`). */
bool adu_tree_make_ways(struct adu_tree *tree, struct adu_arena *arena, bool join, bool *too_big);

/* tree_overlap.c: true if no topic may belong to two namespaces that are equally specific. */
enum adu_tree_outcome adu_tree_unambiguous(const struct adu_tree *tree, uint32_t clash[2]);

#endif
