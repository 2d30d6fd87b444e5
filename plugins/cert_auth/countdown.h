/* "expiry" of cert_auth.json: when a certificate's end is near, and what else is doubtful in one.
 * Pure: the time is an argument. */
#ifndef ADUANA_CERT_AUTH_COUNTDOWN_H
#define ADUANA_CERT_AUTH_COUNTDOWN_H

#include "common/certificate_health.h"
#include "common/compiler.h"
#include "common/json.h"

struct adu_countdown {
    struct adu_place place; /* without a file: the key is not there */
    long warn_days, critical_days;
    long lifetime_most_days; /* 0: as long as it likes */
    long recent_days;        /* for how long a client that is away is spoken of */
};

extern const struct adu_countdown adu_countdown_default;

/* `object` may be NULL: then all is by default. false with c->error set. */
bool adu_countdown_compile(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_countdown *countdown);

void adu_countdown_assess(const struct adu_countdown *countdown,
                          const struct adu_certificate_sight *sight, int64_t wall_ms,
                          struct adu_certificate_health *health);

#endif
