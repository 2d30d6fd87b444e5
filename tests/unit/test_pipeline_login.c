/* The pipeline at CONNECT: who gets in, under which name, and what the log says of who does not. */
#include "plant.h"
#include <string.h>

static struct plant plant;

/* --- who gets in --------------------------------------------------------------------------------
 */

static const struct {
    const char *what;
    struct connection c;
    const char *username; /* verified; NULL: refused */
    const char *log;      /* a part of the refusal's line */
} logins[] = {
    {"a certificate",
     {.client_id = "edge-linea1", .certificate = EDGE("edge-linea1")},
     .username = "linea1"},
    {"a certificate and somebody else's name",
     {.client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .name = "scada"},
     .username = "linea1"},
    {"a certificate, and a wrong password that nobody asked for",
     {.client_id = "edge-linea1",
      .certificate = EDGE("edge-linea1"),
      .name = "linea1",
      .password = "no"},
     .username = "linea1"},
    {"a password",
     {.client_id = "x", .name = "scada", .password = "otra-clave"},
     .username = "scada"},
    {"a password of a user with attributes",
     {.client_id = "x", .name = "linea3", .password = "pass"},
     .username = "linea3"},
    {"a wrong password",
     {.client_id = "x", .name = "scada", .password = "otra-clavE"},
     .log = "iam_auth: wrong password"},
    {"an unknown user",
     {.client_id = "x", .name = "nadie", .password = "pass"},
     .log = "iam_auth: no provider knows this user"},
    {"an empty password",
     {.client_id = "x", .name = "scada", .password = ""},
     .log = "a password is required, and the client gave none"},
    {"a name without a password",
     {.client_id = "x", .name = "scada"},
     .log = "a password is required, and the client gave none"},
    {"a password without a name",
     {.client_id = "x", .password = "pass"},
     .log = "neither a client certificate nor a password says who this is"},
    {"an empty name", {.client_id = "x", .name = "", .password = "pass"}, .log = "refused connect"},
    {"nothing",
     {.client_id = "x"},
     .log = "neither a client certificate nor a password says who this is"},
    {"a certificate with another client id",
     {.client_id = "edge-linea2", .certificate = EDGE("edge-linea1")},
     .log =
         "cert_auth: this certificate must use the client id \"edge-linea1\" [cert_auth.json:5]"},
    {"a certificate of nobody",
     {.client_id = "x", .certificate = "cert.cn=mallory;cert.issuer.cn=Otra CA"},
     .log = "cert_auth: no identity of cert_auth.json matches the certificate "
            "\"CN=mallory, issuer CN=Otra CA\""},
    {"the same subject of another CA",
     {.client_id = "edge-linea1",
      .certificate = "cert.issuer.cn=Otra CA;cert.ou=edge;"
                     "cert.cn=edge-linea1"},
     .log = "cert_auth: no identity"},
    {"a certificate that the derived attribute's pattern does not fit",
     {.client_id = "edge-lineaX", .certificate = EDGE("edge-lineaX")},
     .log = "cert_auth: no identity"},
    {"two common names",
     {.client_id = "edge-linea1", .certificate = EDGE("edge-linea1") ";cert.cn=edge-linea2"},
     .log = "cert_auth: no identity"},
    {"a certificate that cannot be read",
     {.client_id = "x", .certificate = "!cert.cn holds a control character"},
     .log = "cert_auth: the certificate cannot be used: \"cert.cn holds a control character\""},
    {"a certificate that cannot be read, and a good password",
     {.client_id = "x",
      .certificate = "!cert.cn holds a control character",
      .name = "scada",
      .password = "otra-clave"},
     .log = "cert_auth: the certificate cannot be used"},
    {"a certificate of nobody, and a good password",
     {.client_id = "x", .certificate = "cert.cn=m", .name = "scada", .password = "otra-clave"},
     .username = "scada"},
    {"no client id", {.name = "scada", .password = "otra-clave"}, .log = "it has no client id"},
    {"an empty client id",
     {.client_id = "", .name = "scada", .password = "otra-clave"},
     .log = "it has no client id"},
};

