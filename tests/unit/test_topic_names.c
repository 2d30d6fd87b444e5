/* What a level of a topic may be called. */
#include "plugins/topic_policy/names.h"
#include "snippet.h"

#define NAMES(keys) "{" keys "}"

#define UPPER   "upper-case letters are not allowed"
#define SPACES  "spaces are not allowed"
#define CONTROL "control, format and unassigned characters are not allowed"
#define OTHER   "a character outside \"characters\" is not allowed"
#define EMPTY   "an empty level is not allowed"
#define LONG    "a level has too many bytes"
#define NFC     "a letter and its accent must be one character (NFC)"
#define ALIKE                                                                                      \
    "it looks like another name: letters of several alphabets, or ones that stand for others"

/* `json` NULL: the file has no "names". End with snippet_close. */
static const struct adu_names *names_of(struct snippet *s, const char *json)
{
    snippet_open(s, "topic_policy.json", json != NULL ? json : "{}");
    const struct adu_names *names = adu_names_compile(&s->c, json != NULL ? s->root : NULL);
    ck_assert_msg(names != NULL, "%s", snippet_error(s));
    snippet_compiled(s);
    return names;
}

static const struct {
    const char *json, *level, *why; /* why NULL: it is legal */
} levels[] = {
    /* what holds when nothing is said */
    {NULL, "linea1", NULL},
    {NULL, "_sys", NULL}, /* reserved levels are topic_policy.h's */
    {NULL, "$x-1.2~!\"'`", NULL},
    {NULL, "l\xc3\xadnea\xc3\xb1", NULL},
    {NULL, "\xe6\x97\xa5\xe6\x9c\xac", NULL},
    {NULL, "\xc3\x9f\xc2\xaa", NULL}, /* sharp s, feminine ordinal */
    {NULL, "\xf0\x9f\x98\x80", NULL}, /* an emoji */
    {NULL, "", EMPTY},
    /* upper case of any script */
    {NULL, "Linea", UPPER},
    {NULL, "lineA", UPPER},
    {NULL, "Z", UPPER},
    {NULL, "@[", NULL}, /* the neighbours of A and Z */
    {NULL, "l\xc3\x8dnea", UPPER},
    {NULL, "\xc3\x91", UPPER},
    {NULL, "\xce\xa9", UPPER}, /* Omega */
    {NULL, "\xce\xa9x", UPPER},
    {NULL, "x\xd0\x96", UPPER},        /* Cyrillic Zhe */
    {NULL, "\xc7\x85", UPPER},         /* title case Dz */
    {NULL, "\xe1\xba\x9e", UPPER},     /* capital sharp s */
    {NULL, "\xef\xbc\xa1", UPPER},     /* full-width A */
    {NULL, "\xf0\x9d\x90\x80", UPPER}, /* mathematical bold A */
    {NAMES("'lowercase': false"), "Linea\xc3\x91\xc7\x85", NULL},
    {NAMES("'lowercase': false"), "Li nea", SPACES},
    /* spaces of any width */
    {NULL, " ", SPACES},
    {NULL, "a b", SPACES},
    {NULL, " a", SPACES},
    {NULL, "a ", SPACES},
    {NULL,
     "a\xc2\xa0"
     "b",
     SPACES},                        /* U+00A0 */
    {NULL, "\xe1\x9a\x80", SPACES},  /* U+1680 */
    {NULL, "a\xe2\x80\x83", SPACES}, /* U+2003 */
    {NULL, "\xe2\x80\xaf", SPACES},  /* U+202F */
    {NULL, "\xe2\x80\xa8", SPACES},  /* U+2028, the line separator */
    {NULL, "\xe2\x80\xa9", SPACES},  /* U+2029 */
    {NULL, "\xe3\x80\x80", SPACES},  /* U+3000 */
    {NAMES("'spaces': true"), "a b\xc2\xa0\xe3\x80\x80", NULL},
    {NAMES("'spaces': true"), "A b", UPPER},
    {NAMES("'spaces': true"), "a\tb", CONTROL},
    /* what cannot be seen */
    {NULL, "a\tb", CONTROL},
    {NULL, "\x01", CONTROL},
    {NULL, "a\n", CONTROL},
    {NULL, "\x7f", CONTROL},
    {NAMES("'spaces': true"), "\xc2\x85", CONTROL}, /* U+0085 */
    {NULL, "\xc2\x9f", CONTROL},
    {NULL, "a\xc2\xad", CONTROL},     /* soft hyphen */
    {NULL, "a\xe2\x80\x8b", CONTROL}, /* zero-width space */
    {NULL,
     "\xe2\x80\xae"
     "a",
     CONTROL}, /* turns the direction */
    {NULL,
     "\xef\xbb\xbf"
     "a",
     CONTROL},                           /* byte order mark */
    {NULL, "\xee\x80\x80", CONTROL},     /* private use */
    {NULL, "\xcd\xb8", CONTROL},         /* unassigned U+0378 */
    {NULL, "\xef\xbf\xbf", CONTROL},     /* noncharacter U+FFFF */
    {NULL, "\xf3\xa0\x81\xa1", CONTROL}, /* tag character U+E0061 */
    {NAMES("'spaces': true, 'lowercase': false"), "\xe2\x80\x8b", CONTROL},
    /* the plant's own characters */
    {NAMES("'characters': 'a-z0-9_-'"), "linea_1-a", NULL},
    {NAMES("'characters': 'a-z0-9_-'"), "a.b", OTHER},
    {NAMES("'characters': 'a-z0-9_-'"), "$x", OTHER},
    {NAMES("'characters': 'a-z0-9_-'"), "l\xc3\xadnea", OTHER},
    {NAMES("'characters': 'a-z0-9_-'"), "Linea", UPPER}, /* the better reason first */
    {NAMES("'characters': 'a-z0-9_-'"), "a b", SPACES},
    {NAMES("'characters': 'a-z0-9_-', 'lowercase': false"), "Linea", OTHER},
    {NAMES("'characters': 'a-z ', 'spaces': true"), "a b", NULL},
    {NAMES("'characters': 'a-z ', 'spaces': true"), "a\xc2\xa0", OTHER},
    {NAMES("'characters': 'a-z '"), "a b", SPACES}, /* each key holds by itself */
    {NAMES("'characters': 'a-z\xc3\xb1'"), "a\xc3\xb1o", NULL},
    {NAMES("'characters': 'a-z\xc3\xb1'"), "l\xc3\xadnea", OTHER},
    {NAMES("'characters': '\\\\p{Ll}'"), "l\xc3\xadnea", NULL},
    {NAMES("'characters': '\\\\p{Ll}'"), "linea1", OTHER},
    {NAMES("'characters': '^.'"), "linea1", NULL},
    {NAMES("'characters': '^.'"), "linea.1", OTHER},
    {NAMES("'characters': 'a-z'"), "", EMPTY},
    /* brackets and backslashes, escaped as patterns have it */
    {NAMES("'characters': 'a-z\\\\]0-9'"), "a]0", NULL},
    {NAMES("'characters': 'a-z\\\\]0-9'"), "a[0", OTHER},
    {NAMES("'characters': '\\\\]'"), "]]", NULL},
    {NAMES("'characters': '^\\\\]'"), "a]", OTHER},
    {NAMES("'characters': 'a[b'"), "a[b", NULL},
    {NAMES("'characters': 'a-z\\\\\\\\'"), "a\\", NULL},
    {NAMES("'characters': '\\\\\\\\\\\\]'"), "\\]", NULL},
    {NAMES("'characters': '[:lower:]_'"), "a_\xc3\xb1", NULL},
    {NAMES("'characters': '[:lower:]_'"), "a:", OTHER},
    {NAMES("'characters': '[:^digit:]'"), "a1", OTHER},
    {NAMES("'characters': '_[:alpha:][:digit:]'"), "_a1", NULL},
    /* blanks that are letters, and marks that nobody sees */
    {NULL, "a\xe3\x85\xa4", SPACES},     /* U+3164, the Hangul filler */
    {NULL, "\xe2\xa0\x80", SPACES},      /* U+2800, Braille without a dot */
    {NULL, "a\xef\xb8\x8f", CONTROL},    /* U+FE0F, a variation selector */
    {NULL, "a\xcd\x8f", CONTROL},        /* U+034F, the grapheme joiner */
    {NULL, "\xef\xb7\x90", CONTROL},     /* U+FDD0, a non-character */
    {NULL, "\xf4\x8f\xbf\xbf", CONTROL}, /* U+10FFFF */
    /* normal form C */
    {NULL, "ano\xcc\x81", NULL},
    {NAMES("'nfc': true"), "ano\xcc\x81", NFC},
    {NAMES("'nfc': true"), "an\xc3\xb3", NULL},
    {NAMES("'nfc': true"), "\xe2\x84\xaa", UPPER}, /* the Kelvin sign */
    {NAMES("'nfc': true, 'lowercase': false"), "\xe2\x84\xaa", NFC},
    {NAMES("'nfc': true"), "\xef\xbd\x81", NULL}, /* full-width a is in form C */
    /* look-alikes */
    {NULL, "temper\xd0\xb0tura", NULL},
    {NAMES("'lookalikes': 'allow'"), "temper\xd0\xb0tura", NULL},
    {NAMES("'lookalikes': 'refuse'"), "temper\xd0\xb0tura", ALIKE}, /* Cyrillic a */
    {NAMES("'lookalikes': 'flag'"), "temper\xd0\xb0tura", ALIKE},
    {NAMES("'lookalikes': 'refuse'"),
     "\xce\xbf"
     "xx",
     ALIKE}, /* Greek omicron */
    {NAMES("'lookalikes': 'refuse'"), "\xd0\xb0\xd1\x81\xd0\xb5",
     ALIKE}, /* all Cyrillic, reads "ace" */
    {NAMES("'lookalikes': 'refuse'"), "\xd1\x86\xd0\xb5\xd1\x85", NULL}, /* a Russian word */
    {NAMES("'lookalikes': 'refuse'"),
     "\xd1\x86\xd0\xb5\xd1\x85"
     "1",
     NULL},
    {NAMES("'lookalikes': 'refuse'"), "\xef\xbd\x81", ALIKE},     /* full-width a */
    {NAMES("'lookalikes': 'refuse'"), "\xef\xac\x81n", ALIKE},    /* the ligature fi */
    {NAMES("'lookalikes': 'refuse'"), "m\xc2\xb2", ALIKE},        /* superscript two */
    {NAMES("'lookalikes': 'refuse'"), "\xf0\x9d\x90\x9a", ALIKE}, /* mathematical bold a */
    {NAMES("'lookalikes': 'refuse'"), "a\xc3\xb1o", NULL},
    {NAMES("'lookalikes': 'refuse'"), "\xe6\x97\xa5\xe3\x81\xae",
     NULL},                                                  /* Japanese mixes its own */
    {NAMES("'lookalikes': 'refuse'"), "\xe2\x86\x92", NULL}, /* an arrow has no alphabet */
    /* length, in bytes */
    {NAMES("'max_level_bytes': 4"), "abcd", NULL},
    {NAMES("'max_level_bytes': 4"), "abcde", LONG},
    {NAMES("'max_level_bytes': 4"), "\xc3\xb1\xc3\xb1", NULL},
    {NAMES("'max_level_bytes': 4"),
     "\xc3\xb1\xc3\xb1"
     "a",
     LONG},
    {NAMES("'max_level_bytes': 1"), "\xc3\xb1", LONG},
    {NAMES("'max_level_bytes': 4"), "ABCDE", LONG},
};

