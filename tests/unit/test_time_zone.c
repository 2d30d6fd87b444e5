/* Local time by the tz database, against the C library's own. */
#include "common/time_zone.h"
#include "runner.h"
#include <stdlib.h>
#include <time.h>

static const char *const zones[] = {"UTC",           "America/Mexico_City", "America/Santiago",
                                    "Europe/Madrid", "Asia/Kolkata",        "Australia/Lord_Howe",
                                    "Pacific/Apia",  "Africa/Casablanca",   "America/Tijuana"};

/* Every hour and a bit of forty years would be too much: a prime number of seconds walks through
 * all of them. */
START_TEST(agrees_with_the_c_library)
{
    struct adu_arena *arena = adu_arena_new();
    const struct adu_time_zone *zone = adu_time_zone_new(arena, zones[_i]);
    ck_assert_ptr_nonnull(zone);
    setenv("TZ", zones[_i], 1);
    tzset();
    for (int64_t time = 1577836800; time < 2140000000;
         time += 10007) { /* to 2037, the end of old tz files */
        const time_t t = (time_t)time;
        struct tm tm;
        localtime_r(&t, &tm);
        const int wanted = (tm.tm_wday + 6) % 7 * ADU_MINUTES_OF_DAY + tm.tm_hour * 60 + tm.tm_min;
        const int minute = adu_time_zone_minute(zone, time * 1000 + 999);
        ck_assert_msg(minute == wanted, "%s at %lld: %d, not %d", zones[_i], (long long)time,
                      minute, wanted);
    }
    adu_arena_free(arena);
}
END_TEST

/* 2026-03-29 02:00 in Madrid is 03:00 at once; 2026-10-25 03:00 is 02:00 again. */
START_TEST(changes_to_the_second)
{
    static const struct {
        int64_t time;
        int minute;
    } rows[] = {
        {1774745999, 6 * ADU_MINUTES_OF_DAY + 119},
        {1774746000, 6 * ADU_MINUTES_OF_DAY + 180},
        {1792889999, 6 * ADU_MINUTES_OF_DAY + 179},
        {1792890000, 6 * ADU_MINUTES_OF_DAY + 120},
    };
    struct adu_arena *arena = adu_arena_new();
    const struct adu_time_zone *zone = adu_time_zone_new(arena, "Europe/Madrid");
    for (int i = 0; i < ROWS(rows); i++) {
        ck_assert_int_eq(adu_time_zone_minute(zone, rows[i].time * 1000), rows[i].minute);
    }
    adu_arena_free(arena);
}
END_TEST

START_TEST(times_that_nobody_knows)
{
    struct adu_arena *arena = adu_arena_new();
    const struct adu_time_zone *zone = adu_time_zone_new(arena, "UTC");
    ck_assert_int_eq(adu_time_zone_minute(zone, 0), -1);
    ck_assert_int_eq(adu_time_zone_minute(zone, -1), -1);
    ck_assert_int_eq(adu_time_zone_minute(zone, INT64_C(1577836799999)), -1);
    ck_assert_int_ge(adu_time_zone_minute(zone, INT64_C(1577836800000)), 0);
    ck_assert_int_ge(adu_time_zone_minute(zone, INT64_C(2840140799999)), 0);
    ck_assert_int_eq(adu_time_zone_minute(zone, INT64_C(2840140800000)), -1);
    ck_assert_int_eq(adu_time_zone_minute(zone, INT64_MAX), -1);
    adu_arena_free(arena);
}
END_TEST

START_TEST(no_such_zone)
{
    static const char *const names[] = {"Europe/Atlantis", "../../etc/passwd", "Madrid",
                                        "local time", "/etc/localtime"};
    struct adu_arena *arena = adu_arena_new();
    for (int i = 0; i < ROWS(names); i++) {
        ck_assert_msg(adu_time_zone_new(arena, names[i]) == NULL, "%s", names[i]);
    }
    adu_arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("time_zone");
    suite_add_rows(suite, agrees_with_the_c_library, ROWS(zones));
    suite_add(suite, changes_to_the_second);
    suite_add(suite, times_that_nobody_knows);
    suite_add(suite, no_such_zone);
    return run_suite(suite);
}
