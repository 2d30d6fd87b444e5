#include "plugins/iam_auth/lookups.h"
#include "common/hash.h"
#include "common/worker.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

/* Threads that wait cost little; those that compute have the machine's processors to share with the
 * broker. */
enum { ASKERS = 32, HASHERS_MOST = 4, QUESTIONS_MOST = 20000, SECRET_BYTES_MOST = 32 << 20 };

struct flight;

struct ticket {
    uint64_t number;
    struct flight *flight;
    bool answered;
    struct ticket *prev, *next; /* of the flight, then of those answered and not yet told of */
    bool untold;
    UT_hash_handle hh;
};

/* A question on its way, and then its answer as long as somebody has a ticket for it. */
struct flight {
    struct adu_job job; /* first: a flight is its job */
    struct adu_lookups *lookups;
    struct adu_lookup lookup;
    struct flight_key {
        struct adu_mark mark;
        const struct adu_iam_policy *policy;
        size_t recheck; /* as wide as its neighbours: nothing lies between that is not said */
    } key;
    struct adu_arena *arena;
    char *username, *password;
    size_t password_length;
    unsigned closed;
    int64_t wall_ms;
    bool landed;
    size_t holders;         /* tickets */
    struct ticket *waiting; /* while it has not landed */
    UT_hash_handle hh;      /* by key, while it has not landed */
};

struct adu_lookups {
    struct adu_worker *askers, *hashers;
    struct flight *flights;
    struct ticket *tickets, *answered;
    uint64_t numbers;
    size_t secret_bytes; /* that wait to be asked about */
    void (*told)(void *context, const struct adu_lookup *lookup);
    void *context;
};

struct adu_lookups *adu_lookups_new(void (*told)(void *context, const struct adu_lookup *lookup),
                                    void *context)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct adu_lookups *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return NULL;
    }
    l->told = told;
    l->context = context;
    l->askers = adu_worker_new_crew(ASKERS, QUESTIONS_MOST);
    l->hashers = adu_worker_new_crew(processors < 1              ? 1
                                     : processors > HASHERS_MOST ? HASHERS_MOST
                                                                 : (unsigned)processors,
                                     QUESTIONS_MOST);
    adu_worker_measure(l->askers, ADU_QUEUE_directory);
    adu_worker_measure(l->hashers, ADU_QUEUE_passwords);
    if (l->askers == NULL || l->hashers == NULL) {
        adu_worker_free(l->askers);
        adu_worker_free(l->hashers);
        free(l);
        return NULL;
    }
    return l;
}

/* --- the question is put --- */

/* Each provider in turn until one knows the user, or is to know and cannot say. */
static void put(struct adu_job *job)
{
    struct flight *f = (struct flight *)job;
    const struct adu_iam_policy *policy = f->lookup.policy;
    for (f->lookup.by = f->lookup.from; f->lookup.by < policy->count; f->lookup.by++) {
        const struct adu_iam_asked *asked = &policy->asked[f->lookup.by];
        if ((f->closed >> f->lookup.by & 1) != 0) {
            f->lookup.was_closed = true;
            adu_answer_clear(&f->lookup.answer); /* UNAVAILABLE */
            break;
        }
        adu_answer_clear(&f->lookup.answer);
        if (f->lookup.recheck && f->password != NULL) {
            asked->provider->ask_again(asked->settings, f->password, &f->lookup.answer);
        } else {
            asked->provider->ask(asked->settings, f->username, f->password, f->wall_ms,
                                 &f->lookup.answer);
        }
        if (f->lookup.answer.outcome != ADU_OUTCOME_UNKNOWN || f->lookup.recheck) {
            break;
        }
    }
    if (f->lookup.by == policy->count) { /* nobody knows him, says the last */
        f->lookup.by = policy->count - 1;
    }
}

static void forget_password(struct flight *f)
{
    if (f->password != NULL) {
        OPENSSL_cleanse(f->password, f->password_length);
        f->lookups->secret_bytes -= f->password_length;
        free(f->password);
        f->password = NULL;
    }
}

/* It is kept for those who wait, if it is good, or may be so while nobody can say, and is to be
 * asked about again. */
static bool secret_is_wanted(const struct flight *f)
{
    const struct adu_iam_asked *by = &f->lookup.policy->asked[f->lookup.by];
    return !f->job.left_out && !f->lookup.recheck && f->holders > 0 &&
           (f->lookup.answer.outcome == ADU_OUTCOME_VERIFIED ||
            f->lookup.answer.outcome == ADU_OUTCOME_UNAVAILABLE) &&
           adu_iam_asked_may_be_revoked(by);
}

static void flight_free(struct flight *f)
{
    forget_password(f);
    free(f->username);
    adu_answer_clear(&f->lookup.answer);
    adu_arena_free(f->arena);
    free(f);
}

/* It is told of before those who wait for it are. */
static void land(struct adu_job *job)
{
    struct flight *f = (struct flight *)job;
    struct adu_lookups *l = f->lookups;
    HASH_DELETE(hh, l->flights, f);
    f->landed = true;
    if (!secret_is_wanted(f)) {
        forget_password(f);
    }
    f->lookup.secret = f->password;
    if (job->left_out) {
        snprintf(f->lookup.answer.why, sizeof f->lookup.answer.why, "the broker is ending");
    } else {
        f->lookup.for_nobody = f->holders == 0;
        l->told(l->context, &f->lookup);
    }
    while (f->waiting != NULL) {
        struct ticket *t = f->waiting;
        DL_DELETE(f->waiting, t);
        DL_APPEND(l->answered, t);
        t->answered = t->untold = true;
    }
    if (f->holders == 0) {
        flight_free(f);
    }
}

