/* Users of a directory: OpenLDAP, Active Directory, 389 Directory Server. */
#include "common/reader.h"
#include "plugins/iam_auth/ldap_dial.h"
#include "plugins/iam_auth/ldap_library.h"
#include "plugins/iam_auth/ldap_lookup.h"
#include "plugins/iam_auth/ldap_servers.h"
#include "plugins/iam_auth/provider.h"
#include <stdio.h>
#include <string.h>

static void release(void *thing)
{
    adu_ldap_servers_put(thing);
}

static const void *compile(struct adu_compiler *c, const struct adu_json *settings)
{
    const char *why;
    if (adu_ldap_library(&why) == NULL) {
        adu_json_error(settings, c->error, "%s", why);
        return NULL;
    }
    struct adu_ldap_policy *policy = adu_ldap_policy_compile(c, settings);
    if (policy == NULL) {
        return NULL;
    }
    policy->servers = adu_ldap_servers_get(&policy->link);
    if (policy->servers == NULL || !adu_arena_at_free(c->arena, release, policy->servers)) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    return policy;
}

/* Of the CA file and the service account, whose texts are not in the settings. */
static uint32_t stamp(const void *settings)
{
    const struct adu_ldap_policy *policy = settings;
    uint32_t number;
    memcpy(&number, policy->link.digest, sizeof number);
    return number;
}

/* --- one question to one server --- */

struct question {
    const struct adu_ldap_policy *policy;
    const char *username, *password;
    int64_t wall_ms, deadline_ms;
    struct adu_answer *answer;
    size_t server;
    bool kept; /* a connection was in use that the server may have left in the meantime */
    struct adu_ldap_result result;
};

/* What the log hears; the answer is final for this server. */
static bool conclude(struct question *q, enum adu_outcome outcome, const char *why)
{
    q->answer->outcome = outcome;
    snprintf(q->answer->why, sizeof q->answer->why, "%s", why);
    return true;
}

static struct adu_ldap_connection *take(struct question *q, enum adu_ldap_use use)
{
    bool kept;
    struct adu_ldap_connection *connection = adu_ldap_servers_take(
        q->policy->servers, q->server, use, q->deadline_ms, &kept, &q->result);
    q->kept = q->kept || kept;
    if (connection == NULL || kept || use != ADU_LDAP_TO_SEARCH ||
        q->policy->link.bind_dn == NULL) {
        return connection;
    }
    adu_ldap_bind(connection, q->policy->link.bind_dn, q->policy->link.bind_password,
                  q->deadline_ms, &q->result);
    if (q->result.status == ADU_LDAP_DONE) {
        return connection;
    }
    if (q->result.status == ADU_LDAP_REFUSED) {
        char why[ADU_LDAP_WHY];
        memcpy(why, q->result.why, sizeof why);
        snprintf(q->result.why, sizeof q->result.why, "the service account is refused: %.120s",
                 why);
        q->result.status = ADU_LDAP_LOST;
    }
    adu_ldap_close(connection);
    return NULL;
}

static void give(const struct question *q, enum adu_ldap_use use,
                 struct adu_ldap_connection *connection)
{
    adu_ldap_servers_give(q->policy->servers, q->server, use, connection);
}

/* True if the question goes on: the secret is right, or none was asked about. */
static bool bind_is_good(struct question *q, struct adu_ldap_connection *connection, const char *dn)
{
    adu_ldap_bind(connection, dn, q->password, q->deadline_ms, &q->result);
    if (q->result.status == ADU_LDAP_LOST) {
        return false;
    }
    if (q->result.barred != NULL) {
        conclude(q, ADU_OUTCOME_BARRED, q->result.barred);
    } else if (q->result.unknown) {
        conclude(q, ADU_OUTCOME_UNKNOWN, "the directory knows no such user");
    } else if (q->result.status != ADU_LDAP_DONE) {
        conclude(q, ADU_OUTCOME_WRONG, "the directory takes the password for wrong");
    } else {
        return true;
    }
    return false;
}

/* True if there is one entry, of a user who may log in. What is wrong with one entry bars its user:
 * were it called unavailable, one odd entry could look like a directory that is down. */
static bool entry_is_good(struct question *q, struct adu_ldap_connection *connection,
                          struct adu_ldap_found *found)
{
    adu_ldap_find_user(connection, q->username, q->password == NULL, q->deadline_ms, found,
                       &q->result);
    if (q->result.status == ADU_LDAP_LOST) {
        return false;
    }
    const bool direct = q->policy->user.direct;
    if (found->problem[0] != '\0') {
        conclude(q, ADU_OUTCOME_BARRED, found->problem);
    } else if (q->result.status == ADU_LDAP_STOPPED) {
        conclude(q, ADU_OUTCOME_BARRED, "more than one entry of the directory fits the user name");
    } else if (q->result.status == ADU_LDAP_REFUSED && !direct) {
        conclude(q, ADU_OUTCOME_UNAVAILABLE, "the directory has no user.base");
    } else if (found->dn == NULL) {
        conclude(q, ADU_OUTCOME_UNKNOWN, "the directory knows no such user");
    } else if (found->names != 1) {
        char why[ADU_LDAP_WHY];
        snprintf(why, sizeof why, "the user's entry has %s %s",
                 found->names == 0 ? "no" : "more than one", q->policy->user.name);
        conclude(q, ADU_OUTCOME_BARRED, why);
    } else if (found->barred != NULL) {
        conclude(q, ADU_OUTCOME_BARRED, found->barred);
    } else {
        return true;
    }
    return false;
}

