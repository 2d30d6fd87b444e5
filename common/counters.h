/* What the bundle counts. One list makes the struct, the names and the JSON. */
#ifndef ADUANA_COMMON_COUNTERS_H
#define ADUANA_COMMON_COUNTERS_H

#include "common/api.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ADU_COUNTERS(X)                                                                            \
    X(logins_accepted)                                                                             \
    X(logins_refused)                                                                              \
    X(logins_revoked)                                                                              \
    X(logins_revocation_unknown)                                                                   \
    X(crls_taken)                                                                                  \
    X(crls_refused)                                                                                \
    X(logins_held)                                                                                 \
    X(logins_from_cache)                                                                           \
    X(logins_locked_out)                                                                           \
    X(logins_in_grace)                                                                             \
    X(logins_by_ending_password)                                                                   \
    X(publish_allowed)                                                                             \
    X(publish_refused)                                                                             \
    X(subscribe_allowed)                                                                           \
    X(subscribe_refused)                                                                           \
    X(receive_allowed)                                                                             \
    X(receive_refused)                                                                             \
    X(wills_refused)                                                                               \
    X(would_refuse)                                                                                \
    X(unknown_sessions)                                                                            \
    X(stage_errors)                                                                                \
    X(alerts_raised)                                                                               \
    X(alerts_cleared)                                                                              \
    X(alerts_delayed)                                                                              \
    X(presence_told)                                                                               \
    X(presence_left_out)                                                                           \
    X(clients_throttled)                                                                           \
    X(clients_disconnected)                                                                        \
    X(clients_quarantined)                                                                         \
    X(publishes_throttled)                                                                         \
    X(logins_quarantined)                                                                          \
    X(sessions_kicked)                                                                             \
    X(policies_loaded)                                                                             \
    X(policies_rejected)                                                                           \
    X(control_commands)                                                                            \
    X(control_refused)                                                                             \
    X(ocsp_lookups)                                                                                \
    X(ocsp_unanswered)                                                                             \
    X(ocsp_let_in)                                                                                 \
    X(ocsp_from_cache)                                                                             \
    X(jwks_fetches)                                                                                \
    X(jwks_failed)                                                                                 \
    X(jwks_from_cache)                                                                             \
    X(jwks_waited)                                                                                 \
    X(state_errors)                                                                                \
    X(decisions_remembered)                                                                        \
    X(metrics_failed)                                                                              \
    X(log_lines_left_out)                                                                          \
    X(audit_written)                                                                               \
    X(audit_dropped)                                                                               \
    X(audit_failed)                                                                                \
    X(certificates_known)                                                                          \
    X(certificates_warn)                                                                           \
    X(certificates_critical)                                                                       \
    X(certificates_expired)                                                                        \
    X(certificates_doubtful)                                                                       \
    X(certificates_untold)                                                                         \
    X(certificates_days_left)

/* Main thread only. Those of certificates are not sums but what there is now, as of the last round
 * through all of them: how many of clients that are connected or were seen lately, how many of
 * those are near their end, past it, or doubtful, how many alerts wait for their turn, and how many
 * whole days the next to end has left (0 where none is known). Those of issuers' keys (jwks) are of
 * the whole process. */
struct adu_counters {
#define X(name) uint64_t name;
    ADU_COUNTERS(X)
#undef X
};

/* A new JSON object with every counter; NULL when memory is gone. */
ADU_API json_t *adu_counters_json(const struct adu_counters *counters);

#endif
