/* Whom a rule means: every way of asking, and that doubt means nobody. */
#include "asker.h"
#include "common/match.h"

static const struct {
    const char *match, *values;
    bool holds;
} matches[] = {
    {"{}", "", true},
    {"{'//': 'everyone'}", "", true},
    {"{'username': 'scada'}", "username=scada", true},
    {"{'username': 'scada'}", "username=Scada", false},
    {"{'username': 'scada'}", "username=scada2", false},
    {"{'username': 'scada'}", "username= scada", false},
    {"{'username': 'scada'}", "client_id=scada", false},
    {"{'username': 'scada'}", "username=", false},
    {"{'username': 'scada'}", "", false},
    {"{'username': ['a', 'scada']}", "username=scada", true},
    {"{'username': ['a', 'scada']}", "username=b", false},
    {"{'username': {'pattern': 's.*'}}", "username=scada", true},
    {"{'username': {'pattern': 's.*'}}", "", false},
    {"{'username': {'pattern': '.*'}}", "", false}, /* nobody has no name that fits */
    {"{'username': {'pattern': 'a|b'}}", "username=ax", false},
    {"{'username': {'pattern': 'a|b'}}", "username=xb", false},
    /* No wildcards but in patterns. */
    {"{'username': '*'}", "username=scada", false},
    {"{'username': '.*'}", "username=scada", false},
    {"{'username': '+'}", "username=scada", false},
    {"{'username': '${username}'}", "username=scada", false},
    /* All must hold. */
    {"{'cert.cn': 'a', 'cert.issuer.cn': 'CA'}", "cert.cn=a;cert.issuer.cn=CA", true},
    {"{'cert.cn': 'a', 'cert.issuer.cn': 'CA'}", "cert.cn=a;cert.issuer.cn=Mal", false},
    {"{'cert.cn': 'a', 'cert.issuer.cn': 'CA'}", "cert.cn=a", false},
    {"{'cert.cn': 'a', 'cert.issuer.cn': 'CA'}", "cert.cn=CA;cert.issuer.cn=a", false},
    /* The subject's name is not the issuer's. */
    {"{'cert.issuer.cn': 'CA'}", "cert.cn=CA", false},
    {"{'cert.cn': 'CA'}", "cert.issuer.cn=CA", false},
    /* Twice what a certificate has once: it has none. */
    {"{'cert.cn': 'a'}", "cert.cn=a;cert.cn=b", false},
    {"{'cert.cn': 'a'}", "cert.cn=b;cert.cn=a", false},
    {"{'cert.cn': 'a'}", "cert.cn=a;cert.cn=a", false},
    {"{'cert.cn': ['a', 'b']}", "cert.cn=a;cert.cn=b", false},
    {"{'cert.cn': {'pattern': '.*'}}", "cert.cn=a;cert.cn=b", false},
    {"{'cert.issuer.cn': 'CA'}", "cert.issuer.cn=CA;cert.issuer.cn=x", false},
    {"{'cert.l': 'a'}", "cert.l=a;cert.l=b", false},
    {"{'cert.st': 'a'}", "cert.st=a;cert.st=b", false},
    {"{'cert.c': 'a'}", "cert.c=a;cert.c=b", false},
    {"{'cert.serial': 'a'}", "cert.serial=a;cert.serial=b", false},
    {"{'cert.fingerprint': 'a'}", "cert.fingerprint=a;cert.fingerprint=b", false},
    {"{'username': 'a'}", "username=a;username=b", false},
    {"{'client_id': 'a'}", "client_id=a;client_id=b", false},
    /* What is a list by nature. */
    {"{'cert.ou': 'edge'}", "cert.ou=edge;cert.ou=norte", true},
    {"{'cert.ou': 'edge'}", "cert.ou=norte;cert.ou=edge", true},
    {"{'cert.ou': 'edge'}", "cert.ou=norte;cert.ou=sur", false},
    {"{'cert.ou': {'pattern': 'e.*'}}", "cert.ou=norte;cert.ou=edge", true},
    {"{'cert.o': 'b'}", "cert.o=a;cert.o=b", true},
    {"{'cert.issuer.o': 'b'}", "cert.issuer.o=a;cert.issuer.o=b", true},
    {"{'cert.issuer.ou': 'b'}", "cert.issuer.ou=a;cert.issuer.ou=b", true},
    {"{'cert.san.dns': 'b'}", "cert.san.dns=a;cert.san.dns=b", true},
    {"{'cert.san.uri': 'b'}", "cert.san.uri=a;cert.san.uri=b", true},
    {"{'cert.san.email': 'b'}", "cert.san.email=a;cert.san.email=b", true},
    {"{'cert.san.ip': 'b'}", "cert.san.ip=a;cert.san.ip=b", true},
    {"{'cert.san.dns': 'b'}", "cert.san.uri=b", false},
    {"{'linea': 'b'}", "linea=a;linea=b", true},
    {"{'linea': 'b'}", "Linea=b", false},
};

