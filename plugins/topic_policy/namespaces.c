#include "plugins/topic_policy/namespaces.h"
#include "common/findings.h"
#include "common/reader.h"
#include "common/stage.h"
#include <stdlib.h>
#include <string.h>

struct keys {
    const char *name;
    const struct adu_json *template, *levels, *qos, *payload, *content_type;
    int preset, mode, retain;
};

enum { PRESET_NONE = -1, PRESET_ISA_95 };

static const char *const preset_names[] = {[PRESET_ISA_95] = "isa-95", NULL};

/* The hierarchy of ISA-95 part 2; what is measured may stand at any level of it. */
static const char *const presets[] = {
    [PRESET_ISA_95] = "{enterprise}/{site}/{area?}/{line?}/{cell?}/{metric}",
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, name, STRING, .required = true),
    ADU_FIELD(struct keys, template, ANY),
    ADU_FIELD(struct keys, levels, OBJECT),
    ADU_FIELD(struct keys, preset, CHOICE, .choices = preset_names),
    ADU_FIELD(struct keys, mode, CHOICE, .choices = adu_mode_names),
    ADU_FIELD(struct keys, qos, OBJECT),
    ADU_FIELD(struct keys, retain, CHOICE, .choices = adu_retain_rule_names),
    ADU_FIELD(struct keys, payload, OBJECT),
    ADU_FIELD(struct keys, content_type, OBJECT),
    {0},
};

enum { MOST_TEMPLATES = 200000 };

/* One template of a namespace. */
struct template
{
    const struct adu_shape *shape;
    const struct adu_json *node;
    uint32_t number; /* of its namespace */
};

struct compiling {
    struct adu_compiler *c;
    const struct adu_namespace_limits *limits;
    struct adu_level_rules rules;
    struct adu_namespaces *namespaces;
    struct template *templates;
    size_t count, levels; /* templates, and levels of all their ways */
};

/* --- what no topic can be --- */

static void find_level(const struct compiling *m, struct adu_text level,
                       const struct adu_place *place)
{
    struct adu_reason why = ADU_REASON_INIT;
    if (!m->limits->legal(m->limits->policy, level, &why)) {
        adu_findings_add(m->c->findings, "never-matches", place, "\"%.*s\" can be no level: %s",
                         (int)(level.length < 64 ? level.length : 64), level.bytes, why.text);
    }
}

/* What is spelled out, and refused by the rest of the file, is told. */
static void find_levels(const struct compiling *m, const struct adu_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct adu_shape_level *level = &shape->levels[i];
        if (level->rule == NULL) {
            find_level(m, level->text, &shape->place);
        }
        const bool list = level->rule != NULL && level->rule->kind == ADU_LEVEL_LIST;
        for (size_t j = 0; list && j < level->rule->count; j++) {
            find_level(m, adu_text_of(level->rule->values[j]), &shape->place);
        }
    }
}

static void find_depth(const struct compiling *m, const struct adu_shape *shape, size_t count)
{
    const bool short_one = count < (size_t)m->limits->min_levels && !shape->tail;
    if (short_one || count > (size_t)m->limits->max_levels) {
        adu_findings_add(m->c->findings, "never-matches", &shape->place,
                         "a topic of %zu levels is too %s for depth.%s", count,
                         short_one ? "short" : "deep", short_one ? "min" : "max");
    }
}

static void count_levels(struct compiling *m, const struct adu_shape *shape)
{
    struct adu_shape_way way;
    size_t state = 0;
    while (adu_shape_next_way(shape, &state, &way)) {
        find_depth(m, shape, way.count);
        m->levels += way.count;
    }
}

static bool add_template(struct compiling *m, const char *text, const struct adu_json *node,
                         const struct adu_json *own, uint32_t number)
{
    const struct adu_shape *shape = adu_shape_compile(m->c, text, node, own, &m->rules);
    if (shape == NULL) {
        return false;
    }
    find_levels(m, shape);
    count_levels(m, shape);
    m->templates[m->count++] = (struct template){.shape = shape, .node = node, .number = number};
    return true;
}

/* --- one namespace --- */

/* A rule for a level that no template has is a slip. */
static bool levels_used(const struct compiling *m, const struct adu_json *own, size_t first)
{
    const struct adu_json *node = NULL;
    while (own != NULL && (node = adu_read_next(own, node)) != NULL) {
        bool used = false;
        for (size_t i = first; i < m->count && !used; i++) {
            const struct adu_shape *shape = m->templates[i].shape;
            for (size_t j = 0; j < shape->count && !used; j++) {
                used =
                    shape->levels[j].rule != NULL && adu_text_is(shape->levels[j].text, node->key);
            }
        }
        if (!used) {
            return adu_json_key_error(node, m->c->error, "the template has no level {%.64s}",
                                      node->key);
        }
    }
    return true;
}

