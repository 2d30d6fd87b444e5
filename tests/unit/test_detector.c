/* What is unusual for a series, and what is not. */
#include "plugins/rate_monitor/detector.h"
#include "plugins/rate_monitor/pace.h"
#include "runner.h"
#include <math.h>
#include <string.h>

enum { MINUTE = 60000, DAY = 24 * 60, LONG = 6000 };

_Static_assert(sizeof(struct adu_detector) <= 96, "what a client may cost");

static unsigned random_state;

/* A series and what came of it. */
struct run {
    struct adu_detector detector;
    struct adu_detection last;
    double most; /* score */
    double rarest;
};

static struct run begin(void)
{
    struct run run;
    memset(&run, 0, sizeof run);
    return run;
}

static double take(struct run *run, double value)
{
    run->last = adu_detector_take(&run->detector, value);
    ck_assert_msg(run->last.score >= 0 && run->last.score <= 1, "score %g", run->last.score);
    ck_assert_double_finite(run->last.expected);
    run->most = fmax(run->most, run->last.score);
    run->rarest = fmax(run->rarest, run->last.rarity);
    return run->last.score;
}

static struct run taken(double (*series)(int), unsigned seed)
{
    struct run run = begin();
    random_state = seed;
    for (int i = 0; i < LONG; i++) {
        take(&run, series(i));
    }
    run.most = run.rarest = 0;
    return run;
}

/* Even between 0 and 1. */
static double even(void)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) / (double)(1 << 24);
}

/* Normal, nearly: mean 0, deviation 1. */
static double noise(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += even();
    }
    return sum;
}

/* --- kinds of series that are usual however long they go on --- */

static double constant(int i)
{
    return i >= 0 ? 12 : 0;
}

static double nothing(int i)
{
    return i >= 0 ? 0 : 1;
}

static double noisy(int i)
{
    return 100 + 5 * noise() + 0 * i;
}

static double square(int i)
{
    return i / 20 % 2 ? 50 : 10;
}

static double daily(int i)
{
    return 100 + 60 * sin(i * 2 * M_PI / DAY) + 3 * noise();
}

static double drifting(int i)
{
    return 100 + i * 0.01 + 3 * noise();
}

static double
batches(int i) /* a batch starts every two hours, give or take, and runs for twenty minutes */
{
    return (i + (i / 120 * 37) % 11) % 120 < 20 ? 40 + noise() : 4 + noise() / 3;
}

static double (*const usual[])(int) = {constant, nothing, noisy, square, daily, drifting, batches};

/* None of them is ever rarer than a value that stands out from all there was. */
START_TEST(usual_series)
{
    struct run run = begin();
    random_state = 7;
    for (int i = 0; i < 20 * LONG; i++) {
        take(&run, usual[_i](i));
    }
    ck_assert_double_lt(run.rarest, 5);
}
END_TEST

/* --- and what is unusual in each --- */

static const struct {
    const char *name;
    double (*series)(int);
    double factor, add; /* from the LONGth value on */
    bool up;
} unusual[] = {
    {"a constant that doubles", constant, 2, 0, true},
    {"a constant that halves", constant, 0.5, 0, false},
    {"a constant that ends", constant, 0, 0, false},
    {"something from nothing", nothing, 1, 5, true},
    {"noise that rises by half", noisy, 1.5, 0, true},
    {"noise that falls by half", noisy, 0.5, 0, false},
    {"a square wave, shifted", square, 1, 60, true},
    {"a daily cycle, doubled", daily, 2, 0, true},
    {"a daily cycle that ends", daily, 0, 0, false},
    {"a drift that jumps", drifting, 1, 60, true},
    {"batches of five times as much", batches, 5, 0, true},
};

START_TEST(unusual_series)
{
    struct run run = taken(unusual[_i].series, 11);
    int seen = -1;
    for (int i = LONG; i < LONG + 30 && seen < 0; i++) {
        take(&run, unusual[_i].series(i) * unusual[_i].factor + unusual[_i].add);
        seen = run.last.rarity >= 2 ? i - LONG : -1;
    }
    ck_assert_msg(seen >= 0, "%s: not seen", unusual[_i].name);
    ck_assert_msg(run.last.up == unusual[_i].up, "%s: up %d", unusual[_i].name, run.last.up);
}
END_TEST

/* What was never there before scores at once; what goes on scores no more, but stays rare. */
START_TEST(an_excursion)
{
    struct run run = taken(constant, 3);
    ck_assert_double_gt(take(&run, 50), ADU_DETECTOR_UNUSUAL);
    ck_assert_double_eq_tol(run.last.expected, 12, 0.1);
    ck_assert(run.last.up);
    take(&run, 50);
    for (int i = 0; i < 5; i++) {
        ck_assert_double_lt(take(&run, 50), ADU_DETECTOR_UNUSUAL);
        ck_assert_double_gt(run.last.rarity, 2);
    }
}
END_TEST

/* What goes on for good becomes usual. */
START_TEST(a_new_usual)
{
    struct run run = taken(constant, 3);
    for (int i = 0; i < 3 * LONG; i++) {
        take(&run, 50 + noise());
    }
    run.rarest = 0;
    for (int i = 0; i < LONG; i++) {
        take(&run, 50 + noise());
    }
    ck_assert_double_lt(run.rarest, 5);
    take(&run, 12);
    ck_assert_double_gt(run.last.rarity, 2);
}
END_TEST

