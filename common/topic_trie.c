#include "common/topic_trie.h"
#include "common/topic_pattern.h"
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Literal levels are edges in one hash table for the whole tree, found by parent and text in open
 * addressing; wildcards and attributes hang on the node itself. */

#define NONE UINT32_MAX

/* Said of an edge's child when the tree is finished: only literal levels go on from there, so that
 * a walk that has not arrived need not look at the node. */
#define PLAIN UINT32_C(0x80000000)

struct node {
    uint32_t leaf;       /* of the pattern that ends here */
    uint32_t rest_leaf;  /* of the pattern that goes on with # */
    uint32_t any_one;    /* node behind + */
    uint32_t attributes; /* first of the list */
    uint32_t literals;   /* how many edges with a text leave this node */
};

enum { INLINE_LABEL = 14 };

/* Short labels stand in the edge, so that a step touches one line of cache. */
struct edge {
    uint32_t parent; /* NONE: an empty place of the table */
    uint32_t child;
    uint16_t length;
    char label[INLINE_LABEL]; /* longer ones: a uint32_t, where it begins in `labels` */
};

struct attribute_edge {
    uint32_t child, next;
    int slot;
};

struct adu_topic_trie {
    const struct node *nodes;
    const struct edge *edges;
    uint32_t edge_places;
    const struct attribute_edge *attributes;
    const char *labels;
};

static uint32_t hash_of(struct adu_text text)
{
    return (uint32_t)XXH3_64bits(text.bytes, text.length);
}

/* Where the search for an edge begins. */
static uint32_t first_place(uint32_t parent, uint32_t hash, uint32_t places)
{
    const uint32_t mixed = (hash ^ parent * UINT32_C(0x9e3779b1)) * UINT32_C(0x85ebca6b);
    return (uint32_t)((uint64_t)mixed * places >> 32);
}

static const char *label_of(const struct edge *edge, const char *labels)
{
    uint32_t offset;
    if (edge->length <= INLINE_LABEL) {
        return edge->label;
    }
    memcpy(&offset, edge->label, sizeof offset);
    return labels + offset;
}

/* The edge's place, or the empty one where it would stand. */
static uint32_t find_edge(const struct edge *edges, uint32_t places, const char *labels,
                          uint32_t parent, uint32_t hash, struct adu_text text)
{
    uint32_t place = first_place(parent, hash, places);
    for (;;) {
        const struct edge *edge = &edges[place];
        if (edge->parent == NONE ||
            (edge->parent == parent && edge->length == text.length &&
             memcmp(label_of(edge, labels), text.bytes, text.length) == 0)) {
            return place;
        }
        place = place + 1 < places ? place + 1 : 0;
    }
}

/* --- building --- */

/* An array that grows. */
struct growing {
    void *items;
    size_t count, room;
};

struct adu_topic_trie_builder {
    struct growing nodes, attributes, labels;
    struct edge *edges;
    uint32_t edge_count, edge_places, leaves;
};

