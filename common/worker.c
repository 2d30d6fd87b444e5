#include "common/worker.h"
#include "common/thread.h"
#include <stdatomic.h>
#include <stdlib.h>

struct queue {
    struct adu_job *first, **last;
};

struct adu_worker {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop;
    struct queue submitted, finished;
    atomic_bool any_finished; /* spares drain the lock on every turn of the broker's loop */
};

static void push(struct queue *q, struct adu_job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

static struct adu_job *pop(struct queue *q)
{
    struct adu_job *job = q->first;
    if (job != NULL && (q->first = job->next) == NULL) {
        q->last = &q->first;
    }
    return job;
}

struct adu_worker *adu_worker_new(void)
{
    struct adu_worker *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    if (pthread_mutex_init(&w->lock, NULL) != 0) {
        free(w);
        return NULL;
    }
    if (pthread_cond_init(&w->wake, NULL) != 0) {
        pthread_mutex_destroy(&w->lock);
        free(w);
        return NULL;
    }
    w->submitted.last = &w->submitted.first;
    w->finished.last = &w->finished.first;
    return w;
}

static void *work(void *thing)
{
    struct adu_worker *w = thing;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct adu_job *job = pop(&w->submitted);
        if (job == NULL && w->stop) {
            break;
        }
        if (job == NULL) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        job->run(job);
        pthread_mutex_lock(&w->lock);
        push(&w->finished, job);
        atomic_store(&w->any_finished, true);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static bool start(struct adu_worker *w)
{
    w->running = adu_thread_start(&w->thread, work, w);
    return w->running;
}

bool adu_worker_submit(struct adu_worker *worker, struct adu_job *job)
{
    if (!worker->running && !start(worker)) {
        return false;
    }
    pthread_mutex_lock(&worker->lock);
    push(&worker->submitted, job);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    return true;
}

void adu_worker_drain(struct adu_worker *worker)
{
    while (atomic_load_explicit(&worker->any_finished, memory_order_relaxed)) {
        pthread_mutex_lock(&worker->lock);
        struct adu_job *job = pop(&worker->finished);
        atomic_store(&worker->any_finished, worker->finished.first != NULL);
        pthread_mutex_unlock(&worker->lock);
        if (job != NULL) {
            job->done(job);
        }
    }
}

void adu_worker_free(struct adu_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    if (worker->running) {
        pthread_mutex_lock(&worker->lock);
        worker->stop = true;
        pthread_cond_signal(&worker->wake);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
    }
    adu_worker_drain(worker);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
