/* SIGHUP: the folder is loaded anew and everybody judged again, without a disconnect too many. */
#include "plant.h"
#include <string.h>
#include <unistd.h>

static struct plant plant;
static struct connection edge, scada, tablero;

static void open_plant(void)
{
    edge = (struct connection){.client_id = "edge-linea1",
                               .certificate = EDGE("edge-linea1"),
                               .durable = true,
                               .address = "192.0.2.1"};
    scada = (struct connection){
        .client_id = "hmi", .name = "scada", .password = "otra-clave", .address = "192.0.2.2"};
    tablero = (struct connection){
        .client_id = "t", .name = "tablero", .password = "pass", .address = "192.0.2.3"};
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &tablero), ADU_ALLOW);
}

#define MAY(c, t)    ck_assert_int_eq(plant_ask(&plant, &(c), ADU_PUBLISH, t), ADU_ALLOW)
#define CANNOT(c, t) ck_assert_int_eq(plant_ask(&plant, &(c), ADU_PUBLISH, t), ADU_DENY)

static void write_acl(const char *json)
{
    folder_write_json(&plant.policies, "acl.json", json);
}

static const char other_acl[] =
    "{'roles': {'edge': {'allow': [{'publish': ['planta/otra/${linea}']}]}, 'operador': {}}}";

/* An iam_auth.json without the password file, and so without scada and tablero. */
static const char nobody[] = "{'require': 'either', 'providers': ['local'], 'local': {}}";

START_TEST(new_rules_hold_for_old_sessions)
{
    open_plant();
    MAY(edge, "planta/linea1/temperatura");
    write_acl(other_acl);
    MAY(edge, "planta/linea1/temperatura"); /* nothing happens by itself */
    ck_assert(plant_reload(&plant));
    CANNOT(edge, "planta/linea1/temperatura");
    MAY(edge, "planta/otra/linea1");
    ck_assert_int_eq(kicks(), 0);
    char line[512];
    snprintf(line, sizeof line, "aduana: policy generation 2 loaded from %s", plant.policies.path);
    ck_assert_int_eq(logged(line), 1);
    plant_end(&plant);
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
    open_plant();
    plant_pass(&plant, 0); /* the counters are out: what is published next are the alerts */
    write_acl("{'roles': {'edge': {'alow': []}, 'operador': {}}}");
    ck_assert(!plant_reload(&plant));
    MAY(edge, "planta/linea1/temperatura");
    ck_assert_int_eq(logged("aduana: policy not loaded, generation 1 stays: acl.json:1:21: "
                            "roles.edge.alow: unknown key; did you mean \"allow\"?"),
                     1);
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"policy_rejected\""));
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"raised\""));
    ck_assert_str_eq(last_publication()->topic, "planta/_sys/alertas/policy_rejected/broker");
    folder_copy(&plant.policies, PLANTA);
    ck_assert(plant_reload(&plant));
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"cleared\""));
    ck_assert_int_eq(logged("policy generation 2 loaded"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->policies_rejected, 1);
    ck_assert_uint_eq(plant_counters(&plant)->policies_loaded, 1);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

/* Each error is said, all of them are one alert, and its end is told once. */
START_TEST(an_alert_of_several_bad_files)
{
    open_plant();
    plant_pass(&plant, 0);
    ck_assert(plant_reload(&plant));
    const int before = publications();
    write_acl("{");
    ck_assert(!plant_reload(&plant));
    plant_pass(&plant, 1000);
    ck_assert(!plant_reload(&plant));
    ck_assert_int_eq(publications(), before + 2);
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"raised\""));
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"since\":\"2023-11-14T22:13:20."));
    ck_assert_ptr_nonnull(strstr(last_publication()->payload, "\"time\":\"2023-11-14T22:13:21."));
    folder_copy(&plant.policies, PLANTA);
    ck_assert(plant_reload(&plant));
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(publications(), before + 3);
    plant_end(&plant);
}
END_TEST

