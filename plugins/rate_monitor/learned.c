#include "plugins/rate_monitor/learned.h"

static bool show(struct adu_learned *l, unsigned up)
{
    l->up = (uint8_t)up;
    return l->up != l->shown;
}

/* With a limit of its own for silence, what is learned of silence does not matter. */
static unsigned raised(const struct adu_learned *l, int64_t now_ms)
{
    const unsigned silent = 1u << ADU_HABIT_SILENT;
    unsigned up = l->learn ? l->habit.raised : 0;
    if (l->silence_ms > 0) {
        up = (up & ~silent) | (now_ms - l->heard_ms > l->silence_ms ? silent : 0);
    }
    return up;
}

void adu_learned_set(struct adu_learned *l, bool learn, int64_t silence_ms)
{
    l->learn = learn;
    l->silence_ms = silence_ms;
}

bool adu_learned_connect(struct adu_learned *l, int64_t now_ms)
{
    if (l->heard_ms == 0) {
        l->heard_ms = now_ms;
    }
    if (l->learn) {
        adu_habit_connect(&l->habit, now_ms);
    }
    return show(l, raised(l, now_ms));
}

bool adu_learned_publish(struct adu_learned *l, int64_t now_ms)
{
    l->heard_ms = now_ms;
    const unsigned changed = l->learn ? adu_habit_publish(&l->habit, now_ms) : 0;
    return (changed != 0 || l->up != 0) && show(l, raised(l, now_ms));
}

bool adu_learned_visit(struct adu_learned *l, int64_t now_ms)
{
    if (l->learn) {
        adu_habit_visit(&l->habit, now_ms);
    }
    return show(l, raised(l, now_ms));
}

bool adu_learned_leave(struct adu_learned *l)
{
    if (l->learn) {
        adu_habit_leave(&l->habit);
    }
    const unsigned silent = l->silence_ms > 0 ? l->up & 1u << ADU_HABIT_SILENT : 0;
    return show(l, (l->learn ? l->habit.raised : 0) | silent);
}

double adu_learned_value(const struct adu_learned *l, enum adu_habit_kind kind, int64_t now_ms)
{
    return kind == ADU_HABIT_SILENT && l->silence_ms > 0 ? (double)(now_ms - l->heard_ms) / 1000
                                                         : adu_habit_value(&l->habit, kind, now_ms);
}
