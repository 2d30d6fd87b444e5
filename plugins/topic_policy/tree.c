#include "plugins/topic_policy/tree.h"
#include "plugins/topic_policy/tree_form.h"
#include <stdio.h>

struct walk {
    const struct adu_tree_ways *ways;
    const struct adu_text *levels;
    size_t count;
    adu_topic_values values;
    bool asked_who; /* something on the way depends on it */
};

/* --- topics: the hot path --- */

static uint32_t find(struct walk *w, uint32_t number, size_t depth, uint32_t sum);

static uint32_t find_by_branches(struct walk *w, uint32_t first, size_t depth, uint32_t sum)
{
    uint32_t found = ADU_TREE_NONE;
    for (uint32_t i = first; i != ADU_TREE_NONE && found == ADU_TREE_NONE;
         i = w->ways->branches[i].next) {
        const struct adu_tree_branch *branch = &w->ways->branches[i];
        found = find(w, branch->child, depth, sum + branch->adds);
    }
    return found;
}

static bool test_fits(struct walk *w, const struct adu_tree_test *test, struct adu_text level)
{
    w->asked_who = w->asked_who || test->rule->kind == ADU_LEVEL_VALUE;
    return adu_level_rule_fits(test->rule, level, w->values);
}

static uint32_t end_of(uint32_t sum, uint32_t end)
{
    return end != ADU_TREE_NONE ? sum + end : ADU_TREE_NONE;
}

/* The more specific ways first. */
static uint32_t find_by_all(struct walk *w, uint32_t number, size_t depth, uint32_t sum)
{
    const struct adu_tree_node *node = &w->ways->nodes[number];
    const struct adu_text level = w->levels[depth];
    uint32_t found = ADU_TREE_NONE;
    if (node->edges) {
        const struct adu_tree_edge *edge = adu_tree_edge(w->ways, number, level);
        if (edge->parent != ADU_TREE_NONE) {
            found = (edge->child & ADU_TREE_MANY) != 0
                        ? find_by_branches(w, edge->child & ~ADU_TREE_MANY, depth + 1, sum)
                        : find(w, edge->child, depth + 1, sum + edge->adds);
        }
    }
    const struct adu_tree_test *test = &w->ways->tests[node->tests];
    for (uint32_t i = 0; i < node->test_count && found == ADU_TREE_NONE; i++) {
        if (test_fits(w, &test[i], level)) {
            found = find(w, test[i].child, depth + 1, sum + test[i].adds);
        }
    }
    if (found == ADU_TREE_NONE && node->any != ADU_TREE_NONE && level.bytes[0] != '_') {
        found = find(w, node->any, depth + 1, sum + node->any_adds);
    }
    return found != ADU_TREE_NONE ? found : end_of(sum, node->rest);
}

/* The first that is found. As deep as the tree, which is ADU_SHAPE_MOST_LEVELS. */
static uint32_t find(struct walk *w, uint32_t number, size_t depth, uint32_t sum)
{
    for (;; depth++) {
        const struct adu_tree_node *node = &w->ways->nodes[number];
        if (depth == w->count) {
            return end_of(sum, node->leaf != ADU_TREE_NONE ? node->leaf : node->rest);
        }
        if (node->only == ADU_TREE_BY_EDGE) {
            const struct adu_tree_edge *edge = adu_tree_edge(w->ways, number, w->levels[depth]);
            if (edge->parent == ADU_TREE_NONE) {
                return ADU_TREE_NONE;
            }
            if ((edge->child & ADU_TREE_MANY) != 0) {
                return find_by_branches(w, edge->child & ~ADU_TREE_MANY, depth + 1, sum);
            }
            number = edge->child;
            sum += edge->adds;
        } else if (node->only == ADU_TREE_BY_TEST) {
            const struct adu_tree_test *test = &w->ways->tests[node->tests];
            if (!test_fits(w, test, w->levels[depth])) {
                return ADU_TREE_NONE;
            }
            number = test->child;
            sum += test->adds;
        } else {
            return find_by_all(w, number, depth, sum);
        }
    }
}

uint32_t adu_tree_find(const struct adu_tree *tree, const struct adu_tree_levels *topic,
                       bool *for_all)
{
    struct walk w = {.ways = &tree->ways,
                     .levels = topic->levels,
                     .count = topic->count,
                     .values = topic->values};
    const uint32_t found = find(&w, 0, 0, 0);
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
    const struct adu_tree_branching *node = &s->tree->branching[number];
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
    uint32_t child = node->first;
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
