/* How often something happens, or how much of it, and whether that is too much: a window of one
 * second or one minute that moves in steps of a tenth, with hysteresis. Pure; constant time and
 * memory, however many events there are.
 *
 * Counted are the current tenth and the nine before it. So an event counts in full for nine tenths
 * of a window at least, and never when a whole window has passed: what is within the limit in every
 * window is never taken for more, and more than the limit within nine tenths of a window always
 * is. A limit beyond 32767 is counted in units of a thirty-thousandth of it or so, rounded down. */
#ifndef ADUANA_RATE_MONITOR_RATE_H
#define ADUANA_RATE_MONITOR_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { ADU_RATE_TENTHS = 10, ADU_RATE_MOST = 1000000000 };

/* Zeroed to begin. */
struct adu_rate {
    uint32_t newest;                  /* number of the newest tenth, of a clock of 32 bits */
    uint32_t sum;                     /* of the tenths, or what was measured */
    uint32_t calm_since_ms;           /* while raised and calm: since when, of such a clock */
    uint16_t tenths[ADU_RATE_TENTHS]; /* units in each, one after the other round and round */
    uint16_t rest;                    /* of the newest tenth: what makes no whole unit yet */
    uint8_t window_s;                 /* of the limit it was counted for; 0: nothing was */
    uint8_t place : 4;                /* of the newest tenth */
    bool raised : 1;
    bool calm : 1;    /* while raised: it has been within the limit of late */
    bool to_tell : 1; /* for whoever tells of it: raised, and not told yet */
};

enum adu_rate_form {
    ADU_RATE_SUM,  /* of a window */
    ADU_RATE_PEAK, /* the last single event above the limit, for a window */
    ADU_RATE_LEVEL /* how much there is, till it is measured again */
};

struct adu_rate_limit {
    uint32_t most;      /* up to ADU_RATE_MOST; 0: not watched */
    uint32_t window_ms; /* whole seconds, up to 255 */
    uint32_t clear_ms;  /* how long it must stay within the limit before the alert is over */
    enum adu_rate_form form;
};

enum adu_rate_change { ADU_RATE_SAME, ADU_RATE_RAISED, ADU_RATE_CLEARED };

/* So much has happened, or of a level: there is. RAISED when that crosses the limit. A clock that
 * has jumped back, or a limit with another length of window, is counted for from nothing. */
enum adu_rate_change adu_rate_add(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                  int64_t now_ms, uint32_t amount);

/* One event. */
static inline enum adu_rate_change
adu_rate_count(struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now_ms)
{
    return adu_rate_add(rate, limit, now_ms, 1);
}

/* Nothing has happened since. CLEARED when a raised rate has been calm for long enough. */
enum adu_rate_change adu_rate_rest(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                   int64_t now_ms);

/* What there was in the tenth that `now_ms` is in and the nine before it. */
uint64_t adu_rate_value(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                        int64_t now_ms);

#endif
