/* How often is too often: the sliding window, its hysteresis, and clocks that jump. */
#include "plugins/rate_monitor/rate.h"
#include "runner.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, STEPS = 16 };

#define UP   ADU_RATE_RAISED
#define DOWN ADU_RATE_CLEARED

/* At most 5 a second; over when within that for 3 seconds. */
static const struct adu_rate_limit five = {.most = 5, .window_ms = SECOND, .clear_ms = 3 * SECOND};

/* `events` at one time (0: nothing happens, and it is asked whether all is well again), and what
 * the last of them changes; those before it change nothing. */
struct step {
    int64_t at_ms;
    int events;
    enum adu_rate_change change;
};

static const struct {
    const char *name;
    struct step steps[STEPS];
} cases[] = {
    {"the limit itself is not too much", {{100, 5, 0}, {900, 0, 0}}},
    {"raised by the event that crosses it, once", {{100, 6, UP}, {100, 1, 0}, {200, 100, 0}}},
    {"nothing to clear", {{0, 0, 0}, {100, 1, 0}, {99999, 0, 0}}},
    {"a burst across the edge of two windows", {{999, 5, 0}, {1000, 1, UP}}},
    {"half of the last window counts", {{999, 5, 0}, {1500, 2, 0}, {1500, 1, UP}}},
    {"the share that still lies within", {{999, 5, 0}, {1800, 4, 0}, {1800, 1, UP}}},
    {"at its end the last window is nearly gone", {{0, 5, 0}, {1999, 4, 0}, {1999, 1, UP}}},
    {"a window of silence forgets", {{999, 5, 0}, {2000, 5, 0}}},
    {"a window of silence, later in the next", {{999, 5, 0}, {2999, 5, 0}, {2999, 1, UP}}},
    {"over after clear_seconds within the limit",
     {{100, 6, UP}, {200, 0, 0}, {1500, 0, 0}, {4499, 0, 0}, {4500, 0, DOWN}, {4501, 0, 0}}},
    {"told once, and raised again by the next flood",
     {{100, 6, UP}, {2000, 0, 0}, {5000, 0, DOWN}, {9000, 0, 0}, {9100, 6, UP}, {9200, 9, 0}}},
    {"a relapse begins the waiting anew",
     {{100, 6, UP},
      {2000, 0, 0},
      {4900, 6, 0},
      {5000, 0, 0},
      {5900, 0, 0},
      {8899, 0, 0},
      {8900, 0, DOWN}}},
    {"events within the limit do not",
     {{100, 6, UP}, {2000, 0, 0}, {3000, 2, 0}, {4000, 2, 0}, {4999, 0, 0}, {5000, 0, DOWN}}},
    {"exactly the limit is within it",
     {{100, 6, UP}, {3000, 5, 0}, {3000, 0, 0}, {5999, 0, 0}, {6000, 0, DOWN}}},
    {"asked rarely", {{100, 6, UP}, {60000, 0, 0}, {62999, 0, 0}, {63000, 0, DOWN}}},
    {"a time of zero", {{0, 6, UP}, {0, 1, 0}, {2000, 0, 0}, {5000, 0, DOWN}}},
    /* the clock jumps */
    {"forward by an hour", {{100, 5, 0}, {HOUR, 5, 0}, {HOUR, 1, UP}}},
    {"forward while raised: calm is counted from when it is seen",
     {{100, 6, UP}, {HOUR, 0, 0}, {HOUR + 2999, 0, 0}, {HOUR + 3000, 0, DOWN}}},
    {"forward in the midst of calm", {{100, 6, UP}, {2000, 0, 0}, {HOUR, 0, DOWN}}},
    {"back by an hour: counted from nothing", {{HOUR, 5, 0}, {100, 5, 0}, {100, 1, UP}}},
    {"back by one window", {{1999, 5, 0}, {999, 5, 0}, {999, 1, UP}}},
    {"back within the window", {{1999, 5, 0}, {1000, 1, UP}}},
    {"back while raised: over after clear_seconds all the same",
     {{HOUR, 6, UP}, {HOUR + 2000, 0, 0}, {100, 0, 0}, {3099, 0, 0}, {3100, 0, DOWN}}},
    {"back while raised, and forward again",
     {{HOUR, 6, UP}, {HOUR + 2000, 0, 0}, {100, 0, 0}, {HOUR + 2000, 0, DOWN}}},
    {"far in the future",
     {{INT64_MAX - 10 * SECOND, 6, UP},
      {INT64_MAX - 7 * SECOND, 0, 0},
      {INT64_MAX - 4 * SECOND, 0, DOWN},
      {INT64_MAX, 6, UP}}},
};

START_TEST(changes)
{
    struct adu_rate rate = {0};
    for (int s = 0; s < STEPS; s++) {
        const struct step *step = &cases[_i].steps[s];
        enum adu_rate_change change = ADU_RATE_SAME;
        if (s > 0 && step->at_ms == 0 && step->events == 0) {
            break;
        }
        if (step->events == 0) {
            change = adu_rate_rest(&rate, &five, step->at_ms);
        }
        for (int e = 0; e < step->events; e++) {
            ck_assert_msg(change == ADU_RATE_SAME, "%s: step %d, event %d", cases[_i].name, s, e);
            change = adu_rate_count(&rate, &five, step->at_ms);
        }
        ck_assert_msg(change == step->change, "%s: step %d at %lld: %d", cases[_i].name, s,
                      (long long)step->at_ms, change);
    }
}
END_TEST

