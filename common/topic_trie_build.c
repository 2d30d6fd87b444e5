/* Makes the tree of topic_trie.h: patterns are added one by one, then it takes its final form. */
#include "common/topic_pattern.h"
#include "common/topic_trie_form.h"
#include <stdlib.h>

/* An array that grows. */
struct growing {
    void *items;
    size_t count, room;
};

struct adu_topic_trie_builder {
    struct growing nodes, attributes, labels;
    struct adu_trie_edge *edges;
    uint32_t edge_count, edge_places, leaves;
};

/* Makes room for `more` items and returns the first of them, or NULL. */
static void *grow(struct growing *list, size_t size, size_t more)
{
    if (list->room - list->count < more) {
        const size_t room = (list->room + more) * 2;
        void *items = room < ADU_TRIE_END ? reallocarray(list->items, room, size) : NULL;
        if (items == NULL) {
            return NULL;
        }
        list->items = items;
        list->room = room;
    }
    void *first = (char *)list->items + list->count * size;
    list->count += more;
    return first;
}

static uint32_t add_node(struct adu_topic_trie_builder *b)
{
    struct adu_trie_node *node = grow(&b->nodes, sizeof *node, 1);
    if (node == NULL) {
        return ADU_TRIE_NONE;
    }
    *node = (struct adu_trie_node){.leaf = ADU_TRIE_NONE,
                                   .rest_leaf = ADU_TRIE_NONE,
                                   .any_one = ADU_TRIE_NONE,
                                   .attributes = ADU_TRIE_NONE,
                                   .literals = 0};
    return (uint32_t)b->nodes.count - 1;
}

static struct adu_trie_node *node_at(struct adu_topic_trie_builder *b, uint32_t number)
{
    return (struct adu_trie_node *)b->nodes.items + number;
}

static void clear_edges(struct adu_trie_edge *edges, size_t places)
{
    for (size_t i = 0; i < places; i++) {
        edges[i].parent = ADU_TRIE_NONE;
    }
}

static struct adu_trie_edge *empty_edges(size_t places)
{
    struct adu_trie_edge *edges = reallocarray(NULL, places, sizeof *edges);
    if (edges != NULL) {
        clear_edges(edges, places);
    }
    return edges;
}

/* Into an empty table; with other `numbers` of the nodes, unless NULL. */
static void copy_edges(const struct adu_topic_trie_builder *b, const uint32_t *numbers,
                       struct adu_trie_edge *to, uint32_t places)
{
    for (uint32_t i = 0; i < b->edge_places; i++) {
        struct adu_trie_edge edge = b->edges[i];
        if (edge.parent == ADU_TRIE_NONE) {
            continue;
        }
        if (numbers != NULL) {
            edge.parent = numbers[edge.parent] & ADU_TRIE_NUMBER;
            edge.child = numbers[edge.child];
        }
        const struct adu_text label = {adu_trie_label(&edge, b->labels.items), edge.length};
        uint32_t place = adu_trie_first_place(edge.parent, adu_trie_hash(label), places);
        while (to[place].parent != ADU_TRIE_NONE) {
            place = adu_trie_next_place(place, places);
        }
        to[place] = edge;
    }
}

static bool make_room_for_edge(struct adu_topic_trie_builder *b)
{
    if (b->edge_count < b->edge_places / 2) {
        return true;
    }
    const size_t places = (size_t)b->edge_places * 2;
    struct adu_trie_edge *edges = places < ADU_TRIE_NONE ? empty_edges(places) : NULL;
    if (edges == NULL) {
        return false;
    }
    copy_edges(b, NULL, edges, (uint32_t)places);
    free(b->edges);
    b->edges = edges;
    b->edge_places = (uint32_t)places;
    return true;
}

static bool set_label(struct adu_topic_trie_builder *b, struct adu_trie_edge *edge,
                      struct adu_text text)
{
    edge->length = (uint16_t)text.length;
    if (text.length <= ADU_TRIE_INLINE_LABEL) {
        memcpy(edge->label, text.bytes, text.length);
        return true;
    }
    const uint32_t offset = (uint32_t)b->labels.count;
    char *label = grow(&b->labels, 1, text.length);
    if (label != NULL) {
        memcpy(label, text.bytes, text.length);
        memcpy(edge->label, &offset, sizeof offset);
    }
    return label != NULL;
}

