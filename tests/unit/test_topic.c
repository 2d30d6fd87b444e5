/* Topics by hand: what is well formed, what is shared, what a pattern matches and contains. */
#include "common/topic.h"
#include "snippet.h"

/* A string whose NUL bytes count. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct {
    struct adu_text text;
    bool name, filter;
} valid[] = {
    {BYTES("planta/linea1/temperatura"), true, true},
    {BYTES("a"), true, true},
    {BYTES("/"), true, true},
    {BYTES("//"), true, true},
    {BYTES("/a"), true, true},
    {BYTES("a/"), true, true},
    {BYTES("$SYS/broker"), true, true},
    {BYTES("a b/ \xc3\xb1/\xe6\xb8\xa9"), true, true},
    {BYTES("a/\xf0\x9f\x8c\xa1"), true, true},
    {BYTES("a/\xef\xbb\xbf"), true, true}, /* U+FEFF is not to be left out */
    {BYTES("a/\xef\xbf\xbf"), true, true}, /* U+FFFF: a non-character is valid UTF-8 */
    {BYTES(""), false, false},
    {BYTES("a\0b"), false, false},
    {BYTES("\0"), false, false},
    {BYTES("a/\xff"), false, false},
    {BYTES("a/\xc3"), false, false},
    {BYTES("a/\xc0\xaf"
           "b"),
     false, false},
    {BYTES("a/\xed\xa0\x80"), false, false},
    {BYTES("a/\xf4\x90\x80\x80"), false, false},
    {BYTES("+"), false, true},
    {BYTES("#"), false, true},
    {BYTES("+/+"), false, true},
    {BYTES("a/+/c"), false, true},
    {BYTES("a/#"), false, true},
    {BYTES("+/#"), false, true},
    {BYTES("/#"), false, true},
    {BYTES("/+"), false, true},
    {BYTES("$share/g/a/#"), false, true},
    {BYTES("a/#/b"), false, false},
    {BYTES("#/a"), false, false},
    {BYTES("#/"), false, false},
    {BYTES("a#"), false, false},
    {BYTES("a/b#"), false, false},
    {BYTES("##"), false, false},
    {BYTES("a+"), false, false},
    {BYTES("+a/b"), false, false},
    {BYTES("++"), false, false},
    {BYTES("a/+b/c"), false, false},
    {BYTES("+#"), false, false},
};

START_TEST(well_formed)
{
    const struct adu_text text = valid[_i].text;
    ck_assert_msg(adu_topic_name_valid(text) == valid[_i].name, "the name \"%s\"", text.bytes);
    ck_assert_msg(adu_topic_filter_valid(text) == valid[_i].filter, "the filter \"%s\"",
                  text.bytes);
}
END_TEST

START_TEST(longest)
{
    static char text[ADU_TOPIC_MOST_BYTES + 2];
    memset(text, 'a', sizeof text - 1);
    ck_assert(!adu_topic_name_valid(adu_text_of(text)));
    ck_assert(!adu_topic_filter_valid(adu_text_of(text)));
    text[ADU_TOPIC_MOST_BYTES] = '\0';
    ck_assert(adu_topic_name_valid(adu_text_of(text)));
    memset(text, '/', ADU_TOPIC_MOST_BYTES);
    ck_assert(adu_topic_filter_valid(adu_text_of(text)));
    ck_assert_uint_eq(adu_topic_levels(adu_text_of(text)), ADU_TOPIC_MOST_BYTES + 1);
}
END_TEST

static const struct {
    const char *topic;
    const char *levels[5]; /* NULL-ended */
} cut[] = {
    {"a", {"a"}},         {"a/b", {"a", "b"}},     {"", {""}},        {"/", {"", ""}},
    {"//", {"", "", ""}}, {"/a", {"", "a"}},       {"a/", {"a", ""}}, {"a//b", {"a", "", "b"}},
    {"+/#", {"+", "#"}},  {"a b/c", {"a b", "c"}},
};

START_TEST(cut_into_levels)
{
    struct adu_text rest = adu_text_of(cut[_i].topic), level;
    size_t count = 0;
    while (adu_topic_next_level(&rest, &level)) {
        ck_assert_ptr_nonnull(cut[_i].levels[count]);
        ck_assert(adu_text_is(level, cut[_i].levels[count]));
        count++;
    }
    ck_assert_ptr_null(cut[_i].levels[count]);
    ck_assert_ptr_null(rest.bytes);
    ck_assert_uint_eq(adu_topic_levels(adu_text_of(cut[_i].topic)), count);
}
END_TEST

