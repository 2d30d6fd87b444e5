/* Payloads of Sparkplug B: which bytes are of its form. */
#include "plugins/topic_policy/protobuf.h"
#include "runner.h"
#include <stdlib.h>
#include <string.h>

static const char *judged(const char *bytes, size_t length)
{
    const char *why;
    char *copy = malloc(length + 1); /* so that a step beyond its end is seen */
    memcpy(copy, bytes, length);
    const bool legal = adu_sparkplug_payload_legal((struct adu_text){copy, length}, &why);
    free(copy);
    return legal ? "good" : why;
}

#define JUDGED(bytes) judged(bytes, sizeof(bytes) - 1)

/* timestamp 1, a metric "bdSeq" of type 8 with the number 0, seq 0 */
#define BIRTH                                                                                      \
    "\x08\x01\x12\x0b\x0a\x05"                                                                     \
    "bdSeq"                                                                                        \
    "\x20\x08\x58\x00\x18\x00"

START_TEST(good_ones)
{
    ck_assert_str_eq(JUDGED(""), "good");
    ck_assert_str_eq(JUDGED(BIRTH), "good");
    ck_assert_str_eq(JUDGED("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "good");
    ck_assert_str_eq(JUDGED("\x22\x02\xc3\xb1\x2a\x02\xff\xfe"), "good"); /* uuid, body */
    ck_assert_str_eq(JUDGED("\x12\x05\x65\x00\x00\x80\x3f"), "good");     /* a float */
    ck_assert_str_eq(JUDGED("\x12\x09\x69\x00\x00\x00\x00\x00\x00\xf0\x3f"), "good");
    /* a dataset: one column, its types packed and not, a row of one value */
    ck_assert_str_eq(JUDGED("\x12\x13\x8a\x01\x10\x08\x01\x12\x01"
                            "a"
                            "\x1a\x01\x0c\x18\x0c\x22\x04\x0a\x02\x08\x05"),
                     "good");
    /* an extension, of any wire type */
    ck_assert_str_eq(JUDGED("\x32\x01\xff\x38\x07"), "good");
}
END_TEST

START_TEST(bad_ones)
{
    ck_assert_str_eq(JUDGED("{\"valor\": 1}"), "a wire type that Sparkplug does not use");
    ck_assert_str_eq(JUDGED("\x08"), "a number that does not end");
    ck_assert_str_eq(JUDGED("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
                     "a number that does not end");
    ck_assert_str_eq(JUDGED("\x0a\x01\x00"), "a field of another wire type than Sparkplug's");
    ck_assert_str_eq(JUDGED("\x12\x7f\x08"), "a field that goes beyond the end of its message");
    ck_assert_str_eq(JUDGED("\x12\xff"), "a length that does not end");
    ck_assert_str_eq(JUDGED("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                     "a field that goes beyond the end of its message");
    ck_assert_str_eq(JUDGED("\x22\x01\xc3"), "text that is not UTF-8");
    ck_assert_str_eq(JUDGED("\x00\x01"), "no field where one should begin");
    ck_assert_str_eq(JUDGED("\x12\x02\x61\x00"), "a field of another wire type than Sparkplug's");
    ck_assert_str_eq(JUDGED("\x12\x02\x65\x00"), "a field that goes beyond the end of its message");
    ck_assert_str_eq(JUDGED("\x33\x34"), "a wire type that Sparkplug does not use");
    /* every beginning of a good one is bad, but for its whole fields */
    for (size_t length = 1; length < sizeof BIRTH - 1; length++) {
        const bool whole = length == 2 || length == 15;
        ck_assert_msg((strcmp(judged(BIRTH, length), "good") == 0) == whole, "%zu", length);
    }
}
END_TEST

/* Templates within templates: metric 2 in payload, template 18 in metric, metric 2 in template. */
START_TEST(depth)
{
    char bytes[256], *end = bytes + sizeof bytes, *at = end;
    for (int i = 0; i < 24; i++) {
        const bool metric = i % 2 == 1;
        const char length = (char)(end - at);
        *--at = length;
        if (!metric) {
            *--at = '\x01';
        }
        *--at = metric ? '\x12' : '\x92';
        if (i == 11) {
            ck_assert_str_eq(judged(at, (size_t)(end - at)), "good");
        }
    }
    ck_assert_str_eq(judged(at, (size_t)(end - at)),
                     "more messages within each other than are read");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("protobuf");
    suite_add(suite, good_ones);
    suite_add(suite, bad_ones);
    suite_add(suite, depth);
    return run_suite(suite);
}
