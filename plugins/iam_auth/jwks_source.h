/* The keys of an issuer that has them at an address: fetched by a thread of their own, ahead of
 * time, and again when a token is signed with a key that is not among them. Outlives policy
 * generations: all that name the same address share one. */
#ifndef ADUANA_IAM_AUTH_JWKS_SOURCE_H
#define ADUANA_IAM_AUTH_JWKS_SOURCE_H

#include "plugins/iam_auth/jwks.h"
#include <stdint.h>

struct adu_jwks_source;

struct adu_jwks_address {
    const char *url;
    const char *ca_file; /* NULL: whom this machine believes */
    int64_t refresh_ms;  /* from one fetch to the next */
    int64_t keep_ms;  /* after which keys are no longer believed that could not be fetched again */
    int64_t again_ms; /* at least, between two fetches for whatever reason */
    long timeout_ms;  /* of one fetch */
};

/* Fetches nothing yet. NULL when memory is gone. Any thread. */
struct adu_jwks_source *adu_jwks_source_open(const struct adu_jwks_address *address);

/* The last one to close it ends the thread, which may take a second. NULL-safe. */
void adu_jwks_source_close(struct adu_jwks_source *source);

/* The keys as they are, or once they have come; end with adu_jwks_free. NULL with `why`, of
 * ADU_JWKS_WHY bytes, if they cannot be had in time. Waits: for workers. */
struct adu_jwks *adu_jwks_source_keys(struct adu_jwks_source *source, char *why);

/* Keys fetched after this call, if it is time for that: at most one fetch each `again_ms`, and one
 * caller waits for it. NULL: not now, or they cannot be had. */
struct adu_jwks *adu_jwks_source_fresher(struct adu_jwks_source *source);

/* What all sources of the process have been asked, and how often they fetched. Any thread. */
struct adu_jwks_use {
    uint64_t at_hand, waited, fetches, failed;
};
struct adu_jwks_use adu_jwks_use(void);

#endif
