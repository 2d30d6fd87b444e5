/* Topics in use, and those that can be taken for one of them. */
#include "plugins/topic_policy/in_use.h"
#include "plugins/topic_policy/looks.h"
#include "runner.h"
#include <stdio.h>

static const char *alike(const struct adu_in_use *in_use, const char *topic)
{
    static char text[ADU_IN_USE_BYTES + 1];
    const struct adu_text other = adu_in_use_alike(in_use, adu_text_of(topic));
    snprintf(text, sizeof text, "%.*s", (int)other.length, other.length > 0 ? other.bytes : "");
    return text;
}

START_TEST(case_and_dashes)
{
    struct adu_in_use *in_use = adu_in_use_new();
    ck_assert_str_eq(alike(in_use, "planta/linea_1"), "");
    adu_in_use_note(in_use, adu_text_of("planta/linea_1"));
    adu_in_use_note(in_use, adu_text_of("planta/linea_1"));
    ck_assert_str_eq(alike(in_use, "planta/linea_1"), "");
    ck_assert_str_eq(alike(in_use, "planta/linea-1"), "planta/linea_1");
    ck_assert_str_eq(alike(in_use, "Planta/LINEA_1"), "planta/linea_1");
    ck_assert_str_eq(alike(in_use, "planta/linea1"), "");
    ck_assert_str_eq(alike(in_use, "planta/linea_1/x"), "");
    /* once both are in use neither is told of the other */
    adu_in_use_note(in_use, adu_text_of("planta/linea-1"));
    ck_assert_str_eq(alike(in_use, "planta/linea-1"), "");
    ck_assert_str_eq(alike(in_use, "planta/linea_1"), "");
    adu_in_use_note(in_use, adu_text_of("a\xc3\xb1o/\xd1\x86"));
    ck_assert_str_eq(alike(in_use, "A\xc3\x91O/\xd0\xa6"), "a\xc3\xb1o/\xd1\x86");
    adu_in_use_free(in_use);
    adu_in_use_free(NULL);
}
END_TEST

/* However many there are, it grows no further, and what is too long is left alone. */
START_TEST(bounded)
{
    struct adu_in_use *in_use = adu_in_use_new();
    char topic[300];
    for (int i = 0; i < 200000; i++) {
        snprintf(topic, sizeof topic, "planta/linea_%d", i);
        adu_in_use_note(in_use, adu_text_of(topic));
    }
    snprintf(topic, sizeof topic, "planta/linea-%d", 199999);
    ck_assert_str_eq(alike(in_use, topic), "planta/linea_199999");
    memset(topic, 'a', sizeof topic - 1);
    topic[sizeof topic - 1] = '\0';
    adu_in_use_note(in_use, adu_text_of(topic));
    topic[0] = 'A';
    ck_assert_str_eq(alike(in_use, topic), "");
    adu_in_use_note(in_use, adu_text_of(""));
    ck_assert_str_eq(alike(in_use, "\xff"), "");
    adu_in_use_free(in_use);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("in_use");
    suite_add(suite, case_and_dashes);
    suite_add(suite, bounded);
    return run_suite(suite);
}
