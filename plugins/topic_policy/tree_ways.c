/* Makes what a walk through the tree looks at, out of the tree as its builder left it. */
#include "plugins/topic_policy/tree_form.h"
#include <stdlib.h>

enum { MOST_EDGES = 20000000 };

/* Of each node as the builder has them. */
struct joined {
    uint32_t least;  /* the lowest number of a namespace at it or below */
    uint32_t same;   /* the node it is one with; itself, if it is the first of its kind */
    uint32_t number; /* of the node that is walked through, where it is the first */
    uint32_t next;   /* another first one with the same hash */
};

struct making {
    struct adu_tree *tree;
    struct joined *joined;
    uint32_t count;                             /* of nodes to walk through */
    uint32_t branches, labels, tests;           /* how far the arrays are filled */
    size_t edge_count, label_bytes, test_count; /* what they need at most */
};

/* --- nodes that are alike --- */

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b; /* NONE is more than any */
}

/* What is added to a node's least number on the way to a child's. */
static uint32_t adds(const struct making *m, uint32_t parent, uint32_t child)
{
    return m->joined[child].least - m->joined[parent].least;
}

static uint32_t ends(const struct making *m, uint32_t node, uint32_t number)
{
    return number != ADU_TREE_NONE ? number - m->joined[node].least : ADU_TREE_NONE;
}

static uint64_t mix(uint64_t hash, uint64_t with)
{
    return (hash ^ with) * UINT64_C(0x9e3779b97f4a7c15) >> 7 ^ hash << 57;
}

static uint64_t hash_of(const struct making *m, uint32_t node)
{
    const struct adu_tree_branching *all = m->tree->branching, *b = &all[node];
    uint64_t hash = mix(ends(m, node, b->leaf), ends(m, node, b->rest));
    for (uint32_t i = b->first; i != ADU_TREE_NONE; i = all[i].next) {
        hash = mix(hash, all[i].rule != NULL ? all[i].rule->number : adu_trie_hash(all[i].text));
        hash = mix(hash, m->joined[i].same);
        hash = mix(hash, adds(m, node, i));
    }
    return hash;
}

static bool same_way(const struct adu_tree_branching *a, const struct adu_tree_branching *b)
{
    return a->rule == b->rule &&
           (a->rule != NULL || (a->text.length == b->text.length &&
                                memcmp(a->text.bytes, b->text.bytes, a->text.length) == 0));
}

static bool alike(const struct making *m, uint32_t a, uint32_t b)
{
    const struct adu_tree_branching *all = m->tree->branching;
    if (ends(m, a, all[a].leaf) != ends(m, b, all[b].leaf) ||
        ends(m, a, all[a].rest) != ends(m, b, all[b].rest)) {
        return false;
    }
    uint32_t i = all[a].first, j = all[b].first;
    while (i != ADU_TREE_NONE && j != ADU_TREE_NONE) {
        if (!same_way(&all[i], &all[j]) || m->joined[i].same != m->joined[j].same ||
            adds(m, a, i) != adds(m, b, j)) {
            return false;
        }
        i = all[i].next;
        j = all[j].next;
    }
    return i == j;
}

/* Children come behind their parents, and are looked at before them. */
static void find_least(struct making *m)
{
    const struct adu_tree_branching *all = m->tree->branching;
    for (uint32_t i = m->tree->count; i-- > 0;) {
        struct joined *j = &m->joined[i];
        *j = (struct joined){.least = lower(all[i].leaf, all[i].rest), .same = i};
        for (uint32_t c = all[i].first; c != ADU_TREE_NONE; c = all[c].next) {
            j->least = lower(j->least, m->joined[c].least);
        }
    }
}

static bool join_nodes(struct making *m)
{
    const uint32_t count = m->tree->count;
    uint32_t *buckets = malloc(count * sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    memset(buckets, 0xff, count * sizeof *buckets);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t *bucket = &buckets[hash_of(m, i) % count], known = *bucket;
        while (known != ADU_TREE_NONE && !alike(m, known, i)) {
            known = m->joined[known].next;
        }
        if (known != ADU_TREE_NONE) {
            m->joined[i].same = known;
        } else {
            m->joined[i].next = *bucket;
            *bucket = i;
        }
    }
    free(buckets);
    return true;
}

/* --- what they need --- */

static void need_text(struct making *m, size_t length)
{
    m->edge_count++;
    m->label_bytes += length > ADU_TREE_SHORT ? length : 0;
}

static void need_way(struct making *m, const struct adu_tree_branching *b)
{
    if (b->rule == NULL) {
        need_text(m, b->text.length);
    } else if (b->rule->kind == ADU_LEVEL_LIST) {
        for (size_t j = 0; j < b->rule->count; j++) {
            need_text(m, strlen(b->rule->values[j]));
        }
    } else {
        m->test_count++;
    }
}

static void number_nodes(struct making *m)
{
    const struct adu_tree_branching *all = m->tree->branching;
    for (uint32_t i = 0; i < m->tree->count; i++) {
        if (m->joined[i].same != i) {
            continue;
        }
        m->joined[i].number = m->count++;
        for (uint32_t c = all[i].first; c != ADU_TREE_NONE; c = all[c].next) {
            need_way(m, &all[c]);
        }
    }
}

/* --- filling it --- */

static uint32_t number_of(const struct making *m, uint32_t node)
{
    return m->joined[m->joined[node].same].number;
}

