/* Threads for what may wait: files, the network, dear computations. Jobs begin in the order they
 * came; each one's result is handed back on the broker's thread, in TICK. */
#ifndef ADUANA_COMMON_WORKER_H
#define ADUANA_COMMON_WORKER_H

#include "common/api.h"
#include "common/histogram.h"
#include <stdbool.h>
#include <stddef.h>

struct adu_worker;

/* What workers are for; each kind is measured by itself. */
#define ADU_WORKER_QUEUES(X) X(pipeline) X(directory) X(passwords) X(crl) X(ocsp)

enum adu_worker_queue {
#define X(name) ADU_QUEUE_##name,
    ADU_WORKER_QUEUES(X)
#undef X
        ADU_QUEUES
};

/* Owned by whoever submits it until `done` has run; embed it in the job's own struct. */
struct adu_job {
    void (*run)(struct adu_job *job);  /* on the worker */
    void (*done)(struct adu_job *job); /* on the thread that drains; may free the job */
    bool left_out;                     /* it has not run, and will not: see adu_worker_stop */
    int64_t submitted_ns, begun_ns;    /* the worker's */
    struct adu_job *next;
};

/* The thread starts with the first job: a broker that turns into a daemon after loading its plugins
 * would lose it. NULL when memory is gone. */
ADU_API struct adu_worker *adu_worker_new(void);

/* The same with as many threads as there is work for, at most `threads`, and at most `most` jobs
 * waiting to begin (0: any number). */
ADU_API struct adu_worker *adu_worker_new_crew(unsigned threads, size_t most);

/* What its jobs are measured as; without it as the pipeline's. Before the first. NULL-safe. */
ADU_API void adu_worker_measure(struct adu_worker *worker, enum adu_worker_queue queue);

/* false if no thread can be had or too many jobs wait; then nothing is kept and the caller must do
 * without. */
ADU_API bool adu_worker_submit(struct adu_worker *worker, struct adu_job *job);

/* Calls `done` of the jobs that have run. Cheap when there are none. One thread. */
ADU_API void adu_worker_drain(struct adu_worker *worker);

/* Waits until there is something to drain, at most `ms`. false if there is nothing then. */
ADU_API bool adu_worker_wait(struct adu_worker *worker, long ms);

/* Jobs that have not begun will not run: they are `left_out` when they are drained. */
ADU_API void adu_worker_stop(struct adu_worker *worker);

/* What all workers of the process of one kind have to do, and have done. */
struct adu_worker_load {
    uint64_t waiting, running, done;
    struct adu_histogram wait; /* how long jobs that were drained had waited for a thread */
};

/* One for each kind. Of the thread that drains; waits for nobody, so the numbers may be of moments
 * that are not quite the same. */
ADU_API void adu_worker_load(struct adu_worker_load load[ADU_QUEUES]);

/* Lets every submitted job run, ends the threads, drains, frees. NULL-safe. */
ADU_API void adu_worker_free(struct adu_worker *worker);

#endif