static void take_groups(struct question *q, struct adu_ldap_connection *connection,
                        struct adu_ldap_found *found)
{
    adu_ldap_find_groups(connection, q->deadline_ms, found, &q->result);
    if (q->result.status == ADU_LDAP_REFUSED) {
        conclude(q, ADU_OUTCOME_UNAVAILABLE, "the directory has no groups.base");
    } else if (q->result.status == ADU_LDAP_STOPPED) {
        conclude(q, ADU_OUTCOME_BARRED, found->problem);
    } else if (q->result.status == ADU_LDAP_DONE) {
        conclude(q, ADU_OUTCOME_VERIFIED, "");
        snprintf(q->answer->username, sizeof q->answer->username, "%s", found->name);
        q->answer->attributes = found->attributes;
        found->attributes = (struct adu_attributes){0};
    }
}

/* Looks him up as the service account, and binds as him on another connection. */
static void search_then_bind(struct question *q, struct adu_ldap_found *found)
{
    struct adu_ldap_connection *search = take(q, ADU_LDAP_TO_SEARCH), *bind = NULL;
    if (search != NULL && entry_is_good(q, search, found) &&
        (q->password == NULL ||
         ((bind = take(q, ADU_LDAP_TO_BIND)) != NULL && bind_is_good(q, bind, found->dn)))) {
        take_groups(q, search, found);
    }
    give(q, ADU_LDAP_TO_BIND, bind);
    give(q, ADU_LDAP_TO_SEARCH, search);
}

/* Binds as the name that the policy makes of the user's, then looks him up as the service account.
 */
static void bind_directly(struct question *q, struct adu_ldap_found *found)
{
    char dn[ADU_LDAP_DN_TEXT];
    struct adu_ldap_connection *bind = NULL, *search = NULL;
    if (!adu_ldap_user_dn(q->policy, q->username, dn, sizeof dn)) {
        conclude(q, ADU_OUTCOME_UNKNOWN, "the user name is too long for a name");
        return;
    }
    if ((q->password == NULL ||
         ((bind = take(q, ADU_LDAP_TO_BIND)) != NULL && bind_is_good(q, bind, dn))) &&
        (search = take(q, ADU_LDAP_TO_SEARCH)) != NULL && entry_is_good(q, search, found)) {
        take_groups(q, search, found);
    }
    give(q, ADU_LDAP_TO_BIND, bind);
    give(q, ADU_LDAP_TO_SEARCH, search);
}

/* False if there was no answer. */
static bool ask_server(struct question *q)
{
    struct adu_ldap_found found = {.policy = q->policy, .wall_ms = q->wall_ms};
    q->kept = false;
    q->result = (struct adu_ldap_result){.status = ADU_LDAP_DONE};
    if (q->policy->user.direct) {
        bind_directly(q, &found);
    } else {
        search_then_bind(q, &found);
    }
    adu_ldap_found_clear(&found);
    return q->result.status != ADU_LDAP_LOST;
}

/* --- a question to the directory --- */

static void ask(const void *settings, const char *username, const char *password, int64_t wall_ms,
                struct adu_answer *answer)
{
    const struct adu_ldap_policy *policy = settings;
    size_t order[ADU_LDAP_SERVERS_MOST];
    struct question q = {
        .policy = policy,
        .username = username,
        .password = password,
        .wall_ms = wall_ms,
        .deadline_ms = adu_ldap_now_ms() + policy->link.total_ms,
        .answer = answer,
    };
    if (password != NULL && password[0] == '\0') {
        conclude(&q, ADU_OUTCOME_WRONG, "an empty password is nobody's");
        return;
    }
    if (username[0] == '\0' || strlen(username) > ADU_USERNAME_MOST) {
        conclude(&q, ADU_OUTCOME_UNKNOWN, "the user name is empty or too long");
        return;
    }
    const size_t count = adu_ldap_servers_order(policy->servers, order);
    bool answered = false;
    for (size_t i = 0; !answered && i < count && adu_ldap_now_ms() < q.deadline_ms; i++) {
        q.server = order[i];
        answered = ask_server(&q);
        if (!answered && q.kept && !q.result.late) { /* it had only ended an old connection */
            adu_ldap_servers_drop(policy->servers, q.server);
            answered = ask_server(&q);
        }
        adu_ldap_servers_tell(policy->servers, q.server, answered);
    }
    if (!answered) {
        conclude(&q, ADU_OUTCOME_UNAVAILABLE,
                 q.result.why[0] != '\0' ? q.result.why : "no server answered in time");
    }
}

/* --- what an answer means --- */

static bool add_group_roles(const struct adu_ldap_policy *policy, const char *group,
                            struct adu_login *login)
{
    for (size_t i = 0; i < policy->groups.count; i++) {
        if (strcmp(policy->groups.roles[i].group, group) == 0) {
            return adu_login_add_roles(login, policy->groups.roles[i].roles);
        }
    }
    return true;
}

static enum adu_verdict describe(const void *settings, const struct adu_answer *answer,
                                 struct adu_login *login)
{
    const struct adu_ldap_policy *policy = settings;
    bool good = adu_login_add_roles(login, policy->user.roles) &&
                adu_attributes_add_all(&login->attributes, &answer->attributes);
    for (size_t i = 0; good && i < answer->attributes.count; i++) {
        if (strcmp(answer->attributes.items[i].name, ADU_LDAP_GROUP_ATTRIBUTE) == 0) {
            good = add_group_roles(policy, answer->attributes.items[i].value, login);
        }
    }
    return good ? ADU_ALLOW : ADU_ERROR;
}

const struct adu_provider adu_provider_ldap = {
    .name = "ldap",
    .compile = compile,
    .stamp = stamp,
    .waits = true,
    .rechecks = true,
    .ask = ask,
    .describe = describe,
};