START_TEST(login_table)
{
    struct connection c = logins[_i].c;
    const char *what = logins[_i].what, *expected = logins[_i].username;
    c.address = "192.0.2.7";
    plant_prepare(&plant);
    plant_start(&plant);
    const enum adu_verdict verdict = plant_login(&plant, &c);
    ck_assert_msg((verdict == ADU_ALLOW) == (expected != NULL), "%s: verdict %d, %s", what, verdict,
                  last_line());
    ck_assert_uint_eq(plant_counters(&plant)->logins_accepted, expected != NULL);
    ck_assert_uint_eq(plant_counters(&plant)->logins_refused, expected == NULL);
    if (expected != NULL) {
        ck_assert_str_eq(c.username, expected);
        ck_assert_int_eq(logged("aduana: refused"), 0);
    } else {
        ck_assert_str_eq(c.username, "");
        ck_assert_int_eq(logged("aduana: refused connect "), 1);
        ck_assert_msg(strstr(last_line(), logins[_i].log) != NULL, "%s: %s", what, last_line());
    }
    plant_end(&plant);
}
END_TEST

START_TEST(refusal_line)
{
    struct connection c = {.client_id = "edge-linea1", .name = "linea1", .address = "127.0.0.1"};
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &c), ADU_DENY);
    ck_assert_str_eq(last_line(), "aduana: refused connect client=\"edge-linea1\" "
                                  "claimed_username=\"linea1\" address=127.0.0.1: iam_auth: a "
                                  "password is required, and the client gave none");
    plant_end(&plant);
}
END_TEST

START_TEST(client_id_length)
{
    char id[1026];
    struct connection c = {
        .client_id = id, .name = "scada", .password = "otra-clave", .address = "::1"};
    memset(id, 'a', sizeof id);
    id[1025] = '\0';
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &c), ADU_DENY);
    ck_assert_int_eq(logged("1024"), 1);
    id[1024] = '\0';
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

/* Names that would forge a line, or break it; plant.c looks at every line. */
START_TEST(hostile_names)
{
    static const char *const names[] = {"a\nb",         "\x1b[31m",    "x\" username=\"admin",
                                        "\xe2\x80\xae", "\xff\xfe",    "a\\",
                                        "\xc2\x85",     "\xf0\x90\x80"};
    struct connection c = {.address = "127.0.0.1"};
    plant_prepare(&plant);
    plant_start(&plant);
    for (int i = 0; i < ROWS(names); i++) {
        log_clear();
        plant.now.mono_ms += 20000;
        c.client_id = c.name = names[i];
        ck_assert_int_eq(plant_login(&plant, &c), ADU_DENY);
        ck_assert_int_eq(logged("client=\""), 1);
        ck_assert_int_eq(logged("\" username=\"admin\""), 0);
    }
    plant_end(&plant);
}
END_TEST

/* --- options of the plugin lines ----------------------------------------------------------------
 */

static bool attach_with(enum adu_stage_kind kind, const struct adu_options *options,
                        struct adu_error *error)
{
    const struct plant before = plant;
    snprintf(plant.policies.path, sizeof plant.policies.path, "%s", options->policy_dir);
    const bool good = plant_attach(&plant, kind, error);
    plant.policies = before.policies;
    return good;
}

static const struct {
    const char *policy_dir, *error;
} first_lines[] = {
    {"policies", "plugin_opt_policy_dir is \"policies\"; name the folder from the root"},
    {"", "plugin_opt_policy_dir is \"\"; name the folder from the root"},
    {"/nonexistent/aduana", "/nonexistent/aduana: cannot be read: No such file or directory"},
    {"/dev/null", "/dev/null"},
};

START_TEST(bad_policy_dir)
{
    struct adu_error error = {0};
    char text[1024];
    plant_prepare(&plant);
    const struct adu_options options = {.policy_dir = first_lines[_i].policy_dir};
    ck_assert(!attach_with(ADU_STAGE_ACL, &options, &error));
    adu_error_format(&error, text, sizeof text);
    ck_assert_msg(strstr(text, first_lines[_i].error) != NULL, "%s", text);
    ck_assert(plant_attach(&plant, ADU_STAGE_ACL, &(struct adu_error){0}));
    plant_end(&plant);
}
END_TEST

START_TEST(same_stage_twice)
{
    struct adu_error error = {0};
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert(!plant_attach(&plant, ADU_STAGE_ACL, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "aduana_acl.so is loaded already"));
    plant_end(&plant);
}
END_TEST

