/* The conditions of a rule: what holds when, and what is not known. */
#include "asker.h"
#include "plugins/acl/when.h"

enum { P = 1 << ADU_PUBLISH, S = 1 << ADU_SUBSCRIBE, R = 1 << ADU_RECEIVE };

static struct snippet snippet;

static const struct adu_when *when_of(const char *json, unsigned actions)
{
    snippet_open(&snippet, "acl.json", json);
    const struct adu_time_zone *zone =
        adu_time_zone_new(snippet.arena, "America/Mexico_City"); /* UTC-6, no summer time */
    ck_assert_ptr_nonnull(zone);
    return adu_when_compile(&snippet.c, snippet.root, actions, zone);
}

/* Monday 2026-11-23 08:00 in Mexico City. */
static const int64_t monday_8 = INT64_C(1795442400000);

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct ask {
    enum adu_action action;
    int qos;
    bool retain;
    uint32_t payload;
    const char *address, *group;
    int64_t after_ms; /* Monday 08:00 */
    enum adu_holds holds;
};

#define YES ADU_HOLDS
#define NO  ADU_HOLDS_NOT
#define WHO ADU_HOLDS_UNKNOWN

static const struct {
    const char *json;
    unsigned actions;
    struct ask asks[10];
} rows[] = {
    {"{'qos': {'max': 1}}",
     P,
     {{.qos = 0, .holds = YES}, {.qos = 1, .holds = YES}, {.qos = 2, .holds = NO}}},
    {"{'qos': {'min': 1}}",
     P | S,
     {{.qos = 0, .holds = NO},
      {.qos = 1, .holds = YES},
      {ADU_SUBSCRIBE, .qos = 0, .holds = NO},
      {ADU_SUBSCRIBE, .qos = 2, .holds = YES},
      {ADU_RECEIVE, .qos = 0, .holds = YES}}},
    {"{'retain': true}", P, {{.retain = true, .holds = YES}, {.retain = false, .holds = NO}}},
    {"{'retain': false}", P, {{.retain = true, .holds = NO}, {.retain = false, .holds = YES}}},
    {"{'payload_bytes': {'max': 4}}",
     P,
     {{.payload = 4, .holds = YES},
      {.payload = 5, .holds = NO},
      {.payload = UINT32_MAX, .holds = NO}}},
    {"{'payload_bytes': {'min': 1, 'max': 1}}",
     P,
     {{.payload = 0, .holds = NO}, {.payload = 1, .holds = YES}}},
    {"{'networks': ['10.1.0.0/16', 'fd00::/8']}",
     P | S | R,
     {{.address = "10.1.2.3", .holds = YES},
      {.address = "fd00::1", .holds = YES},
      {.address = "10.2.0.1", .holds = NO},
      {.address = NULL, .holds = WHO},
      {ADU_RECEIVE, .address = "10.2.0.1", .holds = NO}}},
    {"{'share_groups': ['historian', 'b']}",
     S,
     {{ADU_SUBSCRIBE, .group = "historian", .holds = YES},
      {ADU_SUBSCRIBE, .group = "b", .holds = YES},
      {ADU_SUBSCRIBE, .group = "", .holds = NO},
      {ADU_SUBSCRIBE, .group = "bb", .holds = NO},
      {ADU_RECEIVE, .holds = YES}}},
    {"{'times': [{'days': ['mon-fri'], 'from': '08:00', 'to': '16:00'}]}",
     P,
     {{.after_ms = 0, .holds = YES},
      {.after_ms = -1, .holds = NO},
      {.after_ms = 8 * HOUR - 1, .holds = YES},
      {.after_ms = 8 * HOUR, .holds = NO},
      {.after_ms = 4 * (int64_t)DAY, .holds = YES},
      {.after_ms = 5 * (int64_t)DAY, .holds = NO},
      {.after_ms = 6 * (int64_t)DAY, .holds = NO},
      {.after_ms = 7 * (int64_t)DAY, .holds = YES}}},
    /* past midnight: a window belongs to the day it begins on; this one goes round the end of the
       week */
    {"{'times': [{'days': ['sun'], 'from': '22:00', 'to': '08:01'}]}",
     P,
     {{.after_ms = 0, .holds = YES},
      {.after_ms = MINUTE, .holds = NO},
      {.after_ms = -10 * HOUR, .holds = YES},
      {.after_ms = -10 * HOUR - 1, .holds = NO},
      {.after_ms = DAY, .holds = NO}}},
    {"{'times': [{'days': ['fri-mon']}]}",
     P,
     {{.after_ms = 0, .holds = YES},
      {.after_ms = DAY, .holds = NO},
      {.after_ms = 4 * (int64_t)DAY, .holds = YES}}},
    {"{'times': [{'from': '07:30', 'to': '08:00'}, {'days': ['mon'], 'to': '09:00'}]}",
     P,
     {{.after_ms = 0, .holds = YES},
      {.after_ms = -MINUTE, .holds = YES},
      {.after_ms = DAY - MINUTE, .holds = YES},
      {.after_ms = DAY, .holds = NO}}},
    {"{'times': [{'days': ['mon'], 'from': '08:00', 'to': '24:00'}]}",
     P,
     {{.after_ms = 16 * HOUR - 1, .holds = YES},
      {.after_ms = 16 * HOUR, .holds = NO},
      {.after_ms = INT64_C(1) << 50, .holds = WHO}}},
    /* all must hold, and what is known to fail fails */
    {"{'qos': {'max': 0}, 'networks': ['10.0.0.0/8'], 'times': [{'days': ['mon']}]}",
     P,
     {{.address = "10.0.0.1", .holds = YES},
      {.qos = 1, .address = "10.0.0.1", .holds = NO},
      {.qos = 1, .holds = NO},
      {.holds = WHO},
      {.after_ms = DAY, .holds = NO}}},
};

