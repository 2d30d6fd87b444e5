/* What acl.json says beyond patterns: roles that include roles, conditions, and watching. */
#include "asker.h"
#include "plugins/acl/acl.h"

static struct snippet snippet;

static const struct adu_acl *compile(const char *json)
{
    snippet_open(&snippet, "acl.json", json);
    return adu_acl_compile(&snippet.c, snippet.root);
}

static const struct adu_acl *acl_of(const char *json)
{
    const struct adu_acl *acl = compile(json);
    ck_assert_msg(acl != NULL, "%s: %s", json, snippet_error(&snippet));
    snippet_compiled(&snippet);
    return acl;
}

/* --- roles that include roles --- */

static const char chain[] =
    "{'roles': {'a': {'includes': ['b', 'c']}, 'b': {'includes': ['d']}, 'c': {}, 'd': "
    "{'includes': ['c']},"
    " 'e': {}}, 'bindings': [{'match': {'username': 'ana'}, 'roles': ['b']}]}";

static const struct {
    const char *username, *given, *all;
} included[] = {
    {"x", "", "[]"},           {"x", "e", "[e]"},       {"x", "d", "[d,c]"},
    {"x", "b", "[b,c,d]"},     {"x", "a", "[a,b,c,d]"}, {"x", "c a", "[c,a,b,d]"},
    {"ana", "e", "[e,b,c,d]"},
};

static const struct adu_place nowhere = {.file = "test"};

static void give(struct adu_login *login, const char *roles)
{
    for (const char *name = roles; *name != '\0'; name += name[1] == ' ' ? 2 : 1) {
        const char one[] = {*name, '\0'};
        const int list[] = {adu_vocabulary_use_role(snippet.vocabulary, one, &nowhere),
                            ADU_NO_NAME};
        ck_assert(adu_login_add_roles(login, list));
    }
}

START_TEST(whoever_has_a_role_has_what_it_includes)
{
    const struct adu_acl *acl = acl_of(chain);
    struct adu_login login = {.why = ADU_REASON_INIT};
    struct adu_attributes attributes = {0};
    give(&login, included[_i].given);
    ck_assert(adu_attributes_add(&attributes, "username", included[_i].username));
    ck_assert(adu_acl_bind(acl, &attributes, &login));
    const char *text = login_text(&login, snippet.vocabulary);
    ck_assert_msg(strcmp(strchr(text, '['), included[_i].all) == 0, "%s: %s", included[_i].given,
                  text);
    adu_attributes_clear(&attributes);
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *json, *error;
} bad[] = {
    {"{'roles': {'a': {'includes': ['a']}}}",
     "acl.json:1:30: roles.a.includes: the role includes itself"},
    {"{'roles': {'a': {'includes': ['b']}, 'b': {'includes': ['c']}, 'c': {'includes': ['b']}}}",
     "the role includes itself"},
    {"{'roles': {'a': {'includes': 'b'}, 'b': {}}}", "roles.a.includes"},
    {"{'roles': {'a': {'mode': 'off'}}}", "roles.a.mode"},
    {"{'roles': {'a': {'allow': [{'publish': ['x'], 'mode': 'watch'}]}}}",
     "an allow cannot be watched; watch the role"},
    {"{'time_zone': 'Atlantis', 'roles': {}}", "time_zone: is no time zone of this machine"},
    {"{'roles': {'a': {'allow': [{'publish': ['x'], 'when': {'times': [{'days': ['mon']}]}}]}}}",
     "needs \"time_zone\""},
    {"{'roles': {'a': {'allow': [{'publish': ['x'], 'subscribe': ['y'], 'when': {'retain': "
     "true}}]}}}",
     "is about publish"},
    {"{'roles': {'a': {'allow': [{'when': {'qos': {'max': 1}}}]}}}",
     "a rule needs at least one of publish"},
};

START_TEST(errors)
{
    ck_assert_msg(compile(bad[_i].json) == NULL, "%s", bad[_i].json);
    ck_assert_msg(strstr(snippet_error(&snippet), bad[_i].error) != NULL, "%s: %s", bad[_i].json,
                  snippet_error(&snippet));
    snippet_close(&snippet);
}
END_TEST

/* A role that nobody defines has no table to be looked up in. */
START_TEST(an_include_of_nobody_is_no_crash)
{
    const struct adu_acl *acl = acl_of("{'roles': {'a': {'includes': ['zzz']}}}");
    struct adu_login login = {.why = ADU_REASON_INIT};
    give(&login, "a");
    ck_assert(adu_acl_bind(acl, &(struct adu_attributes){0}, &login));
    snippet_close(&snippet);
}
END_TEST

/* --- conditions and watching --- */

static const char plant[] =
    "{'time_zone': 'UTC', 'roles': {"
    " 'a': {'allow': [{'publish': ['t/#'], 'when': {'qos': {'max': 1}}}, {'publish': ['n/#'], "
    "'when': {'networks': ['10.0.0.0/8']}}],"
    "       'deny': [{'publish': ['t/retained/#'], 'when': {'retain': true}},"
    "                {'publish': ['n/guest'], 'when': {'networks': ['10.9.0.0/16']}},"
    "                {'name': 'soon', 'mode': 'watch', 'publish': ['t/old/#', 'x/old']}]},"
    " 'w': {'mode': 'watch', 'allow': [{'publish': ['w/ok']}], 'deny': [{'publish': ['w/ok']}, "
    "{'publish': ['t/w']}]}}}";

