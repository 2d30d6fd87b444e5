/* The wall clock jumps, leaps and changes to summer time; the monotonic one does not. Rules about
 * the time of day follow the wall at once, and nothing else notices. */
#include "plant.h"
#include <string.h>
#include <time.h>

static struct plant plant;

/* Of "2026-11-23T08:00:00", UTC. */
static int64_t utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    ck_assert_msg(end != NULL && *end == '\0', "%s", text);
    return (int64_t)timegm(&tm) * 1000;
}

/* A plant whose gateway may publish in the window, and may not publish what is closed then. */
static struct connection open_plant(const char *zone, const char *window)
{
    char json[1024];
    snprintf(json, sizeof json,
             "{'time_zone': '%s', 'roles': {'operador': {}, 'edge': {"
             "'allow': [{'publish': ['planta/linea1/abierto'], 'when': {'times': [%s]}},"
             "          {'publish': ['planta/linea1/cerrado', 'planta/linea1/siempre']}],"
             "'deny': [{'publish': ['planta/linea1/cerrado'], 'when': {'times': [%s]}}]}}}",
             zone, window, window);
    struct connection edge = {.client_id = "edge-linea1",
                              .certificate = EDGE("edge-linea1"),
                              .durable = true,
                              .address = "192.0.2.1"};
    plant_prepare(&plant);
    plant.keeps_state = true;
    folder_write_json(&plant.policies, "acl.json", json);
    folder_write_json(&plant.policies, "rate_monitor.json",
                      "{'classes': [{'name': 'gateways', 'match': {}, 'publish': {"
                      "'max_per_second': 1000, 'clear_seconds': 1}}],"
                      " 'alerts': {'topic': 'planta/_sys/alertas/${kind}/${client_id}'}}");
    plant_start(&plant);
    return edge;
}

static enum adu_verdict publishes(const struct connection *c, const char *topic)
{
    return plant_ask(&plant, c, ADU_PUBLISH, topic);
}

/* What is not known is no reason to allow, and one to refuse. */
enum expected { OUT, IN, UNKNOWN };

static void expect(const struct connection *c, const char *at, enum expected expected)
{
    ck_assert_msg(publishes(c, "planta/linea1/abierto") == (expected == IN ? ADU_ALLOW : ADU_DENY),
                  "%s: allowed in the window", at);
    ck_assert_msg(publishes(c, "planta/linea1/cerrado") == (expected == OUT ? ADU_ALLOW : ADU_DENY),
                  "%s: refused in the window", at);
    ck_assert_msg(publishes(c, "planta/linea1/siempre") == ADU_ALLOW, "%s: always allowed", at);
}

static const struct {
    const char *zone, *window;
    struct {
        const char *at;
        enum expected expected;
    } asks[6];
} windows[] = {
    /* The hour that is left out in spring, and the one that comes twice in autumn. */
    {"Europe/Madrid",
     "{'from': '02:00', 'to': '03:00'}",
     {{"2027-03-28T00:59:59", OUT},
      {"2027-03-28T01:00:00", OUT},
      {"2026-10-24T23:59:59", OUT},
      {"2026-10-25T00:00:00", IN},
      {"2026-10-25T01:59:59", IN},
      {"2026-10-25T02:00:00", OUT}}},
    {"Europe/Madrid",
     "{'from': '01:30', 'to': '02:30'}",
     {{"2027-03-28T00:30:00", IN},
      {"2027-03-28T00:59:59", IN},
      {"2027-03-28T01:00:00", OUT},
      {"2026-10-25T00:15:00", IN},
      {"2026-10-25T00:45:00", OUT},
      {"2026-10-25T01:15:00", IN}}},
    /* A night shift lasts nine hours then, or seven. */
    {"Europe/Madrid",
     "{'days': ['sat'], 'from': '22:00', 'to': '06:00'}",
     {{"2026-10-24T19:59:59", OUT},
      {"2026-10-24T20:00:00", IN},
      {"2026-10-25T04:59:59", IN},
      {"2026-10-25T05:00:00", OUT},
      {"2027-03-28T03:59:59", IN},
      {"2027-03-28T04:00:00", OUT}}},
    /* In Santiago midnight itself is left out. */
    {"America/Santiago",
     "{'days': ['sun'], 'from': '00:00', 'to': '00:30'}",
     {{"2026-09-06T03:59:59", OUT}, {"2026-09-06T04:00:00", OUT}, {"2026-09-13T03:00:00", IN}}},
    /* The day that is not in every year. */
    {"UTC",
     "{'days': ['tue'], 'from': '08:00', 'to': '10:00'}",
     {{"2028-02-29T09:00:00", IN},
      {"2028-02-28T09:00:00", OUT},
      {"2028-03-01T09:00:00", OUT},
      {"2028-03-07T09:00:00", IN}}},
    /* Seconds beyond 31 and 32 bits; a summer that only the zone's rule knows. */
    {"UTC",
     "{'days': ['tue'], 'from': '03:14', 'to': '03:15'}",
     {{"2038-01-19T03:14:07", IN}, {"2038-01-19T03:14:08", IN}, {"2038-01-19T03:15:00", OUT}}},
    {"Europe/Madrid",
     "{'days': ['thu'], 'from': '07:00', 'to': '08:00'}",
     {{"2038-07-01T05:30:00", IN}, {"2038-07-01T06:30:00", OUT}, {"2038-12-02T06:30:00", IN}}},
    /* Years in which the clock is certainly wrong. */
    {"UTC",
     "{'from': '00:00', 'to': '24:00'}",
     {{"2059-12-31T23:59:59", IN},
      {"2060-01-01T00:00:00", UNKNOWN},
      {"2106-02-07T06:28:16", UNKNOWN},
      {"2019-12-31T23:59:59", UNKNOWN},
      {"1970-01-01T00:00:00", UNKNOWN},
      {"1901-12-13T20:45:51", UNKNOWN}}},
};

