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
    if (l->silence_s > 0) {
        const bool over = adu_habit_silent_ms(&l->habit, now_ms) > l->silence_s * 1000.0;
        up = (up & ~silent) | (over ? silent : 0);
    }
    return up;
}

void adu_learned_set(struct adu_learned *l, bool learn, uint32_t silence_s)
{
    l->learn = learn;
    l->silence_s = silence_s;
}

bool adu_learned_connect(struct adu_learned *l, int64_t now_ms)
{
    if (l->habit.last_s == 0) { /* till it publishes, its silence counts from here */
        adu_habit_heard(&l->habit, now_ms);
    }
    if (l->learn) {
        adu_habit_connect(&l->habit, now_ms);
    }
    return show(l, raised(l, now_ms));
}

bool adu_learned_publish(struct adu_learned *l, int64_t now_ms)
{
    unsigned changed = 0;
    if (l->learn) {
        changed = adu_habit_publish(&l->habit, now_ms);
    } else {
        adu_habit_heard(&l->habit, now_ms);
    }
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
    const unsigned silent = l->silence_s > 0 ? l->up & 1u << ADU_HABIT_SILENT : 0;
    return show(l, (l->learn ? l->habit.raised : 0) | silent);
}

double adu_learned_value(const struct adu_learned *l, enum adu_habit_kind kind, int64_t now_ms)
{
    return kind == ADU_HABIT_SILENT && l->silence_s > 0
               ? adu_habit_silent_ms(&l->habit, now_ms) / 1000
               : adu_habit_value(&l->habit, kind, now_ms);
}