START_TEST(names_of_levels)
{
    struct snippet s;
    struct adu_reason why = ADU_REASON_INIT;
    const struct adu_names *names = names_of(&s, levels[_i].json);
    const bool legal = adu_names_level_legal(names, adu_text_of(levels[_i].level), &why);
    ck_assert_msg(legal == (levels[_i].why == NULL), "\"%s\": %s", levels[_i].level,
                  why.text != NULL ? why.text : "legal");
    if (!legal) {
        ck_assert_str_eq(why.text, levels[_i].why);
        ck_assert(why.watched ==
                  (levels[_i].json != NULL && strstr(levels[_i].json, "flag") != NULL));
    }
    ck_assert_int_eq(why.limit != ADU_NO_LIMIT, !legal && strcmp(why.text, LONG) == 0);
    snippet_close(&s);
}
END_TEST

/* Every ASCII character, by a plainer road. */
START_TEST(every_ascii_character)
{
    struct snippet s;
    const struct adu_names *names = names_of(&s, NULL);
    for (int c = 0; c < 128; c++) {
        const char level[] = {'a', (char)c, 'b'};
        struct adu_reason why = ADU_REASON_INIT;
        const bool legal = c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z');
        ck_assert_msg(adu_names_level_legal(names, (struct adu_text){.bytes = level, .length = 3},
                                            &why) == legal,
                      "character %d", c);
    }
    snippet_close(&s);
}
END_TEST

