/* Text with ${attribute} in it: what it asks for, and that it says nothing where a value is not
 * one plain value. */
#include "asker.h"
#include "common/template.h"

static const struct adu_template *compile(struct snippet *s, const char *text,
                                          const char *const *names)
{
    snippet_open(s, "t.json", "{'username': 'x'}");
    return adu_template_compile(&s->c, text, s->root->first, names);
}

/* `text` NULL: it cannot be told, for want of `missing` (NULL: of room, which is 16 bytes). */
static const struct {
    const char *template, *values, *text, *missing;
} expansions[] = {
    {"linea1", "", "linea1", NULL},
    {"${linea}", "linea=linea1", "linea1", NULL},
    {"edge-${linea}", "linea=linea1", "edge-linea1", NULL},
    {"${linea}-edge", "linea=linea1", "linea1-edge", NULL},
    {"${a}${b}", "a=1;b=2", "12", NULL},
    {"${a}.${a}", "a=1", "1.1", NULL},
    {"${cert.cn}", "cert.cn=x;cn=y", "x", NULL},
    {"$", "", "$", NULL},
    {"$linea", "linea=1", "$linea", NULL},
    {"$$${a}", "a=1", "$$1", NULL},
    {"{a}", "a=1", "{a}", NULL},
    {"a}", "a=1", "a}", NULL},
    {"${a}}", "a=1", "1}", NULL},
    /* What a value holds is not read again. */
    {"${a}", "a=${b};b=2", "${b}", NULL},
    {"${a}", "a=${a}", "${a}", NULL},
    {"${a}", "a=%s%n", "%s%n", NULL},
    /* Neither nobody's nor two people's. */
    {"${linea}", "", NULL, "linea"},
    {"${linea}", "linea=", NULL, "linea"},
    {"edge-${linea}", "linea=", NULL, "linea"},
    {"${linea}", "linea=1;linea=2", NULL, "linea"},
    {"${linea}", "linea=1;linea=1", NULL, "linea"},
    {"${linea}", "Linea=1;line=2;lineaa=3", NULL, "linea"},
    {"${a}${b}", "a=1", NULL, "b"},
    {"${a}${b}", "b=1", NULL, "a"},
    /* A name that is cut would be somebody else's. */
    {"${a}", "a=123456789012345", "123456789012345", NULL},
    {"${a}", "a=1234567890123456", NULL, NULL},
    {"1234567890123456", "", NULL, NULL},
    {"${a}x", "a=123456789012345", NULL, NULL},
    {"${a}${b}", "a=12345678;b=12345678", NULL, NULL},
};

START_TEST(expands)
{
    struct snippet s;
    struct adu_attributes values = {0};
    char room[32];
    const char *missing = "unset";
    const struct adu_template *t = compile(&s, expansions[_i].template, NULL);
    ck_assert_msg(t != NULL, "%s", snippet_error(&s));
    snippet_compiled(&s);
    attributes_of(&values, expansions[_i].values);
    memset(room, 'X', sizeof room);
    const bool good = adu_template_expand(t, &values, room, 16, &missing);
    ck_assert_msg(good == (expansions[_i].text != NULL), "%s with %s", expansions[_i].template,
                  expansions[_i].values);
    if (good) {
        ck_assert_str_eq(room, expansions[_i].text);
    }
    ck_assert_msg(room[16] == 'X', "written beyond the end");
    ck_assert_pstr_eq(missing, expansions[_i].missing);
    adu_attributes_clear(&values);
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *template, *error;
} refused[] = {
    {"${", "t.json:1:14: username: \"${\" needs a name and a \"}\""},
    {"${}", "\"${\" needs a name and a \"}\""},
    {"x${linea", "\"${\" needs a name and a \"}\""},
    {"${kind}${", "\"${\" needs a name and a \"}\""},
    {"${other}", "t.json:1:14: username: ${other} is not known here"},
    {"${kind}/${Kind}", "${Kind} is not known here"},
    {"${kind }", "${kind } is not known here"},
    {"${ki${kind}", "${ki${kind} is not known here"},
};

START_TEST(refuses)
{
    static const char *const names[] = {"kind", "client_id", NULL};
    struct snippet s;
    ck_assert_ptr_null(compile(&s, refused[_i].template, names));
    ck_assert_msg(strstr(snippet_error(&s), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].template, snippet_error(&s));
    snippet_close(&s);
}
END_TEST

/* Without a list of names the policy decides: a name that nothing defines is an error then. */
START_TEST(tells_the_vocabulary)
{
    struct snippet s;
    ck_assert_ptr_nonnull(compile(&s, "${linea}-${cert.cn}", NULL));
    ck_assert_uint_eq(adu_vocabulary_attributes(s.c.vocabulary), 2);
    ck_assert(!adu_vocabulary_check(s.c.vocabulary, true, &s.error));
    ck_assert_str_eq(snippet_error(&s), "t.json:1:14: the attribute \"linea\" is defined nowhere");
    snippet_close(&s);
}
END_TEST

START_TEST(names_of_its_own_stay_out_of_the_vocabulary)
{
    static const char *const names[] = {"kind", NULL};
    struct snippet s;
    ck_assert_ptr_nonnull(compile(&s, "a/${kind}", names));
    ck_assert_uint_eq(adu_vocabulary_attributes(s.c.vocabulary), 0);
    snippet_close(&s);
}
END_TEST

START_TEST(replaces)
{
    struct snippet s;
    char filter[16];
    const struct adu_template *t = compile(&s, "p/${kind}/${client_id}", NULL);
    ck_assert(adu_template_replace(t, "+", filter, sizeof filter));
    ck_assert_str_eq(filter, "p/+/+");
    ck_assert(adu_template_replace(t, "123456", filter, sizeof filter));
    ck_assert_str_eq(filter, "p/123456/123456");
    ck_assert(!adu_template_replace(t, "1234567", filter, sizeof filter));
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *text;
    size_t length;
} name_lengths[] = {
    {"", 0},
    {"a", 0},
    {"$", 0},
    {"$a}", 0},
    {"a${b}", 0},
    {"${a}", 1},
    {"${linea}/x", 5},
    {"${a}${bc}", 1},
    {"${a b}", 3},
    {"${", (size_t)-1},
    {"${}", (size_t)-1},
    {"${a", (size_t)-1},
};

START_TEST(names)
{
    ck_assert_uint_eq(adu_template_name(name_lengths[_i].text), name_lengths[_i].length);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("template");
    suite_add_rows(suite, expands, ROWS(expansions));
    suite_add_rows(suite, refuses, ROWS(refused));
    suite_add(suite, tells_the_vocabulary);
    suite_add(suite, names_of_its_own_stay_out_of_the_vocabulary);
    suite_add(suite, replaces);
    suite_add_rows(suite, names, ROWS(name_lengths));
    return run_suite(suite);
}
