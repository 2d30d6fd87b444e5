/* How often is too often: the window of ten tenths, its hysteresis, and clocks that jump. */
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
    {"nine tenths of a window later it counts in full", {{999, 5, 0}, {1899, 1, UP}}},
    {"as long as it may", {{900, 5, 0}, {1899, 1, UP}}},
    {"a window later it does not count", {{900, 5, 0}, {1900, 5, 0}, {1900, 1, UP}}},
    {"its whole tenth goes at once", {{999, 5, 0}, {1900, 5, 0}, {1900, 1, UP}}},
    {"each tenth goes at its own time",
     {{0, 1, 0},
      {150, 2, 0},
      {950, 2, 0},
      {1000, 1, 0},
      {1099, 1, UP},
      {1100, 0, 0},
      {1100, 1, 0},
      {1999, 0, 0}}},
    {"spread over all tenths",
     {{50, 1, 0}, {250, 1, 0}, {450, 1, 0}, {650, 1, 0}, {850, 1, 0}, {950, 1, UP}}},
    {"a window of silence forgets", {{999, 5, 0}, {2000, 5, 0}}},
    {"a window of silence, later in the next", {{999, 5, 0}, {2999, 5, 0}, {2999, 1, UP}}},
    {"over after clear_seconds within the limit",
     {{100, 6, UP},
      {200, 0, 0},
      {1099, 0, 0},
      {1100, 0, 0},
      {4099, 0, 0},
      {4100, 0, DOWN},
      {4101, 0, 0}}},
    {"told once, and raised again by the next flood",
     {{100, 6, UP}, {2000, 0, 0}, {5000, 0, DOWN}, {9000, 0, 0}, {9100, 6, UP}, {9200, 9, 0}}},
    {"a relapse begins the waiting anew",
     {{100, 6, UP},
      {2000, 0, 0},
      {4900, 6, 0},
      {5000, 0, 0},
      {5899, 0, 0},
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
    {"back within the window", {{1999, 5, 0}, {1000, 5, 0}, {1000, 1, UP}}},
    {"back within the tenth", {{1999, 5, 0}, {1900, 1, UP}}},
    {"back, and forward again", {{1999, 5, 0}, {1000, 1, 0}, {1999, 4, 0}, {1999, 1, UP}}},
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

/* After one event at 400, two at 999 and four at 1350. */
static const struct {
    int64_t at_ms;
    uint64_t value;
} values[] = {
    {1350, 7}, {1399, 7}, {1400, 6},      {1899, 6}, {1900, 4}, {2299, 4},
    {2300, 0}, {HOUR, 0}, {INT64_MAX, 0}, {1300, 7}, {1299, 0}, {0, 0},
};

START_TEST(value_slides)
{
    struct adu_rate rate = {0};
    ck_assert_uint_eq(adu_rate_value(&rate, &five, 400), 0);
    adu_rate_count(&rate, &five, 400);
    for (int i = 0; i < 2; i++) {
        adu_rate_count(&rate, &five, 999);
    }
    for (int i = 0; i < 4; i++) {
        adu_rate_count(&rate, &five, 1350);
    }
    for (int i = 0; i < ROWS(values); i++) { /* asking changes nothing */
        const uint64_t value = adu_rate_value(&rate, &five, values[i].at_ms);
        ck_assert_msg(value == values[i].value, "at %lld: %llu", (long long)values[i].at_ms,
                      (unsigned long long)value);
    }
}
END_TEST

/* --- steady streams -----------------------------------------------------------------------------
 * What comes evenly and at the limit is never too much, whatever part of a tenth it begins in; what
 * comes evenly with more than the limit in nine tenths of a window is, within a window. */

static bool raised_by(const struct adu_rate_limit *limit, int64_t start_ms, int64_t every_ms,
                      int64_t for_ms)
{
    struct adu_rate rate = {0};
    bool raised = false;
    for (int64_t at = start_ms; at < start_ms + for_ms; at += every_ms) {
        raised = adu_rate_count(&rate, limit, at) == ADU_RATE_RAISED || raised;
    }
    return raised;
}

static const struct {
    long most;
    int64_t window_ms, at_limit_ms, above_ms; /* from one event to the next */
} streams[] = {
    {50, SECOND, 20, 17},      {1, SECOND, SECOND, 900}, {10, SECOND, 100, 89},
    {1000, SECOND, 1, 0},      {3, SECOND, 334, 300},    {1, MINUTE, MINUTE, 54000},
    {1, MINUTE, 61000, 50000}, {30, MINUTE, 2000, 1740}, {7, MINUTE, 8572, 7700},
    {10, MINUTE, 6000, 5000},  {600, MINUTE, 100, 89},
};

START_TEST(steady_streams)
{
    const struct adu_rate_limit limit = {
        .most = streams[_i].most, .window_ms = streams[_i].window_ms, .clear_ms = 5 * SECOND};
    const int64_t tenth = limit.window_ms / 10;
    for (int64_t start = 7 * tenth; start < 8 * tenth; start += tenth / 100) {
        ck_assert_msg(!raised_by(&limit, start, streams[_i].at_limit_ms, 20 * limit.window_ms),
                      "at the limit, from %lld", (long long)start);
        ck_assert_msg(streams[_i].above_ms == 0 ||
                          raised_by(&limit, start, streams[_i].above_ms, limit.window_ms),
                      "above it, from %lld", (long long)start);
    }
}
END_TEST

/* --- against the exact count --------------------------------------------------------------------
 * The oracle keeps the time of every event. What is raised is above the limit by its count of the
 * last window; what is above it by its count of nine tenths of a window is raised. */

enum { KEPT = 4096 };

struct oracle {
    int64_t at_ms[KEPT]; /* a ring */
    unsigned count;      /* events ever */
};

static unsigned oracle_since(const struct oracle *o, int64_t first_ms)
{
    unsigned n = 0;
    while (n < o->count && o->at_ms[(o->count - 1 - n) % KEPT] >= first_ms) {
        n++;
    }
    ck_assert_uint_lt(n, KEPT);
    return n;
}

static unsigned below(unsigned *random, unsigned bound)
{
    *random = *random * 1103515245 + 12345;
    return (*random >> 8) % bound;
}

/* From events all at one time to silences of more than a window. */
static int64_t some_time(unsigned *random, int64_t window_ms, long most)
{
    const int64_t each = window_ms / most;
    switch (below(random, 8)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return window_ms / 10 * (1 + below(random, 11));
    case 3:
        return below(random, (unsigned)window_ms * 6 / 5) / 4;
    default: /* near the limit */
        return each / 2 + below(random, (unsigned)each + 1);
    }
}

static void compare(const struct adu_rate *rate, const struct adu_rate_limit *limit,
                    const struct oracle *o, int64_t now, enum adu_rate_change change)
{
    const int64_t tenth = limit->window_ms / 10;
    const unsigned window = oracle_since(o, now - limit->window_ms + 1);
    const unsigned sure = oracle_since(o, now - 9 * tenth);
    const uint64_t value = adu_rate_value(rate, limit, now);
    ck_assert_msg(value <= window && value >= sure, "at %lld: %llu, of %u to %u", (long long)now,
                  (unsigned long long)value, sure, window);
    ck_assert(change != ADU_RATE_RAISED || window > limit->most);
    ck_assert(change != ADU_RATE_CLEARED || sure <= limit->most);
    ck_assert(sure <= limit->most || rate->raised);
}

/* Every seed has its limit, and changes it on the way as reloads do. */
START_TEST(against_the_exact_count)
{
    static struct oracle oracle;
    unsigned random = (unsigned)_i * 2654435761u + 1;
    struct adu_rate rate = {0};
    struct adu_rate_limit limit = {.most = 1, .window_ms = SECOND, .clear_ms = 1};
    int64_t now = below(&random, HOUR);
    int seen[3] = {0};
    for (int n = 0; n < 4000; n++) {
        if (n % 400 == 0) { /* another length of window is counted from nothing */
            const int64_t window_ms = below(&random, 2) ? SECOND : MINUTE;
            oracle.count = n == 0 || window_ms != limit.window_ms ? 0 : oracle.count;
            limit.window_ms = window_ms;
            limit.most = 1 + below(&random, below(&random, 2) ? 5 : 60);
        }
        now += some_time(&random, limit.window_ms, limit.most);
        enum adu_rate_change change = ADU_RATE_SAME;
        if (n % 400 != 0 && below(&random, 4) == 0) {
            change = adu_rate_rest(&rate, &limit, now);
        } else {
            oracle.at_ms[oracle.count++ % KEPT] = now;
            change = adu_rate_count(&rate, &limit, now);
        }
        seen[change]++;
        compare(&rate, &limit, &oracle, now, change);
    }
    ck_assert_int_gt(seen[ADU_RATE_RAISED], 10); /* or it has compared nothing */
    ck_assert_int_gt(seen[ADU_RATE_CLEARED], 10);
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
        adu_rate_count(&rate, &five, 50);
    }
    ck_assert(rate.raised);
    struct adu_rate copy = rate;
    ck_assert_int_eq(adu_rate_rest(&copy, &none, 60), ADU_RATE_CLEARED);
    copy = rate;
    ck_assert_int_eq(adu_rate_rest(&copy, &ten, 60), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_rest(&copy, &ten, 1060), ADU_RATE_CLEARED);
    /* Another length of window: what was counted in seconds is not taken for minutes, though the
     * tenths have the same number. */
    copy = rate;
    ck_assert_uint_eq(adu_rate_value(&copy, &minute, 60), 0);
    ck_assert_int_eq(adu_rate_rest(&copy, &minute, 60), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_rest(&copy, &minute, 1060), ADU_RATE_CLEARED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(adu_rate_count(&copy, &minute, 1070), ADU_RATE_SAME);
    }
    ck_assert_int_eq(adu_rate_count(&copy, &minute, 1070), ADU_RATE_RAISED);
    ck_assert_uint_eq(adu_rate_value(&copy, &five, 70), 0); /* nor the other way round */
}
END_TEST

START_TEST(counters_do_not_wrap)
{
    const struct adu_rate_limit most = {
        .most = 1000, .window_ms = MINUTE, .clear_ms = 86400 * SECOND};
    struct adu_rate rate = {0};
    ck_assert_int_eq(adu_rate_add(&rate, &most, 0, UINT32_MAX), ADU_RATE_RAISED);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(adu_rate_count(&rate, &most, 100), ADU_RATE_SAME);
        ck_assert_uint_eq(adu_rate_value(&rate, &most, 100), UINT16_MAX);
    }
    /* Nor all tenths together; and each goes with what it had. */
    for (int i = 1; i < ADU_RATE_TENTHS; i++) {
        adu_rate_add(&rate, &most, i * 6 * SECOND, UINT32_MAX);
    }
    ck_assert_uint_eq(adu_rate_value(&rate, &most, 54 * SECOND), 10 * UINT16_MAX);
    adu_rate_count(&rate, &most, MINUTE);
    ck_assert_uint_eq(adu_rate_value(&rate, &most, MINUTE), 9 * UINT16_MAX + 1);
    ck_assert_uint_eq(adu_rate_value(&rate, &most, 114 * SECOND), 1);
}
END_TEST