START_TEST(holds)
{
    struct snippet s;
    struct adu_attributes values = {0};
    snippet_open(&s, "t.json", matches[_i].match);
    const struct adu_match *m = adu_match_compile(&s.c, s.root, false);
    ck_assert_msg(m != NULL, "%s: %s", matches[_i].match, snippet_error(&s));
    snippet_compiled(&s);
    attributes_of(&values, matches[_i].values);
    ck_assert_msg(adu_match_holds(m, &values, NULL) == matches[_i].holds, "%s of \"%s\"",
                  matches[_i].match, matches[_i].values);
    adu_attributes_clear(&values);
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *match, *error;
} refused[] = {
    {"[]", "t.json:1:1: expected an object, found an array"},
    {"{'username': ''}", "t.json:1:14: username: expected a string that is not empty"},
    {"{'username': []}", "username: an empty list matches nobody"},
    {"{'username': ['a', '']}", "username[1]: expected a string that is not empty"},
    {"{'username': ['a', 1]}", "username[1]: expected a string, found an integer"},
    {"{'username': ['a', ['b']]}", "username[1]: expected a string, found an array"},
    {"{'username': ['a', {'pattern': 'b'}]}", "username[1]: expected a string, found an object"},
    {"{'username': 'a\\u0007'}", "username: control characters have no place here"},
    {"{'username': 1}", "expected a string, a list of strings or {\"pattern\": \"...\"}, found an "
                        "integer"},
    {"{'username': null}", "found null"},
    {"{'username': true}", "found true or false"},
    {"{'username': {}}", "username: the key \"pattern\" is missing"},
    {"{'username': {'patern': 'a'}}", "unknown key; did you mean \"pattern\"?"},
    {"{'username': {'pattern': 1}}", "username.pattern: expected a string, found an integer"},
    {"{'username': {'pattern': ''}}", "username.pattern: expected a string that is not empty"},
    {"{'username': {'pattern': '('}}", "t.json:1:26: username.pattern: not a pattern"},
    {"{'user name': 'a'}", "t.json:1:2: user name: a name has letters, digits and _ . -"},
    {"{'': 'a'}", "a name has letters"},
    {"{'1a': 'a'}", "a name has letters"},
};

START_TEST(refuses)
{
    struct snippet s;
    snippet_open(&s, "t.json", refused[_i].match);
    ck_assert_ptr_null(adu_match_compile(&s.c, s.root, false));
    ck_assert_msg(strstr(snippet_error(&s), refused[_i].error) != NULL, "%s: %s", refused[_i].match,
                  snippet_error(&s));
    snippet_close(&s);
}
END_TEST

/* "role" asks for a role where roles are known, and for a mere attribute, which nothing can
 * define, elsewhere. */
START_TEST(roles)
{
    struct snippet s;
    struct adu_attributes none = {0}, called_role = {0};
    uint64_t words[1] = {0};
    struct adu_roles set = {.words = words, .count = 1};
    attributes_of(&called_role, "role=edge");
    snippet_open(&s, "t.json", "{'role': 'edge'}");
    adu_vocabulary_define_role(s.c.vocabulary, "other");
    const int edge = adu_vocabulary_define_role(s.c.vocabulary, "edge");
    const struct adu_match *m = adu_match_compile(&s.c, s.root, true);
    ck_assert_ptr_nonnull(m);
    ck_assert(!adu_match_holds(m, &none, NULL));
    ck_assert(!adu_match_holds(m, &none, &set));
    adu_roles_add(&set, edge - 1);
    ck_assert(!adu_match_holds(m, &none, &set));
    ck_assert(!adu_match_holds(m, &called_role, &set));
    adu_roles_add(&set, edge);
    ck_assert(adu_match_holds(m, &none, &set));

    ck_assert_ptr_nonnull(adu_match_compile(&s.c, s.root, false));
    ck_assert(!adu_vocabulary_check(s.c.vocabulary, true, &s.error));
    ck_assert_str_eq(snippet_error(&s), "t.json:1:2: the attribute \"role\" is defined nowhere");
    adu_attributes_clear(&called_role);
    snippet_close(&s);
}
END_TEST

START_TEST(a_role_is_one_name)
{
    struct snippet s;
    snippet_open(&s, "t.json", "{'role': ['edge']}");
    ck_assert_ptr_null(adu_match_compile(&s.c, s.root, true));
    ck_assert_str_eq(snippet_error(&s), "t.json:1:10: role: expected a string, found an array");
    snippet_close(&s);
}
END_TEST

START_TEST(lists_of_roles)
{
    struct snippet s;
    snippet_open(&s, "t.json", "['edge', 'operador', 'edge']");
    const int *list = adu_role_list_compile(&s.c, s.root);
    ck_assert_ptr_nonnull(list);
    ck_assert_int_eq(list[0], list[2]);
    ck_assert_int_ne(list[0], list[1]);
    ck_assert_int_eq(list[3], ADU_NO_NAME);
    ck_assert_uint_eq(adu_vocabulary_roles(s.c.vocabulary), 2);
    list = adu_role_list_compile(&s.c, NULL);
    ck_assert_int_eq(list[0], ADU_NO_NAME);
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *list, *error;
} bad_lists[] = {
    {"{}", "t.json:1:1: expected an array, found an object"},
    {"[1]", "t.json:1:2: [0]: expected a string, found an integer"},
    {"['a', '']", "t.json:1:7: [1]: expected a string that is not empty"},
    {"[['a']]", "t.json:1:2: [0]: expected a string, found an array"},
};

START_TEST(lists_of_roles_refused)
{
    struct snippet s;
    snippet_open(&s, "t.json", bad_lists[_i].list);
    ck_assert_ptr_null(adu_role_list_compile(&s.c, s.root));
    ck_assert_str_eq(snippet_error(&s), bad_lists[_i].error);
    snippet_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match");
    suite_add_rows(suite, holds, ROWS(matches));
    suite_add_rows(suite, refuses, ROWS(refused));
    suite_add(suite, roles);
    suite_add(suite, a_role_is_one_name);
    suite_add(suite, lists_of_roles);
    suite_add_rows(suite, lists_of_roles_refused, ROWS(bad_lists));
    return run_suite(suite);
}
