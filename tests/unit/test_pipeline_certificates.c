/* The countdown: whose certificate is near its end, or doubtful, is told once, and once when that
 * is over; of thousands the most in turn. */
#include "common/principal.h"
#include "plant.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct plant plant;
static struct connection edge, other;
static char texts[8][200];

enum { SECOND = 1000, HOUR = 3600 * SECOND, CROWD = 1000 };

static const int64_t day = INT64_C(86400) * SECOND;

#define ALERTS "'alerts': {'topic': 'planta/_sys/alertas/${kind}/${client_id}'}"

/* EDGE(cn) that ends in so many milliseconds, of an RSA key of so many bits. Eight of them. */
static const char *ends(const char *cn, int64_t in_ms, int bits)
{
    static unsigned turn;
    char *text = texts[turn++ % 8];
    snprintf(text, sizeof texts[0], EDGE("%s") ";cert.until=%lld;cert.bits=%d;cert.serial=0A", cn,
             (long long)((plant.now.wall_ms + in_ms) / SECOND), bits);
    return text;
}

static void prepare(void)
{
    plant_prepare(&plant);
    folder_write_json(&plant.policies, "rate_monitor.json", "{'classes': [], " ALERTS "}");
}

static void come(struct connection *c, const char *id, const char *certificate)
{
    *c = (struct connection){
        .client_id = id, .certificate = certificate, .durable = true, .address = "192.0.2.1"};
    ck_assert_int_eq(plant_login(&plant, c), ADU_ALLOW);
}

/* So much time, of which the countdown takes notice. */
static void wait(int64_t ms)
{
    plant_pass(&plant, ms);
    plant_pass(&plant, 2 * SECOND);
    plant_pass(&plant, 2 * SECOND);
}

#define EXPECT_ALERTS(number) ck_assert_int_eq(published("\"certificate_", ""), number)

static void expect_last(const char *state, const char *severity, const char *text)
{
    const char *payload = last_publication()->payload;
    ck_assert_msg(strstr(payload, state) != NULL, "%s", payload);
    ck_assert_msg(strstr(payload, severity) != NULL, "%s", payload);
    ck_assert_msg(strstr(payload, text) != NULL, "%s", payload);
}

/* As time goes by; a clock that is set would not be believed. */
static void days_pass(int days)
{
    for (int hour = 0; hour < 24 * days; hour++) {
        plant_pass(&plant, HOUR);
    }
    wait(0);
}

START_TEST(each_threshold_is_told_once)
{
    prepare();
    plant_start(&plant);
    wait(0);
    come(&edge, "edge-linea1", ends("edge-linea1", 40 * day, 2048));
    wait(0);
    EXPECT_ALERTS(0);
    days_pass(11);
    EXPECT_ALERTS(1);
    expect_last("\"raised\"", "\"warning\"",
                ", in 29 days (serial 0A, issuer CN Planta Device CA)");
    ck_assert_str_eq(last_publication()->topic,
                     "planta/_sys/alertas/certificate_expiry/edge-linea1");
    ck_assert_int_eq(logged("certificate_expiry raised client=\"edge-linea1\" username=\"linea1\""),
                     1);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_warn, 1);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_days_left, 28);
    days_pass(20);
    EXPECT_ALERTS(1);
    days_pass(3);
    EXPECT_ALERTS(2);
    expect_last("\"raised\"", "\"critical\"", ", in 6 days");
    expect_last("\"value\":6.0", "\"limit\":7", "\"since\":\"2023-11-24T");
    days_pass(7);
    EXPECT_ALERTS(3);
    expect_last("\"raised\"", "\"critical\"", "has expired: 2023-12-24T22:13:24Z");
    ck_assert_int_eq(kicks(), 1);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_expired, 1);
    come(&edge, "edge-linea1", ends("edge-linea1", 60 * day, 2048));
    wait(0);
    EXPECT_ALERTS(4);
    expect_last("\"cleared\"", "\"critical\"", ", in 59 days");
    ck_assert_int_eq(logged("certificate_expiry cleared client=\"edge-linea1\""), 1);
    days_pass(1);
    EXPECT_ALERTS(4);
    plant_end(&plant);
}
END_TEST

/* The limits are the policy's, also of a policy that is loaded later. */
START_TEST(thresholds_of_the_policy)
{
    static const char *const policies[] = {"'expiry': {'warn_days': 5, 'critical_days': 2}",
                                           "'expiry': {'warn_days': 365, 'critical_days': 100}",
                                           "'expiry': {'warn_days': 0, 'critical_days': 0}"};
    char text[512];
    prepare();
    plant_start(&plant);
    come(&edge, "edge-linea1", ends("edge-linea1", 20 * day, 2048));
    wait(0);
    EXPECT_ALERTS(1);
    for (int i = 0; i < ROWS(policies); i++) {
        snprintf(text, sizeof text,
                 "{%s, 'identities': [{'name': 'edge', 'match': {'cert.ou': 'edge'}, 'roles': "
                 "['edge'], 'attributes': {'linea': {'from': 'cert.cn', 'pattern': "
                 "'edge-(linea[0-9]+)'}}, 'username': '${linea}'}]}",
                 policies[i]);
        folder_write_json(&plant.policies, "cert_auth.json", text);
        ck_assert(plant_reload(&plant));
        wait(0);
        EXPECT_ALERTS(i + 2);
        expect_last(i == 1 ? "\"raised\"" : "\"cleared\"", i == 0 ? "\"warning\"" : "\"critical\"",
                    "\"rule\":\"cert_auth.json:1\"");
    }
    plant_end(&plant);
}
END_TEST

