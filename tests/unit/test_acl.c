/* Roles, grants, and the final yes or no. */
#include "asker.h"
#include "plugins/acl/acl.h"

static struct snippet snippet;

static const struct adu_acl *acl_of(const char *json)
{
    snippet_open(&snippet, "acl.json", json);
    const struct adu_acl *acl = adu_acl_compile(&snippet.c, snippet.root);
    ck_assert_msg(acl != NULL, "%s: %s", json, snippet_error(&snippet));
    snippet_compiled(&snippet);
    return acl;
}

/* "p a/b" publish, "s a/#" subscribe, "r a/b" receive: what somebody with those roles is told. */
static bool allowed(const struct adu_acl *acl, const char *question, const char *roles,
                    struct adu_reason *why)
{
    struct asker asker;
    asker_make(&asker, snippet.vocabulary,
               "linea=linea1;barra=a/b;mas=+;resto=#;dolar=$SYS;dos=x;dos=y", roles);
    struct adu_request request = {.action = question[0] == 'p'   ? ADU_PUBLISH
                                            : question[0] == 's' ? ADU_SUBSCRIBE
                                                                 : ADU_RECEIVE,
                                  .subject = &asker.subject};
    ck_assert(adu_topic_unshare(adu_text_of(question + 2), &request.group, &request.topic));
    *why = (struct adu_reason)ADU_REASON_INIT;
    const enum adu_verdict verdict = adu_acl_decide(acl, &request, why);
    asker_free(&asker);
    ck_assert(verdict == ADU_DENY || verdict == ADU_ALLOW); /* it always answers */
    ck_assert_msg(verdict == ADU_ALLOW || why->text != NULL, "refused without a reason");
    return verdict == ADU_ALLOW;
}

/* Rules of one role. */
#define ALLOW(rules)             "'allow': [" rules "]"
#define ALLOW_DENY(rules, denys) "'allow': [" rules "], 'deny': [" denys "]"