/* A level as long as may be is judged by all patterns, within their limits. */
START_TEST(long_levels)
{
    static const char *const letters[] = {"a", "\xc3\xb1", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};
    struct snippet s;
    char level[ADU_LEVEL_MOST_BYTES + 1] = "";
    const struct adu_names *names =
        names_of(&s, "{'max_level_bytes': 1024, 'characters': '^X', 'spaces': false}");
    while (strlen(level) + strlen(letters[_i]) <= ADU_LEVEL_MOST_BYTES) {
        strcat(level, letters[_i]);
    }
    struct adu_reason why = ADU_REASON_INIT;
    ck_assert_msg(adu_names_level_legal(names, adu_text_of(level), &why), "%s", why.text);
    strcpy(level + strlen(level) - 2 * strlen(letters[_i]), "\xc3\x91"); /* at the far end */
    ck_assert(!adu_names_level_legal(names, adu_text_of(level), &why));
    ck_assert_str_eq(why.text, UPPER);
    snippet_close(&s);
}
END_TEST

START_TEST(default_lengths)
{
    struct snippet s;
    static char long_topic[ADU_TOPIC_MOST_BYTES + 1];
    const struct adu_names *names = names_of(&s, NULL);
    struct adu_reason why = ADU_REASON_INIT;
    memset(long_topic, 'a', sizeof long_topic - 1);
    const struct adu_text topic = adu_text_of(long_topic);
    ck_assert(adu_names_level_legal(names, (struct adu_text){long_topic, 256}, &why));
    ck_assert(!adu_names_level_legal(names, (struct adu_text){long_topic, 257}, &why));
    ck_assert_int_eq(why.limit, 256);
    ck_assert(adu_names_length_legal(names, topic, &why));
    snippet_close(&s);
    names = names_of(&s, "{'max_topic_bytes': 10}");
    ck_assert(adu_names_length_legal(names, (struct adu_text){long_topic, 10}, &why));
    ck_assert(!adu_names_length_legal(names, (struct adu_text){long_topic, 11}, &why));
    ck_assert_int_eq(why.limit, 10);
    ck_assert_str_eq(why.text, "the topic has too many bytes");
    snippet_close(&s);
}
END_TEST

