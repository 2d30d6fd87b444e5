/* Certificate -> identity, by cert_auth.json. */
#include "asker.h"
#include "plugins/cert_auth/cert_auth.h"

enum { USERNAME = 256 };

/* What becomes of a client with that certificate (NULL: none) and client id. */
static const char *identified(const char *json, const char *certificate, const char *client_id)
{
    static char said[4096];
    struct snippet s;
    struct adu_attributes attributes = {0};
    struct adu_login login = {.client_id = client_id, .why = ADU_REASON_INIT};
    snippet_open(&s, "cert_auth.json", json);
    const struct adu_cert_policy *policy = adu_cert_auth_compile(&s.c, s.root);
    ck_assert_msg(policy != NULL, "%s", snippet_error(&s));
    snippet_compiled(&s);
    if (certificate != NULL) {
        attributes_of(&attributes, certificate);
        login.certificate = &attributes;
    }
    const char *text = "error";
    switch (adu_cert_auth_identify(policy, &login, 0)) {
    case ADU_ALLOW:
        ck_assert_uint_eq(login.proven, ADU_FACTOR_CERTIFICATE);
        text = login_text(&login, s.vocabulary);
        break;
    case ADU_DENY:
        ck_assert_uint_eq(login.proven, 0);
        text = why_text("refused", &login.why);
        break;
    case ADU_ABSTAIN:
        ck_assert_uint_eq(login.proven, 0);
        ck_assert_uint_eq(login.role_count + login.attributes.count, 0);
        ck_assert_str_eq(login.username, "");
        ck_assert_int_eq(login.certificate_why.text != NULL, certificate != NULL);
        text = certificate != NULL ? why_text("nobody", &login.certificate_why) : "nobody";
        break;
    case ADU_ERROR:
    case ADU_LATER:
    case ADU_TOO_MUCH:
        ck_assert_uint_eq(login.proven, 0);
        break;
    }
    snprintf(said, sizeof said, "%s", text);
    adu_attributes_clear(&attributes);
    adu_attributes_clear(&login.attributes);
    snippet_close(&s);
    return said;
}

#define ONE(identity) "{'identities': [{'name': 'i', " identity "}]}"

