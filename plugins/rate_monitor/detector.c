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
#define EXCESS_LEAST 1e-6   /* or it would be nothing, in the end, and all beyond it without end */
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

struct tail_rule {
    double learn_excess, excess_most; /* at once, of the excess so far */
    double prior_share, prior_weight; /* what is thought of it, as if learned from so many values */
};

static const struct tail_rule trait_tails = {LEARN_EXCESS, SPREADS_MOST, TAIL_SHARE, TAIL_WEIGHT};
static const struct tail_rule surprise_tail = {SURPRISE_EXCESS, SURPRISE_MOST, SURPRISE_SHARE,
                                               SURPRISE_WEIGHT};

/* How rare it is to lie so far beyond the tail's beginning, where `seen` values tell; and learns
 * it. */
static double take_tail(struct adu_tail *tail, const struct tail_rule *rule, double beyond,
                        double seen, double learn, unsigned turn)
{
    const double share = adu_narrow_read(tail->share), excess = adu_narrow_read(tail->excess);
    double found = 0;
    if (beyond > 0) {
        const double all = seen + rule->prior_weight;
        const double expected = (share * seen + rule->prior_share * rule->prior_weight) / all;
        const double more = fmin(beyond, rule->excess_most * excess) - excess;
        found = tail_rarity(beyond, excess) - log10(expected);
        tail->excess =
            adu_narrow_write((float)fmax(EXCESS_LEAST, excess + rule->learn_excess * more), turn);
    }
    tail->share = adu_narrow_write((float)(share + learn * ((beyond > 0) - share)), turn);
    return found;
}

/* How rare the value is for this trait, of which it has seen `count` before; and learns it. The
 * mean distance from the centre times 1.25 is the standard deviation of what is normal. */
static double rarity(struct adu_detector *d, enum adu_trait trait, double value, double count)
{
    static const struct adu_tail new_tail = {.excess = ADU_NARROW_ONE};
    struct adu_trait_memory *m = &d->traits[trait];
    float *centre = &d->centres[trait];
    if (count < 1) {
        *centre = (float)value;
        *m = (struct adu_trait_memory){.tails = {new_tail, new_tail}};
        return 0;
    }
    const double learn = share_of(LEARN, count), seen = fmin(count, 1 / LEARN);
    const double spread = adu_narrow_read(m->spread), distance = value - *centre;
    const double away = distance / (1.25 * spread + 1e-9 * (fabs((double)*centre) + 1e-6));
    const double above = take_tail(&m->tails[0], &trait_tails, away - TAIL, seen, learn, d->count);
    const double below = take_tail(&m->tails[1], &trait_tails, -away - TAIL, seen, learn, d->count);
    const double most = count > NOISE_AFTER ? SPREADS_MOST * 1.25 * spread : INFINITY;
    const double step = fmin(fmax(distance, -most), most);
    *centre += (float)(learn * step);
    m->spread = adu_narrow_write((float)(spread + learn * (fabs(step) - spread)), d->count);
    return above + below;
}

/* The same of the surprise itself, in the one direction that there is. */
static double surprise_rarity(struct adu_detector *d, double surprise, double count)
{
    const double seen = fmin(count, 1 / SURPRISE_LEARN);
    if (count == 0) {
        d->surprise.excess = ADU_NARROW_ONE;
    }
    return take_tail(&d->surprise, &surprise_tail, surprise - SURPRISE_BEGINS, seen,
                     1 / fmax(seen, 1), d->count);
}

/* The running means, and from them the traits of this value. */
static void read_traits(struct adu_detector *d, double value, double traits[ADU_TRAITS])
{
    const double step = value - d->fast, count = d->count;
    /* A noise of nothing is a small part of the usual step, not minus infinity. */
    const double least = 1e-3 * (adu_narrow_read(d->traits[ADU_TRAIT_STEP].spread) + 1e-9);
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
        const double found = rarity(d, (enum adu_trait)trait, traits[trait], seen) - COMMON_RARITY;
        most = fmax(most, weights[trait] * found);
    }
    return most;
}

/* --- the verdict --- */

static double expected_of(const struct adu_detector *d, double value, double before)
{
    const double usual = d->centres[ADU_TRAIT_LEVEL];
    return fabs(value - before) < fabs(value - usual) ? before : usual;
}

static bool tail_sound(const struct adu_tail *tail)
{
    const float share = adu_narrow_read(tail->share), excess = adu_narrow_read(tail->excess);
    return share <= 1 && isfinite(excess) && excess > 0;
}

/* What has not begun to learn is all zeros. */
bool adu_detector_sound(const struct adu_detector *d)
{
    bool sound = isfinite(d->fast) && isfinite(d->mean) && isfinite(d->slow) &&
                 isfinite(d->noise) && isfinite(adu_narrow_read(d->recent)) &&
                 (d->count <= SURPRISE_AFTER || tail_sound(&d->surprise));
    for (int trait = 0; trait < ADU_TRAITS; trait++) {
        const struct adu_trait_memory *m = &d->traits[trait];
        sound = sound && isfinite(d->centres[trait]) && isfinite(adu_narrow_read(m->spread)) &&
                (d->count <= NOISE_AFTER || (tail_sound(&m->tails[0]) && tail_sound(&m->tails[1])));
    }
    return sound;
}

bool adu_detector_is_warm(const struct adu_detector *d)
{
    return d->count >= ADU_DETECTOR_WARM_UP;
}

void adu_detector_resume(struct adu_detector *d)
{
    d->settle = SETTLE;
}

struct adu_detection adu_detector_take(struct adu_detector *d, double value)
{
    enum { COUNT_MOST = UINT16_MAX, COUNT_AGAIN = COUNT_MOST / 2 };
    if (!isfinite(value) || fabs(value) > pow(10, VALUE_MOST)) {
        return (struct adu_detection){.expected = d->slow};
    }
    if (d->count == 0) {
        d->fast = d->mean = d->slow = (float)value;
    }
    if (d->settle == SETTLE) {
        d->fast = (float)value;
    }
    const double expected = expected_of(d, value, d->slow);
    const double surprise = surprise_of(d, value), recent = adu_narrow_read(d->recent);
    double rare = d->count >= SURPRISE_AFTER
                      ? surprise_rarity(d, surprise, (double)d->count - SURPRISE_AFTER)
                      : 0;
    double above = fmax(rare - recent, 0);
    d->recent = adu_narrow_write((float)fmax(recent * (1 - FADE), rare), d->count);
    if (!adu_detector_is_warm(d) || d->settle > 0) {
        above = rare = 0;
    }
    d->settle -= d->settle > 0;
    d->count = (uint16_t)(d->count < COUNT_MOST ? d->count + 1 : COUNT_AGAIN);
    return (struct adu_detection){
        .score = above / (above + RARITY_HALF),
        .rarity = rare,
        .expected = expected,
        .up = value > expected,
    };
}