START_TEST(differing_options)
{
    struct adu_error error = {0};
    plant_prepare(&plant);
    ck_assert(plant_attach(&plant, ADU_STAGE_ACL, &error));
    const struct adu_options options = {.policy_dir = plant.state.path};
    ck_assert(!attach_with(ADU_STAGE_IAM_AUTH, &options, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "they must be the same"));
    /* One line is enough for the state folder: this one is the first that names it. */
    plant.keeps_state = true;
    error = (struct adu_error){0};
    ck_assert(plant_attach(&plant, ADU_STAGE_IAM_AUTH, &error));
    plant_end(&plant);
}
END_TEST

/* A broker that one plugin refuses unloads the others; that must not end in a crash. */
START_TEST(refused_start_is_cleaned_up)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        char file[64];
        const enum adu_stage_kind first =
            kind == ADU_STAGE_ACL ? ADU_STAGE_CERT_AUTH : ADU_STAGE_ACL;
        plant_prepare(&plant);
        snprintf(file, sizeof file, "%s.json", adu_stage_name((enum adu_stage_kind)kind));
        folder_write(&plant.policies, file, "{");
        /* The first plugin is fine with a file whose plugin is to come. */
        if (plant_attach(&plant, first, &error)) {
            ck_abort_msg("a file that is not JSON was passed over");
        }
        folder_write(&plant.policies, file, "{\"nope\": 1}");
        error = (struct adu_error){0};
        ck_assert_msg(plant_attach(&plant, first, &error), "%s", error.text);
        ck_assert(!plant_attach(&plant, (enum adu_stage_kind)kind, &error));
        ck_assert_str_eq(error.file, file);
        plant_end(&plant);
    }
}
END_TEST

START_TEST(unloaded_refuses_everything)
{
    struct connection c = {.client_id = "x", .name = "scada", .password = "otra-clave"};
    plant_prepare(&plant);
    plant_start(&plant);
    c.address = "127.0.0.1";
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ALLOW);
    struct adu_pipeline *p = plant.p;
    plant_stop(&plant);
    plant.p = p;
    ck_assert_int_eq(plant_login(&plant, &c), ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/linea1/temperatura"), ADU_DENY);
    plant_gone(&plant, &c, true);
    plant_pass(&plant, 100);
    adu_pipeline_reload(p, plant.now);
    plant_end(&plant);
}
END_TEST

/* Until the last plugin goes, what the others' stages know is still asked. */
START_TEST(unloading_one_keeps_the_rest)
{
    struct connection c = {.client_id = "x", .name = "scada", .password = "otra-clave"};
    plant_prepare(&plant);
    plant_start(&plant);
    c.address = "127.0.0.1";
    ck_assert_int_eq(plant_login(&plant, &c), ADU_ALLOW);
    adu_pipeline_detach(plant.p, plant.attached[--plant.attached_count]);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "planta/linea1/temperatura"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &c, ADU_PUBLISH, "otra/linea1/temperatura"), ADU_DENY);
    plant_end(&plant);
}
END_TEST

START_TEST(start_line)
{
    char line[512];
    plant_prepare(&plant);
    plant_start(&plant);
    plant_pass(&plant, 0);
    snprintf(line, sizeof line,
             "aduana: pipeline ready: cert_auth, iam_auth, rate_monitor, topic_policy, acl; "
             "policy generation 1 from %s",
             plant.policies.path);
    ck_assert_str_eq(last_line(), line);
    ck_assert_int_eq(logged("no plugin_opt_state_dir"), 1);
    plant_pass(&plant, 100);
    ck_assert_int_eq(logged("pipeline ready"), 1);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_login");
    suite_add_rows(suite, login_table, ROWS(logins));
    suite_add(suite, refusal_line);
    suite_add(suite, client_id_length);
    suite_add(suite, hostile_names);
    suite_add_rows(suite, bad_policy_dir, ROWS(first_lines));
    suite_add(suite, same_stage_twice);
    suite_add(suite, differing_options);
    suite_add(suite, refused_start_is_cleaned_up);
    suite_add(suite, unloaded_refuses_everything);
    suite_add(suite, unloading_one_keeps_the_rest);
    suite_add(suite, start_line);
    return run_suite(suite);
}
