/* How often something happens, and whether that is too often: a window of one second or one minute
 * that moves in steps of a tenth, with hysteresis. Pure; constant time and memory, however many
 * events there are.
 *
 * Counted are the current tenth and the nine before it. So an event counts in full for nine tenths
 * of a window at least, and never when a whole window has passed: what is within the limit in every
 * window is never taken for more, and more than the limit within nine tenths of a window always
 * is. */
#ifndef ADUANA_RATE_MONITOR_RATE_H
#define ADUANA_RATE_MONITOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { ADU_RATE_TENTHS = 10 };

/* Zeroed to begin. */
struct adu_rate {
    int64_t window_ms;                /* of the limit it was counted for; 0: nothing was */
    int64_t newest;                   /* number of the newest tenth since the clock's zero */
    uint32_t tenths[ADU_RATE_TENTHS]; /* events in each; a tenth's place is its number modulo 10 */
    uint64_t sum;                     /* of them */
    bool raised;
    int64_t calm_since_ms; /* while raised: since when the rate has been within the limit; 0: not */
};

struct adu_rate_limit {
    long most;         /* events in a window; 0: not watched */
    int64_t window_ms; /* a multiple of ten, not 0 */
    int64_t clear_ms;  /* how long the rate must stay within the limit before the alert is over */
};

enum adu_rate_change { ADU_RATE_SAME, ADU_RATE_RAISED, ADU_RATE_CLEARED };

/* Counts one event. RAISED when it is the one that crosses the limit. A clock that has jumped back,
 * or a limit with another length of window, is counted for from nothing. */
enum adu_rate_change adu_rate_count(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                    int64_t now_ms);

/* Nothing has happened since. CLEARED when a raised rate has been calm for long enough. */
enum adu_rate_change adu_rate_rest(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                   int64_t now_ms);

/* Events in the tenth that `now_ms` is in and the nine before it. */
uint64_t adu_rate_value(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                        int64_t now_ms);

#endif
