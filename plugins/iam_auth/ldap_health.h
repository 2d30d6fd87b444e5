/* Which server to ask first: those that have failed lately come last, but none is ever left out.
 * Pure. */
#ifndef ADUANA_IAM_AUTH_LDAP_HEALTH_H
#define ADUANA_IAM_AUTH_LDAP_HEALTH_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: nothing bad is known. Times are of adu_ldap_now_ms. */
struct adu_ldap_health {
    unsigned failures; /* one after the other */
    int64_t retry_ms;  /* until then, others are asked first */
};

enum { ADU_LDAP_RETRY_MS = 1000, ADU_LDAP_RETRY_MOST_MS = 60000 };

void adu_ldap_health_failed(struct adu_ldap_health *health, int64_t now_ms);

/* Writes the numbers of `servers` in the order in which to ask them. A server that failed and whose
 * time has come is in its old place for this one asker, and in the last for those who come before
 * it has answered: one of them is enough to try. */
void adu_ldap_health_order(struct adu_ldap_health *servers, size_t count, int64_t now_ms,
                           size_t *order);

#endif
