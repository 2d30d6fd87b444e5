/* What the roles of acl.json say, rule by rule: read in the order of the file, laid out in the
 * order of the tree that is asked about a topic. */
#include "plugins/acl/acl_rules.h"
#include "common/reader.h"
#include "common/stage.h"
#include "plugins/acl/acl_findings.h"
#include <stdlib.h>

struct role_keys {
    const struct adu_json *allow, *deny;
    const struct adu_json *includes; /* read by role_includes.c */
    int mode;
};

static const struct adu_field role_fields[] = {
    ADU_FIELD(struct role_keys, includes, ARRAY),
    ADU_FIELD(struct role_keys, mode, CHOICE, .choices = adu_mode_names),
    ADU_FIELD(struct role_keys, allow, ARRAY),
    ADU_FIELD(struct role_keys, deny, ARRAY),
    {0},
};

/* In the order of enum adu_action, by which rule_actions is indexed. */
struct rule_keys {
    const struct adu_json *patterns[3];
    const char *name;
    const struct adu_json *when;
    int mode;
};

static const struct adu_field rule_fields[] = {
    {.key = "publish",
     .kind = ADU_FIELD_ARRAY,
     .offset = offsetof(struct rule_keys, patterns[ADU_PUBLISH])},
    {.key = "subscribe",
     .kind = ADU_FIELD_ARRAY,
     .offset = offsetof(struct rule_keys, patterns[ADU_SUBSCRIBE])},
    {.key = "receive",
     .kind = ADU_FIELD_ARRAY,
     .offset = offsetof(struct rule_keys, patterns[ADU_RECEIVE])},
    ADU_FIELD(struct rule_keys, name, STRING),
    ADU_FIELD(struct rule_keys, when, OBJECT),
    ADU_FIELD(struct rule_keys, mode, CHOICE, .choices = adu_mode_names),
    {0},
};

/* What a list of patterns is about: who may subscribe may receive, who may not must not. */
static const unsigned rule_actions[] = {
    [ADU_PUBLISH] = 1u << ADU_PUBLISH,
    [ADU_SUBSCRIBE] = 1u << ADU_SUBSCRIBE | 1u << ADU_RECEIVE,
    [ADU_RECEIVE] = 1u << ADU_RECEIVE,
};

/* While the rules are read. */
struct making {
    struct adu_compiler *c;
    struct adu_acl *acl;
    const struct adu_time_zone *zone; /* NULL: the file names none */
    struct adu_arena *scratch;        /* patterns, until the tree has them */
    struct adu_topic_trie_builder *patterns;
    struct placed *placed;                  /* in the order of the file */
    const struct adu_topic_pattern **texts; /* of the same, for the findings; NULL: none wanted */
    size_t count;
};

struct placed {
    uint32_t leaf;
    struct adu_acl_entry entry;
};

static const struct adu_topic_pattern *compile_pattern(struct making *m,
                                                       const struct adu_json *node)
{
    struct adu_compiler c = *m->c;
    c.arena = m->scratch;
    return adu_topic_pattern_compile(&c, node);
}

static bool add_pattern(struct making *m, const struct adu_json *node,
                        const struct adu_acl_rule *rule, struct adu_acl_entry entry)
{
    const struct adu_topic_pattern *pattern = compile_pattern(m, node);
    if (pattern == NULL) {
        return false;
    }
    if (adu_topic_pattern_levels(pattern) > ADU_TRIE_MOST_LEVELS) {
        return adu_json_error(node, m->c->error,
                              "has more than %d levels, which no topic of this broker can have",
                              ADU_TRIE_MOST_LEVELS);
    }
    const uint32_t leaf = adu_topic_trie_add(m->patterns, pattern);
    if (leaf == ADU_TRIE_NO_LEAF) {
        return adu_error_no_memory(m->c->error);
    }
    m->acl->rules[m->count] = *rule;
    m->acl->rules[m->count].place = adu_compiler_place(m->c, &node->place);
    entry.rule = (uint32_t)m->count;
    if (m->texts != NULL) {
        m->texts[m->count] = pattern;
    }
    m->placed[m->count++] = (struct placed){.leaf = leaf, .entry = entry};
    return true;
}

