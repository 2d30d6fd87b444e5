#include "common/assertions.h"
#include "common/audit.h"
#include "common/description.h"
#include "common/file.h"
#include "common/reader.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MOST = 4096, REASON_MOST = 512, PAYLOAD_MOST = 268435455 };

/* One run over all files. */
struct run {
    const char *directory;
    struct adu_policy *policy;
    struct adu_inquiry *inquiry;
    int64_t wall_ms;
    const struct adu_assertions_watcher *watcher;
    struct adu_error *error;
    const struct adu_json *clients; /* of the file at hand; NULL: it names none */
};

/* --- what an assertion says --- */

static const char *const verdicts[] = {"allow", "deny", "watch", NULL};
enum expectation { EXPECT_ALLOW, EXPECT_DENY, EXPECT_WATCH, LEFT_TO_BROKER };

static const char *const actions[] = {
    [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive"};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

struct keys {
    const char *name, *from, *at, *why;
    const struct adu_json *as, *publish, *subscribe, *receive;
    bool connect, retain;
    long qos, payload_bytes;
    int expect;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, name, STRING),
    ADU_FIELD(struct keys, as, ANY, .required = true),
    ADU_FIELD(struct keys, connect, BOOL),
    ADU_FIELD(struct keys, publish, ANY),
    ADU_FIELD(struct keys, subscribe, ANY),
    ADU_FIELD(struct keys, receive, ANY),
    ADU_FIELD(struct keys, qos, INTEGER, .minimum = 0, .maximum = 2),
    ADU_FIELD(struct keys, retain, BOOL),
    ADU_FIELD(struct keys, payload_bytes, INTEGER, .minimum = 0, .maximum = PAYLOAD_MOST),
    ADU_FIELD(struct keys, from, STRING),
    ADU_FIELD(struct keys, at, STRING),
    ADU_FIELD(struct keys, expect, CHOICE, .required = true, .choices = verdicts),
    ADU_FIELD(struct keys, why, STRING),
    {0},
};

/* --- asking --- */

struct question {
    const struct adu_json *node; /* the assertion */
    const struct keys *keys;
    const struct adu_principal *client;
    struct adu_now now;
};

static void tell(struct run *run, const struct question *q, const char *action, const char *topic,
                 enum expectation got, const char *reason)
{
    const struct keys *keys = q->keys;
    const struct adu_assertion_result result = {
        .place = q->node->place,
        .name = keys->name,
        .client_id = adu_principal_client_id(q->client),
        .action = action,
        .topic = topic,
        .expected = verdicts[keys->expect],
        .got = got == LEFT_TO_BROKER ? "left to the broker" : verdicts[got],
        .why = keys->why,
        .reason = reason,
        .left = got == LEFT_TO_BROKER,
        .passed =
            (int)got == keys->expect && (keys->why == NULL || strstr(reason, keys->why) != NULL),
    };
    run->watcher->result(run->watcher->context, &result);
}

static void see_rule(void *context, const struct adu_rule_told *rule)
{
    const struct adu_assertions_watcher *watcher = context;
    if (rule->not_by == NULL) {
        watcher->touched(watcher->context, rule->place);
    }
}

static void hear_advice(void *context, const char *sentence)
{
    (void)context;
    (void)sentence;
}

static void ask_about(struct run *run, const struct question *q, enum adu_action action,
                      const char *topic)
{
    const struct adu_question question = {.action = action,
                                          .topic = topic,
                                          .qos = (uint8_t)q->keys->qos,
                                          .retain = q->keys->retain,
                                          .payload_length = (uint32_t)q->keys->payload_bytes};
    const struct adu_explainer rules = {
        .rule = see_rule, .advice = hear_advice, .context = (void *)run->watcher};
    struct adu_reason why = ADU_REASON_INIT;
    char reason[REASON_MOST] = "";
    const enum adu_verdict verdict = adu_inquiry_ask(run->inquiry, &question, q->now, &why);
    if (!q->client->valid) {
        snprintf(reason, sizeof reason, "%s", q->client->why);
    } else if (why.text != NULL) {
        adu_audit_reason(&why, reason, sizeof reason);
    }
    tell(run, q, actions[action], topic,
         verdict != ADU_ALLOW && verdict != ADU_ABSTAIN ? EXPECT_DENY
         : why.text != NULL                             ? EXPECT_WATCH
         : verdict == ADU_ABSTAIN                       ? LEFT_TO_BROKER
                                                        : EXPECT_ALLOW,
         reason);
    if (run->watcher->touched != NULL) {
        adu_inquiry_explain(run->inquiry, &question, q->now, &rules);
    }
}

/* "publish": a topic or a list of them. */
static bool ask_each(struct run *run, const struct question *q, enum adu_action action,
                     const struct adu_json *topics)
{
    const bool list = topics != NULL && json_is_array(topics->value);
    if (list && topics->count == 0) {
        return adu_json_error(topics, run->error, "an empty list asks nothing");
    }
    for (const struct adu_json *node = list ? topics->first : topics; node != NULL;
         node = list ? node->next : NULL) {
        const char *topic = adu_read_string(node, run->error);
        if (topic == NULL) {
            return false;
        }
        ask_about(run, q, action, topic);
    }
    return true;
}

static bool say_one(struct run *run, struct adu_description *d, const struct adu_json *node,
                    const char *key)
{
    const char *value = adu_read_string(node, run->error);
    const char *wrong = value != NULL ? adu_description_say(d, key, value) : NULL;
    if (wrong != NULL) {
        adu_json_error(node, run->error, "%s", wrong);
    }
    return value != NULL && wrong == NULL;
}

/* "as": a client, or the name of one of the file's "clients". */
static const struct adu_json *find_client(struct run *run, const struct adu_json *as)
{
    if (!json_is_string(as->value)) {
        return adu_read_is_object(as, run->error) ? as : NULL;
    }
    const struct adu_json *client =
        run->clients != NULL ? adu_json_member(run->clients, json_string_value(as->value)) : NULL;
    if (client == NULL) {
        adu_json_error(as, run->error, "this file's \"clients\" name no such one");
    }
    return client != NULL && adu_read_is_object(client, run->error) ? client : NULL;
}

static bool describe(struct run *run, const struct adu_json *as, struct adu_description *d)
{
    if ((as = find_client(run, as)) == NULL) {
        return false;
    }
    for (const struct adu_json *node = adu_read_next(as, NULL); node != NULL;
         node = adu_read_next(as, node)) {
        const bool list = json_is_array(node->value);
        for (const struct adu_json *one = list ? node->first : node; one != NULL;
             one = list ? one->next : NULL) {
            if (!say_one(run, d, one, node->key)) {
                return false;
            }
        }
    }
    return true;
}

static bool ask_all(struct run *run, struct question *q, struct adu_description *d)
{
    const struct adu_described described = adu_description_of(d);
    const struct adu_json *const topics[ACTIONS] = {[ADU_PUBLISH] = q->keys->publish,
                                                    [ADU_SUBSCRIBE] = q->keys->subscribe,
                                                    [ADU_RECEIVE] = q->keys->receive};
    q->client = adu_inquiry_client(run->inquiry, &described, q->now, NULL);
    if (q->client == NULL) {
        return adu_error_no_memory(run->error);
    }
    if (q->keys->connect) {
        tell(run, q, "connect", NULL,
             !q->client->valid                                        ? EXPECT_DENY
             : adu_policy_broker_authenticates(run->policy->presence) ? LEFT_TO_BROKER
                                                                      : EXPECT_ALLOW,
             q->client->why);
    }
    for (int action = 0; action < ACTIONS; action++) {
        if (!ask_each(run, q, (enum adu_action)action, topics[action])) {
            return false;
        }
    }
    return true;
}

static bool run_one(struct run *run, const struct adu_json *node)
{
    struct keys keys = {0};
    struct adu_description d = {0};
    struct question q = {.node = node, .keys = &keys, .now = {.wall_ms = run->wall_ms}};
    if (!adu_read_object(node, fields, &keys, run->error)) {
        return false;
    }
    if (!keys.connect && keys.publish == NULL && keys.subscribe == NULL && keys.receive == NULL) {
        return adu_json_error(node, run->error,
                              "asks nothing: expected \"publish\", \"subscribe\", \"receive\" or "
                              "\"connect\": true");
    }
    if (keys.at != NULL && !adu_moment_read(keys.at, run->policy->time_zone, &q.now.wall_ms)) {
        return adu_json_error(adu_json_member(node, "at"), run->error,
                              "expected a moment as in \"2026-11-23T08:00\"");
    }
    if (keys.from != NULL && !adu_address_of(keys.from).known) {
        return adu_json_error(adu_json_member(node, "from"), run->error, "expected an IP address");
    }
    d.address = keys.from != NULL ? strdup(keys.from) : NULL;
    const bool good = describe(run, keys.as, &d) && ask_all(run, &q, &d);
    adu_description_clear(&d);
    return good;
}

/* --- the files --- */

struct file_keys {
    const char *schema;
    const struct adu_json *clients, *tests;
};

static const struct adu_field file_fields[] = {
    {.key = "$schema", .kind = ADU_FIELD_STRING, .offset = offsetof(struct file_keys, schema)},
    ADU_FIELD(struct file_keys, clients, OBJECT),
    ADU_FIELD(struct file_keys, tests, ARRAY, .required = true),
    {0},
};

static bool run_file(struct run *run, const char *name)
{
    char path[PATH_MOST];
    struct file_keys keys = {0};
    if (snprintf(path, sizeof path, "%s/%s", run->directory, name) >= (int)sizeof path) {
        return adu_error_set(run->error, NULL, "the path %s/%s is too long", run->directory, name);
    }
    struct adu_json_document *document = adu_json_load(name, path, run->error);
    bool good = document != NULL &&
                adu_read_object(adu_json_root(document), file_fields, &keys, run->error);
    run->clients = keys.clients;
    for (const struct adu_json *node = good ? keys.tests->first : NULL; good && node != NULL;
         node = node->next) {
        good = run_one(run, node);
    }
    adu_json_free(document);
    return good;
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".json") == 0;
}

