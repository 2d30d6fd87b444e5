/* Names in a log line: whatever a client calls itself, it stays one quoted word of one line. */
#include "common/text.h"
#include "common/utf8.h"
#include "runner.h"
#include <stdbool.h>
#include <string.h>

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t length, limit;
    const char *quoted;
} quotes[] = {
    {NULL, 0, 80, "-"},
    {BYTES(""), 80, "\"\""},
    {BYTES("-"), 80, "\"-\""}, /* who is called so is not nobody */
    {BYTES("linea1"), 80, "\"linea1\""},
    {BYTES("l\xc3\xadnea \xf0\x9f\x8c\xa1"), 80, "\"l\xc3\xadnea \xf0\x9f\x8c\xa1\""},
    /* The quotes cannot be left. */
    {BYTES("a\" username=\"root"), 80, "\"a\\\" username=\\\"root\""},
    {BYTES("a\\"), 80, "\"a\\\\\""},
    {BYTES("a\\\""), 80, "\"a\\\\\\\"\""},
    {BYTES("\\x0a"), 80, "\"\\\\x0a\""},
    /* Nor the line, nor the terminal that shows it. */
    {BYTES("a\nb\r\tc"), 80, "\"a\\x0ab\\x0d\\x09c\""},
    {BYTES("\0"), 80, "\"\\x00\""},
    {BYTES("a\0b"), 80, "\"a\\x00b\""},
    {BYTES("\x1b[2J\x7f"), 80, "\"\\x1b[2J\\x7f\""},
    {BYTES("\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f\xc2\xa0"), 80, "\"\\x80\\x85\\x9b\\x9f\xc2\xa0\""},
    {BYTES("\xe2\x80\xa8\xe2\x80\xa9"), 80, "\"\\u2028\\u2029\""},
    /* Nor is it read backwards, or with holes. */
    {BYTES("a\xe2\x80\xae"
           "b\xe2\x80\xac"),
     80, "\"a\\u202eb\\u202c\""},
    {BYTES("\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c"), 80, "\"\\u2066\\u2069\\u061c\""},
    {BYTES("\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\x90"), 80, "\"\\u200b\\u200f\xe2\x80\x90\""},
    {BYTES("\xef\xbb\xbf\xc2\xad"), 80, "\"\\ufeff\\xad\""},
    /* What is not UTF-8 is shown byte by byte. */
    {BYTES("\xff\xfe"), 80, "\"\\xff\\xfe\""},
    {BYTES("a\xc3"), 80, "\"a\\xc3\""},
    {BYTES("\xc0\xaf"), 80, "\"\\xc0\\xaf\""},
    {BYTES("\xed\xa0\x80"), 80, "\"\\xed\\xa0\\x80\""},
    {BYTES("\xf0\x9f\x8c"), 80, "\"\\xf0\\x9f\\x8c\""},
    {BYTES("\xc3\xb1"), 80, "\"\xc3\xb1\""},
    {"\xc3\xb1", 1, 80, "\"\\xc3\""}, /* the rest of it is not ours to read */
    /* Long ones are cut, and say so. */
    {BYTES("123456"), 6, "\"123456\""},
    {BYTES("1234567"), 6, "\"123456...(7 bytes)\""},
    {BYTES("12345\xc3\xb1"
           "7"),
     6, "\"12345\xc3\xb1...(8 bytes)\""}, /* not within a character */
    {BYTES("123456\n"), 6, "\"123456...(7 bytes)\""},
    {BYTES("1"), 0, "\"...(1 bytes)\""},
};

START_TEST(quoted)
{
    char buffer[512];
    ck_assert_ptr_eq(
        adu_text_quote(quotes[_i].text, quotes[_i].length, quotes[_i].limit, buffer, sizeof buffer),
        buffer);
    ck_assert_str_eq(buffer, quotes[_i].quoted);
}
END_TEST

