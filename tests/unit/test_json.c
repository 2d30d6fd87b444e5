/* JSON whose values know where they stand. */
#include "common/json.h"
#include "folder.h"
#include "snippet.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static struct adu_json_document *parse(const char *text, size_t length, struct adu_error *error)
{
    *error = (struct adu_error){0};
    return adu_json_parse("t.json", text, length, error);
}

/* The value at a path such as "a.b[0]", found by the paths themselves. */
static const struct adu_json *at_path(const struct adu_json *node, const char *path)
{
    char buffer[256];
    if (strcmp(adu_json_path(node, buffer, sizeof buffer), path) == 0) {
        return node;
    }
    for (const struct adu_json *child = node->first; child != NULL; child = child->next) {
        const struct adu_json *found = at_path(child, path);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

/* In the text ' stands for ". A key column of 0: the value has no key. */
static const struct {
    const char *text, *path;
    unsigned line, column, key_line, key_column;
} places[] = {
    {"{}", "", 1, 1, 0, 0},
    {"[]", "", 1, 1, 0, 0},
    {" \r\n\t {}", "", 2, 3, 0, 0},
    {"{'a': 1}", "a", 1, 7, 1, 2},
    {"{'a':1}", "a", 1, 6, 1, 2},
    {"{ 'a'  :  1 }", "a", 1, 11, 1, 3},
    {"{\n  'a':\n    1}", "a", 3, 5, 2, 3},
    {"{\r\n  'a': 1,\r\n  'b': 2\r\n}", "b", 3, 8, 3, 3},
    {"{\r'a': 1}", "a", 1, 8, 1, 3}, /* a lone CR ends no line */
    {"{'a': 1, 'b': 2}", "b", 1, 15, 1, 10},
    {"{'a': {'b': {'c': true}}}", "a.b.c", 1, 19, 1, 14},
    {"[1, 2, 3]", "[2]", 1, 8, 0, 0},
    {"[[], [], 7]", "[2]", 1, 10, 0, 0},
    {"[{}, {}, 7]", "[2]", 1, 10, 0, 0},
    {"[[ ], { }, 7]", "[2]", 1, 12, 0, 0},
    {"[[[[[]]]], 7]", "[1]", 1, 12, 0, 0},
    {"{'a': [{'b': [null]}]}", "a[0].b[0]", 1, 15, 0, 0},
    {"{'ñandú': 1}", "ñandú", 1, 11, 1, 2},
    {"{'ñ': '日本', '🌡': 3}", "🌡", 1, 18, 1, 13},
    {"{'a\\'b': 1, 'c': 2}", "c", 1, 18, 1, 13},
    {"{'a': '\\\\', 'b': 2}", "b", 1, 18, 1, 13},
    {"{'a': '\\\\\\'', 'b': 2}", "b", 1, 20, 1, 15},
    {"{'a': '\\u00f1\\ud83c\\udf21', 'b': 2}", "b", 1, 34, 1, 29},
    {"{'a': '{[,:]}', 'b': 2}", "b", 1, 22, 1, 17},
    {"{'a': '', 'b': 2}", "b", 1, 16, 1, 11},
    {"[-1.5e+10, 0]", "[1]", 1, 12, 0, 0},
    {"[true, false, null, 'x', 1.5, -0]", "[5]", 1, 31, 0, 0},
    {"{'b': 1, 'a': 2, 'c': 3}", "a", 1, 15, 1, 10},
    {"{'': 1}", "", 1, 1, 0, 0},
};

START_TEST(positions)
{
    struct adu_error error;
    char *text = json_of(places[_i].text);
    struct adu_json_document *d = parse(text, strlen(text), &error);
    ck_assert_msg(d != NULL, "%s: %s", text, error.text);
    const struct adu_json *node = at_path(adu_json_root(d), places[_i].path);
    ck_assert_msg(node != NULL, "%s: no %s", text, places[_i].path);
    ck_assert_msg(node->place.line == places[_i].line && node->place.column == places[_i].column,
                  "%s: %s is at %u:%u", text, places[_i].path, node->place.line,
                  node->place.column);
    ck_assert_str_eq(node->place.file, "t.json");
    if (places[_i].key_column > 0) {
        ck_assert_msg(node->key_place.line == places[_i].key_line &&
                          node->key_place.column == places[_i].key_column,
                      "%s: the key of %s is at %u:%u", text, places[_i].path, node->key_place.line,
                      node->key_place.column);
    } else {
        ck_assert_ptr_null(node->key);
    }
    adu_json_free(d);
    free(text);
}
END_TEST

START_TEST(tree)
{
    struct adu_error error;
    static const char text[] = "{\"a\": [10, 20], \"b\": {\"c\": \"x\"}, \"\": null}";
    struct adu_json_document *d = parse(text, strlen(text), &error);
    const struct adu_json *root = adu_json_root(d), *a = adu_json_member(root, "a");
    ck_assert_uint_eq(root->count, 3);
    ck_assert_ptr_eq(root->first, a);
    ck_assert_uint_eq(a->count, 2);
    ck_assert_ptr_eq(a->parent, root);
    ck_assert_uint_eq(a->first->next->index, 1);
    ck_assert_int_eq(json_integer_value(a->first->next->value), 20);
    ck_assert_ptr_null(a->first->next->next);
    ck_assert_ptr_eq(adu_json_member(adu_json_member(root, "b"), "c")->parent, a->next);
    ck_assert_ptr_nonnull(adu_json_member(root, ""));
    ck_assert_ptr_null(adu_json_member(root, "c"));
    ck_assert_ptr_null(adu_json_member(a, "a"));
    adu_json_free(d);
    adu_json_free(NULL);
}
END_TEST

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *what, *text;
    size_t length;
    const char *error; /* a part of it */
} refused[] = {
    {"nothing", BYTES(""), "t.json:1:"},
    {"blanks", BYTES(" \n "), "t.json:2:"},
    {"a byte order mark", BYTES("\xef\xbb\xbf{}"), "t.json:1:1: begins with a byte order mark"},
    {"a scalar", BYTES("1"), "t.json:1:1: not valid JSON"},
    {"a truncated object", BYTES("{\"a\": 1"), "not valid JSON"},
    {"a truncated string", BYTES("{\"a\": \"x"), "not valid JSON: premature end of input"},
    {"a truncated escape", BYTES("{\"a\": \"\\u12"), "not valid JSON"},
    {"a trailing comma", BYTES("{\"a\": 1,}"), "t.json:1:9: not valid JSON"},
    {"two values", BYTES("{} {}"), "t.json:1:4: not valid JSON: end of file expected"},
    {"a duplicate", BYTES("{\"a\": 1,\n \"a\": 2}"), "t.json:2:4: not valid JSON: duplicate"},
    {"a duplicate by escape", BYTES("{\"a\": 1, \"\\u0061\": 2}"), "duplicate"},
    {"a duplicate within", BYTES("[{\"a\": {\"b\": 1, \"b\": 1}}]"), "duplicate"},
    {"a NUL byte", BYTES("{\"a\": \"x\0y\"}"), "not valid JSON"},
    {"a NUL byte after the end", BYTES("{}\0"), "not valid JSON"},
    {"a NUL by escape", BYTES("{\"a\": \"x\\u0000y\"}"), "not valid JSON"},
    {"a NUL in a key", BYTES("{\"a\\u0000b\": 1}"), "not valid JSON"},
    {"invalid UTF-8", BYTES("{\"a\": \"\xff\"}"), "not valid JSON: unable to decode byte 0xff"},
    {"an overlong form", BYTES("{\"a\": \"\xc0\xaf\"}"), "not valid JSON: unable to decode"},
    {"a surrogate", BYTES("{\"a\": \"\xed\xa0\x80\"}"), "not valid JSON"},
    {"half a pair", BYTES("{\"a\": \"\\ud83c\"}"), "not valid JSON: invalid Unicode"},
    {"a control character", BYTES("{\"a\": \"x\ny\"}"), "not valid JSON"},
    {"a huge integer", BYTES("[99999999999999999999999]"), "not valid JSON: too big integer"},
    {"a huge number", BYTES("[1e999]"), "not valid JSON: real number overflow"},
    {"not a number", BYTES("[NaN]"), "not valid JSON"},
    {"a leading zero", BYTES("[01]"), "not valid JSON"},
    {"a comment", BYTES("{} // x"), "not valid JSON"},
    {"single quotes", BYTES("{'a': 1}"), "not valid JSON"},
    {"an array for a key", BYTES("{[]: 1}"), "not valid JSON"},
};

START_TEST(texts_refused)
{
    struct adu_error error;
    char text[1024];
    ck_assert_ptr_null(parse(refused[_i].text, refused[_i].length, &error));
    ck_assert(error.set);
    adu_error_format(&error, text, sizeof text);
    ck_assert_msg(strstr(text, refused[_i].error) != NULL, "%s: %s", refused[_i].what, text);
    ck_assert_msg(strncmp(text, "t.json:", 7) == 0, "%s: %s", refused[_i].what, text);
}
END_TEST

/* What stands where JSON ends may be a secret: the place is named, the text is not. */
START_TEST(errors_quote_no_values)
{
    static const char *const texts[] = {"{\"password\" \"hunter2\"}", "{\"password\": hunter2}",
                                        "[\"hunter2\" \"hunter2\"]", "{\"a\": \"hunter2"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct adu_error error = {0};
        ck_assert_ptr_null(adu_json_parse("iam_auth.json", texts[i], strlen(texts[i]), &error));
        ck_assert_msg(strstr(error.text, "hunter2") == NULL, "%s", error.text);
        ck_assert_ptr_nonnull(strstr(error.text, "not valid JSON: "));
        ck_assert_uint_gt(error.column, 1);
    }
}
END_TEST

START_TEST(too_many_values)
{
    const size_t length = 2 * (size_t)ADU_JSON_MAX_VALUES + 3;
    char *text = malloc(length);
    struct adu_error error = {0};
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < length; i++) {
        text[i] = i % 2 == 0 ? ',' : '1';
    }
    text[0] = '[';
    text[length - 1] = ']';
    ck_assert_ptr_null(adu_json_parse("acl.json", text, length, &error));
    ck_assert_str_eq(error.text, "holds more than 5000000 values");
    free(text);
}
END_TEST

