/* What is counted of somebody - a client, or many together - against limits: one table says what
 * can be, and only what somebody's limits ask for takes memory. Pure. */
#ifndef ADUANA_RATE_MONITOR_METER_H
#define ADUANA_RATE_MONITOR_METER_H

#include "common/error.h"
#include "plugins/rate_monitor/distinct.h"
#include "plugins/rate_monitor/rate.h"
#include <stddef.h>

enum adu_signal {
    ADU_RATE_PUBLISH,
    ADU_RATE_CONNECT,
    ADU_RATE_BYTES,
    ADU_RATE_PAYLOAD,
    ADU_RATE_DELIVERY,
    ADU_RATE_REFUSED,
    ADU_RATE_TOPICS,
    ADU_RATE_LOGIN_FAILURE, /* of all together only: a log-in that fails is nobody's */
    ADU_RATE_CONNECTIONS,   /* of many together only */
    ADU_RATE_KINDS
};

struct adu_signal_kind {
    const char *kind;            /* of its alert */
    const char *key, *limit_key; /* in the policy */
    const char *more, *within;   /* what is said of who is above the limit, and below again */
    long clear_seconds;          /* where the policy does not say */
    uint32_t window_ms;
    enum adu_rate_form form;
};

extern const struct adu_signal_kind adu_signals[ADU_RATE_KINDS];

/* One that is not asked for has no `most`. */
struct adu_rate_limits {
    struct {
        uint32_t most, clear_s;
        struct adu_place place;
    } of[ADU_RATE_KINDS];
};

struct adu_meter_slot {
    struct adu_rate rate;
    uint32_t most;
};

struct adu_meter_slots {
    uint16_t asked;             /* set of enum adu_signal */
    struct adu_meter_slot of[]; /* those that are asked for, in their order; then the topics */
};

/* Zeroed to begin. */
struct adu_meter {
    struct adu_meter_slots *slots; /* NULL: nothing is asked for */
};

/* By other limits; NULL: none. What was counted for a limit that stays goes on being counted; an
 * alert whose limit is gone stays till adu_meter_rest says that it is over. False when memory is
 * gone: all is as it was. */
bool adu_meter_set(struct adu_meter *meter, const struct adu_rate_limits *limits);
void adu_meter_clear(struct adu_meter *meter);

/* How many are in a set: of a few bits it takes less than a call. */
static inline unsigned adu_signals_in(unsigned set)
{
    set -= set >> 1 & 0x5555U;
    set = (set & 0x3333U) + (set >> 2 & 0x3333U);
    set = (set + (set >> 4)) & 0x0f0fU;
    return (set + (set >> 8)) & 0x1fU;
}

static inline bool adu_meter_asks(const struct adu_meter *meter, enum adu_signal signal)
{
    return meter->slots != NULL && (meter->slots->asked >> signal & 1) != 0;
}

/* NULL: it is not asked for. */
static inline struct adu_meter_slot *adu_meter_slot(const struct adu_meter *meter,
                                                    enum adu_signal signal)
{
    if (!adu_meter_asks(meter, signal)) {
        return NULL;
    }
    return &meter->slots->of[adu_signals_in(meter->slots->asked & ((1U << signal) - 1))];
}

/* So much has happened, or there is. True when something is to be told because of that. Hot. */
bool adu_meter_add(struct adu_meter *meter, enum adu_signal signal, int64_t now_ms,
                   uint32_t amount);

/* A publish, by the hash of its topic, which is looked at only if ADU_RATE_TOPICS is asked for.
 * Hot.
 */
bool adu_meter_publish(struct adu_meter *meter, int64_t now_ms, uint32_t topic, uint32_t payload,
                       uint64_t hash);

/* Nothing has happened: CLEARED when an alert is over, as it has been within its limit for
 * `clear_s` seconds. */
enum adu_rate_change adu_meter_rest(struct adu_meter *meter, enum adu_signal signal, long clear_s,
                                    int64_t now_ms);

double adu_meter_value(const struct adu_meter *meter, enum adu_signal signal, int64_t now_ms);

/* Sets of signals: whose alerts are up, and those of them that have been told. */
unsigned adu_meter_raised(const struct adu_meter *meter);
unsigned adu_meter_told(const struct adu_meter *meter);

/* Those of `raised` whose limit is exceeded at this moment. */
unsigned adu_meter_above(const struct adu_meter *meter, int64_t now_ms);

/* What was counted of these signals is forgotten; alerts that are up stay up. */
void adu_meter_begin_anew(struct adu_meter *meter, unsigned signals);

#endif
