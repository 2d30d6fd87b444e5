/* Client ids, handles and what outlives a connection: nobody becomes somebody else by them. */
#include "plant.h"
#include <string.h>

static struct plant plant;

static struct connection edge1(void)
{
    return (struct connection){.client_id = "edge-linea1",
                               .certificate = EDGE("edge-linea1"),
                               .durable = true,
                               .address = "192.0.2.1"};
}

/* A service's client id is not bound to its certificate: it may claim any. */
static struct connection service(const char *client_id)
{
    return (struct connection){
        .client_id = client_id, .certificate = SERVICE("mallory"), .address = "192.0.2.66"};
}

static struct connection scada(void)
{
    return (struct connection){
        .client_id = "hmi", .name = "scada", .password = "otra-clave", .address = "192.0.2.2"};
}

/* Whoever the broker asks about without a connection: an offline session restored from its file,
 * or the publisher of a retained message. */
static struct connection away(const char *client_id, const char *username)
{
    struct connection c = {.client_id = client_id};
    snprintf(c.username, sizeof c.username, "%s", username);
    return c;
}

static void open_plant(void)
{
    plant_prepare(&plant);
    plant_start(&plant);
}

#define LOGS_IN(c)         ck_assert_msg(plant_login(&plant, &(c)) == ADU_ALLOW, "%s", last_line())
#define REFUSED(c)         ck_assert_int_eq(plant_login(&plant, &(c)), ADU_DENY)
#define PUBLISHES(c, t)    ck_assert_int_eq(plant_ask(&plant, &(c), ADU_PUBLISH, t), ADU_ALLOW)
#define CANNOT(c, what, t) ck_assert_int_eq(plant_ask(&plant, &(c), what, t), ADU_DENY)

/* --- taking over --------------------------------------------------------------------------------
 */

START_TEST(another_identity_cannot_take_over)
{
    struct connection victim = edge1(), thief = service("edge-linea1");
    open_plant();
    LOGS_IN(victim);
    REFUSED(thief);
    ck_assert_int_eq(logged("this client id is in use by another identity"), 1);
    plant_gone(&plant, &thief, false);
    PUBLISHES(victim, "planta/linea1/temperatura");
    /* Offline, but durable: its queued messages are still there. */
    plant_gone(&plant, &victim, false);
    REFUSED(thief);
    plant_end(&plant);
}
END_TEST

/* A client that chose the client id of another, to which that is bound, has it till the other
 * comes: connected or away. Then it has nothing of it any more. */
START_TEST(a_client_id_is_whose_it_must_be)
{
    for (int connected = 0; connected < 2; connected++) {
        struct connection owner = edge1(), squatter = service("edge-linea1"), again = squatter;
        squatter.durable = true;
        open_plant();
        LOGS_IN(squatter);
        if (!connected) {
            plant_gone(&plant, &squatter, false);
        }
        LOGS_IN(owner);
        if (connected) {
            plant_gone(&plant, &squatter, false); /* the broker has taken it over */
        }
        PUBLISHES(owner, "planta/linea1/temperatura");
        REFUSED(again);
        plant_gone(&plant, &owner, false);
        REFUSED(again);
        LOGS_IN(owner);
        plant_gone(&plant, &owner, true);
        LOGS_IN(again); /* nothing of the one before holds it */
        CANNOT(again, ADU_PUBLISH, "planta/linea1/temperatura");
        plant_end(&plant);
    }
}
END_TEST

START_TEST(a_session_that_ended_frees_its_client_id)
{
    struct connection first = scada(), second = service("hmi");
    open_plant();
    LOGS_IN(first);
    plant_gone(&plant, &first, false); /* not durable */
    LOGS_IN(second);
    ck_assert_str_eq(second.username, "mallory");
    CANNOT(second, ADU_PUBLISH, "planta/linea1/temperatura");
    plant_end(&plant);
}
END_TEST

START_TEST(a_durable_session_that_ended_frees_its_client_id)
{
    struct connection first = scada(), second = service("hmi");
    first.durable = true;
    open_plant();
    LOGS_IN(first);
    plant_gone(&plant, &first, false);
    REFUSED(second);
    plant_gone(&plant, &first, true); /* its expiry has come */
    LOGS_IN(second);
    plant_end(&plant);
}
END_TEST

