/* UTF-8 by RFC 3629: every sequence there is, and nothing else. */
#include "common/utf8.h"
#include "runner.h"
#include <string.h>

/* The encoding of a code point by the book; 0 for what has none. */
static size_t encode(unsigned c, unsigned char bytes[4])
{
    if (c < 0x80) {
        bytes[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        bytes[0] = (unsigned char)(0xc0 | c >> 6);
        bytes[1] = (unsigned char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        bytes[0] = (unsigned char)(0xe0 | c >> 12);
        bytes[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (unsigned char)(0x80 | (c & 0x3f));
        return c >= 0xd800 && c <= 0xdfff ? 0 : 3;
    }
    bytes[0] = (unsigned char)(0xf0 | c >> 18);
    bytes[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
    bytes[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
    bytes[3] = (unsigned char)(0x80 | (c & 0x3f));
    return c > 0x10ffff ? 0 : 4;
}

/* Each code point alone, and cut short. Beyond U+10FFFF and the surrogates there are none. */
START_TEST(every_code_point)
{
    for (unsigned c = 0; c < 0x120000; c++) {
        unsigned char bytes[4];
        const size_t size = encode(c, bytes);
        const char *text = (const char *)bytes;
        if (adu_utf8_sequence(text, size > 0      ? size
                                    : c < 0x10000 ? 3
                                                  : 4) != size ||
            adu_utf8_valid(text, size > 0      ? size
                                 : c < 0x10000 ? 3
                                               : 4) != (size > 0)) {
            ck_abort_msg("U+%04X", c);
        }
        for (size_t cut = 1; cut < size; cut++) {
            if (adu_utf8_sequence(text, cut) != 0 || adu_utf8_valid(text, cut)) {
                ck_abort_msg("U+%04X cut to %zu bytes", c, cut);
            }
        }
    }
}
END_TEST

/* All pairs and triples of bytes: exactly as many begin with a whole character as RFC 3629 has. */
START_TEST(every_byte)
{
    unsigned pairs = 0, triples = 0, alone = 0;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const char two[] = {(char)a, (char)b};
            pairs += adu_utf8_sequence(two, 2) == 2;
            for (unsigned c = 0; c < 256; c++) {
                const char three[] = {(char)a, (char)b, (char)c};
                triples += adu_utf8_sequence(three, 3) == 3;
            }
        }
        const char one[] = {(char)a};
        alone += adu_utf8_sequence(one, 1) == 1;
    }
    ck_assert_uint_eq(alone, 0x80);
    ck_assert_uint_eq(pairs, 0x800 - 0x80);
    ck_assert_uint_eq(triples, 0x10000 - 0x800 - 0x800); /* without the surrogates */
}
END_TEST

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *what, *text;
    size_t length;
    bool valid;
} texts[] = {
    {"nothing", BYTES(""), true},
    {"ASCII", BYTES("planta/linea1"), true},
    {"a NUL", BYTES("a\0b"), true}, /* whoever minds U+0000 asks for it */
    {"Spanish",
     BYTES("\xc3\xb1"
           "and\xc3\xba"),
     true},
    {"a non-character", BYTES("\xef\xbf\xbf"), true},
    {"the last character", BYTES("\xf4\x8f\xbf\xbf"), true},
    {"a slash in two bytes", BYTES("a\xc0\xaf"), false},
    {"a slash in three bytes", BYTES("\xe0\x80\xaf"), false},
    {"a slash in four bytes", BYTES("\xf0\x80\x80\xaf"), false},
    {"a NUL in two bytes", BYTES("\xc0\x80"), false},
    {"U+07FF in three bytes", BYTES("\xe0\x9f\xbf"), false},
    {"U+FFFF in four bytes", BYTES("\xf0\x8f\xbf\xbf"), false},
    {"the first surrogate", BYTES("\xed\xa0\x80"), false},
    {"the last surrogate", BYTES("\xed\xbf\xbf"), false},
    {"a pair of surrogates", BYTES("\xed\xa0\xbc\xed\xbc\xa1"), false},
    {"beyond the last", BYTES("\xf4\x90\x80\x80"), false},
    {"five bytes", BYTES("\xf8\x88\x80\x80\x80"), false},
    {"a lone continuation", BYTES("a\x80"), false},
    {"two leads", BYTES("\xc3\xc3\xb1"), false},
    {"cut at the end", BYTES("a\xe6\xb8"), false},
    {"cut in the middle",
     BYTES("\xe6\xb8"
           "a"),
     false},
    {"wrong only at the very end", BYTES("planta/linea1/temperatura\xff"), false},
};

START_TEST(valid)
{
    ck_assert_msg(adu_utf8_valid(texts[_i].text, texts[_i].length) == texts[_i].valid, "%s",
                  texts[_i].what);
}
END_TEST

static const struct {
    const char *text, *left;
} trims[] = {
    {"", ""},
    {"abc", "abc"},
    {"a\xc3\xb1", "a\xc3\xb1"},
    {"a\xc3", "a"},
    {"\xc3", ""},
    {"\xe6\xb8\xa9", "\xe6\xb8\xa9"},
    {"\xe6\xb8", ""},
    {"a\xe6", "a"},
    {"\xf0\x9f\x8c\xa1", "\xf0\x9f\x8c\xa1"},
    {"a\xf0\x9f\x8c", "a"},
    {"a\xf0\x9f", "a"},
    {"a\xf0", "a"},
    {"\xc3\xb1\xc3", "\xc3\xb1"},
};

START_TEST(trims_only_a_beginning)
{
    char text[16];
    snprintf(text, sizeof text, "%s", trims[_i].text);
    adu_utf8_trim(text);
    ck_assert_str_eq(text, trims[_i].left);
}
END_TEST

/* After a cut anywhere, what is left is valid, and at most three bytes shorter. */
START_TEST(trims_every_cut)
{
    static const char text[] = "a\xc3\xb1\xe6\xb8\xa9\xf0\x9f\x8c\xa1z\xf4\x8f\xbf\xbf";
    for (size_t cut = 0; cut < sizeof text; cut++) {
        char copy[sizeof text + 1];
        snprintf(copy, cut + 1, "%s", text);
        adu_utf8_trim(copy);
        ck_assert_msg(adu_utf8_valid(copy, strlen(copy)), "cut at %zu", cut);
        ck_assert_uint_le(cut - strlen(copy), 3);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    suite_add(suite, every_code_point);
    suite_add(suite, every_byte);
    suite_add_rows(suite, valid, ROWS(texts));
    suite_add_rows(suite, trims_only_a_beginning, ROWS(trims));
    suite_add(suite, trims_every_cut);
    return run_suite(suite);
}
