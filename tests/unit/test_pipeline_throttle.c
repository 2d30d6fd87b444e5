/* A client that publishes too much, where the broker asks again about each message that may go. */
#include "plant.h"

static struct plant plant;
static struct connection edge, other;

#define THROTTLING                                                                                 \
    "{'classes': [{'name': 'gateways', 'match': {}, 'publish': {'max_per_second': 10, "            \
    "'clear_seconds': 5}, 'actions': {'throttle': ['publish_rate']}}], "                           \
    "'alerts': {'topic': 'planta/_sys/alertas/${kind}/${client_id}'}}"
#define TOPIC "planta/linea1/temp"

static enum adu_verdict publishes(const char *topic, uint8_t qos)
{
    const struct adu_question question = {.handle = &edge,
                                          .client_id = edge.client_id,
                                          .action = ADU_PUBLISH,
                                          .topic = topic,
                                          .qos = qos,
                                          .payload_length = 1};
    return adu_pipeline_decide(plant.p, &question, plant.now);
}

/* A gateway that is throttled since a moment ago; `grants`: acl is loaded. */
static void begin(bool grants)
{
    edge = (struct connection){.client_id = "edge-linea1",
                               .certificate = EDGE("edge-linea1"),
                               .address = "192.0.2.1",
                               .protocol = 5};
    other = (struct connection){
        .client_id = "edge-linea2", .certificate = EDGE("edge-linea2"), .address = "192.0.2.2"};
    plant_prepare(&plant);
    folder_write_json(&plant.policies, "rate_monitor.json", THROTTLING);
    if (!grants) {
        folder_write_json(&plant.policies, "acl.json", "{'if_not_loaded': 'ignore'}");
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        ck_assert_msg((kind == ADU_STAGE_ACL && !grants) ||
                          plant_attach(&plant, (enum adu_stage_kind)kind, &error),
                      "%s", error.text);
    }
    ck_assert(adu_pipeline_throttles(plant.p));
    adu_pipeline_asked_again(plant.p, true);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &other), ADU_ALLOW);
    for (int i = 0; i < 20; i++) {
        publishes(TOPIC, 0);
    }
    plant_pass(&plant, 100);
    ck_assert_int_eq(publishes(TOPIC, 0), ADU_DENY);
    ck_assert_int_eq(plant_counters(&plant)->publishes_throttled, 1);
    log_clear();
}

static bool too_much(const struct connection *c)
{
    return adu_pipeline_too_much(plant.p, c, TOPIC);
}

START_TEST(told_once)
{
    begin(true);
    const struct adu_counters before = *plant_counters(&plant);
    ck_assert_int_eq(publishes(TOPIC, 1), ADU_ALLOW); /* remembered */
    ck_assert(!too_much(&other));
    ck_assert(too_much(&edge));
    ck_assert(!too_much(&edge));
    ck_assert_int_eq(publishes("planta/linea1/new", 2), ADU_ALLOW);
    ck_assert(adu_pipeline_too_much(plant.p, &edge, "planta/linea1/new"));
    const struct adu_counters *after = plant_counters(&plant);
    ck_assert_uint_eq(after->publishes_throttled, before.publishes_throttled + 2);
    ck_assert_uint_eq(after->publish_refused, before.publish_refused + 2);
    ck_assert_uint_eq(after->publish_allowed, before.publish_allowed);
    ck_assert_int_eq(logged("refused publish client=\"edge-linea1\""), 2);
    ck_assert_int_eq(logged("topic=\"planta/linea1/new\" qos=2"), 1);
    ck_assert_int_eq(logged("rate_monitor: it publishes or connects too much: it is told so"), 2);
    plant_end(&plant);
}
END_TEST

/* Who cannot be told goes on as ever: MQTT 3 would take its message for delivered. */
static const struct {
    const char *what, *topic;
    int protocol;
    bool asked_again;
    enum adu_verdict verdict;
} others[] = {
    {"MQTT 3.1.1", TOPIC, 4, true, ADU_ALLOW},
    {"the broker does not ask again", TOPIC, 5, false, ADU_ALLOW},
    {"it may not", "planta/linea1/consigna", 5, true, ADU_DENY},
    {"an order, of which it may give none", "$CONTROL/aduana/v1", 5, true, ADU_DENY},
    {"not a topic", "planta/#", 5, true, ADU_DENY},
};

