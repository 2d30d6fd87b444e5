/* One thread for what may wait: in order, handed back on the thread that drains, nothing lost. */
#include "common/worker.h"
#include "runner.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct task {
    struct adu_job job; /* first: a task is its job */
    int number;
    pthread_t ran_on;
    sem_t *hold;              /* `run` waits for it */
    struct adu_worker *again; /* `done` submits itself once more */
};

static char done_order[4096];
static int ran, done_count;

static void run(struct adu_job *job)
{
    struct task *t = (struct task *)job;
    if (t->hold != NULL) {
        while (sem_wait(t->hold) != 0) {
        }
    }
    t->ran_on = pthread_self();
    ran++; /* on one thread at a time */
}

static void done(struct adu_job *job)
{
    struct task *t = (struct task *)job;
    char text[16];
    snprintf(text, sizeof text, "%d ", t->number);
    strcat(done_order, text);
    done_count++;
    ck_assert(!pthread_equal(t->ran_on, pthread_self()));
    if (t->again != NULL) {
        struct adu_worker *worker = t->again;
        t->again = NULL;
        ck_assert(adu_worker_submit(worker, job));
        return;
    }
    free(t);
}

static struct task *submit(struct adu_worker *worker, int number, sem_t *hold)
{
    struct task *t = calloc(1, sizeof *t);
    *t = (struct task){.job = {.run = run, .done = done}, .number = number, .hold = hold};
    ck_assert(adu_worker_submit(worker, &t->job));
    return t;
}

/* Bounded by Check's own timeout. */
static void drain_until(struct adu_worker *worker, int count)
{
    while (done_count < count) {
        adu_worker_drain(worker);
        sched_yield();
    }
}

static struct adu_worker *start(void)
{
    ran = done_count = 0;
    done_order[0] = '\0';
    struct adu_worker *worker = adu_worker_new();
    ck_assert_ptr_nonnull(worker);
    return worker;
}

START_TEST(in_order)
{
    struct adu_worker *worker = start();
    char expected[4096] = "";
    for (int i = 0; i < 500; i++) {
        snprintf(expected + strlen(expected), 16, "%d ", i);
        submit(worker, i, NULL);
    }
    drain_until(worker, 500);
    ck_assert_str_eq(done_order, expected);
    adu_worker_free(worker);
    ck_assert_int_eq(ran, 500);
}
END_TEST

START_TEST(nothing_is_done_but_by_drain)
{
    struct adu_worker *worker = start();
    sem_t hold;
    sem_init(&hold, 0, 0);
    submit(worker, 1, NULL);
    submit(worker, 2, &hold);
    adu_worker_drain(worker); /* the second is running: this does not wait for it */
    ck_assert_int_le(done_count, 1);
    drain_until(worker, 1);
    ck_assert_str_eq(done_order, "1 ");
    sem_post(&hold);
    drain_until(worker, 2);
    ck_assert_str_eq(done_order, "1 2 ");
    adu_worker_drain(worker);
    adu_worker_free(worker);
    sem_destroy(&hold);
}
END_TEST

/* What was submitted runs, and is told of, before the end. */
START_TEST(the_end_waits_for_all)
{
    struct adu_worker *worker = start();
    sem_t hold;
    sem_init(&hold, 0, 0);
    submit(worker, 1, &hold);
    for (int i = 2; i <= 50; i++) {
        submit(worker, i, NULL);
    }
    sem_post(&hold);
    adu_worker_free(worker);
    ck_assert_int_eq(ran, 50);
    ck_assert_int_eq(done_count, 50);
    sem_destroy(&hold);
}
END_TEST

START_TEST(done_may_submit)
{
    struct adu_worker *worker = start();
    sem_t hold;
    sem_init(&hold, 0, 0);
    struct task *t = submit(worker, 1, &hold);
    t->again = worker;
    sem_post(&hold);
    sem_post(&hold);
    drain_until(worker, 2);
    ck_assert_str_eq(done_order, "1 1 ");
    adu_worker_free(worker);
    sem_destroy(&hold);
}
END_TEST

static int threads(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    int count = -1;
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "Threads: %d", &count);
    }
    if (status != NULL) {
        fclose(status);
    }
    return count;
}

/* A broker becomes a daemon after loading its plugins: until there is work there is no thread. */
START_TEST(idle)
{
    const int before = threads();
    struct adu_worker *worker = start();
    adu_worker_drain(worker);
    ck_assert_int_eq(threads(), before);
    adu_worker_free(worker);
    adu_worker_free(NULL);
}
END_TEST

static sigset_t mask_seen;

static void see_mask(struct adu_job *job)
{
    pthread_sigmask(SIG_SETMASK, NULL, &mask_seen);
    ((struct task *)job)->ran_on = pthread_self();
}