/* In the order of their names. */
static bool run_files(struct run *run)
{
    char path[PATH_MOST], name[300];
    struct dirent **entries = NULL;
    if (snprintf(path, sizeof path, "%s/tests", run->directory) >= (int)sizeof path) {
        return adu_error_set(run->error, NULL, "the path %s is too long", run->directory);
    }
    const int count = scandir(path, &entries, is_json, alphasort);
    if (count < 0) {
        return errno == ENOENT || adu_error_set(run->error, NULL, "%s: %s", path, strerror(errno));
    }
    bool good = adu_file_trusted("tests", path, run->error);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "tests/%s", entries[i]->d_name);
        good = good && run_file(run, name);
        free(entries[i]);
    }
    free(entries);
    return good;
}

bool adu_assertions_run(const char *directory, struct adu_policy *policy,
                        const struct adu_stage *const stages[ADU_STAGES], int64_t wall_ms,
                        const struct adu_assertions_watcher *watcher, struct adu_error *error)
{
    struct run run = {.directory = directory,
                      .policy = policy,
                      .inquiry = adu_inquiry_new(policy, stages),
                      .wall_ms = wall_ms,
                      .watcher = watcher,
                      .error = error};
    const bool good = run.inquiry != NULL ? run_files(&run) : adu_error_no_memory(error);
    adu_inquiry_free(run.inquiry);
    return good;
}

