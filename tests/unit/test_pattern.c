/* Patterns of the policy: they fit a whole value or nothing, and none can hold the broker up. */
#include "common/pattern.h"
#include "common/topic.h"
#include "snippet.h"
#include <time.h>

static const struct adu_pattern *compile(struct snippet *s, const char *text)
{
    snippet_open(s, "t.json", "{'pattern': 'x'}");
    return adu_pattern_compile(s->arena, text, s->root->first, &s->error);
}

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct {
    const char *pattern;
    struct adu_text value;
    const char *found; /* NULL: does not match */
} matches[] = {
    {"linea1", BYTES("linea1"), "linea1"},
    {"linea1", BYTES("linea10"), NULL},
    {"linea1", BYTES("xlinea1"), NULL},
    {"linea1", BYTES("Linea1"), NULL},
    {"linea1", BYTES(""), NULL},
    {".*", BYTES(""), ""},
    /* Alternatives are whole values too, however they are written. */
    {"a|b", BYTES("a"), "a"},
    {"a|b", BYTES("b"), "b"},
    {"a|b", BYTES("ab"), NULL},
    {"a|b", BYTES("ax"), NULL},
    {"a|b", BYTES("xb"), NULL},
    {"a|ab", BYTES("ab"), "ab"},
    {"^a|b$", BYTES("ax"), NULL},
    {"^a|b$", BYTES("xb"), NULL},
    {"|a", BYTES("b"), NULL},
    {"a|", BYTES("ab"), NULL},
    /* Nothing in a pattern lets go of the ends. */
    {"a$", BYTES("a\n"), NULL},
    {"a", BYTES("a\n"), NULL},
    {"a\\Z", BYTES("a\n"), NULL},
    {"(?m)a$", BYTES("a\nb"), NULL},
    {"(?m)^b", BYTES("a\nb"), NULL},
    {".*", BYTES("a\nb"), NULL},
    {"(?s).*", BYTES("a\nb"), "a\nb"},
    {"a(*ACCEPT)b", BYTES("axx"), NULL},
    {"a(*ACCEPT)b", BYTES("a"), "a"},
    {"a(*COMMIT)b|.*", BYTES("ac"), NULL},
    {"(?=edge).*", BYTES("edge-1"), "edge-1"},
    {"edge-\\Klinea", BYTES("edge-linea"), "linea"},
    {"a.*?", BYTES("abc"), "abc"},
    /* The first group is what is taken. */
    {"edge-(linea[0-9]+)", BYTES("edge-linea1"), "linea1"},
    {"edge-(linea[0-9]+)", BYTES("edge-lineaX"), NULL},
    {"edge-(linea[0-9]+)", BYTES("edge-linea1-linea2"), NULL},
    {"edge-(?:a|b)-(x)", BYTES("edge-a-x"), "x"},
    {"(a)(b)", BYTES("ab"), "a"},
    {"(?<n>a)b", BYTES("ab"), "a"},
    {"(?:(a)|b)c", BYTES("ac"), "a"},
    {"(?:(a)|b)c", BYTES("bc"), NULL}, /* the group took no part */
    {"(?:b|(a))(c)", BYTES("bc"), NULL},
    {"(a?)b", BYTES("b"), ""},
    {"([a-z])+", BYTES("abc"), "c"},
    /* Characters are Unicode's. */
    {"l.nea", BYTES("l\xc3\xadnea"), "l\xc3\xadnea"},
    {"\\w+",
     BYTES("\xc3\xb1"
           "and\xc3\xba"),
     "\xc3\xb1"
     "and\xc3\xba"},
    {"(?i)\xc3\x91", BYTES("\xc3\xb1"), "\xc3\xb1"},
    {"[a-z]+", BYTES("\xc3\xb1"), NULL},
    {"..", BYTES("\xc3\xb1"), NULL},
    {"\xc3\xb1", BYTES("n\xcc\x83"), NULL}, /* composed or not, bytes are what counts */
    /* What is no text fits nothing. */
    {".*", BYTES("\xff"), NULL},
    {".*", BYTES("a\xc3"), NULL},
    {".*", BYTES("\xc0\xaf"), NULL},
    {".*", BYTES("\xed\xa0\x80"), NULL},
    {".*", BYTES("\xf4\x90\x80\x80"), NULL},
    {"a", BYTES("a\xff"), NULL},
    /* A NUL does not end a value. */
    {"a", BYTES("a\0b"), NULL},
    {"(?s)a.b", BYTES("a\0b"), "a\0b"},
};

