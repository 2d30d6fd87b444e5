/* One thread for what may wait: files, and later the network. Jobs run in the order they came; each
 * one's result is handed back on the broker's thread, in TICK. */
#ifndef ADUANA_COMMON_WORKER_H
#define ADUANA_COMMON_WORKER_H

#include "common/api.h"
#include <stdbool.h>

struct adu_worker;

/* Owned by whoever submits it until `done` has run; embed it in the job's own struct. */
struct adu_job {
    void (*run)(struct adu_job *job);  /* on the worker */
    void (*done)(struct adu_job *job); /* on the thread that drains; may free the job */
    struct adu_job *next;
};

/* The thread starts with the first job: a broker that turns into a daemon after loading its plugins
 * would lose it. NULL when memory is gone. */
ADU_API struct adu_worker *adu_worker_new(void);

/* false if the thread cannot be had; then nothing is kept and the caller must do without. */
ADU_API bool adu_worker_submit(struct adu_worker *worker, struct adu_job *job);

/* Calls `done` of the jobs that have run. Cheap when there are none. One thread. */
ADU_API void adu_worker_drain(struct adu_worker *worker);

/* Lets every submitted job run, ends the thread, drains, frees. NULL-safe. */
ADU_API void adu_worker_free(struct adu_worker *worker);

#endif
