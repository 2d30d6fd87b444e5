/* The order of the plugin lines never matters, and a plugin that is not there never means less
 * protection without a word. */
#include "permutation.h"
#include "plant.h"
#include <string.h>

static struct plant plant;

enum { EDGE1, SCADA, TABLERO, CLIENTS };

static const struct connection clients[CLIENTS] = {
    [EDGE1] = {.client_id = "edge-linea1",
               .certificate = EDGE("edge-linea1"),
               .address = "192.0.2.1"},
    [SCADA] = {.client_id = "hmi",
               .name = "scada",
               .password = "otra-clave",
               .address = "192.0.2.2"},
    [TABLERO] = {.client_id = "t", .name = "tablero", .password = "pass", .address = "192.0.2.3"},
};

static const struct {
    int client;
    enum adu_action action;
    const char *topic;
    enum adu_verdict verdict;
    const char *by; /* the stage that refuses */
} requests[] = {
    {EDGE1, ADU_PUBLISH, "planta/linea1/temperatura", ADU_ALLOW, NULL},
    {EDGE1, ADU_PUBLISH, "planta/linea2/temperatura", ADU_DENY, "acl"},
    {EDGE1, ADU_PUBLISH, "planta/linea1/consigna", ADU_DENY, "acl"},
    {EDGE1, ADU_PUBLISH, "planta/linea1/_sys/heartbeat", ADU_ALLOW, NULL},
    {EDGE1, ADU_PUBLISH, "planta/linea1/_otro/x", ADU_DENY, "topic_policy"},
    {EDGE1, ADU_PUBLISH, "planta/linea1/Temperatura", ADU_DENY, "topic_policy"},
    {EDGE1, ADU_PUBLISH, "planta/linea1", ADU_DENY, "topic_policy"},
    {EDGE1, ADU_PUBLISH, "planta/_sys/alertas/publish_rate/x", ADU_DENY, "rate_monitor"},
    {EDGE1, ADU_PUBLISH, "planta/_sys/contadores", ADU_DENY, "rate_monitor"},
    {EDGE1, ADU_SUBSCRIBE, "planta/linea1/comandos/#", ADU_ALLOW, NULL},
    {EDGE1, ADU_SUBSCRIBE, "planta/linea1/comandos/x", ADU_ALLOW, NULL},
    {EDGE1, ADU_SUBSCRIBE, "$share/g/planta/linea1/comandos/#", ADU_ALLOW, NULL},
    {EDGE1, ADU_SUBSCRIBE, "$share/g/planta/linea2/comandos/#", ADU_DENY, "acl"},
    {EDGE1, ADU_SUBSCRIBE, "$share/g/#", ADU_DENY, "acl"},
    {EDGE1, ADU_SUBSCRIBE, "$share/g", ADU_DENY, "pipeline"},
    {EDGE1, ADU_SUBSCRIBE, "$share//planta/linea1/comandos/#", ADU_DENY, "pipeline"},
    {EDGE1, ADU_SUBSCRIBE, "#", ADU_DENY, "acl"},
    {EDGE1, ADU_SUBSCRIBE, "+/#", ADU_DENY, "acl"},
    {EDGE1, ADU_SUBSCRIBE, "planta/#", ADU_DENY, "acl"},
    {EDGE1, ADU_SUBSCRIBE, "planta/+/comandos/#", ADU_DENY, "acl"},
    {EDGE1, ADU_RECEIVE, "planta/linea1/comandos/x", ADU_ALLOW, NULL},
    {EDGE1, ADU_RECEIVE, "planta/linea2/comandos/x", ADU_DENY, "acl"},
    {EDGE1, ADU_PUBLISH, "planta/#", ADU_DENY, "pipeline"},
    {EDGE1, ADU_PUBLISH, "", ADU_DENY, "pipeline"},
    {EDGE1, ADU_PUBLISH, "planta/linea1/\xff", ADU_DENY, "pipeline"},
    {SCADA, ADU_PUBLISH, "planta/linea1/consigna", ADU_ALLOW, NULL},
    {SCADA, ADU_PUBLISH, "planta/_sys/contadores", ADU_DENY, "rate_monitor"},
    {SCADA, ADU_PUBLISH, "libre/Lo Que Sea", ADU_ALLOW, NULL},
    {SCADA, ADU_SUBSCRIBE, "planta/#", ADU_ALLOW, NULL},
    {SCADA, ADU_SUBSCRIBE, "#", ADU_DENY, "acl"},
    {SCADA, ADU_SUBSCRIBE, "$SYS/#", ADU_ALLOW, NULL},
    {SCADA, ADU_RECEIVE, "planta/_sys/contadores", ADU_ALLOW, NULL},
    {TABLERO, ADU_PUBLISH, "planta/linea1/temperatura", ADU_DENY, "acl"},
    {TABLERO, ADU_SUBSCRIBE, "planta/+/+", ADU_ALLOW, NULL},
    {TABLERO, ADU_SUBSCRIBE, "planta/linea1/secreto", ADU_DENY, "acl"},
    {TABLERO, ADU_RECEIVE, "planta/linea1/secreto", ADU_DENY, "acl"},
    {TABLERO, ADU_RECEIVE, "planta/linea1/temperatura", ADU_ALLOW, NULL},
};