START_TEST(nesting)
{
    static char text[20001];
    struct adu_error error;
    memset(text, '[', 10000);
    memset(text + 10000, ']', 10000);
    ck_assert_ptr_null(parse(text, 20000, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "maximum parsing depth"));
    ck_assert_ptr_null(parse(text, 10000, &error));
    /* As deep as jansson goes: the innermost is where it should be. */
    struct adu_json_document *d = parse(text + 10000 - 2048, 4096, &error);
    ck_assert_msg(d != NULL, "%s", error.text);
    const struct adu_json *node = adu_json_root(d);
    while (node->first != NULL) {
        node = node->first;
    }
    ck_assert_uint_eq(node->place.column, 2048);
    char path[64];
    ck_assert_uint_eq(strlen(adu_json_path(node, path, sizeof path)), sizeof path - 1);
    adu_json_free(d);
}
END_TEST

START_TEST(paths_and_errors)
{
    struct snippet s;
    snippet_open(&s, "acl.json", "{'roles': {'edge': {'allow': [\n  {'pubish': [1]}]}}}");
    const struct adu_json *node = at_path(s.root, "roles.edge.allow[0].pubish");
    ck_assert_ptr_nonnull(node);
    ck_assert(!adu_json_key_error(node, &s.error, "unknown key; did you mean \"%s\"?", "publish"));
    ck_assert_str_eq(snippet_error(&s), "acl.json:2:4: roles.edge.allow[0].pubish: unknown key; "
                                        "did you mean \"publish\"?");
    /* The first error stays. */
    ck_assert(!adu_json_error(node, &s.error, "another"));
    ck_assert_uint_eq(s.error.column, 4);
    s.error = (struct adu_error){0};
    adu_json_error(node->first, &s.error, "found %s", adu_json_type_name(node->first->value));
    ck_assert_str_eq(snippet_error(&s),
                     "acl.json:2:15: roles.edge.allow[0].pubish[0]: found an integer");
    s.error = (struct adu_error){0};
    adu_json_error(s.root, &s.error, "bad");
    ck_assert_str_eq(snippet_error(&s), "acl.json:1:1: bad");
    snippet_close(&s);
}
END_TEST