/* The broker's signals are the broker's, and its mask is as it was. */
START_TEST(signals)
{
    static const int theirs[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE};
    struct adu_worker *worker = start();
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct task *t = calloc(1, sizeof *t);
    *t = (struct task){.job = {.run = see_mask, .done = done}};
    ck_assert(adu_worker_submit(worker, &t->job));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    adu_worker_free(worker);
    for (int i = 0; i < ROWS(theirs); i++) {
        ck_assert_msg(sigismember(&mask_seen, theirs[i]) == 1, "signal %d", theirs[i]);
        ck_assert_int_eq(sigismember(&after, theirs[i]), sigismember(&before, theirs[i]));
    }
}
END_TEST

/* --- several threads ----------------------------------------------------------------------------
 */

/* Each waits for the other: one thread alone would never end. */
static sem_t meeting[2];

static void meet(struct adu_job *job)
{
    const int mine = ((struct task *)job)->number;
    sem_post(&meeting[mine]);
    while (sem_wait(&meeting[1 - mine]) != 0) {
    }
    ((struct task *)job)->ran_on = pthread_self();
}

START_TEST(a_crew_works_at_the_same_time)
{
    done_count = 0;
    struct adu_worker *crew = adu_worker_new_crew(2, 0);
    for (int i = 0; i < 2; i++) {
        sem_init(&meeting[i], 0, 0);
        struct task *t = calloc(1, sizeof *t);
        *t = (struct task){.job = {.run = meet, .done = done}, .number = i};
        ck_assert(adu_worker_submit(crew, &t->job));
    }
    while (done_count < 2) {
        ck_assert(adu_worker_wait(crew, 60000));
        adu_worker_drain(crew);
    }
    ck_assert(!adu_worker_wait(crew, 1)); /* nothing is left */
    adu_worker_free(crew);
}
END_TEST

static int left_out_count;

static void count_left_out(struct adu_job *job)
{
    left_out_count += job->left_out;
    free(job);
}

/* What does not fit is not taken; and who ends does not wait for what has not begun. */
START_TEST(a_queue_has_an_end)
{
    ran = left_out_count = 0;
    sem_t hold;
    sem_init(&hold, 0, 0);
    struct adu_worker *crew = adu_worker_new_crew(1, 3);
    struct task *tasks[5];
    int taken = 0;
    for (int i = 0; i < 5; i++) {
        tasks[i] = calloc(1, sizeof *tasks[i]);
        *tasks[i] = (struct task){.job = {.run = run, .done = count_left_out},
                                  .hold = i == 0 ? &hold : NULL};
        const bool is_taken = adu_worker_submit(crew, &tasks[i]->job);
        taken += is_taken;
        if (!is_taken) {
            free(tasks[i]);
        }
    }
    ck_assert(taken == 3 || taken == 4); /* the first may have begun */
    adu_worker_stop(crew);
    sem_post(&hold);
    adu_worker_free(crew);
    ck_assert_int_eq(ran + left_out_count, taken);
    ck_assert_int_ge(left_out_count, 2);
    sem_destroy(&hold);
}
END_TEST

/* One that is held, one that waits behind it. */
START_TEST(each_kind_is_measured)
{
    struct adu_worker_load load[ADU_QUEUES], before[ADU_QUEUES];
    sem_t hold;
    sem_init(&hold, 0, 0);
    adu_worker_load(before);
    struct adu_worker *worker = adu_worker_new();
    adu_worker_measure(worker, ADU_QUEUE_ocsp);
    submit(worker, 1, &hold);
    submit(worker, 2, NULL);
    do {
        usleep(1000);
        adu_worker_load(load);
    } while (load[ADU_QUEUE_ocsp].running == 0 || load[ADU_QUEUE_ocsp].waiting > 1);
    ck_assert_uint_eq(load[ADU_QUEUE_ocsp].running, 1);
    ck_assert_uint_eq(load[ADU_QUEUE_ocsp].waiting, 1);
    ck_assert_uint_eq(load[ADU_QUEUE_crl].waiting, before[ADU_QUEUE_crl].waiting);
    usleep(2000);
    sem_post(&hold);
    drain_until(worker, 2);
    adu_worker_free(worker);
    adu_worker_load(load);
    const struct adu_worker_load *now = &load[ADU_QUEUE_ocsp];
    ck_assert_uint_eq(now->running + now->waiting, 0);
    ck_assert_uint_eq(now->done, before[ADU_QUEUE_ocsp].done + 2);
    ck_assert_uint_ge(now->wait.sum_ns, before[ADU_QUEUE_ocsp].wait.sum_ns + 2000000);
    uint64_t waits = 0;
    for (int i = 0; i <= ADU_HISTOGRAM_BOUND_COUNT; i++) {
        waits += now->wait.counts[i] - before[ADU_QUEUE_ocsp].wait.counts[i];
    }
    ck_assert_uint_eq(waits, 2);
    sem_destroy(&hold);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    suite_add(suite, in_order);
    suite_add(suite, nothing_is_done_but_by_drain);
    suite_add(suite, the_end_waits_for_all);
    suite_add(suite, done_may_submit);
    suite_add(suite, idle);
    suite_add(suite, signals);
    suite_add(suite, a_crew_works_at_the_same_time);
    suite_add(suite, a_queue_has_an_end);
    suite_add(suite, each_kind_is_measured);
    return run_suite(suite);
}
