/* What is remarkable in a policy that loads: found where it is certain, and nowhere else. */
#include "common/policy.h"
#include "folder.h"
#include "plugins/acl/acl.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"
#include "runner.h"
#include <stdio.h>
#include <string.h>

static const struct adu_stage *const stages[ADU_STAGES] = {
    [ADU_STAGE_RATE_MONITOR] = &adu_rate_monitor_stage,
    [ADU_STAGE_TOPIC_POLICY] = &adu_topic_policy_stage,
    [ADU_STAGE_ACL] = &adu_acl_stage,
};

static const char names[] =
    "{'names': {'lowercase': true}, 'depth': {'min': 2, 'max': 4}, 'exempt': ['$SYS/#', 'Spb/#']}";
static const char rates[] = "{'classes': [], 'alerts': {'topic': 'planta/alertas/${kind}'}}";

/* Everything found, as "line:column code; ". */
static const char *found(const char *acl, const char *topic_policy, const char *rate_monitor)
{
    static char text[2048];
    struct folder folder;
    struct adu_error error = {0};
    struct adu_findings *findings = adu_findings_new();
    folder_make(&folder);
    folder_write_json(&folder, "acl.json", acl);
    folder_write_json(&folder, "topic_policy.json", topic_policy);
    folder_write_json(&folder, "rate_monitor.json", rate_monitor);
    struct adu_policy *policy = adu_policy_load(folder.path, stages, findings, &error);
    ck_assert_msg(policy != NULL, "%s:%u:%u: %s", error.file, error.line, error.column, error.text);
    size_t used = 0;
    text[0] = '\0';
    for (const struct adu_finding *f = adu_findings_first(findings); f != NULL; f = f->next) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s:%u:%u %s; ", f->place.file,
                                 f->place.line, f->place.column, f->code);
    }
    adu_policy_free(policy);
    adu_findings_free(findings);
    folder_remove(&folder);
    return text;
}

/* A role r that everybody has, with these rules. */
static const char *found_in(const char *rules)
{
    char acl[1024];
    snprintf(acl, sizeof acl,
             "{'roles': {'b': {'allow': [{'publish': ['base/+']}], 'deny': [{'publish': "
             "['base/x/#']}]},\n'r': {'includes': ['b'],\n%s}},\n'bindings': [{'match': {}, "
             "'roles': ['r']}]}",
             rules);
    return found(acl, "{'names': {'lowercase': false}}", rates);
}

static const struct {
    const char *rules, *found;
} rows[] = {
    /* Nothing. */
    {"'allow': [{'publish': ['a/b', 'a/+', '+/b/#', 'a/${username}/x']}]",
     "acl.json:3:24 shadowed-rule; "},
    {"'allow': [{'publish': ['a/b', 'a/c']}, {'subscribe': ['a/b']}]", ""},
    {"'allow': [{'publish': ['a/b']}], 'deny': [{'publish': ['a/b/c']}]", ""},
    /* The same twice, and a part of another. */
    {"'allow': [{'publish': ['a/b']},\n{'publish': ['a/b']}]", "acl.json:4:14 shadowed-rule; "},
    {"'allow': [{'publish': ['a/b/c']},\n{'publish': ['a/#']}]", "acl.json:3:24 shadowed-rule; "},
    {"'allow': [{'publish': ['a/${username}/c']},\n{'publish': ['a/+/c']}]",
     "acl.json:3:24 shadowed-rule; "},
    {"'allow': [{'publish': ['a/${username}/c']},\n{'publish': ['a/${username}/#']}]",
     "acl.json:3:24 shadowed-rule; "},
    {"'allow': [{'publish': ['a/${username}/c']},\n{'publish': ['a/${client_id}/#']}]", ""},
    {"'allow': [{'publish': ['a/+/c']},\n{'publish': ['a/${username}/#']}]", ""},
    {"'deny': [{'publish': ['a/b']},\n{'publish': ['a/+']}]", "acl.json:3:23 shadowed-rule; "},
    {"'allow': [{'publish': ['$SYS/a']}, {'publish': ['+/a']}]", ""},
    /* Of another action; subscribe grants receive, but not the other way round. */
    {"'allow': [{'subscribe': ['a/#']},\n{'receive': ['a/b']}]", "acl.json:4:14 shadowed-rule; "},
    {"'allow': [{'receive': ['a/#']},\n{'subscribe': ['a/b']}]", ""},
    {"'allow': [{'publish': ['a/#']},\n{'receive': ['a/b']}]", ""},
    /* Under conditions. */
    {"'allow': [{'publish': ['a/#'], 'when': {'retain': true}},\n{'publish': ['a/b']}]", ""},
    {"'allow': [{'publish': ['a/#']},\n{'publish': ['a/b'], 'when': {'retain': true}}]",
     "acl.json:4:14 shadowed-rule; "},
    {"'allow': [{'publish': ['a/#', 'a/b'], 'when': {'retain': true}}]",
     "acl.json:3:31 shadowed-rule; "},
    {"'allow': [{'publish': ['a/b'], 'when': {'retain': true}},\n{'publish': ['a/b'], 'when': "
     "{'retain': false}}]",
     ""},
    /* Denied in any case. */
    {"'allow': [{'publish': ['a/b/c']}], 'deny': [{'publish': ['a/#']}]",
     "acl.json:3:24 denied-anyway; "},
    {"'allow': [{'subscribe': ['a/b/c']}], 'deny': [{'receive': ['a/#']}]", ""},
    {"'allow': [{'publish': ['a/b/c']}], 'deny': [{'publish': ['a/#'], 'when': {'retain': true}}]",
     ""},
    {"'allow': [{'publish': ['a/b/c']}], 'deny': [{'publish': ['a/#'], 'mode': 'watch'}]", ""},
    {"'deny': [{'publish': ['a/#'], 'mode': 'watch'}, {'publish': ['a/b']}]", ""},
    {"'deny': [{'publish': ['a/#']}, {'publish': ['a/b'], 'mode': 'watch'}]",
     "acl.json:3:45 shadowed-rule; "},
    /* By a role that is included. */
    {"'allow': [{'publish': ['base/y']}]", "acl.json:3:24 shadowed-rule; "},
    {"'allow': [{'publish': ['base/x/y/z']}]", "acl.json:3:24 denied-anyway; "},
    /* Too much. */
    {"'allow': [{'publish': ['#']}]", "acl.json:3:24 grants-everything; "},
    {"'allow': [{'subscribe': ['+/#']}]", "acl.json:3:26 grants-everything; "},
    {"'allow': [{'subscribe': ['#'], 'when': {'qos': {'max': 0}}}]", ""},
    {"'deny': [{'subscribe': ['#', '$SYS/#']}]", ""},
    {"'allow': [{'subscribe': ['a/#', '$SYS/#']}]", ""},
};