START_TEST(the_same_identity_may_take_over)
{
    struct connection first = edge1(), second = edge1();
    open_plant();
    LOGS_IN(first);
    LOGS_IN(second);
    plant_gone(&plant, &first, false); /* comes after the new log-in */
    PUBLISHES(second, "planta/linea1/temperatura");
    CANNOT(second, ADU_PUBLISH, "planta/linea2/temperatura");
    struct connection thief = service("edge-linea1");
    REFUSED(thief);
    plant_end(&plant);
}
END_TEST

/* The name stands for the person, whatever proved it. */
START_TEST(the_same_person_by_certificate_and_by_password)
{
    struct connection first = {.client_id = "x",
                               .name = "tablero",
                               .password = "pass",
                               .durable = true,
                               .address = "192.0.2.3"};
    struct connection second = {
        .client_id = "x", .certificate = SERVICE("tablero"), .address = "192.0.2.4"};
    open_plant();
    LOGS_IN(first);
    LOGS_IN(second);
    ck_assert_str_eq(second.username, "tablero");
    plant_end(&plant);
}
END_TEST

/* --- one certificate, several connections ------------------------------------------------------
 */

enum { GATEWAYS = 5 };

static void write_gateways(int most)
{
    char json[512];
    snprintf(json, sizeof json,
             "{'identities': [\n{'name': 'gateway', 'match': {}, 'username': '${cert.cn}',"
             "'attributes': {'linea': 'linea1'},"
             "'client_id': {'prefix': '${cert.cn}-'}, 'connections': {'max': %d}, 'roles': "
             "['edge']}]}",
             most);
    folder_write_json(&plant.policies, "cert_auth.json", json);
}

static struct connection gateway(const char *client_id, bool renewed)
{
    return (struct connection){.client_id = client_id,
                               .certificate = renewed ? "cert.cn=gw;cert.fingerprint=02"
                                                      : "cert.cn=gw;cert.fingerprint=01",
                               .address = "192.0.2.5"};
}

/* All connections with an id of `ids`, one letter each, of the same certificate. */
static void open_gateways(struct connection *all, const char ids[][8], int count, int most)
{
    plant_prepare(&plant);
    write_gateways(most);
    plant_start(&plant);
    for (int i = 0; i < count; i++) {
        all[i] = gateway(ids[i], false);
    }
}

static const char gateway_ids[GATEWAYS][8] = {"gw-a", "gw-b", "gw-c", "gw-d", "gw-e"};

START_TEST(a_certificate_with_all_its_connections)
{
    struct connection c[GATEWAYS], again = gateway("gw-a", false), renewed = gateway("gw-c", true);
    open_gateways(c, gateway_ids, GATEWAYS, 2);
    LOGS_IN(c[0]);
    LOGS_IN(c[1]);
    REFUSED(c[2]);
    ck_assert_msg(strstr(last_line(), "cert_auth: this certificate has as many connections as it "
                                      "may have (limit 2) [cert_auth.json:2]") != NULL,
                  "%s", last_line());
    PUBLISHES(c[0], "planta/linea1/temperatura"); /* they know nothing of it */
    LOGS_IN(again);                               /* takes over, and is not one more */
    REFUSED(c[2]);
    plant_gone(&plant, &c[0], false);
    REFUSED(c[2]);
    LOGS_IN(renewed); /* another certificate of the same name */
    plant_gone(&plant, &renewed, false);
    plant_gone(&plant, &c[1], false);
    LOGS_IN(c[2]);
    REFUSED(c[3]);
    plant_end(&plant);
}
END_TEST

START_TEST(who_is_away_has_no_connection)
{
    struct connection c[GATEWAYS];
    open_gateways(c, gateway_ids, GATEWAYS, 1);
    c[0].durable = true;
    LOGS_IN(c[0]);
    REFUSED(c[1]);
    plant_gone(&plant, &c[0], false);
    LOGS_IN(c[1]);
    REFUSED(c[0]); /* and has to wait */
    plant_gone(&plant, &c[1], false);
    LOGS_IN(c[0]);
    plant_end(&plant);
}
END_TEST

START_TEST(refused_log_ins_are_no_connections)
{
    struct connection c[GATEWAYS], wrong = gateway("other", false);
    open_gateways(c, gateway_ids, GATEWAYS, 1);
    for (int i = 0; i < 5; i++) {
        REFUSED(wrong);
        plant_gone(&plant, &wrong, false);
    }
    LOGS_IN(c[0]);
    plant_gone(&plant, &c[1], false); /* of one that was never let in */
    REFUSED(c[1]);
    plant_end(&plant);
}
END_TEST

