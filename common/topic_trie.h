/* Many topic patterns as one tree. Asking it costs by the levels of the topic, not by the number of
 * patterns; it allocates nothing and copies nothing. */
#ifndef ADUANA_COMMON_TOPIC_TRIE_H
#define ADUANA_COMMON_TOPIC_TRIE_H

#include "common/topic.h"
#include <stdint.h>

/* The broker refuses topics and filters of more levels (TOPIC_HIERARCHY_LIMIT, 200 slashes, in
 * 2.0 and 2.1), so a pattern of more can never match. */
enum { ADU_TRIE_MOST_LEVELS = 201 };

#define ADU_TRIE_NO_LEAF UINT32_MAX

struct adu_topic_trie_builder;
struct adu_topic_trie;

/* NULL when memory is gone. Ends with adu_topic_trie_finish. One thread. */
ADU_API struct adu_topic_trie_builder *adu_topic_trie_begin(void);

/* Adds a pattern and returns the number of its leaf, counted from 0 in the order of first addition;
 * equal patterns share one. The pattern need not live on. ADU_TRIE_NO_LEAF when memory is gone or
 * the pattern has too many levels. */
ADU_API uint32_t adu_topic_trie_add(struct adu_topic_trie_builder *builder,
                                    const struct adu_topic_pattern *pattern);

ADU_API uint32_t adu_topic_trie_leaves(const struct adu_topic_trie_builder *builder);

/* What may be told of a leaf is below this. */
#define ADU_TRIE_VALUES (UINT32_C(1) << 30)

/* The tree in its final form, in the arena's memory; frees the builder. NULL when memory is gone.
 * Visits are told `values[leaf]`, each below ADU_TRIE_VALUES, or with `values` NULL the number of
 * the leaf. With `arena` NULL it only frees the builder, which may be NULL too. */
ADU_API const struct adu_topic_trie *adu_topic_trie_finish(struct adu_topic_trie_builder *builder,
                                                           struct adu_arena *arena,
                                                           const uint32_t *values);

/* Told of one leaf; returns false to end the walk. */
typedef bool (*adu_topic_trie_visit)(void *context, uint32_t value);

/* Visits the leaf of each pattern that matches the concrete `topic`, in no order that means
 * anything. The same answers as adu_topic_pattern_matches. Any thread. */
ADU_API void adu_topic_trie_match(const struct adu_topic_trie *trie, struct adu_text topic,
                                  adu_topic_values values, adu_topic_trie_visit visit,
                                  void *context);

/* Visits the leaf of each pattern that contains the whole `filter` (well formed, not `$share`).
 * The same answers as adu_topic_pattern_contains. Any thread. */
ADU_API void adu_topic_trie_contain(const struct adu_topic_trie *trie, struct adu_text filter,
                                    adu_topic_values values, adu_topic_trie_visit visit,
                                    void *context);

#endif
