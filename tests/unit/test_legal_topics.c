/* Topics that were found legal of late. */
#include "plugins/topic_policy/legal_topics.h"
#include "runner.h"
#include <stdio.h>

static struct adu_arena *arena;
static struct adu_legal_topics *legal;

static void open_legal(void)
{
    arena = adu_arena_new();
    legal = adu_legal_topics_new(arena);
    ck_assert_ptr_nonnull(legal);
}

/* As a message on it does: true if it is known. */
static bool comes(const char *topic, uint32_t value)
{
    uint64_t hash;
    uint32_t found;
    if (adu_legal_topics_find(legal, adu_text_of(topic), &hash, &found)) {
        ck_assert_uint_eq(found, value);
        return true;
    }
    adu_legal_topics_add(legal, adu_text_of(topic), hash, value);
    return false;
}

START_TEST(remembered_from_the_second_time_on)
{
    char longest[ADU_LEGAL_TOPICS_BYTES + 2];
    open_legal();
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_int_eq(comes("planta/linea1/temperatura", 7), i >= 2);
        ck_assert_int_eq(comes("planta/linea2/temperatura", 0), i >= 2);
        ck_assert_int_eq(comes("a", 1), i >= 2);
    }
    memset(longest, 'a', sizeof longest);
    longest[ADU_LEGAL_TOPICS_BYTES + 1] = '\0';
    for (int i = 0; i < 5; i++) {
        ck_assert(!comes(longest, 1));
    }
    longest[ADU_LEGAL_TOPICS_BYTES] = '\0';
    comes(longest, 1);
    comes(longest, 1);
    ck_assert(comes(longest, 1));
    adu_arena_free(arena);
}
END_TEST

/* A hundred thousand that come once push out none that are known, and none is taken for another. */
START_TEST(topics_that_come_once)
{
    enum { KNOWN = 500, OTHERS = 100000 };
    char topic[40];
    unsigned still = 0, known_at_once = 0;
    open_legal();
    for (uint32_t i = 0; i < 3 * KNOWN; i++) {
        snprintf(topic, sizeof topic, "planta/linea%u", i % KNOWN);
        comes(topic, i % KNOWN);
    }
    for (uint32_t i = 0; i < OTHERS; i++) {
        snprintf(topic, sizeof topic, "planta/otra%u", i);
        known_at_once += comes(topic, 1);
    }
    for (uint32_t i = 0; i < KNOWN; i++) {
        snprintf(topic, sizeof topic, "planta/linea%u", i);
        still += comes(topic, i);
    }
    ck_assert_uint_eq(known_at_once, 0);
    /* a few share their tag with one that came before, and are taken to come again */
    ck_assert_uint_ge(still, KNOWN - 10);
    adu_arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("legal_topics");
    suite_add(suite, remembered_from_the_second_time_on);
    suite_add(suite, topics_that_come_once);
    return run_suite(suite);
}
