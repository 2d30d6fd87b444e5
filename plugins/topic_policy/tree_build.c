/* Makes the tree of tree.h: ways are added one by one, then it takes its final form. */
#include "plugins/topic_policy/tree_form.h"
#include <stdlib.h>

struct adu_tree_builder {
    struct adu_arena *arena;
    struct adu_tree *tree;
    uint32_t *buckets; /* of children, by parent and what leads to them */
    uint32_t bucket_count;
};

enum { MOST_NODES = 20000000 };

static uint32_t add_node(struct adu_tree_builder *b)
{
    struct adu_tree *tree = b->tree;
    tree->branching[tree->count] = (struct adu_tree_branching){.parent = ADU_TREE_NONE,
                                                               .first = ADU_TREE_NONE,
                                                               .next = ADU_TREE_NONE,
                                                               .leaf = ADU_TREE_NONE,
                                                               .rest = ADU_TREE_NONE};
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
    const uint32_t room = (uint32_t)levels + 1;
    b->bucket_count = room * 2;
    b->buckets = malloc(b->bucket_count * sizeof *b->buckets);
    b->tree = adu_arena_alloc(arena, sizeof *b->tree);
    if (b->tree != NULL) {
        b->tree->branching = adu_arena_array(arena, room, sizeof *b->tree->branching);
    }
    if (b->buckets == NULL || b->tree == NULL || b->tree->branching == NULL) {
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
    uint32_t *end = tail ? &b->tree->branching[at].rest : &b->tree->branching[at].leaf;
    if (*end == ADU_TREE_NONE) {
        *end = number;
    }
    return *end;
}

/* Two namespaces are looked for where nodes are still each by itself, in memory that is not kept.
 */
static enum adu_tree_outcome compare(struct adu_tree *tree, uint32_t clash[2])
{
    bool too_big = false;
    struct adu_arena *arena = adu_arena_new();
    enum adu_tree_outcome outcome = ADU_TREE_NO_MEMORY;
    if (arena != NULL && adu_tree_make_ways(tree, arena, false, &too_big)) {
        outcome = adu_tree_unambiguous(tree, clash);
    }
    adu_arena_free(arena);
    return too_big ? ADU_TREE_TOO_BIG : outcome;
}

enum adu_tree_outcome adu_tree_finish(struct adu_tree_builder *b, const struct adu_tree **tree,
                                      uint32_t clash[2])
{
    bool too_big;
    if (b == NULL) {
        return ADU_TREE_NO_MEMORY;
    }
    enum adu_tree_outcome outcome = compare(b->tree, clash);
    if (outcome == ADU_TREE_GOOD && !adu_tree_make_ways(b->tree, b->arena, true, &too_big)) {
        outcome = ADU_TREE_NO_MEMORY;
    }
    *tree = outcome == ADU_TREE_GOOD ? b->tree : NULL;
    builder_free(b);
    return outcome;
}
