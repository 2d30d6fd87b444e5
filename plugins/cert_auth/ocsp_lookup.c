#include "plugins/cert_auth/ocsp_lookup.h"
#include "common/fetch.h"
#include "plugins/cert_auth/certificate.h"
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void fail(struct adu_ocsp_lookup *l, const char *why)
{
    l->answer = (struct adu_ocsp_answer){.status = ADU_OCSP_UNUSABLE};
    snprintf(l->answer.why, sizeof l->answer.why, "%s", why);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void ask(struct adu_ocsp_lookup *l, const struct adu_ocsp_question *question)
{
    const struct adu_bytes body = adu_ocsp_question_bytes(question);
    const struct adu_fetch what = {
        .url = l->url,
        .body = body.bytes,
        .body_length = body.length,
        .content_type = "application/ocsp-request",
        .accept = "application/ocsp-response",
        .ca_file = l->settings->ca_file,
        .most = ADU_OCSP_ANSWER_MOST,
        .timeout_ms = l->settings->timeout_ms,
        .stop = l->stop,
    };
    struct adu_fetched fetched;
    char why[ADU_FETCH_WHY];
    const int64_t since_ms = monotonic_ms();
    if (!adu_fetch(&what, &fetched, why)) {
        fail(l, why);
        return;
    }
    const struct adu_bytes bytes = {.bytes = fetched.bytes, .length = fetched.length};
    adu_ocsp_read(question, bytes, &l->settings->terms, l->wall_ms + monotonic_ms() - since_ms,
                  &l->answer);
    free(fetched.bytes);
}

static void ask_about(struct adu_ocsp_lookup *l, X509 *leaf)
{
    unsigned char nonce[ADU_OCSP_NONCE];
    if (!adu_ocsp_settings_responder(l->settings, leaf, l->url, l->answer.why)) {
        l->url[0] = '\0';
        return;
    }
    if (RAND_bytes(nonce, sizeof nonce) != 1) {
        fail(l, "no nonce can be had");
        return;
    }
    struct adu_ocsp_question *question = adu_ocsp_question_new(leaf, l->issuer, nonce);
    if (question != NULL) {
        ask(l, question);
    } else {
        fail(l, "out of memory");
    }
    adu_ocsp_question_free(question);
}

static void run(struct adu_job *job)
{
    struct adu_ocsp_lookup *l = (struct adu_ocsp_lookup *)job;
    X509 *leaf = NULL;
    if (atomic_load(l->stop)) {
        fail(l, "the broker ends");
    } else if ((leaf = adu_certificate_parse(l->leaf, NULL)) == NULL) {
        fail(l, "out of memory");
    } else {
        ask_about(l, leaf);
    }
    X509_free(leaf);
}

struct adu_ocsp_lookup *adu_ocsp_lookup_new(const struct adu_ocsp_entry *entry,
                                            struct adu_ocsp_settings *settings,
                                            const atomic_bool *stop, int64_t wall_ms,
                                            void (*done)(struct adu_job *job), void *owner)
{
    struct adu_ocsp_lookup *l = calloc(1, sizeof *l);
    if (l == NULL || !adu_bytes_copy(&l->leaf, entry->leaf) || X509_up_ref(entry->issuer) != 1) {
        adu_ocsp_lookup_free(l);
        return NULL;
    }
    l->issuer = entry->issuer;
    l->job = (struct adu_job){.run = run, .done = done};
    l->owner = owner;
    l->settings = adu_ocsp_settings_ref(settings);
    l->stop = stop;
    l->wall_ms = wall_ms;
    snprintf(l->fingerprint, sizeof l->fingerprint, "%s", entry->fingerprint);
    return l;
}

void adu_ocsp_lookup_free(struct adu_ocsp_lookup *lookup)
{
    if (lookup != NULL) {
        adu_ocsp_settings_unref(lookup->settings);
        adu_bytes_clear(&lookup->leaf);
        X509_free(lookup->issuer);
        free(lookup);
    }
}
