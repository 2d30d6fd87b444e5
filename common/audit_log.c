#include "common/audit_log.h"
#include "common/audit_ring.h"
#include "common/audit_sink.h"
#include "common/thread.h"
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Between attempts at a sink that fails; how long the end may take; and how long the thread looks
 * out for more before it must be woken up, which costs the broker a system call. */
enum { RETRY_MS = 1000, END_MS = 1000, NAP_MS = 10 };

struct adu_audit_log {
    /* The broker's thread. */
    struct adu_audit_ring *ring;
    struct adu_audit_record *filling;
    bool on, allowed, running;
    long lines_per_second, lines; /* those of this second */
    int64_t second_ms;
    uint64_t left_out; /* since the last record */
    pthread_t thread;

    /* Both. */
    int wake, ended; /* eventfd */
    atomic_bool asleep, ordered;
    atomic_uint_fast64_t written, dropped, failed;
    atomic_int error;
    atomic_size_t in_hand; /* lines: 0 or 1 */
    pthread_mutex_t lock;  /* of what the broker's thread asks for, held to copy it */
    bool stop;
    struct adu_audit_sink wanted; /* closed */

    /* The other thread. */
    struct adu_audit_ring *emptying; /* then what follows it, up to `ring` */
    struct adu_audit_sink sink;
    bool closing;        /* there is to be no audit log any more */
    int64_t stop_ms;     /* when to give up; 0: not asked to stop */
    size_t length, done; /* of the line in hand; length 0: there is none */
    char line[ADU_AUDIT_JSON];
};

/* --- the thread --- */

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until it is woken up, the sink takes more (if `for_sink`), or the time (-1: none) is over; false
 * for the last. */
static bool wait_for(struct adu_audit_log *log, int timeout_ms, bool for_sink)
{
    struct pollfd fds[] = {{.fd = log->wake, .events = POLLIN},
                           {.fd = for_sink ? log->sink.fd : -1, .events = POLLOUT}};
    if (poll(fds, 2, timeout_ms) == 0) {
        return false;
    }
    eventfd_t times;
    eventfd_read(log->wake, &times); /* which does not wait */
    return true;
}

static void obey(struct adu_audit_log *log)
{
    if (!atomic_exchange(&log->ordered, false)) {
        return;
    }
    pthread_mutex_lock(&log->lock);
    log->closing = log->wanted.to == ADU_AUDIT_TO_NONE;
    if (!log->closing) {
        adu_audit_sink_close(&log->sink);
        if (log->sink.to != log->wanted.to || strcmp(log->sink.path, log->wanted.path) != 0) {
            log->sink = log->wanted;
        }
    }
    if (log->stop && log->stop_ms == 0) {
        log->stop_ms = clock_ms() + END_MS;
    }
    pthread_mutex_unlock(&log->lock);
}

static const struct adu_audit_record *oldest(struct adu_audit_log *log)
{
    struct adu_audit_ring *next;
    while ((next = adu_audit_ring_next(log->emptying)) != NULL) {
        adu_audit_ring_free(log->emptying);
        log->emptying = next;
    }
    return adu_audit_ring_front(log->emptying);
}

static bool take(struct adu_audit_log *log)
{
    const struct adu_audit_record *record = oldest(log);
    if (record == NULL) {
        return false;
    }
    log->length = adu_audit_record_line(record, record->left_out, log->line);
    log->done = 0;
    atomic_store(&log->in_hand, 1);
    adu_audit_ring_pop(log->emptying);
    return true;
}

static void lay_down(struct adu_audit_log *log)
{
    log->length = 0;
    atomic_store(&log->in_hand, 0);
}

static void drop_all(struct adu_audit_log *log)
{
    while (log->length > 0 || take(log)) {
        lay_down(log);
        atomic_fetch_add(&log->dropped, 1);
    }
}

static void note_failure(struct adu_audit_log *log, int error)
{
    atomic_fetch_add(&log->failed, 1);
    if (log->closing) { /* nobody waits for it to get better */
        drop_all(log);
        error = 0;
    }
    atomic_store(&log->error, error);
}

static void deliver(struct adu_audit_log *log)
{
    switch (adu_audit_sink_write(&log->sink, log->line, log->length, &log->done)) {
    case ADU_AUDIT_WRITTEN_ALL:
        lay_down(log);
        atomic_fetch_add(&log->written, 1);
        atomic_store(&log->error, 0);
        return;
    case ADU_AUDIT_WRITTEN_LATER:
        if (!wait_for(log, RETRY_MS, true)) {
            note_failure(log, EAGAIN);
        }
        return;
    case ADU_AUDIT_WRITTEN_NOT:
        note_failure(log, log->sink.error);
        if (log->stop_ms != 0) {
            log->stop_ms = 1; /* it was the last attempt */
        } else if (log->length > 0) {
            wait_for(log, RETRY_MS, false);
        }
        return;
    }
}

/* Nothing to do. */
static void rest(struct adu_audit_log *log)
{
    if (log->closing) {
        adu_audit_sink_close(&log->sink);
    }
    if (wait_for(log, NAP_MS, false) || oldest(log) != NULL) {
        return;
    }
    atomic_store(&log->asleep, true);
    if (oldest(log) == NULL) {
        wait_for(log, -1, false);
    }
    atomic_store(&log->asleep, false);
}