/* --- every order --------------------------------------------------------------------------------
 */

static void ask_all(void)
{
    struct connection c[CLIENTS];
    memcpy(c, clients, sizeof c);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_msg(plant_login(&plant, &c[i]) == ADU_ALLOW, "%s", last_line());
    }
    for (int i = 0; i < ROWS(requests); i++) {
        char reason[64];
        log_clear();
        plant.now.mono_ms += 20000; /* so that no line is left out */
        const enum adu_verdict verdict =
            plant_ask(&plant, &c[requests[i].client], requests[i].action, requests[i].topic);
        ck_assert_msg(verdict == requests[i].verdict, "%s, action %d on %s: verdict %d, %s",
                      c[requests[i].client].username, requests[i].action, requests[i].topic,
                      verdict, last_line());
        snprintf(reason, sizeof reason,
                 "retain=0: %s: ", requests[i].by != NULL ? requests[i].by : "");
        ck_assert_msg(logged(reason) == (requests[i].by != NULL), "on %s: %s", requests[i].topic,
                      last_line());
    }
}

START_TEST(every_order_of_plugin_lines)
{
    int order[ADU_STAGES];
    permutation(_i, ADU_STAGES, order);
    plant_prepare(&plant);
    for (int i = 0; i < ADU_STAGES; i++) {
        struct adu_error error = {0};
        ck_assert_msg(plant_attach(&plant, (enum adu_stage_kind)order[i], &error), "order %d: %s",
                      _i, error.text);
    }
    ask_all();
    ck_assert_int_eq(logged("is not loaded"), 0);
    plant_end(&plant);
}
END_TEST

/* --- every subset -------------------------------------------------------------------------------
 */

static void attach_subset(int subset)
{
    plant_prepare(&plant);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        if ((subset >> kind & 1) != 0) {
            ck_assert_msg(plant_attach(&plant, (enum adu_stage_kind)kind, &error), "%s",
                          error.text);
        }
    }
}

/* All five files are there: whatever plugin is missing, nothing is let through. */
START_TEST(missing_plugin_refuses_everything)
{
    if (_i == 0 || _i == (1 << ADU_STAGES) - 1) {
        return; /* no pipeline at all, and all of it */
    }
    struct connection c[CLIENTS];
    memcpy(c, clients, sizeof c);
    attach_subset(_i);
    plant_pass(&plant, 0);
    ck_assert_int_ge(logged("everything is refused: "), 1);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(plant_login(&plant, &c[i]), ADU_DENY);
        ck_assert_int_eq(plant_ask(&plant, &c[i], ADU_PUBLISH, "planta/linea1/temperatura"),
                         ADU_DENY);
        ck_assert_int_eq(plant_ask(&plant, &c[i], ADU_RECEIVE, "planta/linea1/temperatura"),
                         ADU_DENY);
        ck_assert_int_eq(plant_ask(&plant, &c[i], ADU_SUBSCRIBE, "planta/+/+"), ADU_DENY);
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        char why[128];
        if ((_i >> kind & 1) == 0) {
            snprintf(why, sizeof why, "aduana_%s.so is not loaded but %s.json is in the policy",
                     adu_stage_name((enum adu_stage_kind)kind),
                     adu_stage_name((enum adu_stage_kind)kind));
            ck_assert_msg(logged(why) >= 1, "nothing says \"%s\"", why);
            break; /* the first reason is enough */
        }
    }
    plant_end(&plant);
}
END_TEST

static void say_ignore(enum adu_stage_kind kind)
{
    char file[64];
    snprintf(file, sizeof file, "%s.json", adu_stage_name(kind));
    folder_write(&plant.policies, file, "{\"if_not_loaded\": \"ignore\"}");
}

/* "if_not_loaded": "ignore" in the files of the plugins in the subset that are missing. */
static void attach_and_ignore(int subset)
{
    plant_prepare(&plant);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        if ((subset >> kind & 1) == 0) {
            say_ignore((enum adu_stage_kind)kind);
        }
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        if ((subset >> kind & 1) != 0) {
            ck_assert_msg(plant_attach(&plant, (enum adu_stage_kind)kind, &error), "%s",
                          error.text);
        }
    }
}

