/* What responders have said, by certificate, and when to ask them again. Pure: asks nobody, and the
 * time is an argument. One thread. */
#ifndef ADUANA_CERT_AUTH_OCSP_CACHE_H
#define ADUANA_CERT_AUTH_OCSP_CACHE_H

#include "common/hash.h"
#include "common/reason.h"
#include "common/verdict.h"
#include "plugins/cert_auth/ocsp.h"

enum { ADU_OCSP_ENTRIES_MOST = 20000, ADU_OCSP_KEY = 65 };

/* One certificate. */
struct adu_ocsp_entry {
    char fingerprint[ADU_OCSP_KEY]; /* the key: SHA-256 in hexadecimal */
    struct adu_bytes leaf;          /* DER */
    X509 *issuer;
    struct adu_ocsp_answer answer; /* the last usable one; ADU_OCSP_UNUSABLE: there was none */
    char failure[ADU_OCSP_WHY];    /* why the last look-up gave none; "": it did */
    bool asking;                   /* a look-up is under way */
    int64_t seen_ms;               /* monotonic: when somebody with it was last known */
    int64_t due_ms, retry_ms;      /* monotonic: to be asked for, and for a log-in that waits */
    UT_hash_handle hh;
};

struct adu_ocsp_cache;

/* For `most` certificates; where there are more, those that nobody has been seen with for longest
 * make room. NULL when memory is gone. */
struct adu_ocsp_cache *adu_ocsp_cache_new(size_t most);
/* NULL-safe. */
void adu_ocsp_cache_free(struct adu_ocsp_cache *cache);

/* NULL where it is not known. */
struct adu_ocsp_entry *adu_ocsp_cache_find(struct adu_ocsp_cache *cache, const char *fingerprint);

/* Adds one that is not there yet, due at once; copies all. NULL when memory is gone, or all that
 * might make room are being asked about. */
struct adu_ocsp_entry *adu_ocsp_cache_add(struct adu_ocsp_cache *cache, const char *fingerprint,
                                          struct adu_bytes leaf, X509 *issuer, int64_t now_ms);

void adu_ocsp_cache_remove(struct adu_ocsp_cache *cache, struct adu_ocsp_entry *entry);

/* Nothing but what is revoked is believed any longer: other answers are asked for from now on. */
void adu_ocsp_cache_distrust(struct adu_ocsp_cache *cache, int64_t now_ms);

/* None is due later than that. */
void adu_ocsp_cache_hasten(struct adu_ocsp_cache *cache, int64_t due_ms);

/* One that is due, of somebody seen lately; NULL when there is none among the next few. To be
 * called again and again: it goes round all of them, some at each call, and removes those that
 * nobody has been seen with, once their answers are over. */
struct adu_ocsp_entry *adu_ocsp_cache_due(struct adu_ocsp_cache *cache, int64_t now_ms,
                                          int64_t wall_ms);

size_t adu_ocsp_cache_count(const struct adu_ocsp_cache *cache);
/* How many there are whose last look-up gave no usable answer. */
size_t adu_ocsp_cache_failing(const struct adu_ocsp_cache *cache);

/* A look-up has ended with `answer`. The next is due after `refresh_ms`, sooner if the answer ends
 * before or there was none. */
void adu_ocsp_cache_settle(struct adu_ocsp_cache *cache, struct adu_ocsp_entry *entry,
                           const struct adu_ocsp_answer *answer, int64_t refresh_ms, int64_t now_ms,
                           int64_t wall_ms);

/* True if a log-in waits for an answer that may be asked for right now. */
bool adu_ocsp_entry_wanted(const struct adu_ocsp_entry *entry, int64_t now_ms, int64_t wall_ms);

/* True if a responder has said that the certificate is not good. */
bool adu_ocsp_entry_is_bad(const struct adu_ocsp_entry *entry, int64_t wall_ms);

/* ALLOW: good, by an answer that holds. DENY with `why`: it is not, or (where `hard`) nobody says
 * that it is. ABSTAIN: nobody says, and it is let in. Who is in already (`again`) is not thrown out
 * because nobody answers. */
enum adu_verdict adu_ocsp_entry_weigh(const struct adu_ocsp_entry *entry, bool hard, bool again,
                                      int64_t wall_ms, struct adu_reason *why);

#endif
