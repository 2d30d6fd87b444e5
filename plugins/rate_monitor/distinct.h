/* How many different ones: an estimate (HyperLogLog) in 128 bytes, about 6 in a hundred off. Pure;
 * constant time and memory, whatever comes and however much of it. */
#ifndef ADUANA_RATE_MONITOR_DISTINCT_H
#define ADUANA_RATE_MONITOR_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

enum { ADU_DISTINCT_REGISTERS = 256 };

/* Zeroed to begin. */
struct adu_distinct {
    uint8_t pairs[ADU_DISTINCT_REGISTERS / 2]; /* of registers of four bits */
};

/* One of them, by all bits of a good hash. True if the estimate may have changed by that. */
bool adu_distinct_add(struct adu_distinct *distinct, uint64_t hash);

uint32_t adu_distinct_count(const struct adu_distinct *distinct);

#endif