/* Room runs out wherever it will: what is there is still a whole quoted word of valid UTF-8. */
START_TEST(any_room)
{
    static const char text[] = "a\xc3\xb1\"\\\n\xe2\x80\xae\xff\xf0\x9f\x8c\xa1zzzzzzzzzzzz";
    char buffer[128];
    for (size_t size = 1; size < 100; size++) {
        memset(buffer, 'X', sizeof buffer);
        adu_text_quote(text, sizeof text - 1, 16, buffer, size);
        const size_t length = strlen(buffer);
        ck_assert_uint_lt(length, size);
        ck_assert_msg(buffer[size] == 'X', "written beyond %zu bytes", size);
        ck_assert_msg(adu_utf8_valid(buffer, length), "%zu bytes: %s", size, buffer);
        if (size < 3) {
            ck_assert_str_eq(buffer, "");
            continue;
        }
        ck_assert(length >= 2 && buffer[0] == '"' && buffer[length - 1] == '"');
        size_t slashes = 0;
        while (buffer[length - 2 - slashes] == '\\') {
            slashes++;
        }
        ck_assert_msg(slashes % 2 == 0, "the closing quote is escaped: %s", buffer);
    }
}
END_TEST

/* As much room as the header asks for is enough for the worst there is. */
START_TEST(enough_room)
{
    char worst[64], buffer[4 * sizeof worst + 32];
    memset(worst, 0xff, sizeof worst);
    adu_text_quote(worst, sizeof worst, sizeof worst, buffer, sizeof buffer);
    ck_assert_uint_eq(strlen(buffer), 4 * sizeof worst + 2);
    adu_text_quote(worst, sizeof worst, sizeof worst - 1, buffer, sizeof buffer);
    ck_assert_ptr_nonnull(strstr(buffer, "...(64 bytes)\""));
}
END_TEST

/* With less, what is left out is named all the same: of a name that is all escapes too. */
START_TEST(less_room)
{
    char buffer[24];
    ck_assert_str_eq(adu_text_quote(BYTES("12345678901234567890"), 48, buffer, sizeof buffer),
                     "\"12345678901234567890\"");
    ck_assert_str_eq(adu_text_quote(BYTES("1234567890123456789\n"), 48, buffer, sizeof buffer),
                     "\"12345678...(20 bytes)\"");
    ck_assert_str_eq(adu_text_quote(BYTES("\n\n\n\n\n\n"), 48, buffer, sizeof buffer),
                     "\"\\x0a\\x0a...(6 bytes)\"");
}
END_TEST

static const char *const known[] = {"publish", "subscribe", "receive", "name", "allow", NULL};

#define LONG_63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
    const char *word, *nearest;
} words[] = {
    {"publish", "publish"},
    {"pubish", "publish"},
    {"Publish", "publish"},
    {"PUBLISH", "publish"},
    {"publihs", "publish"},
    {"suscribe", "subscribe"},
    {"subscribed", "subscribe"},
    {"recieve", "receive"},
    {"nam", "name"},
    {"names", "name"},
    {"alow", "allow"},
    {"deny", NULL},
    {"retain", NULL},
    {"", NULL},
    {"zzzzzzzz", NULL},
    {LONG_63 "4", NULL},
    {LONG_63 "45", NULL},
    {LONG_63 LONG_63, NULL},
    {LONG_63 LONG_63 LONG_63 LONG_63, NULL},
};

START_TEST(did_you_mean)
{
    ck_assert_pstr_eq(adu_text_nearest(words[_i].word, known), words[_i].nearest);
}
END_TEST

START_TEST(another_case_is_nearer_than_another_letter)
{
    static const char *const attributes[] = {"cert.cn", "cert.o", "cert.ou", NULL};
    ck_assert_pstr_eq(adu_text_nearest("cert.OU", attributes), "cert.ou");
}
END_TEST

START_TEST(nothing_to_mean)
{
    static const char *const none[] = {NULL};
    static const char *const longs[] = {LONG_63 "45", "x", NULL};
    ck_assert_ptr_null(adu_text_nearest("a", none));
    ck_assert_ptr_null(adu_text_nearest(LONG_63 "46", longs)); /* too long to be compared */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    suite_add_rows(suite, quoted, ROWS(quotes));
    suite_add(suite, any_room);
    suite_add(suite, enough_room);
    suite_add(suite, less_room);
    suite_add_rows(suite, did_you_mean, ROWS(words));
    suite_add(suite, another_case_is_nearer_than_another_letter);
    suite_add(suite, nothing_to_mean);
    return run_suite(suite);
}
