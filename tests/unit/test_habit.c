/* A simulated plant: what is usual there raises no alert, and what is not is seen in time. */
#include "plugins/rate_monitor/learned.h"
#include "runner.h"
#include "simulated_plant.h"

enum { EACH = 5, DAYS = 5, FIRST_DAY = 1, TEACH_DAYS = 2 };

_Static_assert(sizeof(struct adu_learned) <= 168, "what a client that is learned from may cost");

/* Lives from the first day on: reconnects once a day or so, and the broker restarts once. */
static unsigned live(struct simulated *s, int days)
{
    unsigned learning = 0;
    const int64_t begin = FIRST_DAY * DAY_SECONDS, end = begin + (int64_t)days * DAY_SECONDS;
    for (int64_t second = begin; second < end; second++) {
        const bool restart = second == begin + 3 * DAY_SECONDS + 43200;
        if (restart || simulated_even(s) < 1.0 / DAY_SECONDS) {
            simulated_reconnect(s, second);
        }
        simulated_second(s, second, 1);
        if (second == begin + DAY_SECONDS) {
            learning = simulated_alarms(s);
        }
    }
    ck_assert_uint_eq(learning, 0); /* it does not judge what it does not know */
    return simulated_alarms(s);
}

/* At most one false alarm in a hundred days of a client: these are 120 of them. */
START_TEST(false_alarms)
{
    unsigned alarms = 0;
    for (unsigned n = 0; n < MACHINES * EACH; n++) {
        struct simulated s = simulated_make((enum machine)(n % MACHINES), n);
        const unsigned own = live(&s, DAYS);
        if (own > 0) {
            printf("machine %u: flood %u, more %u, less %u, silent %u, flapping %u\n", n % MACHINES,
                   s.begun[0], s.begun[1], s.begun[2], s.begun[3], s.begun[4]);
        }
        alarms += own;
    }
    ck_assert_uint_le(alarms, 1);
}
END_TEST

/* At ten in the morning of the third day. */
static struct simulated taught(enum machine machine, int64_t *second)
{
    struct simulated s = simulated_make(machine, 77);
    const int64_t begin = FIRST_DAY * DAY_SECONDS;
    *second = begin + TEACH_DAYS * DAY_SECONDS + 10 * HOUR_SECONDS;
    for (int64_t now = begin; now < *second; now++) {
        simulated_second(&s, now, 1);
    }
    ck_assert_uint_eq(simulated_alarms(&s), 0);
    return s;
}

/* Seconds until an alert of that kind is up, at so many times the usual rate; -1: it was not. */
static int seconds_until(struct simulated *s, int64_t second, enum adu_habit_kind kind,
                         double times, int most)
{
    for (int passed = 0; passed < most; passed++) {
        simulated_second(s, second + passed, times);
        if (s->habit.raised >> kind & 1) {
            return passed + 1;
        }
    }
    return -1;
}

static const struct {
    enum machine machine;
    enum adu_habit_kind kind;
    double times;
    int within;
} deviations[] = {
    {MACHINE_PLC, ADU_HABIT_MORE, 2, 60},         {MACHINE_SHIFT, ADU_HABIT_MORE, 2, 60},
    {MACHINE_DAY, ADU_HABIT_MORE, 2, 60},         {MACHINE_EVENTS, ADU_HABIT_MORE, 3, 60},
    {MACHINE_PLC, ADU_HABIT_FLOOD, 10, 3},        {MACHINE_PLC, ADU_HABIT_LESS, 0.3, 60},
    {MACHINE_HEARTBEAT, ADU_HABIT_SILENT, 0, 15},
};

START_TEST(deviations_are_seen)
{
    int64_t second;
    struct simulated s = taught(deviations[_i].machine, &second);
    const int seen =
        seconds_until(&s, second, deviations[_i].kind, deviations[_i].times, deviations[_i].within);
    ck_assert_msg(seen > 0, "case %d: not seen within %d s", _i, deviations[_i].within);
}
END_TEST

/* Five times as much of a client whose messages are enough to speak of: ten a second. */
static void teach_steady(struct adu_habit *h, int64_t *now_ms, int each_ms, int64_t for_ms)
{
    for (const int64_t end = *now_ms + for_ms; *now_ms < end; *now_ms += each_ms) {
        adu_habit_publish(h, *now_ms);
        if (*now_ms / 1000 != (*now_ms - each_ms) / 1000) {
            adu_habit_visit(h, *now_ms);
        }
    }
}

START_TEST(five_times_as_much)
{
    struct adu_habit h = {0};
    int64_t now = 86400000;
    adu_habit_connect(&h, now);
    teach_steady(&h, &now, 100, INT64_C(2) * 86400000);
    ck_assert_uint_eq(h.raised, 0);
    const int64_t begin = now;
    while (now < begin + 3000 && !(h.raised & 1u << ADU_HABIT_FLOOD)) {
        adu_habit_publish(&h, now += 20);
    }
    ck_assert(h.raised & 1u << ADU_HABIT_FLOOD);
    ck_assert_double_eq_tol(adu_habit_usual(&h, ADU_HABIT_FLOOD), 20, 5);
    ck_assert_double_ge(adu_habit_value(&h, ADU_HABIT_FLOOD, now), 60);
    /* Over when it is: once, with hysteresis. */
    unsigned changes = 0;
    for (int second = 0; second < 60; second++) {
        for (int i = 0; i < 10; i++) {
            changes += (adu_habit_publish(&h, now += 100) & 1u << ADU_HABIT_FLOOD) != 0;
        }
        changes += (adu_habit_visit(&h, now) & 1u << ADU_HABIT_FLOOD) != 0;
    }
    ck_assert_uint_eq(changes, 1);
    ck_assert_uint_eq(h.raised & 1u << ADU_HABIT_FLOOD, 0);
}
END_TEST

