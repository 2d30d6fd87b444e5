#include "plugins/cert_auth/ocsp_source.h"
#include "plugins/cert_auth/ocsp_lookup.h"
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 4, LOOKUPS_MOST = 64 };
/* How often it is asked who is still there, and how long nothing must fail to be well again. */
enum { ROLL_CALL_MS = 10 * 60 * 1000, WELL_MS = 60 * 1000 };

struct live {
    struct adu_ocsp_settings *settings; /* NULL: nobody asks */
    struct adu_ocsp_cache *cache;
    struct adu_worker *workers[WORKERS];
    size_t turn;    /* of the workers */
    size_t lookups; /* under way */
    atomic_bool stop;
    int64_t now_ms, wall_ms;    /* of the last tick */
    int64_t roll_call_ms;       /* the next */
    bool news;                  /* somebody's certificate is bad */
    uint64_t asked, unanswered; /* to be counted */
    bool troubled;              /* the plant was told that there is no answer */
    int64_t since_ms;           /* wall clock, when that began */
    int64_t failed_ms;
    char trouble[ADU_OCSP_URL + ADU_OCSP_WHY + 2]; /* of the last that failed */
};

static void release(void *settings)
{
    adu_ocsp_settings_unref(settings);
}

static bool compile(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                    STACK_OF(X509) * issuers, const void **settings)
{
    struct adu_ocsp_settings *made;
    (void)issuers;
    if (!adu_ocsp_settings_compile(c, keys, &made)) {
        return false;
    }
    *settings = made;
    return made == NULL || adu_arena_at_free(c->arena, release, made) ||
           adu_error_no_memory(c->error);
}

/* --- the live part --- */

static void live_free(void *thing)
{
    struct live *live = thing;
    if (live == NULL) {
        return;
    }
    atomic_store(&live->stop, true);
    for (int i = 0; i < WORKERS; i++) {
        adu_worker_free(live->workers[i]); /* what is under way gives up, and is done with */
    }
    adu_ocsp_cache_free(live->cache);
    adu_ocsp_settings_unref(live->settings);
    free(live);
}

static void *live_new(void)
{
    struct live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        return NULL;
    }
    atomic_init(&live->stop, false);
    bool good = (live->cache = adu_ocsp_cache_new(ADU_OCSP_ENTRIES_MOST)) != NULL;
    for (int i = 0; i < WORKERS; i++) {
        good = (live->workers[i] = adu_worker_new()) != NULL && good;
        adu_worker_measure(live->workers[i], ADU_QUEUE_ocsp);
    }
    if (!good) {
        live_free(live);
        return NULL;
    }
    return live;
}

static void adopt(void *thing, const void *settings)
{
    struct live *live = thing;
    struct adu_ocsp_settings *fresh = (struct adu_ocsp_settings *)settings;
    if (fresh != NULL &&
        (live->settings == NULL || !adu_ocsp_settings_agree(fresh, live->settings))) {
        adu_ocsp_cache_distrust(live->cache, live->now_ms);
    } else if (fresh != NULL) {
        adu_ocsp_cache_hasten(live->cache, live->now_ms + fresh->refresh_ms);
    }
    adu_ocsp_settings_ref(fresh);
    adu_ocsp_settings_unref(live->settings);
    live->settings = fresh;
}

/* --- looking up --- */

static void note_failure(struct live *live, const struct adu_ocsp_lookup *l, const char *why)
{
    live->unanswered++;
    live->failed_ms = live->now_ms;
    snprintf(live->trouble, sizeof live->trouble, "%s%s%s", l->url, l->url[0] != '\0' ? ": " : "",
             why);
}

static void apply(struct live *live, const struct adu_ocsp_lookup *l, struct adu_ocsp_entry *entry)
{
    const bool was_bad = adu_ocsp_entry_is_bad(entry, live->wall_ms);
    adu_ocsp_cache_settle(live->cache, entry, &l->answer, l->settings->refresh_ms, live->now_ms,
                          live->wall_ms);
    if (entry->failure[0] != '\0') {
        note_failure(live, l, entry->failure);
    }
    live->news = live->news || (!was_bad && adu_ocsp_entry_is_bad(entry, live->wall_ms));
}

/* While it was under way the certificate may have been forgotten, or the policy have changed. */
static void done(struct adu_job *job)
{
    struct adu_ocsp_lookup *l = (struct adu_ocsp_lookup *)job;
    struct live *live = l->owner;
    struct adu_ocsp_entry *entry = adu_ocsp_cache_find(live->cache, l->fingerprint);
    live->lookups--;
    if (entry != NULL && X509_cmp(entry->issuer, l->issuer) == 0) {
        if (live->settings != NULL && adu_ocsp_settings_agree(live->settings, l->settings)) {
            apply(live, l, entry);
        } else {
            entry->asking = false; /* and still due */
        }
    }
    adu_ocsp_lookup_free(l);
}

