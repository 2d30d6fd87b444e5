/* An alert as it goes out: JSON that any reader takes, on a topic that any broker takes, whatever a
 * client calls itself. */
#include "common/topic.h"
#include "common/utf8.h"
#include "plugins/rate_monitor/alert.h"
#include "snippet.h"

static const struct adu_place place = {.file = "rate_monitor.json", .line = 7, .column = 3};

static struct adu_alert alert_of(const char *client_id)
{
    return (struct adu_alert){.kind = "publish_rate",
                              .raised = true,
                              .client_id = client_id,
                              .username = "linea1",
                              .class_name = "gateways",
                              .value = 61.25,
                              .limit = 50,
                              .since_ms = INT64_C(1700000000123),
                              .time_ms = INT64_C(1700000001000),
                              .rule = &place,
                              .text = "publishes more than max_per_second of its class"};
}

/* The alert, read by another's eyes; fails the test if it is no JSON object on one line. */
static json_t *read_back(const struct adu_alert *alert)
{
    json_error_t error;
    char *text = adu_alert_json(alert);
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strpbrk(text, "\r\n") == NULL && adu_utf8_valid(text, strlen(text)), "%s", text);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json_is_object(object), "%s: %s", error.text, text);
    free(text);
    return object;
}

static void expect(const struct adu_alert *alert, const char *expected)
{
    json_error_t error;
    char *text = json_of(expected);
    json_t *said = read_back(alert), *wanted = json_loads(text, 0, &error);
    char *dump = json_dumps(said, JSON_COMPACT);
    ck_assert_msg(wanted != NULL, "%s", error.text);
    ck_assert_msg(json_equal(said, wanted), "%s", dump);
    free(dump);
    free(text);
    json_decref(said);
    json_decref(wanted);
}

START_TEST(what_an_alert_says)
{
    struct adu_alert alert = alert_of("edge-linea1");
    expect(&alert, "{'kind': 'publish_rate', 'state': 'raised', 'severity': 'warning',"
                   "'client_id': 'edge-linea1', 'username': 'linea1', 'class': 'gateways',"
                   "'value': 61.3, 'limit': 50, 'rule': 'rate_monitor.json:7',"
                   "'since': '2023-11-14T22:13:20.123Z', 'time': '2023-11-14T22:13:21.000Z',"
                   "'text': 'publishes more than max_per_second of its class',"
                   "'more': 'aduana sessions'}");
    alert.raised = false;
    alert.value = 0;
    alert.username = alert.class_name = NULL;
    alert.rule = NULL;
    expect(&alert, "{'kind': 'publish_rate', 'state': 'cleared', 'severity': 'warning',"
                   "'client_id': 'edge-linea1', 'value': 0.0, 'limit': 50,"
                   "'since': '2023-11-14T22:13:20.123Z', 'time': '2023-11-14T22:13:21.000Z',"
                   "'text': 'publishes more than max_per_second of its class',"
                   "'more': 'aduana sessions'}");
    alert = (struct adu_alert){
        .kind = "policy_rejected", .raised = true, .text = "acl.json:7:12: \"a\": unknown key"};
    expect(&alert, "{'kind': 'policy_rejected', 'state': 'raised', 'severity': 'warning',"
                   "'since': '1970-01-01T00:00:00.000Z', 'time': '1970-01-01T00:00:00.000Z',"
                   "'text': 'acl.json:7:12: \\'a\\': unknown key', 'more': 'aduana status'}");
}
END_TEST

/* --- names that clients give themselves ---------------------------------------------------------
 */

