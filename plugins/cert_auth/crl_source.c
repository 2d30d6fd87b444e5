/* The lists of the running policy: workers keep them up to date, a tick puts what they found in
 * place, a log-in asks them. */
#include "plugins/cert_auth/crl_source.h"
#include "plugins/cert_auth/crl_live.h"
#include <stdio.h>
#include <stdlib.h>

enum { ALARMS_MS = 1000 };

/* --- its life --- */

static void clear_addresses(struct adu_crl_live *live)
{
    for (size_t i = 0; live->addresses != NULL && i < live->settings->url_count; i++) {
        adu_crl_list_clear(&live->addresses[i].lists);
    }
    free(live->addresses);
}

static void live_free(void *thing)
{
    struct adu_crl_live *live = thing;
    if (live == NULL) {
        return;
    }
    atomic_store(&live->stop, true);
    adu_worker_free(live->network);
    adu_worker_free(live->files);
    clear_addresses(live);
    adu_crl_shelf_drop(live->shelf);
    adu_crl_settings_drop(live->settings);
    free(live);
}

static void *live_new(void)
{
    struct adu_crl_live *live = calloc(1, sizeof *live);
    if (live != NULL) {
        live->files = adu_worker_new();
        live->network = adu_worker_new();
        adu_worker_measure(live->files, ADU_QUEUE_crl);
        adu_worker_measure(live->network, ADU_QUEUE_crl);
        if (live->files != NULL && live->network != NULL) {
            return live;
        }
        live_free(live);
    }
    return NULL;
}

/* Without memory for its addresses the new policy begins without what was fetched. */
static void adopt(void *thing, const void *settings)
{
    struct adu_crl_live *live = thing;
    struct adu_crl_settings *fresh = settings != NULL ? adu_crl_settings_hold(settings) : NULL;
    struct adu_crl_address *addresses = fresh != NULL ? adu_crl_addresses_for(live, fresh) : NULL;
    for (size_t i = 0; live->addresses != NULL && i < live->settings->url_count; i++) {
        adu_crl_let_go(live, NULL, NULL, &live->addresses[i].lists);
    }
    free(live->addresses);
    live->begun += adu_crl_count_new(fresh != NULL ? fresh->shelf : NULL, live->shelf);
    adu_crl_let_go(live, live->settings, live->shelf, NULL);
    live->settings = fresh;
    live->addresses = addresses;
    live->shelf = fresh != NULL ? adu_crl_shelf_hold(fresh->shelf) : NULL;
    live->rechecking = false;
    live->recheck_ms = 0; /* at once: its files were read some time ago */
    live->alarms.due_ms = 0;
}

/* --- time passes --- */

static void alarm_of_unreadable(struct adu_crl_live *live)
{
    char text[480];
    size_t origin;
    const char *wrong = live->settings != NULL ? adu_crl_shelf_wrong(live->shelf, &origin) : NULL;
    if (wrong != NULL) {
        snprintf(text, sizeof text, "CRL %s; what was known before counts", wrong);
    }
    for (size_t i = 0; live->addresses != NULL && i < live->settings->url_count; i++) {
        const struct adu_crl_address *address = &live->addresses[i];
        if (wrong == NULL && address->wrong[0] != '\0') {
            snprintf(text, sizeof text, "CRL %.200s cannot be had: %.200s", address->url,
                     address->wrong);
            wrong = text;
        }
    }
    adu_crl_alarm_set(&live->alarms.unreadable, live->call, "crl_unreadable", ADU_SEVERITY_WARNING,
                      wrong != NULL ? text : NULL, "every CRL can be had again");
}

/* The worst of them. */
static void alarm_of_ending(struct adu_crl_live *live)
{
    char text[480] = "", one[480];
    enum adu_severity worst = ADU_SEVERITY_WARNING, severity;
    const int count = live->settings != NULL ? sk_X509_num(live->settings->issuers) : 0;
    for (int i = 0; i < count; i++) {
        const struct adu_crl *crl =
            adu_crl_live_latest(live, sk_X509_value(live->settings->issuers, i));
        if (crl != NULL &&
            adu_crl_is_ending(live->settings, crl, live->call->wall_ms, &severity, one,
                              sizeof one) &&
            (text[0] == '\0' || (severity == ADU_SEVERITY_CRITICAL && worst != severity))) {
            worst = severity;
            snprintf(text, sizeof text, "%s", one);
        }
    }
    adu_crl_alarm_set(&live->alarms.ending, live->call, "crl_expiry", worst,
                      text[0] != '\0' ? text : NULL, "no CRL is about to expire any more");
}

static void tick(void *thing, const struct adu_stage_call *call)
{
    struct adu_crl_live *live = thing;
    live->call = call;
    call->counters->crls_taken += live->begun;
    live->begun = 0;
    adu_worker_drain(live->files);
    adu_worker_drain(live->network);
    if (live->settings != NULL && live->addresses == NULL) {
        live->addresses = adu_crl_addresses_for(live, live->settings);
    }
    if (live->settings != NULL && live->addresses != NULL) {
        adu_crl_recheck(live);
        adu_crl_fetch_due(live);
    }
    if (call->now_ms >= live->alarms.due_ms) {
        live->alarms.due_ms = call->now_ms + ALARMS_MS;
        alarm_of_unreadable(live);
        alarm_of_ending(live);
    }
    live->call = NULL;
}

const struct adu_revocation_source adu_crl_source = {
    .name = "crl",
    .compile = adu_crl_settings_compile,
    .live_new = live_new,
    .live_free = live_free,
    .adopt = adopt,
    .ask = adu_crl_ask,
    .tick = tick,
    .doubts = adu_crl_doubts,
};
