/* What the pipeline tells the audit log, and what becomes of it over reloads. */
#include "plant.h"
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BOUND_MS = 20000 };

static struct plant plant;
static struct connection edge, scada;
static char path[FOLDER_PATH + 64];
static json_t *lines; /* an array: what stands in the file */

static void read_audit(void)
{
    size_t length = 0;
    char *text = file_text(path, &length);
    json_decref(lines);
    lines = json_array();
    for (char *line = text != NULL ? strtok(text, "\n") : NULL; line != NULL;
         line = strtok(NULL, "\n")) {
        json_error_t error;
        json_t *object = json_loads(line, 0, &error);
        if (object == NULL) {
            break; /* it is being written */
        }
        json_array_append_new(lines, object);
    }
    free(text);
}

/* Until the file has that many lines; fails the test when that takes too long, or when it has more.
 */
static void await(size_t count)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const time_t end = now.tv_sec + BOUND_MS / 1000;
    do {
        usleep(2000);
        read_audit();
        clock_gettime(CLOCK_MONOTONIC, &now);
        ck_assert_msg(now.tv_sec < end, "%zu lines instead of %zu", json_array_size(lines), count);
    } while (json_array_size(lines) < count);
    ck_assert_uint_eq(json_array_size(lines), count);
}

static void expect(size_t line, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(json_array_get(lines, line), key));
    ck_assert_msg(text != NULL && strcmp(text, value) == 0, "line %zu, %s: %s instead of %s", line,
                  key, text, value);
}

static void expect_none(size_t line, const char *key)
{
    ck_assert_ptr_null(json_object_get(json_array_get(lines, line), key));
}

static json_int_t number(size_t line, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(lines, line), key));
}

static void write_settings(const char *more)
{
    char json[FOLDER_PATH + 256];
    snprintf(json, sizeof json, "{'audit': {'to': 'file:%s'%s}}", path, more);
    folder_write_json(&plant.policies, "aduana.json", json);
}

static void open_plant(const char *more)
{
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .address = "127.0.0.1"};
    scada = (struct connection){
        .client_id = "hmi", .name = "scada", .password = "otra-clave", .address = "192.0.2.2"};
    plant_prepare(&plant);
    snprintf(path, sizeof path, "%s", folder_file(&plant.policies, "audit.log"));
    write_settings(more);
    plant_start(&plant);
}

static void close_plant(void)
{
    plant_end(&plant);
    json_decref(lines);
    lines = NULL;
}

START_TEST(requests)
{
    open_plant("");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/temperatura"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/consigna"), ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_SUBSCRIBE, "$share/g/#"), ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_RECEIVE, "planta/linea2/comandos/x"), ADU_DENY);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/x\ny"), ADU_DENY);
    plant_gone(&plant, &edge, false);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/consigna"), ADU_DENY);
    await(5);
    static const char *const events[] = {"publish", "subscribe", "receive", "publish", "will"};
    static const char *const topics[] = {"planta/linea1/consigna", "$share/g/#",
                                         "planta/linea2/comandos/x", "planta/linea1/x\ny",
                                         "planta/linea1/consigna"};
    for (size_t i = 0; i < 5; i++) {
        expect(i, "event", events[i]);
        expect(i, "verdict", "refused");
        expect(i, "client_id", "edge-linea1");
        expect(i, "username", "linea1");
        expect(i, "topic", topics[i]);
        expect(i, "identity", "edge gateway");
        expect(i, "stage", i == 3 ? "topic_policy" : "acl");
        ck_assert_int_eq(number(i, "generation"), 1);
        ck_assert_int_eq(number(i, "suppressed"), 0);
        expect_none(i, "claimed_username");
    }
    expect(0, "address", "127.0.0.1");
    expect(0, "rule", "no setpoints");
    expect(0, "place", "acl.json:8");
    expect(0, "reason", "denied by the rule \"no setpoints\"");
    expect(4, "action", "publish");
    expect_none(1, "place");
    close_plant();
}
END_TEST

START_TEST(connects)
{
    struct connection wrong = {
        .client_id = "hmi", .name = "scada", .password = "not-this-secret", .address = "192.0.2.7"};
    struct connection other = {
        .client_id = "wrong", .certificate = EDGE("edge-linea1"), .address = "192.0.2.8"};
    open_plant("");
    ck_assert_int_eq(plant_login(&plant, &wrong), ADU_DENY);
    ck_assert_int_eq(plant_login(&plant, &other), ADU_DENY);
    await(2);
    expect(0, "event", "connect");
    expect(0, "claimed_username", "scada");
    expect(0, "address", "192.0.2.7");
    expect(0, "stage", "iam_auth");
    expect_none(0, "username");
    expect_none(0, "identity");
    expect_none(0, "topic");
    expect(1, "client_id", "wrong");
    expect(1, "identity", "edge gateway");
    expect(1, "place", "cert_auth.json:5");
    size_t length;
    char *text = file_text(path, &length);
    ck_assert_ptr_null(strstr(text, "not-this-secret"));
    free(text);
    close_plant();
}
END_TEST

