/* A decision as a line of JSON: whatever a client calls itself, it stays one line that any reader
 * of JSON understands. */
#include "common/audit_record.h"
#include "runner.h"
#include <jansson.h>
#include <string.h>

static char line[ADU_AUDIT_JSON];

/* The line of a record, checked for what holds of each: whole, short enough, one line, JSON. */
static json_t *parsed(const struct adu_audit_record *record, uint64_t left_out)
{
    memset(line, 'X', sizeof line);
    const size_t length = adu_audit_record_line(record, left_out, line);
    ck_assert_uint_lt(length, sizeof line);
    ck_assert_uint_eq(strlen(line), length);
    ck_assert_uint_eq(strcspn(line, "\n"), length - 1);
    for (size_t i = 0; i + 1 < length; i++) {
        ck_assert_msg((unsigned char)line[i] >= 0x20 && line[i] != 0x7f, "control in %s", line);
    }
    json_error_t error;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(object != NULL, "%s: %s", error.text, line);
    return object;
}

static const char *string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const struct adu_place rule = {.file = "acl.json", .line = 12, .column = 3};
static const struct adu_subject edge = {.client_id = "edge-linea1", .username = "linea1"};

static struct adu_audit_record of_request(const char *topic, const char *group,
                                          const struct adu_reason *why)
{
    struct adu_audit_record record;
    const struct adu_request request = {.action = ADU_SUBSCRIBE,
                                        .topic = adu_text_of(topic),
                                        .group = adu_text_of(group),
                                        .qos = 1,
                                        .retain = true,
                                        .payload_length = 12,
                                        .subject = &edge};
    memset(&record, 'X', sizeof record);
    adu_audit_record_begin(&record, ADU_AUDIT_SUBSCRIBE, ADU_AUDIT_REFUSED, 1795454645007, 7);
    adu_audit_record_request(&record, &request);
    if (why != NULL) {
        adu_audit_record_reason(&record, why);
    }
    return record;
}

START_TEST(a_request)
{
    const struct adu_reason why = {.stage = "acl",
                                   .text = "denied by the rule",
                                   .rule = &rule,
                                   .rule_name = "no orders",
                                   .level = 2,
                                   .level_text = {.bytes = "linea2/x", .length = 6},
                                   .limit = 64,
                                   .detail = "no orders"};
    struct adu_audit_record record = of_request("planta/#", "", &why);
    adu_audit_record_text(&record, ADU_AUDIT_TEXT_ADDRESS, "10.1.2.3");
    adu_audit_record_text(&record, ADU_AUDIT_TEXT_IDENTITY, "edge gateway");
    json_decref(parsed(&record, 3));
    ck_assert_str_eq(
        line, "{\"time\":\"2026-11-23T17:24:05.007Z\",\"event\":\"subscribe\","
              "\"verdict\":\"refused\",\"client_id\":\"edge-linea1\",\"username\":\"linea1\","
              "\"address\":\"10.1.2.3\",\"identity\":\"edge gateway\",\"action\":\"subscribe\","
              "\"topic\":\"planta/#\",\"qos\":1,\"retain\":true,\"payload_bytes\":12,"
              "\"stage\":\"acl\",\"reason\":\"denied by the rule \\\"no orders\\\" (limit 64) "
              "(level 2 \\\"linea2\\\")\",\"rule\":\"no orders\",\"place\":\"acl.json:12\","
              "\"generation\":7,\"suppressed\":3}\n");
}
END_TEST

/* What there is nothing to say of has no key. */
START_TEST(as_little_as_can_be)
{
    struct adu_audit_record record;
    memset(&record, 'X', sizeof record);
    adu_audit_record_begin(&record, ADU_AUDIT_CONNECT, ADU_AUDIT_ALLOWED, 0, 1);
    json_decref(parsed(&record, 0));
    ck_assert_str_eq(line, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"connect\","
                           "\"verdict\":\"allowed\",\"generation\":1,\"suppressed\":0}\n");
    const struct adu_reason why = ADU_REASON_INIT;
    adu_audit_record_reason(&record, &why);
    json_decref(parsed(&record, INT64_MAX));
    ck_assert_ptr_nonnull(strstr(line, "\"stage\":\"pipeline\",\"reason\":\"refused\","));
    ck_assert_ptr_nonnull(strstr(line, "\"suppressed\":9223372036854775807}"));
}
END_TEST

START_TEST(names_of_events)
{
    static const char *const events[] = {"connect", "publish",          "subscribe", "receive",
                                         "will",    "disconnect-by-us", "alert"};
    static const char *const verdicts[] = {"refused", "would_refuse", "allowed", "raised",
                                           "cleared"};
    struct adu_audit_record record;
    for (int verdict = 0; verdict < ROWS(verdicts); verdict++) {
        adu_audit_record_begin(&record, (enum adu_audit_event)_i, (enum adu_audit_verdict)verdict,
                               1, 1);
        json_t *object = parsed(&record, 0);
        ck_assert_pstr_eq(string(object, "event"), events[_i]);
        ck_assert_pstr_eq(string(object, "verdict"), verdicts[verdict]);
        json_decref(object);
    }
}
END_TEST

START_TEST(a_shared_subscription)
{
    struct adu_audit_record record = of_request("planta/#", "grupo", NULL);
    json_t *object = parsed(&record, 0);
    ck_assert_pstr_eq(string(object, "topic"), "$share/grupo/planta/#");
    json_decref(object);
}
END_TEST

