/* Web addresses are asked on a worker of their own; the tick puts what they gave in place. What an
 * address gave last is kept on disk, and is where its lists begin after a restart. */
#include "common/file.h"
#include "plugins/cert_auth/crl_kept.h"
#include "plugins/cert_auth/crl_live.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FETCHED_MOST = 16 * 1024 * 1024, /* 400,000 certificates */
    FETCH_MS = 30 * 1000,            /* from beginning to end */
    SOON_MS = 60 * 1000,             /* when a fetch went wrong, or a list is about to end */
};

static struct adu_crl_address *find(struct adu_crl_live *live, const char *url)
{
    for (size_t i = 0; live->addresses != NULL && i < live->settings->url_count; i++) {
        if (strcmp(live->addresses[i].url, url) == 0) {
            return &live->addresses[i];
        }
    }
    return NULL;
}

/* Whether the settings still trust whoever has made them. */
static bool are_trusted(const struct adu_crl_settings *s, const struct adu_crl_list *lists)
{
    for (size_t i = 0; i < lists->count; i++) {
        int k = 0;
        while (k < sk_X509_num(s->issuers) &&
               X509_cmp(sk_X509_value(s->issuers, k), adu_crl_issuer(lists->crls[i])) != 0) {
            k++;
        }
        if (k == sk_X509_num(s->issuers)) {
            return false;
        }
    }
    return true;
}

struct adu_crl_address *adu_crl_addresses_for(struct adu_crl_live *live,
                                              const struct adu_crl_settings *settings)
{
    struct adu_crl_address *fresh = calloc(settings->url_count + 1, sizeof *fresh);
    for (size_t i = 0; fresh != NULL && i < settings->url_count; i++) {
        struct adu_crl_address *old = find(live, settings->urls[i]);
        if (old != NULL && are_trusted(settings, &old->lists)) {
            fresh[i] = *old;
            fresh[i].busy = false; /* what is on its way is for the old settings */
            old->lists = (struct adu_crl_list){0};
        }
        fresh[i].url = settings->urls[i];
    }
    return fresh;
}

/* --- the job --- */

struct fetch {
    struct adu_job job; /* first */
    struct adu_crl_live *live;
    struct adu_crl_settings *settings;
    const char *url;
    char *kept_path; /* NULL: there is no place to keep it */
    bool from_disk;  /* the one that was kept is read, and nobody is asked */
    bool kept;
    struct adu_crl_list before, made;
    char wrong[ADU_FETCH_WHY + ADU_CRL_WHY];
    struct adu_error not_kept;
};

static void job_free(struct fetch *f)
{
    free(f->kept_path);
    free(f);
}

/* An old list that is served again would bring back those who were revoked since. */
static bool is_rolled_back(const struct fetch *f)
{
    for (size_t i = 0; i < f->made.count; i++) {
        const struct adu_crl *now = f->made.crls[i];
        const struct adu_crl *before = adu_crl_latest(&f->before, adu_crl_issuer(now), NULL);
        if (before != NULL && adu_crl_is_newer(before, now)) {
            return true;
        }
    }
    return false;
}

/* The very list that was there before stays: no news. */
static bool keep_what_is_the_same(struct fetch *f)
{
    bool same = f->made.count == f->before.count;
    for (size_t i = 0; same && i < f->made.count; i++) {
        same = !adu_crl_is_newer(f->made.crls[i], f->before.crls[i]) &&
               adu_crl_is_of(f->made.crls[i], adu_crl_issuer(f->before.crls[i]));
    }
    if (same) {
        struct adu_crl_list kept = {0};
        if (adu_crl_list_add(&kept, &f->before)) {
            adu_crl_list_clear(&f->made);
            f->made = kept;
        }
    }
    return same;
}

/* There may be none. What is there must be as good as if it came from its address. */
static void read_kept(struct fetch *f)
{
    struct adu_error error = {0};
    char why[ADU_CRL_WHY];
    size_t length;
    if (access(f->kept_path, F_OK) != 0) {
        return;
    }
    char *bytes = adu_file_read(f->kept_path, f->kept_path, FETCHED_MOST, &length, &error);
    if (bytes == NULL) {
        snprintf(f->wrong, sizeof f->wrong, "%.250s", error.text);
    } else if (!adu_crl_read(f->url, (const unsigned char *)bytes, length, f->settings->issuers,
                             &f->made, why)) {
        snprintf(f->wrong, sizeof f->wrong, "%s", why);
    }
    free(bytes);
}

static void fetch_it(struct fetch *f)
{
    const struct adu_fetch what = {.url = f->url,
                                   .ca_file = f->settings->url_ca_file,
                                   .most = FETCHED_MOST,
                                   .timeout_ms = FETCH_MS,
                                   .redirects_most = 5,
                                   .stop = &f->live->stop};
    struct adu_fetched fetched;
    char why[sizeof f->wrong];
    if (!adu_fetch(&what, &fetched, why) ||
        !adu_crl_read(f->url, fetched.bytes, fetched.length, f->settings->issuers, &f->made, why)) {
        snprintf(f->wrong, sizeof f->wrong, "%s", why);
    } else if (is_rolled_back(f)) {
        snprintf(f->wrong, sizeof f->wrong, "it is older than the one that was there before");
        adu_crl_list_clear(&f->made);
    } else if ((!keep_what_is_the_same(f) || !f->kept) && f->kept_path != NULL) {
        f->kept = adu_crl_keep(f->kept_path, fetched.bytes, fetched.length, &f->not_kept);
    }
    free(fetched.bytes);
}

