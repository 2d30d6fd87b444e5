#include "tests/bench/plant.h"
#include "plugins/acl/acl.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void bench_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        perror("sched_setaffinity");
    }
}

/* --- a broker that answers nothing --- */

static void host_log(enum adu_log_level level, const char *line)
{
    if (level <= ADU_LOG_WARNING && getenv("BENCH_LOG") != NULL) {
        fprintf(stderr, "%s\n", line);
    }
}

static void host_publish(void *context, const char *topic, const char *payload, int qos,
                         bool retain)
{
    (void)context, (void)topic, (void)payload, (void)qos, (void)retain;
}

static void host_kick(const char *client_id, bool with_will)
{
    (void)with_will;
    bench_fail("%s is to be kicked", client_id);
}

static const char *host_username(const void *handle)
{
    return ((const struct bench_client *)handle)->name;
}

static const char *host_address(const void *handle)
{
    (void)handle;
    return "10.1.2.3";
}

static bool host_has_certificate(const void *handle)
{
    (void)handle;
    return false;
}

static const struct adu_host host = {
    .log = host_log,
    .publish = host_publish,
    .kick = host_kick,
    .username = host_username,
    .address = host_address,
    .has_certificate = host_has_certificate,
};

/* --- the stages --- */

static struct {
    const void *acl;
    const struct adu_subject *subject;
} seen; /* of the last log-in */

/* acl's own stage has nothing to do here: this one remembers for whom it will be asked. */
static void acl_connected(const struct adu_stage_call *call, const struct adu_subject *subject,
                          void *client_state)
{
    (void)client_state;
    seen.acl = call->policy;
    seen.subject = subject;
}

const struct adu_stage *bench_stage(int kind)
{
    static struct adu_stage acl;
    static const struct adu_stage *const stages[ADU_STAGES] = {
        [ADU_STAGE_CERT_AUTH] = &adu_cert_auth_stage,
        [ADU_STAGE_IAM_AUTH] = &adu_iam_auth_stage,
        [ADU_STAGE_RATE_MONITOR] = &adu_rate_monitor_stage,
        [ADU_STAGE_TOPIC_POLICY] = &adu_topic_policy_stage,
        [ADU_STAGE_ACL] = &acl,
    };
    acl = adu_acl_stage;
    acl.connected = acl_connected;
    return stages[kind];
}

/* --- the plant --- */

void bench_plant_start(struct bench_plant *plant, const char *folder, const char *name)
{
    char policies[4096];
    snprintf(policies, sizeof policies, "%s/policies", folder);
    const struct adu_options options = {.pipeline = name, .policy_dir = policies};
    *plant = (struct bench_plant){.now = {.mono_ms = 1000000, .wall_ms = INT64_C(1700000000000)}};
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        char text[1024];
        unsigned order;
        plant->pipeline = adu_pipeline_attach(bench_stage(kind), &options, &host, &order, &error);
        if (plant->pipeline == NULL) {
            bench_fail("%s: %s", folder, adu_error_format(&error, text, sizeof text));
        }
    }
    adu_pipeline_tick(plant->pipeline, plant->now, true);
}

void bench_plant_log_in(struct bench_plant *plant, size_t count)
{
    plant->clients = calloc(count, sizeof *plant->clients);
    plant->client_count = count;
    for (size_t i = 0; plant->clients != NULL && i < count; i++) {
        struct bench_client *client = &plant->clients[i];
        char username[ADU_USERNAME_MOST + 1];
        snprintf(client->name, sizeof client->name, "cliente%05zu", i);
        const struct adu_connect connect = {.handle = client,
                                            .client_id = client->name,
                                            .username = client->name,
                                            .password = "bench",
                                            .address = "10.1.2.3"};
        if (adu_pipeline_login(plant->pipeline, &connect, plant->now, username) != ADU_ALLOW) {
            bench_fail("%s is not let in", client->name);
        }
        client->subject = seen.subject;
    }
    if (plant->clients == NULL) {
        bench_fail("out of memory");
    }
    plant->acl = seen.acl;
}

const struct bench_client *bench_plant_client(const struct bench_plant *plant, const char *name)
{
    const size_t number = strlen(name) > 7 ? strtoul(name + 7, NULL, 10) : SIZE_MAX;
    if (number >= plant->client_count || strcmp(plant->clients[number].name, name) != 0) {
        bench_fail("no client %s", name);
    }
    return &plant->clients[number];
}

void bench_plant_stop(struct bench_plant *plant)
{
    for (int kind = ADU_STAGES - 1; kind >= 0; kind--) {
        adu_pipeline_detach(plant->pipeline, bench_stage(kind));
    }
    free(plant->clients);
}
