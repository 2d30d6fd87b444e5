/* Is this value unusual for this series? Values come one at a time with their timestamps; what is
 * usual is learned from the series alone, up to now, and never stops being learned. Pure; constant
 * time and memory a value, no allocation, the same parameters for every series.
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

/* What is learned of one trait. */
struct adu_trait_memory {
    float centre, spread;
    struct {
        float share;  /* of the values that lie beyond the tail's beginning */
        float excess; /* how far beyond they are, in spreads */
    } tails[2];       /* above, below */
};

/* Zeroed to begin. */
struct adu_detector {
    struct adu_trait_memory traits[ADU_TRAITS];
    float surprise_share, surprise_excess; /* of the surprises' own tail */
    float fast, mean, slow, noise;         /* running means */
    float recent;                          /* the highest rarity of late, fading */
    float every_ms;                        /* usual time from one value to the next */
    uint32_t count;                        /* of values so far, up to ADU_DETECTOR_COUNT_MOST */
    uint16_t settle;                       /* values till it judges again */
    int64_t last_ms;                       /* time of the last value */
};

enum { ADU_DETECTOR_COUNT_MOST = 1000000, ADU_DETECTOR_WARM_UP = 150 };

struct adu_detection {
    /* 0 is usual, 1 never seen before, ADU_DETECTOR_UNUSUAL and more is unusual. Of an excursion
     * only those values score that top what came just before. */
    double score;
    double rarity;   /* the same in powers of ten, of each value of an excursion */
    double expected; /* by the last values or the usual level, whichever it is nearer to */
    bool up;         /* it is more than was expected, else less */
};

#define ADU_DETECTOR_UNUSUAL 0.5

/* The clock begins anew: how long it is since the last value is not known. */
void adu_detector_resume(struct adu_detector *detector);

/* Takes a value and says what it makes of it. During warm-up, and for a few values after a gap or a
 * clock that went back, everything is usual. A value that is no finite number is not taken. */
struct adu_detection adu_detector_take(struct adu_detector *detector, int64_t time_ms,
                                       double value);

/* True when it has seen enough to judge. */
bool adu_detector_is_warm(const struct adu_detector *detector);

#endif
