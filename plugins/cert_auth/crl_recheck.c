/* Files and folders are looked at on a worker; the tick puts what it found in place. */
#include "plugins/cert_auth/crl_live.h"
#include <stdio.h>
#include <stdlib.h>

/* --- letting go --- */

struct leftovers {
    struct adu_job job; /* first */
    struct adu_crl_settings *settings;
    struct adu_crl_shelf *shelf;
    struct adu_crl_list lists;
};

static void run_let_go(struct adu_job *job)
{
    struct leftovers *l = (struct leftovers *)job;
    adu_crl_shelf_drop(l->shelf);
    adu_crl_list_clear(&l->lists);
    adu_crl_settings_drop(l->settings);
}

static void done_let_go(struct adu_job *job)
{
    free(job);
}

void adu_crl_let_go(struct adu_crl_live *live, struct adu_crl_settings *settings,
                    struct adu_crl_shelf *shelf, struct adu_crl_list *lists)
{
    struct leftovers here = {
        .job = {.run = run_let_go, .done = done_let_go}, .settings = settings, .shelf = shelf};
    if (lists != NULL) {
        here.lists = *lists;
        *lists = (struct adu_crl_list){0};
    }
    if (settings == NULL && shelf == NULL && here.lists.count == 0) {
        free(here.lists.crls);
        return;
    }
    struct leftovers *l = malloc(sizeof *l);
    if (l != NULL) {
        *l = here;
        if (adu_worker_submit(live->files, &l->job)) {
            return;
        }
    }
    free(l);
    run_let_go(&here.job);
}

/* --- news --- */

static bool is_among(const struct adu_crl *crl, const struct adu_crl_list *list)
{
    size_t i = 0;
    while (i < list->count && list->crls[i] != crl) {
        i++;
    }
    return i < list->count;
}

/* One that was read again is another object. */
static bool is_known(const struct adu_crl *crl, const struct adu_crl_list *list)
{
    size_t i = 0;
    while (i < list->count &&
           (!adu_crl_is_of(list->crls[i], adu_crl_issuer(crl)) ||
            adu_crl_is_newer(crl, list->crls[i]) || adu_crl_is_newer(list->crls[i], crl))) {
        i++;
    }
    return i < list->count;
}

uint64_t adu_crl_count_new(const struct adu_crl_shelf *now, const struct adu_crl_shelf *before)
{
    static const struct adu_crl_list none = {0};
    const struct adu_crl_list *lists = now != NULL ? adu_crl_shelf_lists(now) : &none;
    const struct adu_crl_list *known = before != NULL ? adu_crl_shelf_lists(before) : &none;
    uint64_t count = 0;
    for (size_t i = 0; i < lists->count; i++) {
        count += !is_known(lists->crls[i], known);
    }
    return count;
}

void adu_crl_tell_taken(const struct adu_crl_live *live, const struct adu_crl_list *now,
                        const struct adu_crl_list *before)
{
    const struct adu_outlet *outlet = live->call->outlet;
    char text[600], until[ADU_CRL_TIME];
    uint64_t taken = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct adu_crl *crl = now->crls[i];
        if (is_among(crl, before)) {
            continue;
        }
        taken++;
        snprintf(text, sizeof text, "CRL %.400s taken: %zu revoked, until %s", adu_crl_name(crl),
                 adu_crl_count(crl), adu_crl_time(adu_crl_until_ms(crl), until));
        outlet->log(outlet->context, ADU_LOG_NOTICE, text);
    }
    live->call->counters->crls_taken += taken;
    if (taken > 0) {
        outlet->doubt(outlet->context);
    }
}

/* --- the job --- */

struct recheck {
    struct adu_job job; /* first */
    struct adu_crl_live *live;
    struct adu_crl_settings *settings;
    struct adu_crl_shelf *before, *made;
};

static void run(struct adu_job *job)
{
    struct recheck *r = (struct recheck *)job;
    r->made = adu_crl_shelf_read(r->settings->origins, r->settings->origin_count,
                                 r->settings->issuers, r->before);
}

/* The swap: a pointer. The old one goes the job's way. */
static void put_in_place(struct adu_crl_live *live, struct recheck *r)
{
    struct adu_crl_shelf *old = live->shelf;
    live->shelf = r->made;
    r->made = old;
    live->alarms.due_ms = 0;
    live->call->counters->crls_refused += adu_crl_shelf_refused(live->shelf);
    adu_crl_tell_taken(live, adu_crl_shelf_lists(live->shelf), adu_crl_shelf_lists(old));
}

static void done(struct adu_job *job)
{
    struct recheck *r = (struct recheck *)job;
    struct adu_crl_live *live = r->live;
    if (live->call != NULL && live->settings == r->settings) {
        live->rechecking = false;
        live->recheck_ms = live->call->now_ms + r->settings->recheck_ms;
        if (r->made != NULL) {
            put_in_place(live, r);
        } else {
            live->call->counters->stage_errors++;
        }
    }
    if (live->call != NULL) {
        adu_crl_let_go(live, r->settings, r->before, NULL);
        adu_crl_let_go(live, NULL, r->made, NULL);
    } else { /* the end: nothing waits for us any more, nor is there a worker */
        adu_crl_shelf_drop(r->before);
        adu_crl_shelf_drop(r->made);
        adu_crl_settings_drop(r->settings);
    }
    free(r);
}

void adu_crl_recheck(struct adu_crl_live *live)
{
    if (live->settings->origin_count == 0 || live->rechecking ||
        live->call->now_ms < live->recheck_ms) {
        return;
    }
    struct recheck *r = calloc(1, sizeof *r);
    live->recheck_ms = live->call->now_ms + live->settings->recheck_ms;
    if (r != NULL) {
        *r = (struct recheck){.job = {.run = run, .done = done},
                              .live = live,
                              .settings = adu_crl_settings_hold(live->settings),
                              .before = adu_crl_shelf_hold(live->shelf)};
        live->rechecking = adu_worker_submit(live->files, &r->job);
        if (live->rechecking) {
            return;
        }
        adu_crl_shelf_drop(r->before);
        adu_crl_settings_drop(r->settings);
        free(r);
    }
    live->call->counters->stage_errors++;
}
