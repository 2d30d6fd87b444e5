/* The templates of all namespaces as one tree: to which does a topic belong? It costs by the
 * topic's levels, not by the number of templates.
 *
 * The most specific template wins: of two that fit a topic the one that is more specific at the
 * first level where they differ - a text before a list, then an attribute's value, a range, a
 * pattern, any name, and a tail last. Two that fit a topic and are equally specific cannot be in
 * one tree. */
#ifndef ADUANA_TOPIC_POLICY_TREE_H
#define ADUANA_TOPIC_POLICY_TREE_H

#include "plugins/topic_policy/shape.h"

#define ADU_TREE_NONE UINT32_MAX

struct adu_tree;
struct adu_tree_builder;

/* For templates of as many levels in all, those of each way counted. NULL when memory is gone. */
struct adu_tree_builder *adu_tree_begin(struct adu_arena *arena, size_t levels);

/* Adds one way of a shape, for the namespace of that number. Returns the number of the namespace
 * whose it is now: another one, if the very same stood there before. */
uint32_t adu_tree_add(struct adu_tree_builder *b, const struct adu_shape_way *way, bool tail,
                      uint32_t number);

enum adu_tree_outcome { ADU_TREE_GOOD, ADU_TREE_NO_MEMORY, ADU_TREE_TOO_BIG, ADU_TREE_AMBIGUOUS };

/* The final form; the builder is gone, whatever comes of it (NULL-safe). `clash` is told of two
 * namespaces that a topic may belong to alike. */
enum adu_tree_outcome adu_tree_finish(struct adu_tree_builder *b, const struct adu_tree **tree,
                                      uint32_t clash[2]);

/* A topic, or a filter, cut into its levels; none of a topic's is empty. */
struct adu_tree_levels {
    const struct adu_text *levels;
    size_t count;
    adu_topic_values values; /* of who asks; NULL: nobody's */
};

/* The number of the namespace that the topic belongs to, or ADU_TREE_NONE. `*for_all` is true if it
 * does, whoever asks. Hot path. */
uint32_t adu_tree_find(const struct adu_tree *tree, const struct adu_tree_levels *topic,
                       bool *for_all);

/* True if some topic that the filter matches belongs to a namespace. `anybody`: whoever asks. */
bool adu_tree_meets(const struct adu_tree *tree, const struct adu_tree_levels *filter,
                    bool anybody);

/* Where the tree has no way on for a topic or a filter that belongs to no namespace: how many of
 * its levels fit. `expected`, of that size, is told in words what could come next. */
size_t adu_tree_stuck(const struct adu_tree *tree, const struct adu_tree_levels *topic,
                      char *expected, size_t size);

#endif
