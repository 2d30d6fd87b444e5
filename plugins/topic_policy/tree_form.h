/* What the tree of tree.h is in memory: for those who make it, and those who ask it. */
#ifndef ADUANA_TOPIC_POLICY_TREE_FORM_H
#define ADUANA_TOPIC_POLICY_TREE_FORM_H

#include "common/topic_trie_form.h"
#include "plugins/topic_policy/tree.h"

/* What a walk looks at. The texts and the values of lists that go on from a node are edges in one
 * hash table for the whole tree, as in common/topic_trie_form.h. */
struct adu_tree_node {
    uint32_t leaf;  /* number of the namespace whose template ends here */
    uint32_t rest;  /* of the one that goes on with a tail */
    uint32_t any;   /* child behind any name */
    uint32_t tests; /* the first of those children whose rule must be asked */
    uint32_t test_count;
    bool edges; /* there are some */
};

/* An edge that leads to more than one node: its child is, with this bit, the first of a list of
 * branches, which are in the order of trying. */
#define ADU_TREE_MANY UINT32_C(0x80000000)

struct adu_tree_branch {
    uint32_t child, next;
};

struct adu_tree_test {
    const struct adu_level_rule *rule;
    uint32_t child;
};

/* The rest of each node, and how the tree looks from above. */
struct adu_tree_branching {
    const struct adu_level_rule *rule; /* NULL: a text leads here */
    struct adu_text text;
    uint32_t parent, first, next, same_bucket;
};

struct adu_tree {
    struct adu_tree_node *nodes; /* the first is the root */
    struct adu_tree_branching *branching;
    uint32_t count;
    struct adu_trie_edge *edges;
    uint32_t edge_places;
    char *labels;
    struct adu_tree_branch *branches;
    struct adu_tree_test *tests;
};

/* The edge with that text, or NULL. */
static inline const struct adu_trie_edge *
adu_tree_edge(const struct adu_tree *tree, uint32_t parent, uint32_t hash, struct adu_text text)
{
    const struct adu_trie_edge *edge = &tree->edges[adu_trie_find(
        tree->edges, tree->edge_places, tree->labels, parent, hash, text)];
    return edge->parent != ADU_TRIE_NONE ? edge : NULL;
}

/* tree_overlap.c: true if no topic may belong to two namespaces that are equally specific. */
enum adu_tree_outcome adu_tree_unambiguous(const struct adu_tree *tree, uint32_t clash[2]);

#endif