START_TEST(a_lower_number_sends_nobody_away)
{
    struct connection c[GATEWAYS];
    open_gateways(c, gateway_ids, GATEWAYS, 4);
    for (int i = 0; i < 4; i++) {
        LOGS_IN(c[i]);
    }
    write_gateways(2);
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 5000);
    ck_assert_int_eq(kicks(), 0);
    for (int i = 0; i < 4; i++) {
        PUBLISHES(c[i], "planta/linea1/temperatura");
    }
    plant_gone(&plant, &c[0], false);
    plant_gone(&plant, &c[1], false);
    REFUSED(c[4]);
    plant_gone(&plant, &c[2], false);
    LOGS_IN(c[4]);
    plant_end(&plant);
}
END_TEST

/* What cannot be counted has no room. */
START_TEST(a_certificate_without_a_fingerprint)
{
    struct connection c[GATEWAYS];
    open_gateways(c, gateway_ids, GATEWAYS, 2);
    c[0].certificate = "cert.cn=gw";
    REFUSED(c[0]);
    ck_assert_int_eq(logged("the certificate has no fingerprint to count by"), 1);
    plant_end(&plant);
}
END_TEST

/* --- failed log-ins -----------------------------------------------------------------------------
 */

START_TEST(failed_login_and_its_disconnect_hurt_nobody)
{
    struct connection victim = edge1();
    struct connection liar = {
        .client_id = "edge-linea1", .name = "scada", .password = "wrong", .address = "192.0.2.66"};
    struct connection thief = service("edge-linea1");
    open_plant();
    LOGS_IN(victim);
    for (int i = 0; i < 3; i++) {
        REFUSED(liar);
        plant_gone(&plant, &liar, i == 2);
    }
    PUBLISHES(victim, "planta/linea1/temperatura");
    plant_gone(&plant, &victim, false);
    REFUSED(liar);
    plant_gone(&plant, &liar, true);
    REFUSED(thief); /* the victim is still known to be durable */
    plant_end(&plant);
}
END_TEST

/* The broker reuses the memory of a connection that has gone: a liar may sit where the victim's
 * earlier connection was. */
START_TEST(failed_login_on_a_reused_handle_hurts_nobody)
{
    struct connection old = edge1(), fresh = edge1(), thief = service("edge-linea1");
    open_plant();
    LOGS_IN(old);
    plant_gone(&plant, &old, false);
    LOGS_IN(fresh);
    plant_gone(&plant, &old, false); /* the offline session is taken over: 2.0 says so again */
    plant_gone(&plant, &fresh, false);
    old = (struct connection){.client_id = "edge-linea1", .address = "192.0.2.66"};
    REFUSED(old);
    plant_gone(&plant, &old, false);
    REFUSED(thief);
    struct connection again = edge1();
    LOGS_IN(again);
    PUBLISHES(again, "planta/linea1/temperatura");
    plant_end(&plant);
}
END_TEST

START_TEST(failed_login_gives_nothing)
{
    struct connection liar = {.client_id = "edge-linea1", .name = "linea1", .address = "::1"};
    open_plant();
    REFUSED(liar);
    CANNOT(liar, ADU_PUBLISH, "planta/linea1/temperatura");
    plant_end(&plant);
}
END_TEST

/* --- asked about who is not connected -----------------------------------------------------------
 */

START_TEST(offline_sessions_receive_by_who_they_are)
{
    struct connection victim = edge1();
    open_plant();
    LOGS_IN(victim);
    plant_gone(&plant, &victim, false);
    plant_pass(&plant, INT64_C(100) * 24 * 3600 * 1000);
    ck_assert_int_eq(plant_ask(&plant, &victim, ADU_RECEIVE, "planta/linea1/comandos/x"),
                     ADU_ALLOW);
    CANNOT(victim, ADU_RECEIVE, "planta/linea2/comandos/x");
    plant_end(&plant);
}
END_TEST

