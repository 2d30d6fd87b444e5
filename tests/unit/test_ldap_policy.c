/* The settings of a directory: what is taken, what is refused and how it is said, and what an
 * answer means under them. */
#include "asker.h"
#include "fixture.h"
#include "plugins/iam_auth/ldap_policy.h"
#include "plugins/iam_auth/ldap_servers.h"
#include "provider_snippet.h"
#include <sys/stat.h>

static void setup(void)
{
    folder_make(&folder);
    folder_copy(&folder, ADU_TEST_DATA "/../corpus/plant");
    folder_write(&folder, "clave", "secreto\n");
    ck_assert_int_eq(chmod(folder_file(&folder, "clave"), 0640), 0);
}

static void teardown(void)
{
    folder_remove(&folder);
}

/* See provider_snippet.h. */
static const struct adu_ldap_policy *policy_of(const char *json)
{
    return provider_settings(&adu_provider_ldap, json);
}

#define LINK   "'servers': ['ldaps://ldap.planta'], 'ca_file': 'root.pem'"
#define BOUND  LINK ", 'bind_dn': 'cn=x', 'bind_password_file': 'clave'"
#define SEARCH "'user': {'base': 'ou=personas,dc=planta', 'filter': '(uid=${username})'}"
#define USER(keys)                                                                                 \
    "{" LINK ", 'user': {'base': 'ou=personas,dc=planta', 'filter': '(uid=${username})', " keys "}}"
#define GROUPS(keys) "{" LINK ", " SEARCH ", 'groups': {'base': 'ou=grupos,dc=planta', " keys "}}"