START_TEST(holds)
{
    const struct adu_when *when = when_of(rows[_i].json, rows[_i].actions);
    ck_assert_msg(when != NULL, "%s: %s", rows[_i].json, snippet_error(&snippet));
    snippet_compiled(&snippet);
    for (int i = 0; i < ROWS(rows[0].asks); i++) {
        const struct ask *ask = &rows[_i].asks[i];
        const struct adu_subject subject = {.address = adu_address_of(ask->address)};
        const struct adu_request request = {.action = ask->action,
                                            .qos = (uint8_t)ask->qos,
                                            .retain = ask->retain,
                                            .payload_length = ask->payload,
                                            .group =
                                                adu_text_of(ask->group != NULL ? ask->group : ""),
                                            .wall_ms = monday_8 + ask->after_ms,
                                            .subject = &subject};
        if (i > 0 && memcmp(ask, &(struct ask){0}, sizeof *ask) == 0) {
            break;
        }
        ck_assert_msg(adu_when_holds(when, &request) == ask->holds, "%s: question %d",
                      rows[_i].json, i);
    }
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *json;
    unsigned actions;
    const char *error;
} bad[] = {
    {"{}", P, "no condition is given"},
    {"{'//': 'x'}", P, "no condition is given"},
    {"{'qos': {}}", P, "expected \"min\", \"max\" or both"},
    {"{'qos': {'max': 3}}", P, "qos.max"},
    {"{'qos': {'min': 2, 'max': 1}}", P, "min 2 is more than max 1"},
    {"{'qos': {'max': 1}}", P | R, "is about publish and subscribe"},
    {"{'retain': true}", P | S, "is about publish; give it a rule of its own"},
    {"{'retain': 'yes'}", P, "retain"},
    {"{'payload_bytes': {'max': 1}}", R, "is about publish"},
    {"{'payload_bytes': {'max': -1}}", P, "payload_bytes.max"},
    {"{'share_groups': ['a']}", P, "is about subscribe"},
    {"{'share_groups': []}", S, "an empty list"},
    {"{'share_groups': ['a/b']}", S, "no share group can be called that"},
    {"{'networks': []}", P, "an empty list"},
    {"{'networks': ['10.1.2.3/8']}", P,
     "networks[0]: \"10.1.2.3/8\" has bits set behind its length"},
    {"{'networks': [1]}", P, "networks[0]"},
    {"{'times': []}", P, "an empty list"},
    {"{'times': [{'days': []}]}", P, "an empty list"},
    {"{'times': [{'days': ['monday']}]}", P, "times[0].days[0]: expected a day"},
    {"{'times': [{'days': ['mon-']}]}", P, "expected a day"},
    {"{'times': [{'days': ['mon_fri']}]}", P, "expected a day"},
    {"{'times': [{'from': '8:00'}]}", P, "times[0].from: expected a time of day"},
    {"{'times': [{'from': '25:00'}]}", P, "expected a time of day"},
    {"{'times': [{'from': '08:60'}]}", P, "expected a time of day"},
    {"{'times': [{'to': '24:01'}]}", P, "expected a time of day"},
    {"{'times': [{'from': '08:00', 'to': '08:00'}]}", P, "this window has no length"},
    {"{'times': [{'from': '24:00'}]}", P, "this window has no length"},
    {"{'time': []}", P, "did you mean \"times\""},
};

START_TEST(errors)
{
    ck_assert_ptr_null(when_of(bad[_i].json, bad[_i].actions));
    ck_assert_msg(strstr(snippet_error(&snippet), bad[_i].error) != NULL, "%s: %s", bad[_i].json,
                  snippet_error(&snippet));
    ck_assert_ptr_nonnull(strstr(snippet_error(&snippet), "acl.json:1:"));
    snippet_close(&snippet);
}
END_TEST

START_TEST(times_need_a_zone)
{
    snippet_open(&snippet, "acl.json", "{'times': [{'days': ['mon']}]}");
    ck_assert_ptr_null(adu_when_compile(&snippet.c, snippet.root, P, NULL));
    ck_assert_ptr_nonnull(
        strstr(snippet_error(&snippet), "needs \"time_zone\" at the top of the file"));
    snippet_close(&snippet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("when");
    suite_add_rows(suite, holds, ROWS(rows));
    suite_add_rows(suite, errors, ROWS(bad));
    suite_add(suite, times_need_a_zone);
    return run_suite(suite);
}