static const struct {
    const char *roles, *topic;
    int qos;
    bool retain;
    const char *address;
    enum adu_verdict verdict;
    bool watched;
    const char *why;
} asked[] = {
    {"a", "t/x", 1, false, NULL, ADU_ALLOW, false, NULL},
    {"a", "t/x", 2, false, NULL, ADU_DENY, false, "no rule grants it"},
    {"a", "t/retained/x", 0, false, NULL, ADU_ALLOW, false, NULL},
    {"a", "t/retained/x", 0, true, NULL, ADU_DENY, false, "denied by a rule"},
    {"a", "n/x", 0, false, "10.1.2.3", ADU_ALLOW, false, NULL},
    {"a", "n/x", 0, false, "11.1.2.3", ADU_DENY, false, "no rule grants it"},
    {"a", "n/x", 0, false, NULL, ADU_DENY, false,
     "no rule grants it"}, /* not known: not granted ... */
    {"a", "n/guest", 0, false, "10.1.2.3", ADU_ALLOW, false, NULL},
    {"a", "n/guest", 0, false, "10.9.2.3", ADU_DENY, false, "denied by a rule"},
    {"a", "n/guest", 0, false, NULL, ADU_DENY, false, "denied by a rule"}, /* ... but denied */
    /* a watched deny says so where it would change something */
    {"a", "t/old/x", 0, false, NULL, ADU_DENY, true, "denied by the rule \"soon\""},
    {"a", "t/old/x", 2, false, NULL, ADU_DENY, false, "no rule grants it"},
    {"a", "x/old", 0, false, NULL, ADU_DENY, false, "no rule grants it"},
    /* a watched role refuses nothing to those who have it, and a real deny of another role stands
     */
    {"w", "anything", 0, false, NULL, ADU_DENY, true, "no rule grants it"},
    {"w", "w/ok", 0, false, NULL, ADU_DENY, true, "denied by a rule"},
    {"a w", "t/x", 0, false, NULL, ADU_ALLOW, false, NULL},
    {"a w", "t/w", 0, false, NULL, ADU_DENY, true, "denied by a rule"},
    {"a w", "t/retained/x", 0, true, NULL, ADU_DENY, false, "denied by a rule"},
    {"a w", "t/x", 2, false, NULL, ADU_DENY, true, "no rule grants it"},
    {"", "t/x", 0, false, NULL, ADU_DENY, false, "no roles"},
};

START_TEST(decisions)
{
    struct asker asker;
    struct adu_reason why = ADU_REASON_INIT;
    const struct adu_acl *acl = acl_of(plant);
    asker_make(&asker, snippet.vocabulary, "", asked[_i].roles);
    asker.subject.address = adu_address_of(asked[_i].address);
    const struct adu_request request = {.action = ADU_PUBLISH,
                                        .topic = adu_text_of(asked[_i].topic),
                                        .qos = (uint8_t)asked[_i].qos,
                                        .retain = asked[_i].retain,
                                        .subject = &asker.subject};
    ck_assert_int_eq(adu_acl_decide(acl, &request, &why), asked[_i].verdict);
    ck_assert_int_eq(why.watched, asked[_i].watched);
    if (asked[_i].why != NULL) {
        ck_assert_msg(strstr(why_text("", &why), asked[_i].why) != NULL, "%s", why_text("", &why));
    }
    asker_free(&asker);
    snippet_close(&snippet);
}
END_TEST

/* Role r0 includes r1, that one r2, and so on; or r0 includes them all. */
static const struct {
    int others;
    bool chained;
    const char *error; /* NULL: it compiles */
} many[] = {
    {1000, true, NULL},
    {1001, true, "acl.json:1:"},
    {1001, true, "includes: the role ends a chain by which one includes more than 1000 others"},
    {20000, true, "at most 1000 are allowed"},
    {1000, false, NULL},
    {1001, false, "roles.r0.includes: the role includes 1001 others, near and far; at most 1000"},
};

START_TEST(a_role_includes_a_thousand_others_and_no_more)
{
    char *json = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&json, &size);
    ck_assert_ptr_nonnull(out);
    fputs("{'roles': {'r0': {'includes': ['r1'", out);
    for (int i = 1; i <= many[_i].others; i++) {
        fprintf(out, many[_i].chained ? "]}, 'r%d': {'includes': [" : ", 'r%d'", i);
        if (many[_i].chained && i < many[_i].others) {
            fprintf(out, "'r%d'", i + 1);
        }
    }
    fputs("]}", out);
    for (int i = 1; !many[_i].chained && i <= many[_i].others; i++) {
        fprintf(out, ", 'r%d': {}", i);
    }
    fputs("}}", out);
    ck_assert_int_eq(fclose(out), 0);
    const bool compiles = compile(json) != NULL;
    ck_assert_int_eq(compiles, many[_i].error == NULL);
    if (!compiles) {
        ck_assert_msg(strstr(snippet_error(&snippet), many[_i].error) != NULL, "%s",
                      snippet_error(&snippet));
    }
    snippet_close(&snippet);
    free(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acl_language");
    suite_add_rows(suite, whoever_has_a_role_has_what_it_includes, ROWS(included));
    suite_add_rows(suite, errors, ROWS(bad));
    suite_add(suite, an_include_of_nobody_is_no_crash);
    suite_add_rows(suite, a_role_includes_a_thousand_others_and_no_more, ROWS(many));
    suite_add_rows(suite, decisions, ROWS(asked));
    return run_suite(suite);
}
