#include "cli/explain_tell.h"
#include "cli/source.h"
#include "common/audit.h"
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MOST = 512, PATTERN_MOST = 256, RULES_SHOWN = 20 };

/* All that there is to tell. */
struct account {
    enum adu_verdict verdict;
    bool watched;
    char reason[REASON_MOST];
    const struct adu_place *by;
    const struct adu_principal *client;
    GArray *rules;     /* of struct adu_rule_told, whose texts are ours */
    GPtrArray *advice; /* of char * */
};

/* --- gathering --- */

struct sinks {
    GArray *rules;
    GPtrArray *advice;
};

static void take_rule(void *context, const struct adu_rule_told *rule)
{
    struct adu_rule_told kept = *rule;
    kept.not_by = rule->not_by != NULL ? g_strdup(rule->not_by) : NULL;
    g_array_append_vals(((struct sinks *)context)->rules, &kept, 1);
}

static void free_rule(void *rule)
{
    g_free((void *)((struct adu_rule_told *)rule)->not_by);
}

static void take_advice(void *context, const char *sentence)
{
    g_ptr_array_add(((struct sinks *)context)->advice, g_strdup(sentence));
}

/* Those with a say first, each part in the order of the files. */
static int order(const void *one, const void *other)
{
    const struct adu_rule_told *a = one, *b = other;
    if ((a->not_by == NULL) != (b->not_by == NULL)) {
        return a->not_by == NULL ? -1 : 1;
    }
    const int by_file = strcmp(a->place->file, b->place->file);
    return by_file != 0                           ? by_file
           : a->place->line != b->place->line     ? (a->place->line < b->place->line ? -1 : 1)
           : a->place->column != b->place->column ? (a->place->column < b->place->column ? -1 : 1)
                                                  : g_strcmp0(a->role, b->role);
}

/* false when memory is gone. */
static bool gather(struct account *account, const struct adu_explain_subject *s)
{
    struct adu_reason why = ADU_REASON_INIT;
    struct sinks sinks = {.rules = account->rules, .advice = account->advice};
    const struct adu_explainer to = {.rule = take_rule, .advice = take_advice, .context = &sinks};
    const struct adu_principal *client = adu_inquiry_client(s->inquiry, s->client, s->now, &to);
    account->client = client;
    if (client == NULL) {
        return false;
    }
    account->verdict = !client->valid                                         ? ADU_DENY
                       : adu_policy_broker_authenticates(s->policy->presence) ? ADU_ABSTAIN
                                                                              : ADU_ALLOW;
    snprintf(account->reason, sizeof account->reason, "%s", client->why);
    if (s->question != NULL && client->valid) {
        g_array_set_size(account->rules, 0);
        account->verdict = adu_inquiry_ask(s->inquiry, s->question, s->now, &why);
        account->watched = account->verdict != ADU_DENY && why.text != NULL;
        account->by = why.rule;
        adu_inquiry_explain(s->inquiry, s->question, s->now, &to);
    }
    if (why.text != NULL) {
        adu_audit_reason(&why, account->reason, sizeof account->reason);
    }
    g_array_sort(account->rules, order);
    return true;
}

static const char *verdict_text(const struct account *account)
{
    return account->verdict == ADU_DENY      ? "refused"
           : account->verdict == ADU_ABSTAIN ? "left to the broker"
                                             : "allowed";
}

/* --- for people --- */

static void show_client(const struct adu_principal *client, const struct adu_policy *policy)
{
    const struct adu_attributes *attributes = &client->subject.attributes;
    char name[ADU_AUDIT_NAME];
    printf("\nclient %s", adu_audit_name(adu_principal_client_id(client), name));
    printf(", user name %s\n", adu_audit_name(client->username, name));
    printf("  roles:");
    int shown = 0;
    for (size_t role = 0; role < adu_vocabulary_roles(policy->vocabulary); role++) {
        if (adu_roles_has(&client->subject.roles, (int)role)) {
            printf("%s %s", shown++ > 0 ? "," : "",
                   adu_vocabulary_role_name(policy->vocabulary, role));
        }
    }
    printf("%s\n", shown == 0 ? " none" : "");
    for (size_t i = 0; i < attributes->count; i++) {
        printf("  %s: %s\n", attributes->items[i].name,
               adu_audit_name(attributes->items[i].value, name));
    }
}

static void show_rules(const struct account *account, const struct adu_explain_manner *manner)
{
    struct adu_source source = {0};
    char pattern[PATTERN_MOST];
    const guint most = manner->all ? account->rules->len : MIN(account->rules->len, RULES_SHOWN);
    printf("\n%s%s\n", account->client->valid ? "rules that match" : "identities",
           account->rules->len == 0 ? ": none" : "");
    for (guint i = 0; i < most; i++) {
        const struct adu_rule_told *rule = &g_array_index(account->rules, struct adu_rule_told, i);
        adu_source_string(&source, manner->directory, rule->place, pattern, sizeof pattern);
        printf("  %c %s:%u:%u: %s%s%s%s%s", rule->not_by == NULL ? '+' : '-', rule->place->file,
               rule->place->line, rule->place->column, rule->role != NULL ? rule->role : "",
               rule->role != NULL ? " " : "", rule->effect, pattern[0] != '\0' ? " " : "", pattern);
        if (rule->name != NULL) {
            printf(" \"%s\"", rule->name);
        }
        printf("%s%s\n", rule->not_by != NULL ? ": " : "",
               rule->not_by != NULL ? rule->not_by : "");
    }
    if (most < account->rules->len) {
        printf("  and %u more (--all)\n", account->rules->len - most);
    }
    adu_source_clear(&source);
}