/* A match alone: the user name is `yes` where it holds. */
static const struct {
    const char *match, *certificate;
    bool holds;
} matches[] = {
    {"{}", "", true},
    {"{}", "cert.cn=x", true},
    {"{'cert.cn': 'x'}", "cert.cn=x", true},
    {"{'cert.cn': 'x'}", "cert.cn=X", false},
    {"{'cert.cn': 'x'}", "cert.cn=xx", false},
    {"{'cert.cn': 'x'}", "cert.cn= x", false},
    {"{'cert.cn': 'x'}", "cert.ou=x", false},
    {"{'cert.cn': 'x'}", "", false},
    {"{'cert.cn': ['x', 'y']}", "cert.cn=y", true},
    {"{'cert.cn': ['x', 'y']}", "cert.cn=z", false},
    {"{'cert.cn': 'x', 'cert.ou': 'y'}", "cert.cn=x;cert.ou=y", true},
    {"{'cert.cn': 'x', 'cert.ou': 'y'}", "cert.cn=x;cert.ou=z", false},
    {"{'cert.cn': 'x', '//': 'a comment', 'cert.ou': 'y'}", "cert.cn=x;cert.ou=y", true},
    /* Several values are alternatives where a list is natural, else a contradiction. */
    {"{'cert.ou': 'b'}", "cert.ou=a;cert.ou=b", true},
    {"{'cert.o': 'b'}", "cert.o=a;cert.o=b", true},
    {"{'cert.san.uri': 'b'}", "cert.san.uri=a;cert.san.uri=b", true},
    {"{'cert.issuer.ou': 'b'}", "cert.issuer.ou=a;cert.issuer.ou=b", true},
    {"{'cert.cn': 'b'}", "cert.cn=a;cert.cn=b", false},
    {"{'cert.cn': 'b'}", "cert.cn=b;cert.cn=b", false},
    {"{'cert.cn': {'pattern': '.*'}}", "cert.cn=a;cert.cn=b", false},
    {"{'cert.issuer.cn': 'b'}", "cert.issuer.cn=a;cert.issuer.cn=b", false},
    {"{'cert.l': 'b'}", "cert.l=a;cert.l=b", false},
    {"{'cert.ou': 'a', 'cert.san.dns': 'd'}", "cert.san.dns=d;cert.ou=b;cert.ou=a", true},
    /* A pattern is about the whole value. */
    {"{'cert.cn': {'pattern': 'edge-[0-9]+'}}", "cert.cn=edge-12", true},
    {"{'cert.cn': {'pattern': 'edge-[0-9]+'}}", "cert.cn=xedge-12", false},
    {"{'cert.cn': {'pattern': 'edge-[0-9]+'}}", "cert.cn=edge-12x", false},
    {"{'cert.cn': {'pattern': 'edge-[0-9]+'}}", "cert.cn=edge-12\n", false},
    {"{'cert.cn': {'pattern': 'edge-[0-9]+'}}", "cert.cn=Edge-12", false},
    {"{'cert.cn': {'pattern': '^edge-[0-9]+$'}}", "cert.cn=edge-12", true},
    {"{'cert.cn': {'pattern': '^edge-[0-9]+$'}}", "cert.cn=edge-12\n", false},
    {"{'cert.cn': {'pattern': 'a|b'}}", "cert.cn=b", true},
    {"{'cert.cn': {'pattern': 'a|b'}}", "cert.cn=ax", false},
    {"{'cert.cn': {'pattern': 'a|b'}}", "cert.cn=xb", false},
    {"{'cert.cn': {'pattern': 'a|ab'}}", "cert.cn=ab", true},
    {"{'cert.cn': {'pattern': '.'}}", "cert.cn=\xc3\xb1", true}, /* one character */
    {"{'cert.cn': {'pattern': '(?i)edge'}}", "cert.cn=EDGE", true},
    {"{'cert.ou': {'pattern': 'b.*'}}", "cert.ou=a;cert.ou=bb", true},
    /* One that would take for ever ends, and does not hold. */
    {"{'cert.cn': {'pattern': '(a+)+(a+)+(a+)+b'}}", "cert.cn=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
     false},
};

START_TEST(whom_a_match_means)
{
    char json[512];
    snprintf(json, sizeof json, ONE("'match': %s, 'username': 'yes'"), matches[_i].match);
    const char *said = identified(json, matches[_i].certificate, "c");
    ck_assert_msg((strcmp(said, "yes []") == 0) == matches[_i].holds &&
                      (strncmp(said, "nobody: ", 8) == 0) == !matches[_i].holds,
                  "%s, %s: %s", matches[_i].match, matches[_i].certificate, said);
}
END_TEST

#define LINEA(pattern)                                                                             \
    ONE("'match': {}, 'username': '${x}', 'attributes': {'x': {'from': 'cert.cn', 'pattern': "     \
        "'" pattern "'}}")

