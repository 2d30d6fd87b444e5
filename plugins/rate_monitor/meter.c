#include "plugins/rate_monitor/meter.h"
#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR_S = 3600 };

const struct adu_signal_kind adu_signals[ADU_RATE_KINDS] = {
    [ADU_RATE_PUBLISH] = {"publish_rate", "publish", "max_per_second",
                          "publishes more than max_per_second", "publishes within max_per_second",
                          5, SECOND, ADU_RATE_SUM},
    [ADU_RATE_CONNECT] = {"connection_rate", "connections", "max_per_minute",
                          "connects more often than max_per_minute",
                          "connects within max_per_minute", 60, MINUTE, ADU_RATE_SUM},
    [ADU_RATE_BYTES] = {"bytes_rate", "bytes", "max_per_second",
                        "publishes more bytes than max_per_second",
                        "publishes bytes within max_per_second", 5, SECOND, ADU_RATE_SUM},
    [ADU_RATE_PAYLOAD] = {"payload_size", "payload", "max_bytes",
                          "publishes a payload of more than max_bytes",
                          "publishes payloads within max_bytes", 60, SECOND, ADU_RATE_PEAK},
    [ADU_RATE_DELIVERY] = {"delivery_rate", "deliveries", "max_per_second",
                           "is sent more messages than max_per_second",
                           "is sent messages within max_per_second", 5, SECOND, ADU_RATE_SUM},
    [ADU_RATE_REFUSED] = {"refused_rate", "refused", "max_per_minute",
                          "is refused more often than max_per_minute",
                          "is refused within max_per_minute", 60, MINUTE, ADU_RATE_SUM},
    [ADU_RATE_TOPICS] = {"topic_count", "topics", "max_distinct",
                         "publishes to more topics within an hour than max_distinct",
                         "publishes to topics within max_distinct", 5, SECOND, ADU_RATE_LEVEL},
    [ADU_RATE_LOGIN_FAILURE] = {"login_failure_rate", "login_failures", "max_per_minute",
                                "sees more log-ins fail than max_per_minute",
                                "sees log-ins fail within max_per_minute", 60, MINUTE,
                                ADU_RATE_SUM},
    [ADU_RATE_CONNECTIONS] = {"connections", "connections", "max",
                              "has more clients connected than max",
                              "has clients connected within max", 60, SECOND, ADU_RATE_LEVEL},
};

/* The topics of this hour. */
struct topics {
    struct adu_distinct seen;
    uint32_t since_s;
    bool begun;
};

static struct topics *topics_of(const struct adu_meter *meter)
{
    return (struct topics *)(void *)(meter->slots->of + adu_signals_in(meter->slots->asked));
}

static struct adu_rate_limit limit_of(const struct adu_meter_slot *slot, enum adu_signal signal)
{
    return (struct adu_rate_limit){.most = slot->most,
                                   .window_ms = adu_signals[signal].window_ms,
                                   .form = adu_signals[signal].form};
}

/* --- limits --- */

/* What stays to be looked at: what is asked for, and what is up. */
static unsigned asked_by(const struct adu_meter *meter, const struct adu_rate_limits *limits)
{
    unsigned asked = adu_meter_raised(meter);
    for (int signal = 0; limits != NULL && signal < ADU_RATE_KINDS; signal++) {
        asked |= (unsigned)(limits->of[signal].most > 0) << signal;
    }
    return asked;
}

/* But not that an alert is up. */
static void forget_counts(struct adu_meter_slot *slot)
{
    slot->rate = (struct adu_rate){.raised = slot->rate.raised, .to_tell = slot->rate.to_tell};
}

static void set_slot(struct adu_meter_slot *slot, const struct adu_meter_slot *before,
                     uint32_t most)
{
    if (before != NULL) {
        *slot = *before;
        if (before->most != most) { /* counted in other units, maybe */
            forget_counts(slot);
        }
    }
    slot->most = most;
}

bool adu_meter_set(struct adu_meter *meter, const struct adu_rate_limits *limits)
{
    struct adu_meter fresh;
    const unsigned asked = asked_by(meter, limits);
    const bool topics = (asked >> ADU_RATE_TOPICS & 1) != 0;
    if (asked == 0) {
        adu_meter_clear(meter);
        return true;
    }
    fresh.slots =
        calloc(1, sizeof *fresh.slots + (size_t)adu_signals_in(asked) * sizeof fresh.slots->of[0] +
                      (topics ? sizeof(struct topics) : 0));
    if (fresh.slots == NULL) {
        return false;
    }
    fresh.slots->asked = (uint16_t)asked;
    for (int signal = 0; signal < ADU_RATE_KINDS; signal++) {
        struct adu_meter_slot *slot = adu_meter_slot(&fresh, (enum adu_signal)signal);
        if (slot != NULL) {
            set_slot(slot, adu_meter_slot(meter, (enum adu_signal)signal),
                     limits != NULL ? limits->of[signal].most : 0);
        }
    }
    if (topics && adu_meter_asks(meter, ADU_RATE_TOPICS)) {
        *topics_of(&fresh) = *topics_of(meter);
    }
    adu_meter_clear(meter);
    *meter = fresh;
    return true;
}

void adu_meter_clear(struct adu_meter *meter)
{
    free(meter->slots);
    *meter = (struct adu_meter){0};
}

/* --- counting --- */