static const struct {
    const char *client_id, *level;
} hostile[] = {
    {"edge-linea1", "edge-linea1"},
    {"with space", "with space"},
    {"\"", "\""},
    {"\\", "\\"},
    {"\\\"}{\"state\":\"cleared\"", "\\\"}{\"state\":\"cleared\""},
    {"a\",\"client_id\":\"b", "a\",\"client_id\":\"b"},
    {"\x01\x1f\x7f\t\r\n", "______"},
    {"a\nb", "a_b"},
    {"a/b", "a_b"},
    {"/", "_"},
    {"+", "_"},
    {"#", "_"},
    {"a/+/#", "a____"}, /* one level, never a wildcard */
    {"../../x", ".._.._x"},
    {"$SYS", "$SYS"},
    {"${kind}", "${kind}"},
    {"${", "${"},
    {"%s%n%d", "%s%n%d"},
    {"</script>", "<_script>"},
    {"l\xc3\xadnea\xc3\xb1", "l\xc3\xadnea\xc3\xb1"},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},                 /* beyond the basic plane */
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},                 /* U+10FFFF */
    {"\xe2\x80\xa8\xe2\x80\xae", "\xe2\x80\xa8\xe2\x80\xae"}, /* line separator, right to left */
    {"", "broker"},
};

static const char *topic_of(const char *template_text, const struct adu_alert *alert, size_t size)
{
    static char topic[1024];
    char json[256], filter[1024];
    struct snippet s;
    snprintf(json, sizeof json, "['%s']", template_text);
    snippet_open(&s, "rate_monitor.json", json);
    const struct adu_template *t =
        adu_template_compile(&s.c, template_text, s.root->first, adu_alert_names);
    ck_assert_msg(t != NULL, "%s", snippet_error(&s));
    snippet_compiled(&s);
    const bool made = adu_alert_topic(t, alert, topic, size);
    if (made) { /* always within the bundle's own topics, which no client may publish to */
        ck_assert(adu_topic_name_valid(adu_text_of(topic)));
        ck_assert(adu_template_replace(t, "+", filter, sizeof filter));
        ck_assert(adu_topic_pattern_matches(adu_topic_pattern_of(s.arena, filter),
                                            adu_text_of(topic), NULL));
    }
    snippet_close(&s);
    return made ? topic : NULL;
}

START_TEST(hostile_client_ids)
{
    char expected[256];
    struct adu_alert alert = alert_of(hostile[_i].client_id);
    json_t *object = read_back(&alert);
    ck_assert_str_eq(json_string_value(json_object_get(object, "client_id")),
                     hostile[_i].client_id);
    ck_assert_str_eq(json_string_value(json_object_get(object, "state")), "raised");
    ck_assert_uint_eq(json_object_size(object), 13);
    json_decref(object);
    snprintf(expected, sizeof expected, "planta/_sys/alertas/publish_rate/%s", hostile[_i].level);
    ck_assert_str_eq(topic_of("planta/_sys/alertas/${kind}/${client_id}", &alert, 1024), expected);
    /* The others are made a level in the same way. */
    alert = alert_of("c");
    alert.username = alert.class_name = hostile[_i].client_id;
    snprintf(expected, sizeof expected, "a/%s/%s/c", hostile[_i].level, hostile[_i].level);
    ck_assert_str_eq(topic_of("a/${username}/${class}/${client_id}", &alert, 1024), expected);
    json_decref(read_back(&alert));
}
END_TEST

/* A level has at most 255 bytes, and is not cut within a character. */
START_TEST(long_client_ids)
{
    static const char *const letters[] = {"a", "\xc3\xb1", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};
    char client_id[1100];
    for (size_t before = 0; before < 4; before++) {
        memset(client_id, 'x', before);
        client_id[before] = '\0';
        while (strlen(client_id) < 1024) {
            strcat(client_id, letters[_i]);
        }
        const struct adu_alert alert = alert_of(client_id);
        const char *topic = topic_of("t/${client_id}", &alert, 1024);
        ck_assert_ptr_nonnull(topic);
        ck_assert_uint_le(strlen(topic + 2), 255);
        ck_assert_uint_gt(strlen(topic + 2), 251);
        ck_assert_int_eq(strncmp(topic + 2, client_id, strlen(topic + 2)), 0);
        json_t *object = read_back(&alert);
        ck_assert_str_eq(json_string_value(json_object_get(object, "client_id")), client_id);
        json_decref(object);
    }
}
END_TEST