#define PREFIX(prefix) ONE("'match': {}, 'username': 'u', 'client_id': {'prefix': '" prefix "'}")
#define BEGINS         "this certificate must use a client id that begins with"
#define REST(more)     "this certificate's client id needs 1 to 64 of A-Z a-z 0-9 " more " after"
#define LONGEST        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *json, *certificate, *client_id, *said;
} identities[] = {
    /* the first that matches */
    {"{'identities': []}", "cert.cn=a", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=a, issuer CN=-\""},
    {"{'identities': []}", NULL, "c", "nobody"},
    {ONE("'match': {}, 'username': 'u'"), NULL, "c", "nobody"},
    {"{'identities': [{'name': '1', 'match': {'cert.ou': 'a'}, 'username': 'first', 'roles': "
     "['r']},"
     "{'name': '2', 'match': {}, 'username': 'second', 'roles': ['s', 't']}]}",
     "cert.ou=a", "c", "first [r]"},
    {"{'identities': [{'name': '1', 'match': {'cert.ou': 'a'}, 'username': 'first', 'roles': "
     "['r']},"
     "{'name': '2', 'match': {}, 'username': 'second', 'roles': ['s', 't']}]}",
     "cert.ou=b", "c", "second [s,t]"},
    {"{'identities': [{'name': '1', 'match': {'cert.ou': 'a'}, 'username': 'u'}]}",
     "cert.cn=edge;cert.issuer.cn=CA;cert.ou=b", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=edge, issuer CN=CA\""},
    {"{'identities': []}", "cert.cn=a;cert.cn=b;cert.issuer.cn=CA", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=-, issuer CN=CA\""},
    /* An attribute that finds nothing: the identity does not match, so the next is asked. */
    {"{'identities': [{'name': '1', 'match': {}, 'username': 'u1',"
     "'attributes': {'x': 'y', 'l': {'from': 'cert.cn', 'pattern': 'edge-(.*)'}}},"
     "{'name': '2', 'match': {}, 'username': 'u2'}]}",
     "cert.cn=scada", "c", "u2 []"},
    {LINEA("edge-(linea[0-9]+)"), "cert.cn=edge-linea1", "c", "linea1 [] x=linea1"},
    {LINEA("edge-linea[0-9]+"), "cert.cn=edge-linea1", "c", "edge-linea1 [] x=edge-linea1"},
    {LINEA("edge-(?:linea|x)([0-9]+)-(.*)"), "cert.cn=edge-x1-z", "c", "1 [] x=1"},
    {LINEA("edge-(linea[0-9]+)"), "cert.cn=edge-linea1/x", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=edge-linea1/x, issuer "
     "CN=-\""},
    {LINEA("edge-(linea[0-9]*)?"), "cert.cn=edge-", "c", /* the group took no part */
     "nobody: no identity of cert_auth.json matches the certificate \"CN=edge-, issuer CN=-\""},
    {LINEA("edge-(.*)"), "cert.cn=edge-", "c", /* or is empty */
     "nobody: no identity of cert_auth.json matches the certificate \"CN=edge-, issuer CN=-\""},
    {LINEA("(a)|(b)"), "cert.cn=b", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=b, issuer CN=-\""},
    {LINEA("(.*)"), "cert.cn=a;cert.cn=b", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=-, issuer CN=-\""},
    {LINEA("(.*)"), "cert.ou=a", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=-, issuer CN=-\""},
    {ONE("'match': {}, 'username': '${planta}-${zona}', 'attributes': {'planta': 'norte',"
         "'linea': {'from': 'cert.cn', 'pattern': '.*-(.*)'},"
         "'zona': {'from': 'linea', 'pattern': '(.).*'}}"),
     "cert.cn=edge-abc", "c", "norte-a [] planta=norte linea=abc zona=a"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {"
         "'zona': {'from': 'linea', 'pattern': '(.).*'},"
         "'linea': {'from': 'cert.cn', 'pattern': '.*-(.*)'}}"), /* in the order of the file */
     "cert.cn=edge-abc", "c",
     "nobody: no identity of cert_auth.json matches the certificate \"CN=edge-abc, issuer CN=-\""},
    /* the user name: whatever it holds it is a name; whether it can be a level is topic.h's */
    {ONE("'match': {}, 'username': '${cert.cn}'"), "cert.cn=a/b", "c", "a/b []"},
    {ONE("'match': {}, 'username': '${cert.cn}'"), "cert.cn=+", "c", "+ []"},
    {ONE("'match': {}, 'username': '${cert.cn}'"), "cert.cn=#", "c", "# []"},
    {ONE("'match': {}, 'username': '${cert.cn}'"), "cert.cn=${cert.ou};cert.ou=x", "c",
     "${cert.ou} []"},
    {ONE("'match': {}, 'username': '${cert.cn}'"), "cert.ou=x", "c",
     "refused: the identity's user name needs one value of \"cert.cn\""},
    {ONE("'match': {}, 'username': 'x-${cert.cn}'"), "cert.cn=", "c",
     "refused: the identity's user name needs one value of \"cert.cn\""},
    {ONE("'match': {}, 'username': '${cert.cn}-${cert.ou}'"), "cert.cn=a;cert.ou=x;cert.ou=y", "c",
     "refused: the identity's user name needs one value of \"cert.ou\""},
    /* the client id: who has the certificate of one may not be another, nor the next identity */
    {ONE("'match': {}, 'username': 'u', 'client_id': '${cert.cn}'"), "cert.cn=c", "c",
     "u [] bound"},
    {ONE("'match': {}, 'username': 'u', 'client_id': 'x-${cert.cn}'"), "cert.cn=c", "x-c",
     "u [] bound"},
    {ONE("'match': {}, 'username': 'u', 'client_id': '${cert.cn}'"), "cert.cn=c", "C",
     "refused: this certificate must use the client id \"c\""},
    {ONE("'match': {}, 'username': 'u', 'client_id': '${cert.cn}'"), "cert.cn=c", "c2",
     "refused: this certificate must use the client id \"c\""},
    {ONE("'match': {}, 'username': 'u', 'client_id': '${cert.cn}'"), "cert.ou=c", "c",
     "refused: the identity's client id cannot be made of this certificate"},
    {"{'identities': [{'name': '1', 'match': {}, 'username': 'u1', 'client_id': 'a'},"
     "{'name': '2', 'match': {}, 'username': 'u2'}]}",
     "cert.cn=c", "b", "refused: this certificate must use the client id \"a\""},
    /* several of its own: what it begins with is the certificate's, the rest the client's */
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-plc", "u [] bound"},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-A_z.9", "u [] bound"},
    {PREFIX("x:${cert.cn}:"), "cert.cn=edge-1", "x:edge-1:a-b_c.d", "u [] bound"},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-" LONGEST, "u [] bound"},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-" LONGEST "x",
     "refused: " REST("_ .") " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-", "refused: " REST("_ .") " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-a/b", "refused: " REST("_ .") " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-\xc3\xb1",
     "refused: " REST("_ .") " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1", "refused: " BEGINS " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "", "refused: " BEGINS " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-10-a", "refused: " BEGINS " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "Edge-1-a", "refused: " BEGINS " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.ou=c", "c-a",
     "refused: the identity's client id cannot be made of this certificate"},
    /* edge-1-x-a is edge-1-x's, and so not edge-1's */
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1", "edge-1-x-a", "refused: " REST("_ .") " \"edge-1-\""},
    {PREFIX("${cert.cn}-"), "cert.cn=edge-1-x", "edge-1-x-a", "u [] bound"},
    {PREFIX("${cert.cn}."), "cert.cn=edge.1", "edge.1.x.a", "refused: " REST("_ -") " \"edge.1.\""},
    {PREFIX("${cert.cn}_"), "cert.cn=edge_1", "edge_1_x_a", "refused: " REST(". -") " \"edge_1_\""},
    /* without a separator it is warned of */
    {PREFIX("${cert.cn}"), "cert.cn=edge-1", "edge-10", "u [] bound"},
    {PREFIX("${cert.cn}"), "cert.cn=edge-1-", "edge-1--", "u [] bound"},
    {PREFIX("${cert.cn}"), "cert.cn=edge-1", "edge-1+", "refused: " REST("_ . -") " \"edge-1\""},
    /* what else it asks for */
    {ONE("'match': {}, 'username': 'u', 'password': 'required', 'roles': ['r']"), "cert.cn=c", "c",
     "u [r] +password"},
    {ONE("'match': {}, 'username': 'u', 'password': 'no'"), "cert.cn=c", "c", "u []"},
};

