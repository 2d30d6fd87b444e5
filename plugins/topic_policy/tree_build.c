/* Makes the tree of tree.h: ways are added one by one, then it takes its final form. */
#include "plugins/topic_policy/tree_form.h"
#include <stdlib.h>

struct adu_tree_builder {
    struct adu_arena *arena;
    struct adu_tree *tree;
    uint32_t *buckets; /* of children, by parent and what leads to them */
    uint32_t bucket_count, room;
};

enum { MOST_NODES = 20000000, MOST_EDGES = 20000000 };

static uint32_t add_node(struct adu_tree_builder *b)
{
    struct adu_tree *tree = b->tree;
    tree->nodes[tree->count] =
        (struct adu_tree_node){.leaf = ADU_TREE_NONE, .rest = ADU_TREE_NONE, .any = ADU_TREE_NONE};
    tree->branching[tree->count] = (struct adu_tree_branching){
        .parent = ADU_TREE_NONE, .first = ADU_TREE_NONE, .next = ADU_TREE_NONE};
    return tree->count++;
}

static void builder_free(struct adu_tree_builder *b)
{
    if (b != NULL) {
        free(b->buckets);
        free(b);
    }
}

struct adu_tree_builder *adu_tree_begin(struct adu_arena *arena, size_t levels)
{
    struct adu_tree_builder *b = levels < MOST_NODES ? calloc(1, sizeof *b) : NULL;
    if (b == NULL) {
        return NULL;
    }
    b->arena = arena;
    b->room = (uint32_t)levels + 1;
    b->bucket_count = b->room * 2;
    b->buckets = malloc(b->bucket_count * sizeof *b->buckets);
    b->tree = adu_arena_alloc(arena, sizeof *b->tree);
    if (b->tree != NULL) {
        b->tree->nodes = adu_arena_array(arena, b->room, sizeof *b->tree->nodes);
        b->tree->branching = adu_arena_array(arena, b->room, sizeof *b->tree->branching);
    }
    if (b->buckets == NULL || b->tree == NULL || b->tree->nodes == NULL ||
        b->tree->branching == NULL) {
        builder_free(b);
        return NULL;
    }
    memset(b->buckets, 0xff, b->bucket_count * sizeof *b->buckets);
    add_node(b);
    return b;
}

/* Before those that are less specific, behind those that are equally so. */
static void insert_child(struct adu_tree *tree, uint32_t parent, uint32_t child)
{
    const struct adu_level_rule *rule = tree->branching[child].rule;
    uint32_t *at = &tree->branching[parent].first;
    while (*at != ADU_TREE_NONE) {
        const struct adu_level_rule *other = tree->branching[*at].rule;
        if (rule == NULL || (other != NULL && other->kind > rule->kind)) {
            break; /* texts in no order: there may be many */
        }
        at = &tree->branching[*at].next;
    }
    tree->branching[child].next = *at;
    *at = child;
}

static uint32_t child_of(struct adu_tree_builder *b, uint32_t parent,
                         const struct adu_shape_level *level)
{
    struct adu_tree *tree = b->tree;
    const uint32_t key =
        level->rule != NULL ? level->rule->number * 2 + 1 : adu_trie_hash(level->text) * 2;
    const uint32_t bucket = (key ^ parent * UINT32_C(0x9e3779b1)) % b->bucket_count;
    for (uint32_t i = b->buckets[bucket]; i != ADU_TREE_NONE; i = tree->branching[i].same_bucket) {
        const struct adu_tree_branching *known = &tree->branching[i];
        if (known->parent == parent && known->rule == level->rule &&
            (level->rule != NULL ||
             (known->text.length == level->text.length &&
              memcmp(known->text.bytes, level->text.bytes, level->text.length) == 0))) {
            return i;
        }
    }
    const uint32_t child = add_node(b);
    struct adu_tree_branching *made = &tree->branching[child];
    made->rule = level->rule;
    made->text = level->text;
    made->parent = parent;
    made->same_bucket = b->buckets[bucket];
    b->buckets[bucket] = child;
    insert_child(tree, parent, child);
    return child;
}

uint32_t adu_tree_add(struct adu_tree_builder *b, const struct adu_shape_way *way, bool tail,
                      uint32_t number)
{
    uint32_t at = 0;
    for (size_t i = 0; i < way->count; i++) {
        at = child_of(b, at, way->levels[i]);
    }
    uint32_t *end = tail ? &b->tree->nodes[at].rest : &b->tree->nodes[at].leaf;
    if (*end == ADU_TREE_NONE) {
        *end = number;
    }
    return *end;
}

/* --- the final form --- */

/* Edges, branches, bytes of labels and tests that the tree needs at most. */
struct needs {
    size_t edges, label_bytes, tests;
};

static void need_text(struct needs *n, size_t length)
{
    n->edges++;
    n->label_bytes += length > ADU_TRIE_INLINE_LABEL ? length : 0;
}

