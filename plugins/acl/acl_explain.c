#include "plugins/acl/acl_explain.h"
#include "plugins/acl/acl.h"
#include "plugins/acl/acl_rules.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>

static const char *const actions[] = {
    [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive"};

/* Not more than so many of one kind of advice. */
enum { ADVICE_MOST = 2 };

struct account {
    const struct adu_acl *acl;
    const struct adu_request *request;
    const struct adu_explainer *to;
    size_t denies, allows;            /* that have a say */
    size_t other_roles, almost, gone; /* of advice given */
};

static G_GNUC_PRINTF(2, 3) void advise(const struct adu_explainer *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    to->advice(to->context, sentence);
    g_free(sentence);
}

/* --- the rules that have to do with it --- */

static bool is_about(const struct adu_request *request, const struct adu_acl_entry *entry)
{
    unsigned set = 1u << request->action;
    if (entry->deny && request->action == ADU_SUBSCRIBE && request->group.length > 0) {
        set |= 1u << ADU_RECEIVE; /* as in acl.c: who may receive nothing of it is not let in */
    }
    return (entry->actions & set) != 0;
}

static const char *why_not(const struct account *a, const struct adu_acl_entry *entry)
{
    const struct adu_when *when = a->acl->rules[entry->rule].when;
    if (!adu_roles_has(&a->request->subject->roles, (int)entry->role)) {
        return "the client does not have the role";
    }
    if (!is_about(a->request, entry)) {
        return "it is about another action";
    }
    const enum adu_holds holds = when == NULL ? ADU_HOLDS : adu_when_holds(when, a->request);
    if (holds == ADU_HOLDS_NOT) {
        return "its conditions do not hold";
    }
    return holds == ADU_HOLDS_UNKNOWN && !entry->deny ? "not known whether its conditions hold"
                                                      : NULL;
}

static const char *effect_of(const struct adu_acl_entry *entry)
{
    return !entry->deny ? "allow" : entry->watch ? "deny, only watched" : "deny";
}

static void advise_on(struct account *a, const struct adu_acl_entry *entry)
{
    const struct adu_place *place = &a->acl->rules[entry->rule].place;
    const bool has_role = adu_roles_has(&a->request->subject->roles, (int)entry->role);
    const char *verb = actions[a->request->action], *role = a->acl->role_names[entry->role];
    if (!has_role && is_about(a->request, entry) && a->other_roles++ < ADVICE_MOST) {
        advise(a->to, "give the client the role \"%s\": %s:%u:%u allows it", role, place->file,
               place->line, place->column);
    } else if (has_role && !is_about(a->request, entry) && a->almost++ < ADVICE_MOST) {
        advise(a->to, "let %s:%u:%u (of the role \"%s\") be about \"%s\" too", place->file,
               place->line, place->column, role, verb);
    } else if (has_role && is_about(a->request, entry) && a->almost++ < ADVICE_MOST) {
        advise(a->to, "meet the conditions of %s:%u:%u (of the role \"%s\"), or widen them",
               place->file, place->line, place->column, role);
    }
}

/* Of what is about another action and another role there would be no end. */
static bool is_of_interest(const struct account *a, const struct adu_acl_entry *entry)
{
    return is_about(a->request, entry) ||
           adu_roles_has(&a->request->subject->roles, (int)entry->role);
}

static bool tell_leaf(void *context, uint32_t told_of)
{
    struct account *a = context;
    const struct adu_acl_leaf *leaf = adu_acl_leaf_at(a->acl, told_of);
    const struct adu_acl_entry *entries = leaf->entries;
    for (uint32_t i = 0; i < leaf->denies + leaf->watched + leaf->allows; i++) {
        const struct adu_acl_rule *rule = &a->acl->rules[entries[i].rule];
        if (!is_of_interest(a, &entries[i])) {
            continue;
        }
        const struct adu_rule_told told = {.place = &rule->place,
                                           .name = rule->name,
                                           .role = a->acl->role_names[entries[i].role],
                                           .effect = effect_of(&entries[i]),
                                           .not_by = why_not(a, &entries[i])};
        a->denies += told.not_by == NULL && entries[i].deny && !entries[i].watch;
        a->allows += told.not_by == NULL && !entries[i].deny;
        a->to->rule(a->to->context, &told);
    }
    return true;
}

/* --- what one might change --- */

static bool advise_leaf(void *context, uint32_t told)
{
    struct account *a = context;
    const struct adu_acl_leaf *leaf = adu_acl_leaf_at(a->acl, told);
    const struct adu_acl_entry *entry = leaf->entries;
    for (uint32_t i = 0; i < leaf->denies; i++, entry++) {
        const struct adu_place *place = &a->acl->rules[entry->rule].place;
        if (why_not(a, entry) == NULL && a->gone++ < ADVICE_MOST) {
            advise(a->to, "take it out of what %s:%u:%u denies to the role \"%s\"", place->file,
                   place->line, place->column, a->acl->role_names[entry->role]);
        }
    }
    entry += leaf->watched;
    for (uint32_t i = 0; i < leaf->allows && a->allows == 0; i++, entry++) {
        advise_on(a, entry);
    }
    return true;
}

/* How well an attribute explains why a level is what it is; what the policy itself defines, best.
 */
static int worth(const char *name)
{
    return strncmp(name, "cert.", 5) == 0   ? 1
           : strcmp(name, "client_id") == 0 ? 2
           : strcmp(name, "username") == 0  ? 3
                                            : 4;
}

/* Of the client's attributes the best whose only value is that level; NULL if there is none. */
static const char *attribute_of(const struct adu_attributes *attributes, struct adu_text level)
{
    const char *best = NULL;
    for (size_t i = 0; i < attributes->count; i++) {
        const char *name = attributes->items[i].name;
        const char *value = adu_attributes_single(attributes, name);
        if (value != NULL && adu_text_is(level, value) &&
            (best == NULL || worth(name) > worth(best))) {
            best = name;
        }
    }
    return best;
}

/* The topic as one would write it in a rule for all clients of the kind. */
static GString *as_pattern(const struct adu_request *request)
{
    GString *pattern = g_string_new(NULL);
    struct adu_text rest = request->topic, level;
    while (adu_topic_next_level(&rest, &level)) {
        const char *name = attribute_of(&request->subject->attributes, level);
        g_string_append(pattern,
                        pattern->len > 0 || level.bytes != request->topic.bytes ? "/" : "");
        if (name != NULL) {
            g_string_append_printf(pattern, "${%s}", name);
        } else {
            g_string_append_len(pattern, level.bytes, (gssize)level.length);
        }
    }
    return pattern;
}

static void advise_new_rule(const struct account *a)
{
    const struct adu_roles *roles = &a->request->subject->roles;
    const char *verb = actions[a->request->action];
    GString *pattern = as_pattern(a->request);
    json_t *text = json_stringn(pattern->str, pattern->len);
    char *shown = json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    const char *role = NULL;
    for (size_t i = 0; i < a->acl->role_count && role == NULL; i++) {
        role = adu_roles_has(roles, (int)i) ? a->acl->role_names[i] : NULL;
    }
    if (shown != NULL && role != NULL) {
        advise(a->to, "add {\"%s\": [%s]} to roles.%s.allow in acl.json", verb, shown, role);
    } else if (shown != NULL) {
        advise(a->to, "bind the client to a role whose \"allow\" has {\"%s\": [%s]}", verb, shown);
    }
    free(shown);
    json_decref(text);
    g_string_free(pattern, TRUE);
}

/* --- the whole --- */

static void walk(struct account *a, adu_topic_trie_visit visit)
{
    const struct adu_request *r = a->request;
    if (r->action == ADU_SUBSCRIBE) {
        adu_topic_trie_contain(a->acl->patterns, r->topic, r->subject->values, visit, a);
    } else {
        adu_topic_trie_match(a->acl->patterns, r->topic, r->subject->values, visit, a);
    }
}

void adu_acl_explain(const struct adu_acl *acl, const struct adu_request *request,
                     const struct adu_explainer *to)
{
    struct account account = {.acl = acl, .request = request, .to = to};
    walk(&account, tell_leaf);
    if (account.denies > 0 || account.allows == 0) {
        walk(&account, advise_leaf);
    }
    if (account.allows == 0) {
        advise_new_rule(&account);
    }
}

void adu_acl_list_rules(const struct adu_acl *acl, const struct adu_explainer *to)
{
    for (size_t i = 0; i < acl->rule_count; i++) {
        const struct adu_rule_told told = {.place = &acl->rules[i].place,
                                           .name = acl->rules[i].name};
        to->rule(to->context, &told);
    }
}
