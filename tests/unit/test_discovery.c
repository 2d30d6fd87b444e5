/* Topics in use: what is kept of each, and that nothing makes it grow or forget. */
#include "plugins/topic_policy/discovery.h"
#include "runner.h"
#include <stdio.h>
#include <string.h>

enum { DAY_MS = 86400000 };

static struct adu_discovery *discovery;

static const struct adu_found_topic *note(const char *topic, const char *client, int64_t ms)
{
    return adu_discovery_note(discovery, adu_text_of(topic), client, (uint32_t)client[0], ms,
                              1700000000000 + ms);
}

static const struct adu_found_topic *find(const char *topic)
{
    const struct adu_found_topic *t;
    size_t place = 0;
    while ((t = adu_discovery_next(discovery, &place)) != NULL) {
        if (t->kept == strlen(topic) && memcmp(t->topic, topic, t->kept) == 0) {
            return t;
        }
    }
    return NULL;
}

static void flood(int from, int count, int64_t ms)
{
    char topic[64];
    for (int i = from; i < from + count; i++) {
        snprintf(topic, sizeof topic, "planta/ruido/%d", i);
        note(topic, "z", ms);
    }
}

START_TEST(one_topic)
{
    discovery = adu_discovery_new();
    note("planta/linea1/temperatura", "a", 5);
    note("planta/linea1/temperatura", "b", 7);
    note("planta/linea1/temperatura", "b", 9);
    const struct adu_found_topic *t = find("planta/linea1/temperatura");
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_eq(t->messages, 3);
    ck_assert_int_eq(t->first_ms, 1700000000005);
    ck_assert_int_eq(t->last_ms, 1700000000009);
    ck_assert_uint_eq(t->client_kept, 1);
    ck_assert_int_eq(t->client_id[0], 'b');
    ck_assert_uint_eq(t->clients[0], 'b');
    ck_assert_uint_eq(t->clients[1], 'a');
    ck_assert_uint_eq(t->clients[2], 0);
    note("planta/linea1/temperatura", "a", 10); /* again, and no third one */
    ck_assert_uint_eq(t->clients[0], 'a');
    ck_assert_uint_eq(t->clients[1], 'b');
    ck_assert_uint_eq(t->clients[2], 0);
    for (char more[2] = "c"; more[0] < 'k'; more[0]++) {
        note("planta/linea1/temperatura", more, 11);
    }
    ck_assert_uint_eq(t->clients[3], 'g');
    ck_assert_uint_eq(adu_discovery_count(discovery), 1);
    adu_discovery_free(discovery);
    adu_discovery_free(NULL);
}
END_TEST

/* Nothing is cut in the middle of a character, and what differs behind the cut stays two. */
START_TEST(long_ones)
{
    char topic[ADU_DISCOVERY_TOPIC + 16], client[ADU_DISCOVERY_CLIENT + 16];
    discovery = adu_discovery_new();
    memset(topic, 'a', sizeof topic);
    memcpy(topic + ADU_DISCOVERY_TOPIC - 1, "\xc3\xb1o", 4);
    memset(client, 'c', sizeof client);
    memcpy(client + ADU_DISCOVERY_CLIENT - 2, "\xe2\x82\xac", 4);
    const struct adu_found_topic *t = note(topic, client, 1);
    ck_assert_uint_eq(t->kept, ADU_DISCOVERY_TOPIC - 1);
    ck_assert_uint_eq(t->length, ADU_DISCOVERY_TOPIC + 2);
    ck_assert_uint_eq(t->client_kept, ADU_DISCOVERY_CLIENT - 2);
    topic[ADU_DISCOVERY_TOPIC + 1] = 'x';
    ck_assert_ptr_ne(note(topic, client, 1), t);
    ck_assert_uint_eq(adu_discovery_count(discovery), 2);
    adu_discovery_free(discovery);
}
END_TEST

/* A hundred thousand topics that nobody has seen before, again and again: the list is full and no
 * more, and those of the plant are on it with every message of theirs. */
START_TEST(a_flood)
{
    char topic[64];
    discovery = adu_discovery_new();
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 200; i++) {
            snprintf(topic, sizeof topic, "planta/linea%d/temperatura", i);
            note(topic, "a", round);
        }
    }
    for (int round = 0; round < 3; round++) {
        flood(round * 100000, 100000, 100 + round);
    }
    ck_assert_uint_eq(adu_discovery_count(discovery), ADU_DISCOVERY_MOST);
    ck_assert_uint_gt(adu_discovery_left_out(discovery), 100000);
    for (int i = 0; i < 200; i++) {
        snprintf(topic, sizeof topic, "planta/linea%d/temperatura", i);
        const struct adu_found_topic *t = find(topic);
        ck_assert_msg(t != NULL, "%s was forgotten", topic);
        ck_assert_uint_eq(t->messages, 50);
    }
    adu_discovery_free(discovery);
}
END_TEST

/* A full list takes a new topic that goes on coming, and is not changed by a flood meanwhile. */
START_TEST(a_new_one_in_a_full_list)
{
    discovery = adu_discovery_new();
    flood(0, 200000, 0);
    const uint64_t displaced = adu_discovery_displaced(discovery);
    for (int i = 0; i < 100 && find("planta/linea1/nueva") == NULL; i++) {
        note("planta/linea1/nueva", "a", 1);
        flood(200000 + i * 100, 100, 1);
    }
    ck_assert_ptr_nonnull(find("planta/linea1/nueva"));
    ck_assert_uint_gt(adu_discovery_displaced(discovery), displaced);
    ck_assert_uint_eq(adu_discovery_count(discovery), ADU_DISCOVERY_MOST);
    adu_discovery_free(discovery);
}
END_TEST

/* However often it came: one that has been silent for a day makes room. */
START_TEST(silence)
{
    char topic[64];
    discovery = adu_discovery_new();
    for (int round = 0; round < 20; round++) {
        flood(0, 100000, 0);
    }
    note("planta/linea1/nueva", "a", DAY_MS - 1);
    ck_assert_ptr_null(find("planta/linea1/nueva"));
    note("planta/linea1/nueva", "a", DAY_MS);
    ck_assert_ptr_nonnull(find("planta/linea1/nueva"));
    snprintf(topic, sizeof topic, "planta/ruido/%d", 7);
    ck_assert_uint_eq(adu_discovery_count(discovery), ADU_DISCOVERY_MOST);
    adu_discovery_free(discovery);
}
END_TEST

START_TEST(the_most_first)
{
    const struct adu_found_topic *top[5];
    char topic[64];
    discovery = adu_discovery_new();
    ck_assert_uint_eq(adu_discovery_top(discovery, top, 5), 0);
    for (int i = 0; i < 40; i++) {
        snprintf(topic, sizeof topic, "planta/t%d", i);
        for (int times = 0; times <= i * 7 % 40; times++) {
            note(topic, "a", 1);
        }
    }
    ck_assert_uint_eq(adu_discovery_top(discovery, top, 5), 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(top[i]->messages, (uint64_t)(40 - i));
    }
    ck_assert_uint_eq(adu_discovery_top(discovery, top, 0), 0);
    adu_discovery_free(discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("discovery");
    suite_add(suite, one_topic);
    suite_add(suite, long_ones);
    suite_add(suite, a_flood);
    suite_add(suite, a_new_one_in_a_full_list);
    suite_add(suite, silence);
    suite_add(suite, the_most_first);
    return run_suite(suite);
}
