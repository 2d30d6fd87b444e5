/* What cert_auth.json says of revocation lists. Immutable once made and counted by references: a
 * worker may still need it when its policy is gone. */
#ifndef ADUANA_CERT_AUTH_CRL_SETTINGS_H
#define ADUANA_CERT_AUTH_CRL_SETTINGS_H

#include "plugins/cert_auth/crl_shelf.h"
#include "plugins/cert_auth/revocation.h"

struct adu_crl_settings {
    size_t origin_count; /* files first, then folders, in the order of the file */
    struct adu_crl_origin *origins;
    size_t url_count;
    const char **urls;
    const char *url_ca_file; /* NULL: whom the machine believes */
    STACK_OF(X509) * issuers;
    int64_t recheck_ms, refetch_ms;
    int64_t alert_ms; /* before a list ends; 0: a quarter of its life */
    int64_t grace_ms; /* after it; 0: from then on log-ins are refused */
    bool unknown_allowed;
    struct adu_place place;      /* of "revocation" */
    struct adu_crl_shelf *shelf; /* what lay in files and folders when they were read */
};

/* What a source's `compile` does. Reads all files and folders: what is wrong with one is an error.
 */
bool adu_crl_settings_compile(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                              STACK_OF(X509) * issuers, const void **settings);

struct adu_crl_settings *adu_crl_settings_hold(const struct adu_crl_settings *settings);
/* NULL-safe. */
void adu_crl_settings_drop(struct adu_crl_settings *settings);

/* By how much before its end a list is to be alerted of. */
int64_t adu_crl_settings_alert_ms(const struct adu_crl_settings *s, const struct adu_crl *crl);

/* The latest list that speaks for `issuer`, of `lists`, or `best` if that is later. */
const struct adu_crl *adu_crl_latest(const struct adu_crl_list *lists, X509 *issuer,
                                     const struct adu_crl *best);

/* The issuer's common name, or what else there is of a name. Returns `buffer`. */
const char *adu_crl_issuer_name(X509 *issuer, char *buffer, size_t size);

/* RFC 3339, UTC. Returns `buffer`, of ADU_CRL_TIME bytes. */
enum { ADU_CRL_TIME = 32 };
const char *adu_crl_time(int64_t wall_ms, char *buffer);

#endif