static void show_left_out(void *context, const char *name, const char *without)
{
    bool *first = context;
    printf("%s  %s: %s\n", *first ? "\nleft out\n" : "", name, without);
    *first = false;
}

static void show(const struct account *account, const struct adu_explain_manner *manner,
                 const struct adu_explain_subject *s)
{
    printf("%s%s%s%s\n", verdict_text(account),
           account->watched ? ", but only because it is watched" : "",
           account->reason[0] != '\0' ? ": " : "", account->reason);
    if (account->client->valid) {
        show_client(account->client, s->policy);
    }
    if (s->question != NULL || !account->client->valid) {
        show_rules(account, manner);
    }
    bool first = true;
    adu_policy_left_out(s->policy, show_left_out, &first);
    for (guint i = 0; i < account->advice->len; i++) {
        printf("%s  %s\n", i == 0 ? "\nto allow it, one of\n" : "",
               (const char *)g_ptr_array_index(account->advice, i));
    }
}

/* --- for programs --- */

static json_t *place_json(const struct adu_place *place)
{
    return place == NULL || place->file == NULL
               ? json_null()
               : json_pack("{s:s, s:i, s:i}", "file", place->file, "line", (int)place->line,
                           "column", (int)place->column);
}

static json_t *attributes_json(const struct adu_attributes *attributes)
{
    json_t *object = json_object();
    for (size_t i = 0; i < attributes->count; i++) {
        json_t *values = json_object_get(object, attributes->items[i].name);
        if (values == NULL) {
            values = json_array();
            json_object_set_new(object, attributes->items[i].name, values);
        }
        json_array_append_new(values, json_string(attributes->items[i].value));
    }
    return object;
}

static json_t *roles_json(const struct adu_principal *client, const struct adu_policy *policy)
{
    json_t *roles = json_array();
    for (size_t role = 0; role < adu_vocabulary_roles(policy->vocabulary); role++) {
        if (adu_roles_has(&client->subject.roles, (int)role)) {
            json_array_append_new(roles,
                                  json_string(adu_vocabulary_role_name(policy->vocabulary, role)));
        }
    }
    return roles;
}

static json_t *rules_json(const struct account *account, const struct adu_explain_manner *manner)
{
    struct adu_source source = {0};
    char pattern[PATTERN_MOST];
    json_t *rules = json_array();
    for (guint i = 0; i < account->rules->len; i++) {
        const struct adu_rule_told *rule = &g_array_index(account->rules, struct adu_rule_told, i);
        json_array_append_new(rules,
                              json_pack("{s:o, s:s?, s:s?, s:s?, s:s, s:b, s:s?}", "place",
                                        place_json(rule->place), "name", rule->name, "role",
                                        rule->role, "effect", rule->effect, "pattern",
                                        adu_source_string(&source, manner->directory, rule->place,
                                                          pattern, sizeof pattern),
                                        "applies", rule->not_by == NULL, "why_not", rule->not_by));
    }
    adu_source_clear(&source);
    return rules;
}

static void add_left_out(void *context, const char *name, const char *without)
{
    json_object_set_new(context, name, json_string(without));
}

static void show_json(const struct account *account, const struct adu_explain_manner *manner,
                      const struct adu_explain_subject *s)
{
    const struct adu_principal *client = account->client;
    json_t *advice = json_array(), *left_out = json_object();
    adu_policy_left_out(s->policy, add_left_out, left_out);
    for (guint i = 0; i < account->advice->len; i++) {
        json_array_append_new(advice, json_string(g_ptr_array_index(account->advice, i)));
    }
    json_t *all = json_pack(
        "{s:s, s:s?, s:b, s:o, s:s, s:s?, s:o, s:o, s:o, s:o, s:o}", "verdict",
        verdict_text(account), "reason", account->reason[0] != '\0' ? account->reason : NULL,
        "watched", account->watched, "rule", place_json(account->by), "client_id",
        adu_principal_client_id(client), "username", client->username, "roles",
        roles_json(client, s->policy), "attributes", attributes_json(&client->subject.attributes),
        "rules", rules_json(account, manner), "advice", advice, "left_out", left_out);
    json_dumpf(all, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(all);
}

bool adu_explain_tell(const struct adu_explain_manner *manner,
                      const struct adu_explain_subject *subject)
{
    struct account account = {
        .verdict = ADU_DENY,
        .rules = g_array_new(FALSE, FALSE, sizeof(struct adu_rule_told)),
        .advice = g_ptr_array_new_with_free_func(g_free),
    };
    g_array_set_clear_func(account.rules, free_rule);
    if (!gather(&account, subject)) {
        fprintf(stderr, "aduana: out of memory\n");
    } else if (manner->json) {
        show_json(&account, manner, subject);
    } else {
        show(&account, manner, subject);
    }
    g_array_free(account.rules, TRUE);
    g_ptr_array_free(account.advice, TRUE);
    return account.verdict != ADU_DENY;
}
