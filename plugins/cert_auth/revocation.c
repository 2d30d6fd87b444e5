#include "plugins/cert_auth/revocation.h"
#include "common/reader.h"
#include "plugins/cert_auth/certificate.h"
#include "plugins/cert_auth/crl_source.h"
#include "plugins/cert_auth/ocsp_settings.h"
#include "plugins/cert_auth/ocsp_source.h"
#include "plugins/cert_auth/pem_file.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

static const struct adu_revocation_source *const sources[] = {&adu_crl_source, &adu_ocsp_source};

enum { SOURCES = sizeof sources / sizeof sources[0] };

struct adu_revocation {
    STACK_OF(X509) * issuers;
    const void *settings[SOURCES];
};

struct adu_revocation_live {
    unsigned long generation; /* of the policy whose settings have been adopted */
    void *of[SOURCES];
};

/* --- compiling --- */

static const char *const expired_names[] = {"refuse", "warn", NULL};
static const char *const unknown_names[] = {"refuse", "allow", NULL};

static const struct adu_field fields[] = {
    ADU_FIELD(struct adu_revocation_keys, crl_files, ARRAY),
    ADU_FIELD(struct adu_revocation_keys, crl_folders, ARRAY),
    ADU_FIELD(struct adu_revocation_keys, crl_urls, ARRAY),
    ADU_FIELD(struct adu_revocation_keys, ca_files, ARRAY),
    ADU_FIELD(struct adu_revocation_keys, url_ca_file, STRING),
    ADU_FIELD(struct adu_revocation_keys, recheck_seconds, INTEGER, .minimum = 1, .maximum = 86400),
    ADU_FIELD(struct adu_revocation_keys, refetch_seconds, INTEGER, .minimum = 1,
              .maximum = 604800),
    ADU_FIELD(struct adu_revocation_keys, alert_hours, INTEGER, .minimum = 1, .maximum = 8784),
    ADU_FIELD(struct adu_revocation_keys, grace_hours, INTEGER, .minimum = 1, .maximum = 8784),
    ADU_FIELD(struct adu_revocation_keys, expired, CHOICE, .choices = expired_names),
    ADU_FIELD(struct adu_revocation_keys, unknown, CHOICE, .choices = unknown_names),
    ADU_FIELD(struct adu_revocation_keys, ocsp, CHOICE, .choices = adu_ocsp_mode_names),
    ADU_FIELD(struct adu_revocation_keys, ocsp_nonce, CHOICE, .choices = adu_ocsp_nonce_names),
    ADU_FIELD(struct adu_revocation_keys, ocsp_responder, STRING),
    ADU_FIELD(struct adu_revocation_keys, ocsp_hosts, ARRAY),
    ADU_FIELD(struct adu_revocation_keys, ocsp_refresh_seconds, INTEGER, .minimum = 1,
              .maximum = 604800),
    ADU_FIELD(struct adu_revocation_keys, ocsp_timeout_seconds, INTEGER, .minimum = 1,
              .maximum = 60),
    ADU_FIELD(struct adu_revocation_keys, ocsp_skew_seconds, INTEGER, .minimum = 0,
              .maximum = 3600),
    ADU_FIELD(struct adu_revocation_keys, ocsp_max_age_hours, INTEGER, .minimum = 1,
              .maximum = 8784),
    {0},
};

static bool take_issuer(void *context, X509 *x509, const char **what)
{
    if (X509_check_ca(x509) == 0) {
        *what = "is no certificate of an authority (basicConstraints CA:TRUE)";
        return false;
    }
    *what = "cannot be used: out of memory";
    return X509_add_cert(context, x509, X509_ADD_FLAG_UP_REF) == 1;
}

static void release(void *thing)
{
    struct adu_revocation *r = thing;
    sk_X509_pop_free(r->issuers, X509_free);
}

