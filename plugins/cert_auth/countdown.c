#include "plugins/cert_auth/countdown.h"
#include "common/reader.h"

enum { RSA_LEAST = 2048, EC_LEAST = 256 };

static const int64_t day_ms = INT64_C(86400) * 1000;

const struct adu_countdown adu_countdown_default = {
    .warn_days = 30, .critical_days = 7, .recent_days = 30};

static const struct adu_field fields[] = {
    ADU_FIELD(struct adu_countdown, warn_days, INTEGER, .minimum = 0, .maximum = 3650),
    ADU_FIELD(struct adu_countdown, critical_days, INTEGER, .minimum = 0, .maximum = 3650),
    ADU_FIELD(struct adu_countdown, lifetime_most_days, INTEGER, .minimum = 1, .maximum = 36500),
    ADU_FIELD(struct adu_countdown, recent_days, INTEGER, .minimum = 1, .maximum = 3650),
    {0},
};

bool adu_countdown_compile(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_countdown *countdown)
{
    *countdown = adu_countdown_default;
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, fields, countdown, c->error)) {
        return false;
    }
    countdown->place = adu_compiler_place(c, &object->key_place);
    return countdown->critical_days <= countdown->warn_days ||
           adu_json_error(object, c->error, "critical_days %ld is more than warn_days %ld",
                          countdown->critical_days, countdown->warn_days);
}

static unsigned findings_of(const struct adu_countdown *countdown,
                            const struct adu_certificate_sight *sight)
{
    const struct adu_certificate_facts *facts = sight->facts;
    const bool found[ADU_CERTIFICATE_FINDING_COUNT] = {
        [ADU_CERTIFICATE_WEAK_KEY] = (facts->key == ADU_KEY_RSA && facts->key_bits < RSA_LEAST) ||
                                     (facts->key == ADU_KEY_EC && facts->key_bits < EC_LEAST),
        [ADU_CERTIFICATE_WEAK_SIGNATURE] = facts->weak_signature,
        [ADU_CERTIFICATE_LONG_LIFETIME] =
            countdown->lifetime_most_days > 0 &&
            facts->until_ms - facts->from_ms > countdown->lifetime_most_days * day_ms,
        [ADU_CERTIFICATE_SHARED] = sight->shared,
    };
    unsigned set = 0;
    for (unsigned i = 0; i < ADU_CERTIFICATE_FINDING_COUNT; i++) {
        set |= (unsigned)found[i] << i;
    }
    return set;
}

/* 0 on the last day, -1 on the first after it. */
static int64_t whole_days(int64_t left_ms)
{
    return left_ms / day_ms - (left_ms % day_ms < 0);
}

void adu_countdown_assess(const struct adu_countdown *countdown,
                          const struct adu_certificate_sight *sight, int64_t wall_ms,
                          struct adu_certificate_health *health)
{
    const int64_t left_ms = sight->facts->until_ms - wall_ms;
    *health = (struct adu_certificate_health){
        .watched = sight->away_ms <= countdown->recent_days * day_ms,
        .days_left = whole_days(left_ms),
        .findings = findings_of(countdown, sight),
        .rule = countdown->place.file != NULL ? &countdown->place : NULL,
    };
    if (left_ms <= 0) {
        health->level = ADU_CERTIFICATE_EXPIRED;
    } else if (left_ms <= countdown->critical_days * day_ms) {
        health->level = ADU_CERTIFICATE_CRITICAL;
        health->days_limit = countdown->critical_days;
    } else if (left_ms <= countdown->warn_days * day_ms) {
        health->level = ADU_CERTIFICATE_WARN;
        health->days_limit = countdown->warn_days;
    }
}