static const struct {
    const char *filter, *group, *inner; /* `inner` NULL: not well formed */
} shares[] = {
    {"a/b", "", "a/b"},
    {"$share/g/a/b", "g", "a/b"},
    {"$share/g/#", "g", "#"},
    {"$share/g/+", "g", "+"},
    {"$share/g//", "g", "/"},
    {"$share/g/$share/h/a", "g", "$share/h/a"},
    {"$share/g/$SYS/#", "g", "$SYS/#"},
    {"$share", "", NULL},
    {"$share/", "", NULL},
    {"$share/g", "", NULL},
    {"$share/g/", "", NULL},
    {"$share//a", "", NULL},
    {"$share/+/a", "", NULL},
    {"$share/#", "", NULL},
    {"$share/g+/a", "", NULL},
    {"$share/g#/a", "", NULL},
    {"$shared/g/a", "", "$shared/g/a"},
    {"$SHARE/g/a", "", "$SHARE/g/a"},
    {"x/$share/g/a", "", "x/$share/g/a"},
    {"/$share/g/a", "", "/$share/g/a"},
};

START_TEST(shared_subscriptions)
{
    struct adu_text group, inner;
    const bool good = adu_topic_unshare(adu_text_of(shares[_i].filter), &group, &inner);
    ck_assert_msg(good == (shares[_i].inner != NULL), "%s", shares[_i].filter);
    if (good) {
        ck_assert_msg(adu_text_is(group, shares[_i].group), "%s", shares[_i].filter);
        ck_assert_msg(adu_text_is(inner, shares[_i].inner), "%s", shares[_i].filter);
    } else { /* what a log says of it is what was sent */
        ck_assert_msg(group.length == 0 && adu_text_is(inner, shares[_i].filter), "%s",
                      shares[_i].filter);
    }
}
END_TEST

/* --- patterns -----------------------------------------------------------------------------------
 */

/* ${linea} is `value`; MATCHES the topic, or CONTAINS the filter. */
static const struct {
    const char *pattern, *value;
    enum { MATCHES, CONTAINS } what;
    const char *other;
    bool yes;
} relations[] = {
    {"a/b", NULL, MATCHES, "a/b", true},
    {"a/b", NULL, MATCHES, "a/B", false},
    {"a/b", NULL, MATCHES, "a/bb", false},
    {"a/b", NULL, MATCHES, "a", false},
    {"a/b", NULL, MATCHES, "a/b/", false},
    {"a/#", NULL, MATCHES, "a", true},
    {"a/#", NULL, MATCHES, "a/", true},
    {"a/#", NULL, MATCHES, "a/b/c", true},
    {"a/#", NULL, MATCHES, "ab", false},
    {"a/+", NULL, MATCHES, "a/", true},
    {"a/+", NULL, MATCHES, "a", false},
    {"+", NULL, MATCHES, "a", true},
    {"+", NULL, MATCHES, "/a", false},
    {"+/+", NULL, MATCHES, "/a", true},
    {"#", NULL, MATCHES, "a/b", true},
    {"#", NULL, MATCHES, "$SYS/broker", false},
    {"+/broker", NULL, MATCHES, "$SYS/broker", false},
    {"$SYS/#", NULL, MATCHES, "$SYS/broker", true},
    {"$SYS/#", NULL, MATCHES, "$SYS", true},
    {"$SYS/+", NULL, MATCHES, "$SYS/broker", true},
    {"a/+", NULL, MATCHES, "a/$b", true},
    {"p/${linea}/+", "linea1", MATCHES, "p/linea1/t", true},
    {"p/${linea}/+", "linea1", MATCHES, "p/linea10/t", false},
    {"p/${linea}/+", "linea1", MATCHES, "p/${linea}/t", false},
    {"p/${linea}/+", NULL, MATCHES, "p/linea1/t", false},
    {"p/${linea}/+", NULL, MATCHES, "p//t", false},
    {"${linea}/#", "$SYS", MATCHES, "$SYS/broker", false},
    {"p/${linea}", "$SYS", MATCHES, "p/$SYS", true},
    {"#", NULL, CONTAINS, "#", true},
    {"+/#", NULL, CONTAINS, "#", true},
    {"+/+/#", NULL, CONTAINS, "#", false},
    {"#", NULL, CONTAINS, "$SYS/#", false},
    {"$SYS/#", NULL, CONTAINS, "$SYS/#", true},
    {"$SYS/#", NULL, CONTAINS, "#", false},
    {"a/#", NULL, CONTAINS, "a", true},
    {"a/#", NULL, CONTAINS, "a/#", true},
    {"a/#", NULL, CONTAINS, "a/+/#", true},
    {"a/#", NULL, CONTAINS, "+/#", false},
    {"a/+/#", NULL, CONTAINS, "a/#", false},
    {"a/+/#", NULL, CONTAINS, "a/+/b", true},
    {"a/+", NULL, CONTAINS, "a/+", true},
    {"a/+", NULL, CONTAINS, "a/#", false},
    {"a/+", NULL, CONTAINS, "a/b", true},
    {"a/b", NULL, CONTAINS, "a/+", false},
    {"+/t", NULL, CONTAINS, "+/+", false},
    {"p/${linea}/#", "linea1", CONTAINS, "p/linea1/#", true},
    {"p/${linea}/#", "linea1", CONTAINS, "p/linea2/#", false},
    {"p/${linea}/#", "linea1", CONTAINS, "p/+/#", false},
    {"p/${linea}/#", "+", CONTAINS, "p/+/#", false}, /* a value is a literal, whatever it is */
    {"p/${linea}/#", NULL, CONTAINS, "p/linea1/#", false},
    {"p/+/#", NULL, CONTAINS, "p/${linea}/#", true},
    {"+/#", NULL, CONTAINS, "$SYS", false},
};