START_TEST(retained_messages_are_judged_by_their_publisher)
{
    struct connection publisher = edge1(), source = away("edge-linea1", "linea1");
    struct connection other = away("edge-linea1", "scada"), stranger = away("edge-linea9", "x");
    open_plant();
    LOGS_IN(publisher);
    PUBLISHES(source, "planta/linea1/temperatura");
    CANNOT(source, ADU_PUBLISH, "planta/linea2/temperatura");
    plant_gone(&plant, &publisher, true);
    PUBLISHES(source, "planta/linea1/temperatura");
    CANNOT(other, ADU_PUBLISH, "planta/linea1/temperatura");
    CANNOT(stranger, ADU_PUBLISH, "planta/linea9/temperatura");
    ck_assert_int_eq(logged("the message's publisher is not known"), 2);
    ck_assert_uint_eq(plant_counters(&plant)->unknown_sessions, 2);
    plant_end(&plant);
}
END_TEST

/* use_identity_as_username makes a broker skip its plugins: a connection with an address that never
 * logged in is a door left open, whoever is known by that client id and name. */
START_TEST(a_connection_that_never_logged_in_is_refused)
{
    struct connection known = edge1();
    struct connection intruder = away("edge-linea1", "linea1");
    open_plant();
    LOGS_IN(known);
    intruder.address = "192.0.2.66";
    CANNOT(intruder, ADU_PUBLISH, "planta/linea1/temperatura");
    intruder.address = NULL;
    intruder.certificate = EDGE("edge-linea1");
    CANNOT(intruder, ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_int_eq(logged("never logged in"), 2);
    plant_end(&plant);
}
END_TEST

/* --- wills --------------------------------------------------------------------------------------
 */

START_TEST(wills_are_judged_after_the_end)
{
    struct connection c = scada();
    open_plant();
    LOGS_IN(c);
    plant_gone(&plant, &c, true);
    log_clear();
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/linea1/estado"), ADU_ALLOW);
    CANNOT(c, ADU_PUBLISH, "otra/linea1/estado");
    ck_assert_int_eq(logged("aduana: refused will client=\"hmi\" username=\"scada\""), 1);
    ck_assert_uint_eq(plant_counters(&plant)->wills_refused, 1);
    plant_pass(&plant, 3600 * 1000 - 200); /* a will delay of an hour */
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/linea1/estado"), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

/* --- memory -------------------------------------------------------------------------------------
 */

/* A gateway with a bad line comes and goes for years, each time with a new handle; the broker, from
 * 2.1 on, says no more than that it is offline. What is remembered must not grow. */
START_TEST(reconnecting_does_not_pile_up)
{
    enum { TIMES = 3 * 4096 };
    static struct connection all[TIMES];
    open_plant();
    for (int i = 0; i < TIMES; i++) {
        all[i] = edge1();
        LOGS_IN(all[i]);
        plant_gone(&plant, &all[i], false);
        plant_pass(&plant, 1000);
    }
    /* The first ones are forgotten: nobody is known under their handles any more. */
    all[0].username[0] = '\0';
    CANNOT(all[0], ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_int_eq(plant_ask(&plant, &all[TIMES - 1], ADU_RECEIVE, "planta/linea1/comandos/x"),
                     ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_sessions");
    suite_add(suite, another_identity_cannot_take_over);
    suite_add(suite, a_client_id_is_whose_it_must_be);
    suite_add(suite, a_session_that_ended_frees_its_client_id);
    suite_add(suite, a_durable_session_that_ended_frees_its_client_id);
    suite_add(suite, the_same_identity_may_take_over);
    suite_add(suite, the_same_person_by_certificate_and_by_password);
    suite_add(suite, a_certificate_with_all_its_connections);
    suite_add(suite, who_is_away_has_no_connection);
    suite_add(suite, refused_log_ins_are_no_connections);
    suite_add(suite, a_lower_number_sends_nobody_away);
    suite_add(suite, a_certificate_without_a_fingerprint);
    suite_add(suite, failed_login_and_its_disconnect_hurt_nobody);
    suite_add(suite, failed_login_on_a_reused_handle_hurts_nobody);
    suite_add(suite, failed_login_gives_nothing);
    suite_add(suite, offline_sessions_receive_by_who_they_are);
    suite_add(suite, retained_messages_are_judged_by_their_publisher);
    suite_add(suite, a_connection_that_never_logged_in_is_refused);
    suite_add(suite, wills_are_judged_after_the_end);
    suite_add(suite, reconnecting_does_not_pile_up);
    return run_suite(suite);
}