/* A flood that goes on for good is what it does now; one that ends is not learned. */
START_TEST(a_flood_that_stays)
{
    struct adu_habit h = {0};
    int64_t now = 86400000;
    adu_habit_connect(&h, now);
    teach_steady(&h, &now, 500, INT64_C(86400000) * 11 / 10);
    teach_steady(&h, &now, 20, 60000);
    ck_assert(h.raised & 1u << ADU_HABIT_FLOOD);
    ck_assert_double_lt(adu_habit_usual(&h, ADU_HABIT_FLOOD), 6);
    teach_steady(&h, &now, 20, 1200000);
    ck_assert_uint_eq(h.raised & 1u << ADU_HABIT_FLOOD, 0);
}
END_TEST

START_TEST(flapping)
{
    struct adu_habit h = {0};
    int64_t now = 1000000;
    for (int reconnect = 1; reconnect <= 5; reconnect++, now += 3000) {
        const unsigned changed = adu_habit_connect(&h, now);
        ck_assert_uint_eq(changed, reconnect == 5 ? 1u << ADU_HABIT_FLAPPING : 0);
        adu_habit_leave(&h);
    }
    adu_habit_connect(&h, now);
    ck_assert_uint_eq(adu_habit_visit(&h, now + 60000), 0);
    ck_assert_uint_eq(adu_habit_visit(&h, now + 600000), 1u << ADU_HABIT_FLAPPING);
    ck_assert_uint_eq(h.raised, 0);
    for (int hour = 1; hour < 100; hour++) { /* now and then is not flapping */
        ck_assert_uint_eq(adu_habit_connect(&h, now + hour * INT64_C(3600000)), 0);
    }
}
END_TEST

/* Whoever leaves is not silent, and nothing is learned from it. */
START_TEST(away)
{
    int64_t second;
    struct simulated s = taught(MACHINE_HEARTBEAT, &second);
    adu_habit_leave(&s.habit);
    for (int i = 0; i < 10000; i++) {
        ck_assert_uint_eq(adu_habit_visit(&s.habit, (second + i) * 1000), 0);
    }
    ck_assert_uint_eq(s.habit.raised, 0);
}
END_TEST

/* A clock that is set back an hour, or forward a year, raises nothing. */
START_TEST(clock_jumps)
{
    static const int64_t jumps[] = {-3600, 366 * DAY_SECONDS};
    int64_t second;
    struct simulated s = taught(MACHINE_PLC, &second);
    second += jumps[_i];
    for (int i = 0; i < 7200; i++) {
        simulated_second(&s, second + i, 1);
    }
    ck_assert_uint_eq(simulated_alarms(&s), 0);
}
END_TEST

/* After seven weeks the habit's clock begins anew: nothing ends with that, nothing begins, and what
 * is not usual is seen as before. */
START_TEST(seven_weeks)
{
    struct adu_habit h = {0};
    int64_t now = (INT64_C(1) << 32) - INT64_C(86400000) * 11 / 10;
    adu_habit_connect(&h, now);
    teach_steady(&h, &now, 1000, INT64_C(86400000) * 12 / 10);
    ck_assert_int_gt(now, INT64_C(1) << 32);
    ck_assert_uint_eq(h.raised, 0);
    ck_assert_double_eq_tol(adu_habit_usual(&h, ADU_HABIT_SILENT), 1, 0.1);
    teach_steady(&h, &now, 20, 3000);
    ck_assert(h.raised & 1u << ADU_HABIT_FLOOD);
}
END_TEST

/* Silence is measured as long as it may be limited, a month, though that clock goes round in it. */
START_TEST(a_month_of_silence)
{
    const int64_t month = INT64_C(2592000) * 1000;
    struct adu_learned l = {0};
    int64_t now = 86400000;
    adu_learned_set(&l, false, 2592000);
    adu_learned_connect(&l, now);
    adu_learned_publish(&l, now);
    ck_assert(!adu_learned_visit(&l, now + month));
    ck_assert(adu_learned_visit(&l, now + month + 1000));
    ck_assert_double_eq(adu_learned_value(&l, ADU_HABIT_SILENT, now + 2 * month), 2 * 2592000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("habit");
    suite_add(suite, false_alarms);
    suite_add_rows(suite, deviations_are_seen, ROWS(deviations));
    suite_add(suite, five_times_as_much);
    suite_add(suite, a_flood_that_stays);
    suite_add(suite, flapping);
    suite_add(suite, seven_weeks);
    suite_add(suite, a_month_of_silence);
    suite_add(suite, away);
    suite_add_rows(suite, clock_jumps, 2);
    return run_suite(suite);
}