START_TEST(warm_up)
{
    struct run run = begin();
    for (int i = 0; i < ADU_DETECTOR_WARM_UP; i++) {
        ck_assert(!adu_detector_is_warm(&run.detector));
        take(&run, i % 10 ? 5 : 1e6);
    }
    ck_assert_double_eq(run.most, 0);
    ck_assert_double_eq(run.rarest, 0);
    ck_assert(adu_detector_is_warm(&run.detector));
}
END_TEST

/* After a gap the first values are not judged. */
START_TEST(after_a_gap)
{
    struct run run = taken(constant, 17);
    adu_detector_resume(&run.detector);
    ck_assert_double_eq(take(&run, 1000), 0);
    ck_assert_double_eq(run.last.rarity, 0);
    for (int i = 0; i < 200; i++) {
        take(&run, constant(i));
    }
    run.rarest = 0;
    take(&run, 5000);
    ck_assert_double_gt(run.rarest, 2);
}
END_TEST

START_TEST(gaps_and_clocks)
{
    static const struct {
        int64_t jump_ms;
        bool gap;
    } jumps[] = {{19 * MINUTE, false},
                 {21 * MINUTE, true},
                 {-3600000, true},
                 {INT64_C(400) * 86400000, true},
                 {INT64_MAX / 2, true}};
    struct adu_pace pace = {0};
    int64_t now_ms = INT64_C(1700000000000);
    for (int i = 0; i < 200; i++) {
        ck_assert(!adu_pace_gap(&pace, now_ms));
        now_ms += MINUTE;
    }
    now_ms += jumps[_i].jump_ms - MINUTE;
    ck_assert_int_eq(adu_pace_gap(&pace, now_ms), jumps[_i].gap);
    ck_assert(!adu_pace_gap(&pace, now_ms + MINUTE)); /* of a gap nothing is learned */
}
END_TEST

/* Before it is known how often values come, only a clock that goes back tells. */
START_TEST(a_pace_that_is_not_known)
{
    struct adu_pace pace = {0};
    ck_assert(!adu_pace_gap(&pace, -1000));
    ck_assert(!adu_pace_gap(&pace, 1000));
    ck_assert(!adu_pace_gap(&pace, 86400000));
    ck_assert(adu_pace_gap(&pace, 0));
}
END_TEST

/* A number that moves by less than its 16 bits tell apart gets where it should. */
START_TEST(narrow_numbers)
{
    static const double goals[] = {0.05, 1e-12, 0.9, 12345, 3e30};
    const double goal = goals[_i];
    adu_narrow narrow = adu_narrow_write((float)(2 * goal), 0);
    ck_assert_double_eq(adu_narrow_read(0), 0);
    ck_assert_double_eq(adu_narrow_read(ADU_NARROW_ONE), 1);
    for (unsigned turn = 0; turn < 40000; turn++) {
        const double value = adu_narrow_read(narrow);
        narrow = adu_narrow_write((float)(value + 0.0003 * (goal - value)), turn);
    }
    ck_assert_double_eq_tol(adu_narrow_read(narrow), goal, goal / 100);
}
END_TEST

START_TEST(no_numbers)
{
    struct run run = taken(noisy, 19);
    const struct run before = run;
    const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300};
    for (int i = 0; i < ROWS(odd); i++) {
        ck_assert_double_eq(adu_detector_take(&run.detector, odd[i]).score, 0);
    }
    ck_assert_mem_eq(&before.detector, &run.detector, sizeof run.detector);
}
END_TEST

/* Any finite numbers leave it with finite ones. */
START_TEST(stays_finite)
{
    struct run run = begin();
    random_state = 23;
    for (int i = 0; i < 20 * LONG; i++) {
        if (even() < 0.01) {
            adu_detector_resume(&run.detector);
        }
        take(&run, (even() - 0.5) * pow(10, 60 * even() - 30));
    }
    for (int trait = 0; trait < ADU_TRAITS; trait++) {
        ck_assert_double_finite(run.detector.centres[trait]);
        ck_assert_double_finite(adu_narrow_read(run.detector.traits[trait].spread));
    }
}
END_TEST

/* Values in other units are as unusual. */
START_TEST(units)
{
    struct run one = begin(), thousand = begin();
    random_state = 29;
    for (int i = 0; i < LONG; i++) {
        const double value = i % 1000 == 999 ? 1000 : batches(i);
        ck_assert_double_eq_tol(take(&one, value), take(&thousand, 1024 * value), 1e-3);
    }
    ck_assert_double_gt(one.most, ADU_DETECTOR_UNUSUAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("detector");
    suite_add_rows(suite, usual_series, ROWS(usual));
    suite_add_rows(suite, unusual_series, ROWS(unusual));
    suite_add(suite, an_excursion);
    suite_add(suite, a_new_usual);
    suite_add(suite, warm_up);
    suite_add(suite, after_a_gap);
    suite_add_rows(suite, gaps_and_clocks, 5);
    suite_add(suite, a_pace_that_is_not_known);
    suite_add_rows(suite, narrow_numbers, 5);
    suite_add(suite, no_numbers);
    suite_add(suite, stays_finite);
    suite_add(suite, units);
    return run_suite(suite);
}