static uint32_t literal_child(struct adu_topic_trie_builder *b, uint32_t parent,
                              struct adu_text text)
{
    if (!make_room_for_edge(b)) {
        return ADU_TRIE_NONE;
    }
    const uint32_t hash = adu_trie_hash(text);
    struct adu_trie_edge *edge =
        &b->edges[adu_trie_find(b->edges, b->edge_places, b->labels.items, parent, hash, text)];
    if (edge->parent != ADU_TRIE_NONE) {
        return edge->child;
    }
    const uint32_t child = add_node(b);
    if (child == ADU_TRIE_NONE || !set_label(b, edge, text)) {
        return ADU_TRIE_NONE;
    }
    edge->parent = parent;
    edge->child = child;
    b->edge_count++;
    node_at(b, parent)->literals++;
    return child;
}

static uint32_t attribute_child(struct adu_topic_trie_builder *b, uint32_t parent, int slot)
{
    const struct adu_trie_attribute *known = b->attributes.items;
    for (uint32_t i = node_at(b, parent)->attributes; i != ADU_TRIE_NONE; i = known[i].next) {
        if (known[i].slot == slot) {
            return known[i].child;
        }
    }
    const uint32_t child = add_node(b);
    struct adu_trie_attribute *edge =
        child != ADU_TRIE_NONE ? grow(&b->attributes, sizeof *edge, 1) : NULL;
    if (edge == NULL) {
        return ADU_TRIE_NONE;
    }
    *edge = (struct adu_trie_attribute){
        .child = child, .next = node_at(b, parent)->attributes, .slot = slot};
    node_at(b, parent)->attributes = (uint32_t)b->attributes.count - 1;
    return child;
}

static uint32_t any_one_child(struct adu_topic_trie_builder *b, uint32_t parent)
{
    uint32_t child = node_at(b, parent)->any_one;
    if (child == ADU_TRIE_NONE && (child = add_node(b)) != ADU_TRIE_NONE) {
        node_at(b, parent)->any_one = child;
    }
    return child;
}

static uint32_t take_leaf(struct adu_topic_trie_builder *b, uint32_t *leaf)
{
    if (*leaf == ADU_TRIE_NONE) {
        *leaf = b->leaves++;
    }
    return *leaf;
}

struct adu_topic_trie_builder *adu_topic_trie_begin(void)
{
    struct adu_topic_trie_builder *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return NULL;
    }
    b->edge_places = 16;
    b->edges = empty_edges(b->edge_places);
    if (b->edges == NULL || add_node(b) == ADU_TRIE_NONE) {
        adu_topic_trie_finish(b, NULL, NULL);
        return NULL;
    }
    return b;
}

uint32_t adu_topic_trie_add(struct adu_topic_trie_builder *b, const struct adu_topic_pattern *p)
{
    if (p->count > ADU_TRIE_MOST_LEVELS) {
        return ADU_TRIE_NO_LEAF;
    }
    uint32_t at = 0;
    for (size_t i = 0; i < p->count && at != ADU_TRIE_NONE; i++) {
        const struct adu_pattern_level *level = &p->levels[i];
        switch (level->kind) {
        case ADU_LEVEL_ANY_REST:
            return take_leaf(b, &node_at(b, at)->rest_leaf);
        case ADU_LEVEL_ANY_ONE:
            at = any_one_child(b, at);
            break;
        case ADU_LEVEL_ATTRIBUTE:
            at = attribute_child(b, at, level->slot);
            break;
        case ADU_LEVEL_LITERAL:
            at = literal_child(b, at, level->text);
            break;
        }
    }
    return at != ADU_TRIE_NONE ? take_leaf(b, &node_at(b, at)->leaf) : ADU_TRIE_NO_LEAF;
}

uint32_t adu_topic_trie_leaves(const struct adu_topic_trie_builder *b)
{
    return b->leaves;
}

/* --- the final form --- */

static bool is_plain(const struct adu_trie_node *node)
{
    return node->rest_leaf == ADU_TRIE_NONE && node->any_one == ADU_TRIE_NONE &&
           node->attributes == ADU_TRIE_NONE;
}

/* What is told of a leaf when it is visited. */
static uint32_t told(const uint32_t *values, uint32_t leaf)
{
    return values != NULL && leaf != ADU_TRIE_NONE ? values[leaf] : leaf;
}

/* What is to stand where a node is pointed at, by its number while building; `*count` nodes stay.
 * NULL when memory is gone. */