START_TEST(windows_follow_the_wall)
{
    struct connection edge = open_plant(windows[_i].zone, windows[_i].window);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    for (int i = 0; i < ROWS(windows[0].asks) && windows[_i].asks[i].at != NULL; i++) {
        plant.now.wall_ms = utc(windows[_i].asks[i].at);
        expect(&edge, windows[_i].asks[i].at, windows[_i].asks[i].expected);
    }
    plant_end(&plant);
}
END_TEST

/* However far and to whatever side. */
static const int64_t jumps[] = {
    -1,
    -3600000, /* an hour back */
    3600000,
    INT64_C(31536000000), /* a year on */
    -INT64_C(31536000000),
    INT64_C(4000000000000),
    -INT64_C(4000000000000),
};

START_TEST(nothing_else_follows_it)
{
    struct connection edge = open_plant("UTC", "{'from': '00:00', 'to': '24:00'}");
    const int64_t before = plant.now.wall_ms;
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    plant_pass(&plant, 100);
    for (int i = 0; i < 20; i++) { /* ten lines in ten seconds, however the wall jumps between */
        plant.now.wall_ms = before + (i % 2 == 0 ? jumps[_i] : 0);
        plant_pass(&plant, 1);
        ck_assert_int_eq(publishes(&edge, "planta/linea2/x"), ADU_DENY);
        ck_assert_int_eq(publishes(&edge, "planta/linea1/siempre"), ADU_ALLOW);
    }
    ck_assert_int_eq(logged("refused publish"), 10);
    ck_assert_int_eq(kicks(), 0);
    ck_assert_int_eq(publications(), 0);
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    ck_assert_int_eq(publishes(&edge, "planta/linea1/siempre"), ADU_ALLOW);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

static void publish_times(const struct connection *c, int count)
{
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(publishes(c, "planta/linea1/siempre"), ADU_ALLOW);
    }
}

/* A thousand messages a second are allowed. */
START_TEST(a_flood_is_seen_across_a_jump)
{
    struct connection edge = open_plant("UTC", "{'from': '00:00', 'to': '24:00'}");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    publish_times(&edge, 600);
    plant.now.wall_ms += jumps[_i];
    publish_times(&edge, 600);
    plant_pass(&plant, 100);
    ck_assert_int_eq(publications(), 1);
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"raised\""));
    plant.now.wall_ms -= jumps[_i];
    plant_pass(&plant, 100);
    ck_assert_int_eq(publications(), 1);
    for (int i = 0; i < 30; i++) {
        plant_pass(&plant, 100);
    }
    ck_assert_int_eq(publications(), 2);
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"cleared\""));
    plant_end(&plant);
}
END_TEST

START_TEST(no_flood_is_made_of_a_jump)
{
    struct connection edge = open_plant("UTC", "{'from': '00:00', 'to': '24:00'}");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    for (int second = 0; second < 5; second++) {
        publish_times(&edge, 900);
        plant.now.wall_ms += jumps[_i];
        plant_pass(&plant, 1100);
    }
    ck_assert_int_eq(publications(), 0);
    plant_end(&plant);
}
END_TEST

/* What was written on another day of the calendar, past or future, is known all the same. */
START_TEST(a_restart_on_another_day)
{
    struct connection edge = open_plant("UTC", "{'from': '00:00', 'to': '24:00'}");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    plant_gone(&plant, &edge, false);
    plant_stop(&plant);
    plant.now.wall_ms += jumps[_i];
    plant_start(&plant);
    struct connection away = {.client_id = "edge-linea1", .username = "linea1"};
    ck_assert_int_eq(publishes(&away, "planta/linea1/siempre"), ADU_ALLOW);
    ck_assert_int_eq(publishes(&away, "planta/linea2/siempre"), ADU_DENY);
    struct connection thief = {
        .client_id = "edge-linea1", .certificate = SERVICE("mallory"), .address = "192.0.2.66"};
    ck_assert_int_eq(plant_login(&plant, &thief), ADU_DENY);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_clock");
    suite_add_rows(suite, windows_follow_the_wall, ROWS(windows));
    suite_add_rows(suite, nothing_else_follows_it, ROWS(jumps));
    suite_add_rows(suite, a_flood_is_seen_across_a_jump, ROWS(jumps));
    suite_add_rows(suite, no_flood_is_made_of_a_jump, ROWS(jumps));
    suite_add_rows(suite, a_restart_on_another_day, ROWS(jumps));
    return run_suite(suite);
}
