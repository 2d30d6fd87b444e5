/* What the log says of refusals, and how much of it. */
#include "plant.h"
#include <string.h>

static struct plant plant;
static struct connection edge, scada;

static void open_plant(void)
{
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .address = "127.0.0.1"};
    scada = (struct connection){
        .client_id = "hmi", .name = "scada", .password = "otra-clave", .address = "192.0.2.2"};
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_ALLOW);
    log_clear();
}

static void refuse(const struct connection *c, enum adu_action action, const char *topic)
{
    ck_assert_int_eq(plant_ask(&plant, c, action, topic), ADU_DENY);
}

static const struct {
    enum adu_action action;
    const char *topic, *line;
} lines[] = {
    {ADU_PUBLISH, "planta/linea2/temperatura",
     "aduana: refused publish client=\"edge-linea1\" username=\"linea1\" address=127.0.0.1 "
     "topic=\"planta/linea2/temperatura\" qos=1 retain=0: acl: no rule grants it to its roles "
     "\"edge\""},
    {ADU_PUBLISH, "planta/linea1/consigna",
     "topic=\"planta/linea1/consigna\" qos=1 retain=0: acl: denied by the rule \"no setpoints\" "
     "[acl.json:8]"},
    {ADU_SUBSCRIBE, "#",
     "aduana: refused subscribe client=\"edge-linea1\" username=\"linea1\" address=127.0.0.1 "
     "topic=\"#\" qos=1 retain=0: acl: no one rule grants all that this filter can match to its "
     "roles \"edge\""},
    {ADU_RECEIVE, "planta/linea2/comandos/x",
     "aduana: refused receive client=\"edge-linea1\" username=\"linea1\" address=127.0.0.1 "
     "topic=\"planta/linea2/comandos/x\""},
    {ADU_PUBLISH, "planta/linea1/Temperatura",
     "topic_policy: upper-case letters are not allowed (level 3 \"Temperatura\"); right would be "
     "\"planta/linea1/temperatura\" "
     "[topic_policy.json:2]"},
    {ADU_PUBLISH, "planta/linea1/a/b/c/d/e",
     "topic_policy: more levels than depth.max (limit 6) [topic_policy.json:3]"},
    {ADU_PUBLISH, "planta/linea1/_nope/x",
     "topic_policy: levels that begin with \"_\" must be named in reserved_levels (level 3 "
     "\"_nope\") [topic_policy.json:4]"},
    {ADU_PUBLISH, "planta/linea1/x\" qos=2 retain=1: forged",
     "topic=\"planta/linea1/x\\\" qos=2 retain=1: forged\" qos=1"},
    {ADU_PUBLISH, "planta/linea1/x\ny", "topic=\"planta/linea1/x\\x0ay\" qos=1"},
    {ADU_PUBLISH, "planta/linea1/\xe2\x80\xae", "topic=\"planta/linea1/\\u202e\" qos=1"},
};

START_TEST(refusal_lines)
{
    open_plant();
    refuse(&edge, lines[_i].action, lines[_i].topic);
    ck_assert_msg(strstr(last_line(), lines[_i].line) != NULL, "\n%s\n%s", last_line(),
                  lines[_i].line);
    plant_end(&plant);
}
END_TEST

/* A topic of 65,535 bytes of what needs escaping: the reason still has its place. */
START_TEST(long_topics_do_not_push_the_reason_out)
{
    static char topic[65536];
    memset(topic, '\x01', sizeof topic - 1);
    open_plant();
    refuse(&edge, ADU_PUBLISH, topic);
    ck_assert_ptr_nonnull(strstr(last_line(), "qos=1 retain=0: topic_policy: "));
    plant_end(&plant);
}
END_TEST

