/* A plant without a broker: clients that publish as plants do, second by second in simulated time,
 * each watched by a habit. For the one program that includes it. */
#ifndef ADUANA_TESTS_SIMULATED_PLANT_H
#define ADUANA_TESTS_SIMULATED_PLANT_H

#include "plugins/rate_monitor/habit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum machine {
    MACHINE_PLC,       /* ten values every second, a cycle of half a minute */
    MACHINE_HEARTBEAT, /* one message every ten seconds */
    MACHINE_BATCH,     /* batches of twenty minutes, at some time in every two hours */
    MACHINE_SHIFT,     /* much by day, less in the evening, little at night */
    MACHINE_EVENTS,    /* as things happen */
    MACHINE_DAY,       /* nothing at night */
    MACHINES
};

enum { HOUR_SECONDS = 3600, DAY_SECONDS = 24 * HOUR_SECONDS, RETAINED = 60 };

struct simulated {
    enum machine machine;
    struct adu_habit habit;
    unsigned random;
    double due;           /* messages that it owes */
    int64_t heartbeat_ms; /* the next one */
    int64_t batch_second; /* of this two hours' batch */
    unsigned begun[ADU_HABIT_KINDS];
};

static inline double simulated_even(struct simulated *s)
{
    s->random = s->random * 1103515245 + 12345;
    return (s->random >> 8) / (double)(1 << 24);
}

static inline void simulated_note(struct simulated *s, unsigned changed)
{
    for (int kind = 0; kind < ADU_HABIT_KINDS; kind++) {
        s->begun[kind] += (changed & s->habit.raised) >> kind & 1;
    }
}

static inline unsigned simulated_alarms(const struct simulated *s)
{
    unsigned sum = 0;
    for (int kind = 0; kind < ADU_HABIT_KINDS; kind++) {
        sum += s->begun[kind];
    }
    return sum;
}

/* Messages a second that it sends now, on average. */
static inline double simulated_rate(struct simulated *s, int64_t second)
{
    const int hour = (int)(second / HOUR_SECONDS % 24);
    switch (s->machine) {
    case MACHINE_PLC:
        return second % 30 < 20 ? 2 : 1;
    case MACHINE_BATCH:
        if (second % (2 * HOUR_SECONDS) == 0) {
            s->batch_second = second + (int64_t)(simulated_even(s) * 5000);
        }
        return second >= s->batch_second && second < s->batch_second + 1200 ? 3 : 0.3;
    case MACHINE_SHIFT:
        return hour >= 6 && hour < 14 ? 2 : hour >= 14 && hour < 22 ? 1.2 : 0.4;
    case MACHINE_EVENTS:
        return 0.5;
    case MACHINE_DAY:
        return hour >= 6 && hour < 22 ? 1 : 0;
    default:
        return 0;
    }
}

static inline void simulated_publish(struct simulated *s, int64_t second, int count)
{
    for (int i = 0; i < count; i++) {
        simulated_note(s, adu_habit_publish(&s->habit, second * 1000 + i * 1000 / count));
    }
}

/* Comes back, with what is retained. */
static inline void simulated_reconnect(struct simulated *s, int64_t second)
{
    simulated_note(s, adu_habit_leave(&s->habit));
    simulated_note(s, adu_habit_connect(&s->habit, second * 1000));
    simulated_publish(s, second, RETAINED);
}

static inline struct simulated simulated_make(enum machine machine, unsigned seed)
{
    struct simulated s;
    memset(&s, 0, sizeof s);
    s.machine = machine;
    s.random = seed * 2654435761u + 1;
    adu_habit_connect(&s.habit, DAY_SECONDS * INT64_C(1000));
    return s;
}

/* One second of its life, at `times` its usual rate. */
static inline void simulated_second(struct simulated *s, int64_t second, double times)
{
    int count = 0;
    if (s->machine == MACHINE_HEARTBEAT) {
        if (times > 0 && second * 1000 >= s->heartbeat_ms) {
            s->heartbeat_ms = second * 1000 + (int64_t)((9500 + 1000 * simulated_even(s)) / times);
            count = 1;
        }
    } else if (s->machine == MACHINE_EVENTS) {
        for (int i = 0; i < 10; i++) {
            count += simulated_even(s) < 0.05 * times;
        }
    } else {
        s->due += simulated_rate(s, second) * times * (0.9 + 0.2 * simulated_even(s));
        count = (int)s->due;
        s->due -= count;
    }
    simulated_publish(s, second, count);
    simulated_note(s, adu_habit_visit(&s->habit, second * 1000 + 999));
}

#endif