/* What goes into a log or an alert is text, wherever it had to be cut. */
START_TEST(errors_about_long_keys_stay_utf8)
{
    for (int lead = 0; lead < 2; lead++) {
        char json[1024] = "{'", text[1024];
        struct snippet s;
        strcat(json, lead ? "a" : "");
        for (int i = 0; i < 200; i++) {
            strcat(json, "ñ");
        }
        strcat(json, "': 1}");
        snippet_open(&s, "t.json", json);
        adu_json_error(s.root->first, &s.error, "bad");
        json_t *string = json_string(adu_error_format(&s.error, text, sizeof text));
        ck_assert_msg(string != NULL, "the error is cut within a character");
        json_decref(string);
        snippet_close(&s);
    }
}
END_TEST

START_TEST(type_names)
{
    static const char *const names[] = {"an object", "an array",      "a string",      "an integer",
                                        "a number",  "true or false", "true or false", "null"};
    struct snippet s;
    snippet_open(&s, "t.json", "[{}, [], 'x', 1, 1.5, true, false, null]");
    const struct adu_json *node = s.root->first;
    for (int i = 0; i < ROWS(names); i++, node = node->next) {
        ck_assert_str_eq(adu_json_type_name(node->value), names[i]);
    }
    snippet_close(&s);
}
END_TEST

