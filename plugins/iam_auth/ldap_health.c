#include "plugins/iam_auth/ldap_health.h"
#include <stdbool.h>

static void wait_again(struct adu_ldap_health *health, int64_t now_ms)
{
    int64_t wait = ADU_LDAP_RETRY_MS;
    for (unsigned i = 1; i < health->failures && wait < ADU_LDAP_RETRY_MOST_MS; i++) {
        wait *= 2;
    }
    health->retry_ms = now_ms + (wait < ADU_LDAP_RETRY_MOST_MS ? wait : ADU_LDAP_RETRY_MOST_MS);
}

void adu_ldap_health_failed(struct adu_ldap_health *health, int64_t now_ms)
{
    health->failures++;
    wait_again(health, now_ms);
}

void adu_ldap_health_order(struct adu_ldap_health *servers, size_t count, int64_t now_ms,
                           size_t *order)
{
    size_t first = 0, last;
    for (size_t i = 0; i < count; i++) {
        if (servers[i].failures == 0) {
            order[first++] = i;
        } else if (servers[i].retry_ms <= now_ms) {
            order[first++] = i;
            wait_again(&servers[i], now_ms);
        }
    }
    /* Of those that failed, in the order of the policy. */
    last = first;
    for (size_t i = 0; i < count; i++) {
        bool taken = false;
        for (size_t k = 0; k < first; k++) {
            taken = taken || order[k] == i;
        }
        if (!taken) {
            order[last++] = i;
        }
    }
}
