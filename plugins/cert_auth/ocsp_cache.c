#include "plugins/cert_auth/ocsp_cache.h"
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A responder is asked again soon for a client that waits, and at leisure for one that does not. */
enum { SOON_MS = 5 * 1000, LEISURE_MS = 60 * 1000, LEAST_MS = 1000 };
/* Nobody has been seen with it for that long: there is nobody to ask for. */
enum { SEEN_MS = 30 * 60 * 1000 };
enum { LOOKED_AT_A_CALL = 500, VICTIMS = 64 };

struct adu_ocsp_cache {
    struct adu_ocsp_entry *entries; /* uthash */
    struct adu_ocsp_entry *cursor;  /* the next to be looked at; NULL: the first */
    size_t most, failing;
};

struct adu_ocsp_cache *adu_ocsp_cache_new(size_t most)
{
    struct adu_ocsp_cache *cache = calloc(1, sizeof *cache);
    if (cache != NULL) {
        cache->most = most;
    }
    return cache;
}

static void entry_free(struct adu_ocsp_entry *entry)
{
    X509_free(entry->issuer);
    adu_bytes_clear(&entry->leaf);
    free(entry);
}

void adu_ocsp_cache_remove(struct adu_ocsp_cache *cache, struct adu_ocsp_entry *entry)
{
    if (cache->cursor == entry) {
        cache->cursor = entry->hh.next;
    }
    cache->failing -= entry->failure[0] != '\0';
    HASH_DEL(cache->entries, entry);
    entry_free(entry);
}

void adu_ocsp_cache_free(struct adu_ocsp_cache *cache)
{
    while (cache != NULL && cache->entries != NULL) {
        adu_ocsp_cache_remove(cache, cache->entries);
    }
    free(cache);
}

size_t adu_ocsp_cache_count(const struct adu_ocsp_cache *cache)
{
    return HASH_COUNT(cache->entries);
}

size_t adu_ocsp_cache_failing(const struct adu_ocsp_cache *cache)
{
    return cache->failing;
}

struct adu_ocsp_entry *adu_ocsp_cache_find(struct adu_ocsp_cache *cache, const char *fingerprint)
{
    struct adu_ocsp_entry *entry;
    HASH_FIND_STR(cache->entries, fingerprint, entry);
    return entry;
}

/* --- room --- */

static struct adu_ocsp_entry *step(struct adu_ocsp_cache *cache)
{
    struct adu_ocsp_entry *entry = cache->cursor != NULL ? cache->cursor : cache->entries;
    cache->cursor = entry != NULL ? entry->hh.next : NULL;
    return entry;
}

/* Of the next few the one that nobody has been seen with for longest. */
static bool make_room(struct adu_ocsp_cache *cache)
{
    struct adu_ocsp_entry *victim = NULL;
    if (adu_ocsp_cache_count(cache) < cache->most) {
        return true;
    }
    for (int i = 0; i < VICTIMS; i++) {
        struct adu_ocsp_entry *entry = step(cache);
        if (entry != NULL && !entry->asking &&
            (victim == NULL || entry->seen_ms < victim->seen_ms)) {
            victim = entry;
        }
    }
    if (victim != NULL) {
        adu_ocsp_cache_remove(cache, victim);
    }
    return victim != NULL;
}

struct adu_ocsp_entry *adu_ocsp_cache_add(struct adu_ocsp_cache *cache, const char *fingerprint,
                                          struct adu_bytes leaf, X509 *issuer, int64_t now_ms)
{
    if (strlen(fingerprint) >= ADU_OCSP_KEY || !make_room(cache)) {
        return NULL;
    }
    struct adu_ocsp_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL || !adu_bytes_copy(&entry->leaf, leaf) || X509_up_ref(issuer) != 1) {
        if (entry != NULL) {
            entry_free(entry);
        }
        return NULL;
    }
    entry->issuer = issuer;
    entry->seen_ms = entry->due_ms = entry->retry_ms = now_ms;
    snprintf(entry->fingerprint, sizeof entry->fingerprint, "%s", fingerprint);
    HASH_ADD_STR(cache->entries, fingerprint, entry);
    if (entry->hh.tbl == NULL) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

/* --- when to ask --- */

static bool holds(const struct adu_ocsp_entry *entry, int64_t wall_ms)
{
    return entry->answer.status != ADU_OCSP_UNUSABLE && wall_ms < entry->answer.until_ms;
}