static const struct {
    const char *role, *yes[8], *no[8];
} roles[] = {
    /* nothing is granted of itself */
    {"", {NULL}, {"p a", "s a", "r a", "s #", "p $SYS/x"}},
    {"'allow': [], 'deny': []", {NULL}, {"p a", "s a", "r a"}},
    {"'deny': [{'publish': ['b']}]", {NULL}, {"p a", "p b"}},
    /* each action is its own, but who may subscribe may receive */
    {ALLOW("{'publish': ['a']}"), {"p a"}, {"s a", "r a", "p b", "p a/b", "p A", "p a/"}},
    {ALLOW("{'subscribe': ['a']}"), {"s a", "r a"}, {"p a", "s #", "s +", "s a/#"}},
    {ALLOW("{'receive': ['a']}"), {"r a"}, {"p a", "s a"}},
    {ALLOW("{'publish': ['a'], 'subscribe': ['b'], 'receive': ['c']}"),
     {"p a", "s b", "r b", "r c"},
     {"p b", "p c", "s a", "s c", "r a"}},
    {ALLOW("{'publish': ['a', 'b']}, {'publish': ['c'], 'name': 'x'}"),
     {"p a", "p b", "p c"},
     {"p d"}},
    /* wildcards */
    {ALLOW("{'publish': ['a/+/c', 'd/#']}"),
     {"p a/b/c", "p a//c", "p d", "p d/e", "p d/e/f", "p d/"},
     {"p a/c", "p a/b/b/c", "p dd", "p a/b/c/"}},
    {ALLOW("{'subscribe': ['a/+/c', 'd/#']}"),
     {"s a/b/c", "s a/+/c", "s d/#", "s d", "s d/+/x/#", "r d/e"},
     {"s a/#", "s +/b/c", "s #", "s +/#", "s a/b/#", "s a/b/+"}},
    {ALLOW("{'subscribe': ['+']}"), {"s a", "s +", "r a"}, {"s #", "s a/b", "s +/#", "s $SYS"}},
    /* one pattern must grant all: two that together do are not looked for */
    {ALLOW("{'subscribe': ['a', 'a/+/#']}"),
     {"s a", "s a/+/#", "s a/b/#", "r a", "r a/b/c"},
     {"s a/#"}},
    /* a deny wins, wherever it stands */
    {ALLOW_DENY("{'publish': ['a/#']}", "{'publish': ['a/b']}"),
     {"p a", "p a/c", "p a/b/c"},
     {"p a/b"}},
    {ALLOW_DENY("{'publish': ['a/b']}", "{'publish': ['a/#']}"), {NULL}, {"p a/b", "p a"}},
    {ALLOW_DENY("{'publish': ['a'], 'subscribe': ['a']}", "{'publish': ['a']}"),
     {"s a", "r a"},
     {"p a"}},
    {ALLOW_DENY("{'subscribe': ['a/#']}", "{'subscribe': ['a/b']}"),
     {"s a/c", "r a/c", "s a/#", "s a/+"},
     {"s a/b", "r a/b"}},
    /* a deny of part of a filter is enforced on each delivery */
    {ALLOW_DENY("{'subscribe': ['planta/#']}", "{'subscribe': ['planta/+/consigna']}"),
     {"s planta/#", "s planta/+/+", "s planta/linea1/#", "r planta/linea1/temperatura",
      "r planta/consigna", "r planta/a/consigna/b"},
     {"s planta/+/consigna", "s planta/linea1/consigna", "r planta/linea1/consigna",
      "r planta//consigna"}},
    {ALLOW_DENY("{'subscribe': ['a/#']}", "{'receive': ['a/b']}"),
     {"s a/b", "s a/#", "r a/c"}, /* it may wait for it, and gets nothing */
     {"r a/b"}},
    {ALLOW_DENY("{'receive': ['a'], 'publish': ['a']}", "{'subscribe': ['#']}"),
     {"p a"},
     {"r a", "s a", "s #"}},
    {ALLOW_DENY("{'subscribe': ['#']}", "{'subscribe': ['+']}"),
     {"s #", "s +/#", "s a/+", "r a/b"},
     {"s +", "s a", "r a"}},
    /* `$...` is reached only by rules that spell it out, control topics above all */
    {ALLOW("{'publish': ['#'], 'subscribe': ['#']}"),
     {"p a/b", "s #", "s +/#", "s a/#", "r a"},
     {"p $CONTROL/dynamic-security/v1", "s $CONTROL/#", "s $SYS/#", "r $SYS/broker/uptime",
      "p $SYS", "r $x", "s $SYS"}},
    {ALLOW("{'publish': ['+/#', '+/+/+', '+'], 'subscribe': ['+/#', '+/broker/+']}"),
     {"p a/b/c", "s #", "s a"},
     {"p $CONTROL/dynamic-security/v1", "p $CONTROL", "r $SYS/broker/uptime",
      "s $SYS/broker/uptime", "s $SYS/#"}},
    {ALLOW("{'publish': ['$CONTROL/+/v1'], 'subscribe': ['$SYS/#']}"),
     {"p $CONTROL/dynamic-security/v1", "s $SYS/#", "s $SYS/broker/+", "r $SYS/broker/uptime",
      "s $SYS", "r $SYS"},
     {"p $CONTROL/x/v2", "s #", "s +/#", "s +/broker/uptime", "r $SYSX/a", "p $SYS/a"}},
    {ALLOW("{'publish': ['$CONTROL', '${dolar}/#'], 'subscribe': ['${dolar}/#']}"),
     {"p $CONTROL"},
     {"p $CONTROL/x/v1", "p $SYS/x", "s $SYS/#", "r $SYS/x"}}, /* not by a value either */
    {ALLOW_DENY("{'subscribe': ['$SYS/#', '#']}", "{'subscribe': ['#']}"),
     {"s $SYS/#", "r $SYS/a"},
     {"s #", "r a"}},
    /* attributes: one level, as it is */
    {ALLOW("{'publish': ['p/${linea}/+'], 'subscribe': ['p/${linea}/#']}"),
     {"p p/linea1/t", "s p/linea1/#", "s p/linea1/+/x", "r p/linea1"},
     {"p p/linea2/t", "p p/${linea}/t", "s p/+/#", "s p/linea2/#", "s p/#", "s #"}},
    {ALLOW("{'publish': ['p/${barra}', 'q/${mas}', 'r/${resto}', 's/${dos}', 't/${nada}']}"),
     {NULL},
     {"p p/a/b", "p p/a", "p q/x", "p q/y/z", "p r/x", "p s/x", "p t/", "p t/${nada}"}},
    {ALLOW("{'subscribe': ['q/${mas}', 'r/${resto}', 's/${dos}']}"),
     {NULL},
     {"s q/+", "s q/a", "s r/#", "s r", "s s/x", "s s/+"}},
    {ALLOW_DENY("{'publish': ['p/#']}", "{'publish': ['p/${linea}/x']}"),
     {"p p/linea2/x", "p p/linea1/y"},
     {"p p/linea1/x"}},
    /* who may receive nothing of it is no member of a share group; alone it harms nobody */
    {ALLOW_DENY("{'subscribe': ['a/#']}", "{'receive': ['a/b/#']}"),
     {"s a/b", "s a/b/#", "s a/#", "s $share/g/a/#", "s $share/g/a/c", "r a/c"},
     {"s $share/g/a/b", "s $share/g/a/b/c", "s $share/g/a/b/#", "r a/b"}},
    /* shared subscriptions are judged by their filter */
    {ALLOW_DENY("{'subscribe': ['a/#']}", "{'subscribe': ['a/b']}"),
     {"s $share/g/a/c", "s $share/g/a/#"},
     {"s $share/g/a/b", "s $share/g/#", "s $share/a/b", "s $share/g/$SYS/#"}},
    {ALLOW("{'subscribe': ['g/a/#', '$SYS/#']}"),
     {"s $share/x/g/a/#", "s $share/x/$SYS/#"},
     {"s $share/g/a/x"}},
};

