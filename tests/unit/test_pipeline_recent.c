/* What was allowed a moment ago is remembered: never longer, and for nobody and nothing else, than
 * the policy says. */
#include "common/topic_cache.h"
#include "plant.h"
#include <string.h>

static struct plant plant;
static struct connection edge, other;

static const char acl[] =
    "{'roles': {'edge': {'allow': ["
    "{'publish': ['planta/${linea}/+', 'planta/${linea}/a1234567890123456789012345678901/#'], "
    "'subscribe': "
    "['planta/${linea}/+/#']},"
    "{'publish': ['planta/${linea}/poco/x'], 'when': {'payload_bytes': {'max': 10}}}],"
    "'deny': [{'publish': ['planta/+/consigna'], 'when': {'qos': {'min': 1}}},"
    "{'publish': ['planta/+/mirado'], 'mode': 'watch'}]}, 'operador': {}}}";

static void open_plant(void)
{
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .address = "192.0.2.1"};
    other = (struct connection){
        .client_id = "edge-linea2", .certificate = EDGE("edge-linea2"), .address = "192.0.2.2"};
    plant_prepare(&plant);
    folder_write_json(&plant.policies, "acl.json", acl);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &other), ADU_ALLOW);
}

static enum adu_verdict ask(const struct connection *c, enum adu_action action, const char *topic,
                            uint8_t qos, uint32_t payload_length)
{
    const struct adu_question question = {.handle = c,
                                          .client_id = c->client_id,
                                          .action = action,
                                          .topic = topic,
                                          .qos = qos,
                                          .payload_length = payload_length};
    return adu_pipeline_decide(plant.p, &question, plant.now);
}

#define MAY(c, action, topic, ...)                                                                 \
    ck_assert_int_eq(ask(&(c), ADU_##action, topic, __VA_ARGS__), ADU_ALLOW)
#define CANNOT(c, action, topic, ...)                                                              \
    ck_assert_int_eq(ask(&(c), ADU_##action, topic, __VA_ARGS__), ADU_DENY)

START_TEST(conditions_are_asked_each_time)
{
    open_plant();
    for (int i = 0; i < 3; i++) {
        MAY(edge, PUBLISH, "planta/linea1/poco/x", 0, 10);
        CANNOT(edge, PUBLISH, "planta/linea1/poco/x", 0, 11);
        MAY(edge, PUBLISH, "planta/linea1/consigna", 0, 1);
        CANNOT(edge, PUBLISH, "planta/linea1/consigna", 1, 1);
    }
    plant_end(&plant);
}
END_TEST

START_TEST(another_action_is_another_answer)
{
    open_plant();
    for (int i = 0; i < 3; i++) {
        MAY(edge, RECEIVE, "planta/linea1/a/b", 0, 1);
        CANNOT(edge, PUBLISH, "planta/linea1/a/b", 0, 1);
    }
    plant_end(&plant);
}
END_TEST

START_TEST(another_client_is_another_answer)
{
    open_plant();
    for (int i = 0; i < 3; i++) {
        MAY(edge, PUBLISH, "planta/linea1/a", 0, 1);
        CANNOT(other, PUBLISH, "planta/linea1/a", 0, 1);
    }
    plant_end(&plant);
}
END_TEST

/* With a level of up to 32 bytes behind it, as long as a topic that is remembered may be, or
 * longer. */
#define LONG_TOPIC(line)                                                                           \
    line "/a1234567890123456789012345678901/01234567890123456789012345678901/"                     \
         "0123456789012345678901234567890"

_Static_assert(sizeof LONG_TOPIC("planta/linea1") + 1 < ADU_TOPIC_CACHE_BYTES &&
                   sizeof LONG_TOPIC("planta/linea1") + 32 > ADU_TOPIC_CACHE_BYTES,
               "some fit and some do not");

/* Far more topics than are remembered, of all lengths around what fits, each beside one that is
 * refused and differs in its first or last letter alone. */
START_TEST(no_topic_is_taken_for_another)
{
    open_plant();
    char good[256], bad[256];
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 2000; i++) {
            const int length = 1 + i % 32;
            snprintf(good, sizeof good, LONG_TOPIC("planta/linea1") "/%0*d", length, i);
            snprintf(bad, sizeof bad, LONG_TOPIC("planta/linea2") "/%0*d", length, i);
            MAY(edge, PUBLISH, good, 0, 1);
            MAY(edge, PUBLISH, good, 0, 1);
            CANNOT(edge, PUBLISH, bad, 0, 1);
            good[strlen(good) - 1] = 'X';
            CANNOT(edge, PUBLISH, good, 0, 1);
        }
    }
    plant_end(&plant);
}
END_TEST

START_TEST(what_is_watched_is_said_each_time)
{
    open_plant();
    for (int i = 0; i < 3; i++) {
        MAY(edge, PUBLISH, "planta/linea1/mirado", 0, 1);
        ck_assert_uint_eq(plant_counters(&plant)->would_refuse, (uint64_t)i + 1);
    }
    plant_end(&plant);
}
END_TEST

START_TEST(a_reload_forgets)
{
    open_plant();
    MAY(edge, PUBLISH, "planta/linea1/a", 0, 1);
    MAY(edge, PUBLISH, "planta/linea1/a", 0, 1);
    folder_write_json(&plant.policies, "acl.json", "{'roles': {'edge': {}, 'operador': {}}}");
    ck_assert(plant_reload(&plant));
    CANNOT(edge, PUBLISH, "planta/linea1/a", 0, 1);
    plant_end(&plant);
}
END_TEST

START_TEST(rates_are_counted_all_the_same)
{
    open_plant();
    plant_pass(&plant, 0);
    for (int i = 0; i < 1200; i++) {
        MAY(edge, PUBLISH, "planta/linea1/a", 0, 1);
    }
    ck_assert_uint_eq(plant_counters(&plant)->publish_allowed, 1200);
    plant_pass(&plant, 10);
    ck_assert_uint_eq(plant_counters(&plant)->alerts_raised, 1);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_recent");
    suite_add(suite, conditions_are_asked_each_time);
    suite_add(suite, another_action_is_another_answer);
    suite_add(suite, another_client_is_another_answer);
    suite_add(suite, no_topic_is_taken_for_another);
    suite_add(suite, what_is_watched_is_said_each_time);
    suite_add(suite, a_reload_forgets);
    suite_add(suite, rates_are_counted_all_the_same);
    return run_suite(suite);
}
