/* Numbers that stand for topics. */
#include "common/topic_cache.h"
#include "runner.h"

static struct adu_topic_cache *cache;

static uint32_t find(const char *topic)
{
    return adu_topic_cache_find(cache, adu_text_of(topic));
}

static uint32_t add(const char *topic)
{
    return adu_topic_cache_add(cache, adu_text_of(topic));
}

START_TEST(a_number_is_one_topics)
{
    cache = adu_topic_cache_new();
    ck_assert_uint_eq(find("a"), 0);
    const uint32_t a = add("a"), b = add("b");
    ck_assert_uint_ne(a, 0);
    ck_assert_uint_ne(b, 0);
    ck_assert_uint_ne(a, b);
    ck_assert_uint_eq(find("a"), a);
    ck_assert_uint_eq(add("a"), a);
    ck_assert_uint_eq(find("A"), 0);
    ck_assert_uint_eq(find("aa"), 0);
    ck_assert_uint_eq(find(""), 0);
    adu_topic_cache_free(cache);
}
END_TEST

/* Far more than there is room for: what is still there has its own number, and none had it before.
 */
START_TEST(no_number_is_given_twice)
{
    enum { TOPICS = 200000 };
    static uint32_t given[TOPICS];
    char topic[32];
    int kept = 0;
    cache = adu_topic_cache_new();
    for (int i = 0; i < TOPICS; i++) {
        snprintf(topic, sizeof topic, "planta/linea%d/x", i);
        given[i] = add(topic);
        ck_assert_uint_gt(given[i], i > 0 ? given[i - 1] : 0);
    }
    for (int i = 0; i < TOPICS; i++) {
        snprintf(topic, sizeof topic, "planta/linea%d/x", i);
        const uint32_t found = find(topic);
        ck_assert_msg(found == 0 || found == given[i], "%s", topic);
        kept += found != 0;
    }
    ck_assert_int_gt(kept, ADU_TOPIC_CACHE_SETS);
    ck_assert_int_le(kept, ADU_TOPIC_CACHE_SETS * ADU_TOPIC_CACHE_WAYS);
    adu_topic_cache_free(cache);
}
END_TEST

START_TEST(long_topics_have_none)
{
    char topic[ADU_TOPIC_CACHE_BYTES + 2];
    memset(topic, 'x', sizeof topic);
    topic[ADU_TOPIC_CACHE_BYTES + 1] = '\0';
    cache = adu_topic_cache_new();
    ck_assert_uint_eq(add(topic), 0);
    topic[ADU_TOPIC_CACHE_BYTES] = '\0';
    const uint32_t number = add(topic);
    ck_assert_uint_ne(number, 0);
    ck_assert_uint_eq(find(topic), number);
    topic[ADU_TOPIC_CACHE_BYTES - 1] = 'y';
    ck_assert_uint_eq(find(topic), 0);
    adu_topic_cache_free(cache);
}
END_TEST

START_TEST(cleared)
{
    cache = adu_topic_cache_new();
    add("a");
    ck_assert(!adu_topic_cache_worn(cache));
    adu_topic_cache_clear(cache);
    ck_assert_uint_eq(find("a"), 0);
    ck_assert_uint_ne(add("a"), 0);
    adu_topic_cache_free(cache);
    adu_topic_cache_free(NULL);
}
END_TEST

/* Two thousand million topics later. */
START_TEST(numbers_come_to_an_end)
{
    cache = adu_topic_cache_new();
    adu_topic_cache_use_up(cache, 3);
    ck_assert(adu_topic_cache_worn(cache));
    const uint32_t a = add("a"), b = add("b"), c = add("c");
    ck_assert_uint_lt(c, UINT32_C(1) << 31); /* a bit is left for the action */
    ck_assert(a != 0 && b > a && c > b);
    ck_assert_uint_eq(add("d"), 0);
    ck_assert_uint_eq(find("a"), a);
    adu_topic_cache_clear(cache);
    ck_assert(!adu_topic_cache_worn(cache));
    ck_assert_uint_ne(add("d"), 0);
    adu_topic_cache_free(cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topic_cache");
    suite_add(suite, a_number_is_one_topics);
    suite_add(suite, no_number_is_given_twice);
    suite_add(suite, long_topics_have_none);
    suite_add(suite, cleared);
    suite_add(suite, numbers_come_to_an_end);
    return run_suite(suite);
}