/* --- the value ----------------------------------------------------------------------------------
 */

static const struct {
    int64_t at_ms;
    double value;
} values[] = {
    {400, 4},  {999, 4},  {1000, 4}, {1250, 3}, {1500, 2},
    {1750, 1}, {2000, 0}, {HOUR, 0}, {0, 4},    {INT64_MAX, 0},
};

START_TEST(value_slides)
{
    struct adu_rate rate = {0};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(adu_rate_count(&rate, &five, 400), ADU_RATE_SAME);
    }
    for (int i = 0; i < ROWS(values); i++) { /* asking changes nothing */
        const double value = adu_rate_value(&rate, &five, values[i].at_ms);
        ck_assert_msg(value > values[i].value - 1e-9 && value < values[i].value + 1e-9,
                      "at %lld: %f", (long long)values[i].at_ms, value);
    }
}
END_TEST

START_TEST(value_before_the_first_window)
{
    struct adu_rate rate = {0};
    for (int i = 0; i < 4; i++) {
        adu_rate_count(&rate, &five, HOUR);
    }
    ck_assert(adu_rate_value(&rate, &five, HOUR - 1) < 1e-9);
    ck_assert(adu_rate_value(&rate, &five, 0) < 1e-9);
}
END_TEST

/* --- steady streams -----------------------------------------------------------------------------
 * Fifty a second. What comes evenly and clearly within that is never too much, whatever part of a
 * window it begins in; what comes clearly beyond it is, within two windows. */

static bool raised_by(int64_t start_ms, int64_t every_ms, int64_t for_ms)
{
    const struct adu_rate_limit limit = {.most = 50, .window_ms = SECOND, .clear_ms = 5 * SECOND};
    struct adu_rate rate = {0};
    bool raised = false;
    for (int64_t at = start_ms; at < start_ms + for_ms; at += every_ms) {
        raised = adu_rate_count(&rate, &limit, at) == ADU_RATE_RAISED || raised;
    }
    return raised;
}

START_TEST(steady_streams)
{
    for (int64_t start = 5 * SECOND; start < 6 * SECOND; start += 37) {
        ck_assert_msg(!raised_by(start, 21, MINUTE), "47 a second from %lld", (long long)start);
        ck_assert_msg(raised_by(start, 19, 2 * SECOND), "53 a second from %lld", (long long)start);
    }
    ck_assert(!raised_by(0, SECOND, HOUR));
}
END_TEST

/* --- limits -------------------------------------------------------------------------------------
 */

START_TEST(without_a_limit)
{
    const struct adu_rate_limit none = {.window_ms = SECOND};
    struct adu_rate rate = {0};
    for (int i = 0; i < 100000; i++) {
        ck_assert_int_eq(adu_rate_count(&rate, &none, 100), ADU_RATE_SAME);
        ck_assert_int_eq(adu_rate_rest(&rate, &none, 100), ADU_RATE_SAME);
    }
}
END_TEST

/* A reload may take the limit away, or change it, while an alert is up. */
START_TEST(limit_changes)
{
    const struct adu_rate_limit none = {.window_ms = SECOND};
    const struct adu_rate_limit ten = {.most = 10, .window_ms = SECOND, .clear_ms = SECOND};
    const struct adu_rate_limit minute = {.most = 3, .window_ms = MINUTE, .clear_ms = SECOND};
    struct adu_rate rate = {0};
    for (int i = 0; i < 6; i++) {
        adu_rate_count(&rate, &five, 500);
    }
    ck_assert(rate.raised);
    struct adu_rate copy = rate;
    ck_assert_int_eq(adu_rate_rest(&copy, &none, 600), ADU_RATE_CLEARED);
    copy = rate;
    ck_assert_int_eq(adu_rate_rest(&copy, &ten, 600), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_rest(&copy, &ten, 1600), ADU_RATE_CLEARED);
    /* Another length of window: what was counted in seconds is not taken for minutes. */
    copy = (struct adu_rate){0};
    for (int i = 0; i < 5; i++) {
        adu_rate_count(&copy, &five, 10 * MINUTE + 500);
    }
    ck_assert_int_eq(adu_rate_count(&copy, &minute, 10 * MINUTE + 600), ADU_RATE_SAME);
}
END_TEST

START_TEST(counters_do_not_wrap)
{
    const struct adu_rate_limit most = {
        .most = 1000000, .window_ms = MINUTE, .clear_ms = 86400 * SECOND};
    struct adu_rate rate = {.current = UINT32_MAX - 1, .raised = true};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(adu_rate_count(&rate, &most, 100), ADU_RATE_SAME);
        ck_assert(adu_rate_value(&rate, &most, 100) > 4e9);
    }
    /* Nor both windows together. */
    rate = (struct adu_rate){.previous = UINT32_MAX, .current = UINT32_MAX};
    ck_assert(adu_rate_value(&rate, &most, 0) > 8e9);
    ck_assert_int_eq(adu_rate_count(&rate, &most, 0), ADU_RATE_RAISED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate");
    suite_add_rows(suite, changes, ROWS(cases));
    suite_add(suite, value_slides);
    suite_add(suite, value_before_the_first_window);
    suite_add(suite, steady_streams);
    suite_add(suite, without_a_limit);
    suite_add(suite, limit_changes);
    suite_add(suite, counters_do_not_wrap);
    return run_suite(suite);
}