/* The reason says where the rule stands: at its key, or where the key would be. */
START_TEST(place_of_the_rule)
{
    static const struct {
        const char *level;
        unsigned line;
    } places[] = {{"A", 2}, {"a b", 3}, {"aaaaaa", 4}, {"a\x01", 1}, {"a.", 5}};
    struct snippet s;
    const struct adu_names *names = names_of(
        &s, "{\n'lowercase': true,\n'spaces': false,\n'max_level_bytes': 5,\n'characters': 'a-z'}");
    for (int i = 0; i < ROWS(places); i++) {
        struct adu_reason why = ADU_REASON_INIT;
        ck_assert(!adu_names_level_legal(names, adu_text_of(places[i].level), &why));
        ck_assert_msg(why.rule != NULL && why.rule->line == places[i].line, "\"%s\"",
                      places[i].level);
        ck_assert_str_eq(why.rule->file, "topic_policy.json");
    }
    snippet_close(&s);
}
END_TEST

/* The broker lets none of these through; if one came it would not be legal. */
START_TEST(bytes_that_are_no_text)
{
    static const char *const bytes[] = {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\x80"};
    struct snippet s;
    const struct adu_names *names = names_of(&s, "{'lowercase': false, 'spaces': true}");
    for (int i = 0; i < ROWS(bytes); i++) {
        struct adu_reason why = ADU_REASON_INIT;
        ck_assert(!adu_names_level_legal(names, adu_text_of(bytes[i]), &why));
    }
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *json, *error;
} refused[] = {
    {"{'lower_case': true}", "did you mean \"lowercase\"?"},
    {"{'lowercase': 'yes'}", "lowercase: expected true or false"},
    {"{'max_level_bytes': 0}", "max_level_bytes: expected"},
    {"{'max_level_bytes': 1025}", "max_level_bytes: expected"},
    {"{'max_topic_bytes': 0}", "max_topic_bytes: expected"},
    {"{'max_topic_bytes': 65536}", "max_topic_bytes: expected"},
    {"{'max_level_bytes': 64.5}", "max_level_bytes: expected"},
    {"{'characters': ''}", "characters: expected a string that is not empty"},
    {"{'characters': 'z-a'}", "characters: not a pattern"},
    {"{'characters': 'a-z]0-9'}",
     "characters: write ] as \\\\] at character 4 of a-z]0-9: alone it ends the set"},
    {"{'characters': '\xc3\xb1]'}", "at character 2 of"},
    {"{'characters': ']a'}", "at character 1 of"}, /* even where it would not end it */
    {"{'characters': '^]a'}", "at character 2 of"},
    {"{'characters': 'a-z]*[0-9'}", "at character 4 of"},
    {"{'characters': '\\\\]]'}", "at character 3 of"},
    {"{'characters': '\\\\\\\\]'}", "at character 3 of"},  /* that escapes the backslash */
    {"{'characters': '\\\\c\\\\]'}", "at character 4 of"}, /* and that is Ctrl-backslash */
    {"{'characters': '\\\\Qa\\\\\\\\E]'}", "at character 7 of"},
    {"{'characters': '[:alpha:]]'}", "at character 10 of"},
    {"{'characters': '[:alpha]'}", "at character 8 of"},
    {"{'characters': '[:alpha:'}", "characters: not a pattern"},
    {"{'characters': '[a-z]'}", "at character 5 of"},
    {"{'characters': '[.a.]'}", "at character 5 of"},
    {"{'characters': '[:<:]'}", "at character 5 of"},
    {"{'characters': 'a-z\\\\'}",
     "characters: ends in a backslash that escapes nothing; write a backslash itself as \\\\\\\\"},
    {"{'characters': '\\\\\\\\\\\\'}", "characters: ends in a backslash"},
    {"{'characters': '\\\\'}", "characters: ends in a backslash"},
    {"{'characters': 'a\\\\c'}", "characters: not a pattern"},
    {"{'characters': '[:nothing:]'}", "characters: not a pattern"},
    {"{'characters': ['a-z']}", "characters: expected a string"},
};

START_TEST(files_refused)
{
    struct snippet s;
    snippet_open(&s, "topic_policy.json", refused[_i].json);
    ck_assert_msg(adu_names_compile(&s.c, s.root) == NULL, "taken: %s", refused[_i].json);
    ck_assert_msg(strstr(snippet_error(&s), refused[_i].error) != NULL, "%s: %s", refused[_i].json,
                  snippet_error(&s));
    snippet_close(&s);
}
END_TEST

START_TEST(characters_too_long)
{
    struct snippet s;
    static char json[2048] = "{'characters': '";
    memset(json + strlen(json), 'a', 1100);
    strcat(json, "'}");
    snippet_open(&s, "topic_policy.json", json);
    ck_assert_ptr_null(adu_names_compile(&s.c, s.root));
    ck_assert_ptr_nonnull(strstr(snippet_error(&s), "has more than 1020 bytes"));
    snippet_close(&s);
}
END_TEST

/* --- whole topics --- */

/* Levels by the plainer road; 0 if one is illegal or not ASCII. */
static size_t legal_levels(const struct adu_names *names, struct adu_text topic,
                           struct adu_text *cut)
{
    struct adu_text rest = topic;
    struct adu_reason why = ADU_REASON_INIT;
    size_t count = 0;
    while (adu_topic_next_level(&rest, &cut[count])) {
        if (!adu_names_level_legal(names, cut[count++], &why)) {
            return 0;
        }
    }
    for (size_t i = 0; i < topic.length; i++) {
        count = (unsigned char)topic.bytes[i] < 128 ? count : 0;
    }
    return count;
}

static void compare_whole(const struct adu_names *names, const char *bytes, size_t length)
{
    enum { MOST = 400 };
    struct adu_text cut[MOST], expected[MOST];
    char *copy = malloc(length > 0 ? length : 1); /* not a byte more, for the sanitizer */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    const struct adu_text topic = {copy, length};
    const size_t count = legal_levels(names, topic, expected);
    ck_assert_msg(adu_names_cut_plain(names, topic, cut, MOST) == count, "%.*s", (int)length,
                  bytes);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(cut[i].bytes, expected[i].bytes);
        ck_assert_uint_eq(cut[i].length, expected[i].length);
    }
    if (count > 0) {
        ck_assert_uint_eq(adu_names_cut_plain(names, topic, cut, count), count);
        ck_assert(count == 1 || adu_names_cut_plain(names, topic, cut, count - 1) == 0);
    }
    free(copy);
}

