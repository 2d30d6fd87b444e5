/* Objects read by a table of keys: what is unknown, missing or of another kind is said with its
 * place, and nothing is guessed. */
#include "common/reader.h"
#include "snippet.h"

struct keys {
    const char *name;
    bool strict;
    long count;
    int mode;
    const struct adu_json *match, *roles, *anything;
};

static const char *const modes[] = {"enforce", "watch", NULL};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, name, STRING, .required = true),
    ADU_FIELD(struct keys, strict, BOOL),
    ADU_FIELD(struct keys, count, INTEGER, .minimum = -1, .maximum = 100),
    ADU_FIELD(struct keys, mode, CHOICE, .choices = modes),
    ADU_FIELD(struct keys, match, OBJECT),
    ADU_FIELD(struct keys, roles, ARRAY),
    ADU_FIELD(struct keys, anything, ANY),
    {0},
};

START_TEST(reads)
{
    struct snippet s;
    struct keys keys = {.count = 7};
    snippet_open(&s, "t.json",
                 "{'//': 'a comment', 'name': 'x', 'strict': true, 'count': -1, 'mode': 'watch', "
                 "'match': {}, 'roles': [], 'anything': null}");
    ck_assert_msg(adu_read_object(s.root, fields, &keys, &s.error), "%s", snippet_error(&s));
    ck_assert_str_eq(keys.name, "x");
    ck_assert(keys.strict);
    ck_assert_int_eq(keys.count, -1);
    ck_assert_int_eq(keys.mode, 1);
    ck_assert_str_eq(keys.match->key, "match");
    ck_assert_str_eq(keys.roles->key, "roles");
    ck_assert_str_eq(keys.anything->key, "anything");
    snippet_close(&s);
}
END_TEST

/* What is not said keeps the value it had. */
START_TEST(defaults_stay)
{
    struct snippet s;
    struct keys keys = {.strict = true, .count = 7, .mode = 1};
    snippet_open(&s, "t.json", "{'name': 'x'}");
    ck_assert(adu_read_object(s.root, fields, &keys, &s.error));
    ck_assert(keys.strict);
    ck_assert_int_eq(keys.count, 7);
    ck_assert_int_eq(keys.mode, 1);
    ck_assert_ptr_null(keys.match);
    snippet_close(&s);
}
END_TEST

static const struct {
    const char *json, *error;
} refused[] = {
    {"[]", "t.json:1:1: expected an object, found an array"},
    {"{}", "t.json:1:1: the key \"name\" is missing"},
    {"{'//': 'name'}", "t.json:1:1: the key \"name\" is missing"},
    {"{'Name': 'x'}", "t.json:1:2: Name: unknown key; did you mean \"name\"?"},
    {"{'name': 'x', 'cuont': 1}", "t.json:1:15: cuont: unknown key; did you mean \"count\"?"},
    {"{'name': 'x',\n 'name ': 'y'}", "t.json:2:2: name : unknown key; did you mean \"name\"?"},
    {"{'name': 'x', '': 1}", "t.json:1:15: unknown key; known here: name, strict, count, mode, "
                             "match, roles, anything"},
    {"{'name': 'x', 'publish': 1}", "t.json:1:15: publish: unknown key; known here: name, strict, "
                                    "count, mode, match, roles, anything"},
    {"{'name': 'x', '///': 1}", "t.json:1:15: ///: unknown key; known here: name, strict, count, "
                                "mode, match, roles, anything"},
    {"{'name': 1}", "t.json:1:10: name: expected a string, found an integer"},
    {"{'name': null}", "t.json:1:10: name: expected a string, found null"},
    {"{'name': ['x']}", "t.json:1:10: name: expected a string, found an array"},
    {"{'name': ''}", "t.json:1:10: name: expected a string that is not empty"},
    {"{'name': 'a\\nb'}", "t.json:1:10: name: control characters have no place here"},
    {"{'name': 'a\\u001f'}", "t.json:1:10: name: control characters have no place here"},
    {"{'name': '\\u007f'}", "t.json:1:10: name: control characters have no place here"},
    {"{'name': 'x', 'strict': 'true'}",
     "t.json:1:25: strict: expected true or false, found a string"},
    {"{'name': 'x', 'strict': 1}", "t.json:1:25: strict: expected true or false, found an integer"},
    {"{'name': 'x', 'strict': null}", "t.json:1:25: strict: expected true or false, found null"},
    {"{'name': 'x', 'count': '1'}", "t.json:1:24: count: expected an integer, found a string"},
    {"{'name': 'x', 'count': 1.0}", "t.json:1:24: count: expected an integer, found a number"},
    {"{'name': 'x', 'count': 1e1}", "t.json:1:24: count: expected an integer, found a number"},
    {"{'name': 'x', 'count': true}",
     "t.json:1:24: count: expected an integer, found true or false"},
    {"{'name': 'x', 'count': -2}",
     "t.json:1:24: count: expected an integer from -1 to 100, found -2"},
    {"{'name': 'x', 'count': 101}",
     "t.json:1:24: count: expected an integer from -1 to 100, found 101"},
    {"{'name': 'x', 'count': 9223372036854775807}",
     "t.json:1:24: count: expected an integer from -1 to 100, found 9223372036854775807"},
    {"{'name': 'x', 'count': 4294967296}", /* no 32 bits of it */
     "t.json:1:24: count: expected an integer from -1 to 100, found 4294967296"},
    {"{'name': 'x', 'mode': 'Watch'}", "t.json:1:23: mode: expected one of \"enforce\", \"watch\""},
    {"{'name': 'x', 'mode': 'watch '}",
     "t.json:1:23: mode: expected one of \"enforce\", \"watch\""},
    {"{'name': 'x', 'mode': ''}", "t.json:1:23: mode: expected a string that is not empty"},
    {"{'name': 'x', 'mode': 0}", "t.json:1:23: mode: expected a string, found an integer"},
    {"{'name': 'x', 'match': []}", "t.json:1:24: match: expected an object, found an array"},
    {"{'name': 'x', 'match': null}", "t.json:1:24: match: expected an object, found null"},
    {"{'name': 'x', 'roles': 'edge'}", "t.json:1:24: roles: expected an array, found a string"},
    {"{'name': 'x', 'roles': {}}", "t.json:1:24: roles: expected an array, found an object"},
    /* The first thing that is wrong is the one that is said. */
    {"{'coun': 1, 'mode': 1}", "t.json:1:2: coun: unknown key; did you mean \"count\"?"},
};

