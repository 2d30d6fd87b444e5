/* Is this value unusual for this series? Values come one at a time and evenly; what is usual is
 * learned from the series alone, up to now, and never stops being learned. Pure; constant time and
 * memory a value, no allocation, the same parameters for every series.
 *
 * A value is looked at through five traits: the level (the value itself), the step (from what the
 * last few values let expect), the mean of the last quarter hour's worth of values, their noise,
 * and their trend (that mean against a slower one). Each trait learns its own centre, its spread,
 * and the tail of what lies beyond on either side: how often, and how far. What a trait says of a
 * value is how rare it is by that tail, in powers of ten. The most surprising trait is the series'
 * surprise, whose own tail is learned in the same way: a series that surprises often must surprise
 * more to be unusual. So cycles, bursts and shift changes are what the tails are made of, and are
 * usual once they have been seen a few times. */
#ifndef ADUANA_RATE_MONITOR_DETECTOR_H
#define ADUANA_RATE_MONITOR_DETECTOR_H

#include "plugins/rate_monitor/narrow.h"
#include <stdbool.h>
#include <stdint.h>

enum adu_trait {
    ADU_TRAIT_LEVEL,
    ADU_TRAIT_STEP,
    ADU_TRAIT_MEAN,
    ADU_TRAIT_NOISE,
    ADU_TRAIT_TREND,
    ADU_TRAITS
};

/* Of the values that lie beyond a tail's beginning: their share of all, and how far beyond they
 * are, in spreads. */
struct adu_tail {
    adu_narrow share, excess;
};

/* What is learned of one trait beside its centre. */
struct adu_trait_memory {
    adu_narrow spread;
    struct adu_tail tails[2]; /* above, below */
};

/* Zeroed to begin. */
struct adu_detector {
    uint16_t count;                /* of values so far; after 65535 it goes on from half of that */
    uint8_t settle;                /* values till it judges again */
    float fast, mean, slow, noise; /* running means */
    float centres[ADU_TRAITS];
    struct adu_trait_memory traits[ADU_TRAITS];
    struct adu_tail surprise;
    adu_narrow recent; /* the highest rarity of late, fading */
};

enum { ADU_DETECTOR_WARM_UP = 150 };

struct adu_detection {
    /* 0 is usual, 1 never seen before, ADU_DETECTOR_UNUSUAL and more is unusual. Of an excursion
     * only those values score that top what came just before. */
    double score;
    double rarity;   /* the same in powers of ten, of each value of an excursion */
    double expected; /* by the last values or the usual level, whichever it is nearer to */
    bool up;         /* it is more than was expected, else less */
};

#define ADU_DETECTOR_UNUSUAL 0.5

/* A gap lies between the last value and the next: what came just before is no expectation. */
void adu_detector_resume(struct adu_detector *detector);

/* Takes a value and says what it makes of it. During warm-up, and for a few values after a gap,
 * everything is usual. A value that is no finite number is not taken. */
struct adu_detection adu_detector_take(struct adu_detector *detector, double value);

/* True if its numbers are some that can have been learned. */
bool adu_detector_sound(const struct adu_detector *detector);

/* True when it has seen enough to judge. */
bool adu_detector_is_warm(const struct adu_detector *detector);

#endif
