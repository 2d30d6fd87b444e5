#include "common/topic_trie.h"
#include "common/topic_pattern.h"
#include "common/topic_trie_form.h"

struct level {
    struct adu_text text;
    uint32_t hash;
    enum adu_level_kind kind; /* of a filter's level; a topic's are all literal */
};

struct walk {
    const struct adu_topic_trie *trie;
    struct adu_text rest; /* what has not been split yet */
    adu_topic_values values;
    adu_topic_trie_visit visit;
    void *context;
    bool filter, hidden;
    size_t split;
    struct level levels[ADU_TRIE_MOST_LEVELS + 1];
};

/* The level of that depth, split off and hashed when first asked for; NULL behind the last. */
static const struct level *level_at(struct walk *w, size_t depth)
{
    if (depth < w->split) {
        return &w->levels[depth];
    }
    struct level *level = &w->levels[depth];
    if (!adu_topic_next_level(&w->rest, &level->text)) {
        return NULL;
    }
    w->split++;
    level->kind = ADU_LEVEL_LITERAL;
    if (w->filter && level->text.length == 1) {
        level->kind = level->text.bytes[0] == '+'   ? ADU_LEVEL_ANY_ONE
                      : level->text.bytes[0] == '#' ? ADU_LEVEL_ANY_REST
                                                    : ADU_LEVEL_LITERAL;
    }
    level->hash = level->kind == ADU_LEVEL_LITERAL ? adu_trie_hash(level->text) : 0;
    return level;
}

static bool visit_leaf(const struct walk *w, uint32_t leaf)
{
    return leaf == ADU_TRIE_NONE || w->visit(w->context, leaf);
}

static bool walk_from(struct walk *w, uint32_t number, size_t depth);

static bool walk_attributes(struct walk *w, uint32_t first, const struct level *level, size_t depth)
{
    for (uint32_t i = first; i != ADU_TRIE_NONE; i = w->trie->attributes[i].next) {
        const struct adu_trie_attribute *edge = &w->trie->attributes[i];
        const char *value = w->values != NULL ? w->values[edge->slot] : NULL;
        if (value != NULL && adu_text_is(level->text, value) &&
            !walk_from(w, edge->child, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* The node behind the edge with the level's text, or ADU_TRIE_NONE. */
static uint32_t literal_of(const struct adu_topic_trie *trie, uint32_t parent,
                           const struct level *level)
{
    const struct adu_trie_edge *edge = &trie->edges[adu_trie_find(
        trie->edges, trie->edge_places, trie->labels, parent, level->hash, level->text)];
    return edge->parent != ADU_TRIE_NONE ? edge->child : ADU_TRIE_NONE;
}

/* False when a visit asked for the end. As deep as the tree, which is ADU_TRIE_MOST_LEVELS. */
static bool walk_from(struct walk *w, uint32_t number, size_t depth)
{
    while (number != ADU_TRIE_NONE) {
        if ((number & (ADU_TRIE_END | ADU_TRIE_PLAIN)) != 0) {
            const struct level *next = level_at(w, depth);
            if ((number & ADU_TRIE_END) != 0) {
                return next != NULL || visit_leaf(w, number & ADU_TRIE_NUMBER);
            }
            number &= ADU_TRIE_NUMBER;
            if (next != NULL) {
                number = next->kind == ADU_LEVEL_LITERAL ? literal_of(w->trie, number, next)
                                                         : ADU_TRIE_NONE;
                depth++;
                continue;
            }
        }
        const struct adu_trie_node *node = &w->trie->nodes[number];
        const bool only_literal = depth == 0 && w->hidden;
        if (!only_literal && !visit_leaf(w, node->rest_leaf)) {
            return false;
        }
        const struct level *level = level_at(w, depth);
        if (level == NULL) {
            return visit_leaf(w, node->leaf);
        }
        if (level->kind == ADU_LEVEL_ANY_REST) {
            return true; /* only # contains # */
        }
        if (!only_literal && node->any_one != ADU_TRIE_NONE &&
            !walk_from(w, node->any_one, depth + 1)) {
            return false;
        }
        if (level->kind == ADU_LEVEL_ANY_ONE) {
            return true;
        }
        if (!only_literal && !walk_attributes(w, node->attributes, level, depth)) {
            return false;
        }
        number = node->literals > 0 ? literal_of(w->trie, number, level) : ADU_TRIE_NONE;
        depth++;
    }
    return true;
}

/* `levels` is filled as it is asked for. */
static void begin(struct walk *w, const struct adu_topic_trie *trie, struct adu_text text,
                  bool filter, adu_topic_values values, adu_topic_trie_visit visit, void *context)
{
    w->trie = trie;
    w->rest = text;
    w->values = values;
    w->visit = visit;
    w->context = context;
    w->filter = filter;
    w->hidden = adu_topic_hidden(text);
    w->split = 0;
}

void adu_topic_trie_match(const struct adu_topic_trie *trie, struct adu_text topic,
                          adu_topic_values values, adu_topic_trie_visit visit, void *context)
{
    struct walk w;
    begin(&w, trie, topic, false, values, visit, context);
    walk_from(&w, 0, 0);
}

/* As a whole filter # matches what +/# does: every topic outside $. */
static uint32_t leaf_of_everything(const struct adu_topic_trie *trie)
{
    const uint32_t any_one = trie->nodes[0].any_one;
    const bool is_node = any_one != ADU_TRIE_NONE && (any_one & ~ADU_TRIE_NUMBER) == 0;
    return is_node ? trie->nodes[any_one].rest_leaf : ADU_TRIE_NONE;
}

void adu_topic_trie_contain(const struct adu_topic_trie *trie, struct adu_text filter,
                            adu_topic_values values, adu_topic_trie_visit visit, void *context)
{
    struct walk w;
    begin(&w, trie, filter, true, values, visit, context);
    if (!adu_text_is(filter, "#") || visit_leaf(&w, leaf_of_everything(trie))) {
        walk_from(&w, 0, 0);
    }
}
