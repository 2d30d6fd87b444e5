/* A rate monitor without a broker: its clients, its clock, and what it publishes. For the one
 * program that includes it: it keeps its state in variables. */
#ifndef ADUANA_TESTS_MONITOR_H
#define ADUANA_TESTS_MONITOR_H

#include "asker.h"
#include "common/metrics.h"
#include "plugins/rate_monitor/rate_monitor.h"

/* Ten publishes a second, over after five seconds; three connections a minute, over after ten. */
#define ALERTS "'alerts': {'topic': 'planta/_sys/alertas/${kind}/${client_id}'}"
#define CLASSES                                                                                    \
    "'classes': ["                                                                                 \
    "{'name': 'gateways', 'match': {'role': 'edge'},"                                              \
    " 'publish': {'max_per_second': 10, 'clear_seconds': 5},"                                      \
    " 'connections': {'max_per_minute': 3, 'clear_seconds': 10}},"                                 \
    "{'name': 'sala', 'match': {'zona': 'sur'}, 'publish': {'max_per_second': 2}},"                \
    "{'name': 'mudos', 'match': {'role': 'mudo'}},"                                                \
    "{'name': 'resto', 'match': {'role': 'op'}, 'publish': {'max_per_second': 20}}]"
#define POLICY "{" CLASSES ", " ALERTS "}"
#define WITH_COUNTERS                                                                              \
    "{'classes': [], " ALERTS                                                                      \
    ", 'counters': {'topic': 'planta/_sys/contadores', 'every_seconds': 10}}"

enum { SECOND = 1000, TICK = 100, MESSAGES = 4096, START = 1000 * SECOND };

static struct snippet snippet;
static struct adu_counters counters;
static struct adu_outlet outlet;
static struct adu_stage_call call;

/* What the bundle has published: "topic qos retain payload". */
static struct {
    char topic[128];
    char payload[2048];
    int qos;
    bool retain;
} messages[MESSAGES];
static int message_count;

static inline void collect(void *context, const char *topic, const char *payload, int qos,
                           bool retain)
{
    ck_assert_ptr_eq(context, &messages);
    ck_assert_int_lt(message_count, MESSAGES);
    snprintf(messages[message_count].topic, sizeof messages[0].topic, "%s", topic);
    snprintf(messages[message_count].payload, sizeof messages[0].payload, "%s", payload);
    messages[message_count].qos = qos;
    messages[message_count++].retain = retain;
}

static int audited; /* lines of the audit log */

static inline void collect_audit(void *context, const struct adu_event *event)
{
    ck_assert_ptr_eq(context, &messages);
    ck_assert_ptr_nonnull(event->kind);
    audited++;
}

static char logged[1024]; /* the last line */
static int log_lines;

static inline void collect_log(void *context, enum adu_log_level level, const char *text)
{
    ck_assert_ptr_eq(context, &messages);
    ck_assert_int_eq(level, ADU_LOG_NOTICE);
    snprintf(logged, sizeof logged, "%s", text);
    log_lines++;
}

static int disconnected; /* clients */

static inline bool collect_disconnect(void *context, const char *client_id, const char *username,
                                      const struct adu_reason *why)
{
    ck_assert_ptr_eq(context, &messages);
    ck_assert_ptr_nonnull(client_id);
    ck_assert_str_eq(username, "user");
    ck_assert_ptr_nonnull(why->rule);
    disconnected++;
    return true;
}

static struct adu_metrics measured; /* but for the counters */

static inline const struct adu_metrics *measure(void *context)
{
    ck_assert_ptr_eq(context, &messages);
    measured.counters = counters;
    return &measured;
}

static inline void load(const char *json)
{
    snippet_open(&snippet, "rate_monitor.json", json);
    call.policy = adu_rate_monitor_compile(&snippet.c, snippet.root);
    ck_assert_msg(call.policy != NULL, "%s", snippet_error(&snippet));
    call.generation++;
    snippet_compiled(&snippet);
}

static inline void begin(const char *json)
{
    message_count = audited = log_lines = disconnected = 0;
    counters = (struct adu_counters){0};
    measured = (struct adu_metrics){0};
    outlet = (struct adu_outlet){.publish = collect,
                                 .measured = measure,
                                 .audit = collect_audit,
                                 .log = collect_log,
                                 .disconnect = collect_disconnect,
                                 .context = &messages};
    call = (struct adu_stage_call){.instance = adu_rate_monitor_new(),
                                   .counters = &counters,
                                   .outlet = &outlet,
                                   .now_ms = START,
                                   .wall_ms = INT64_C(1700000000000)};
    load(json);
}

static inline void end(void)
{
    adu_rate_monitor_free(call.instance);
    snippet_close(&snippet);
}

static inline void pass(int64_t ms)
{
    call.now_ms += ms;
    call.wall_ms += ms;
}

/* As the broker does: a tick each hundred milliseconds. */
static inline void tick_for(int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= TICK) {
        pass(TICK);
        adu_rate_monitor_tick(&call);
    }
}

struct client {
    struct asker asker;
    struct adu_rate_client state;
};

static inline void client_make(struct client *c, const char *id, const char *attributes,
                               const char *roles)
{
    memset(c, 0, sizeof *c);
    asker_make(&c->asker, snippet.vocabulary, attributes, roles);
    c->asker.subject.client_id = id;
}

static inline void client_free(struct client *c)
{
    adu_rate_monitor_forget(call.instance, &c->state);
    asker_free(&c->asker);
}

static inline enum adu_verdict asks(struct client *c, enum adu_action action, const char *topic,
                                    bool attempt, struct adu_reason *why)
{
    const struct adu_request request = {.action = action,
                                        .topic = adu_text_of(topic),
                                        .subject = &c->asker.subject,
                                        .now_ms = call.now_ms,
                                        .attempt = attempt};
    *why = (struct adu_reason)ADU_REASON_INIT;
    if (adu_rate_monitor_count(&call, &request, &c->state, why) == ADU_DENY) {
        return ADU_DENY;
    }
    return adu_rate_monitor_decide(call.policy, &request, why);
}

static inline void publishes(struct client *c, int times)
{
    struct adu_reason why;
    for (int i = 0; i < times; i++) {
        ck_assert_int_eq(asks(c, ADU_PUBLISH, "planta/a/b", true, &why), ADU_ABSTAIN);
    }
}

static inline void connects(struct client *c)
{
    adu_rate_monitor_connected(&call, &c->asker.subject, &c->state);
}

/* "raised gateways 11.0/10 rate_monitor.json:1" of a message about a client. */
static inline const char *said(int message)
{
    static char text[256];
    ck_assert_int_lt(message, message_count);
    json_t *o = json_loads(messages[message].payload, 0, NULL);
    const char *class = json_string_value(json_object_get(o, "class"));
    const char *rule = json_string_value(json_object_get(o, "rule"));
    snprintf(text, sizeof text, "%s %s %.1f/%d %s", json_string_value(json_object_get(o, "state")),
             class != NULL ? class : "-", json_real_value(json_object_get(o, "value")),
             (int)json_integer_value(json_object_get(o, "limit")), rule != NULL ? rule : "-");
    json_decref(o);
    return text;
}

static inline const char *member(int message, const char *key)
{
    static char text[256];
    json_t *o = json_loads(messages[message].payload, 0, NULL);
    const char *value = json_string_value(json_object_get(o, key));
    snprintf(text, sizeof text, "%s", value != NULL ? value : "-");
    json_decref(o);
    return text;
}

#endif
