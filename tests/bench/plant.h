/* A plant for the benches: a pipeline with all five stages and thousands of clients logged in, and
 * no broker. Ends the program with a message when something cannot be made. */
#ifndef ADUANA_BENCH_PLANT_H
#define ADUANA_BENCH_PLANT_H

#include "common/pipeline.h"

/* A client, and what acl sees of it. Where it lies in memory is its handle. */
struct bench_client {
    char name[40];
    const struct adu_subject *subject; /* since its log-in; until the next reload */
};

struct bench_plant {
    struct adu_pipeline *pipeline;
    const void *acl; /* what acl.json was compiled to, for its stage's decide */
    struct bench_client *clients;
    size_t client_count;
    struct adu_now now;
};

/* The plugins' own, but that acl's also tells the plant who logs in. */
const struct adu_stage *bench_stage(int kind);

/* Loads FOLDER/policies into a pipeline of that name, for generate.py's core(). */
void bench_plant_start(struct bench_plant *plant, const char *folder, const char *name);

/* Logs in the first `count` of its clients. */
void bench_plant_log_in(struct bench_plant *plant, size_t count);

/* The client of that name, as generate.py calls it. */
const struct bench_client *bench_plant_client(const struct bench_plant *plant, const char *name);

void bench_plant_stop(struct bench_plant *plant);

/* Writes the message, printf-like, and ends the program with status 1. */
_Noreturn void bench_fail(const char *format, ...) ADU_PRINTF(1, 2);

/* Nanoseconds of a clock that needs no system call. */
int64_t bench_now_ns(void);

/* This thread stays on one processor. */
void bench_pin(int cpu);

#endif