/* The number of a tenth begins anew after thirteen years: nothing is lost on the way. */
START_TEST(numbers_begin_anew)
{
    const int64_t last_ms = INT64_C(4294967290) * 100 - 100;
    struct adu_rate rate = {0};
    adu_rate_add(&rate, &five, last_ms, 3);
    ck_assert_int_eq(adu_rate_add(&rate, &five, last_ms + 100, 2), ADU_RATE_SAME);
    ck_assert_uint_eq(adu_rate_value(&rate, &five, last_ms + 900), 5);
    ck_assert_uint_eq(adu_rate_value(&rate, &five, last_ms + 1000), 2);
    ck_assert_int_eq(adu_rate_add(&rate, &five, last_ms + 900, 1), ADU_RATE_RAISED);
}
END_TEST

/* Amounts are counted in units of the limit: what is within it is never too much, a part in three
 * thousand above it always is. */
START_TEST(amounts)
{
    static const long limits[] = {1, 32767, 32768, 65536, 1000000, 12345678, ADU_RATE_MOST};
    const struct adu_rate_limit limit = {
        .most = limits[_i], .window_ms = SECOND, .clear_ms = SECOND};
    unsigned random = (unsigned)_i;
    for (int round = 0; round < 200; round++) {
        struct adu_rate rate = {0};
        long left = limit.most;
        int64_t now = (1 + round) * HOUR;
        for (; left > 0; now += 9) { /* within nine tenths of a second */
            const long part = now % SECOND > 850 ? left : 1 + below(&random, 1 + left / 20);
            ck_assert_int_eq(adu_rate_add(&rate, &limit, now, (uint32_t)part), ADU_RATE_SAME);
            left -= part;
        }
        ck_assert_uint_le(adu_rate_value(&rate, &limit, now), limit.most);
        ck_assert_uint_ge(adu_rate_value(&rate, &limit, now), limit.most - limit.most / 3000);
        ck_assert_int_eq(adu_rate_add(&rate, &limit, now, (uint32_t)(1 + limit.most / 3000)),
                         ADU_RATE_RAISED);
    }
}
END_TEST