static void *work(void *thing)
{
    struct adu_audit_log *log = thing;
    for (;;) {
        obey(log);
        if (log->stop_ms != 0 && clock_ms() >= log->stop_ms) {
            break;
        }
        if (log->length > 0 || take(log)) {
            obey(log); /* what was ordered before the line was added holds for it */
            deliver(log);
        } else if (log->stop_ms != 0) {
            break;
        } else {
            rest(log);
        }
    }
    drop_all(log);
    adu_audit_sink_close(&log->sink);
    eventfd_write(log->ended, 1);
    return NULL;
}

/* --- the broker's thread --- */

struct adu_audit_log *adu_audit_log_new(void)
{
    struct adu_audit_log *log = calloc(1, sizeof *log);
    if (log == NULL || pthread_mutex_init(&log->lock, NULL) != 0) {
        free(log);
        return NULL;
    }
    log->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    log->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    log->sink.fd = log->wanted.fd = -1;
    if (log->wake < 0 || log->ended < 0) {
        adu_audit_log_free(log);
        return NULL;
    }
    return log;
}

static void order(struct adu_audit_log *log)
{
    atomic_store(&log->ordered, true);
    eventfd_write(log->wake, 1);
}

/* A ring of the wanted size after the one there is; without memory the old one goes on. */
static void make_room(struct adu_audit_log *log, size_t size)
{
    if (log->ring != NULL && adu_audit_ring_size(log->ring) == size) {
        return;
    }
    struct adu_audit_ring *ring = adu_audit_ring_new(size);
    if (ring == NULL) {
        atomic_store(&log->error, ENOMEM);
        return;
    }
    if (log->ring != NULL) {
        adu_audit_ring_follow(log->ring, ring);
    } else {
        log->emptying = ring; /* there is no other thread yet */
    }
    log->ring = ring;
}

void adu_audit_log_use(struct adu_audit_log *log, const struct adu_audit_settings *settings)
{
    log->on = settings->to != ADU_AUDIT_TO_NONE;
    log->allowed = log->on && settings->allowed;
    log->lines_per_second = settings->lines_per_second;
    if (log->on) {
        make_room(log, (size_t)settings->queue);
    }
    pthread_mutex_lock(&log->lock);
    adu_audit_sink_init(&log->wanted, settings);
    pthread_mutex_unlock(&log->lock);
    order(log);
    if (log->on && !log->running && log->ring != NULL) {
        log->running = adu_thread_start(&log->thread, work, log);
        if (!log->running) {
            atomic_store(&log->error, EAGAIN);
        }
    }
}

void adu_audit_log_reopen(struct adu_audit_log *log)
{
    order(log);
}

bool adu_audit_log_wants_allowed(const struct adu_audit_log *log)
{
    return log->allowed;
}

struct adu_audit_record *adu_audit_log_next(struct adu_audit_log *log, bool allowed,
                                            int64_t mono_ms)
{
    if (!log->on) {
        return NULL;
    }
    if (mono_ms - log->second_ms >= 1000) {
        log->second_ms = mono_ms;
        log->lines = 0;
    }
    const long most = allowed ? (log->lines_per_second + 1) / 2 : log->lines_per_second;
    log->filling = NULL;
    if (log->running && log->lines < most) {
        const size_t room = adu_audit_ring_size(log->ring);
        log->filling = adu_audit_ring_claim(log->ring, allowed ? room / 2 : room);
    }
    if (log->filling == NULL) {
        log->left_out++;
        atomic_fetch_add(&log->dropped, 1);
        return NULL;
    }
    log->lines++;
    return log->filling;
}

void adu_audit_log_commit(struct adu_audit_log *log)
{
    log->filling->left_out = log->left_out;
    log->left_out = 0;
    adu_audit_ring_commit(log->ring);
    if (atomic_load(&log->asleep) && atomic_exchange(&log->asleep, false)) {
        eventfd_write(log->wake, 1);
    }
}

struct adu_audit_state adu_audit_log_state(const struct adu_audit_log *log)
{
    const int error =
        atomic_load(&log->error); /* first: the line that met it is in hand, or done */
    const size_t in_hand = atomic_load(&log->in_hand);
    return (struct adu_audit_state){
        .written = atomic_load(&log->written),
        .dropped = atomic_load(&log->dropped),
        .failed = atomic_load(&log->failed),
        .waiting = in_hand + (log->ring != NULL ? adu_audit_ring_count(log->ring) : 0),
        .error = error,
    };
}

/* A thread that hangs in a write to a dead network disk does not end: then what it uses stays. */
static bool end_thread(struct adu_audit_log *log)
{
    struct pollfd ended = {.fd = log->ended, .events = POLLIN};
    pthread_mutex_lock(&log->lock);
    log->stop = true;
    pthread_mutex_unlock(&log->lock);
    order(log);
    int rc;
    do {
        rc = poll(&ended, 1, 3 * END_MS);
    } while (rc < 0 && errno == EINTR);
    if (rc == 1) {
        pthread_join(log->thread, NULL);
        return true;
    }
    pthread_detach(log->thread);
    return false;
}

void adu_audit_log_free(struct adu_audit_log *log)
{
    if (log == NULL || (log->running && !end_thread(log))) {
        return;
    }
    if (log->ring != NULL) {
        drop_all(log); /* up to `ring`, if the thread never ran */
    }
    adu_audit_ring_free(log->ring);
    if (log->wake >= 0) {
        close(log->wake);
    }
    if (log->ended >= 0) {
        close(log->ended);
    }
    pthread_mutex_destroy(&log->lock);
    free(log);
}
