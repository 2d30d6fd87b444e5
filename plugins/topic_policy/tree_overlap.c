/* Whether a topic may belong to two namespaces of which neither is more specific. That is so where
 * two children of a node that are equally specific have a level in common, and then what follows
 * has a topic in common too. */
#include "plugins/topic_policy/tree_form.h"

/* What is compared at most: enough for any plant, done in well under a second. */
enum { STEPS_MOST = 5000000 };

struct comparing {
    const struct adu_tree *tree;
    size_t steps;
    uint32_t *clash;
};

static bool clash(struct comparing *c, uint32_t a, uint32_t b)
{
    if (a == ADU_TREE_NONE || b == ADU_TREE_NONE || a == b) {
        return false;
    }
    c->clash[0] = a < b ? a : b;
    c->clash[1] = a < b ? b : a;
    return true;
}

/* A namespace other than `number` below the node, or at it. */
static bool clash_below(struct comparing *c, uint32_t number, uint32_t node)
{
    c->steps++;
    if (clash(c, number, c->tree->branching[node].leaf) ||
        clash(c, number, c->tree->branching[node].rest)) {
        return true;
    }
    uint32_t child = c->tree->branching[node].first;
    for (; child != ADU_TREE_NONE && c->steps < STEPS_MOST;
         child = c->tree->branching[child].next) {
        if (clash_below(c, number, child)) {
            return true;
        }
    }
    return false;
}

static bool same_level(const struct adu_tree_branching *a, const struct adu_tree_branching *b)
{
    if (a->rule != NULL && b->rule != NULL) {
        return adu_level_rules_meet(a->rule, b->rule);
    }
    if (a->rule == NULL && b->rule == NULL) {
        return a->text.length == b->text.length &&
               memcmp(a->text.bytes, b->text.bytes, a->text.length) == 0;
    }
    const struct adu_level_rule *rule = a->rule != NULL ? a->rule : b->rule;
    return rule->kind == ADU_LEVEL_VALUE ||
           adu_level_rule_fits(rule, a->rule != NULL ? b->text : a->text, NULL);
}

/* True if a topic may go on as both nodes do, to different namespaces. */
static bool meet(struct comparing *c, uint32_t a, uint32_t b)
{
    const struct adu_tree_branching *one = &c->tree->branching[a], *other = &c->tree->branching[b];
    c->steps++;
    if (clash(c, one->leaf, other->leaf) ||
        (one->rest != ADU_TREE_NONE && clash_below(c, one->rest, b)) ||
        (other->rest != ADU_TREE_NONE && clash_below(c, other->rest, a))) {
        return true;
    }
    uint32_t i = c->tree->branching[a].first;
    for (; i != ADU_TREE_NONE; i = c->tree->branching[i].next) {
        uint32_t j = c->tree->branching[b].first;
        for (; j != ADU_TREE_NONE && c->steps < STEPS_MOST; j = c->tree->branching[j].next) {
            c->steps++;
            if (same_level(&c->tree->branching[i], &c->tree->branching[j]) && meet(c, i, j)) {
                return true;
            }
        }
    }
    return false;
}

/* Of the children that must be asked. */
static bool tests_clash(struct comparing *c, const struct adu_tree_node *node)
{
    const struct adu_tree_test *tests = &c->tree->ways.tests[node->tests];
    for (uint32_t i = 0; i < node->test_count; i++) {
        uint32_t j = i + 1;
        for (; j < node->test_count && tests[j].rule->kind == tests[i].rule->kind &&
               c->steps < STEPS_MOST;
             j++) {
            c->steps++;
            if (adu_level_rules_meet(tests[i].rule, tests[j].rule) &&
                meet(c, tests[i].child, tests[j].child)) {
                return true;
            }
        }
    }
    return false;
}

/* Of the lists that have a value in common: they stand behind the same edge. */
static bool branches_clash(struct comparing *c, uint32_t first)
{
    const struct adu_tree_branch *branches = c->tree->ways.branches;
    for (uint32_t i = first; i != ADU_TREE_NONE; i = branches[i].next) {
        if (c->tree->branching[branches[i].child].rule == NULL) {
            continue; /* a text is more specific */
        }
        uint32_t j = branches[i].next;
        for (; j != ADU_TREE_NONE && c->steps < STEPS_MOST; j = branches[j].next) {
            if (meet(c, branches[i].child, branches[j].child)) {
                return true;
            }
        }
    }
    return false;
}

enum adu_tree_outcome adu_tree_unambiguous(const struct adu_tree *tree, uint32_t numbers[2])
{
    struct comparing c = {.tree = tree, .clash = numbers};
    for (uint32_t i = 0; i < tree->count && c.steps < STEPS_MOST; i++) {
        if (tests_clash(&c, &tree->ways.nodes[i])) {
            return ADU_TREE_AMBIGUOUS;
        }
    }
    for (uint32_t i = 0; i < tree->ways.edge_places && c.steps < STEPS_MOST; i++) {
        const struct adu_tree_edge *edge = &tree->ways.edges[i];
        if (edge->parent != ADU_TREE_NONE && (edge->child & ADU_TREE_MANY) != 0 &&
            branches_clash(&c, edge->child & ~ADU_TREE_MANY)) {
            return ADU_TREE_AMBIGUOUS;
        }
    }
    return c.steps < STEPS_MOST ? ADU_TREE_GOOD : ADU_TREE_TOO_BIG;
}
