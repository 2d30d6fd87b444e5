/* What the files that compile rate_monitor.json share: rate_policy.c asks for each part of the file
 * where that is compiled. */
#ifndef ADUANA_RATE_MONITOR_POLICY_PARTS_H
#define ADUANA_RATE_MONITOR_POLICY_PARTS_H

#include "common/reader.h"
#include "plugins/rate_monitor/rate_policy.h"

/* --- rate_policy_limits.c --- */

/* A key for each signal. */
struct adu_rate_limit_keys {
    const struct adu_json *of[ADU_RATE_CONNECTIONS]; /* that of a level has connections' key */
};

/* Of a struct with `struct adu_rate_limit_keys limits`. */
#define ADU_RATE_LIMIT_FIELD(type, limit_key, signal)                                              \
    {                                                                                              \
        .key = limit_key, .kind = ADU_FIELD_OBJECT, .offset = offsetof(type, limits.of[signal])    \
    }

/* Of a client, and of many together. */
#define ADU_RATE_LIMIT_FIELDS(type)                                                                \
    ADU_RATE_LIMIT_FIELD(type, "publish", ADU_RATE_PUBLISH),                                       \
        ADU_RATE_LIMIT_FIELD(type, "connections", ADU_RATE_CONNECT),                               \
        ADU_RATE_LIMIT_FIELD(type, "bytes", ADU_RATE_BYTES),                                       \
        ADU_RATE_LIMIT_FIELD(type, "payload", ADU_RATE_PAYLOAD),                                   \
        ADU_RATE_LIMIT_FIELD(type, "deliveries", ADU_RATE_DELIVERY),                               \
        ADU_RATE_LIMIT_FIELD(type, "refused", ADU_RATE_REFUSED),                                   \
        ADU_RATE_LIMIT_FIELD(type, "topics", ADU_RATE_TOPICS)

/* A client's. false with the error set, as of all that follow; an `object` may be NULL: not in the
 * file. */
bool adu_rate_limits_compile(struct adu_compiler *c, const struct adu_rate_limit_keys *keys,
                             struct adu_rate_limits *limits);

/* Those of the listeners and of the broker; and room for one of each of `classes`. */
bool adu_rate_groups_compile(struct adu_compiler *c, size_t classes,
                             const struct adu_json *listeners, const struct adu_json *broker,
                             struct adu_rate_policy *policy);

/* The class as a whole; it has its name. */
bool adu_rate_together_compile(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_rate_policy *policy, struct adu_rate_class *class);

/* --- rate_policy_topics.c --- */

bool adu_rate_alerts_compile(struct adu_compiler *c, const struct adu_json *object,
                             struct adu_rate_policy *policy); /* never NULL */
bool adu_rate_counters_compile(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_rate_policy *policy);
bool adu_rate_presence_compile(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_rate_policy *policy);

#endif
