#include "plugins/rate_monitor/detector.h"
#include <math.h>

/* The parameters: the same for every series, round numbers, each in the midst of a range in which
 * it hardly matters. Shares are of one value. */
#define FAST         0.33   /* the running means: three values, */
#define MEAN         0.06   /* a quarter hour's worth where one comes every minute, */
#define SLOW         0.01   /* a hundred values */
#define LEARN        0.0003 /* centre, spread and shares: three thousand values */
#define LEARN_EXCESS 0.045  /* one of twenty values in a tail */
#define TAIL         2.5    /* a tail begins so many spreads from the centre */
#define SHAPE        0.4    /* of the tails: heavier than exponential, as counts of events are */
#define TAIL_SHARE   0.05   /* what is thought of a tail before anything is known, */
#define TAIL_WEIGHT  15.0   /* as if learned from so many values */
#define SPREADS_MOST 7.0    /* a value is learned from as if it were no farther away */

#define SURPRISE_LEARN  0.0005
#define SURPRISE_EXCESS 0.06
#define SURPRISE_BEGINS 1.5 /* the surprises' own tail */
#define SURPRISE_SHARE  0.02
#define SURPRISE_WEIGHT 10.0
#define SURPRISE_MOST   6.0
#define FADE            0.013 /* of the highest rarity of late */
#define RARITY_HALF     1.4   /* the rarity that scores ADU_DETECTOR_UNUSUAL */

#define COMMON_RARITY 1.5 /* one in thirty: what is more common surprises nobody */

/* How much a trait's rarity says: a step of a noisy series is rare more easily than its mean. */
static const double weights[ADU_TRAITS] = {[ADU_TRAIT_LEVEL] = 0.9,
                                           [ADU_TRAIT_STEP] = 0.9,
                                           [ADU_TRAIT_MEAN] = 4,
                                           [ADU_TRAIT_NOISE] = 0.9,
                                           [ADU_TRAIT_TREND] = 3};

enum {
    NOISE_AFTER = 20,    /* values, before there is a noise to speak of */
    SURPRISE_AFTER = 60, /* and before a surprise is one */
    GAP = 20,            /* times the usual interval without a value */
    SETTLE = 12,         /* values after a gap */
    VALUE_MOST = 30      /* power of ten beyond which a value is not told from another */
};

/* A share of `learn`, or more while there are few values: the mean of all of them. */
static double share_of(double learn, double count)
{
    return fmax(learn, 1 / (count + 1));
}

/* Powers of ten by which `beyond` is rarer than the beginning of a tail of that excess. */
static double tail_rarity(double beyond, double excess)
{
    return log10(1 + SHAPE * beyond / excess) / SHAPE;
}

static double prior(double share, double count, double prior_share, double weight)
{
    return (share * count + prior_share * weight) / (count + weight);
}

static void learn_centre(struct adu_trait_memory *m, double value, double share, bool bounded)
{
    const double most = SPREADS_MOST * 1.25 * m->spread;
    double away = value - m->centre;
    if (bounded) {
        away = fmin(fmax(away, -most), most);
    }
    m->centre += (float)(share * away);
    m->spread += (float)(share * (fabs(away) - m->spread));
}

/* How rare the value is for this trait, of which it has seen `count` before; and learns it. The
 * mean distance from the centre times 1.25 is the standard deviation of what is normal. */
static double rarity(struct adu_trait_memory *m, double value, double count)
{
    double found = 0;
    if (count < 1) {
        *m = (struct adu_trait_memory){.centre = (float)value,
                                       .tails = {{.excess = 1}, {.excess = 1}}};
        return 0;
    }
    const double share = share_of(LEARN, count), seen = fmin(count, 1 / LEARN);
    const double floor = 1e-9 * (fabs((double)m->centre) + 1e-6);
    const double away = (value - m->centre) / (1.25 * m->spread + floor);
    for (int side = 0; side < 2; side++) {
        const double beyond = (side == 0 ? away : -away) - TAIL;
        float *tail = &m->tails[side].share, *excess = &m->tails[side].excess;
        if (beyond > 0) {
            found =
                tail_rarity(beyond, *excess) - log10(prior(*tail, seen, TAIL_SHARE, TAIL_WEIGHT));
            *excess += (float)((fmin(beyond, SPREADS_MOST * *excess) - *excess) * LEARN_EXCESS);
        }
        *tail += (float)(share * ((beyond > 0) - *tail));
    }
    learn_centre(m, value, share, count > NOISE_AFTER);
    return found;
}