START_TEST(rules)
{
    char json[1024];
    struct adu_reason why;
    snprintf(json, sizeof json, "{'roles': {'r': {%s}}}", roles[_i].role);
    const struct adu_acl *acl = acl_of(json);
    for (int i = 0; i < 8 && roles[_i].yes[i] != NULL; i++) {
        ck_assert_msg(allowed(acl, roles[_i].yes[i], "r", &why), "%s: refused %s: %s", json,
                      roles[_i].yes[i], why.text);
        ck_assert_msg(!allowed(acl, roles[_i].yes[i], "", &why), "without roles: %s",
                      roles[_i].yes[i]);
    }
    for (int i = 0; i < 8 && roles[_i].no[i] != NULL; i++) {
        ck_assert_msg(!allowed(acl, roles[_i].no[i], "r", &why), "%s: allowed %s", json,
                      roles[_i].no[i]);
    }
    snippet_close(&snippet);
}
END_TEST

/* --- several roles ------------------------------------------------------------------------------
 */

static const struct {
    const char *question, *roles;
    bool yes;
} several[] = {
    {"p a/x", "a", true},     {"p b/x", "a", false},     {"p b/x", "a b", true},
    {"p a/x", "a b", true},   {"p a/x", "a no", false},  {"p a/x", "no a", false},
    {"p b/x", "b no", true},  {"p a/y", "a b no", true}, {"p a/x", "no", false},
    {"p a/x", "b", false},    {"p a/x", "", false},      {"s a/#", "a no", true},
    {"r a/x", "a no", false}, {"r a/y", "a no", true},   {"s a/x", "a no", false},
};

START_TEST(roles_together)
{
    struct adu_reason why;
    /* A deny of any role wins over the grants of all, in whatever order they are defined. */
    const struct adu_acl *acl =
        acl_of("{'roles': {"
               "'a': {'allow': [{'publish': ['a/#'], 'subscribe': ['a/#']}]},"
               "'no': {'deny': [{'publish': ['a/x'], 'subscribe': ['a/x']}]},"
               "'b': {'allow': [{'publish': ['b/#']}]}}}");
    ck_assert_msg(allowed(acl, several[_i].question, several[_i].roles, &why) == several[_i].yes,
                  "%s with the roles %s", several[_i].question, several[_i].roles);
    snippet_close(&snippet);
}
END_TEST

