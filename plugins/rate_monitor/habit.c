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

enum {
    TEN_MS = 10000,
    RIPE = 8640,      /* tens of seconds: a day */
    LEAST = 5,        /* publishes in ten seconds that a difference must amount to */
    LEAST_FLOOD = 20, /* publishes in two seconds */
    GRACE_S = 10,     /* after a connect */
    CALM = 3,         /* usual tens of seconds till an alert is over */
    FLOOD_OVER_S = 5,
    FLOOD_USUAL_S = 600, /* a flood that lasts is what the client does now */
    INTERVALS = 100,     /* before a silence is judged */
    SILENCE_LEAST_MS = 2000,
    GAP_MS = 200000,   /* longer than that without a value, and the last ones tell nothing */
    FAR_S = 1000000,   /* so far from now a time is known by its second alone */
    FADE_S = 60,       /* one connect fewer after each */
    CONNECT_PART = 256 /* of one that is counted */
};

static uint32_t seconds(int64_t now_ms)
{
    return (uint32_t)(now_ms / 1000);
}

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
    const double fewer = (double)(seconds(now_ms) - h->connected_s) / FADE_S;
    return fmax(0, (double)h->connects / CONNECT_PART - fewer);
}

/* Then clients send what they have kept. */
static bool has_just_connected(const struct adu_habit *h, int64_t now_ms)
{
    return seconds(now_ms) - h->connected_s < GRACE_S;
}

static void begin_anew(struct adu_habit *h)
{
    h->spoken = h->counting = false;
    h->now = h->before = 0;
}

unsigned adu_habit_connect(struct adu_habit *h, int64_t now_ms)
{
    const double connects = (connects_now(h, now_ms) + 1) * CONNECT_PART;
    h->connects = (uint16_t)fmin(connects, UINT16_MAX);
    h->connected_s = seconds(now_ms);
    h->online = true;
    begin_anew(h);
    return change(h, ADU_HABIT_SILENT, false) |
           (connects >= FLAPPING * CONNECT_PART ? change(h, ADU_HABIT_FLAPPING, true) : 0);
}

unsigned adu_habit_leave(struct adu_habit *h)
{
    h->online = false;
    begin_anew(h);
    return change(h, ADU_HABIT_SILENT, false) | change(h, ADU_HABIT_FLOOD, false) |
           change(h, ADU_HABIT_MORE, false) | change(h, ADU_HABIT_LESS, false);
}

bool adu_habit_sound(const struct adu_habit *h)
{
    const float learned[] = {h->longest_ms, h->interval_ms, h->peak, h->high, h->low};
    bool sound = isfinite(h->evidence) && adu_detector_sound(&h->rate);
    for (size_t i = 0; i < sizeof learned / sizeof learned[0]; i++) {
        sound = sound && isfinite(learned[i]) && learned[i] >= 0;
    }
    return sound;
}

void adu_habit_resume(struct adu_habit *h)
{
    h->online = false;
    begin_anew(h);
    h->raised = h->calm = 0;
    h->last_ms = h->last_s = h->since_ms = h->connected_s = h->flood_s = 0;
    h->flood_for_s = h->connects = 0;
    h->evidence = 0;
    adu_detector_resume(&h->rate);
}

/* --- publishes --- */

double adu_habit_silent_ms(const struct adu_habit *h, int64_t now_ms)
{
    const int32_t passed_s = (int32_t)(seconds(now_ms) - h->last_s);
    return passed_s > FAR_S || passed_s < -FAR_S ? passed_s * 1000.0
                                                 : (int32_t)((uint32_t)now_ms - h->last_ms);
}

void adu_habit_heard(struct adu_habit *h, int64_t now_ms)
{
    h->last_ms = (uint32_t)now_ms;
    h->last_s = seconds(now_ms);
}

/* On the first day a silence is learned whole, as that of every night; later it only doubles what
 * is known, so that one outage does not make the next one usual. */