/* The same of the surprise itself, in the one direction that there is. */
static double surprise_rarity(struct adu_detector *d, double surprise, double count)
{
    const double beyond = surprise - SURPRISE_BEGINS, seen = fmin(count, 1 / SURPRISE_LEARN);
    double found = 0;
    if (count == 0) {
        d->surprise_excess = 1;
    }
    if (beyond > 0) {
        found = tail_rarity(beyond, d->surprise_excess) -
                log10(prior(d->surprise_share, seen, SURPRISE_SHARE, SURPRISE_WEIGHT));
        d->surprise_excess +=
            (float)((fmin(beyond, SURPRISE_MOST * d->surprise_excess) - d->surprise_excess) *
                    SURPRISE_EXCESS);
    }
    d->surprise_share += (float)(((beyond > 0) - d->surprise_share) / fmax(seen, 1));
    return found;
}

/* The running means, and from them the traits of this value. */
static void read_traits(struct adu_detector *d, double value, double traits[ADU_TRAITS])
{
    const double step = value - d->fast, count = d->count;
    /* A noise of nothing is a small part of the usual step, not minus infinity. */
    const double least = 1e-3 * (d->traits[ADU_TRAIT_STEP].spread + 1e-9);
    d->fast += (float)(FAST * step);
    d->mean += (float)(share_of(MEAN, count) * (value - d->mean));
    d->slow += (float)(share_of(SLOW, count) * (value - d->slow));
    d->noise += (float)(share_of(MEAN, count) * (log(fabs(step) + least) - d->noise));
    traits[ADU_TRAIT_LEVEL] = value;
    traits[ADU_TRAIT_STEP] = step;
    traits[ADU_TRAIT_MEAN] = d->mean;
    traits[ADU_TRAIT_NOISE] = d->noise;
    traits[ADU_TRAIT_TREND] = (double)d->mean - d->slow;
}

static double surprise_of(struct adu_detector *d, double value)
{
    double traits[ADU_TRAITS], most = 0;
    read_traits(d, value, traits);
    for (int trait = 0; trait < ADU_TRAITS; trait++) {
        const double seen = trait == ADU_TRAIT_NOISE ? (double)d->count - NOISE_AFTER : d->count;
        if (seen < 0) {
            continue;
        }
        const double found = rarity(&d->traits[trait], traits[trait], seen) - COMMON_RARITY;
        most = fmax(most, weights[trait] * found);
    }
    return most;
}

/* --- time --- */

/* A gap says nothing about the values on its other side, and a clock that went back nothing about
 * the time between: what came just before is no expectation then. */
static void notice_time(struct adu_detector *d, int64_t time_ms, double value)
{
    const double passed = (double)time_ms - (double)d->last_ms;
    if (d->count > 0 && (passed < 0 || (d->count > SETTLE && passed > GAP * (double)d->every_ms &&
                                        d->every_ms > 0))) {
        d->settle = SETTLE;
        d->fast = (float)value;
    } else if (d->count > 0) {
        d->every_ms += (float)(share_of(SLOW, d->count - 1) * (passed - d->every_ms));
    }
    d->last_ms = time_ms;
}

/* --- the verdict --- */

static double expected_of(const struct adu_detector *d, double value, double before)
{
    const double usual = d->traits[ADU_TRAIT_LEVEL].centre;
    return fabs(value - before) < fabs(value - usual) ? before : usual;
}

bool adu_detector_is_warm(const struct adu_detector *d)
{
    return d->count >= ADU_DETECTOR_WARM_UP;
}

void adu_detector_resume(struct adu_detector *d)
{
    d->last_ms = INT64_MAX; /* a clock that goes back, for notice_time */
}

struct adu_detection adu_detector_take(struct adu_detector *d, int64_t time_ms, double value)
{
    if (!isfinite(value) || fabs(value) > pow(10, VALUE_MOST)) {
        return (struct adu_detection){.expected = d->slow};
    }
    if (d->count == 0) {
        d->fast = d->mean = d->slow = (float)value;
    }
    notice_time(d, time_ms, value);
    const double expected = expected_of(d, value, d->slow);
    const double surprise = surprise_of(d, value);
    double rare = d->count >= SURPRISE_AFTER
                      ? surprise_rarity(d, surprise, (double)d->count - SURPRISE_AFTER)
                      : 0;
    double above = fmax(rare - d->recent, 0);
    d->recent = (float)fmax(d->recent * (1 - FADE), rare);
    if (!adu_detector_is_warm(d) || d->settle > 0) {
        above = rare = 0;
    }
    d->settle -= d->settle > 0;
    d->count += d->count < ADU_DETECTOR_COUNT_MOST;
    return (struct adu_detection){
        .score = above / (above + RARITY_HALF),
        .rarity = rare,
        .expected = expected,
        .up = value > expected,
    };
}
