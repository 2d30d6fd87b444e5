/* One thing from the network by HTTP: a revocation list, an answer of a responder, a set of keys.
 * Waits, so for workers only. Nothing but http and https is spoken, wherever a redirect points:
 * no file of this machine is ever read. No proxy, no cookie, no password of the environment's. */
#ifndef ADUANA_COMMON_FETCH_H
#define ADUANA_COMMON_FETCH_H

#include "common/api.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { ADU_FETCH_WHY = 160, ADU_FETCH_HOST = 256 };

struct adu_fetch {
    const char *url;
    const void *body; /* NULL: GET, else POST */
    size_t body_length;
    const char *content_type;    /* of the body; NULL: none is named */
    const char *accept;          /* NULL: anything */
    const char *ca_file;         /* PEM, whom to believe over https; NULL: whom this machine does */
    const char *user, *password; /* of Basic authentication; never sent where a redirect leads;
                                    NULL: none */
    size_t most;                 /* bytes that an answer may have */
    long timeout_ms;             /* from beginning to end */
    unsigned redirects_most;     /* a POST that is redirected should be none: 0 */
    const atomic_bool *stop;     /* the process ends: give up within a second; NULL: never */
};

struct adu_fetched {
    unsigned char *bytes; /* freed by the caller, by free(); NULL where nothing came */
    size_t length;
    long status; /* of HTTP; 0: there was no answer */
};

/* True if `url` is one that may be fetched: http:// or https://, a host, and no user or password in
 * it. Otherwise `why`, of ADU_FETCH_WHY bytes, says what is wrong. Any thread, no network. */
ADU_API bool adu_fetch_allows(const char *url, char *why);

/* The host of an address that may be fetched, as it will be looked for. false if there is none, or
 * if it is too long. Any thread, no network. */
ADU_API bool adu_fetch_host(const char *url, char host[ADU_FETCH_HOST]);

/* True if an answer with status 200 came whole and within its limits. Otherwise `why`, of
 * ADU_FETCH_WHY bytes, which holds neither the address nor anything that was sent. Any thread but
 * the broker's. */
ADU_API bool adu_fetch(const struct adu_fetch *what, struct adu_fetched *fetched, char *why);

#endif
