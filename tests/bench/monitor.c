/* bench_monitor CPU ROUNDS: what the monitor costs: a message in its core, memory a client with a
 * million of them, and its share of the broker's loop with a hundred thousand. Writes a line for
 * each figure: its name and the number. */
#include "common/json.h"
#include "plugins/rate_monitor/rate_policy.h"
#include "tests/bench/plant.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MANY = 1000000, LOOP = 100000, NAME = 16, FEW = 8, BATCH = 32, TICK_MS = 100, TICKS = 600 };

#define ALERTS "\"alerts\": {\"topic\": \"a/${kind}/${client_id}\"}"
#define FIXED                                                                                      \
    "\"publish\": {\"max_per_second\": 1000000}, \"connections\": {\"max_per_minute\": 1000}"
#define EVERY                                                                                      \
    FIXED ", \"bytes\": {\"max_per_second\": 1000000000}, \"payload\": {\"max_bytes\": 100000},"   \
          " \"deliveries\": {\"max_per_second\": 1000}, \"refused\": {\"max_per_minute\": 1000},"  \
          " \"topics\": {\"max_distinct\": 1000}"
#define OF_CLASS(limits) "{\"classes\": [{\"name\": \"g\", \"match\": {}, " limits "}], "

static const struct {
    const char *name, *json;
} policies[] = {
    {"fixed", OF_CLASS(FIXED) ALERTS "}"},
    {"learn", OF_CLASS("\"learn\": true") ALERTS "}"},
    {"fixed_learn", OF_CLASS(FIXED ", \"learn\": true") ALERTS "}"},
    {"every", OF_CLASS(EVERY ", \"learn\": true, \"together\": {" EVERY "}") "\"broker\": {" EVERY
                                                                             "}, " ALERTS "}"},
};

enum { POLICIES = sizeof policies / sizeof policies[0] };

static struct adu_counters counters;
static char (*names)[NAME];
static struct adu_subject *subjects;

static void publish(void *context, const char *topic, const char *payload, int qos, bool retain)
{
    (void)context, (void)topic, (void)payload, (void)qos, (void)retain;
}

static void audit(void *context, const struct adu_event *event)
{
    (void)context, (void)event;
}

static const struct adu_outlet outlet = {.publish = publish, .audit = audit};

/* A monitor and its policy, which stays till the program ends. */
static struct adu_stage_call start(const char *json)
{
    struct adu_error error = {0};
    struct adu_arena *arena = adu_arena_new();
    struct adu_json_document *document =
        adu_json_parse("rate_monitor.json", json, strlen(json), &error);
    struct adu_compiler c = {.arena = arena,
                             .vocabulary = adu_vocabulary_new(arena),
                             .error = &error,
                             .directory = "/",
                             .file = "rate_monitor.json"};
    struct adu_stage_call call = {.counters = &counters,
                                  .outlet = &outlet,
                                  .generation = 1,
                                  .now_ms = 1000000,
                                  .wall_ms = INT64_C(1700000000000)};
    call.policy = document != NULL ? adu_rate_monitor_compile(&c, adu_json_root(document)) : NULL;
    call.instance = adu_rate_monitor_new();
    if (call.policy == NULL || call.instance == NULL) {
        bench_fail("%s", error.text);
    }
    adu_rate_monitor_tick(&call);
    return call;
}

static void name_all(void)
{
    names = calloc(MANY, sizeof *names);
    subjects = calloc(MANY, sizeof *subjects);
    if (names == NULL || subjects == NULL) {
        bench_fail("out of memory");
    }
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], NAME, "client%zu", i);
        subjects[i] = (struct adu_subject){.client_id = names[i], .username = "user"};
    }
}

/* As the pipeline does: each state by itself. */
static struct adu_rate_client *log_in(const struct adu_stage_call *call, size_t i)
{
    struct adu_rate_client *client = calloc(1, adu_rate_monitor_stage.client_state_size);
    if (client == NULL) {
        bench_fail("out of memory");
    }
    adu_rate_monitor_connected(call, &subjects[i], client);
    return client;
}

