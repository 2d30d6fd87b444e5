#include "plugins/rate_monitor/rate.h"

static void advance(struct adu_rate *rate, const struct adu_rate_limit *limit, int64_t now_ms)
{
    const int64_t window = now_ms / limit->window_ms;
    if (window == rate->window) {
        return;
    }
    rate->previous = window == rate->window + 1 ? rate->current : 0;
    rate->current = 0;
    rate->window = window;
}

double adu_rate_value(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                      int64_t now_ms)
{
    const int64_t window = now_ms / limit->window_ms;
    const double left = 1.0 - (double)(now_ms % limit->window_ms) / (double)limit->window_ms;
    if (window == rate->window) {
        return rate->previous * left + rate->current;
    }
    return window == rate->window + 1 ? rate->current * left : 0;
}

enum adu_rate_change adu_rate_count(struct adu_rate *rate, const struct adu_rate_limit *limit,
                                    int64_t now_ms)
{
    if (limit->most == 0) {
        return ADU_RATE_SAME;
    }
    advance(rate, limit, now_ms);
    if (rate->current < UINT32_MAX) {
        rate->current++;
    }
    if (adu_rate_value(rate, limit, now_ms) <= (double)limit->most) {
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
    if (limit->most > 0 && adu_rate_value(rate, limit, now_ms) > (double)limit->most) {
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