/* A single large one is too much, and many small ones are not. */
START_TEST(peaks)
{
    const struct adu_rate_limit limit = {
        .most = 100000, .window_ms = SECOND, .clear_ms = 3 * SECOND, .form = ADU_RATE_PEAK};
    struct adu_rate rate = {0};
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(adu_rate_add(&rate, &limit, 100, 100000), ADU_RATE_SAME);
    }
    ck_assert_int_eq(adu_rate_add(&rate, &limit, 100, 100001), ADU_RATE_RAISED);
    ck_assert_int_eq(adu_rate_add(&rate, &limit, 200, 5), ADU_RATE_SAME);
    ck_assert_uint_eq(adu_rate_value(&rate, &limit, 900), 100001);
    ck_assert_uint_eq(adu_rate_value(&rate, &limit, 1100), 0);
    ck_assert_int_eq(adu_rate_rest(&rate, &limit, 1100), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_rest(&rate, &limit, 4100), ADU_RATE_CLEARED);
}
END_TEST

/* What there is stays till it is measured again. */
START_TEST(levels)
{
    const struct adu_rate_limit limit = {
        .most = 3, .window_ms = SECOND, .clear_ms = SECOND, .form = ADU_RATE_LEVEL};
    struct adu_rate rate = {0};
    ck_assert_int_eq(adu_rate_add(&rate, &limit, 0, 3), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_add(&rate, &limit, 10, 4), ADU_RATE_RAISED);
    ck_assert_int_eq(adu_rate_rest(&rate, &limit, HOUR), ADU_RATE_SAME);
    ck_assert_uint_eq(adu_rate_value(&rate, &limit, HOUR), 4);
    ck_assert_int_eq(adu_rate_add(&rate, &limit, HOUR, 2), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_rest(&rate, &limit, HOUR), ADU_RATE_SAME);
    ck_assert_int_eq(adu_rate_rest(&rate, &limit, HOUR + SECOND), ADU_RATE_CLEARED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate");
    suite_add_rows(suite, changes, ROWS(cases));
    suite_add(suite, value_slides);
    suite_add_rows(suite, steady_streams, ROWS(streams));
    suite_add_rows(suite, against_the_exact_count, 40);
    suite_add(suite, without_a_limit);
    suite_add(suite, limit_changes);
    suite_add(suite, counters_do_not_wrap);
    suite_add(suite, numbers_begin_anew);
    suite_add_rows(suite, amounts, 7);
    suite_add(suite, peaks);
    suite_add(suite, levels);
    return run_suite(suite);
}