/* A connection that never logged in is told of, too; every one of them. */
START_TEST(all_of_them)
{
    open_plant("");
    edge.address = "192.0.2.9";
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "a"), ADU_DENY);
    }
    await(100);
    expect(99, "stage", "pipeline");
    expect_none(99, "identity");
    ck_assert_int_lt(logged("aduana: refused publish"), 20);
    plant_pass(&plant, 100);
    ck_assert_uint_eq(plant_counters(&plant)->audit_written, 100);
    close_plant();
}
END_TEST

START_TEST(watched_and_allowed)
{
    open_plant(", 'allowed': true");
    folder_write_json(&plant.policies, "topic_policy.json",
                      "{'mode': 'watch', 'names': {'lowercase': true}}");
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/Temperatura"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/temperatura"), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/temperatura"), ADU_ALLOW);
    await(5);
    static const char *const verdicts[] = {"allowed", "would_refuse", "allowed", "allowed",
                                           "allowed"};
    for (size_t i = 0; i < 5; i++) {
        expect(i, "event", i == 0 ? "connect" : "publish");
        expect(i, "verdict", verdicts[i]);
        expect(i, "username", "linea1");
        ck_assert_int_eq(number(i, "generation"), 2);
    }
    expect(1, "stage", "topic_policy");
    expect_none(2, "reason");
    close_plant();
}
END_TEST

START_TEST(disconnects)
{
    open_plant("");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    folder_write_json(&plant.policies, "cert_auth.json", "{'identities': []}");
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    await(2);
    expect(0, "event", "disconnect-by-us");
    expect(0, "client_id", "edge-linea1");
    expect(0, "username", "linea1");
    expect_none(0, "identity");
    expect(1, "event", "alert");
    expect(1, "verdict", "raised");
    expect(1, "kind", "session_ended");
    expect(1, "client_id", "edge-linea1");
    expect(1, "stage", "rate_monitor");
    close_plant();
}
END_TEST

/* Other settings by a reload; and a reload that is refused still opens a rotated file anew. */
START_TEST(reloads)
{
    char old[sizeof path];
    struct stat st;
    open_plant("");
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "b"), ADU_DENY);
    await(1);
    snprintf(old, sizeof old, "%s", folder_file(&plant.policies, "old.log"));
    ck_assert_int_eq(rename(path, old), 0);
    folder_write(&plant.policies, "topic_policy.json", "{");
    ck_assert(!plant_reload(&plant));
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "b"), ADU_DENY);
    await(2);
    expect(0, "kind", "policy_rejected");
    expect(0, "verdict", "raised");
    expect(1, "event", "publish");
    ck_assert_int_eq(number(1, "generation"), 1);
    /* Another file. */
    folder_write(&plant.policies, "topic_policy.json", "{}");
    snprintf(path, sizeof path, "%s", folder_file(&plant.policies, "other.log"));
    write_settings(", 'queue': 100");
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "b"), ADU_DENY);
    await(2);
    expect(0, "kind", "policy_rejected");
    expect(0, "verdict", "cleared");
    ck_assert_int_eq(number(1, "generation"), 2);
    /* None any more. */
    folder_delete(&plant.policies, "aduana.json");
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "b"), ADU_DENY);
    plant_stop(&plant);
    await(2);
    ck_assert_int_eq(stat(old, &st), 0);
    plant_end(&plant);
}
END_TEST

/* What cannot be opened is said and counted, and stops nobody; unless it is required. */
START_TEST(not_there)
{
    struct adu_error error = {0};
    char text[ADU_ERROR_TEXT + 64];
    open_plant("");
    snprintf(path, sizeof path, "%s", folder_file(&plant.policies, "none/audit.log"));
    write_settings("");
    ck_assert(plant_reload(&plant));
    ck_assert_int_eq(plant_ask(&plant, &scada, ADU_PUBLISH, "b"), ADU_DENY);
    for (int i = 0; i < 10000 && plant_counters(&plant)->audit_failed == 0; i++) {
        usleep(2000);
        plant_pass(&plant, 100);
    }
    ck_assert_uint_gt(plant_counters(&plant)->audit_failed, 0);
    ck_assert_int_eq(logged("aduana: audit log file:"), 1);
    ck_assert_int_eq(logged("No such file or directory; 1 lines wait"), 1);
    write_settings(", 'required': true");
    ck_assert(!plant_reload(&plant));
    ck_assert_int_eq(logged("and the audit log is required"), 1);
    plant_stop(&plant);
    ck_assert(!plant_attach(&plant, ADU_STAGE_ACL, &error));
    ck_assert_ptr_nonnull(strstr(adu_error_format(&error, text, sizeof text),
                                 "aduana.json:1:18: audit.to: No such file or directory"));
    close_plant();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pipeline_audit");
    suite_add(s, requests);
    suite_add(s, connects);
    suite_add(s, all_of_them);
    suite_add(s, watched_and_allowed);
    suite_add(s, disconnects);
    suite_add(s, reloads);
    suite_add(s, not_there);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
