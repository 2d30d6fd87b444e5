/* Whether a certificate has been revoked since it was issued. Several sources may be asked: lists
 * (crl_source.c), responders (OCSP). Each has its part of "revocation" in cert_auth.json and a
 * state of its own that outlives policies: lists that were fetched, answers that were given. What
 * waits is done on workers of the source's own; their results are applied in its tick. */
#ifndef ADUANA_CERT_AUTH_REVOCATION_H
#define ADUANA_CERT_AUTH_REVOCATION_H

#include "common/stage.h"
#include <openssl/x509.h>

enum { ADU_ISSUERS_MOST = 8 };

/* About one certificate. Everything is borrowed. */
struct adu_revocation_question {
    X509 *leaf; /* NULL: the certificate is described in words, for an inquiry */
    const struct adu_attributes *certificate; /* what it says */
    /* The policy's authorities that may have issued it, by name and key identifier, and by its
     * signature where that leaves several; whose name and key are the same counts once. */
    X509 *issuers[ADU_ISSUERS_MOST];
    size_t issuer_count;
    /* It is judged anew: a session that is there already ends because the certificate has been
     * revoked, not because nobody knows. */
    bool again;
    struct adu_counters *counters;
    int64_t now_ms;  /* monotonic */
    int64_t wall_ms; /* since 1970, UTC */
};

/* "revocation" as the file has it. */
struct adu_revocation_keys {
    const struct adu_json *object; /* all of it */
    const void *before;            /* what the source compiled a moment ago, or NULL */
    const struct adu_json *crl_files, *crl_folders, *crl_urls, *ca_files;
    const char *url_ca_file;
    long recheck_seconds, refetch_seconds, alert_hours, grace_hours;
    int expired, unknown;
    int ocsp, ocsp_nonce;
    const char *ocsp_responder;
    const struct adu_json *ocsp_hosts;
    long ocsp_refresh_seconds, ocsp_timeout_seconds, ocsp_skew_seconds, ocsp_max_age_hours;
};

struct adu_revocation_source {
    const char *name;

    /* Compiles its part of the file. false with c->error set; true with *settings NULL where the
     * file asks nothing of it. Settings live as long as the policy. `issuers` are all certificates
     * of authorities that the policy trusts. Any thread. */
    bool (*compile)(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                    STACK_OF(X509) * issuers, const void **settings);

    /* Its state. All below is for the broker's thread. */
    void *(*live_new)(void);
    void (*live_free)(void *live); /* ends its workers; NULL-safe */

    /* Another policy runs. NULL: it asks nothing of this source. The one before may be freed
     * already, so what the state and its jobs need of settings they hold themselves, by counting
     * references. What was learnt stays as far as the new settings still ask for it. */
    void (*adopt)(void *live, const void *settings);

    /* ALLOW: it is known to be good. ABSTAIN: that is not known, and the policy lets it pass; or
     * the source is not asked. DENY with `why`: revoked, or not known where it must be. Never
     * waits. */
    enum adu_verdict (*ask)(void *live, const struct adu_revocation_question *question,
                            struct adu_reason *why);

    /* Applies what workers found, starts what is due. Then call->outlet->doubt says that somebody's
     * certificate may have been revoked. */
    void (*tick)(void *live, const struct adu_stage_call *call);

    /* True if this certificate, of somebody connected, might be revoked. Quick; may be wrong that
     * way round. */
    bool (*doubts)(void *live, const struct adu_attributes *certificate);
};

/* The compiled "revocation" of a policy. */
struct adu_revocation;

/* `before`: what was compiled of the same files a moment ago, or NULL. NULL with c->error set. */
const struct adu_revocation *adu_revocation_compile(struct adu_compiler *c,
                                                    const struct adu_json *object,
                                                    STACK_OF(X509) * issuers,
                                                    const struct adu_revocation *before);

/* What the stage keeps for the life of the pipeline. NULL when memory is gone. */
struct adu_revocation_live *adu_revocation_live_new(void);
/* NULL-safe. */
void adu_revocation_live_free(struct adu_revocation_live *live);

/* Each with `policy` NULL where nobody asks for revocation. */

/* DENY with login->why when the certificate is revoked, or must be known not to be and is not. */
enum adu_verdict adu_revocation_judge(const struct adu_revocation *policy,
                                      const struct adu_stage_call *call, struct adu_login *login,
                                      bool in_words);
void adu_revocation_tick(const struct adu_revocation *policy, const struct adu_stage_call *call);
bool adu_revocation_doubts(const struct adu_revocation *policy, const struct adu_stage_call *call,
                           const struct adu_attributes *attributes);

#endif
