/* A number that is not negative, in 16 bits: as large and as small as a float, to three digits.
 * What is learned moves by less than that, so each is rounded up or down by turns, as often as the
 * part that is cut off asks for: on average nothing is lost. Pure. */
#ifndef ADUANA_RATE_MONITOR_NARROW_H
#define ADUANA_RATE_MONITOR_NARROW_H

#include <stdint.h>
#include <string.h>

/* The upper bits of a float whose sign is always the same. 0 is 0. */
typedef uint16_t adu_narrow;

enum { ADU_NARROW_CUT = 15, ADU_NARROW_ONE = 0x7f00 /* 1 */ };

static inline float adu_narrow_read(adu_narrow narrow)
{
    const uint32_t bits = (uint32_t)narrow << ADU_NARROW_CUT;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* `value` is finite and not negative. `turn` is another each time, and comes to
 * be any number as often as any other. */
static inline adu_narrow adu_narrow_write(float value, uint32_t turn)
{
    /* Steps by the golden ratio fall evenly into every part of what is cut off. */
    enum { STEP = 20251, MASK = (1 << ADU_NARROW_CUT) - 1 };
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (adu_narrow)((bits + (turn * STEP & MASK)) >> ADU_NARROW_CUT);
}

#endif