/* --- the gate --- */

struct gate {
    size_t asked;
    struct adu_error *error;
};

static void weigh(void *context, const struct adu_assertion_result *r)
{
    struct gate *gate = context;
    gate->asked += !r->left;
    if (!r->passed && !r->left) {
        adu_error_set(gate->error, &r->place,
                      "the assertion%s%s%s fails: %s %s%s%s: expected %s%s%s, got %s%s%s",
                      r->name != NULL ? " \"" : "", r->name != NULL ? r->name : "",
                      r->name != NULL ? "\"" : "", r->client_id, r->action,
                      r->topic != NULL ? " " : "", r->topic != NULL ? r->topic : "", r->expected,
                      r->why != NULL ? " by " : "", r->why != NULL ? r->why : "", r->got,
                      r->reason[0] != '\0' ? ": " : "", r->reason);
    }
}

bool adu_assertions_hold(const char *directory, struct adu_policy *policy,
                         const struct adu_stage *const stages[ADU_STAGES], int64_t wall_ms,
                         struct adu_error *error)
{
    struct gate gate = {.error = error};
    const struct adu_assertions_watcher watcher = {.result = weigh, .context = &gate};
    if (!adu_assertions_run(directory, policy, stages, wall_ms, &watcher, error) || error->set) {
        return false;
    }
    return gate.asked > 0 ||
           adu_error_set(error, NULL,
                         "\"gate\" is true, but no file in tests/ asserts anything "
                         "that this policy decides");
}