START_TEST(a_missing_folder_changes_nothing)
{
    open_plant();
    ck_assert_int_eq(rename(plant.policies.path, folder_file(&plant.state, "away")), 0);
    ck_assert(!plant_reload(&plant));
    MAY(edge, "planta/linea1/temperatura");
    ck_assert_int_eq(rename(folder_file(&plant.state, "away"), plant.policies.path), 0);
    ck_assert(plant_reload(&plant));
    plant_end(&plant);
}
END_TEST

START_TEST(who_is_no_longer_known_is_kicked_once)
{
    open_plant();
    folder_write_json(&plant.policies, "iam_auth.json", nobody);
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 2);
    ck_assert_uint_eq(plant_counters(&plant)->sessions_kicked, 2);
    ck_assert_int_eq(logged("disconnecting client="), 2);
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_DENY);
    CANNOT(scada, "planta/linea1/consigna");
    MAY(edge, "planta/linea1/temperatura");
    plant_end(&plant);
}
END_TEST

/* A name that stands in the policy for somebody else now. */
START_TEST(who_gets_another_name_is_kicked)
{
    open_plant();
    folder_write_json(&plant.policies, "cert_auth.json",
                      "{'identities': [{'name': 'x', 'match': {}, 'username': 'gw-${cert.cn}',"
                      " 'attributes': {'linea': 'linea1'}, 'roles': ['edge']}]}");
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    ck_assert_str_eq(last_kicked(), "edge-linea1");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_str_eq(edge.username, "gw-edge-linea1");
    plant_end(&plant);
}
END_TEST

/* What was proven at the log-in is what counts: nobody can type a password again now. */
START_TEST(who_proved_too_little_for_the_new_policy_is_kicked)
{
    open_plant();
    char *text;
    size_t length;
    text = file_text(PLANTA "/iam_auth.json", &length);
    char *either = strstr(text, "\"either\"");
    memcpy(either, "\"both\"  ", 8);
    folder_write(&plant.policies, "iam_auth.json", text);
    free(text);
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 3);
    plant_end(&plant);
}
END_TEST

/* Without a tick that may disconnect, who must go is refused everything, and goes with the next
 * one that may. */
START_TEST(kicks_wait_until_they_may_be)
{
    open_plant();
    folder_write_json(&plant.policies, "iam_auth.json", nobody);
    adu_pipeline_reload(plant.p, plant.now);
    for (int i = 0; i < 20000 && plant_counters(&plant)->policies_loaded == 0; i++) {
        adu_pipeline_tick(plant.p, plant.now, false);
        usleep(1000);
    }
    adu_pipeline_tick(plant.p, plant.now, false);
    ck_assert_int_eq(kicks(), 0);
    CANNOT(scada, "planta/linea1/consigna");
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 2);
    plant_end(&plant);
}
END_TEST