static void learn_interval(struct adu_habit *h, int64_t now_ms)
{
    const float passed = fmaxf(0, (float)adu_habit_silent_ms(h, now_ms));
    if (passed > h->longest_ms) {
        h->longest_ms = h->rate.count < RIPE ? passed : fminf(passed, 2 * h->longest_ms);
    }
    const float share = h->intervals == 0 ? 1 : (float)INTERVAL_LEARN;
    h->interval_ms += share * (passed - h->interval_ms);
    h->intervals = (uint8_t)(h->intervals + (h->intervals < INTERVALS));
}

/* Another second begins: of a flood nothing is learned, unless it has become usual. */
static void next_second(struct adu_habit *h, bool follows)
{
    const float both = (float)h->now + (float)h->before;
    const bool flood = is_up(h, ADU_HABIT_FLOOD) && h->flood_for_s < FLOOD_USUAL_S;
    if (both > h->peak && !flood) {
        const float most = h->rate.count < RIPE ? both : h->peak * (float)PEAK_GROWTH + 1;
        h->peak = fminf(both, most);
    }
    h->before = follows ? h->now : 0;
    h->now = 0;
}

static bool is_flood(const struct adu_habit *h)
{
    return h->now + h->before > LEAST_FLOOD && h->rate.count >= RIPE &&
           (float)(h->now + h->before) > (float)FLOOD_FACTOR * h->peak;
}

static unsigned notice_flood(struct adu_habit *h, uint32_t second)
{
    if (!is_up(h, ADU_HABIT_FLOOD)) {
        h->flood_for_s = 0;
    }
    if (h->flood_s != second) {
        h->flood_s = second;
        h->flood_for_s = (uint16_t)(h->flood_for_s + (h->flood_for_s < UINT16_MAX));
    }
    return change(h, ADU_HABIT_FLOOD, true);
}

unsigned adu_habit_publish(struct adu_habit *h, int64_t now_ms)
{
    const uint32_t passed_s = seconds(now_ms) - h->last_s;
    if (h->spoken) {
        learn_interval(h, now_ms);
    }
    h->spoken = true;
    adu_habit_heard(h, now_ms);
    const unsigned changed = change(h, ADU_HABIT_SILENT, false);
    if (has_just_connected(h, now_ms)) {
        return changed;
    }
    h->count++;
    if (passed_s != 0) {
        next_second(h, passed_s == 1);
    }
    h->now = (uint16_t)(h->now + (h->now < UINT16_MAX));
    return is_flood(h) ? changed | notice_flood(h, h->last_s) : changed;
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
}

/* Ten seconds are over, in which it published so often. */
static unsigned judge_rate(struct adu_habit *h, double value)
{
    const struct adu_detection found = adu_detector_take(&h->rate, value);
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
    const int32_t passed = (int32_t)((uint32_t)now_ms - h->since_ms);
    const bool gap = passed < 0 || passed > GAP_MS;
    if (has_just_connected(h, now_ms) || (h->counting && passed >= 0 && passed < TEN_MS)) {
        return 0;
    }
    const double value = (double)h->count * TEN_MS / passed;
    const bool counted = h->counting && !gap;
    h->counting = true;
    h->since_ms = (uint32_t)now_ms;
    h->count = 0;
    if (gap) {
        adu_detector_resume(&h->rate);
    }
    return counted ? judge_rate(h, value) : 0;
}

static unsigned visit_flood(struct adu_habit *h, int64_t now_ms)
{
    const bool over = is_up(h, ADU_HABIT_FLOOD) && seconds(now_ms) - h->flood_s >= FLOOD_OVER_S;
    return over ? change(h, ADU_HABIT_FLOOD, false) : 0;
}

static unsigned visit_silence(struct adu_habit *h, int64_t now_ms)
{
    if (!h->spoken || h->intervals < INTERVALS) {
        return 0;
    }
    const float silent = (float)adu_habit_silent_ms(h, now_ms);
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
        return h->spoken ? adu_habit_silent_ms(h, now_ms) / 1000 : 0;
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
