/* Counters as messages: all of them as one object, or each on a topic of its own. */
#include "monitor.h"

START_TEST(counters_are_published)
{
    begin(WITH_COUNTERS);
    counters.publish_refused = 7;
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1); /* at once, then every ten seconds */
    tick_for(10 * SECOND - TICK);
    ck_assert_int_eq(message_count, 1);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    tick_for(90 * SECOND);
    ck_assert_int_eq(message_count, 11);
    json_t *o = json_loads(messages[10].payload, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "publish_refused")), 7);
    ck_assert_uint_ge(json_object_size(o), 10);
    json_decref(o);
    ck_assert_str_eq(messages[10].topic, "planta/_sys/contadores");
    ck_assert(messages[10].retain);
    end();
}
END_TEST

/* Below `tree`, the last message about each number; how many there were. */
static int told_below(const char *tree, const char *name, const char **payload)
{
    char topic[128];
    int count = 0;
    *payload = NULL;
    snprintf(topic, sizeof topic, "%s/%s", tree, name);
    for (int i = 0; i < message_count; i++) {
        ck_assert(messages[i].retain);
        if (strcmp(messages[i].topic, topic) == 0) {
            *payload = messages[i].payload;
            count++;
        }
    }
    return count;
}

static int metric_count(void)
{
    int count = 0;
    while (adu_metric_list[count].name != NULL) {
        count++;
    }
    return count;
}

#define TREE(topic)                                                                                \
    "{'classes': [], " ALERTS ", 'counters': {'tree': '" topic "', 'every_seconds': 10}}"

START_TEST(each_number_has_a_topic)
{
    const char *payload;
    begin(TREE("a/b"));
    counters.publish_refused = 7;
    measured.sessions_online = 3;
    tick_for(TICK);
    ck_assert_int_le(message_count, 16); /* some a tick */
    tick_for(9 * SECOND);
    ck_assert_int_eq(message_count, metric_count()); /* each once, and 0 too */
    ck_assert_int_eq(told_below("a/b", "publish_refused", &payload), 1);
    ck_assert_str_eq(payload, "7");
    ck_assert_int_eq(told_below("a/b", "sessions_online", &payload), 1);
    ck_assert_str_eq(payload, "3");
    counters.publish_refused = 9;
    counters.publish_refused = 12;
    tick_for(100 * SECOND); /* what has changed, at its time, and once */
    ck_assert_int_eq(message_count, metric_count() + 1);
    ck_assert_int_eq(told_below("a/b", "publish_refused", &payload), 2);
    ck_assert_str_eq(payload, "12");
    end();
}
END_TEST

START_TEST(another_tree)
{
    const char *payload;
    begin(TREE("a/b"));
    tick_for(5 * SECOND);
    message_count = 0;
    snippet_close(&snippet);
    load(TREE("c"));
    tick_for(20 * SECOND);
    ck_assert_int_eq(message_count, 2 * metric_count()); /* the old ones are taken back */
    ck_assert_int_eq(told_below("a/b", "publish_allowed", &payload), 1);
    ck_assert_str_eq(payload, "");
    ck_assert_int_eq(told_below("c", "publish_allowed", &payload), 1);
    ck_assert_str_eq(payload, "0");
    message_count = 0;
    snippet_close(&snippet);
    load(POLICY);
    tick_for(20 * SECOND);
    ck_assert_int_eq(message_count, metric_count());
    ck_assert_int_eq(told_below("c", "publish_allowed", &payload), 1);
    ck_assert_str_eq(payload, "");
    end();
}
END_TEST

START_TEST(nobody_else_publishes_to_the_tree)
{
    struct client edge;
    struct adu_reason why;
    begin(TREE("a/b"));
    client_make(&edge, "e", "", "edge");
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b/publish_refused", true, &why), ADU_DENY);
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b/whatever", true, &why), ADU_DENY);
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b", true, &why), ADU_ABSTAIN);
    ck_assert_int_eq(asks(&edge, ADU_PUBLISH, "a/b/c/d", true, &why), ADU_ABSTAIN);
    client_free(&edge);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_counters");
    suite_add(suite, counters_are_published);
    suite_add(suite, each_number_has_a_topic);
    suite_add(suite, another_tree);
    suite_add(suite, nobody_else_publishes_to_the_tree);
    return run_suite(suite);
}