static inline bool add(struct adu_meter_slot *slot, enum adu_signal signal, int64_t now_ms,
                       uint32_t amount)
{
    const struct adu_rate_limit limit = limit_of(slot, signal);
    if (adu_rate_add(&slot->rate, &limit, now_ms, amount) != ADU_RATE_RAISED) {
        return false;
    }
    slot->rate.to_tell = true;
    return true;
}

bool adu_meter_add(struct adu_meter *meter, enum adu_signal signal, int64_t now_ms, uint32_t amount)
{
    struct adu_meter_slot *slot = adu_meter_slot(meter, signal);
    return slot != NULL && add(slot, signal, now_ms, amount);
}

/* True when it did. */
static bool begin_hour(struct adu_meter *meter, int64_t now_ms)
{
    struct topics *topics = topics_of(meter);
    const uint32_t now_s = (uint32_t)(now_ms / SECOND);
    if (topics->begun && now_s - topics->since_s < HOUR_S) {
        return false;
    }
    *topics = (struct topics){.since_s = now_s, .begun = true};
    return true;
}

static bool add_topic(struct adu_meter *meter, int64_t now_ms, uint64_t hash)
{
    struct topics *topics = topics_of(meter);
    begin_hour(meter, now_ms);
    return adu_distinct_add(&topics->seen, hash) &&
           adu_meter_add(meter, ADU_RATE_TOPICS, now_ms, adu_distinct_count(&topics->seen));
}

bool adu_meter_publish(struct adu_meter *meter, int64_t now_ms, uint32_t topic, uint32_t payload,
                       uint64_t hash)
{
    if (meter->slots == NULL) {
        return false;
    }
    const uint32_t amounts[] = {
        [ADU_RATE_PUBLISH] = 1,
        [ADU_RATE_BYTES] = topic < UINT32_MAX - payload ? topic + payload : UINT32_MAX,
        [ADU_RATE_PAYLOAD] = payload,
    };
    const unsigned asked = meter->slots->asked;
    struct adu_meter_slot *slot = meter->slots->of;
    bool tell = false;
    for (int signal = 0; signal <= ADU_RATE_PAYLOAD; signal++) {
        if ((asked >> signal & 1) != 0) {
            tell |= signal != ADU_RATE_CONNECT &&
                    add(slot, (enum adu_signal)signal, now_ms, amounts[signal]);
            slot++;
        }
    }
    return (adu_meter_asks(meter, ADU_RATE_TOPICS) && add_topic(meter, now_ms, hash)) || tell;
}

enum adu_rate_change adu_meter_rest(struct adu_meter *meter, enum adu_signal signal, long clear_s,
                                    int64_t now_ms)
{
    struct adu_meter_slot *slot = adu_meter_slot(meter, signal);
    if (slot == NULL || !slot->rate.raised) {
        return ADU_RATE_SAME;
    }
    struct adu_rate_limit limit = limit_of(slot, signal);
    limit.clear_ms = (uint32_t)clear_s * SECOND;
    if (signal == ADU_RATE_TOPICS && begin_hour(meter, now_ms)) {
        adu_rate_add(&slot->rate, &limit, now_ms, 0);
    }
    return adu_rate_rest(&slot->rate, &limit, now_ms);
}

/* --- telling --- */

double adu_meter_value(const struct adu_meter *meter, enum adu_signal signal, int64_t now_ms)
{
    const struct adu_meter_slot *slot = adu_meter_slot(meter, signal);
    if (slot == NULL || slot->most == 0) {
        return 0;
    }
    const struct adu_rate_limit limit = limit_of(slot, signal);
    return (double)adu_rate_value(&slot->rate, &limit, now_ms);
}

static unsigned set_of(const struct adu_meter *meter, bool told)
{
    unsigned set = 0;
    const unsigned asked = meter->slots != NULL ? meter->slots->asked : 0;
    for (int signal = 0; asked >> signal != 0; signal++) {
        const struct adu_meter_slot *slot = adu_meter_slot(meter, (enum adu_signal)signal);
        set |= (unsigned)(slot != NULL && slot->rate.raised && !(told && slot->rate.to_tell))
               << signal;
    }
    return set;
}

unsigned adu_meter_raised(const struct adu_meter *meter)
{
    return set_of(meter, false);
}

unsigned adu_meter_told(const struct adu_meter *meter)
{
    return set_of(meter, true);
}

unsigned adu_meter_above(const struct adu_meter *meter, int64_t now_ms)
{
    const unsigned raised = adu_meter_raised(meter);
    unsigned above = 0;
    for (int signal = 0; raised >> signal != 0; signal++) {
        const enum adu_signal s = (enum adu_signal)signal;
        if ((raised >> signal & 1) != 0 &&
            adu_meter_value(meter, s, now_ms) > adu_meter_slot(meter, s)->most) {
            above |= 1U << signal;
        }
    }
    return above;
}

void adu_meter_begin_anew(struct adu_meter *meter, unsigned signals)
{
    signals &= meter->slots != NULL ? meter->slots->asked : 0;
    for (int signal = 0; signals >> signal != 0; signal++) {
        if ((signals >> signal & 1) != 0) {
            forget_counts(adu_meter_slot(meter, (enum adu_signal)signal));
        }
    }
    if ((signals >> ADU_RATE_TOPICS & 1) != 0) {
        *topics_of(meter) = (struct topics){0};
    }
}