static const struct {
    const char *json, *error;
} refused[] = {
    {"{}", "the key \"servers\" is missing"},
    {"{'servers': ['ldaps://a'], " SEARCH "}", "the key \"ca_file\" is missing"},
    {"{" LINK "}", "the key \"user\" is missing"},
    {"{'servers': [], 'ca_file': 'root.pem', " SEARCH "}", "servers: at least one server"},
    {"{'servers': ['ldap.planta'], 'ca_file': 'root.pem', " SEARCH "}",
     "servers[0]: expected ldaps://<host>[:<port>], or ldap://"},
    {"{'servers': ['ldaps://a/dc=planta'], 'ca_file': 'root.pem', " SEARCH "}", "servers[0]: exp"},
    {"{'servers': ['ldap://1','ldap://2','ldap://3','ldap://4','ldap://5','ldap://6','ldap://7',"
     "'ldap://8','ldap://9'], 'ca_file': 'root.pem', " SEARCH "}",
     "servers[8]: at most 8 servers"},
    {"{'servers': ['ldaps://a'], 'ca_file': 'no.pem', " SEARCH "}", "no.pem: cannot be read"},
    {"{'servers': ['ldaps://a'], 'ca_file': 'passwd', " SEARCH "}",
     "passwd: holds no certificate of an authority (PEM)"},
    {"{" LINK ", 'bind_dn': 'cn=x', " SEARCH "}", "need each other"},
    {"{" LINK ", 'bind_password_file': 'clave', " SEARCH "}", "need each other"},
    {"{" LINK ", 'bind_dn': 'cn=x', 'bind_password_file': 'no', " SEARCH "}", "no: cannot be read"},
    {"{" LINK ", 'bind_dn': 'cn=x', 'bind_password_file': 'abierta', " SEARCH "}",
     "abierta: anybody may read it (mode 0644); use chmod o-r"},
    {"{" LINK ", 'bind_dn': 'cn=x', 'bind_password_file': 'vacia', " SEARCH "}",
     "vacia: expected one line, the password"},
    {"{" LINK ", 'bind_dn': 'cn=x', 'bind_password_file': 'dos', " SEARCH "}",
     "dos: expected one line, the password"},
    {"{" LINK ", 'connect_timeout_ms': 99, " SEARCH "}", "connect_timeout_ms"},
    {"{" LINK ", 'total_timeout_ms': 60001, " SEARCH "}", "total_timeout_ms"},
    {"{" LINK ", 'starttls': 'never', " SEARCH "}", "starttls: unknown key"},
    {"{" LINK ", 'user': {}}", "user: the key \"base\" is missing"},
    {"{" LINK ", 'user': {'base': 'ou=x'}}", "user: the key \"filter\" is missing"},
    {"{" LINK ", 'user': {'base': 'personas', 'filter': '(uid=${username})'}}",
     "user.base: expected a distinguished name"},
    {"{" LINK ", 'user': {'base': 'ou=x', 'filter': '(uid=ana)'}}",
     "user.filter: ${username} is missing"},
    {"{" LINK ", 'user': {'base': 'ou=x', 'filter': 'uid=${username}'}}",
     "user.filter: expected a filter in parentheses"},
    {"{" LINK ", 'user': {'base': 'ou=x', 'filter': '(uid=${username}'}}",
     "user.filter: a parenthesis is missing"},
    {"{" LINK ", 'user': {'base': 'ou=x', 'filter': '(uid=${username})(${user})'}}",
     "${user} is not known here"},
    {"{" LINK ", 'user': {'bind': 'direct', 'base': 'ou=x'}}",
     "user.bind: \"direct\" needs \"bind_dn\""},
    {"{" BOUND ", 'user': {'bind': 'direct'}}", "user: the key \"base\" is missing"},
    {"{" BOUND ", 'user': {'bind': 'sasl', 'base': 'ou=x'}}", "user.bind: expected one of"},
    {USER("'scope': 'base'"), "user.scope: expected one of \"subtree\", \"one\""},
    {USER("'name': 'u id'"), "user.name: expected the name of an attribute"},
    {USER("'attributes': ['l', 'L']"), "user.attributes[1]: \"L\" is named twice"},
    {USER("'attributes': ['cn;lang-es']"), "user.attributes[0]: expected the name of an attribute"},
    {USER("'attributes': ['group']"), "ldap.group holds the groups' names"},
    {USER("'attributes': 'l'"), "user.attributes: expected an array"},
    {USER("'roles': [1]"), "user.roles[0]: expected a string"},
    {GROUPS("'lookup': 'member'"), "groups: the key \"roles\" is missing"},
    {GROUPS("'roles': [], 'lookup': 'member'"), "groups.roles: expected an object"},
    {GROUPS("'roles': {}, 'lookup': 'members'"), "groups.lookup: expected one of"},
    {GROUPS("'roles': {}, 'filter': 'cn=x'"), "groups.filter: expected a filter in parentheses"},
    {GROUPS("'roles': {}, 'nested_depth': 33"), "groups.nested_depth"},
    {GROUPS("'roles': {}, 'nested_depth': 1, 'lookup': 'in_chain'"),
     "groups.nested_depth: has no meaning with \"in_chain\""},
    {GROUPS("'roles': {}, 'nested_depth': 1, 'lookup': 'memberUid'"), "has no meaning with"},
    {GROUPS("'roles': {}, 'filter': '(cn=x)', 'lookup': 'memberOf'"),
     "groups.filter: has no meaning with \"memberOf\""},
    {GROUPS("'roles': {'a': 'b'}"), "groups.roles.a: expected an array"},
};

START_TEST(settings_refused)
{
    folder_write(&folder, "abierta", "secreto");
    folder_write(&folder, "vacia", "\n");
    folder_write(&folder, "dos", "secreto\notro\n");
    ck_assert_int_eq(chmod(folder_file(&folder, "vacia"), 0600), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "dos"), 0600), 0);
    ck_assert_msg(policy_of(refused[_i].json) == NULL, "taken: %s", refused[_i].json);
    ck_assert_msg(strstr(snippet_error(&snippet), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].json, snippet.text);
    ck_assert_ptr_null(strstr(snippet.text, "secreto"));
    snippet_close(&snippet);
}
END_TEST

START_TEST(settings_taken)
{
    const struct adu_ldap_policy *p =
        policy_of("{'servers': ['ldaps://a', 'ldap://b:1389'], 'ca_file': 'root.pem', 'bind_dn': "
                  "'cn=x', 'bind_password_file': 'clave', 'user': {'base': 'ou=p', 'filter': "
                  "'(uid=${username})', 'attributes': ['l'], 'scope': 'one'}, 'groups': {'base': "
                  "'ou=g', 'nested_depth': 3, 'roles': {'a b': ['r', 's'], 'c': []}}}");
    ck_assert_msg(p != NULL, "%s", snippet_error(&snippet));
    ck_assert_uint_eq(p->link.count, 2);
    ck_assert_str_eq(p->link.bind_password, "secreto");
    ck_assert_int_eq(p->link.connect_ms, 3000);
    ck_assert_str_eq(p->user.name, "uid");
    ck_assert_str_eq(p->user.session_names[0], "ldap.l");
    ck_assert_int_eq(p->user.scope, ADU_LDAP_ONE);
    ck_assert_int_eq(p->groups.nested_depth, 3);
    ck_assert_uint_eq(p->groups.count, 2);
    snippet_close(&snippet);
}
END_TEST