START_TEST(rules)
{
    ck_assert_msg(strcmp(found_in(rows[_i].rules), rows[_i].found) == 0, "%s\nfound %s",
                  rows[_i].rules, found_in(rows[_i].rules));
}
END_TEST

static const struct {
    const char *topic;
    bool never;
} illegal[] = {
    {"planta/a", false},
    {"planta/A", true},
    {"planta/+/A/#", true},
    {"planta", true},
    {"planta/#", false},
    {"a/b/c/d/e", true},
    {"a/b/c/d/e/#", true},
    {"a/b/c/d/#", false},
    {"a/${username}/+", false},
    {"a//b", true},
    /* Trees that are exempt, and what may meet them. */
    {"Spb/A", false},
    {"$SYS/broker/X", false},
    {"+/A/#", false},
    {"Spc/A", true},
    {"$SYSX/A", true},
};

/* A role that everybody has, with that one rule. */
static const char *found_of(const char *effect, const char *action, const char *topic,
                            const char *topic_policy)
{
    char acl[512];
    snprintf(acl, sizeof acl,
             "{'roles': {'r': {'%s': [{'%s': ['%s']}]}}, 'bindings': [{'match': {}, 'roles': "
             "['r']}]}",
             effect, action, topic);
    return found(acl, topic_policy, rates);
}

START_TEST(topics_that_cannot_be)
{
    const char *topic = illegal[_i].topic;
    const bool never = illegal[_i].never;
    ck_assert_int_eq(found_of("allow", "publish", topic, names)[0] != '\0', never);
    ck_assert_int_eq(found_of("deny", "subscribe", topic, names)[0] != '\0', never);
    if (never) {
        ck_assert_str_eq(found_of("allow", "publish", topic, names),
                         "acl.json:1:41 never-matches; ");
    }
    /* What is only received may be called anything, and names that are only watched are none. */
    ck_assert_str_eq(found_of("allow", "receive", topic, names), "");
    ck_assert_str_eq(found_of("allow", "publish", topic,
                              "{'mode': 'watch', 'names': {'lowercase': true}, 'depth': {'min': 2, "
                              "'max': 4}}"),
                     "");
}
END_TEST

static const char nothing[] = "{'roles': {'r': {}}, 'bindings': [{'match': {}, 'roles': ['r']}]}";

START_TEST(alerts_that_nobody_may_read)
{
    ck_assert_str_eq(found(nothing, names, rates), "");
    ck_assert_str_eq(
        found(nothing, names, "{'classes': [], 'alerts': {'topic': 'Planta/${kind}'}}"),
        "rate_monitor.json:1:37 unreadable-topic; ");
    ck_assert_str_eq(
        found(nothing, names,
              "{'classes': [], 'alerts': {'topic': 'a/${kind}'}, 'counters': {'topic': "
              "'contadores'}}"),
        "rate_monitor.json:1:73 unreadable-topic; ");
}
END_TEST

START_TEST(roles_that_nobody_has)
{
    ck_assert_str_eq(found("{'roles': {'a': {}, 'b': {'includes': ['c']}, 'c': {}}}", names, rates),
                     "acl.json:1:12 unused-role; acl.json:1:21 unused-role; ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acl_findings");
    suite_add_rows(suite, rules, ROWS(rows));
    suite_add_rows(suite, topics_that_cannot_be, ROWS(illegal));
    suite_add(suite, alerts_that_nobody_may_read);
    suite_add(suite, roles_that_nobody_has);
    return run_suite(suite);
}