START_TEST(pattern_relations)
{
    struct snippet s;
    char json[128];
    snprintf(json, sizeof json, "['%s', 'x']", relations[_i].pattern);
    snippet_open(&s, "t.json", json);
    const struct adu_topic_pattern *p = adu_topic_pattern_compile(&s.c, s.root->first);
    ck_assert_msg(p != NULL, "%s", snippet_error(&s));
    snippet_compiled(&s);
    const char *const values[] = {relations[_i].value};
    const struct adu_text other = adu_text_of(relations[_i].other);
    const bool yes = relations[_i].what == MATCHES ? adu_topic_pattern_matches(p, other, values)
                                                   : adu_topic_pattern_contains(p, other, values);
    ck_assert_msg(yes == relations[_i].yes, "\"%s\" %s \"%s\"", relations[_i].pattern,
                  relations[_i].what == MATCHES ? "matches" : "contains", relations[_i].other);
    ck_assert_str_eq(adu_topic_pattern_place(p)->file, "t.json");
    ck_assert_uint_eq(adu_topic_pattern_place(p)->line, 1);
    ck_assert_uint_eq(adu_topic_pattern_place(p)->column, 2);
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *json, *error;
} refused[] = {
    {"['']", "t.json:1:2: [0]: expected a topic pattern"},
    {"['a/#/b']", "expected a topic pattern"},
    {"['a/b+']", "expected a topic pattern"},
    {"[1]", "expected a topic pattern"},
    {"[['a']]", "expected a topic pattern"},
    {"['$share/g/a']", "leave out $share/<group>/"},
    {"['$share']", "leave out $share/<group>/"},
    {"['p/x${linea}/a']", "${attribute} must be a whole level"},
    {"['p/${linea}x/a']", "${attribute} must be a whole level"},
    {"['p/${linea}${b}/a']", "${attribute} must be a whole level"},
    {"['p/${linea/a']", "${attribute} must be a whole level"},
    {"['p/${}/a']", "${attribute} must be a whole level"},
    {"['p/${a/b}']", "${attribute} must be a whole level"},
};

START_TEST(patterns_refused)
{
    struct snippet s;
    snippet_open(&s, "t.json", refused[_i].json);
    ck_assert_ptr_null(adu_topic_pattern_compile(&s.c, s.root->first));
    ck_assert_msg(strstr(snippet_error(&s), refused[_i].error) != NULL, "%s: %s", refused[_i].json,
                  snippet_error(&s));
    snippet_close(&s);
}
END_TEST

START_TEST(pattern_of_a_text)
{
    struct adu_arena *arena = adu_arena_new();
    const struct adu_topic_pattern *p = adu_topic_pattern_of(arena, "planta/+/x");
    ck_assert_ptr_nonnull(p);
    ck_assert(adu_topic_pattern_matches(p, adu_text_of("planta/a/x"), NULL));
    ck_assert(!adu_topic_pattern_matches(p, adu_text_of("planta/a/y"), NULL));
    ck_assert_ptr_null(adu_topic_pattern_of(arena, "planta/+x"));
    ck_assert_ptr_null(adu_topic_pattern_of(arena, ""));
    adu_arena_free(arena);
}
END_TEST

static const struct {
    const char *value;
    bool good;
} level_values[] = {
    {"linea1", true},    {"a b", true},  {"$SYS", true},  {"\xc3\xb1", true}, {"${x}", true},
    {"", false},         {"a/b", false}, {"/", false},    {"+", false},       {"a+", false},
    {"#", false},        {"x#y", false}, {"a\nb", false}, {"\x1f", false},    {"\x7f", false},
    {"\xc2\x85", false}, /* U+0085 is a control character too */
};

START_TEST(values_that_can_be_a_level)
{
    ck_assert_msg(adu_topic_level_value(level_values[_i].value) == level_values[_i].good, "\"%s\"",
                  level_values[_i].value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topic");
    suite_add_rows(suite, well_formed, ROWS(valid));
    suite_add(suite, longest);
    suite_add_rows(suite, cut_into_levels, ROWS(cut));
    suite_add_rows(suite, shared_subscriptions, ROWS(shares));
    suite_add_rows(suite, pattern_relations, ROWS(relations));
    suite_add_rows(suite, patterns_refused, ROWS(refused));
    suite_add(suite, pattern_of_a_text);
    suite_add_rows(suite, values_that_can_be_a_level, ROWS(level_values));
    return run_suite(suite);
}
