#include "plugins/rate_monitor/habit.h"
#include <math.h>

/* Of rates: ten seconds are the detector's values. */
#define RANGE_LEARN    0.02 /* of what lies beyond the range, each ten seconds: the range follows */
#define RANGE_FORGET   1.5e-5 /* of the distance to what is now: half of it in five days */
#define FACTOR         1.6    /* beyond the range by this */
#define EVIDENCE_MOST  9.0    /* of one ten seconds, in powers of ten */
#define EVIDENCE_LEAST 0.8    /* but so much at least: it has left the range */
#define EVIDENCE_LESS  1.0    /* what does not count of it */
#define EVIDENCE       4.0    /* enough */

#define FLOOD_FACTOR   3.0    /* times the peak */
#define PEAK_GROWTH    1.1    /* at most, each second: less than a flood */
#define PEAK_FORGET    1.5e-5 /* each ten seconds */
#define SILENCE_FACTOR 1.3    /* times the longest silence */
#define REGULAR        3.0    /* the longest silence is at most so many usual intervals */
#define SILENCE_FORGET 1.5e-6 /* of what it is more than the usual interval, each ten seconds */
#define INTERVAL_LEARN 0.02

#define FLAPPING 4.5 /* connects, fading: five at once, or more within minutes */
#define FLAP_MS  60000.0

enum {
    TEN_MS = 10000,
    RIPE = 8640,      /* tens of seconds: a day */
    LEAST = 5,        /* publishes in ten seconds that a difference must amount to */
    LEAST_FLOOD = 20, /* publishes in two seconds */
    GRACE_MS = 10000, /* after a connect */
    CALM = 3,         /* usual tens of seconds till an alert is over */
    FLOOD_OVER_MS = 5000,
    FLOOD_USUAL_MS = 600000, /* a flood that lasts is what the client does now */
    INTERVALS = 100,         /* before a silence is judged */
    SILENCE_LEAST_MS = 2000
};

static unsigned change(struct adu_habit *h, enum adu_habit_kind kind, bool up)
{
    const unsigned bit = 1u << kind;
    if (((h->raised & bit) != 0) == up) {
        return 0;
    }
    h->raised = (uint8_t)(h->raised ^ bit);
    return bit;
}

static bool is_up(const struct adu_habit *h, enum adu_habit_kind kind)
{
    return (h->raised >> kind & 1) != 0;
}

/* --- connections --- */

/* One fewer for each minute since. */
static double connects_now(const struct adu_habit *h, int64_t now_ms)
{
    return fmax(0, h->connects - (double)(now_ms - h->connected_ms) / FLAP_MS);
}

unsigned adu_habit_connect(struct adu_habit *h, int64_t now_ms)
{
    h->connects = (float)(connects_now(h, now_ms) + 1);
    h->connected_ms = now_ms;
    h->online = true;
    h->since_ms = h->last_ms = 0;
    h->now = h->before = h->count = 0;
    return change(h, ADU_HABIT_SILENT, false) |
           (h->connects >= FLAPPING ? change(h, ADU_HABIT_FLAPPING, true) : 0);
}

unsigned adu_habit_leave(struct adu_habit *h)
{
    h->online = false;
    h->since_ms = h->last_ms = 0;
    return change(h, ADU_HABIT_SILENT, false) | change(h, ADU_HABIT_FLOOD, false) |
           change(h, ADU_HABIT_MORE, false) | change(h, ADU_HABIT_LESS, false);
}

void adu_habit_resume(struct adu_habit *h)
{
    h->online = false;
    h->raised = h->calm = 0;
    h->now = h->before = h->count = 0;
    h->last_ms = h->second = h->since_ms = h->connected_ms = h->flood_since_ms = 0;
    h->flood_ms = -FLOOD_OVER_MS;
    h->connects = h->evidence = 0;
    adu_detector_resume(&h->rate);
}

/* --- publishes --- */