static bool add_templates(struct compiling *m, const struct keys *keys,
                          const struct adu_json *object, uint32_t number)
{
    const struct adu_json *template = keys->template, *node;
    if ((template == NULL) == (keys->preset == PRESET_NONE)) {
        return adu_json_error(object, m->c->error, "expected either \"template\" or \"preset\"");
    }
    if (template == NULL) {
        return add_template(m, presets[keys->preset], adu_json_member(object, "preset"),
                            keys->levels, number);
    }
    if (!json_is_array(template->value)) {
        const char *text = adu_read_string(template, m->c->error);
        return text != NULL && add_template(m, text, template, keys->levels, number);
    }
    if (template->count == 0) {
        return adu_json_error(template, m->c->error, "expected at least one template");
    }
    for (node = template->first; node != NULL; node = node->next) {
        const char *text = adu_read_string(node, m->c->error);
        if (text == NULL || !add_template(m, text, node, keys->levels, number)) {
            return false;
        }
    }
    return true;
}

/* Somebody will want it: he is told why there is no such rule. */
static bool expiry_unasked(const struct compiling *m, const struct adu_json *object)
{
    const struct adu_json *expiry = adu_json_member(object, "message_expiry");
    return expiry == NULL ||
           adu_json_key_error(expiry, m->c->error,
                              "no rule can be held to it: Mosquitto up to 2.1.2 takes a message's "
                              "expiry out of the properties before it asks its plugins");
}

static bool compile_one(struct compiling *m, const struct adu_json *object, uint32_t number)
{
    struct keys keys = {.preset = PRESET_NONE};
    struct adu_namespace *namespace = &m->namespaces->list[number];
    const size_t first = m->count;
    if (!adu_read_is_object(object, m->c->error) || !expiry_unasked(m, object) ||
        !adu_read_object(object, fields, &keys, m->c->error) ||
        !adu_read_is_name(adu_json_member(object, "name"), keys.name, m->c->error)) {
        return false;
    }
    namespace->name = adu_arena_strdup(m->c->arena, keys.name);
    namespace->place = adu_compiler_place(m->c, &object->place);
    namespace->watched = keys.mode == ADU_MODE_WATCH;
    if (namespace->name == NULL) {
        return adu_error_no_memory(m->c->error);
    }
    const struct adu_traffic_keys traffic = {.qos = keys.qos,
                                             .payload = keys.payload,
                                             .content_type = keys.content_type,
                                             .retain_node = adu_json_member(object, "retain"),
                                             .retain = keys.retain};
    return add_templates(m, &keys, object, number) && levels_used(m, keys.levels, first) &&
           adu_traffic_compile(m->c, &traffic, &namespace->traffic);
}

/* --- all of them --- */

static int by_name(const void *a, const void *b)
{
    const struct adu_namespace *one = *(const struct adu_namespace *const *)a;
    const struct adu_namespace *other = *(const struct adu_namespace *const *)b;
    const int order = strcmp(one->name, other->name);
    return order != 0 ? order : (one > other) - (one < other);
}

static bool names_differ(const struct compiling *m, const struct adu_json *array)
{
    const struct adu_namespaces *n = m->namespaces;
    const struct adu_namespace **sorted =
        adu_arena_array(m->c->arena, n->count, sizeof(const struct adu_namespace *));
    for (size_t i = 0; sorted != NULL && i < n->count; i++) {
        sorted[i] = &n->list[i];
    }
    if (sorted == NULL) {
        return adu_error_no_memory(m->c->error);
    }
    qsort(sorted, n->count, sizeof *sorted, by_name);
    for (size_t i = 1; i < n->count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            const struct adu_json *node = array->first;
            while (node->index != (size_t)(sorted[i] - n->list)) {
                node = node->next;
            }
            return adu_json_error(adu_json_member(node, "name"), m->c->error,
                                  "another namespace, of line %u, has this name",
                                  sorted[i - 1]->place.line);
        }
    }
    return true;
}

