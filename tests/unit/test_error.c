/* What is wrong with a file, as people read it: the first finding, its place, and valid text. */
#include "common/error.h"
#include "common/utf8.h"
#include "runner.h"
#include <string.h>

static const struct {
    const char *file;
    unsigned line, column;
    const char *shown;
} places[] = {
    {"acl.json", 7, 12, "acl.json:7:12: wrong"},
    {"acl.json", 0, 0, "acl.json: wrong"},
    {"acl.json", 0, 5, "acl.json: wrong"},
    {NULL, 7, 12, "wrong"},
    {"", 7, 12, "wrong"},
};

START_TEST(formats)
{
    struct adu_error error = {0};
    char text[128];
    const struct adu_place place = {
        .file = places[_i].file, .line = places[_i].line, .column = places[_i].column};
    ck_assert(!adu_error_set(&error, &place, "%s", "wrong"));
    ck_assert(error.set);
    ck_assert_ptr_eq(adu_error_format(&error, text, sizeof text), text);
    ck_assert_str_eq(text, places[_i].shown);
}
END_TEST

START_TEST(nothing_is_wrong)
{
    struct adu_error error = {0};
    char text[16] = "x";
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), "");
    ck_assert(!error.set);
}
END_TEST

START_TEST(the_first_stays)
{
    struct adu_error error = {0};
    char text[128];
    const struct adu_place first = {.file = "a.json", .line = 1, .column = 2};
    const struct adu_place second = {.file = "b.json", .line = 3, .column = 4};
    ck_assert(!adu_error_set(&error, &first, "one"));
    ck_assert(!adu_error_set(&error, &second, "two"));
    ck_assert(!adu_error_set(&error, NULL, "three"));
    ck_assert(!adu_error_no_memory(&error));
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), "a.json:1:2: one");
}
END_TEST

START_TEST(no_memory)
{
    struct adu_error error = {0};
    char text[128];
    ck_assert(!adu_error_no_memory(&error));
    ck_assert(error.set);
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), "out of memory");
    adu_error_set(&error, &(struct adu_place){.file = "a.json"}, "why else");
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), "out of memory");
}
END_TEST

/* A place outlives neither its document nor its arena; the error does. */
START_TEST(copies)
{
    struct adu_error error = {0};
    char file[] = "acl.json", what[] = "wrong", text[128];
    const struct adu_place place = {.file = file, .line = 1, .column = 1};
    adu_error_set(&error, &place, "%s", what);
    file[0] = what[0] = 'X';
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), "acl.json:1:1: wrong");
}
END_TEST

/* Texts of any length, of characters of any size: cut, but never within a character. */
START_TEST(long_texts)
{
    static const char *const characters[] = {"a", "\xc3\xb1", "\xe6\xb8\xa9", "\xf0\x9f\x8c\xa1"};
    const char *character = characters[_i];
    for (size_t lead = 0; lead < 4; lead++) {
        struct adu_error error = {0};
        char long_text[2048] = "", text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        memset(long_text, 'x', lead);
        while (strlen(long_text) < 2000) {
            strcat(long_text, character);
        }
        const struct adu_place place = {.file = "a.json", .line = 4294967295u, .column = 1};
        adu_error_set(&error, &place, "%s", long_text);
        const size_t length = strlen(error.text);
        ck_assert(length < ADU_ERROR_TEXT && length > ADU_ERROR_TEXT - 5);
        ck_assert(adu_utf8_valid(error.text, length));
        ck_assert_int_eq(strncmp(error.text, long_text, length), 0);
        adu_error_format(&error, text, sizeof text);
        ck_assert_int_eq(strncmp(text, "a.json:4294967295:1: ", 21), 0);
        ck_assert_uint_eq(strlen(text), 21 + length);
    }
}
END_TEST

START_TEST(long_names_of_files)
{
    struct adu_error error = {0};
    char file[1024], text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
    memset(file, 'f', sizeof file - 1);
    file[sizeof file - 1] = '\0';
    adu_error_set(&error, &(struct adu_place){.file = file, .line = 1, .column = 1}, "wrong");
    ck_assert_uint_eq(strlen(error.file), ADU_ERROR_FILE - 1);
    adu_error_format(&error, text, sizeof text);
    ck_assert_str_eq(text + ADU_ERROR_FILE - 1, ":1:1: wrong");
    /* Nor is the name of a folder cut within a character: it goes into an alert. */
    error = (struct adu_error){0};
    memcpy(file + ADU_ERROR_FILE - 2, "\xc3\xb1", 2);
    adu_error_set(&error, &(struct adu_place){.file = file, .line = 1, .column = 1}, "wrong");
    ck_assert_uint_eq(strlen(error.file), ADU_ERROR_FILE - 2);
}
END_TEST

START_TEST(little_room)
{
    struct adu_error error = {0};
    char text[16];
    adu_error_set(&error, &(struct adu_place){.file = "a.json", .line = 1, .column = 1}, "wrong");
    memset(text, 'X', sizeof text);
    adu_error_format(&error, text, 8);
    ck_assert_str_eq(text, "a.json:");
    ck_assert_int_eq(text[8], 'X');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    suite_add_rows(suite, formats, ROWS(places));
    suite_add(suite, nothing_is_wrong);
    suite_add(suite, the_first_stays);
    suite_add(suite, no_memory);
    suite_add(suite, copies);
    suite_add_rows(suite, long_texts, 4);
    suite_add(suite, long_names_of_files);
    suite_add(suite, little_room);
    return run_suite(suite);
}