static struct needs needs_of(const struct adu_tree *tree)
{
    struct needs n = {0};
    for (uint32_t i = 1; i < tree->count; i++) {
        const struct adu_tree_branching *b = &tree->branching[i];
        if (b->rule == NULL) {
            need_text(&n, b->text.length);
        } else if (b->rule->kind == ADU_LEVEL_LIST) {
            for (size_t j = 0; j < b->rule->count; j++) {
                need_text(&n, strlen(b->rule->values[j]));
            }
        } else {
            n.tests++;
        }
    }
    return n;
}

/* How far the arrays are filled. */
struct filled {
    uint32_t branches, labels, tests;
};

static void set_label(struct adu_tree *tree, struct adu_trie_edge *edge, struct adu_text text,
                      struct filled *filled)
{
    edge->length = (uint16_t)text.length;
    if (text.length <= ADU_TRIE_INLINE_LABEL) {
        memcpy(edge->label, text.bytes, text.length);
        return;
    }
    memcpy(edge->label, &filled->labels, sizeof filled->labels);
    memcpy(tree->labels + filled->labels, text.bytes, text.length);
    filled->labels += (uint32_t)text.length;
}

static uint32_t add_branch(struct adu_tree *tree, uint32_t child, struct filled *filled)
{
    tree->branches[filled->branches] = (struct adu_tree_branch){child, ADU_TREE_NONE};
    return filled->branches++;
}

/* Children come in the order of trying: a later one goes to the end of the list. */
static void add_edge(struct adu_tree *tree, uint32_t parent, struct adu_text text, uint32_t child,
                     struct filled *filled)
{
    const uint32_t hash = adu_trie_hash(text);
    struct adu_trie_edge *edge = &tree->edges[adu_trie_find(tree->edges, tree->edge_places,
                                                            tree->labels, parent, hash, text)];
    tree->nodes[parent].edges = true;
    if (edge->parent == ADU_TRIE_NONE) {
        edge->parent = parent;
        edge->child = child;
        set_label(tree, edge, text, filled);
        return;
    }
    if ((edge->child & ADU_TREE_MANY) == 0) {
        edge->child = add_branch(tree, edge->child, filled) | ADU_TREE_MANY;
    }
    struct adu_tree_branch *last = &tree->branches[edge->child & ~ADU_TREE_MANY];
    while (last->next != ADU_TREE_NONE) {
        last = &tree->branches[last->next];
    }
    last->next = add_branch(tree, child, filled);
}

static void fill_node(struct adu_tree *tree, uint32_t number, struct filled *filled)
{
    struct adu_tree_node *node = &tree->nodes[number];
    node->tests = filled->tests;
    uint32_t child = tree->branching[number].first;
    for (; child != ADU_TREE_NONE; child = tree->branching[child].next) {
        const struct adu_tree_branching *b = &tree->branching[child];
        if (b->rule == NULL) {
            add_edge(tree, number, b->text, child, filled);
        } else if (b->rule->kind == ADU_LEVEL_LIST) {
            for (size_t i = 0; i < b->rule->count; i++) {
                add_edge(tree, number, adu_text_of(b->rule->values[i]), child, filled);
            }
        } else if (b->rule->kind == ADU_LEVEL_FREE) {
            node->any = child;
        } else {
            tree->tests[filled->tests++] = (struct adu_tree_test){b->rule, child};
            node->test_count++;
        }
    }
}

static enum adu_tree_outcome fill(struct adu_tree_builder *b)
{
    struct adu_tree *tree = b->tree;
    const struct needs n = needs_of(tree);
    if (n.edges > MOST_EDGES || n.label_bytes > UINT32_MAX) {
        return ADU_TREE_TOO_BIG;
    }
    /* Half of the places is empty, so a search for what is not there ends soon. */
    tree->edge_places = (uint32_t)(n.edges * 2 + 2);
    tree->edges = adu_arena_array(b->arena, tree->edge_places, sizeof *tree->edges);
    tree->labels = adu_arena_alloc(b->arena, n.label_bytes + 1);
    tree->branches = adu_arena_array(b->arena, n.edges * 2 + 1, sizeof *tree->branches);
    tree->tests = adu_arena_array(b->arena, n.tests + 1, sizeof *tree->tests);
    if (tree->edges == NULL || tree->labels == NULL || tree->branches == NULL ||
        tree->tests == NULL) {
        return ADU_TREE_NO_MEMORY;
    }
    for (uint32_t i = 0; i < tree->edge_places; i++) {
        tree->edges[i].parent = ADU_TRIE_NONE;
    }
    struct filled filled = {0};
    for (uint32_t i = 0; i < tree->count; i++) {
        fill_node(tree, i, &filled);
    }
    return ADU_TREE_GOOD;
}

enum adu_tree_outcome adu_tree_finish(struct adu_tree_builder *b, const struct adu_tree **tree,
                                      uint32_t clash[2])
{
    if (b == NULL) {
        return ADU_TREE_NO_MEMORY;
    }
    enum adu_tree_outcome outcome = fill(b);
    if (outcome == ADU_TREE_GOOD) {
        outcome = adu_tree_unambiguous(b->tree, clash);
    }
    *tree = outcome == ADU_TREE_GOOD ? b->tree : NULL;
    builder_free(b);
    return outcome;
}