START_TEST(refuses)
{
    struct snippet s;
    struct keys keys = {0};
    snippet_open(&s, "t.json", refused[_i].json);
    ck_assert(!adu_read_object(s.root, fields, &keys, &s.error));
    ck_assert_str_eq(snippet_error(&s), refused[_i].error);
    snippet_close(&s);
}
END_TEST

START_TEST(members_without_comments)
{
    static const char *const keys[] = {"a", "b", "/", "///"};
    struct snippet s;
    snippet_open(&s, "t.json", "{'a': 1, '//': 2, 'b': 3, '/': 4, '///': 5}");
    const struct adu_json *node = NULL;
    for (int i = 0; i < ROWS(keys); i++) {
        node = adu_read_next(s.root, node);
        ck_assert_ptr_nonnull(node);
        ck_assert_str_eq(node->key, keys[i]);
    }
    ck_assert_ptr_null(adu_read_next(s.root, node));
    ck_assert_uint_eq(adu_read_count(s.root), ROWS(keys));
    snippet_close(&s);

    snippet_open(&s, "t.json", "{'//': 1}");
    ck_assert_ptr_null(adu_read_next(s.root, NULL));
    ck_assert_uint_eq(adu_read_count(s.root), 0);
    snippet_close(&s);
}
END_TEST

#define BYTES_64 "a234567890123456789012345678901234567890123456789012345678901234"

static const struct {
    const char *name;
    bool good;
} names[] = {
    {"a", true},           {"Z", true},       {"_", true},        {"_sys", true},
    {"cert.cn", true},     {"linea-1", true}, {"a_b.c-d9", true}, {BYTES_64, true},
    {BYTES_64 "5", false}, {"", false},       {"1a", false},      {"-a", false},
    {".a", false},         {"a b", false},    {" a", false},      {"a ", false},
    {"a/b", false},        {"a+", false},     {"#", false},       {"$a", false},
    {"${a}", false},       {"a\n", false},    {"a:b", false},     {"a\"b", false},
    {"ñ", false},          {"añ", false},     {"\xff", false},    {"a\xc2\x85", false},
};

START_TEST(names_of_roles_and_attributes)
{
    struct snippet s;
    snippet_open(&s, "t.json", "{'x': 1}");
    ck_assert_msg(adu_read_is_name(s.root->first, names[_i].name, &s.error) == names[_i].good,
                  "\"%s\"", names[_i].name);
    ck_assert_str_eq(snippet_error(&s),
                     names[_i].good ? ""
                                    : "t.json:1:2: x: a name has letters, digits and _ . -, begins "
                                      "with a letter or _, and has at most 64 bytes");
    snippet_close(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader");
    suite_add(suite, reads);
    suite_add(suite, defaults_stay);
    suite_add_rows(suite, refuses, ROWS(refused));
    suite_add(suite, members_without_comments);
    suite_add_rows(suite, names_of_roles_and_attributes, ROWS(names));
    return run_suite(suite);
}