/* A topic that is looked at as a whole is judged and cut as its levels are one by one. */
START_TEST(whole_topics)
{
    static const char *const policies[] = {NULL, "{'characters': 'a-z0-9_-', 'max_level_bytes': 9}",
                                           "{'lowercase': false, 'spaces': true}",
                                           "{'characters': 'acegikmoqsuwy'}"};
    static const char some[] = "abcdefghijklmnopqrstuvwxyz0123456789-_//////", few[] = "A \xc3+#/.";
    struct snippet s;
    const struct adu_names *names = names_of(&s, policies[_i]);
    char topic[300];
    srandom(7);
    for (int i = 0; i < 20000; i++) {
        const size_t length = (size_t)random() % (i % 10 == 0 ? sizeof topic : 60);
        for (size_t j = 0; j < length; j++) {
            topic[j] =
                _i == 3 && random() % 8 != 0 ? 'a' : some[(size_t)random() % (sizeof some - 1)];
            topic[j] = topic[j] == '/' && j > 0 && topic[j - 1] == '/' ? 'c' : topic[j];
        }
        if (length > 0 && random() % 4 == 0) {
            topic[(size_t)random() % length] = few[(size_t)random() % (sizeof few - 1)];
        }
        compare_whole(names, topic, length);
    }
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 80; at++) {
            memset(topic, 'a', 80);
            topic[at] = (char)c;
            compare_whole(names, topic, at < 40 ? 41 : 80);
        }
    }
    snippet_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topic_names");
    suite_add_rows(suite, whole_topics, 4);
    suite_add_rows(suite, names_of_levels, ROWS(levels));
    suite_add(suite, every_ascii_character);
    suite_add_rows(suite, long_levels, 4);
    suite_add(suite, default_lengths);
    suite_add(suite, place_of_the_rule);
    suite_add(suite, bytes_that_are_no_text);
    suite_add_rows(suite, files_refused, ROWS(refused));
    suite_add(suite, characters_too_long);
    return run_suite(suite);
}