static bool ambiguous(const struct compiling *m, const struct adu_json *node, uint32_t number,
                      uint32_t other)
{
    const struct adu_namespace *a = &m->namespaces->list[number], *b = &m->namespaces->list[other];
    return adu_json_error(node, m->c->error,
                          "a topic can belong to \"%s\" and to \"%s\" of line %u, and neither is "
                          "more specific",
                          a->name, b->name, b->place.line);
}

/* The first template of that namespace. */
static const struct adu_json *node_of(const struct compiling *m, uint32_t number)
{
    size_t i = 0;
    while (m->templates[i].number != number) {
        i++;
    }
    return m->templates[i].node;
}

static bool add_ways(struct compiling *m, struct adu_tree_builder *b)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct template *t = &m->templates[i];
        struct adu_shape_way way;
        size_t state = 0;
        while (adu_shape_next_way(t->shape, &state, &way)) {
            const uint32_t whose = adu_tree_add(b, &way, t->shape->tail, t->number);
            if (whose != t->number) {
                return ambiguous(m, t->node, t->number, whose);
            }
        }
    }
    return true;
}

static bool make_tree(struct compiling *m, const struct adu_json *array)
{
    uint32_t clash[2];
    const struct adu_tree *tree;
    struct adu_tree_builder *b = adu_tree_begin(m->c->arena, m->levels);
    if (b != NULL && !add_ways(m, b)) {
        adu_tree_finish(b, &tree, clash);
        return false;
    }
    switch (adu_tree_finish(b, &tree, clash)) {
    case ADU_TREE_GOOD:
        m->namespaces->tree = tree;
        return true;
    case ADU_TREE_AMBIGUOUS:
        return ambiguous(m, node_of(m, clash[1]), clash[1], clash[0]);
    case ADU_TREE_TOO_BIG:
        return adu_json_error(array, m->c->error,
                              "these templates have too many levels in common to be compared");
    case ADU_TREE_NO_MEMORY:
        break;
    }
    return adu_error_no_memory(m->c->error);
}

static size_t count_templates(const struct adu_json *array)
{
    size_t count = 0;
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        const struct adu_json *template = adu_json_member(node, "template");
        count += template != NULL && json_is_array(template->value) ? template->count : 1;
    }
    return count;
}

bool adu_namespaces_compile(struct adu_compiler *c, const struct adu_json *vocabularies,
                            const struct adu_json *array, const struct adu_namespace_limits *limits,
                            struct adu_namespaces *namespaces)
{
    struct compiling m = {.c = c, .limits = limits, .namespaces = namespaces};
    if (!adu_level_rules_share(c, vocabularies, &m.rules)) {
        return false;
    }
    if (array == NULL || array->count == 0) {
        return true;
    }
    const size_t templates = count_templates(array);
    if (templates > MOST_TEMPLATES) {
        return adu_json_error(array, c->error, "has more than %d templates", MOST_TEMPLATES);
    }
    namespaces->place = adu_compiler_place(c, &array->place);
    namespaces->list = adu_arena_array(c->arena, array->count, sizeof *namespaces->list);
    m.templates = adu_arena_array(c->arena, templates, sizeof *m.templates);
    if (namespaces->list == NULL || m.templates == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        if (!compile_one(&m, node, (uint32_t)namespaces->count)) {
            return false;
        }
        namespaces->count++;
    }
    return names_differ(&m, array) && make_tree(&m, array);
}

/* --- asking --- */

const struct adu_namespace *adu_namespace_of(const struct adu_namespaces *namespaces,
                                             const struct adu_tree_levels *topic, bool *for_all)
{
    const uint32_t number = adu_tree_find(namespaces->tree, topic, for_all);
    return number != ADU_TREE_NONE ? &namespaces->list[number] : NULL;
}

void adu_namespaces_say(const struct adu_namespaces *namespaces,
                        const struct adu_tree_levels *topic, bool filter, struct adu_reason *why)
{
    const size_t good = adu_tree_stuck(namespaces->tree, topic, why->detail, sizeof why->detail);
    why->rule = &namespaces->place;
    if (good == topic->count) {
        why->text = filter ? "no topic of a namespace has so few levels; next could come"
                           : "the topic ends too early for a namespace; next could come";
        return;
    }
    why->level = (unsigned)good + 1;
    why->level_text = topic->levels[good];
    if (why->detail[0] == '\0') {
        why->text = filter ? "no topic of a namespace has so many levels"
                           : "no namespace goes on with a further level";
    } else {
        why->text = filter ? "no topic of a namespace has this level here; expected"
                           : "no namespace has this level here; expected";
    }
}
