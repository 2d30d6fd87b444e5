#include "common/histogram.h"

static const int64_t bounds[] = {
#define X(nanoseconds, seconds) nanoseconds,
    ADU_HISTOGRAM_BOUNDS(X)
#undef X
};

void adu_histogram_add(struct adu_histogram *histogram, int64_t ns)
{
    const int64_t time = ns > 0 ? ns : 0;
    int i = 0;
    while (i < ADU_HISTOGRAM_BOUND_COUNT && time > bounds[i]) {
        i++;
    }
    histogram->counts[i]++;
    histogram->sum_ns += (uint64_t)time;
}

void adu_sampler_set(struct adu_sampler *sampler, uint32_t every)
{
    *sampler = (struct adu_sampler){.every = every, .random = 2463534242};
    if (every > 0) {
        adu_sampler_next(sampler);
    }
}

void adu_sampler_next(struct adu_sampler *sampler)
{
    uint32_t x = sampler->random; /* xorshift, Marsaglia 2003 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    sampler->random = x;
    sampler->left = 1 + x % (2 * sampler->every - 1); /* 1 to 2 * every - 1: `every` on average */
}