/* On the first day a silence is learned whole, as that of every night; later it only doubles what
 * is known, so that one outage does not make the next one usual. */
static void learn_interval(struct adu_habit *h, int64_t now_ms)
{
    const float passed = (float)(now_ms - h->last_ms);
    if (passed > h->longest_ms) {
        h->longest_ms = h->rate.count < RIPE ? passed : fminf(passed, 2 * h->longest_ms);
    }
    const float share = h->intervals == 0 ? 1 : (float)INTERVAL_LEARN;
    h->interval_ms += share * (passed - h->interval_ms);
    h->intervals += h->intervals < INTERVALS;
}

/* Another second begins: of a flood nothing is learned, unless it has become usual. */
static void next_second(struct adu_habit *h, int64_t second)
{
    const float both = (float)h->now + (float)h->before;
    const bool flood =
        is_up(h, ADU_HABIT_FLOOD) && h->flood_ms - h->flood_since_ms < FLOOD_USUAL_MS;
    if (both > h->peak && !flood) {
        const float most = h->rate.count < RIPE ? both : h->peak * (float)PEAK_GROWTH + 1;
        h->peak = fminf(both, most);
    }
    h->before = second == h->second + 1 ? h->now : 0;
    h->now = 0;
    h->second = second;
}

unsigned adu_habit_publish(struct adu_habit *h, int64_t now_ms)
{
    unsigned changed = 0;
    if (h->last_ms != 0) {
        learn_interval(h, now_ms);
    }
    h->last_ms = now_ms;
    if (is_up(h, ADU_HABIT_SILENT)) {
        changed = change(h, ADU_HABIT_SILENT, false);
    }
    if (now_ms - h->connected_ms < GRACE_MS && h->connected_ms != 0) {
        return changed;
    }
    h->count++;
    if (now_ms / 1000 != h->second) {
        next_second(h, now_ms / 1000);
    }
    h->now++;
    if (h->flood_at != 0 && h->now + h->before > h->flood_at) {
        h->flood_ms = now_ms;
        h->flood_since_ms = is_up(h, ADU_HABIT_FLOOD) ? h->flood_since_ms : now_ms;
        changed |= change(h, ADU_HABIT_FLOOD, true);
    }
    return changed;
}

/* --- once a second --- */

/* The range, till it is ripe, is all that has been; afterwards it forgets and follows slowly. */
static void learn_range(struct adu_habit *h)
{
    const float mean = h->rate.mean;
    const bool ripe = h->rate.count >= RIPE;
    if (h->rate.count == 1) {
        h->high = h->low = mean;
    }
    h->high += (mean - h->high) * (mean < h->high ? (float)RANGE_FORGET
                                   : ripe         ? (float)RANGE_LEARN
                                                  : 1);
    h->low += (mean - h->low) * (mean > h->low ? (float)RANGE_FORGET
                                 : ripe        ? (float)RANGE_LEARN
                                               : 1);
    h->peak -= (float)PEAK_FORGET * h->peak;
    h->longest_ms -= (float)SILENCE_FORGET * (h->longest_ms - h->interval_ms);
    h->flood_at = ripe ? (uint32_t)fmax(LEAST_FLOOD, FLOOD_FACTOR * h->peak) : 0;
}