/* More roles than one word has bits; each grants its own topic and nothing else. */
START_TEST(a_hundred_roles)
{
    enum { MANY = 100 };
    static char json[MANY * 64];
    char question[16], role[16];
    struct adu_reason why;
    size_t used = (size_t)snprintf(json, sizeof json, "{'roles': {");
    for (int i = 0; i < MANY; i++) {
        used +=
            (size_t)snprintf(json + used, sizeof json - used,
                             "%s'r%d': {'allow': [{'publish': ['t%d']}]}", i > 0 ? "," : "", i, i);
    }
    snprintf(json + used, sizeof json - used, "}}");
    const struct adu_acl *acl = acl_of(json);
    for (int i = 0; i < MANY; i++) {
        for (int t = 0; t < MANY; t++) {
            snprintf(role, sizeof role, "r%d", i);
            snprintf(question, sizeof question, "p t%d", t);
            ck_assert_msg(allowed(acl, question, role, &why) == (i == t), "%s: %s", role, question);
        }
    }
    snippet_close(&snippet);
}
END_TEST

/* --- bindings -----------------------------------------------------------------------------------
 */

static const struct {
    const char *attributes, *bound;
} bindings[] = {
    {"username=scada", "[op]"},
    {"username=Scada", "[]"},
    {"", "[]"},
    {"cert.ou=a;cert.ou=it", "[admin,op]"},
    {"username=scada;cert.ou=it", "[op,admin,op]"},
    {"username=x;linea=linea7", "[edge]"},
    {"username=x;linea=linea", "[]"},
    {"username=scada;username=scada", "[]"}, /* two names are none */
};

START_TEST(bound_roles)
{
    struct adu_attributes attributes = {0};
    struct adu_login login = {.why = ADU_REASON_INIT};
    const struct adu_acl *acl =
        acl_of("{'roles': {'edge': {}, 'op': {}, 'admin': {}}, 'bindings': ["
               "{'match': {'username': 'scada'}, 'roles': ['op']},"
               "{'match': {'cert.ou': 'it'}, 'roles': ['admin', 'op']},"
               "{'match': {'linea': {'pattern': 'linea[0-9]+'}}, 'roles': ['edge']}]}");
    attributes_of(&attributes, bindings[_i].attributes);
    ck_assert(adu_acl_bind(acl, &attributes, &login));
    ck_assert_str_eq(login_text(&login, snippet.vocabulary) + 1, bindings[_i].bound);
    adu_attributes_clear(&attributes);
    snippet_close(&snippet);
}
END_TEST

START_TEST(too_many_bound_roles)
{
    const struct adu_attributes nothing = {0};
    struct adu_login login = {.role_count = ADU_LOGIN_ROLES_MOST - 2, .why = ADU_REASON_INIT};
    const struct adu_acl *acl = acl_of("{'roles': {'a': {}, 'b': {}}, 'bindings': ["
                                       "{'match': {}, 'roles': ['a', 'b']}]}");
    ck_assert(adu_acl_bind(acl, &nothing, &login));
    ck_assert(!adu_acl_bind(acl, &nothing, &login)); /* then the log-in is refused */
    ck_assert_uint_le(login.role_count, ADU_LOGIN_ROLES_MOST);
    snippet_close(&snippet);
}
END_TEST

/* --- reasons ------------------------------------------------------------------------------------
 */

static const struct {
    const char *question, *roles, *why;
    unsigned line; /* 0: no rule is named */
} reasons[] = {
    {"p a", "", "why: the client has no roles, so nothing is granted to it", 0},
    {"p x", "a b", "why: no rule grants it to its roles \"a, b\"", 0},
    {"r x", "b", "why: no rule grants it to its roles \"b\"", 0},
    {"s #", "a", "why: no one rule grants all that this filter can match to its roles \"a\"", 0},
    {"p a/no", "a b", "why: denied by a rule", 3},
    {"s a/never", "a", "why: denied by the rule \"not this\"", 5},
    {"r a/never", "a", "why: denied by the rule \"not this\"", 5},
};

