#include "plugins/iam_auth/jwks_source.h"
#include "common/fetch.h"
#include "common/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Beyond the fetch itself, for the thread to notice and be noticed. */
enum { SLACK_MS = 2000 };

struct adu_jwks_source {
    struct adu_jwks_source *next; /* of all; under all_mutex, as is `users` */
    unsigned users;

    struct adu_jwks_address address; /* never changes */
    atomic_bool stop;

    pthread_mutex_t mutex;  /* for what follows */
    pthread_cond_t changed; /* by the clock that only goes forward */
    bool running;
    pthread_t thread;
    bool wanted; /* somebody waits for a fetch */
    bool fetching;
    unsigned long fetches;  /* that have ended */
    int64_t tried_ms;       /* when the last one ended; 0: there was none */
    int64_t fetched_ms;     /* the last one that was good */
    struct adu_jwks *keys;  /* NULL: none yet */
    char why[ADU_JWKS_WHY]; /* the last one was not */
};

static struct {
    atomic_uint_least64_t at_hand, waited, fetches, failed;
} used;

static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct adu_jwks_source *all;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the thread --- */

static struct adu_jwks *fetch(const struct adu_jwks_source *s, char *why)
{
    const struct adu_fetch what = {.url = s->address.url,
                                   .ca_file = s->address.ca_file,
                                   .accept = "application/jwk-set+json, application/json",
                                   .most = ADU_JWKS_MOST_BYTES,
                                   .timeout_ms = s->address.timeout_ms,
                                   .stop = &s->stop};
    struct adu_fetched fetched;
    char reason[ADU_FETCH_WHY];
    if (!adu_fetch(&what, &fetched, reason)) {
        snprintf(why, ADU_JWKS_WHY, "%.*s", ADU_JWKS_WHY - 1, reason);
        return NULL;
    }
    struct adu_jwks *keys = adu_jwks_read((const char *)fetched.bytes, fetched.length, why);
    free(fetched.bytes);
    return keys;
}

/* Ahead of time by the clock; after a failure as soon as that may be; and when somebody waits. */
static int64_t due_ms(const struct adu_jwks_source *s)
{
    if (s->tried_ms == 0) {
        return 0;
    }
    const bool failed = s->fetched_ms != s->tried_ms;
    return s->tried_ms + (s->wanted || failed ? s->address.again_ms : s->address.refresh_ms);
}

static void wait_until(struct adu_jwks_source *s, int64_t ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    pthread_cond_timedwait(&s->changed, &s->mutex, &t);
}

static void fetch_once(struct adu_jwks_source *s)
{
    char why[ADU_JWKS_WHY] = "";
    s->wanted = false;
    s->fetching = true;
    pthread_mutex_unlock(&s->mutex);
    struct adu_jwks *keys = fetch(s, why);
    atomic_fetch_add(&used.fetches, 1);
    atomic_fetch_add(&used.failed, keys == NULL);
    pthread_mutex_lock(&s->mutex);
    s->fetching = false;
    s->tried_ms = now_ms();
    s->fetches++;
    memcpy(s->why, why, sizeof why);
    if (keys != NULL) {
        adu_jwks_free(s->keys);
        s->keys = keys;
        s->fetched_ms = s->tried_ms;
    }
    pthread_cond_broadcast(&s->changed);
}