START_TEST(topics)
{
    struct adu_alert alert = {.kind = "policy_rejected", .raised = true, .text = "x"};
    ck_assert_str_eq(topic_of("a/${kind}/${client_id}", &alert, 1024), "a/policy_rejected/broker");
    ck_assert_str_eq(topic_of("a/${username}/${class}", &alert, 1024), "a/broker/broker");
    ck_assert_str_eq(topic_of("a/b", &alert, 1024), "a/b");
    /* What does not fit is not sent anywhere. */
    alert.client_id = "0123456789";
    ck_assert_str_eq(topic_of("a/${client_id}", &alert, 13), "a/0123456789");
    ck_assert_ptr_null(topic_of("a/${client_id}", &alert, 12));
}
END_TEST

/* Bytes that are no text never make the JSON one that cannot be read. */
START_TEST(bytes_that_are_no_text)
{
    static const char *const bytes[] = {"\xff", "cut \xc3", "\xed\xa0\x80", "\xc0\x80"};
    for (int i = 0; i < ROWS(bytes); i++) {
        struct adu_alert alert = alert_of(bytes[i]);
        alert.text = bytes[i];
        json_t *object = read_back(&alert);
        ck_assert_str_eq(json_string_value(json_object_get(object, "kind")), "publish_rate");
        json_decref(object);
    }
}
END_TEST

/* --- time and numbers ---------------------------------------------------------------------------
 */

static const struct {
    int64_t ms;
    const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1, "1970-01-01T00:00:00.001Z"},
    {999, "1970-01-01T00:00:00.999Z"},
    {INT64_C(951825599999), "2000-02-29T11:59:59.999Z"},
    {INT64_C(1709251199010), "2024-02-29T23:59:59.010Z"},
    {INT64_C(1735689600000), "2025-01-01T00:00:00.000Z"},
    {INT64_C(2147483648000), "2038-01-19T03:14:08.000Z"},
    {INT64_C(4294967296500), "2106-02-07T06:28:16.500Z"},
    {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
};

START_TEST(time_is_rfc3339_in_utc)
{
    ck_assert_int_eq(setenv("TZ", "Asia/Tokyo", 1), 0); /* whatever the machine's zone */
    struct adu_alert alert = alert_of("c");
    alert.since_ms = alert.time_ms = times[_i].ms;
    json_t *object = read_back(&alert);
    ck_assert_str_eq(json_string_value(json_object_get(object, "since")), times[_i].text);
    ck_assert_str_eq(json_string_value(json_object_get(object, "time")), times[_i].text);
    json_decref(object);
}
END_TEST

START_TEST(times_out_of_reach)
{
    static const int64_t ms[] = {-1, INT64_MIN, INT64_MAX};
    for (int i = 0; i < ROWS(ms); i++) {
        struct adu_alert alert = alert_of("c");
        alert.since_ms = alert.time_ms = ms[i];
        json_decref(read_back(&alert));
    }
}
END_TEST

static const struct {
    double value, rounded;
} numbers[] = {{0, 0},
               {50.04, 50},
               {50.05000001, 50.1},
               {0.96, 1},
               {1e6, 1e6},
               {8589934590.0, 8589934590.0},
               {4294967295.26, 4294967295.3}};

START_TEST(values_have_one_decimal)
{
    struct adu_alert alert = alert_of("c");
    alert.value = numbers[_i].value;
    json_t *object = read_back(&alert);
    ck_assert_double_eq_tol(json_real_value(json_object_get(object, "value")), numbers[_i].rounded,
                            1e-6);
    json_decref(object);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alert");
    suite_add(suite, what_an_alert_says);
    suite_add_rows(suite, hostile_client_ids, ROWS(hostile));
    suite_add_rows(suite, long_client_ids, 4);
    suite_add(suite, topics);
    suite_add(suite, bytes_that_are_no_text);
    suite_add_rows(suite, time_is_rfc3339_in_utc, ROWS(times));
    suite_add(suite, times_out_of_reach);
    suite_add_rows(suite, values_have_one_decimal, ROWS(numbers));
    return run_suite(suite);
}
