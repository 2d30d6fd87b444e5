#include "plugins/topic_policy/tree.h"
#include "plugins/topic_policy/tree_form.h"
#include <stdio.h>

struct walk {
    const struct adu_tree *tree;
    const struct adu_text *levels;
    size_t count;
    adu_topic_values values;
    bool asked_who; /* something on the way depends on it */
};

/* --- topics: the hot path --- */

static uint32_t find(struct walk *w, uint32_t number, size_t depth);

static uint32_t find_by_branches(struct walk *w, uint32_t child, size_t depth)
{
    if ((child & ADU_TREE_MANY) == 0) {
        return find(w, child, depth);
    }
    uint32_t found = ADU_TREE_NONE;
    for (uint32_t i = child & ~ADU_TREE_MANY; i != ADU_TREE_NONE && found == ADU_TREE_NONE;
         i = w->tree->branches[i].next) {
        found = find(w, w->tree->branches[i].child, depth);
    }
    return found;
}

static uint32_t find_by_tests(struct walk *w, const struct adu_tree_node *node, size_t depth)
{
    const struct adu_tree_test *test = &w->tree->tests[node->tests];
    uint32_t found = ADU_TREE_NONE;
    for (uint32_t i = 0; i < node->test_count && found == ADU_TREE_NONE; i++) {
        w->asked_who = w->asked_who || test[i].rule->kind == ADU_LEVEL_VALUE;
        if (adu_level_rule_fits(test[i].rule, w->levels[depth], w->values)) {
            found = find(w, test[i].child, depth + 1);
        }
    }
    return found;
}

/* The first that is found going by the more specific ways first. As deep as the tree, which is
 * ADU_SHAPE_MOST_LEVELS. */
static uint32_t find(struct walk *w, uint32_t number, size_t depth)
{
    uint32_t found;
    for (;;) {
        const struct adu_tree_node *node = &w->tree->nodes[number];
        if (depth == w->count) {
            return node->leaf != ADU_TREE_NONE ? node->leaf : node->rest;
        }
        const struct adu_text level = w->levels[depth];
        const bool last_way = node->any == ADU_TREE_NONE && node->rest == ADU_TREE_NONE;
        if (node->edges) {
            const struct adu_trie_edge *edge =
                adu_tree_edge(w->tree, number, adu_trie_hash(level), level);
            if (edge != NULL && last_way && node->test_count == 0 &&
                (edge->child & ADU_TREE_MANY) == 0) {
                number = edge->child;
                depth++;
                continue;
            }
            if (edge != NULL &&
                (found = find_by_branches(w, edge->child, depth + 1)) != ADU_TREE_NONE) {
                return found;
            }
        }
        if (node->test_count > 0 && (found = find_by_tests(w, node, depth)) != ADU_TREE_NONE) {
            return found;
        }
        if (node->any == ADU_TREE_NONE || level.bytes[0] == '_') {
            return node->rest;
        }
        if (node->rest != ADU_TREE_NONE) {
            found = find(w, node->any, depth + 1);
            return found != ADU_TREE_NONE ? found : node->rest;
        }
        number = node->any;
        depth++;
    }
}

uint32_t adu_tree_find(const struct adu_tree *tree, const struct adu_tree_levels *topic,
                       bool *for_all)
{
    struct walk w = {
        .tree = tree, .levels = topic->levels, .count = topic->count, .values = topic->values};
    const uint32_t found = find(&w, 0, 0);
    *for_all = !w.asked_who;
    return found;
}

/* --- filters, and what does not fit --- */

struct search {
    const struct adu_tree *tree;
    const struct adu_text *levels;
    size_t count;
    adu_topic_values values;
    bool anybody;
    size_t deepest; /* levels that fit */
    char *ways;     /* NULL: nobody asks for what goes on from there */
    size_t ways_size;
};

static bool leads_to(const struct search *s, const struct adu_tree_branching *child,
                     struct adu_text level)
{
    if (adu_text_is(level, "+")) {
        return true;
    }
    if (child->rule == NULL) {
        return child->text.length == level.length &&
               memcmp(child->text.bytes, level.bytes, level.length) == 0;
    }
    return (s->anybody && child->rule->kind == ADU_LEVEL_VALUE) ||
           adu_level_rule_fits(child->rule, level, s->values);
}

/* Adds what goes on from a node, as far as there is room. */
static void tell_ways(const struct search *s, uint32_t number)
{
    uint32_t child = s->tree->branching[number].first;
    for (; child != ADU_TREE_NONE; child = s->tree->branching[child].next) {
        const struct adu_tree_branching *b = &s->tree->branching[child];
        const size_t used = strlen(s->ways);
        const char *divider = used > 0 ? "; or " : "";
        char one[160];
        if (b->rule == NULL) {
            snprintf(one, sizeof one, "%.*s", (int)b->text.length, b->text.bytes);
        } else {
            adu_level_rule_text(b->rule, one, sizeof one);
        }
        if (used + strlen(divider) + strlen(one) >= s->ways_size) {
            break;
        }
        snprintf(s->ways + used, s->ways_size - used, "%s%s", divider, one);
    }
}

/* Each node is looked at once at most: only one way leads to it. */
static bool meets(struct search *s, uint32_t number, size_t depth)
{
    const struct adu_tree_node *node = &s->tree->nodes[number];
    s->deepest = depth > s->deepest ? depth : s->deepest;
    if (s->ways != NULL && depth == s->deepest) {
        tell_ways(s, number);
    }
    if (node->rest != ADU_TREE_NONE) {
        return true;
    }
    if (depth == s->count) {
        return node->leaf != ADU_TREE_NONE;
    }
    if (adu_text_is(s->levels[depth], "#")) {
        return true; /* no node is a dead end */
    }
    uint32_t child = s->tree->branching[number].first;
    for (; child != ADU_TREE_NONE; child = s->tree->branching[child].next) {
        if (leads_to(s, &s->tree->branching[child], s->levels[depth]) &&
            meets(s, child, depth + 1)) {
            return true;
        }
    }
    return false;
}

bool adu_tree_meets(const struct adu_tree *tree, const struct adu_tree_levels *filter, bool anybody)
{
    struct search s = {.tree = tree,
                       .levels = filter->levels,
                       .count = filter->count,
                       .values = filter->values,
                       .anybody = anybody};
    return meets(&s, 0, 0);
}

size_t adu_tree_stuck(const struct adu_tree *tree, const struct adu_tree_levels *topic,
                      char *expected, size_t size)
{
    struct search s = {
        .tree = tree, .levels = topic->levels, .count = topic->count, .values = topic->values};
    expected[0] = '\0';
    meets(&s, 0, 0);
    s.ways = expected;
    s.ways_size = size;
    meets(&s, 0, 0);
    return s.deepest;
}