/* Ten seconds are over, in which it published so often. */
static unsigned judge_rate(struct adu_habit *h, int64_t now_ms, double value)
{
    const struct adu_detection found = adu_detector_take(&h->rate, now_ms, value);
    const bool more = value > FACTOR * h->high && value - h->high >= LEAST;
    const bool less = FACTOR * value < h->low && h->low - value >= LEAST;
    if (h->rate.count < RIPE || (!more && !less) || (more && h->evidence < 0) ||
        (less && h->evidence > 0)) {
        h->evidence = 0;
    }
    if (h->rate.count >= RIPE && (more || less)) {
        const double weight =
            fmax(fmin(found.rarity, EVIDENCE_MOST) - EVIDENCE_LESS, EVIDENCE_LEAST);
        const double evidence = fmin(fabs((double)h->evidence) + weight, 3 * EVIDENCE);
        h->evidence = (float)(more ? evidence : -evidence);
    }
    learn_range(h);
    h->calm = (uint8_t)(more || less ? 0 : h->calm < CALM ? h->calm + 1 : CALM);
    if (h->evidence >= EVIDENCE) {
        return change(h, ADU_HABIT_MORE, true) | change(h, ADU_HABIT_LESS, false);
    }
    if (h->evidence <= -EVIDENCE) {
        return change(h, ADU_HABIT_LESS, true) | change(h, ADU_HABIT_MORE, false);
    }
    return h->calm < CALM ? 0 : change(h, ADU_HABIT_MORE, false) | change(h, ADU_HABIT_LESS, false);
}

static unsigned visit_rate(struct adu_habit *h, int64_t now_ms)
{
    if (now_ms - h->connected_ms < GRACE_MS && h->connected_ms != 0) {
        return 0;
    }
    if (h->since_ms == 0 || now_ms < h->since_ms) {
        h->since_ms = now_ms;
        h->count = 0;
        return 0;
    }
    const int64_t passed = now_ms - h->since_ms;
    if (passed < TEN_MS) {
        return 0;
    }
    const double value = (double)h->count * TEN_MS / (double)passed;
    h->since_ms = now_ms;
    h->count = 0;
    return judge_rate(h, now_ms, value);
}

static unsigned visit_flood(struct adu_habit *h, int64_t now_ms)
{
    if (!is_up(h, ADU_HABIT_FLOOD)) {
        return 0;
    }
    if (now_ms - h->flood_ms < FLOOD_OVER_MS) {
        return 0;
    }
    return change(h, ADU_HABIT_FLOOD, false);
}

static unsigned visit_silence(struct adu_habit *h, int64_t now_ms)
{
    if (h->last_ms == 0 || h->intervals < INTERVALS) {
        return 0;
    }
    const float silent = (float)(now_ms - h->last_ms);
    if (h->rate.count < RIPE) { /* one that is not over when the first day is, is known too */
        h->longest_ms = fmaxf(h->longest_ms, silent);
        return 0;
    }
    const bool regular = h->longest_ms <= (float)REGULAR * h->interval_ms;
    return regular && silent > (float)SILENCE_FACTOR * h->longest_ms && silent >= SILENCE_LEAST_MS
               ? change(h, ADU_HABIT_SILENT, true)
               : 0;
}

unsigned adu_habit_visit(struct adu_habit *h, int64_t now_ms)
{
    unsigned changed = visit_flood(h, now_ms);
    if (is_up(h, ADU_HABIT_FLAPPING) && connects_now(h, now_ms) < 1) {
        changed |= change(h, ADU_HABIT_FLAPPING, false);
    }
    if (h->online) {
        changed |= visit_silence(h, now_ms) | visit_rate(h, now_ms);
    }
    return changed;
}

/* --- telling --- */

double adu_habit_value(const struct adu_habit *h, enum adu_habit_kind kind, int64_t now_ms)
{
    switch (kind) {
    case ADU_HABIT_FLOOD:
        return (double)h->now + h->before;
    case ADU_HABIT_SILENT:
        return h->last_ms != 0 ? (double)(now_ms - h->last_ms) / 1000 : 0;
    case ADU_HABIT_FLAPPING:
        return ceil(connects_now(h, now_ms));
    default:
        return h->rate.fast;
    }
}

double adu_habit_usual(const struct adu_habit *h, enum adu_habit_kind kind)
{
    switch (kind) {
    case ADU_HABIT_FLOOD:
        return h->peak;
    case ADU_HABIT_SILENT:
        return h->longest_ms / 1000.0;
    case ADU_HABIT_FLAPPING:
        return 1;
    default:
        return kind == ADU_HABIT_MORE ? h->high : h->low;
    }
}