START_TEST(a_role_taken_away_takes_its_rights)
{
    open_plant();
    MAY(scada, "planta/linea1/consigna");
    write_acl("{'roles': {'edge': {}, 'operador': {'allow': [{'publish': ['planta/#']}]}}}");
    ck_assert(plant_reload(&plant));
    CANNOT(scada, "planta/linea1/consigna");
    ck_assert_int_eq(logged("the client has no roles"), 1);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

/* --- the broker asks again ----------------------------------------------------------------------
 */

/* As the broker does within the turn of its SIGHUP: with what it kept of the CONNECT. */
static enum adu_verdict asked_again(const struct connection *c)
{
    char username[ADU_USERNAME_MOST + 1];
    const struct adu_connect connect = {.handle = c,
                                        .client_id = c->client_id,
                                        .username = c->username,
                                        .address = c->address,
                                        .durable = c->durable};
    const enum adu_verdict verdict = adu_pipeline_login(plant.p, &connect, plant.now, username);
    ck_assert_str_eq(username, ""); /* the broker knows it by its name already */
    return verdict;
}

START_TEST(asked_again_nobody_needs_a_password)
{
    open_plant();
    plant_gone(&plant, &edge, false); /* offline, durable: asked about as well */
    adu_pipeline_reload(plant.p, plant.now);
    ck_assert_int_eq(asked_again(&edge), ADU_ALLOW);
    ck_assert_int_eq(asked_again(&scada), ADU_ALLOW);
    ck_assert_int_eq(asked_again(&tablero), ADU_ALLOW);
    ck_assert_uint_eq(plant_counters(&plant)->logins_accepted, 3);
    plant_end(&plant);
}
END_TEST

START_TEST(asked_again_once_a_session)
{
    open_plant();
    adu_pipeline_reload(plant.p, plant.now);
    ck_assert_int_eq(asked_again(&scada), ADU_ALLOW);
    ck_assert_int_eq(asked_again(&scada), ADU_DENY);
    plant_end(&plant);
}
END_TEST

START_TEST(asked_again_only_after_a_reload)
{
    open_plant();
    ck_assert_int_eq(asked_again(&scada), ADU_DENY);
    plant_end(&plant);

    open_plant();
    ck_assert(plant_reload(&plant)); /* the turn is over: a tick has come */
    ck_assert_int_eq(asked_again(&scada), ADU_DENY);
    plant_end(&plant);

    open_plant();
    adu_pipeline_reload(plant.p, plant.now);
    plant.now.mono_ms += 10001; /* no tick ever came */
    ck_assert_int_eq(asked_again(&scada), ADU_DENY);
    plant_end(&plant);
}
END_TEST

/* A connection that comes in the same turn is none that is asked about again. */
START_TEST(asked_again_is_no_way_in)
{
    struct connection stranger = {.client_id = "hmi", .address = "192.0.2.66"};
    open_plant();
    plant_gone(&plant, &scada, true);
    adu_pipeline_reload(plant.p, plant.now);
    ck_assert_int_eq(plant_login(&plant, &stranger), ADU_DENY);
    stranger.certificate = SERVICE("mallory");
    ck_assert_int_eq(plant_login(&plant, &stranger), ADU_ALLOW);
    ck_assert_str_eq(stranger.username, "mallory");
    CANNOT(stranger, "planta/linea1/consigna");
    plant_end(&plant);
}
END_TEST

/* Nor one for which the broker has taken the memory of a connection that had gone. */
START_TEST(asked_again_is_no_way_in_by_a_reused_handle)
{
    open_plant();
    plant_gone(&plant, &scada, true);
    scada = (struct connection){.client_id = "hmi",
                                .name = "scada",
                                .password = "wrong",
                                .certificate = "cert.cn=mallory;cert.issuer.cn=Otra CA",
                                .address = "192.0.2.66"};
    adu_pipeline_reload(plant.p, plant.now);
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_DENY);
    CANNOT(scada, "planta/linea1/consigna");
    plant_end(&plant);
}
END_TEST

/* Nor if that connection went before the broker came to ask about it. */
START_TEST(asked_again_dies_with_the_session)
{
    open_plant();
    adu_pipeline_reload(plant.p, plant.now);
    plant_gone(&plant, &scada, _i == 1);
    scada = (struct connection){
        .client_id = "hmi", .name = "scada", .password = "wrong", .address = "192.0.2.66"};
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_DENY);
    CANNOT(scada, "planta/linea1/consigna");
    plant_end(&plant);
}
END_TEST