START_TEST(not_told)
{
    begin(true);
    edge.protocol = others[_i].protocol;
    if (!others[_i].asked_again) {
        adu_pipeline_asked_again(plant.p, false);
        ck_assert_int_eq(logged("does not take a callback for each message"), 1);
        ck_assert_uint_eq(plant_counters(&plant)->stage_errors, 1);
    }
    ck_assert_int_eq(publishes(others[_i].topic, 1), others[_i].verdict);
    ck_assert(!too_much(&edge));
    ck_assert_int_eq(plant_counters(&plant)->publishes_throttled, 1);
    plant_end(&plant);
}
END_TEST

/* Of an order the broker does not ask again. */
START_TEST(orders_go_on)
{
    begin(true);
    folder_write_json(&plant.policies, "acl.json",
                      "{'roles': {'edge': {'allow': [{'publish': ['$CONTROL/#', 'planta/#']}]}, "
                      "'operador': {}}}");
    folder_write_json(&plant.policies, "topic_policy.json", "{'mode': 'watch'}");
    ck_assert(plant_reload(&plant));
    publishes(TOPIC, 0);
    plant_pass(&plant, 100); /* its class is found anew */
    ck_assert_int_eq(publishes(TOPIC, 0), ADU_DENY);
    ck_assert_int_eq(publishes("$CONTROL/aduana/v1", 1), ADU_ALLOW);
    ck_assert(!too_much(&edge));
    plant_end(&plant);
}
END_TEST

/* The broker also asks when it takes up a session, or delivers a retained message: once. */
START_TEST(asked_once)
{
    begin(true);
    ck_assert_int_eq(publishes(TOPIC, 1), ADU_ALLOW);
    plant_ask(&plant, &other, ADU_RECEIVE, TOPIC);
    ck_assert(!too_much(&edge));
    ck_assert_int_eq(plant_counters(&plant)->publishes_throttled, 1);
    plant_end(&plant);
}
END_TEST

START_TEST(the_broker_grants)
{
    begin(false);
    ck_assert_int_eq(publishes(TOPIC, 1), ADU_ABSTAIN);
    ck_assert(too_much(&edge));
    plant_end(&plant);
}
END_TEST

START_TEST(till_it_is_over)
{
    begin(true);
    plant_pass(&plant, 3000);
    ck_assert_int_eq(publishes(TOPIC, 1), ADU_ALLOW);
    ck_assert(too_much(&edge));
    for (int i = 0; i < 80; i++) {
        plant_pass(&plant, 100);
    }
    ck_assert_int_eq(publishes(TOPIC, 1), ADU_ALLOW);
    ck_assert(!too_much(&edge));
    plant_end(&plant);
}
END_TEST

START_TEST(taken_out_by_a_reload)
{
    begin(true);
    folder_copy(&plant.policies, PLANTA);
    ck_assert(plant_reload(&plant));
    ck_assert(!adu_pipeline_throttles(plant.p));
    adu_pipeline_asked_again(plant.p, false);
    plant_pass(&plant, 100);
    ck_assert_int_eq(publishes(TOPIC, 1), ADU_ALLOW);
    ck_assert_int_eq(publishes(TOPIC, 0), ADU_ALLOW);
    ck_assert(!too_much(&edge));
    ck_assert_uint_eq(plant_counters(&plant)->stage_errors, 0);
    struct adu_pipeline *unloaded = plant.p;
    plant_stop(&plant);
    ck_assert(!adu_pipeline_too_much(unloaded, &edge, TOPIC));
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline: throttle");
    suite_add(suite, told_once);
    suite_add_rows(suite, not_told, ROWS(others));
    suite_add(suite, orders_go_on);
    suite_add(suite, asked_once);
    suite_add(suite, the_broker_grants);
    suite_add(suite, till_it_is_over);
    suite_add(suite, taken_out_by_a_reload);
    return run_suite(suite);
}
