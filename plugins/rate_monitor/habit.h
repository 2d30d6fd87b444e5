/* What is usual for one client, learned from what it does: how much it publishes in ten seconds and
 * in two, how long it is ever silent, how often it connects. Pure: time is an argument (monotonic,
 * ms); constant time and memory, no allocation.
 *
 * What has been usual within the last week or so never is unusual: cycles, batches and shifts make
 * up a range, and only what leaves the range, by a good part of it, is looked at further. So it
 * takes a day of learning before a rate is judged. The first seconds after a connect are not looked
 * at, as clients then send what they have kept. */
#ifndef ADUANA_RATE_MONITOR_HABIT_H
#define ADUANA_RATE_MONITOR_HABIT_H

#include "plugins/rate_monitor/detector.h"

enum adu_habit_kind {
    ADU_HABIT_FLOOD,    /* several times as much in two seconds as ever */
    ADU_HABIT_MORE,     /* more in ten seconds, again and again */
    ADU_HABIT_LESS,     /* less */
    ADU_HABIT_SILENT,   /* longer silent than ever, of a client that is regular */
    ADU_HABIT_FLAPPING, /* connects again and again */
    ADU_HABIT_KINDS
};

/* Zeroed to begin. Times are of a clock of 32 bits, in ms where less than three weeks are looked at
 * and in seconds where more may be. */
struct adu_habit {
    /* What every publish touches. */
    uint32_t last_ms, last_s; /* the last publish, by both; 0: none */
    uint32_t count;           /* publishes since `since_ms` */
    uint16_t now,
        before; /* publishes in the second of the last one, and the one before; 65535: or more */
    float longest_ms;  /* silence, slowly forgotten */
    float interval_ms; /* between publishes, usually */
    float peak;        /* most publishes in two seconds, slowly forgotten */
    uint8_t intervals; /* seen, up to a hundred */
    uint8_t raised;    /* set of enum adu_habit_kind */
    uint8_t calm;      /* usual tens of seconds in a row */
    bool online : 1;
    bool spoken : 1;   /* it has published since it connected */
    bool counting : 1; /* ten seconds have begun, with `since_ms` */

    uint32_t since_ms;
    uint32_t connected_s;
    uint32_t flood_s;     /* the last second in which there was more than a flood takes, */
    uint16_t flood_for_s; /* and in how many of this flood there was */
    uint16_t connects;    /* lately, fading; in 256ths, up to 256 */
    float high, low;      /* the range: of the mean of ten seconds' publishes */
    float evidence;       /* that a rate has left it */
    struct adu_detector rate;
};

/* Each returns the set of kinds (1 << kind) that began or are over with this: whether it is up now
 * is in `raised`. */
unsigned adu_habit_connect(struct adu_habit *habit, int64_t now_ms);
/* Hot path. */
unsigned adu_habit_publish(struct adu_habit *habit, int64_t now_ms);
/* To be called about once a second. */
unsigned adu_habit_visit(struct adu_habit *habit, int64_t now_ms);

/* The connection ended: until the next one nothing is expected. */
unsigned adu_habit_leave(struct adu_habit *habit);

/* How long it has published nothing, ms; less than nothing when the clock went back. */
double adu_habit_silent_ms(const struct adu_habit *habit, int64_t now_ms);

/* That count begins now, as if it had published: of a client that nothing is learned of. */
void adu_habit_heard(struct adu_habit *habit, int64_t now_ms);

/* True if its numbers are some that can have been learned. */
bool adu_habit_sound(const struct adu_habit *habit);

/* From before the broker's start: what was learned holds, what was going on does not. */
void adu_habit_resume(struct adu_habit *habit);

/* What it is now, and what is usual: publishes (in two seconds, in ten), seconds of silence, or
 * connects. */
double adu_habit_value(const struct adu_habit *habit, enum adu_habit_kind kind, int64_t now_ms);
double adu_habit_usual(const struct adu_habit *habit, enum adu_habit_kind kind);

#endif