static uint32_t *renumber(const struct adu_topic_trie_builder *b, const uint32_t *values,
                          uint32_t *count)
{
    uint32_t *numbers = reallocarray(NULL, b->nodes.count, sizeof *numbers);
    *count = 0;
    for (uint32_t i = 0; numbers != NULL && i < b->nodes.count; i++) {
        const struct adu_trie_node *node = (struct adu_trie_node *)b->nodes.items + i;
        const bool ends = i > 0 && is_plain(node) && node->literals == 0;
        numbers[i] = ends ? told(values, node->leaf) | ADU_TRIE_END
                          : (*count)++ | (is_plain(node) ? ADU_TRIE_PLAIN : 0);
    }
    return numbers;
}

static bool keep_nodes(const struct adu_topic_trie_builder *b, const uint32_t *values,
                       const uint32_t *numbers, uint32_t count, struct adu_arena *arena,
                       struct adu_topic_trie *trie)
{
    struct adu_trie_node *nodes = adu_arena_array(arena, count, sizeof *nodes);
    for (uint32_t i = 0; nodes != NULL && i < b->nodes.count; i++) {
        if ((numbers[i] & ADU_TRIE_END) != 0) {
            continue;
        }
        struct adu_trie_node *node = &nodes[numbers[i] & ADU_TRIE_NUMBER];
        *node = ((struct adu_trie_node *)b->nodes.items)[i];
        node->leaf = told(values, node->leaf);
        node->rest_leaf = told(values, node->rest_leaf);
        node->any_one = node->any_one != ADU_TRIE_NONE ? numbers[node->any_one] : ADU_TRIE_NONE;
    }
    trie->nodes = nodes;
    return nodes != NULL;
}

static bool keep_edges(const struct adu_topic_trie_builder *b, const uint32_t *numbers,
                       struct adu_arena *arena, struct adu_topic_trie *trie)
{
    /* A third of the places is empty, so a search for what is not there ends soon. */
    trie->edge_places = b->edge_count + b->edge_count / 2 + 2;
    struct adu_trie_edge *edges = adu_arena_array(arena, trie->edge_places, sizeof *edges);
    if (edges != NULL) {
        clear_edges(edges, trie->edge_places);
        copy_edges(b, numbers, edges, trie->edge_places);
    }
    trie->edges = edges;
    return edges != NULL;
}

static bool keep_attributes(const struct adu_topic_trie_builder *b, const uint32_t *numbers,
                            struct adu_arena *arena, struct adu_topic_trie *trie)
{
    struct adu_trie_attribute *list =
        adu_arena_array(arena, b->attributes.count + 1, sizeof *list); /* never of no size */
    for (size_t i = 0; list != NULL && i < b->attributes.count; i++) {
        list[i] = ((struct adu_trie_attribute *)b->attributes.items)[i];
        list[i].child = numbers[list[i].child];
    }
    trie->attributes = list;
    return list != NULL;
}

static bool keep_labels(const struct adu_topic_trie_builder *b, struct adu_arena *arena,
                        struct adu_topic_trie *trie)
{
    char *labels = adu_arena_alloc(arena, b->labels.count + 1);
    if (labels != NULL && b->labels.count > 0) {
        memcpy(labels, b->labels.items, b->labels.count);
    }
    trie->labels = labels;
    return labels != NULL;
}

static const struct adu_topic_trie *final_form(const struct adu_topic_trie_builder *b,
                                               struct adu_arena *arena, const uint32_t *values)
{
    uint32_t count;
    struct adu_topic_trie *trie = adu_arena_alloc(arena, sizeof *trie);
    uint32_t *numbers = renumber(b, values, &count);
    const bool good = trie != NULL && numbers != NULL &&
                      keep_nodes(b, values, numbers, count, arena, trie) &&
                      keep_edges(b, numbers, arena, trie) &&
                      keep_attributes(b, numbers, arena, trie) && keep_labels(b, arena, trie);
    free(numbers);
    return good ? trie : NULL;
}

const struct adu_topic_trie *adu_topic_trie_finish(struct adu_topic_trie_builder *b,
                                                   struct adu_arena *arena, const uint32_t *values)
{
    const struct adu_topic_trie *trie =
        b != NULL && arena != NULL ? final_form(b, arena, values) : NULL;
    if (b != NULL) {
        free(b->nodes.items);
        free(b->attributes.items);
        free(b->labels.items);
        free(b->edges);
        free(b);
    }
    return trie;
}