START_TEST(ten_lines_a_client_in_ten_seconds)
{
    open_plant();
    for (int i = 0; i < 25; i++) {
        refuse(&edge, ADU_PUBLISH, "planta/linea2/temperatura");
    }
    ck_assert_int_eq(logged("aduana: refused publish client=\"edge-linea1\""), 10);
    ck_assert_uint_eq(plant_counters(&plant)->log_lines_left_out, 15);
    /* Another client's lines are its own. */
    refuse(&scada, ADU_PUBLISH, "otra/linea2/temperatura");
    ck_assert_int_eq(logged("client=\"hmi\""), 1);
    plant.now.mono_ms += 9999;
    refuse(&edge, ADU_PUBLISH, "planta/linea2/temperatura");
    ck_assert_int_eq(logged("not logged"), 0);
    plant.now.mono_ms += 1;
    refuse(&edge, ADU_PUBLISH, "planta/linea2/temperatura");
    ck_assert_int_eq(logged("16 more refusals of client="), 1);
    ck_assert_int_eq(logged("aduana: refused publish client=\"edge-linea1\""), 11);
    ck_assert_uint_eq(plant_counters(&plant)->publish_refused, 28);
    plant_end(&plant);
}
END_TEST

START_TEST(refused_connects_are_limited_too)
{
    struct connection liar = {.client_id = "x", .name = "nadie", .password = "x", .address = "::1"};
    open_plant();
    for (int i = 0; i < 25; i++) {
        ck_assert_int_eq(plant_login(&plant, &liar), ADU_DENY);
    }
    ck_assert_int_eq(logged("aduana: refused connect"), 10);
    plant.now.mono_ms += 10000;
    ck_assert_int_eq(plant_login(&plant, &liar), ADU_DENY);
    ck_assert_int_eq(logged("15 more refused connects were not logged"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->logins_refused, 26);
    plant_end(&plant);
}
END_TEST

/* Every line that names a client names it so that it cannot pass for something else. */
START_TEST(names_in_other_lines_are_quoted)
{
    struct connection hostile = {.client_id = "x\nusername=\"scada\"",
                                 .name = "scada",
                                 .password = "otra-clave",
                                 .address = "192.0.2.66"};
    open_plant();
    ck_assert_int_eq(plant_login(&plant, &hostile), ADU_ALLOW);
    for (int i = 0; i < 11; i++) {
        refuse(&hostile, ADU_PUBLISH, "otra/linea2/temperatura");
    }
    plant.now.mono_ms += 10000;
    refuse(&hostile, ADU_PUBLISH, "otra/linea2/temperatura");
    ck_assert_int_eq(logged("1 more refusals of client=\"x\\x0ausername=\\\"scada\\\"\""), 1);
    folder_write_json(&plant.policies, "iam_auth.json",
                      "{'require': 'either', 'providers': ['local'], 'local': {}}");
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    ck_assert_int_eq(logged("disconnecting client=\"x\\x0ausername=\\\"scada\\\"\""), 1);
    plant_end(&plant);
}
END_TEST

START_TEST(counters_count)
{
    open_plant();
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/t"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &scada, ADU_SUBSCRIBE, "planta/#"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &scada, ADU_RECEIVE, "planta/a/b"), ADU_ALLOW);
    refuse(&edge, ADU_PUBLISH, "x");
    refuse(&edge, ADU_SUBSCRIBE, "#");
    refuse(&edge, ADU_RECEIVE, "x");
    const struct adu_counters *c = plant_counters(&plant);
    ck_assert_uint_eq(c->publish_allowed, 1);
    ck_assert_uint_eq(c->subscribe_allowed, 1);
    ck_assert_uint_eq(c->receive_allowed, 1);
    ck_assert_uint_eq(c->publish_refused, 1);
    ck_assert_uint_eq(c->subscribe_refused, 1);
    ck_assert_uint_eq(c->receive_refused, 1);
    ck_assert_uint_eq(c->logins_accepted, 2);
    ck_assert_uint_eq(c->stage_errors, 0);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_log");
    suite_add_rows(suite, refusal_lines, ROWS(lines));
    suite_add(suite, long_topics_do_not_push_the_reason_out);
    suite_add(suite, ten_lines_a_client_in_ten_seconds);
    suite_add(suite, refused_connects_are_limited_too);
    suite_add(suite, names_in_other_lines_are_quoted);
    suite_add(suite, counters_count);
    return run_suite(suite);
}
