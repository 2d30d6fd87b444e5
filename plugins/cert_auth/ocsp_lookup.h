/* One look-up of OCSP: who is to be asked, the question, and what the answer is worth. It waits for
 * the network, so it runs on a worker. */
#ifndef ADUANA_CERT_AUTH_OCSP_LOOKUP_H
#define ADUANA_CERT_AUTH_OCSP_LOOKUP_H

#include "common/worker.h"
#include "plugins/cert_auth/ocsp_cache.h"
#include "plugins/cert_auth/ocsp_settings.h"

struct adu_ocsp_lookup {
    struct adu_job job; /* first */
    void *owner;        /* for `done` */
    struct adu_ocsp_settings *settings;
    const atomic_bool *stop; /* give up */
    char fingerprint[ADU_OCSP_KEY];
    struct adu_bytes leaf;
    X509 *issuer;
    int64_t wall_ms; /* when it was asked for */

    /* The result. */
    char url[ADU_OCSP_URL]; /* "": it was not known whom to ask */
    struct adu_ocsp_answer answer;
};

/* About the entry's certificate; copies all. `done` is called where the worker is drained. NULL
 * when memory is gone. */
struct adu_ocsp_lookup *adu_ocsp_lookup_new(const struct adu_ocsp_entry *entry,
                                            struct adu_ocsp_settings *settings,
                                            const atomic_bool *stop, int64_t wall_ms,
                                            void (*done)(struct adu_job *job), void *owner);

/* NULL-safe. */
void adu_ocsp_lookup_free(struct adu_ocsp_lookup *lookup);

#endif
