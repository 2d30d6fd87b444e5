/* How long things took, as counts between bounds, and which of many to time. Pure: the clock is
 * whoever's that measures. One thread. */
#ifndef ADUANA_COMMON_HISTOGRAM_H
#define ADUANA_COMMON_HISTOGRAM_H

#include "common/api.h"
#include <stdbool.h>
#include <stdint.h>

/* Upper bounds: nanoseconds, and seconds as text. */
#define ADU_HISTOGRAM_BOUNDS(X)                                                                    \
    X(100, "1e-07")                                                                                \
    X(250, "2.5e-07")                                                                              \
    X(500, "5e-07")                                                                                \
    X(1000, "1e-06")                                                                               \
    X(2500, "2.5e-06")                                                                             \
    X(5000, "5e-06")                                                                               \
    X(10000, "1e-05")                                                                              \
    X(25000, "2.5e-05")                                                                            \
    X(50000, "5e-05")                                                                              \
    X(100000, "0.0001")                                                                            \
    X(250000, "0.00025")                                                                           \
    X(500000, "0.0005")                                                                            \
    X(1000000, "0.001")                                                                            \
    X(2500000, "0.0025")                                                                           \
    X(5000000, "0.005")                                                                            \
    X(10000000, "0.01")                                                                            \
    X(25000000, "0.025")                                                                           \
    X(100000000, "0.1")                                                                            \
    X(1000000000, "1")

enum {
#define X(nanoseconds, seconds) +1
    ADU_HISTOGRAM_BOUND_COUNT = 0 ADU_HISTOGRAM_BOUNDS(X)
#undef X
};

struct adu_histogram {
    uint64_t counts[ADU_HISTOGRAM_BOUND_COUNT + 1]; /* up to each bound, and above the last */
    uint64_t sum_ns;
};

/* A negative time, of a clock that is none, counts as 0. */
ADU_API void adu_histogram_add(struct adu_histogram *histogram, int64_t ns);

/* Chooses one of `every` on average, at irregular distances: a plant's traffic has a rhythm of its
 * own. Zeroed: none. */
struct adu_sampler {
    uint32_t left; /* until the next; 0: never */
    uint32_t every, random;
};

/* Starts anew; `every` 0: none. */
ADU_API void adu_sampler_set(struct adu_sampler *sampler, uint32_t every);

/* Has been chosen: on to the next. */
ADU_API void adu_sampler_next(struct adu_sampler *sampler);

/* True if this one is to be timed. Hot path. */
static inline bool adu_sampler_due(struct adu_sampler *sampler)
{
    return sampler->left != 0 && --sampler->left == 0;
}

#endif