static struct adu_worker *crew_for(const struct adu_lookups *l,
                                   const struct adu_question_to_providers *q)
{
    for (size_t i = q->from; i < q->policy->count; i++) {
        if (q->policy->asked[i].provider->waits) {
            return l->askers;
        }
    }
    return l->hashers;
}

static struct flight *flight_new(struct adu_lookups *l, const struct adu_question_to_providers *q)
{
    struct flight *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    *f = (struct flight){.job = {.run = put, .done = land},
                         .lookups = l,
                         .key = {.mark = *q->mark, .policy = q->policy, .recheck = q->recheck},
                         .arena = adu_arena_hold(q->policy->arena),
                         .closed = q->closed,
                         .wall_ms = q->wall_ms};
    f->username = strdup(q->username);
    if (q->password != NULL && (f->password = strdup(q->password)) != NULL) {
        f->password_length = strlen(f->password);
        l->secret_bytes += f->password_length;
    }
    f->lookup = (struct adu_lookup){.policy = q->policy,
                                    .from = q->from,
                                    .by = q->from,
                                    .username = f->username,
                                    .mark = &f->key.mark,
                                    .recheck = q->recheck};
    if (f->username == NULL || (q->password != NULL && f->password == NULL)) {
        flight_free(f);
        return NULL;
    }
    return f;
}

/* The same question under the same policy is on its way, or sets off now. */
static struct flight *get(struct adu_lookups *l, const struct adu_question_to_providers *q)
{
    struct flight *f;
    const struct flight_key key = {.mark = *q->mark, .policy = q->policy, .recheck = q->recheck};
    HASH_FIND(hh, l->flights, &key, sizeof key, f);
    if (f != NULL || l->secret_bytes > SECRET_BYTES_MOST || (f = flight_new(l, q)) == NULL) {
        return f;
    }
    HASH_ADD(hh, l->flights, key, sizeof f->key, f);
    if (f->hh.tbl != NULL && adu_worker_submit(crew_for(l, q), &f->job)) {
        return f;
    }
    if (f->hh.tbl != NULL) {
        HASH_DELETE(hh, l->flights, f);
    }
    flight_free(f);
    return NULL;
}

uint64_t adu_lookups_ask(struct adu_lookups *l, const struct adu_question_to_providers *question)
{
    struct ticket *t = calloc(1, sizeof *t);
    struct flight *f = t != NULL ? get(l, question) : NULL;
    if (f == NULL) {
        free(t);
        return 0;
    }
    t->number = ++l->numbers;
    t->flight = f;
    HASH_ADD(hh, l->tickets, number, sizeof t->number, t);
    if (t->hh.tbl == NULL) {
        free(t);
        return 0;
    }
    f->holders++;
    DL_APPEND(f->waiting, t);
    return t->number;
}

void adu_lookups_ask_for_nobody(struct adu_lookups *l,
                                const struct adu_question_to_providers *question)
{
    get(l, question);
}

/* --- the answer --- */

static void drain(struct adu_lookups *l)
{
    adu_worker_drain(l->askers);
    adu_worker_drain(l->hashers);
}

static void told_of(struct adu_lookups *l, struct ticket *t)
{
    if (t->untold) {
        DL_DELETE(l->answered, t);
        t->untold = false;
    }
}

uint64_t adu_lookups_answered(struct adu_lookups *l)
{
    drain(l);
    struct ticket *t = l->answered;
    if (t == NULL) {
        return 0;
    }
    told_of(l, t);
    return t->number;
}

static struct ticket *find(const struct adu_lookups *l, uint64_t number)
{
    struct ticket *t;
    HASH_FIND(hh, l->tickets, &number, sizeof number, t);
    return t;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool adu_lookups_wait(struct adu_lookups *l, uint64_t ticket, long ms)
{
    struct ticket *t = find(l, ticket);
    const int64_t until = clock_ms() + ms;
    if (t == NULL) {
        return false;
    }
    struct adu_worker *crew = l->hashers;
    for (size_t i = t->flight->lookup.from; i < t->flight->lookup.policy->count; i++) {
        crew = t->flight->lookup.policy->asked[i].provider->waits ? l->askers : crew;
    }
    for (;;) {
        drain(l);
        const int64_t left = until - clock_ms();
        if (t->answered || left <= 0) {
            break;
        }
        adu_worker_wait(crew, (long)left);
    }
    if (t->answered) {
        told_of(l, t);
    }
    return t->answered;
}

const struct adu_lookup *adu_lookups_result(const struct adu_lookups *l, uint64_t ticket)
{
    const struct ticket *t = find(l, ticket);
    return t != NULL && t->answered ? &t->flight->lookup : NULL;
}

void adu_lookups_abandon(struct adu_lookups *l, uint64_t ticket)
{
    struct ticket *t = find(l, ticket);
    if (t == NULL) {
        return;
    }
    struct flight *f = t->flight;
    told_of(l, t);
    if (!t->answered) {
        DL_DELETE(f->waiting, t);
    }
    HASH_DELETE(hh, l->tickets, t);
    free(t);
    if (--f->holders == 0 && f->landed) {
        flight_free(f);
    }
}

void adu_lookups_free(struct adu_lookups *l)
{
    if (l == NULL) {
        return;
    }
    adu_worker_stop(l->askers);
    adu_worker_stop(l->hashers);
    adu_worker_free(l->askers);
    adu_worker_free(l->hashers);
    while (l->tickets != NULL) {
        adu_lookups_abandon(l, l->tickets->number);
    }
    free(l);
}