/* What a client may call itself: its text in the line, and how a reader of JSON sees it. */
static const struct {
    const char *name, *json, *read;
} names[] = {
    {"", "", ""},
    {"l\xc3\xadnea \xf0\x9f\x8c\xa1", "l\xc3\xadnea \xf0\x9f\x8c\xa1",
     "l\xc3\xadnea \xf0\x9f\x8c\xa1"},
    {"a\",\"verdict\":\"allowed", "a\\\",\\\"verdict\\\":\\\"allowed", "a\",\"verdict\":\"allowed"},
    {"a\\", "a\\\\", "a\\"},
    {"a\\n", "a\\\\n", "a\\n"},
    {"a\nb\r\t", "a\\u000ab\\u000d\\u0009", "a\nb\r\t"},
    {"\x01\x1b[2J\x7f", "\\u0001\\u001b[2J\\u007f", "\x01\x1b[2J\x7f"},
    {"\xc2\x85\xc2\x9b", "\\u0085\\u009b", "\xc2\x85\xc2\x9b"},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029", "\xe2\x80\xa8\xe2\x80\xa9"},
    {"a\xe2\x80\xae"
     "b\xe2\x81\xa6",
     "a\\u202eb\\u2066",
     "a\xe2\x80\xae"
     "b\xe2\x81\xa6"},
    {"\xef\xbb\xbf\xe2\x80\x8b", "\\ufeff\\u200b", "\xef\xbb\xbf\xe2\x80\x8b"},
    {"\xff", "\\ufffd", "\xef\xbf\xbd"},
    {"a\xc3", "a\\ufffd", "a\xef\xbf\xbd"},
    {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xc0\xaf", "\\ufffd\\ufffd", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"a...", "a...", "a..."},
};

START_TEST(names_of_clients)
{
    struct adu_audit_record record;
    char wanted[128];
    adu_audit_record_begin(&record, ADU_AUDIT_CONNECT, ADU_AUDIT_REFUSED, 1, 1);
    adu_audit_record_text(&record, ADU_AUDIT_TEXT_CLIENT_ID, names[_i].name);
    json_t *object = parsed(&record, 0);
    ck_assert_pstr_eq(string(object, "client_id"), names[_i].read);
    ck_assert_ptr_null(json_object_get(object, "client_id_bytes"));
    snprintf(wanted, sizeof wanted, "\"client_id\":\"%s\",", names[_i].json);
    ck_assert_msg(strstr(line, wanted) != NULL, "%s is not in %s", wanted, line);
    json_decref(object);
}
END_TEST

/* What is long is cut between characters, and its length stands beside it. */
START_TEST(long_names)
{
    struct adu_audit_record record;
    char name[1025];
    for (size_t length = 120; length < sizeof name; length++) {
        memset(name, 'a', sizeof name);
        if (length >= 129) {
            memcpy(name + 126, "\xe2\x82\xac", 3); /* stands across the cut */
        }
        name[length] = '\0';
        const size_t whole = strlen(name);
        adu_audit_record_begin(&record, ADU_AUDIT_CONNECT, ADU_AUDIT_REFUSED, 1, 1);
        adu_audit_record_text(&record, ADU_AUDIT_TEXT_CLIENT_ID, name);
        json_t *object = parsed(&record, 0);
        const char *shown = string(object, "client_id");
        const json_t *bytes = json_object_get(object, "client_id_bytes");
        if (whole <= 128) {
            ck_assert_ptr_null(bytes);
        } else {
            ck_assert_int_eq(json_integer_value(bytes), (json_int_t)whole);
            ck_assert_uint_eq(strlen(shown), 126 + 3);
            ck_assert_str_eq(shown + 126, "...");
            ck_assert_ptr_null(strstr(line, "ufffd"));
        }
        json_decref(object);
    }
}
END_TEST

/* The longest line there is: every text too long, and all escapes. */
START_TEST(the_longest_line)
{
    static const char *const bad[] = {"\xff", "\n", "\"", "\xe2\x80\xae", "a", "\xf0\x9f\x8c\xa1"};
    static char text[65536];
    const size_t size = strlen(bad[_i]);
    for (size_t at = 0; at + size < sizeof text; at += size) {
        memcpy(text + at, bad[_i], size);
    }
    const struct adu_place place = {.file = text, .line = 4000000000u};
    struct adu_reason why = {.stage = "topic_policy",
                             .text = text,
                             .rule = &place,
                             .rule_name = text,
                             .level = 4000000000u,
                             .level_text = {.bytes = text, .length = 65535},
                             .limit = 1000000000000};
    memcpy(why.detail, text, sizeof why.detail - 1);
    struct adu_audit_record record = of_request(text, text, &why);
    record.wall_ms = 253402300799999;
    record.generation = (unsigned long)INT64_MAX;
    record.payload_length = ~0U;
    for (int i = 0; i < ADU_AUDIT_TEXT_COUNT; i++) {
        adu_audit_record_text(&record, (enum adu_audit_text)i, text);
    }
    json_t *object = parsed(&record, INT64_MAX);
    ck_assert_ptr_nonnull(json_object_get(object, "reason"));
    ck_assert_ptr_nonnull(json_object_get(object, "place"));
    ck_assert_ptr_nonnull(json_object_get(object, "topic_bytes"));
    json_decref(object);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("audit_record");
    suite_add(s, a_request);
    suite_add(s, as_little_as_can_be);
    suite_add_rows(s, names_of_events, 7);
    suite_add(s, a_shared_subscription);
    suite_add_rows(s, names_of_clients, ROWS(names));
    suite_add(s, long_names);
    suite_add_rows(s, the_longest_line, 6);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