START_TEST(who_was_away_for_long_is_not_spoken_of)
{
    prepare();
    plant_start(&plant);
    come(&edge, "edge-linea1", ends("edge-linea1", 100 * day, 1024));
    come(&other, "edge-linea2", ends("edge-linea2", 10 * day, 2048));
    wait(0);
    EXPECT_ALERTS(2);
    plant_gone(&plant, &edge, false);
    plant_gone(&plant, &other, false);
    days_pass(29);
    EXPECT_ALERTS(4); /* the other has become critical and has expired */
    ck_assert_uint_eq(plant_counters(&plant)->certificates_known, 2);
    days_pass(2);
    EXPECT_ALERTS(6);
    ck_assert_int_eq(published("\"cleared\"", "no longer in use"), 1);
    ck_assert_int_eq(published("\"cleared\"", "nothing is doubtful"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_known, 0);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_days_left, 0);
    plant_end(&plant);
}
END_TEST

START_TEST(a_clock_that_jumps_alarms_nobody)
{
    prepare();
    plant_start(&plant);
    come(&edge, "edge-linea1", ends("edge-linea1", 300 * day, 2048));
    wait(0);
    plant.now.wall_ms += 299 * day;
    wait(0);
    EXPECT_ALERTS(0);
    plant_end(&plant);
}
END_TEST

/* --- findings --- */

START_TEST(a_weak_key)
{
    prepare();
    plant_start(&plant);
    come(&edge, "edge-linea1", ends("edge-linea1", 100 * day, 1024));
    wait(0);
    EXPECT_ALERTS(1);
    expect_last("\"raised\"", "\"warning\"", "RSA below 2048 bits");
    ck_assert_str_eq(last_publication()->topic,
                     "planta/_sys/alertas/certificate_finding/edge-linea1");
    ck_assert_uint_eq(plant_counters(&plant)->certificates_doubtful, 1);
    come(&edge, "edge-linea1", ends("edge-linea1", 100 * day, 2048));
    wait(0);
    EXPECT_ALERTS(2);
    expect_last("\"cleared\"", "\"warning\"", "nothing is doubtful");
    plant_end(&plant);
}
END_TEST

static void open_for_several(const char *more)
{
    char text[512];
    prepare();
    snprintf(text, sizeof text,
             "{'identities': [{'name': 'edge', 'match': {}, 'roles': ['edge'], 'attributes': "
             "{'linea': {'from': 'cert.cn', 'pattern': 'edge-(linea[0-9]+)'}}, 'username': "
             "'${linea}'%s}]}",
             more);
    folder_write_json(&plant.policies, "cert_auth.json", text);
    plant_start(&plant);
}

#define SAME EDGE("edge-linea1") ";cert.fingerprint=0a"

START_TEST(a_certificate_that_is_shared)
{
    open_for_several("");
    come(&edge, "edge-a", SAME);
    wait(0);
    come(&edge, "edge-a", SAME); /* a takeover is no sharing */
    wait(0);
    EXPECT_ALERTS(0);
    come(&other, "edge-b", SAME);
    wait(0);
    EXPECT_ALERTS(2);
    ck_assert_int_eq(published("\"raised\"", "several clients are connected with it"), 2);
    for (int i = 0; i < 5; i++) { /* it does not flap with whoever comes and goes */
        plant_gone(&plant, &other, false);
        wait(10 * SECOND);
        come(&other, "edge-b", SAME);
        wait(0);
    }
    EXPECT_ALERTS(2);
    plant_gone(&plant, &other, false);
    wait(70 * SECOND);
    EXPECT_ALERTS(4);
    ck_assert_int_eq(published("\"cleared\"", "\"certificate_finding\""), 2);
    plant_end(&plant);
}
END_TEST

START_TEST(a_certificate_that_may_be_shared)
{
    static const char *const ways[] = {", 'connections': {'max': 2}",
                                       ", 'client_id': {'prefix': 'edge-'}"};
    for (int i = 0; i < ROWS(ways); i++) {
        open_for_several(ways[i]);
        come(&edge, "edge-a", SAME);
        come(&other, "edge-b", SAME);
        wait(0);
        EXPECT_ALERTS(0);
        plant_end(&plant);
    }
}
END_TEST

/* --- another certificate, another name --- */

