#include "plugins/rate_monitor/rate.h"

enum { UNITS = 32768 };

/* The windows there are have a division of their own each, by a constant, which is none. */
static uint32_t tenth_of(const struct adu_rate_limit *limit, int64_t now_ms)
{
    const uint64_t now = (uint64_t)now_ms;
    return (uint32_t)(limit->window_ms == 1000    ? now / 100
                      : limit->window_ms == 60000 ? now / 6000
                                                  : now / (limit->window_ms / 10));
}

static uint32_t unit_of(const struct adu_rate_limit *limit)
{
    return limit->form == ADU_RATE_SUM ? limit->most / UNITS + 1 : 1;
}

/* How many of the counted tenths are past at the tenth `now`: all of them after a window, and when
 * they cannot be placed, because the clock went back or the window has another length. */
static unsigned past(const struct adu_rate *rate, const struct adu_rate_limit *limit, uint32_t now)
{
    const uint32_t passed = now - rate->newest; /* numbers of tenths begin anew after 2^32 */
    return rate->window_s == limit->window_ms / 1000 && passed < ADU_RATE_TENTHS ? passed
                                                                                 : ADU_RATE_TENTHS;
}

/* The place of the tenth that is `n` after the newest; till then it holds the `n`th oldest. */
static unsigned place(const struct adu_rate *rate, unsigned n)
{
    const unsigned at = rate->place + n;
    return at < ADU_RATE_TENTHS ? at : at - ADU_RATE_TENTHS;
}

static void advance(struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now_ms)
{
    const uint32_t now = tenth_of(limit, now_ms);
    const unsigned leave = past(rate, limit, now);
    if (leave == 0) {
        return;
    }
    for (unsigned n = 1; n <= leave; n++) {
        uint16_t *tenth = &rate->tenths[place(rate, n)];
        rate->sum -= *tenth;
        *tenth = 0;
    }
    rate->place = place(rate, leave) & 15;
    rate->rest = 0;
    rate->newest = now;
    rate->window_s = (uint8_t)(limit->window_ms / 1000);
}

uint64_t adu_rate_value(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                        int64_t now_ms)
{
    if (limit->form == ADU_RATE_LEVEL) {
        return rate->sum;
    }
    const unsigned leave = past(rate, limit, tenth_of(limit, now_ms));
    if (leave == ADU_RATE_TENTHS) {
        return 0;
    }
    uint64_t value = rate->sum;
    for (unsigned n = 1; n <= leave; n++) {
        value -= rate->tenths[place(rate, n)];
    }
    return value * unit_of(limit);
}

/* Adds to the sum of a window, which then is that of the tenths also where one of them is full. */
static void add(struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now_ms,
                uint32_t amount)
{
    const uint32_t unit = unit_of(limit);
    uint64_t units = amount;
    advance(rate, limit, now_ms);
    if (unit > 1) {
        const uint64_t all = (uint64_t)amount + rate->rest;
        units = all / unit;
        rate->rest = (uint16_t)(all % unit);
    }
    uint16_t *current = &rate->tenths[place(rate, 0)];
    const uint64_t room = (uint64_t)(UINT16_MAX - *current);
    units = units < room ? units : room;
    *current = (uint16_t)(*current + units);
    rate->sum += (uint32_t)units;
}

static void measure(struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now_ms,
                    uint32_t amount)
{
    rate->sum = amount;
    rate->newest = tenth_of(limit, now_ms);
    rate->window_s = (uint8_t)(limit->window_ms / 1000);
}

enum adu_rate_change adu_rate_add(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                  int64_t now_ms, uint32_t amount)
{
    if (limit->most == 0) {
        return ADU_RATE_SAME;
    }
    if (limit->form == ADU_RATE_SUM) {
        add(rate, limit, now_ms, amount);
        if ((uint64_t)rate->sum * unit_of(limit) <= limit->most) {
            return ADU_RATE_SAME;
        }
    } else {
        const bool above = amount > limit->most;
        if (above || limit->form == ADU_RATE_LEVEL) {
            measure(rate, limit, now_ms, amount);
        }
        if (!above) {
            return ADU_RATE_SAME;
        }
    }
    rate->calm = false;
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
    if (limit->most > 0 && adu_rate_value(rate, limit, now_ms) > limit->most) {
        rate->calm = false;
        return ADU_RATE_SAME;
    }
    int32_t calm_ms = (int32_t)((uint32_t)now_ms - rate->calm_since_ms);
    if (!rate->calm || calm_ms < 0) { /* the clock may jump back */
        rate->calm = true;
        rate->calm_since_ms = (uint32_t)now_ms;
        calm_ms = 0;
    }
    if ((uint32_t)calm_ms < limit->clear_ms) {
        return ADU_RATE_SAME;
    }
    rate->raised = false;
    rate->calm = false;
    return ADU_RATE_CLEARED;
}
