/* A session ends with its certificate, by a clock that does not jump. */
#include "plant.h"
#include <stdio.h>
#include <string.h>

static struct plant plant;
static struct connection edge, other;
static char soon[160];

enum { MINUTE = 60 * 1000 };

/* edge-linea1's certificate ends in ten minutes, the other's never. */
static void open_plant(void)
{
    plant_prepare(&plant);
    folder_write_json(&plant.policies, "rate_monitor.json",
                      "{'classes': [], 'alerts': {'topic': 'planta/_sys/alertas/${kind}'}}");
    plant_start(&plant);
    snprintf(soon, sizeof soon, EDGE("edge-linea1") ";cert.until=%lld",
             (long long)(plant.now.wall_ms / 1000 + 600));
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = soon, .durable = true, .address = "192.0.2.1"};
    other = (struct connection){
        .client_id = "edge-linea2", .certificate = EDGE("edge-linea2"), .address = "192.0.2.2"};
    plant_pass(&plant, 0);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &other), ADU_ALLOW);
}

#define MAY(c, t) ck_assert_int_eq(plant_ask(&plant, &(c), ADU_PUBLISH, t), ADU_ALLOW)

START_TEST(the_session_ends_and_no_other)
{
    open_plant();
    for (int minute = 0; minute < 9; minute++) {
        plant_pass(&plant, MINUTE);
    }
    MAY(edge, "planta/linea1/temperatura");
    ck_assert_int_eq(kicks(), 0);
    plant_pass(&plant, MINUTE);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    ck_assert_int_eq(logged("disconnecting client=\"edge-linea1\""), 1);
    ck_assert_int_eq(published("\"session_ended\"", "its certificate has expired"), 1);
    MAY(other, "planta/linea2/temperatura");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_DENY);
    plant_end(&plant);
}
END_TEST

/* What waits for a client that is away is given to a log-in, which shows a certificate that is
 * good. */
START_TEST(who_is_away_loses_nothing)
{
    open_plant();
    plant_gone(&plant, &edge, false);
    for (int minute = 0; minute < 20; minute++) {
        plant_pass(&plant, MINUTE);
    }
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_RECEIVE, "planta/linea1/comandos/x"), ADU_ALLOW);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

static void jump(int64_t ms)
{
    plant.now.wall_ms += ms;
}

START_TEST(a_clock_that_jumps_ends_nothing_for_ten_minutes)
{
    open_plant();
    jump(INT64_C(365) * 86400 * 1000);
    plant_pass(&plant, 100);
    plant_pass(&plant, 100);
    ck_assert_int_eq(logged("the clock has jumped by 31536000 s"), 1);
    ck_assert(plant_reload(&plant));
    MAY(edge, "planta/linea1/temperatura");
    ck_assert_int_eq(kicks(), 0);
    for (int minute = 0; minute < 9; minute++) {
        plant_pass(&plant, MINUTE);
    }
    MAY(edge, "planta/linea1/temperatura");
    plant_pass(&plant, MINUTE);
    plant_pass(&plant, MINUTE);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    MAY(other, "planta/linea2/temperatura");
    plant_end(&plant);
}
END_TEST

START_TEST(a_clock_that_jumps_back_and_forth)
{
    open_plant();
    for (int i = 0; i < 20; i++) {
        jump(i % 2 == 0 ? 3600 * 1000 : -3600 * 1000);
        plant_pass(&plant, 100);
    }
    ck_assert_int_eq(logged("the clock has jumped by 3600 s"), 10);
    MAY(edge, "planta/linea1/temperatura");
    ck_assert_int_eq(kicks(), 0);
    /* Slowly corrected, as by NTP, it is believed. */
    for (int i = 0; i < 12; i++) {
        jump(30 * 1000);
        plant_pass(&plant, MINUTE);
    }
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_expiry");
    suite_add(suite, the_session_ends_and_no_other);
    suite_add(suite, who_is_away_loses_nothing);
    suite_add(suite, a_clock_that_jumps_ends_nothing_for_ten_minutes);
    suite_add(suite, a_clock_that_jumps_back_and_forth);
    return run_suite(suite);
}