/* false when no more can be begun for now; it stays due. */
static bool look_up(struct live *live, struct adu_ocsp_entry *entry, int64_t now_ms,
                    int64_t wall_ms)
{
    entry->due_ms = now_ms;
    struct adu_ocsp_lookup *l =
        live->lookups < LOOKUPS_MOST
            ? adu_ocsp_lookup_new(entry, live->settings, &live->stop, wall_ms, done, live)
            : NULL;
    if (l == NULL || !adu_worker_submit(live->workers[live->turn++ % WORKERS], &l->job)) {
        adu_ocsp_lookup_free(l);
        return false;
    }
    entry->asking = true;
    live->lookups++;
    live->asked++;
    return true;
}

/* --- asking --- */

/* Of those that may have issued it by their name, the one that has. */
static X509 *issuer_of(const struct adu_revocation_question *q)
{
    X509 *found = NULL;
    ERR_set_mark();
    for (size_t i = 0; found == NULL && i < q->issuer_count; i++) {
        if (X509_verify(q->leaf, X509_get0_pubkey(q->issuers[i])) == 1) {
            found = q->issuers[i];
        }
    }
    ERR_pop_to_mark();
    return found;
}

/* Its issuer is still one whose word counts. */
static bool is_trusted(const struct adu_revocation_question *q, const struct adu_ocsp_entry *entry)
{
    for (size_t i = 0; i < q->issuer_count; i++) {
        if (q->issuers[i] == entry->issuer || X509_cmp(q->issuers[i], entry->issuer) == 0) {
            return true;
        }
    }
    return false;
}

/* What is known of the certificate, which from now on is asked about. NULL with why->text where
 * nobody can be asked. */
static struct adu_ocsp_entry *entry_of(struct live *live, const struct adu_revocation_question *q,
                                       const char *fingerprint, struct adu_reason *why)
{
    struct adu_ocsp_entry *entry = adu_ocsp_cache_find(live->cache, fingerprint);
    if (entry != NULL && is_trusted(q, entry)) {
        return entry;
    }
    if (entry != NULL) {
        adu_ocsp_cache_remove(live->cache, entry);
    }
    X509 *issuer = issuer_of(q);
    if (issuer == NULL) {
        why->text = "no authority that the policy knows has issued its certificate, so nobody can "
                    "be asked whether it has been revoked (OCSP)";
        return NULL;
    }
    struct adu_bytes der = {0};
    const int length = i2d_X509(q->leaf, &der.bytes);
    der.length = length > 0 ? (size_t)length : 0;
    entry =
        length > 0 ? adu_ocsp_cache_add(live->cache, fingerprint, der, issuer, q->now_ms) : NULL;
    OPENSSL_free(der.bytes);
    if (entry == NULL) {
        why->text = "out of memory, or too many certificates are asked about (OCSP)";
    }
    return entry;
}

/* Counts the log-in; who is in already has been counted. */
static void count_login(struct adu_counters *counters, enum adu_verdict verdict, bool bad)
{
    counters->ocsp_from_cache += bad || verdict == ADU_ALLOW;
    counters->logins_revoked += bad;
    counters->logins_revocation_unknown += !bad && verdict != ADU_ALLOW;
    counters->ocsp_let_in += verdict == ADU_ABSTAIN;
}

static enum adu_verdict ask_about(struct live *live, const struct adu_revocation_question *q,
                                  const char *fingerprint, struct adu_reason *why)
{
    struct adu_ocsp_entry *entry = entry_of(live, q, fingerprint, why);
    enum adu_verdict verdict = q->again || !live->settings->hard ? ADU_ABSTAIN : ADU_DENY;
    if (entry != NULL) {
        entry->seen_ms = q->now_ms;
        verdict = adu_ocsp_entry_weigh(entry, live->settings->hard, q->again, q->wall_ms, why);
    }
    if (!q->again) {
        count_login(q->counters, verdict,
                    entry != NULL && adu_ocsp_entry_is_bad(entry, q->wall_ms));
    }
    if (verdict == ADU_DENY) {
        why->rule = &live->settings->place;
    }
    if (entry != NULL && adu_ocsp_entry_wanted(entry, q->now_ms, q->wall_ms)) {
        look_up(live, entry, q->now_ms, q->wall_ms);
    }
    return verdict;
}

