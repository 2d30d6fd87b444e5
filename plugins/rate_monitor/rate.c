#include "plugins/rate_monitor/rate.h"

static int64_t tenth_of(const struct adu_rate_limit *limit, int64_t now_ms)
{
    return now_ms / (limit->window_ms / ADU_RATE_TENTHS);
}

/* How many of the counted tenths are past at the tenth `now`: all of them after a window, and when
 * they cannot be placed, because the clock went back or the window has another length. */
static int past(const struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now)
{
    const bool placed = rate->window_ms == limit->window_ms && now >= rate->newest &&
                        now - rate->newest < ADU_RATE_TENTHS;
    return placed ? (int)(now - rate->newest) : ADU_RATE_TENTHS;
}

/* The place of the tenth that is `n` after the newest; till then it holds the `n`th oldest. */
static unsigned place(const struct adu_rate *rate, int n)
{
    return (unsigned)(((uint64_t)rate->newest + (uint64_t)n) % ADU_RATE_TENTHS);
}

static void advance(struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now_ms)
{
    const int64_t now = tenth_of(limit, now_ms);
    const int leave = past(rate, limit, now);
    for (int n = 1; n <= leave; n++) {
        uint32_t *tenth = &rate->tenths[place(rate, n)];
        rate->sum -= *tenth;
        *tenth = 0;
    }
    rate->newest = now;
    rate->window_ms = limit->window_ms;
}

uint64_t adu_rate_value(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                        int64_t now_ms)
{
    const int leave = past(rate, limit, tenth_of(limit, now_ms));
    uint64_t value = rate->sum;
    for (int n = 1; n <= leave; n++) {
        value -= rate->tenths[place(rate, n)];
    }
    return value;
}

enum adu_rate_change adu_rate_count(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                    int64_t now_ms)
{
    if (limit->most == 0) {
        return ADU_RATE_SAME;
    }
    advance(rate, limit, now_ms);
    uint32_t *current = &rate->tenths[place(rate, 0)];
    if (*current < UINT32_MAX) { /* so that the sum stays that of the tenths */
        ++*current;
        rate->sum++;
    }
    if (rate->sum <= (uint64_t)limit->most) {
        return ADU_RATE_SAME;
    }
    rate->calm_since_ms = 0;
    if (rate->raised) {
        return ADU_RATE_SAME;
    }
    rate->raised = true;
    return ADU_RATE_RAISED;
}

enum adu_rate_change adu_rate_rest(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                   int64_t now_ms)
{
    if (!rate->raised) {
        return ADU_RATE_SAME;
    }
    if (limit->most > 0 && adu_rate_value(rate, limit, now_ms) > (uint64_t)limit->most) {
        rate->calm_since_ms = 0;
        return ADU_RATE_SAME;
    }
    if (rate->calm_since_ms == 0 || rate->calm_since_ms > now_ms) { /* the clock may jump back */
        rate->calm_since_ms = now_ms;
    }
    if (now_ms - rate->calm_since_ms < limit->clear_ms) {
        return ADU_RATE_SAME;
    }
    rate->raised = false;
    rate->calm_since_ms = 0;
    return ADU_RATE_CLEARED;
}