/* Restored from the broker's own file after its restart: nobody is connected. */
START_TEST(asked_again_about_a_restored_session)
{
    struct connection restored = {.client_id = "edge-linea1"};
    snprintf(restored.username, sizeof restored.username, "linea1");
    open_plant();
    adu_pipeline_reload(plant.p, plant.now);
    ck_assert_int_eq(asked_again(&restored), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

/* --- many reloads -------------------------------------------------------------------------------
 */

START_TEST(a_storm_of_reloads)
{
    open_plant();
    for (int i = 0; i < 200; i++) {
        adu_pipeline_reload(plant.p, plant.now);
        MAY(edge, "planta/linea1/temperatura");
        CANNOT(edge, "planta/linea2/temperatura");
        plant_pass(&plant, 7);
    }
    write_acl(other_acl);
    ck_assert_msg(plant_reload(&plant), "%s", last_line());
    /* A load that had begun before the file was written is followed by another. */
    for (int i = 0;
         i < 20000 && plant_ask(&plant, &edge, ADU_PUBLISH, "planta/otra/linea1") != ADU_ALLOW;
         i++) {
        plant_pass(&plant, 1);
        usleep(1000);
    }
    MAY(edge, "planta/otra/linea1");
    ck_assert_int_eq(kicks(), 0);
    ck_assert_uint_eq(plant_counters(&plant)->policies_rejected, 0);
    plant_end(&plant);
}
END_TEST

START_TEST(unloading_during_a_reload)
{
    open_plant();
    adu_pipeline_reload(plant.p, plant.now);
    adu_pipeline_reload(plant.p, plant.now);
    plant_end(&plant);
}
END_TEST

/* --- watch mode ---------------------------------------------------------------------------------
 */

START_TEST(watch_mode_lets_through_and_says_so)
{
    open_plant();
    folder_write_json(&plant.policies, "topic_policy.json",
                      "{'mode': 'watch', 'depth': {'min': 3}}");
    write_acl("{'mode': 'watch', 'roles': {'edge': {}, 'operador': {}}}");
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(logged("topic_policy.json is in watch mode"), 1);
    ck_assert_int_eq(logged("acl.json is in watch mode"), 1);
    log_clear();
    MAY(edge, "Planta");
    ck_assert_int_eq(logged("aduana: would refuse publish client=\"edge-linea1\" "
                            "username=\"linea1\" address=192.0.2.1 topic=\"Planta\" qos=1 "
                            "retain=0: topic_policy: upper-case letters are not allowed"),
                     1);
    ck_assert_int_eq(logged("retain=0: acl: no rule grants it to its roles"), 1);
    ck_assert_int_eq(logged("aduana: refused"), 0);
    ck_assert_uint_eq(plant_counters(&plant)->would_refuse, 2);
    ck_assert_uint_eq(plant_counters(&plant)->publish_refused, 0);
    /* What is not watched is enforced, and watching is never about who somebody is. */
    CANNOT(edge, "planta/_sys/contadores");
    tablero.password = "wrong";
    ck_assert_int_eq(plant_login(&plant, &tablero), ADU_DENY);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_reload");
    suite_add(suite, new_rules_hold_for_old_sessions);
    suite_add(suite, a_bad_file_changes_nothing);
    suite_add(suite, an_alert_of_several_bad_files);
    suite_add(suite, a_missing_folder_changes_nothing);
    suite_add(suite, who_is_no_longer_known_is_kicked_once);
    suite_add(suite, who_gets_another_name_is_kicked);
    suite_add(suite, who_proved_too_little_for_the_new_policy_is_kicked);
    suite_add(suite, kicks_wait_until_they_may_be);
    suite_add(suite, a_role_taken_away_takes_its_rights);
    suite_add(suite, asked_again_nobody_needs_a_password);
    suite_add(suite, asked_again_once_a_session);
    suite_add(suite, asked_again_only_after_a_reload);
    suite_add(suite, asked_again_is_no_way_in);
    suite_add(suite, asked_again_is_no_way_in_by_a_reused_handle);
    suite_add_rows(suite, asked_again_dies_with_the_session, 2);
    suite_add(suite, asked_again_about_a_restored_session);
    suite_add(suite, a_storm_of_reloads);
    suite_add(suite, unloading_during_a_reload);
    suite_add(suite, watch_mode_lets_through_and_says_so);
    return run_suite(suite);
}
