/* P. Flajolet, E. Fusy, O. Gandouet, F. Meunier: HyperLogLog, 2007, with its own correction of
 * small counts. A register of four bits is full at fifteen: beyond some millions it says less. */
#include "plugins/rate_monitor/distinct.h"
#include <math.h>

enum { RANK_MOST = 15 };

static unsigned get(const struct adu_distinct *d, unsigned i)
{
    return d->pairs[i / 2] >> (i % 2 * 4) & 15U;
}

bool adu_distinct_add(struct adu_distinct *d, uint64_t hash)
{
    const unsigned i = (unsigned)(hash % ADU_DISTINCT_REGISTERS);
    const uint64_t rest = hash / ADU_DISTINCT_REGISTERS;
    unsigned rank = 1;
    while (rank < RANK_MOST && (rest >> (rank - 1) & 1) == 0) {
        rank++;
    }
    if (rank <= get(d, i)) {
        return false;
    }
    const unsigned shift = i % 2 * 4;
    d->pairs[i / 2] = (uint8_t)((d->pairs[i / 2] & ~(15U << shift)) | rank << shift);
    return true;
}

uint32_t adu_distinct_count(const struct adu_distinct *d)
{
    const double all = ADU_DISTINCT_REGISTERS, correction = 0.7213 / (1 + 1.079 / all);
    double sum = 0;
    unsigned empty = 0;
    for (unsigned i = 0; i < ADU_DISTINCT_REGISTERS; i++) {
        const unsigned rank = get(d, i);
        sum += 1.0 / (double)(1U << rank);
        empty += rank == 0;
    }
    const double estimate = correction * all * all / sum;
    return (uint32_t)lround(estimate <= 2.5 * all && empty > 0 ? all * log(all / empty) : estimate);
}