void adu_ocsp_cache_distrust(struct adu_ocsp_cache *cache, int64_t now_ms)
{
    for (struct adu_ocsp_entry *entry = cache->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->answer.status != ADU_OCSP_REVOKED) {
            entry->answer = (struct adu_ocsp_answer){.status = ADU_OCSP_UNUSABLE};
        }
        entry->due_ms = entry->retry_ms = now_ms;
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void adu_ocsp_cache_hasten(struct adu_ocsp_cache *cache, int64_t due_ms)
{
    for (struct adu_ocsp_entry *entry = cache->entries; entry != NULL; entry = entry->hh.next) {
        entry->due_ms = least(entry->due_ms, due_ms);
    }
}

/* Few are looked at in a call: a broker's turn is short. */
struct adu_ocsp_entry *adu_ocsp_cache_due(struct adu_ocsp_cache *cache, int64_t now_ms,
                                          int64_t wall_ms)
{
    for (size_t i = adu_ocsp_cache_count(cache), left = LOOKED_AT_A_CALL; i > 0 && left > 0;
         i--, left--) {
        struct adu_ocsp_entry *entry = step(cache);
        const bool seen = now_ms - entry->seen_ms < SEEN_MS;
        if (entry->asking) {
            continue;
        }
        if (seen && entry->due_ms <= now_ms) {
            return entry;
        }
        if (!seen && !holds(entry, wall_ms)) {
            adu_ocsp_cache_remove(cache, entry);
        }
    }
    return NULL;
}

/* Before it ends, so that its successor is there in time. */
static int64_t refresh_after(const struct adu_ocsp_answer *answer, int64_t refresh_ms,
                             int64_t wall_ms)
{
    const int64_t left = (answer->until_ms - wall_ms) * 3 / 4, after = least(refresh_ms, left);
    return after > LEAST_MS ? after : LEAST_MS;
}

/* Who can keep the answer from coming can put an older one in its place, where no nonce is asked
 * for. */
static bool takes_back(const struct adu_ocsp_answer *known, const struct adu_ocsp_answer *answer)
{
    return known->status == ADU_OCSP_REVOKED && answer->status != ADU_OCSP_REVOKED &&
           answer->from_ms <= known->from_ms;
}

void adu_ocsp_cache_settle(struct adu_ocsp_cache *cache, struct adu_ocsp_entry *entry,
                           const struct adu_ocsp_answer *answer, int64_t refresh_ms, int64_t now_ms,
                           int64_t wall_ms)
{
    const bool older = takes_back(&entry->answer, answer);
    const bool usable = answer->status != ADU_OCSP_UNUSABLE && !older;
    cache->failing -= entry->failure[0] != '\0';
    cache->failing += !usable;
    entry->asking = false;
    entry->retry_ms = now_ms + SOON_MS;
    if (usable) {
        entry->answer = *answer;
        entry->failure[0] = '\0';
    } else {
        snprintf(entry->failure, sizeof entry->failure, "%s",
                 older ? "it is older than the one that says revoked" : answer->why);
    }
    entry->due_ms = now_ms + (usable && answer->status != ADU_OCSP_UNKNOWN
                                  ? refresh_after(answer, refresh_ms, wall_ms)
                                  : least(refresh_ms, LEISURE_MS));
}

bool adu_ocsp_entry_wanted(const struct adu_ocsp_entry *entry, int64_t now_ms, int64_t wall_ms)
{
    const bool known = holds(entry, wall_ms) && entry->answer.status != ADU_OCSP_UNKNOWN;
    return !entry->asking && !known && entry->retry_ms <= now_ms;
}

/* --- what follows --- */

bool adu_ocsp_entry_is_bad(const struct adu_ocsp_entry *entry, int64_t wall_ms)
{
    return entry->answer.status == ADU_OCSP_REVOKED || /* until somebody says otherwise */
           (entry->answer.status == ADU_OCSP_UNKNOWN && holds(entry, wall_ms));
}

static enum adu_verdict refuse(struct adu_reason *why, const char *text, const char *detail)
{
    why->text = text;
    snprintf(why->detail, sizeof why->detail, "%s", detail);
    return ADU_DENY;
}

static enum adu_verdict refuse_bad(const struct adu_ocsp_entry *entry, struct adu_reason *why)
{
    if (entry->answer.status != ADU_OCSP_REVOKED) {
        return refuse(why, "its certificate is not known to the responder of its authority (OCSP)",
                      "");
    }
    why->text = "its certificate has been revoked:";
    snprintf(why->detail, sizeof why->detail, "%.100s, says the responder (OCSP)",
             entry->answer.why);
    return ADU_DENY;
}

enum adu_verdict adu_ocsp_entry_weigh(const struct adu_ocsp_entry *entry, bool hard, bool again,
                                      int64_t wall_ms, struct adu_reason *why)
{
    if (adu_ocsp_entry_is_bad(entry, wall_ms)) {
        return refuse_bad(entry, why);
    }
    if (holds(entry, wall_ms)) {
        return ADU_ALLOW;
    }
    if (again || !hard) {
        return ADU_ABSTAIN;
    }
    return entry->failure[0] == '\0'
               ? refuse(why,
                        "its responder is being asked whether its certificate has been revoked "
                        "(OCSP); it may come again",
                        "")
               : refuse(why, "nobody says whether its certificate has been revoked (OCSP):",
                        entry->failure);
}
