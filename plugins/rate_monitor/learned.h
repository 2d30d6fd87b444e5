/* What the monitor keeps of a client whose class says `learn` or `silence_seconds`: its habit,
 * which of its alerts are up, and which of those have been told. Pure. */
#ifndef ADUANA_RATE_MONITOR_LEARNED_H
#define ADUANA_RATE_MONITOR_LEARNED_H

#include "plugins/rate_monitor/habit.h"

struct adu_learned {
    struct adu_habit habit;
    uint32_t silence_s; /* longer is too long; 0: by what is learned */
    uint32_t saved_s;   /* when it was kept last; 0: not since the client is known */
    bool learn;
    uint8_t up, shown; /* sets of enum adu_habit_kind */
};

/* By the class; what is up and is no longer asked for is over. */
void adu_learned_set(struct adu_learned *learned, bool learn, uint32_t silence_s);

/* Each is true when something is to be told: up and shown differ. */
bool adu_learned_connect(struct adu_learned *learned, int64_t now_ms);
bool adu_learned_publish(struct adu_learned *learned, int64_t now_ms); /* hot */
bool adu_learned_visit(struct adu_learned *learned, int64_t now_ms);
bool adu_learned_leave(struct adu_learned *learned);

double adu_learned_value(const struct adu_learned *learned, enum adu_habit_kind kind,
                         int64_t now_ms);

#endif