START_TEST(who_it_is)
{
    ck_assert_str_eq(
        identified(identities[_i].json, identities[_i].certificate, identities[_i].client_id),
        identities[_i].said);
}
END_TEST

/* --- bounds -------------------------------------------------------------------------------------
 */

static const char *long_certificate(size_t length)
{
    static char text[2048];
    snprintf(text, sizeof text, "cert.cn=");
    memset(text + 8, 'n', length);
    text[8 + length] = '\0';
    return text;
}

START_TEST(long_user_names)
{
    static const char json[] = ONE("'match': {}, 'username': '${cert.cn}'");
    const char *longest = long_certificate(USERNAME);
    ck_assert_uint_eq(strlen(identified(json, longest, "c")), USERNAME + strlen(" []"));
    ck_assert_str_eq(identified(json, long_certificate(USERNAME + 1), "c"),
                     "refused: the identity's user name would have more than 256 bytes");
    ck_assert_str_eq(identified(json, long_certificate(1024), "c"),
                     "refused: the identity's user name would have more than 256 bytes");
}
END_TEST

START_TEST(long_client_ids)
{
    static const char json[] = ONE("'match': {}, 'username': 'u', 'client_id': '${cert.cn}'");
    const char *longest = long_certificate(1023);
    ck_assert_str_eq(identified(json, longest, longest + 8), "u [] bound");
    ck_assert_msg(strncmp(identified(json, longest, "c"),
                          "refused: this certificate must use the client id \"nnnn", 54) == 0,
                  "%s", identified(json, longest, "c"));
    const char *longer = long_certificate(1024);
    ck_assert_str_eq(identified(json, longer, longer + 8),
                     "refused: the identity's client id cannot be made of this certificate");
}
END_TEST

