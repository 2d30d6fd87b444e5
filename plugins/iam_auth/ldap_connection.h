/* One connection to one server of the directory: always with TLS, whose certificate must be of the
 * CA file and of the server's name; never follows a referral. What waits, waits no longer than its
 * deadline. One thread at a time. */
#ifndef ADUANA_IAM_AUTH_LDAP_CONNECTION_H
#define ADUANA_IAM_AUTH_LDAP_CONNECTION_H

#include "plugins/iam_auth/ldap_link.h"
#include <stdint.h>

enum { ADU_LDAP_WHY = 160 };

enum adu_ldap_status {
    ADU_LDAP_LOST,    /* no usable answer: the connection is good for nothing but adu_ldap_close */
    ADU_LDAP_REFUSED, /* the server said no */
    ADU_LDAP_STOPPED, /* a search found more entries than were wanted, or one that was not */
    ADU_LDAP_DONE
};

/* What became of one step. */
struct adu_ldap_result {
    enum adu_ldap_status status;
    int code;               /* of the server's refusal; RFC 4511, 4.1.9 */
    bool unknown;           /* a bind: the server knows no such user */
    const char *barred;     /* a bind: what is the matter with the account, or NULL */
    bool late;              /* lost because it took too long */
    char why[ADU_LDAP_WHY]; /* printable; never a secret */
};

struct adu_ldap_connection;

/* NULL with result->why. */
struct adu_ldap_connection *adu_ldap_connect(const struct adu_ldap_link *link, const char *url,
                                             int64_t deadline_ms, struct adu_ldap_result *result);

/* Proves that `password`, which must not be empty, is that of `dn`: an empty one would be an
 * unauthenticated bind, which succeeds for everybody (RFC 4513, 5.1.2), and is refused here. */
void adu_ldap_bind(struct adu_ldap_connection *connection, const char *dn, const char *password,
                   int64_t deadline_ms, struct adu_ldap_result *result);

/* A search and who is told what it finds. */
struct adu_ldap_search {
    const char *base;
    int scope; /* LDAP_SCOPE_... */
    const char *filter;
    const char *const *attributes; /* ends with NULL */
    int most;                      /* entries */
    /* An entry, then its values; they live during the call. false stops the search. */
    bool (*entry)(void *context, const char *dn);
    bool (*value)(void *context, const char *attribute, const char *bytes, size_t length);
    void *context;
};

void adu_ldap_search(struct adu_ldap_connection *connection, const struct adu_ldap_search *search,
                     int64_t deadline_ms, struct adu_ldap_result *result);

/* False if an answer may still be on its way, or none will ever come: only to be closed. */
bool adu_ldap_is_usable(const struct adu_ldap_connection *connection);

/* NULL-safe. */
void adu_ldap_close(struct adu_ldap_connection *connection);

#endif