START_TEST(whole_values)
{
    struct snippet s;
    struct adu_capture found = {0};
    const struct adu_text value = matches[_i].value;
    const char *expected = matches[_i].found;
    const struct adu_pattern *p = compile(&s, matches[_i].pattern);
    ck_assert_msg(p != NULL, "%s", snippet_error(&s));
    const bool good = adu_pattern_matches(p, value.bytes, value.length, &found);
    ck_assert_msg(good == (expected != NULL), "%s and \"%s\"", matches[_i].pattern, value.bytes);
    if (good) {
        ck_assert_msg(strncmp(found.text, expected, found.length) == 0 &&
                          (found.length == strlen(expected) || found.length == value.length),
                      "%s found \"%.*s\" in \"%s\"", matches[_i].pattern, (int)found.length,
                      found.text, value.bytes);
        ck_assert(found.text >= value.bytes &&
                  found.text + found.length <= value.bytes + value.length);
        ck_assert(adu_pattern_matches(p, value.bytes, value.length, NULL));
    }
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *pattern, *error;
} refused[] = {
    {"(", "t.json:1:13: pattern: not a pattern: missing closing parenthesis at character 1 of ("},
    {"a)", "not a pattern: unmatched closing parenthesis"},
    {"[a", "not a pattern: missing terminating ]"},
    {"*", "not a pattern: quantifier does not follow a repeatable item"},
    {"a{2,1}", "not a pattern: numbers out of order"},
    {"\\", "not a pattern: \\ at end of pattern"},
    {"\\C", "not a pattern: "},  /* half a character */
    {"\xff", "not a pattern: "}, /* no text */
    {"\\x{d800}", "not a pattern: "},
    {"(?<=a*)b", "not a pattern: "},
    {"(?1)", "not a pattern: "},
    {"(?C1)x(?<n", "not a pattern: "},
    {"(a){65536}", "not a pattern: "},
};

START_TEST(refuses)
{
    struct snippet s;
    ck_assert_ptr_null(compile(&s, refused[_i].pattern));
    ck_assert_msg(strstr(snippet_error(&s), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].pattern, snippet_error(&s));
    snippet_close(&s);
}
END_TEST

START_TEST(longest)
{
    struct snippet s;
    char text[1026];
    memset(text, 'a', sizeof text);
    text[1024] = '\0';
    ck_assert_ptr_nonnull(compile(&s, text));
    snippet_close(&s);
    text[1024] = 'a';
    text[1025] = '\0';
    ck_assert_ptr_null(compile(&s, text));
    ck_assert_str_eq(snippet_error(&s), "t.json:1:13: pattern: a pattern has at most 1024 bytes");
    snippet_close(&s);
}
END_TEST

/* Patterns that try every way there is, with and without just-in-time code, and such as ask for
 * more than they are given. */
static const char *const explosive[] = {
    "(a+)+b",
    "(a*)*b",
    "(a|aa)+b",
    "(a|a?)+b",
    "(.*)*(.*)*(.*)*b",
    "(*NO_JIT)(a+)+b",
    "(*NO_JIT)(a|aa)+b",
    "(*NO_JIT)(?:(?:a*)*)*b",
    "(*LIMIT_MATCH=4000000000)(*LIMIT_DEPTH=4000000000)(*LIMIT_HEAP=4000000000)(*NO_JIT)(a+)+b",
    "(?:a?){50}a{50}b",
    "((?:a|b)*?)*c",
    "(?:(?=(a+))a*)*b",
    "(a(?1)?a?)*b",
    "(?R)?a|b",
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(limits)
{
    struct snippet s;
    static char value[4097];
    memset(value, 'a', sizeof value - 1);
    const struct adu_pattern *p = compile(&s, explosive[_i]);
    ck_assert_msg(p != NULL, "%s", snippet_error(&s));
    const double start = seconds();
    for (int i = 0; i < 20; i++) {
        ck_assert(!adu_pattern_matches(p, value, sizeof value - 1, NULL));
    }
    /* Some milliseconds at most; without limits it would be years. */
    ck_assert_msg((seconds() - start) / 20 < 0.25, "%s takes %.3f s", explosive[_i],
                  (seconds() - start) / 20);
    /* A match that was given up leaves nothing behind. */
    ck_assert(!adu_pattern_matches(p, "", 0, NULL));
    snippet_close(&s);
}
END_TEST

/* What a sane policy asks of long values is within the limits. */
START_TEST(long_values)
{
    static const char *const sane[] = {"a+", "[a-z0-9-]+", "(?:[a-z]{1,63}\\.?)+", "(a*)",
                                       "(*NO_JIT)[a-z]+"};
    struct snippet s;
    char value[1025];
    memset(value, 'a', sizeof value - 1);
    const struct adu_pattern *p = compile(&s, sane[_i]);
    ck_assert_msg(adu_pattern_matches(p, value, sizeof value - 1, NULL), "%s", sane[_i]);
    snippet_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pattern");
    suite_add_rows(suite, whole_values, ROWS(matches));
    suite_add_rows(suite, refuses, ROWS(refused));
    suite_add(suite, longest);
    suite_add_rows(suite, limits, ROWS(explosive));
    suite_add_rows(suite, long_values, 5);
    return run_suite(suite);
}