static const char *with_roles(int count)
{
    static char json[4096];
    size_t used = (size_t)snprintf(json, sizeof json,
                                   "{'identities': [{'name': '1', 'match': {}, 'username': 'u', "
                                   "'roles': [");
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(json + used, sizeof json - used, "%s'r%d'", i > 0 ? "," : "", i);
    }
    snprintf(json + used, sizeof json - used,
             "]}, {'name': '2', 'match': {}, 'username': 'next'}]}");
    return json;
}

START_TEST(many_roles)
{
    ck_assert_msg(strncmp(identified(with_roles(ADU_LOGIN_ROLES_MOST), "", "c"), "u [r0,", 6) == 0,
                  "as many as may be");
    ck_assert_str_eq(identified(with_roles(ADU_LOGIN_ROLES_MOST + 1), "", "c"),
                     "refused: the identity gives more roles than one client may have");
}
END_TEST

/* No room for what an identity derives is an error, not a reason to try the next identity. */
START_TEST(many_attributes)
{
    static const char json[] =
        "{'identities': [{'name': '1', 'match': {}, 'username': 'u', 'attributes': {'x': 'y'}},"
        "{'name': '2', 'match': {}, 'username': 'next'}]}";
    static char text[ADU_ATTRIBUTES_MOST * 16];
    size_t used = 0;
    for (int i = 0; i < ADU_ATTRIBUTES_MOST; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "cert.ou=%d;", i);
    }
    ck_assert_str_eq(identified(json, text, "c"), "error");
    ck_assert_str_eq(identified(json, strchr(text, ';') + 1, "c"), "u [] x=y");
}
END_TEST

/* The reason names the rule, so that the log can say where it stands. */
START_TEST(place_of_the_rule)
{
    struct snippet s;
    struct adu_attributes attributes = {0};
    struct adu_login login = {.client_id = "c", .certificate = &attributes, .why = ADU_REASON_INIT};
    snippet_open(&s, "cert_auth.json",
                 "{'identities': [\n {'name': '1', 'match': {'cert.cn': 'x'}, 'username': 'u'},\n"
                 " {'name': '2', 'match': {}, 'username': '${cert.cn}'}]}");
    const struct adu_cert_policy *policy = adu_cert_auth_compile(&s.c, s.root);
    snippet_compiled(&s);
    ck_assert_int_eq(adu_cert_auth_identify(policy, &login, 0), ADU_DENY);
    ck_assert_str_eq(login.why.rule->file, "cert_auth.json");
    ck_assert_uint_eq(login.why.rule->line, 3);
    snippet_close(&s);
}
END_TEST

/* --- files refused ------------------------------------------------------------------------------
 */