/* Who it is was asked at the log-in, and is not asked again. */
static void message(const struct adu_stage_call *call, struct adu_rate_client *client)
{
    static struct adu_reason why = ADU_REASON_INIT;
    static const struct adu_request request = {.action = ADU_PUBLISH,
                                               .topic = {"planta/linea1/temperatura", 25},
                                               .payload_length = 100,
                                               .attempt = true};
    if (adu_rate_monitor_count(call, &request, client, &why) != ADU_ABSTAIN) {
        bench_fail("a message was dropped");
    }
}

/* --- a message --- */

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double message_ns(const char *json, size_t rounds)
{
    enum { BATCHES = 4096 };
    struct adu_stage_call call = start(json);
    struct adu_rate_client *clients[FEW];
    double *ns = calloc(rounds * BATCHES, sizeof *ns);
    if (ns == NULL) {
        bench_fail("out of memory");
    }
    for (size_t i = 0; i < FEW; i++) {
        clients[i] = log_in(&call, i);
    }
    for (size_t batch = 0; batch < rounds * BATCHES; batch++) {
        const int64_t begun = bench_now_ns();
        for (size_t i = 0; i < BATCH; i++) {
            message(&call, clients[i % FEW]);
        }
        ns[batch] = (double)(bench_now_ns() - begun) / BATCH;
        call.now_ms++;
        call.wall_ms++;
    }
    qsort(ns, rounds * BATCHES, sizeof *ns, by_value);
    const double median = ns[rounds * BATCHES / 2];
    free(ns);
    return median;
}

/* --- many clients --- */

static double in_use(void)
{
    const struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

static struct adu_rate_client **log_in_all(const struct adu_stage_call *call, size_t count)
{
    struct adu_rate_client **clients = calloc(count, sizeof(struct adu_rate_client *));
    for (size_t i = 0; clients != NULL && i < count; i++) {
        clients[i] = log_in(call, i);
    }
    if (clients == NULL) {
        bench_fail("out of memory");
    }
    return clients;
}

static void forget_all(const struct adu_stage_call *call, struct adu_rate_client **clients,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        adu_rate_monitor_forget(call->instance, clients[i]);
        free(clients[i]);
    }
    free(clients);
    adu_rate_monitor_free(call->instance);
}

static double bytes_a_client(const char *json)
{
    const struct adu_stage_call call = start(json);
    const double before = in_use();
    struct adu_rate_client **clients = log_in_all(&call, MANY);
    for (size_t i = 0; i < MANY; i++) {
        message(&call, clients[i]);
    }
    const double bytes = (in_use() - before) / MANY - sizeof clients[0];
    forget_all(&call, clients, MANY);
    return bytes;
}

/* Of this thread: what others take from it does not count. */
static int64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Each publishes once in ten seconds. */
static void loop(const char *name, const char *json)
{
    struct adu_stage_call call = start(json);
    struct adu_rate_client **clients = log_in_all(&call, LOOP);
    double *ms = calloc(TICKS, sizeof *ms), sum = 0;
    for (size_t tick = 0; ms != NULL && tick < TICKS; tick++) {
        for (size_t i = tick % 100; i < LOOP; i += 100) {
            message(&call, clients[i]);
        }
        call.now_ms += TICK_MS;
        call.wall_ms += TICK_MS;
        const int64_t begun = cpu_ns();
        adu_rate_monitor_tick(&call);
        ms[tick] = (double)(cpu_ns() - begun) / 1e6;
        sum += ms[tick];
    }
    if (ms == NULL) {
        bench_fail("out of memory");
    }
    qsort(ms, TICKS, sizeof *ms, by_value);
    printf("%s_tick_ms %.3f\n%s_tick_p99_ms %.3f\n%s_loop_percent %.2f\n", name, ms[TICKS / 2],
           name, ms[TICKS * 99 / 100], name, sum * 100 / TICKS / TICK_MS);
    free(ms);
    forget_all(&call, clients, LOOP);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        bench_fail("usage: bench_monitor CPU ROUNDS");
    }
    bench_pin(atoi(argv[1]));
    name_all();
    for (size_t i = 0; i < POLICIES; i++) {
        printf("%s_message_ns %.1f\n", policies[i].name,
               message_ns(policies[i].json, strtoul(argv[2], NULL, 10)));
        printf("%s_client_bytes %.1f\n", policies[i].name, bytes_a_client(policies[i].json));
        loop(policies[i].name, policies[i].json);
    }
    free(subjects);
    free(names);
    return 0;
}