START_TEST(ignored_acl_leaves_it_to_the_broker)
{
    struct connection c = clients[EDGE1];
    attach_and_ignore(0x1f & ~(1 << ADU_STAGE_ACL));
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/linea2/temperatura"), ADU_ABSTAIN);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_RECEIVE, "x"), ADU_ABSTAIN);
    /* The others still say no. */
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "Planta/linea2/temperatura"), ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/_sys/contadores"), ADU_DENY);
    ck_assert_int_eq(
        logged(
            "aduana_acl.so is not loaded: permissions are left to the broker's acl_file; without "
            "one it refuses everything"),
        1);
    plant_end(&plant);
}
END_TEST

START_TEST(ignored_authentication_leaves_it_to_the_broker)
{
    struct connection c = {.client_id = "x", .name = "scada", .address = "192.0.2.9"};
    attach_and_ignore(0x1f & ~(1 << ADU_STAGE_CERT_AUTH | 1 << ADU_STAGE_IAM_AUTH));
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ABSTAIN);
    /* The broker has checked the name by itself: rules may rely on it. */
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/linea1/consigna"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "otra/linea1/consigna"), ADU_DENY);
    ck_assert_int_eq(logged("logins are left to the broker's password_file"), 2);
    ck_assert_int_eq(logged("not checked"), 0);
    plant_end(&plant);
}
END_TEST

START_TEST(ignored_password_leaves_certificates)
{
    struct connection edge = clients[EDGE1], scada = clients[SCADA];
    attach_and_ignore(0x1f & ~(1 << ADU_STAGE_IAM_AUTH));
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_DENY);
    plant_end(&plant);
}
END_TEST

START_TEST(ignored_certificates_leave_passwords)
{
    struct connection edge = clients[EDGE1], scada = clients[SCADA];
    attach_and_ignore(0x1f & ~(1 << ADU_STAGE_CERT_AUTH));
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_DENY);
    ck_assert_int_eq(plant_login(&plant, &scada), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

static const struct {
    enum adu_stage_kind gone[2];
    int count;
    bool works;
    const char *log;
} absent[] = {
    {{ADU_STAGE_RATE_MONITOR}, 1, true, "rates are not watched"},
    {{ADU_STAGE_TOPIC_POLICY}, 1, true, "topic names are not checked"},
    {{ADU_STAGE_CERT_AUTH}, 1, true, "client certificates are not looked at, passwords alone"},
    {{ADU_STAGE_IAM_AUTH}, 1, true, "passwords are not checked, client certificates alone"},
    {{ADU_STAGE_CERT_AUTH, ADU_STAGE_IAM_AUTH},
     2,
     false,
     "is loaded: load one, or nobody says who a client is"},
    {{ADU_STAGE_ACL},
     1,
     false,
     "everything is refused: aduana_acl.so is not loaded: load it, or nobody grants"},
};

/* Neither file nor plugin: said at start, and only what is left is judged. */
START_TEST(neither_file_nor_plugin)
{
    int subset = 0x1f;
    plant_prepare(&plant);
    for (int i = 0; i < absent[_i].count; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.json", adu_stage_name(absent[_i].gone[i]));
        folder_delete(&plant.policies, file);
        subset &= ~(1 << absent[_i].gone[i]);
    }
    if (absent[_i].count == 2) { /* nothing defines ${linea} any more */
        folder_write_json(&plant.policies, "acl.json", "{'roles': {'edge': {}, 'operador': {}}}");
    }
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        char text[1024];
        if ((subset >> kind & 1) != 0) {
            ck_assert_msg(plant_attach(&plant, (enum adu_stage_kind)kind, &error), "%s",
                          adu_error_format(&error, text, sizeof text));
        }
    }
    plant_pass(&plant, 0);
    ck_assert_msg(logged(absent[_i].log) >= 1, "%s", last_line());
    ck_assert_int_eq(logged("everything is refused"), !absent[_i].works);
    struct connection edge = clients[EDGE1], scada = clients[SCADA];
    const bool one_gets_in =
        plant_login(&plant, &edge) == ADU_ALLOW || plant_login(&plant, &scada) == ADU_ALLOW;
    ck_assert_int_eq(one_gets_in, absent[_i].works);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_order");
    suite_add_rows(suite, every_order_of_plugin_lines, 120);
    suite_add_rows(suite, missing_plugin_refuses_everything, 1 << ADU_STAGES);
    suite_add(suite, ignored_acl_leaves_it_to_the_broker);
    suite_add(suite, ignored_authentication_leaves_it_to_the_broker);
    suite_add(suite, ignored_password_leaves_certificates);
    suite_add(suite, ignored_certificates_leave_passwords);
    suite_add_rows(suite, neither_file_nor_plugin, ROWS(absent));
    return run_suite(suite);
}