static const struct {
    const char *json, *error;
} refused[] = {
    {"{}", "cert_auth.json:1:1: the key \"identities\" is missing"},
    {ONE("'username': 'u'"), "identities[0]: the key \"match\" is missing"},
    {ONE("'match': {}"), "identities[0]: the key \"username\" is missing"},
    {ONE("'match': {}, 'username': ''"), "identities[0].username: expected a string that is not"},
    {ONE("'match': {}, 'username': '${'"), "\"${\" needs a name and a \"}\""},
    {ONE("'match': {'cert.cn': []}, 'username': 'u'"), "an empty list matches nobody"},
    {ONE("'match': {'role': 'r'}, 'username': '${r}', 'x': 1"), "unknown key"},
    {ONE("'match': {'cert.cn': {'pattern': '('}}, 'username': 'u'"), "not a pattern"},
    {ONE("'match': {'cert.cn': {'pattern': '\\\\C'}}, 'username': 'u'"), "not a pattern"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'cert.x': 'y'}"), "the bundle's own"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'username': 'y'}"), "the bundle's own"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'client_id': 'y'}"), "the bundle's own"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'role': 'y'}"), "the bundle's own"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'a b': 'y'}"), "attributes.a b"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'x': ''}"), "a string that is not empty"},
    {ONE("'match': {}, 'username': 'u', 'attributes': {'x': {'from': 'cert.cn'}}"),
     "attributes.x: the key \"pattern\" is missing"},
    {ONE("'match': {}, 'username': 'u', 'password': 'maybe'"), "\"no\", \"required\""},
    {"{'identities': [], 'mode': 'watch'}", "mode: unknown key"},
    {ONE("'match': {}, 'username': 'u', 'client_id': 1"), "identities[0].client_id: expected"},
    {ONE("'match': {}, 'username': 'u', 'client_id': {}"), "the key \"prefix\" is missing"},
    {ONE("'match': {}, 'username': 'u', 'connections': {}"), "the key \"max\" is missing"},
    {ONE("'match': {}, 'username': 'u', 'connections': 1"), "connections: expected an object"},
    {ONE("'match': {}, 'username': 'u', 'connections': {'max': 0}"), "connections.max: expected"},
    {ONE("'match': {}, 'username': 'u', 'connections': {'max': 10001}"), "connections.max: "},
    {PREFIX(""), "client_id.prefix: expected a string that is not empty"},
    {PREFIX("${"), "client_id.prefix: \"${\" needs a name and a \"}\""},
};

START_TEST(files_refused)
{
    struct snippet s;
    snippet_open(&s, "cert_auth.json", refused[_i].json);
    ck_assert_ptr_null(adu_cert_auth_compile(&s.c, s.root));
    ck_assert_msg(strstr(snippet_error(&s), refused[_i].error) != NULL, "%s: %s", refused[_i].json,
                  snippet_error(&s));
    snippet_close(&s);
}
END_TEST

/* --- warnings ----------------------------------------------------------------------------------
 */

static const struct {
    const char *prefix;
    bool is_open;
} prefixes[] = {
    {"${cert.cn}-", false}, {"a_", false},        {"a.", false},         {"${cert.cn}:", false},
    {"a/", false},          {"${cert.cn}", true}, {"${cert.cn}x", true}, {"a", true},
    {"a}", true},           {"a+", true},
};

START_TEST(prefixes_without_a_separator)
{
    struct snippet s;
    char json[256];
    snprintf(json, sizeof json, PREFIX("%s"), prefixes[_i].prefix);
    snippet_open(&s, "cert_auth.json", json);
    s.c.findings = adu_findings_new();
    ck_assert_ptr_nonnull(adu_cert_auth_compile(&s.c, s.root));
    const struct adu_finding *finding = adu_findings_first(s.c.findings);
    ck_assert_uint_eq(adu_findings_count(s.c.findings), prefixes[_i].is_open);
    if (finding != NULL) {
        ck_assert_str_eq(finding->code, "open-client-id-prefix");
        ck_assert_str_eq(finding->place.file, "cert_auth.json");
        ck_assert_uint_eq(finding->place.line, 1);
    }
    adu_findings_free(s.c.findings);
    snippet_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cert_auth");
    suite_add_rows(suite, prefixes_without_a_separator, ROWS(prefixes));
    suite_add_rows(suite, whom_a_match_means, ROWS(matches));
    suite_add_rows(suite, who_it_is, ROWS(identities));
    suite_add(suite, long_user_names);
    suite_add(suite, long_client_ids);
    suite_add(suite, many_roles);
    suite_add(suite, many_attributes);
    suite_add(suite, place_of_the_rule);
    suite_add_rows(suite, files_refused, ROWS(refused));
    return run_suite(suite);
}
