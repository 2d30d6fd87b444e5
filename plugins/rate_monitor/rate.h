/* How often something happens, and whether that is too often: a sliding window of one second or one
 * minute in two counters, with hysteresis. Pure; O(1) time and memory. */
#ifndef ADUANA_RATE_MONITOR_RATE_H
#define ADUANA_RATE_MONITOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed to begin. */
struct adu_rate {
    int64_t window;             /* number of the current window since the clock's zero */
    uint32_t current, previous; /* events in it and in the one before */
    bool raised;
    int64_t calm_since_ms; /* while raised: since when the rate has been within the limit; 0: not */
};

struct adu_rate_limit {
    long most; /* events in a window; 0: not watched */
    int64_t window_ms;
    int64_t clear_ms; /* how long the rate must stay within the limit before the alert is over */
};

enum adu_rate_change { ADU_RATE_SAME, ADU_RATE_RAISED, ADU_RATE_CLEARED };

/* Counts one event. RAISED when it is the one that crosses the limit. */
enum adu_rate_change adu_rate_count(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                    int64_t now_ms);

/* Nothing has happened since. CLEARED when a raised rate has been calm for long enough. */
enum adu_rate_change adu_rate_rest(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                   int64_t now_ms);

/* Events in the window that ends now: the current ones and, of the window before, the share that
 * still lies within. */
double adu_rate_value(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                      int64_t now_ms);

#endif