static void *run(void *context)
{
    struct adu_jwks_source *s = context;
    pthread_mutex_lock(&s->mutex);
    while (!atomic_load(&s->stop)) {
        const int64_t due = due_ms(s);
        if (now_ms() >= due) {
            fetch_once(s);
        } else {
            wait_until(s, due);
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* --- the callers --- */

/* A broker that turns into a daemon loses the threads it had before: this one begins with the first
 * question. */
static bool awake(struct adu_jwks_source *s)
{
    if (!s->running) {
        s->running = adu_thread_start(&s->thread, run, s);
    }
    return s->running;
}

static bool usable(const struct adu_jwks_source *s)
{
    return s->keys != NULL && now_ms() - s->fetched_ms < s->address.keep_ms;
}

/* Until the fetch that is under way, or due, has ended; or long enough. */
static bool waits_for_fetch(struct adu_jwks_source *s)
{
    atomic_fetch_add(&used.waited, 1);
    const unsigned long seen = s->fetches;
    const int64_t until = now_ms() + s->address.timeout_ms + SLACK_MS;
    pthread_cond_broadcast(&s->changed);
    while (s->fetches == seen && now_ms() < until) {
        wait_until(s, until);
    }
    return s->fetches != seen;
}

struct adu_jwks *adu_jwks_source_keys(struct adu_jwks_source *s, char *why)
{
    struct adu_jwks *keys = NULL;
    why[0] = '\0';
    pthread_mutex_lock(&s->mutex);
    if (!awake(s)) {
        snprintf(why, ADU_JWKS_WHY, "no thread can be had");
    } else if (usable(s)) {
        atomic_fetch_add(&used.at_hand, 1);
        keys = adu_jwks_share(s->keys);
    } else if (due_ms(s) <= now_ms() && waits_for_fetch(s) && usable(s)) {
        keys = adu_jwks_share(s->keys);
    } else {
        memcpy(why, s->why, sizeof s->why);
    }
    pthread_mutex_unlock(&s->mutex);
    return keys;
}

struct adu_jwks *adu_jwks_source_fresher(struct adu_jwks_source *s)
{
    struct adu_jwks *keys = NULL;
    pthread_mutex_lock(&s->mutex);
    if (awake(s) && !s->wanted && !s->fetching && now_ms() >= s->tried_ms + s->address.again_ms) {
        s->wanted = true;
        if (waits_for_fetch(s) && s->fetched_ms == s->tried_ms) {
            keys = adu_jwks_share(s->keys);
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return keys;
}

struct adu_jwks_use adu_jwks_use(void)
{
    return (struct adu_jwks_use){.at_hand = atomic_load(&used.at_hand),
                                 .waited = atomic_load(&used.waited),
                                 .fetches = atomic_load(&used.fetches),
                                 .failed = atomic_load(&used.failed)};
}

/* --- opening and closing --- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_address(const struct adu_jwks_address *a, const struct adu_jwks_address *b)
{
    return same_text(a->url, b->url) && same_text(a->ca_file, b->ca_file) &&
           a->refresh_ms == b->refresh_ms && a->keep_ms == b->keep_ms &&
           a->again_ms == b->again_ms && a->timeout_ms == b->timeout_ms;
}

static void release(struct adu_jwks_source *s)
{
    free((char *)s->address.url);
    free((char *)s->address.ca_file);
    adu_jwks_free(s->keys);
    free(s);
}

static struct adu_jwks_source *make(const struct adu_jwks_address *address)
{
    struct adu_jwks_source *s = calloc(1, sizeof *s);
    pthread_condattr_t forward;
    if (s == NULL) {
        return NULL;
    }
    s->address = *address;
    s->address.url = strdup(address->url);
    s->address.ca_file = address->ca_file != NULL ? strdup(address->ca_file) : NULL;
    if (s->address.url == NULL || (address->ca_file != NULL && s->address.ca_file == NULL) ||
        pthread_condattr_init(&forward) != 0) {
        release(s);
        return NULL;
    }
    pthread_condattr_setclock(&forward, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, &forward);
    pthread_condattr_destroy(&forward);
    return s;
}

struct adu_jwks_source *adu_jwks_source_open(const struct adu_jwks_address *address)
{
    pthread_mutex_lock(&all_mutex);
    struct adu_jwks_source *s = all;
    while (s != NULL && !same_address(&s->address, address)) {
        s = s->next;
    }
    if (s == NULL && (s = make(address)) != NULL) {
        s->next = all;
        all = s;
    }
    if (s != NULL) {
        s->users++;
    }
    pthread_mutex_unlock(&all_mutex);
    return s;
}

/* True if nobody uses it any more. */
static bool leave(struct adu_jwks_source *source)
{
    pthread_mutex_lock(&all_mutex);
    const bool last = --source->users == 0;
    for (struct adu_jwks_source **at = &all; last && *at != NULL; at = &(*at)->next) {
        if (*at == source) {
            *at = source->next;
            break;
        }
    }
    pthread_mutex_unlock(&all_mutex);
    return last;
}

void adu_jwks_source_close(struct adu_jwks_source *source)
{
    if (source == NULL || !leave(source)) {
        return;
    }
    pthread_mutex_lock(&source->mutex);
    const bool running = source->running;
    atomic_store(&source->stop, true);
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->mutex);
    if (running) {
        pthread_join(source->thread, NULL);
    }
    pthread_cond_destroy(&source->changed);
    pthread_mutex_destroy(&source->mutex);
    release(source);
}