START_TEST(why_it_is_refused)
{
    struct adu_reason why;
    const struct adu_acl *acl =
        acl_of("{'roles': {'a': {'allow': [{'publish': ['a/#'], 'subscribe': ['a/#']}],\n"
               "'deny': [{'publish': [\n'a/no']},\n"
               "{'name': 'not this', 'subscribe': [\n'a/never']}]},\n"
               "'b': {'allow': [{'publish': ['b']}]}}}");
    ck_assert(!allowed(acl, reasons[_i].question, reasons[_i].roles, &why));
    ck_assert_str_eq(why_text("why", &why), reasons[_i].why);
    ck_assert_uint_eq(why.rule != NULL ? why.rule->line : 0, reasons[_i].line);
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *json, *error;
} refused[] = {
    {"{}", "the key \"roles\" is missing"},
    {"{'roles': []}", "roles: expected an object"},
    {"{'roles': {'a b': {}}}", "a b"},
    {"{'roles': {'1a': {}}}", "1a"},
    {"{'roles': {'a': {'allow': {}}}}", "allow: expected an array"},
    {"{'roles': {'a': {'alow': []}}}", "did you mean \"allow\"?"},
    {"{'roles': {'a': {'allow': [{}]}}}", "at least one of publish, subscribe and receive"},
    {"{'roles': {'a': {'allow': [{'name': 'x'}]}}}", "at least one of publish"},
    {"{'roles': {'a': {'allow': [{'publish': []}]}}}", "an empty list means nothing"},
    {"{'roles': {'a': {'allow': [{'publish': 'a'}]}}}", "publish: expected an array"},
    {"{'roles': {'a': {'allow': [{'pubish': ['a']}]}}}", "did you mean \"publish\"?"},
    {"{'roles': {'a': {'allow': [{'publish': ['a#']}]}}}", "publish[0]: expected a topic pattern"},
    {"{'roles': {'a': {'deny': [{'publish': ['a', '']}]}}}", "publish[1]: expected a topic"},
    {"{'roles': {'a': {'allow': [{'publish': ['x${linea}']}]}}}", "must be a whole level"},
    {"{'roles': {'a': {'allow': [{'subscribe': ['$share/g/a']}]}}}", "leave out $share"},
    {"{'roles': {}, 'bindings': [{'match': {}}]}", "the key \"roles\" is missing"},
    {"{'roles': {}, 'bindings': [{'roles': []}]}", "the key \"match\" is missing"},
    {"{'roles': {}, 'bindings': [{'match': {'username': []}, 'roles': []}]}", "matches nobody"},
    {"{'roles': {}, 'mode': 'on'}", "expected one of \"enforce\", \"watch\""},
};

START_TEST(files_refused)
{
    snippet_open(&snippet, "acl.json", refused[_i].json);
    ck_assert_msg(adu_acl_compile(&snippet.c, snippet.root) == NULL, "taken");
    ck_assert_msg(strstr(snippet_error(&snippet), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].json, snippet.text);
    snippet_close(&snippet);
}
END_TEST

/* No broker takes topics of more than 201 levels, so no pattern has more; deeper topics and filters
 * are answered all the same. */
START_TEST(deep_patterns)
{
    enum { DEEPEST = 201 };
    static char json[2048], question[2048];
    struct adu_reason why;
    for (int levels = DEEPEST; levels <= DEEPEST + 1; levels++) {
        size_t used =
            (size_t)snprintf(json, sizeof json, "{'roles': {'r': {'allow': [{'publish': ['a");
        for (int i = 1; i < levels; i++) {
            used += (size_t)snprintf(json + used, sizeof json - used, "/+");
        }
        snprintf(json + used, sizeof json - used, "', 'b/#'], 'subscribe': ['b/#']}]}}}");
        snippet_open(&snippet, "acl.json", json);
        const struct adu_acl *acl = adu_acl_compile(&snippet.c, snippet.root);
        ck_assert_int_eq(acl != NULL, levels == DEEPEST);
        for (int depth = DEEPEST - 1; acl != NULL && depth <= DEEPEST + 300; depth++) {
            strcpy(question, "p a");
            for (int i = 1; i < depth; i++) {
                strcat(question, "/x");
            }
            ck_assert_int_eq(allowed(acl, question, "r", &why), depth == DEEPEST);
            question[2] = 'b';
            ck_assert(allowed(acl, question, "r", &why));
            question[0] = 's';
            ck_assert(allowed(acl, question, "r", &why));
        }
        snippet_close(&snippet);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acl");
    suite_add_rows(suite, rules, ROWS(roles));
    suite_add_rows(suite, roles_together, ROWS(several));
    suite_add(suite, a_hundred_roles);
    suite_add_rows(suite, bound_roles, ROWS(bindings));
    suite_add(suite, too_many_bound_roles);
    suite_add_rows(suite, why_it_is_refused, ROWS(reasons));
    suite_add_rows(suite, files_refused, ROWS(refused));
    suite_add(suite, deep_patterns);
    return run_suite(suite);
}
