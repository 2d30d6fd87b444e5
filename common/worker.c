#include "common/worker.h"
#include "common/thread.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Of all workers. */
static struct {
    atomic_uint_least64_t waiting, running, done;
    struct adu_histogram wait; /* of whoever drains */
} measured[ADU_QUEUES];

struct queue {
    struct adu_job *first, **last;
};

struct adu_worker {
    pthread_mutex_t lock;
    pthread_cond_t wake, told; /* there is work; some has been done */
    pthread_t *threads;
    unsigned most_threads, running, idle;
    bool stop;
    struct queue submitted, finished;
    enum adu_worker_queue kind;
    size_t most, waiting;     /* of those submitted */
    atomic_bool any_finished; /* spares drain the lock on every turn of the broker's loop */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

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

static bool init(struct adu_worker *w)
{
    pthread_condattr_t by_clock;
    if (pthread_mutex_init(&w->lock, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&w->wake, NULL) != 0) {
        pthread_mutex_destroy(&w->lock);
        return false;
    }
    pthread_condattr_init(&by_clock);
    pthread_condattr_setclock(&by_clock, CLOCK_MONOTONIC);
    const bool good = pthread_cond_init(&w->told, &by_clock) == 0;
    pthread_condattr_destroy(&by_clock);
    if (!good) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
    }
    return good;
}

struct adu_worker *adu_worker_new_crew(unsigned threads, size_t most)
{
    struct adu_worker *w = calloc(1, sizeof *w);
    if (w == NULL || (w->threads = calloc(threads, sizeof *w->threads)) == NULL || !init(w)) {
        free(w != NULL ? w->threads : NULL);
        free(w);
        return NULL;
    }
    w->most_threads = threads;
    w->most = most;
    w->submitted.last = &w->submitted.first;
    w->finished.last = &w->finished.first;
    return w;
}

struct adu_worker *adu_worker_new(void)
{
    return adu_worker_new_crew(1, 0);
}

void adu_worker_measure(struct adu_worker *worker, enum adu_worker_queue queue)
{
    if (worker != NULL) {
        worker->kind = queue;
    }
}

static void finish(struct adu_worker *w, struct adu_job *job)
{
    push(&w->finished, job);
    atomic_store(&w->any_finished, true);
    pthread_cond_signal(&w->told);
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
            w->idle++;
            pthread_cond_wait(&w->wake, &w->lock);
            w->idle--;
            continue;
        }
        w->waiting--;
        pthread_mutex_unlock(&w->lock);
        atomic_fetch_add(&measured[w->kind].running, 1);
        atomic_fetch_sub(&measured[w->kind].waiting, 1);
        job->begun_ns = now_ns();
        job->run(job);
        atomic_fetch_add(&measured[w->kind].done, 1);
        atomic_fetch_sub(&measured[w->kind].running, 1);
        pthread_mutex_lock(&w->lock);
        finish(w, job);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* One more thread where those that wait for work are fewer than the jobs that wait for a thread. */
static bool is_staffed(struct adu_worker *w)
{
    if (w->waiting >= w->idle && w->running < w->most_threads &&
        adu_thread_start(&w->threads[w->running], work, w)) {
        w->running++;
    }
    return w->running > 0;
}

bool adu_worker_submit(struct adu_worker *worker, struct adu_job *job)
{
    pthread_mutex_lock(&worker->lock);
    const bool taken = !worker->stop && (worker->most == 0 || worker->waiting < worker->most) &&
                       is_staffed(worker);
    if (taken) {
        job->left_out = false;
        job->submitted_ns = now_ns();
        push(&worker->submitted, job);
        worker->waiting++;
        atomic_fetch_add(&measured[worker->kind].waiting, 1);
        pthread_cond_signal(&worker->wake);
    }
    pthread_mutex_unlock(&worker->lock);
    return taken;
}

bool adu_worker_wait(struct adu_worker *worker, long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&worker->lock);
    int rc = 0;
    while (worker->finished.first == NULL && rc == 0) {
        rc = pthread_cond_timedwait(&worker->told, &worker->lock, &until);
    }
    const bool any = worker->finished.first != NULL;
    pthread_mutex_unlock(&worker->lock);
    return any;
}

void adu_worker_stop(struct adu_worker *worker)
{
    struct adu_job *job;
    pthread_mutex_lock(&worker->lock);
    while ((job = pop(&worker->submitted)) != NULL) {
        worker->waiting--;
        atomic_fetch_sub(&measured[worker->kind].waiting, 1);
        job->left_out = true;
        finish(worker, job);
    }
    pthread_mutex_unlock(&worker->lock);
}

void adu_worker_load(struct adu_worker_load load[ADU_QUEUES])
{
    for (int kind = 0; kind < ADU_QUEUES; kind++) {
        load[kind] = (struct adu_worker_load){.waiting = atomic_load(&measured[kind].waiting),
                                              .running = atomic_load(&measured[kind].running),
                                              .done = atomic_load(&measured[kind].done),
                                              .wait = measured[kind].wait};
    }
}

void adu_worker_drain(struct adu_worker *worker)
{
    while (atomic_load_explicit(&worker->any_finished, memory_order_relaxed)) {
        pthread_mutex_lock(&worker->lock);
        struct adu_job *job = pop(&worker->finished);
        atomic_store(&worker->any_finished, worker->finished.first != NULL);
        pthread_mutex_unlock(&worker->lock);
        if (job != NULL && !job->left_out) {
            adu_histogram_add(&measured[worker->kind].wait, job->begun_ns - job->submitted_ns);
        }
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
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_broadcast(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    for (unsigned i = 0; i < worker->running; i++) {
        pthread_join(worker->threads[i], NULL);
    }
    adu_worker_drain(worker);
    pthread_cond_destroy(&worker->told);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker->threads);
    free(worker);
}