const struct adu_revocation *adu_revocation_compile(struct adu_compiler *c,
                                                    const struct adu_json *object,
                                                    STACK_OF(X509) * issuers,
                                                    const struct adu_revocation *before)
{
    struct adu_revocation_keys keys = {
        .object = object,
        .recheck_seconds = 1,
        .refetch_seconds = 3600,
        .grace_hours = 24,
        .ocsp_refresh_seconds = 3600,
        .ocsp_timeout_seconds = 5,
        .ocsp_skew_seconds = 300,
        .ocsp_max_age_hours = 7 * 24,
    };
    struct adu_revocation *r = adu_arena_alloc(c->arena, sizeof *r);
    if (r == NULL || !adu_arena_at_free(c->arena, release, r) ||
        (r->issuers = X509_chain_up_ref(issuers)) == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if (!adu_read_object(object, fields, &keys, c->error)) {
        return NULL;
    }
    if (!adu_pem_read_files(c, keys.ca_files, take_issuer, r->issuers)) {
        return NULL;
    }
    if (sk_X509_num(r->issuers) == 0) {
        adu_json_error(object, c->error,
                       "whose word counts? Name the authorities in \"ca_files\" here, or in "
                       "\"authorities\"");
        return NULL;
    }
    bool any = adu_json_member(object, "ocsp") != NULL; /* it may be off */
    for (size_t i = 0; i < SOURCES; i++) {
        keys.before = before != NULL ? before->settings[i] : NULL;
        if (!sources[i]->compile(c, &keys, r->issuers, &r->settings[i])) {
            return NULL;
        }
        any = any || r->settings[i] != NULL;
    }
    if (!any) {
        adu_json_error(
            object, c->error,
            "names nothing to ask: \"crl_files\", \"crl_folders\", \"crl_urls\" or \"ocsp\"");
        return NULL;
    }
    return r;
}

/* --- the live part --- */

struct adu_revocation_live *adu_revocation_live_new(void)
{
    struct adu_revocation_live *live = calloc(1, sizeof *live);
    bool good = live != NULL;
    for (size_t i = 0; good && i < SOURCES; i++) {
        good = (live->of[i] = sources[i]->live_new()) != NULL;
    }
    if (!good) {
        adu_revocation_live_free(live);
        return NULL;
    }
    return live;
}

void adu_revocation_live_free(struct adu_revocation_live *live)
{
    for (size_t i = 0; live != NULL && i < SOURCES; i++) {
        sources[i]->live_free(live->of[i]);
    }
    free(live);
}

/* A log-in may be the first to come under a policy. */
static struct adu_revocation_live *live_of(const struct adu_revocation *policy,
                                           const struct adu_stage_call *call)
{
    struct adu_revocation_live *live = call->instance;
    if (live->generation != call->generation) {
        live->generation = call->generation;
        for (size_t i = 0; i < SOURCES; i++) {
            sources[i]->adopt(live->of[i], policy != NULL ? policy->settings[i] : NULL);
        }
    }
    return live;
}

/* --- asking --- */

static bool is_same(X509 *a, X509 *b)
{
    return EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;
}

/* Where several have its issuer's name, and it names no key: those who have signed it. */
static void keep_signers(struct adu_revocation_question *q)
{
    size_t kept = 0;
    ERR_set_mark(); /* who has not signed it is an error to OpenSSL */
    for (size_t i = 0; i < q->issuer_count; i++) {
        if (X509_verify(q->leaf, X509_get0_pubkey(q->issuers[i])) == 1) {
            q->issuers[kept++] = q->issuers[i];
        }
    }
    ERR_pop_to_mark();
    q->issuer_count = kept;
}

/* false when there are too many to be sure. */
static bool find_issuers(const struct adu_revocation *policy, struct adu_revocation_question *q)
{
    for (int i = 0; q->leaf != NULL && i < sk_X509_num(policy->issuers); i++) {
        X509 *issuer = sk_X509_value(policy->issuers, i);
        if (X509_check_issued(issuer, q->leaf) != X509_V_OK) {
            continue;
        }
        size_t same = 0;
        while (same < q->issuer_count && !is_same(q->issuers[same], issuer)) {
            same++;
        }
        if (same < q->issuer_count) {
            continue;
        }
        if (q->issuer_count == ADU_ISSUERS_MOST) {
            return false;
        }
        q->issuers[q->issuer_count++] = issuer;
    }
    if (q->issuer_count > 1) {
        keep_signers(q);
    }
    return true;
}

static enum adu_verdict ask_all(struct adu_revocation_live *live,
                                const struct adu_revocation_question *q, struct adu_reason *why)
{
    enum adu_verdict verdict = ADU_ALLOW;
    for (size_t i = 0; i < SOURCES && (verdict == ADU_ALLOW || verdict == ADU_ABSTAIN); i++) {
        verdict = sources[i]->ask(live->of[i], q, why);
    }
    return verdict == ADU_ABSTAIN ? ADU_ALLOW : verdict;
}

enum adu_verdict adu_revocation_judge(const struct adu_revocation *policy,
                                      const struct adu_stage_call *call, struct adu_login *login,
                                      bool in_words)
{
    if (policy == NULL) {
        return ADU_ALLOW;
    }
    struct adu_revocation_question q = {
        .certificate = login->certificate,
        .again = login->again,
        .counters = call->counters,
        .now_ms = call->now_ms,
        .wall_ms = call->wall_ms,
    };
    if (!in_words) {
        q.leaf = adu_certificate_parse(login->shown, login->parsed);
        if (q.leaf == NULL) {
            return ADU_ERROR; /* out of memory: it could be read a moment ago */
        }
    }
    enum adu_verdict verdict = ADU_DENY;
    if (find_issuers(policy, &q)) {
        verdict = ask_all(live_of(policy, call), &q, &login->why);
    } else {
        login->why.text = "too many authorities have its issuer's name";
    }
    X509_free(q.leaf);
    return verdict;
}

void adu_revocation_tick(const struct adu_revocation *policy, const struct adu_stage_call *call)
{
    struct adu_revocation_live *live = live_of(policy, call);
    for (size_t i = 0; i < SOURCES; i++) {
        sources[i]->tick(live->of[i], call);
    }
}

bool adu_revocation_doubts(const struct adu_revocation *policy, const struct adu_stage_call *call,
                           const struct adu_attributes *attributes)
{
    struct adu_revocation_live *live = live_of(policy, call);
    for (size_t i = 0; i < SOURCES; i++) {
        if (sources[i]->doubts(live->of[i], attributes)) {
            return true;
        }
    }
    return false;
}