static void run(struct adu_job *job)
{
    struct fetch *f = (struct fetch *)job;
    if (f->from_disk) {
        read_kept(f);
    } else {
        fetch_it(f);
    }
}

/* Until the next one: sooner where a list will have ended by then, but never hastily. */
static int64_t wait_of(const struct adu_crl_settings *s, const struct adu_crl_address *address,
                       int64_t wall_ms)
{
    const int64_t soon = s->refetch_ms < SOON_MS ? s->refetch_ms : SOON_MS;
    int64_t wait = address->wrong[0] != '\0' ? soon : s->refetch_ms;
    for (size_t i = 0; i < address->lists.count; i++) {
        const struct adu_crl *crl = address->lists.crls[i];
        const int64_t life = adu_crl_until_ms(crl) - adu_crl_from_ms(crl);
        const int64_t left = adu_crl_until_ms(crl) - life / 10 - wall_ms;
        wait = left < wait ? left : wait;
    }
    return wait > soon ? wait : soon;
}

static void put_in_place(struct adu_crl_live *live, struct adu_crl_address *address,
                         struct fetch *f)
{
    const struct adu_crl_list old = address->lists;
    address->lists = f->made; /* the swap */
    address->kept = f->kept;
    f->made = old;
    adu_crl_tell_taken(live, &address->lists, &old);
}

static void say(struct adu_crl_live *live, enum adu_log_level level, const char *url,
                const char *what, const char *why)
{
    char text[ADU_ERROR_TEXT + 600];
    snprintf(text, sizeof text, "CRL %.400s %s%s", url, what, why);
    live->call->outlet->log(live->call->outlet->context, level, text);
}

/* The address itself is asked at once. */
static void take_kept(struct adu_crl_live *live, struct adu_crl_address *address, struct fetch *f)
{
    address->busy = false;
    address->looked = true;
    address->due_ms = 0;
    if (f->wrong[0] != '\0') {
        live->call->counters->crls_refused++;
        say(live, ADU_LOG_WARNING, f->url, "as it was kept cannot be used: ", f->wrong);
    } else if (f->made.count > 0) {
        say(live, ADU_LOG_NOTICE, f->url, "begins as it was kept", "");
        f->kept = true;
        put_in_place(live, address, f);
    }
}

static void take(struct adu_crl_live *live, struct adu_crl_address *address, struct fetch *f)
{
    const struct adu_stage_call *call = live->call;
    address->busy = false;
    live->alarms.due_ms = 0;
    memcpy(address->wrong, f->wrong, sizeof address->wrong);
    if (f->wrong[0] != '\0') {
        call->counters->crls_refused++;
    } else {
        put_in_place(live, address, f);
    }
    if (f->not_kept.set) {
        call->counters->state_errors++;
        say(live, ADU_LOG_WARNING, f->url, "cannot be kept for the next start: ", f->not_kept.text);
    }
    address->due_ms = call->now_ms + wait_of(live->settings, address, call->wall_ms);
}

static void done(struct adu_job *job)
{
    struct fetch *f = (struct fetch *)job;
    struct adu_crl_live *live = f->live;
    if (live->call != NULL && live->settings == f->settings) {
        (f->from_disk ? take_kept : take)(live, find(live, f->url), f);
    }
    if (live->call != NULL) {
        adu_crl_let_go(live, NULL, NULL, &f->before);
        adu_crl_let_go(live, f->settings, NULL, &f->made);
    } else { /* the end: nothing waits for us any more, nor is there a worker */
        adu_crl_list_clear(&f->before);
        adu_crl_list_clear(&f->made);
        adu_crl_settings_drop(f->settings);
    }
    job_free(f);
}

static void start(struct adu_crl_live *live, struct adu_crl_address *address)
{
    const char *state_dir = live->call->state_dir;
    struct fetch *f = calloc(1, sizeof *f);
    address->due_ms = live->call->now_ms + SOON_MS;
    if (f != NULL) {
        *f = (struct fetch){
            .job = {.run = run, .done = done},
            .live = live,
            .settings = adu_crl_settings_hold(live->settings),
            .url = address->url,
            .kept_path = state_dir != NULL ? adu_crl_kept_path(state_dir, address->url) : NULL,
            .kept = address->kept};
        f->from_disk = !address->looked && f->kept_path != NULL;
        address->busy = adu_crl_list_add(&f->before, &address->lists) &&
                        adu_worker_submit(live->network, &f->job);
        if (address->busy) {
            return;
        }
        adu_crl_list_clear(&f->before);
        adu_crl_settings_drop(f->settings);
        job_free(f);
    }
    live->call->counters->stage_errors++;
}

void adu_crl_fetch_due(struct adu_crl_live *live)
{
    for (size_t i = 0; i < live->settings->url_count; i++) {
        struct adu_crl_address *address = &live->addresses[i];
        if (!address->busy && live->call->now_ms >= address->due_ms) {
            start(live, address);
        }
    }
}