START_TEST(another_user_under_the_same_client_id)
{
    open_for_several("");
    come(&edge, "x", ends("edge-linea1", 5 * day, 2048));
    wait(0);
    EXPECT_ALERTS(1);
    plant_gone(&plant, &edge, true);
    come(&other, "x", ends("edge-linea2", 50 * day, 2048));
    wait(0);
    EXPECT_ALERTS(2);
    expect_last("\"cleared\"", "\"linea1\"", "no longer in use");
    ck_assert_uint_eq(plant_counters(&plant)->certificates_known, 1);
    plant_end(&plant);
}
END_TEST

/* Who makes up client ids makes his own be forgotten; in the midst of a round, too. */
START_TEST(a_client_that_is_forgotten)
{
    static char id[32];
    open_for_several("");
    come(&edge, "edge-first", ends("edge-linea1", 5 * day, 1024));
    wait(0);
    EXPECT_ALERTS(2);
    plant_gone(&plant, &edge, true);
    const char *good = ends("edge-linea1", 50 * day, 2048);
    for (int i = 0; i < ADU_PRINCIPALS_MOST / ADU_PRINCIPALS_SHARE + 100; i++) {
        snprintf(id, sizeof id, "edge-%d", i);
        come(&other, id, good);
        plant_gone(&plant, &other, true);
        if (i % 100 == 0) {
            plant_pass(&plant, 100);
        }
    }
    wait(0);
    EXPECT_ALERTS(4);
    ck_assert_int_eq(published("\"cleared\"", "the client is no longer known"), 2);
    ck_assert_int_eq(published("\"client_id\":\"edge-first\"", "\"username\":\"linea1\""), 4);
    plant_end(&plant);
}
END_TEST

/* What is told of the plant while thousands of certificates cross a threshold. */
START_TEST(thousands_at_the_same_time)
{
    static struct connection crowd[CROWD];
    static char ids[CROWD][24], certificates[CROWD][160];
    prepare();
    folder_write_json(&plant.policies, "cert_auth.json",
                      "{'identities': [{'name': 'edge', 'match': {}, 'username': '${cert.cn}'}]}");
    plant_start(&plant);
    for (int i = 0; i < CROWD; i++) {
        snprintf(ids[i], sizeof ids[i], "edge-%d", i);
        snprintf(certificates[i], sizeof certificates[i], EDGE("%.15s") ";cert.until=%lld", ids[i],
                 (long long)((plant.now.wall_ms + (i < 10 ? 5 : 20) * day) / SECOND));
        come(&crowd[i], ids[i], certificates[i]);
        plant_gone(&plant, &crowd[i], false);
    }
    for (int i = 0; i < 10; i++) {
        plant_pass(&plant, 100);
    }
    ck_assert_int_eq(published("\"critical\"", "\"certificate_expiry\""), 10);
    ck_assert_int_eq(published("\"warning\"", "\"certificate_expiry\""), 50);
    ck_assert_int_eq(published("\"raised\"", "\"certificate_alerts_waiting\""), 1);
    ck_assert_int_eq(published("940 more alerts", "aduana certs lists all"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_known, CROWD);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_untold, CROWD - 60);
    for (int i = 0; i < 2 * CROWD; i++) {
        plant_pass(&plant, SECOND);
    }
    ck_assert_int_eq(published("\"raised\"", "\"certificate_expiry\""), CROWD);
    ck_assert_int_eq(published("\"cleared\"", "\"certificate_alerts_waiting\""), 1);
    ck_assert_int_eq(published("\"certificate_alerts_waiting\"", ""), 2);
    plant_end(&plant);
}
END_TEST

/* Of who was known before the broker's start the certificate is read from the state file. */
START_TEST(after_a_restart)
{
    prepare();
    plant.keeps_state = true;
    plant_start(&plant);
    come(&edge, "edge-linea1", ends("edge-linea1", 20 * day, 1024));
    plant_gone(&plant, &edge, false);
    plant_stop(&plant);
    plant_start(&plant);
    wait(0);
    ck_assert_int_eq(published("\"raised\"", "\"certificate_expiry\""), 1);
    ck_assert_int_eq(published("\"raised\"", "\"certificate_finding\""), 1);
    ck_assert_int_eq(published("\"client_id\":\"edge-linea1\"", "\"username\":\"linea1\""), 2);
    ck_assert_uint_eq(plant_counters(&plant)->certificates_known, 1);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_certificates");
    suite_add(suite, each_threshold_is_told_once);
    suite_add(suite, thresholds_of_the_policy);
    suite_add(suite, who_was_away_for_long_is_not_spoken_of);
    suite_add(suite, a_clock_that_jumps_alarms_nobody);
    suite_add(suite, a_weak_key);
    suite_add(suite, a_certificate_that_is_shared);
    suite_add(suite, a_certificate_that_may_be_shared);
    suite_add(suite, another_user_under_the_same_client_id);
    suite_add(suite, a_client_that_is_forgotten);
    suite_add(suite, thousands_at_the_same_time);
    suite_add(suite, after_a_restart);
    return run_suite(suite);
}