/* --- files --------------------------------------------------------------------------------------
 */

static void make_file(const struct folder *f, int kind)
{
    const char *path = folder_file(f, "x.json");
    switch (kind) {
    case 0:
        return;
    case 1:
        ck_assert_int_eq(mkdir(path, 0755), 0);
        return;
    case 2:
        ck_assert_int_eq(mkfifo(path, 0644), 0);
        return;
    case 3:
        folder_write(f, "x.json", "{}");
        ck_assert_int_eq(chmod(path, 0664), 0);
        return;
    case 4:
        folder_write(f, "x.json", "{}");
        ck_assert_int_eq(chmod(path, 0646), 0);
        return;
    case 5:
        folder_write(f, "x.json", "{}");
        ck_assert_int_eq(truncate(path, ADU_JSON_MAX_BYTES + 1), 0); /* sparse */
        return;
    case 6:
        ck_assert_int_eq(symlink("/dev/zero", path), 0);
        return;
    case 7:
        folder_write(f, "x.json", "{}");
        if (geteuid() != 0 || chown(path, 12345, (gid_t)-1) != 0) {
            ck_assert_int_eq(chmod(path, 0666), 0); /* only root can give a file away */
        }
        return;
    default:
        ck_assert_int_eq(symlink(path, path), 0);
    }
}

static const char *const file_errors[] = {
    "x.json: cannot be read: No such file or directory",
    "x.json: is not a regular file",
    "x.json: is not a regular file",
    "x.json: others may write it (mode 0664); use chmod go-w",
    "x.json: others may write it (mode 0646); use chmod go-w",
    "x.json: has 67108865 bytes; the limit is 67108864",
    "x.json: is not a regular file",
    "x.json: ",
    "x.json: cannot be read: Too many levels of symbolic links",
};

START_TEST(files_refused)
{
    struct adu_error error = {0};
    struct folder f;
    char text[1024];
    folder_make(&f);
    make_file(&f, _i);
    ck_assert_ptr_null(adu_json_load("x.json", folder_file(&f, "x.json"), &error));
    adu_error_format(&error, text, sizeof text);
    ck_assert_msg(strstr(text, file_errors[_i]) == text, "%s", text);
    folder_remove(&f);
}
END_TEST

START_TEST(files_read)
{
    struct adu_error error = {0};
    struct folder f;
    folder_make(&f);
    folder_write(&f, "real.json", "{\n\"a\": 1}");
    ck_assert_int_eq(symlink("real.json", folder_file(&f, "x.json")), 0);
    struct adu_json_document *d = adu_json_load("x.json", folder_file(&f, "x.json"), &error);
    ck_assert_msg(d != NULL, "%s", error.text);
    ck_assert_str_eq(adu_json_root(d)->first->place.file, "x.json");
    ck_assert_uint_eq(adu_json_root(d)->first->place.line, 2);
    adu_json_free(d);
    folder_remove(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    suite_add_rows(suite, positions, ROWS(places));
    suite_add(suite, tree);
    suite_add_rows(suite, texts_refused, ROWS(refused));
    suite_add(suite, errors_quote_no_values);
    suite_add(suite, too_many_values);
    suite_add(suite, nesting);
    suite_add(suite, paths_and_errors);
    suite_add(suite, errors_about_long_keys_stay_utf8);
    suite_add(suite, type_names);
    suite_add_rows(suite, files_refused, ROWS(file_errors));
    suite_add(suite, files_read);
    return run_suite(suite);
}