/* A certificate in words is nobody's log-in: nobody is asked for it. */
static enum adu_verdict ask_in_words(struct live *live, const struct adu_revocation_question *q,
                                     const char *fingerprint, struct adu_reason *why)
{
    const struct adu_ocsp_entry *entry = adu_ocsp_cache_find(live->cache, fingerprint);
    return entry != NULL ? adu_ocsp_entry_weigh(entry, false, true, q->wall_ms, why) : ADU_ABSTAIN;
}

static enum adu_verdict ask(void *thing, const struct adu_revocation_question *q,
                            struct adu_reason *why)
{
    struct live *live = thing;
    const char *fingerprint =
        q->certificate != NULL ? adu_attributes_single(q->certificate, "cert.fingerprint") : NULL;
    if (live->settings == NULL || (fingerprint == NULL && q->leaf == NULL)) {
        return ADU_ABSTAIN;
    }
    if (fingerprint == NULL) {
        why->text = "its certificate has no fingerprint to remember answers by (OCSP)";
        return ADU_DENY;
    }
    if (q->leaf == NULL) {
        return ask_in_words(live, q, fingerprint, why);
    }
    return ask_about(live, q, fingerprint, why);
}

/* --- time --- */

static void tell(struct live *live, const struct adu_stage_call *call, bool raised,
                 const char *text)
{
    const struct adu_event event = {.kind = "ocsp_unanswered",
                                    .severity = live->settings->hard ? ADU_SEVERITY_CRITICAL
                                                                     : ADU_SEVERITY_WARNING,
                                    .raised = raised,
                                    .since_ms = live->since_ms,
                                    .text = text};
    live->troubled = raised;
    call->outlet->log(call->outlet->context, raised ? ADU_LOG_WARNING : ADU_LOG_NOTICE, text);
    call->outlet->alert(call->outlet->context, &event);
}

/* Once when it begins and once when it has been over for a while. */
static void tell_trouble(struct live *live, const struct adu_stage_call *call)
{
    char text[sizeof live->trouble + 128];
    const size_t failing = adu_ocsp_cache_failing(live->cache);
    if (failing > 0 && !live->troubled) {
        live->since_ms = call->wall_ms;
        snprintf(text, sizeof text, "OCSP: no usable answer, %s: %s",
                 live->settings->hard ? "so log-ins are refused" : "log-ins are let in unasked",
                 live->trouble);
        tell(live, call, true, text);
    } else if (failing == 0 && live->troubled && call->now_ms - live->failed_ms >= WELL_MS) {
        tell(live, call, false, "OCSP: all certificates have an answer again");
    }
}

static void look_up_due(struct live *live, const struct adu_stage_call *call)
{
    struct adu_ocsp_entry *entry;
    while (live->lookups < LOOKUPS_MOST &&
           (entry = adu_ocsp_cache_due(live->cache, call->now_ms, call->wall_ms)) != NULL &&
           look_up(live, entry, call->now_ms, call->wall_ms)) {
    }
}

static void count(struct live *live, struct adu_counters *counters)
{
    counters->ocsp_lookups += live->asked;
    counters->ocsp_unanswered += live->unanswered;
    live->asked = live->unanswered = 0;
}

static void tick(void *thing, const struct adu_stage_call *call)
{
    struct live *live = thing;
    live->now_ms = call->now_ms;
    live->wall_ms = call->wall_ms;
    for (int i = 0; i < WORKERS; i++) {
        adu_worker_drain(live->workers[i]);
    }
    count(live, call->counters);
    if (live->settings == NULL) {
        return;
    }
    look_up_due(live, call);
    tell_trouble(live, call);
    if (live->news || call->now_ms >= live->roll_call_ms) {
        live->news = false;
        live->roll_call_ms = call->now_ms + ROLL_CALL_MS;
        call->outlet->doubt(call->outlet->context);
    }
}

/* Whoever is asked about here is there: that is how it is known whom to look up again. */
static bool doubts(void *thing, const struct adu_attributes *certificate)
{
    struct live *live = thing;
    const char *fingerprint = adu_attributes_single(certificate, "cert.fingerprint");
    struct adu_ocsp_entry *entry =
        fingerprint != NULL ? adu_ocsp_cache_find(live->cache, fingerprint) : NULL;
    if (live->settings == NULL || entry == NULL) {
        return false;
    }
    entry->seen_ms = live->now_ms;
    return adu_ocsp_entry_is_bad(entry, live->wall_ms);
}

const struct adu_revocation_source adu_ocsp_source = {
    .name = "ocsp",
    .compile = compile,
    .live_new = live_new,
    .live_free = live_free,
    .adopt = adopt,
    .ask = ask,
    .tick = tick,
    .doubts = doubts,
};
