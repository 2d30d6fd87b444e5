#include "plugins/acl/acl.h"
#include "plugins/acl/acl_rules.h"
#include <stdio.h>
#include <string.h>

static bool has_role(const struct adu_login *login, int role)
{
    for (size_t i = 0; i < login->role_count; i++) {
        if (login->roles[i] == role) {
            return true;
        }
    }
    return false;
}

/* Whoever has a role has those that it includes. */
static bool add_included(const struct adu_acl *acl, struct adu_login *login)
{
    const size_t given = login->role_count;
    for (size_t i = 0; i < given; i++) {
        const size_t role = (size_t)login->roles[i];
        const int *list = role < acl->includes_count ? acl->includes[role] : NULL;
        for (; list != NULL && *list >= 0; list++) {
            const int one[] = {*list, ADU_NO_NAME};
            if (!has_role(login, *list) && !adu_login_add_roles(login, one)) {
                return false;
            }
        }
    }
    return true;
}

bool adu_acl_bind(const struct adu_acl *acl, const struct adu_attributes *attributes,
                  struct adu_login *login)
{
    for (size_t i = 0; i < acl->binding_count; i++) {
        if (adu_match_holds(acl->bindings[i].match, attributes, NULL) &&
            !adu_login_add_roles(login, acl->bindings[i].roles)) {
            return false;
        }
    }
    return add_included(acl, login);
}

/* --- finding what is said to the client's roles --- */

enum { FEW = 8 };

struct search {
    const struct adu_acl *acl;
    const struct adu_request *request;
    struct adu_reason *why;
    unsigned allowed_by, denied_by; /* sets of 1 << enum adu_action */
    const struct adu_acl_entry *deny, *watched, *allow;
};

/* The entry is about the action, and its rule's conditions hold; where that cannot be known, they
 * hold for a deny. */
static inline bool applies(const struct search *s, const struct adu_acl_entry *entry)
{
    if ((entry->actions & (entry->deny ? s->denied_by : s->allowed_by)) == 0) {
        return false;
    }
    if (!entry->conditional) {
        return true;
    }
    s->why->passing = true;
    const enum adu_holds holds = adu_when_holds(s->acl->rules[entry->rule].when, s->request);
    return holds == ADU_HOLDS || (holds == ADU_HOLDS_UNKNOWN && entry->deny);
}

static const struct adu_acl_entry *
find_among_few(const struct search *s, const struct adu_acl_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (adu_roles_has(&s->request->subject->roles, (int)entries[i].role) &&
            applies(s, &entries[i])) {
            return &entries[i];
        }
    }
    return NULL;
}

/* Entries are in the order of their roles; a role may have several. */
static const struct adu_acl_entry *find_for_role(const struct search *s,
                                                 const struct adu_acl_entry *entries,
                                                 uint32_t count, uint32_t role)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (entries[middle].role < role) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < count && entries[low].role == role; low++) {
        if (applies(s, &entries[low])) {
            return &entries[low];
        }
    }
    return NULL;
}

static const struct adu_acl_entry *find_entry(const struct search *s,
                                              const struct adu_acl_entry *entries, uint32_t count)
{
    if (count <= FEW) {
        return find_among_few(s, entries, count);
    }
    const struct adu_roles *roles = &s->request->subject->roles;
    for (size_t word = 0; word < roles->count; word++) {
        for (uint64_t bits = roles->words[word]; bits != 0; bits &= bits - 1) {
            const uint32_t role = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            const struct adu_acl_entry *entry = find_for_role(s, entries, count, role);
            if (entry != NULL) {
                return entry;
            }
        }
    }
    return NULL;
}

/* Denies win, so a grant does not end the walk. */
static bool look_at_leaf(void *context, uint32_t told)
{
    struct search *s = context;
    const struct adu_acl_leaf *leaf = adu_acl_leaf_at(s->acl, told);
    const struct adu_acl_entry *entries = leaf->entries;
    s->deny = find_entry(s, entries, leaf->denies);
    if (s->deny != NULL) {
        return false;
    }
    entries += leaf->denies;
    if (s->watched == NULL) {
        s->watched = find_entry(s, entries, leaf->watched);
    }
    entries += leaf->watched;
    if (s->allow == NULL) {
        s->allow = find_entry(s, entries, leaf->allows);
    }
    return true;
}

/* --- saying no --- */

static void list_roles(const struct adu_acl *acl, const struct adu_roles *roles, char *buffer,
                       size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < acl->role_count && used < size; i++) {
        if (adu_roles_has(roles, (int)i)) {
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     acl->role_names[i]);
        }
    }
}

static enum adu_verdict refuse_silence(const struct adu_acl *acl, const struct adu_request *request,
                                       struct adu_reason *why)
{
    list_roles(acl, &request->subject->roles, why->detail, sizeof why->detail);
    if (why->detail[0] == '\0') {
        why->text = "the client has no roles, so nothing is granted to it";
    } else if (request->action == ADU_SUBSCRIBE) {
        why->text = "no one rule grants all that this filter can match to its roles";
    } else {
        why->text = "no rule grants it to its roles";
    }
    why->watched = adu_roles_overlap(&acl->watched_roles, &request->subject->roles);
    return ADU_DENY;
}

static enum adu_verdict refuse_denied(const struct adu_acl_rule *rule, struct adu_reason *why)
{
    why->text = rule->name != NULL ? "denied by the rule" : "denied by a rule";
    why->rule = &rule->place;
    why->rule_name = rule->name;
    snprintf(why->detail, sizeof why->detail, "%s", rule->name != NULL ? rule->name : "");
    return ADU_DENY;
}

/* For a SUBSCRIBE a pattern must contain the whole filter: a deny that meets only part of it is
 * enforced on each delivery. A member of a share group who may receive nothing of it is not let
 * in: the broker gives each message to one member and only then asks, so the others would lose
 * what he is given. */
enum adu_verdict adu_acl_decide(const struct adu_acl *acl, const struct adu_request *request,
                                struct adu_reason *why)
{
    const unsigned action = 1u << request->action;
    struct search s = {
        .acl = acl, .request = request, .why = why, .allowed_by = action, .denied_by = action};
    if (request->action == ADU_SUBSCRIBE && request->group.length > 0) {
        s.denied_by |= 1u << ADU_RECEIVE;
    }
    if (request->action == ADU_SUBSCRIBE) {
        adu_topic_trie_contain(acl->patterns, request->topic, request->subject->values,
                               look_at_leaf, &s);
    } else {
        adu_topic_trie_match(acl->patterns, request->topic, request->subject->values, look_at_leaf,
                             &s);
    }
    if (s.deny != NULL) {
        return refuse_denied(&acl->rules[s.deny->rule], why);
    }
    if (s.allow == NULL) {
        return refuse_silence(acl, request, why);
    }
    if (s.watched != NULL) {
        why->watched = true;
        return refuse_denied(&acl->rules[s.watched->rule], why);
    }
    return ADU_ALLOW;
}
