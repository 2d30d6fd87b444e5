#include "plugins/acl/acl_findings.h"
#include "common/stage.h"
#include "common/topic_pattern.h"
#include <glib.h>

/* Of one rule, while the others are looked at. */
struct look {
    struct adu_compiler *c;
    const struct adu_acl *acl;
    const struct adu_acl_entry *entry;
    const struct adu_acl_rule *rule;
    uint32_t leaf;                             /* told of the pattern itself */
    const struct adu_acl_rule *same, *against; /* that says as much already; that takes it away */
};

/* --- the pattern as a filter --- */

/* Each ${attribute} as a value that stands for nothing but itself. */
static const char **mark_attributes(struct adu_compiler *c)
{
    const size_t count = adu_vocabulary_attributes(c->vocabulary);
    const char **marks = g_new0(const char *, count + 1);
    for (size_t slot = 0; slot < count; slot++) {
        marks[slot] = g_strdup_printf("\x01%zu", slot);
    }
    return marks;
}

static void write_filter(const struct adu_topic_pattern *pattern, const char *const *marks,
                         GString *filter)
{
    g_string_truncate(filter, 0);
    for (size_t i = 0; i < pattern->count; i++) {
        const struct adu_pattern_level *level = &pattern->levels[i];
        g_string_append(filter, i > 0 ? "/" : "");
        switch (level->kind) {
        case ADU_LEVEL_LITERAL:
            g_string_append_len(filter, level->text.bytes, (gssize)level->text.length);
            break;
        case ADU_LEVEL_ANY_ONE:
            g_string_append_c(filter, '+');
            break;
        case ADU_LEVEL_ANY_REST:
            g_string_append_c(filter, '#');
            break;
        case ADU_LEVEL_ATTRIBUTE:
            g_string_append(filter, marks != NULL ? marks[level->slot] : "+");
            break;
        }
    }
}

static struct adu_text text_of(const GString *string)
{
    return (struct adu_text){.bytes = string->str, .length = string->len};
}

/* --- rules that other rules make needless --- */

static bool includes(const struct adu_acl *acl, uint32_t role, uint32_t other)
{
    const int *list = role < acl->includes_count ? acl->includes[role] : NULL;
    for (; list != NULL && *list >= 0; list++) {
        if ((uint32_t)*list == other) {
            return true;
        }
    }
    return false;
}

/* Whoever has the one has the other, always under the same conditions, for all the actions. */
static bool covers(const struct look *look, const struct adu_acl_entry *other)
{
    const struct adu_acl_entry *entry = look->entry;
    const struct adu_when *when = look->acl->rules[other->rule].when;
    return other->rule != entry->rule && (entry->actions & ~other->actions) == 0 &&
           (when == NULL || when == look->rule->when) &&
           (other->role == entry->role || includes(look->acl, entry->role, other->role));
}

/* Of two that say the same of the same topics the later one is needless. */
static bool is_first(const struct look *look, uint32_t told, const struct adu_acl_entry *other)
{
    return told != look->leaf || other->actions != look->entry->actions ||
           (other->role == look->entry->role ? other->rule < look->entry->rule : true);
}

static bool look_at_leaf(void *context, uint32_t told)
{
    struct look *look = context;
    const struct adu_acl_leaf *leaf = adu_acl_leaf_at(look->acl, told);
    const uint32_t count = leaf->denies + leaf->watched + leaf->allows;
    for (uint32_t i = 0; i < count && look->same == NULL; i++) {
        const struct adu_acl_entry *other = &leaf->entries[i];
        if (!covers(look, other)) {
            continue;
        }
        const struct adu_acl_rule *rule = &look->acl->rules[other->rule];
        if (other->deny == look->entry->deny && (!other->watch || look->entry->watch)) {
            look->same = is_first(look, told, other) ? rule : look->same;
        } else if (other->deny && !other->watch && rule->when == NULL) {
            look->against = rule;
        }
    }
    return look->same == NULL;
}

static void find_needless(struct look *look, struct adu_text filter, const char *const *marks)
{
    const struct adu_place *place = &look->rule->place;
    adu_topic_trie_contain(look->acl->patterns, filter, marks, look_at_leaf, look);
    if (look->same != NULL) {
        adu_findings_add(look->c->findings, "shadowed-rule", place,
                         "says nothing that %s:%u:%u does not say already", look->same->place.file,
                         look->same->place.line, look->same->place.column);
    } else if (look->against != NULL) {
        adu_findings_add(look->c->findings, "denied-anyway", place,
                         "never allows anything: %s:%u:%u denies all of it",
                         look->against->place.file, look->against->place.line,
                         look->against->place.column);
    }
}

/* --- rules by themselves --- */

static bool is_everything(const struct adu_topic_pattern *pattern)
{
    const size_t last = pattern->count - 1;
    return pattern->levels[last].kind == ADU_LEVEL_ANY_REST &&
           (last == 0 || (last == 1 && pattern->levels[0].kind == ADU_LEVEL_ANY_ONE));
}

static void find_too_much(const struct look *look, const struct adu_topic_pattern *pattern)
{
    if (!look->entry->deny && look->rule->when == NULL && is_everything(pattern)) {
        adu_findings_add(look->c->findings, "grants-everything", &look->rule->place,
                         "gives the role \"%s\" every topic that does not begin with $",
                         look->acl->role_names[look->entry->role]);
    }
}

/* Deliveries are not judged by their names, so what is only received may be called anything. */
static void find_illegal(const struct look *look, struct adu_text filter)
{
    struct adu_reason why = ADU_REASON_INIT;
    if (look->c->naming == NULL || look->entry->actions == 1u << ADU_RECEIVE ||
        look->c->naming->possible(look->c->naming->policy, filter, &why)) {
        return;
    }
    adu_findings_add(look->c->findings, "never-matches", &look->rule->place,
                     "no topic can match: %s [%s:%u]", why.text, why.rule->file, why.rule->line);
}

void adu_acl_find(struct adu_compiler *c, const struct adu_acl *acl,
                  const struct adu_acl_read *rules)
{
    const char **marks = mark_attributes(c);
    GString *filter = g_string_new(NULL);
    for (size_t i = 0; i < acl->rule_count; i++) {
        struct look look = {.c = c,
                            .acl = acl,
                            .entry = &rules[i].entry,
                            .rule = &acl->rules[i],
                            .leaf = rules[i].leaf};
        find_too_much(&look, rules[i].pattern);
        write_filter(rules[i].pattern, NULL, filter);
        find_illegal(&look, text_of(filter));
        write_filter(rules[i].pattern, marks, filter);
        find_needless(&look, text_of(filter), marks);
    }
    g_string_free(filter, TRUE);
    for (size_t slot = 0; marks[slot] != NULL; slot++) {
        g_free((char *)marks[slot]);
    }
    g_free(marks);
}
