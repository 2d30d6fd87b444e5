#include "plugins/acl/acl.h"
#include "plugins/acl/acl_rules.h"
#include <stdio.h>
#include <string.h>

bool adu_acl_bind(const struct adu_acl *acl, const struct adu_attributes *attributes,
                  struct adu_login *login)
{
    for (size_t i = 0; i < acl->binding_count; i++) {
        if (adu_match_holds(acl->bindings[i].match, attributes, NULL) &&
            !adu_login_add_roles(login, acl->bindings[i].roles)) {
            return false;
        }
    }
    return true;
}

/* The first rule that is about the request: for a SUBSCRIBE the pattern must contain the whole
 * filter. (A deny that meets only part of it is enforced on each delivery.) */
static const struct adu_acl_rule *find_rule(const struct adu_acl_rules *rules,
                                            const struct adu_request *request)
{
    const unsigned action = 1u << request->action;
    for (size_t i = 0; i < rules->count; i++) {
        const struct adu_acl_rule *rule = &rules->rules[i];
        if ((rule->actions & action) != 0 &&
            (request->action == ADU_SUBSCRIBE
                 ? adu_topic_pattern_contains(rule->pattern, request->topic,
                                              request->subject->values)
                 : adu_topic_pattern_matches(rule->pattern, request->topic,
                                             request->subject->values))) {
            return rule;
        }
    }
    return NULL;
}

static void list_roles(const struct adu_acl *acl, const struct adu_roles *roles, char *buffer,
                       size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < acl->role_count && used < size; i++) {
        if (adu_roles_has(roles, (int)i)) {
            used += (size_t)snprintf(buffer + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     acl->roles[i].name);
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
    return ADU_DENY;
}

static enum adu_verdict refuse_denied(const struct adu_acl_rule *rule, struct adu_reason *why)
{
    why->text = rule->name != NULL ? "denied by the rule" : "denied by a rule";
    why->rule = adu_topic_pattern_place(rule->pattern);
    snprintf(why->detail, sizeof why->detail, "%s", rule->name != NULL ? rule->name : "");
    return ADU_DENY;
}

enum adu_verdict adu_acl_decide(const struct adu_acl *acl, const struct adu_request *request,
                                struct adu_reason *why)
{
    bool granted = false;
    for (size_t i = 0; i < acl->role_count; i++) {
        if (!adu_roles_has(&request->subject->roles, (int)i)) {
            continue;
        }
        const struct adu_acl_rule *deny = find_rule(&acl->roles[i].deny, request);
        if (deny != NULL) {
            return refuse_denied(deny, why);
        }
        granted = granted || find_rule(&acl->roles[i].allow, request) != NULL;
    }
    return granted ? ADU_ALLOW : refuse_silence(acl, request, why);
}
