/* What a topic pattern is inside: for topic.c, which makes them, and topic_trie.c, which joins many
 * of them into one tree. */
#ifndef ADUANA_COMMON_TOPIC_PATTERN_H
#define ADUANA_COMMON_TOPIC_PATTERN_H

#include "common/topic.h"

enum adu_level_kind {
    ADU_LEVEL_LITERAL,
    ADU_LEVEL_ANY_ONE,
    ADU_LEVEL_ANY_REST,
    ADU_LEVEL_ATTRIBUTE
};

struct adu_pattern_level {
    enum adu_level_kind kind;
    int slot;             /* ADU_LEVEL_ATTRIBUTE */
    struct adu_text text; /* ADU_LEVEL_LITERAL */
};

struct adu_topic_pattern {
    struct adu_place place;
    size_t count;
    struct adu_pattern_level levels[];
};

/* `$...` at the first level is reached only by a pattern that spells it out. */
static inline bool adu_topic_hidden(struct adu_text topic)
{
    return topic.length > 0 && topic.bytes[0] == '$';
}

#endif