static bool compile_patterns(struct making *m, const struct adu_json *array,
                             const struct adu_acl_rule *rule, struct adu_acl_entry entry)
{
    if (array->count == 0) {
        return adu_json_error(array, m->c->error, "an empty list means nothing; leave the key out");
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        if (!add_pattern(m, node, rule, entry)) {
            return false;
        }
    }
    return true;
}

/* What holds for all patterns of a rule. */
static bool compile_head(struct making *m, const struct adu_json *node,
                         const struct rule_keys *keys, struct adu_acl_rule *rule,
                         struct adu_acl_entry *entry)
{
    unsigned named = 0;
    for (int action = ADU_PUBLISH; action <= ADU_RECEIVE; action++) {
        named |= keys->patterns[action] != NULL ? 1u << action : 0;
    }
    if (named == 0) {
        return adu_json_error(node, m->c->error,
                              "a rule needs at least one of publish, subscribe and receive");
    }
    if (keys->mode == ADU_MODE_WATCH && !entry->deny) {
        return adu_json_key_error(adu_json_member(node, "mode"), m->c->error,
                                  "an allow cannot be watched; watch the role");
    }
    entry->watch = entry->deny && (entry->watch || keys->mode == ADU_MODE_WATCH);
    if (keys->name != NULL && (rule->name = adu_arena_strdup(m->c->arena, keys->name)) == NULL) {
        return adu_error_no_memory(m->c->error);
    }
    if (keys->when != NULL) {
        rule->when = adu_when_compile(m->c, keys->when, named, m->zone);
        entry->conditional = 1;
    }
    return keys->when == NULL || rule->when != NULL;
}

static bool compile_rule(struct making *m, const struct adu_json *node, struct adu_acl_entry entry)
{
    struct rule_keys keys = {0};
    struct adu_acl_rule rule = {0};
    if (!adu_read_object(node, rule_fields, &keys, m->c->error) ||
        !compile_head(m, node, &keys, &rule, &entry)) {
        return false;
    }
    for (int action = ADU_PUBLISH; action <= ADU_RECEIVE; action++) {
        entry.actions = rule_actions[action];
        /* How one may not subscribe says nothing about the deliveries to who has done so otherwise.
         */
        if (entry.deny && action == ADU_SUBSCRIBE && rule.when != NULL &&
            adu_when_is_of_subscribe(rule.when)) {
            entry.actions = 1u << ADU_SUBSCRIBE;
        }
        if (keys.patterns[action] != NULL &&
            !compile_patterns(m, keys.patterns[action], &rule, entry)) {
            return false;
        }
    }
    return true;
}

static bool compile_rules(struct making *m, const struct adu_json *array,
                          struct adu_acl_entry entry)
{
    const struct adu_json *node = array != NULL ? array->first : NULL;
    for (; node != NULL; node = node->next) {
        if (!compile_rule(m, node, entry)) {
            return false;
        }
    }
    return true;
}

static bool compile_role(struct making *m, const struct adu_json *node, int role)
{
    struct role_keys keys = {0};
    if (!adu_read_object(node, role_fields, &keys, m->c->error)) {
        return false;
    }
    const bool watch = keys.mode == ADU_MODE_WATCH;
    if (watch) {
        adu_roles_add(&m->acl->watched_roles, role);
    }
    const struct adu_acl_entry allow = {.role = (uint32_t)role};
    const struct adu_acl_entry deny = {.role = (uint32_t)role, .deny = 1, .watch = watch};
    return compile_rules(m, keys.allow, allow) && compile_rules(m, keys.deny, deny);
}

/* --- from the order of the file to the order of the tree --- */

static int part_of(const struct adu_acl_entry *entry)
{
    return !entry->deny ? 2 : entry->watch ? 1 : 0;
}

static int by_leaf(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (a->leaf != b->leaf) {
        return a->leaf < b->leaf ? -1 : 1;
    }
    if (part_of(&a->entry) != part_of(&b->entry)) {
        return part_of(&a->entry) - part_of(&b->entry);
    }
    if (a->entry.role != b->entry.role) {
        return a->entry.role < b->entry.role ? -1 : 1;
    }
    return a->entry.rule < b->entry.rule ? -1 : a->entry.rule > b->entry.rule;
}

/* In units of uint32_t. */
enum {
    HEAD_UNITS = sizeof(struct adu_acl_leaf) / sizeof(uint32_t),
    ENTRY_UNITS = sizeof(struct adu_acl_entry) / sizeof(uint32_t),
};

