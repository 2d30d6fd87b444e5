/* bench_loading ROUNDS FOLDER CLIENTS: what a generation costs until it decides, and what it takes.
 * FOLDER is one of generate.py's core(). With CLIENTS logged in, the pipeline reloads; what the
 * tick takes that swaps the generation is told, and the longest of the ticks after it, which judge
 * the clients anew. Writes `name value` a line; times in ms, of the thread that works. */
#include "common/arena.h"
#include "common/policy.h"
#include "tests/bench/plant.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MOST = 1000, RELOAD_MS = 60000 };

struct figure {
    const char *name;
    double values[ROUNDS_MOST];
    size_t count;
};

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void note(struct figure *figure, double value)
{
    if (figure->count < ROUNDS_MOST) {
        figure->values[figure->count++] = value;
    }
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void tell(struct figure *figure)
{
    qsort(figure->values, figure->count, sizeof *figure->values, by_value);
    printf("%s %.6f\n%s_least %.6f\n", figure->name, figure->values[figure->count / 2],
           figure->name, figure->values[0]);
}

static size_t heap_bytes(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* "VmRSS:", or the most there was, "VmHWM:". */
static long status_bytes(const char *name)
{
    char line[256];
    long kilobytes = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kilobytes = strtol(line + strlen(name), NULL, 10);
        }
    }
    if (file == NULL || kilobytes < 0) {
        bench_fail("no %s in /proc/self/status", name);
    }
    fclose(file);
    return kilobytes * 1024;
}

static struct adu_policy *load(const char *directory)
{
    const struct adu_stage *stages[ADU_STAGES];
    struct adu_error error = {0};
    char text[1024];
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        stages[kind] = bench_stage(kind);
    }
    struct adu_policy *policy = adu_policy_load(directory, stages, NULL, &error);
    if (policy == NULL) {
        bench_fail("%s: %s", directory, adu_error_format(&error, text, sizeof text));
    }
    return policy;
}

static void bench_load(const char *directory, size_t rounds)
{
    struct figure loaded = {.name = "load_ms"}, parsed = {.name = "parse_ms"};
    struct figure freed = {.name = "free_ms"};
    char path[4200];
    snprintf(path, sizeof path, "%s/acl.json", directory);
    const long resident = status_bytes("VmRSS:");
    for (size_t i = 0; i < rounds; i++) {
        struct adu_error error = {0};
        double start = cpu_ms();
        struct adu_json_document *document = adu_json_load("acl.json", path, &error);
        note(&parsed, cpu_ms() - start);
        adu_json_free(document);
        start = cpu_ms();
        struct adu_policy *policy = load(directory);
        note(&loaded, cpu_ms() - start);
        start = cpu_ms();
        adu_policy_free(policy);
        note(&freed, cpu_ms() - start);
    }
    printf("peak_bytes %ld\n", status_bytes("VmHWM:") - resident);
    const size_t before = heap_bytes();
    struct adu_policy *policy = load(directory);
    printf("arena_bytes %zu\nheap_bytes %zu\n", adu_arena_size(policy->arena),
           heap_bytes() - before);
    adu_policy_free(policy);
    tell(&loaded);
    tell(&parsed);
    tell(&freed);
}

static double timed_tick(struct bench_plant *plant)
{
    plant->now.mono_ms += 100;
    plant->now.wall_ms += 100;
    const double start = cpu_ms();
    adu_pipeline_tick(plant->pipeline, plant->now, true);
    return cpu_ms() - start;
}

/* Ticks until the fresh generation is in; what that tick took. */
static double swap(struct bench_plant *plant)
{
    const struct adu_counters *counters = adu_pipeline_counters(plant->pipeline);
    const uint64_t before = counters->policies_loaded;
    adu_pipeline_reload(plant->pipeline, plant->now);
    for (int i = 0; i < RELOAD_MS; i++) {
        const double took = timed_tick(plant);
        if (counters->policies_loaded > before) {
            return took;
        }
        usleep(1000);
    }
    bench_fail("the policy was not loaded again");
}

static void bench_swap(const char *folder, size_t rounds, size_t clients)
{
    struct figure swaps = {.name = "swap_ms"}, sweeps = {.name = "sweep_ms"};
    struct bench_plant plant;
    bench_plant_start(&plant, folder, "swap");
    bench_plant_log_in(&plant, clients);
    for (size_t i = 0; i < rounds; i++) {
        note(&swaps, swap(&plant));
        double most = 0;
        for (size_t judged = 0; judged <= clients; judged += 100) {
            const double took = timed_tick(&plant);
            most = took > most ? took : most;
        }
        note(&sweeps, most);
    }
    bench_plant_stop(&plant);
    tell(&swaps);
    tell(&sweeps);
}

int main(int argc, char **argv)
{
    char directory[4096];
    if (argc != 4) {
        bench_fail("usage: bench_loading ROUNDS FOLDER CLIENTS");
    }
    const size_t rounds = strtoul(argv[1], NULL, 10);
    snprintf(directory, sizeof directory, "%s/policies", argv[2]);
    bench_load(directory, rounds);
    bench_swap(argv[2], rounds, strtoul(argv[3], NULL, 10));
    return EXIT_SUCCESS;
}