/* Makes room for `more` items and returns the first of them, or NULL. */
static void *grow(struct growing *list, size_t size, size_t more)
{
    if (list->room - list->count < more) {
        const size_t room = (list->room + more) * 2;
        void *items = room < PLAIN ? reallocarray(list->items, room, size) : NULL;
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
    struct node *node = grow(&b->nodes, sizeof *node, 1);
    if (node == NULL) {
        return NONE;
    }
    *node = (struct node){
        .leaf = NONE, .rest_leaf = NONE, .any_one = NONE, .attributes = NONE, .literals = 0};
    return (uint32_t)b->nodes.count - 1;
}

static struct node *node_at(struct adu_topic_trie_builder *b, uint32_t number)
{
    return (struct node *)b->nodes.items + number;
}

static struct edge *empty_edges(size_t places)
{
    struct edge *edges = reallocarray(NULL, places, sizeof *edges);
    for (size_t i = 0; edges != NULL && i < places; i++) {
        edges[i].parent = NONE;
    }
    return edges;
}

static void copy_edges(const struct adu_topic_trie_builder *b, struct edge *to, uint32_t places)
{
    for (uint32_t i = 0; i < b->edge_places; i++) {
        const struct edge *edge = &b->edges[i];
        if (edge->parent == NONE) {
            continue;
        }
        const struct adu_text label = {label_of(edge, b->labels.items), edge->length};
        uint32_t place = first_place(edge->parent, hash_of(label), places);
        while (to[place].parent != NONE) {
            place = place + 1 < places ? place + 1 : 0;
        }
        to[place] = *edge;
    }
}

static bool make_room_for_edge(struct adu_topic_trie_builder *b)
{
    if (b->edge_count < b->edge_places / 2) {
        return true;
    }
    const size_t places = (size_t)b->edge_places * 2;
    struct edge *edges = places < NONE ? empty_edges(places) : NULL;
    if (edges == NULL) {
        return false;
    }
    copy_edges(b, edges, (uint32_t)places);
    free(b->edges);
    b->edges = edges;
    b->edge_places = (uint32_t)places;
    return true;
}

static bool set_label(struct adu_topic_trie_builder *b, struct edge *edge, struct adu_text text)
{
    edge->length = (uint16_t)text.length;
    if (text.length <= INLINE_LABEL) {
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
        return NONE;
    }
    const uint32_t hash = hash_of(text);
    struct edge *edge =
        &b->edges[find_edge(b->edges, b->edge_places, b->labels.items, parent, hash, text)];
    if (edge->parent != NONE) {
        return edge->child;
    }
    const uint32_t child = add_node(b);
    if (child == NONE || !set_label(b, edge, text)) {
        return NONE;
    }
    edge->parent = parent;
    edge->child = child;
    b->edge_count++;
    node_at(b, parent)->literals++;
    return child;
}

static uint32_t attribute_child(struct adu_topic_trie_builder *b, uint32_t parent, int slot)
{
    const struct attribute_edge *known = b->attributes.items;
    for (uint32_t i = node_at(b, parent)->attributes; i != NONE; i = known[i].next) {
        if (known[i].slot == slot) {
            return known[i].child;
        }
    }
    const uint32_t child = add_node(b);
    struct attribute_edge *edge = child != NONE ? grow(&b->attributes, sizeof *edge, 1) : NULL;
    if (edge == NULL) {
        return NONE;
    }
    *edge = (struct attribute_edge){
        .child = child, .next = node_at(b, parent)->attributes, .slot = slot};
    node_at(b, parent)->attributes = (uint32_t)b->attributes.count - 1;
    return child;
}

static uint32_t any_one_child(struct adu_topic_trie_builder *b, uint32_t parent)
{
    uint32_t child = node_at(b, parent)->any_one;
    if (child == NONE && (child = add_node(b)) != NONE) {
        node_at(b, parent)->any_one = child;
    }
    return child;
}

static uint32_t take_leaf(struct adu_topic_trie_builder *b, uint32_t *leaf)
{
    if (*leaf == NONE) {
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
    if (b->edges == NULL || add_node(b) == NONE) {
        adu_topic_trie_finish(b, NULL);
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
    for (size_t i = 0; i < p->count && at != NONE; i++) {
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
    return at != NONE ? take_leaf(b, &node_at(b, at)->leaf) : ADU_TRIE_NO_LEAF;
}

uint32_t adu_topic_trie_leaves(const struct adu_topic_trie_builder *b)
{
    return b->leaves;
}

static void *keep(struct adu_arena *arena, const struct growing *list, size_t size)
{
    void *items = adu_arena_array(arena, list->count + 1, size); /* one more: never of no size */
    if (items != NULL && list->count > 0) {
        memcpy(items, list->items, list->count * size);
    }
    return items;
}

static bool is_plain(const struct node *node)
{
    return node->rest_leaf == NONE && node->any_one == NONE && node->attributes == NONE;
}

static const struct adu_topic_trie *compact(const struct adu_topic_trie_builder *b,
                                            struct adu_arena *arena)
{
    struct adu_topic_trie *trie = adu_arena_alloc(arena, sizeof *trie);
    if (trie == NULL) {
        return NULL;
    }
    /* A third of the places is empty, so a search for what is not there ends soon. */
    trie->edge_places = b->edge_count + b->edge_count / 2 + 2;
    struct edge *edges = adu_arena_array(arena, trie->edge_places, sizeof *edges);
    trie->nodes = keep(arena, &b->nodes, sizeof(struct node));
    trie->attributes = keep(arena, &b->attributes, sizeof(struct attribute_edge));
    trie->labels = keep(arena, &b->labels, 1);
    if (edges == NULL || trie->nodes == NULL || trie->attributes == NULL || trie->labels == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < trie->edge_places; i++) {
        edges[i].parent = NONE;
    }
    copy_edges(b, edges, trie->edge_places);
    for (uint32_t i = 0; i < trie->edge_places; i++) {
        if (edges[i].parent != NONE && is_plain(&trie->nodes[edges[i].child])) {
            edges[i].child |= PLAIN;
        }
    }
    trie->edges = edges;
    return trie;
}

const struct adu_topic_trie *adu_topic_trie_finish(struct adu_topic_trie_builder *b,
                                                   struct adu_arena *arena)
{
    const struct adu_topic_trie *trie = b != NULL && arena != NULL ? compact(b, arena) : NULL;
    if (b != NULL) {
        free(b->nodes.items);
        free(b->attributes.items);
        free(b->labels.items);
        free(b->edges);
        free(b);
    }
    return trie;
}

/* --- asking --- */

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
    level->hash = level->kind == ADU_LEVEL_LITERAL ? hash_of(level->text) : 0;
    return level;
}

static bool visit_leaf(const struct walk *w, uint32_t leaf)
{
    return leaf == NONE || w->visit(w->context, leaf);
}

static bool walk_from(struct walk *w, uint32_t number, size_t depth);

static bool walk_attributes(struct walk *w, uint32_t first, const struct level *level, size_t depth)
{
    for (uint32_t i = first; i != NONE; i = w->trie->attributes[i].next) {
        const struct attribute_edge *edge = &w->trie->attributes[i];
        const char *value = w->values != NULL ? w->values[edge->slot] : NULL;
        if (value != NULL && adu_text_is(level->text, value) &&
            !walk_from(w, edge->child, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* The node behind the edge with the level's text, or NONE. */
static uint32_t literal_of(const struct adu_topic_trie *trie, uint32_t parent,
                           const struct level *level)
{
    const struct edge *edge = &trie->edges[find_edge(trie->edges, trie->edge_places, trie->labels,
                                                     parent, level->hash, level->text)];
    return edge->parent != NONE ? edge->child : NONE;
}

/* False when a visit asked for the end. As deep as the tree, which is ADU_TRIE_MOST_LEVELS. */
static bool walk_from(struct walk *w, uint32_t number, size_t depth)
{
    while (number != NONE) {
        if ((number & PLAIN) != 0) {
            number &= ~PLAIN;
            const struct level *level = level_at(w, depth);
            if (level != NULL) {
                number =
                    level->kind == ADU_LEVEL_LITERAL ? literal_of(w->trie, number, level) : NONE;
                depth++;
                continue;
            }
        }
        const struct node *node = &w->trie->nodes[number];
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
        if (!only_literal && node->any_one != NONE && !walk_from(w, node->any_one, depth + 1)) {
            return false;
        }
        if (level->kind == ADU_LEVEL_ANY_ONE) {
            return true;
        }
        if (!only_literal && !walk_attributes(w, node->attributes, level, depth)) {
            return false;
        }
        number = node->literals > 0 ? literal_of(w->trie, number, level) : NONE;
        depth++;
    }
    return true;
}

void adu_topic_trie_match(const struct adu_topic_trie *trie, struct adu_text topic,
                          adu_topic_values values, adu_topic_trie_visit visit, void *context)
{
    struct walk w;
    w.trie = trie;
    w.rest = topic;
    w.values = values;
    w.visit = visit;
    w.context = context;
    w.filter = false;
    w.hidden = adu_topic_hidden(topic);
    w.split = 0; /* `levels` is filled as it is asked for */
    walk_from(&w, 0, 0);
}

void adu_topic_trie_contain(const struct adu_topic_trie *trie, struct adu_text filter,
                            adu_topic_values values, adu_topic_trie_visit visit, void *context)
{
    struct walk w;
    w.trie = trie;
    w.rest = filter;
    w.values = values;
    w.visit = visit;
    w.context = context;
    w.filter = true;
    w.hidden = adu_topic_hidden(filter);
    w.split = 0;
    const uint32_t any_one = trie->nodes[0].any_one;
    /* As a whole filter # matches what +/# does: every topic outside $. */
    if (adu_text_is(filter, "#") && any_one != NONE &&
        !visit_leaf(&w, trie->nodes[any_one].rest_leaf)) {
        return;
    }
    walk_from(&w, 0, 0);
}