/* Writes the leaves behind each other into `memory`; `starts` gets where each begins. */
static void write_leaves(const struct making *m, uint32_t *memory, uint32_t *starts)
{
    uint32_t used = 0;
    struct adu_acl_leaf *leaf = NULL;
    for (size_t i = 0; i < m->count; i++) {
        const struct placed *placed = &m->placed[i];
        if (i == 0 || placed->leaf != m->placed[i - 1].leaf) {
            starts[placed->leaf] = used;
            leaf = (struct adu_acl_leaf *)&memory[used];
            used += HEAD_UNITS;
        }
        uint32_t *const parts[] = {&leaf->denies, &leaf->watched, &leaf->allows};
        leaf->entries[leaf->denies + leaf->watched + leaf->allows] = placed->entry;
        ++*parts[part_of(&placed->entry)];
        used += ENTRY_UNITS;
    }
}

/* For whoever wants to know what is remarkable. What memory there is not for, is not found. */
static void find(const struct making *m, const uint32_t *starts)
{
    struct adu_acl_read *rules = calloc(m->count + 1, sizeof *rules);
    for (size_t i = 0; rules != NULL && i < m->count; i++) {
        const struct placed *placed = &m->placed[i];
        rules[placed->entry.rule] = (struct adu_acl_read){.pattern = m->texts[placed->entry.rule],
                                                          .entry = placed->entry,
                                                          .leaf = starts[placed->leaf]};
    }
    if (rules != NULL) {
        adu_acl_find(m->c, m->acl, rules);
    }
    free(rules);
}

static bool lay_out(struct making *m)
{
    const size_t leaves = adu_topic_trie_leaves(m->patterns);
    const size_t units = leaves * HEAD_UNITS + m->count * ENTRY_UNITS;
    uint32_t *memory = adu_arena_array(m->c->arena, units + 1, sizeof *memory);
    uint32_t *starts = calloc(leaves + 1, sizeof *starts);
    const bool good = memory != NULL && starts != NULL && units < ADU_TRIE_VALUES;
    if (good) {
        if (m->count > 0) {
            qsort(m->placed, m->count, sizeof *m->placed, by_leaf);
        }
        write_leaves(m, memory, starts);
        m->acl->leaves = memory;
        m->acl->patterns = adu_topic_trie_finish(m->patterns, m->c->arena, starts);
        m->patterns = NULL;
        m->acl->rule_count = m->count;
        if (m->texts != NULL && m->acl->patterns != NULL) {
            find(m, starts);
        }
    }
    free(starts);
    return (good && m->acl->patterns != NULL) || adu_error_no_memory(m->c->error);
}

/* --- of all roles --- */

/* An upper bound of the patterns below a value, whatever shape it has. */
static size_t count_strings(const struct adu_json *node)
{
    size_t count = json_is_string(node->value) ? 1 : 0;
    for (const struct adu_json *child = node->first; child != NULL; child = child->next) {
        count += count_strings(child);
    }
    return count;
}

static bool compile_each_role(struct making *m, const struct adu_json *object)
{
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (!compile_role(m, node, adu_vocabulary_define_role(m->c->vocabulary, node->key))) {
            return false;
        }
    }
    return true;
}

bool adu_acl_rules_compile(struct adu_compiler *c, const struct adu_json *roles,
                           const struct adu_time_zone *zone, struct adu_acl *acl)
{
    const size_t most = count_strings(roles);
    struct making m = {.c = c,
                       .acl = acl,
                       .zone = zone,
                       .scratch = adu_arena_new(),
                       .patterns = adu_topic_trie_begin(),
                       .placed = calloc(most + 1, sizeof *m.placed),
                       .texts = c->findings != NULL ? calloc(most + 1, sizeof *m.texts) : NULL};
    acl->rules = adu_arena_array(c->arena, most + 1, sizeof *acl->rules);
    const bool good =
        m.scratch != NULL && m.patterns != NULL && m.placed != NULL && acl->rules != NULL
            ? compile_each_role(&m, roles) && lay_out(&m)
            : adu_error_no_memory(c->error);
    adu_topic_trie_finish(m.patterns, NULL, NULL);
    adu_arena_free(m.scratch);
    free(m.placed);
    free(m.texts);
    return good;
}
