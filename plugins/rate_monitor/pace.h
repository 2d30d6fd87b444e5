/* Does this value come when it may be expected? For series whose values have times of their own.
 * Pure; constant memory. */
#ifndef ADUANA_RATE_MONITOR_PACE_H
#define ADUANA_RATE_MONITOR_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed to begin. */
struct adu_pace {
    int64_t last_ms;
    double every_ms; /* usual time from one value to the next */
    unsigned long count;
};

/* True when a gap lies between the last value and this one: much longer than usual, or the clock
 * went back. Of that nothing is learned. */
bool adu_pace_gap(struct adu_pace *pace, int64_t time_ms);

#endif