/* Generations with the same link share its connections; a new password or certificate is another.
 */
START_TEST(links_shared)
{
    static const char json[] =
        "{" LINK ", 'bind_dn': 'cn=x', 'bind_password_file': 'clave', " SEARCH "}";
    const struct adu_ldap_policy *first = policy_of(json);
    struct snippet held = snippet;
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(policy_of(json)->servers, first->servers);
    snippet_close(&snippet);
    folder_write(&folder, "clave", "nueva\n");
    ck_assert_int_eq(chmod(folder_file(&folder, "clave"), 0640), 0);
    ck_assert_ptr_ne(policy_of(json)->servers, first->servers);
    snippet_close(&snippet);
    snippet_close(&held);
}
END_TEST

/* --- what an answer means --- */

static const char *described(const struct adu_ldap_policy *policy, const char *const *groups)
{
    static char said[4096];
    struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED};
    struct adu_login login = {.why = ADU_REASON_INIT};
    for (; *groups != NULL; groups++) {
        ck_assert(adu_attributes_add(&answer.attributes, "ldap.group", *groups));
    }
    ck_assert_int_eq(adu_provider_ldap.describe(policy, &answer, &login), ADU_ALLOW);
    snprintf(said, sizeof said, "%s", login_text(&login, snippet.vocabulary) + 1);
    adu_attributes_clear(&login.attributes);
    adu_answer_clear(&answer);
    return said;
}

START_TEST(groups_give_roles)
{
    const struct adu_ldap_policy *p = policy_of(
        "{" LINK ", 'user': {'base': 'ou=p', 'filter': '(uid=${username})', 'roles': "
        "['todos']}, 'groups': {'base': 'ou=g', 'roles': {'a': ['r', 's'], 'b': ['t']}}}");
    ck_assert_msg(p != NULL, "%s", snippet_error(&snippet));
    ck_assert_str_eq(described(p, (const char *const[]){NULL}), "[todos]");
    ck_assert_str_eq(described(p, (const char *const[]){"a", NULL}), "[todos,r,s] ldap.group=a");
    ck_assert_str_eq(described(p, (const char *const[]){"b", "x", NULL}),
                     "[todos,t] ldap.group=b ldap.group=x");
    ck_assert_str_eq(described(p, (const char *const[]){"A", "cn=a,ou=g", NULL}),
                     "[todos] ldap.group=A ldap.group=cn=a,ou=g");
    snippet_close(&snippet);
}
END_TEST

START_TEST(nothing_is_asked_in_vain)
{
    char long_name[ADU_USERNAME_MOST + 2];
    const struct adu_ldap_policy *p = policy_of("{" LINK ", " SEARCH "}");
    ck_assert_msg(p != NULL, "%s", snippet_error(&snippet));
    struct adu_answer answer = {0};
    adu_provider_ldap.ask(p, "ana", "", 0, &answer);
    ck_assert_int_eq(answer.outcome, ADU_OUTCOME_WRONG);
    adu_provider_ldap.ask(p, "", "x", 0, &answer);
    ck_assert_int_eq(answer.outcome, ADU_OUTCOME_UNKNOWN);
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    adu_provider_ldap.ask(p, long_name, "x", 0, &answer);
    ck_assert_int_eq(answer.outcome, ADU_OUTCOME_UNKNOWN);
    snippet_close(&snippet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ldap_policy");
    suite_add_fixture(suite, settings_refused, ROWS(refused), setup, teardown);
    suite_add_fixture(suite, settings_taken, 1, setup, teardown);
    suite_add_fixture(suite, links_shared, 1, setup, teardown);
    suite_add_fixture(suite, groups_give_roles, 1, setup, teardown);
    suite_add_fixture(suite, nothing_is_asked_in_vain, 1, setup, teardown);
    return run_suite(suite);
}