static void set_label(struct making *m, struct adu_tree_edge *edge, struct adu_text text)
{
    const struct adu_tree_key key = adu_tree_key(text);
    edge->first = key.first;
    edge->last = key.last;
    edge->length = key.length;
    if (text.length > ADU_TREE_SHORT) {
        edge->last = m->labels;
        memcpy(m->tree->ways.labels + m->labels, text.bytes, text.length);
        m->labels += (uint32_t)text.length;
    }
}

static uint32_t add_branch(struct making *m, uint32_t child, uint32_t adds_to)
{
    m->tree->ways.branches[m->branches] =
        (struct adu_tree_branch){.child = child, .adds = adds_to, .next = ADU_TREE_NONE};
    return m->branches++;
}

/* Children come in the order of trying: a later one goes to the end of the list. */
static void add_edge(struct making *m, uint32_t parent, struct adu_text text, uint32_t child)
{
    const struct adu_tree_ways *ways = &m->tree->ways;
    struct adu_tree_edge *edge = adu_tree_edge(ways, number_of(m, parent), text);
    if (edge->parent == ADU_TREE_NONE) {
        edge->parent = number_of(m, parent);
        edge->child = number_of(m, child);
        edge->adds = adds(m, parent, child);
        set_label(m, edge, text);
        return;
    }
    if ((edge->child & ADU_TREE_MANY) == 0) {
        edge->child = add_branch(m, edge->child, edge->adds) | ADU_TREE_MANY;
    }
    struct adu_tree_branch *last = &ways->branches[edge->child & ~ADU_TREE_MANY];
    while (last->next != ADU_TREE_NONE) {
        last = &ways->branches[last->next];
    }
    last->next = add_branch(m, number_of(m, child), adds(m, parent, child));
}

static void fill_way(struct making *m, uint32_t parent, uint32_t child)
{
    struct adu_tree_node *node = &m->tree->ways.nodes[number_of(m, parent)];
    const struct adu_tree_branching *b = &m->tree->branching[child];
    if (b->rule == NULL) {
        node->edges = 1;
        add_edge(m, parent, b->text, child);
    } else if (b->rule->kind == ADU_LEVEL_LIST) {
        node->edges = 1;
        for (size_t i = 0; i < b->rule->count; i++) {
            add_edge(m, parent, adu_text_of(b->rule->values[i]), child);
        }
    } else if (b->rule->kind == ADU_LEVEL_FREE) {
        node->any = number_of(m, child);
        node->any_adds = adds(m, parent, child);
    } else {
        m->tree->ways.tests[m->tests++] = (struct adu_tree_test){
            .rule = b->rule, .child = number_of(m, child), .adds = adds(m, parent, child)};
        node->test_count++;
    }
}

static void note_only_way(struct adu_tree_node *node)
{
    if (node->any == ADU_TREE_NONE && node->rest == ADU_TREE_NONE) {
        node->only = node->edges && node->test_count == 0    ? ADU_TREE_BY_EDGE
                     : !node->edges && node->test_count == 1 ? ADU_TREE_BY_TEST
                                                             : ADU_TREE_BY_ALL;
    }
}

static void fill(struct making *m)
{
    const struct adu_tree_branching *all = m->tree->branching;
    for (uint32_t i = 0; i < m->tree->count; i++) {
        if (m->joined[i].same != i) {
            continue;
        }
        m->tree->ways.nodes[m->joined[i].number] =
            (struct adu_tree_node){.leaf = ends(m, i, all[i].leaf),
                                   .rest = ends(m, i, all[i].rest),
                                   .any = ADU_TREE_NONE,
                                   .tests = m->tests};
        for (uint32_t c = all[i].first; c != ADU_TREE_NONE; c = all[c].next) {
            fill_way(m, i, c);
        }
        note_only_way(&m->tree->ways.nodes[m->joined[i].number]);
    }
}

/* An array that begins with a line of cache. */
static void *array_of_lines(struct adu_arena *arena, size_t count, size_t size)
{
    enum { LINE = 64 };
    char *array = adu_arena_array(arena, count + LINE / size + 1, size);
    return array != NULL ? array + (LINE - (uintptr_t)array % LINE) % LINE : NULL;
}

static bool make_room(struct making *m, struct adu_arena *arena)
{
    struct adu_tree_ways *ways = &m->tree->ways;
    /* Half of the places is empty, so a search for what is not there ends soon. */
    ways->edge_places = (uint32_t)(m->edge_count * 2 + 2);
    ways->nodes = adu_arena_array(arena, m->count, sizeof *ways->nodes);
    ways->edges = array_of_lines(arena, ways->edge_places, sizeof *ways->edges);
    ways->labels = adu_arena_alloc(arena, m->label_bytes + 1);
    ways->branches = adu_arena_array(arena, m->edge_count * 2 + 1, sizeof *ways->branches);
    ways->tests = adu_arena_array(arena, m->test_count + 1, sizeof *ways->tests);
    if (ways->nodes == NULL || ways->edges == NULL || ways->labels == NULL ||
        ways->branches == NULL || ways->tests == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < ways->edge_places; i++) {
        ways->edges[i].parent = ADU_TREE_NONE;
    }
    return true;
}

bool adu_tree_make_ways(struct adu_tree *tree, struct adu_arena *arena, bool join, bool *too_big)
{
    struct making m = {.tree = tree, .joined = calloc(tree->count, sizeof *m.joined)};
    *too_big = false;
    if (m.joined == NULL) {
        return false;
    }
    find_least(&m);
    bool made = !join || join_nodes(&m);
    if (made) {
        number_nodes(&m);
        *too_big = m.edge_count > MOST_EDGES || m.label_bytes > UINT32_MAX;
        made = !*too_big && make_room(&m, arena);
    }
    if (made) {
        fill(&m);
    }
    free(m.joined);
    return made;
}
