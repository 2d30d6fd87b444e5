#include "common/time_zone.h"
#include <glib.h>
#include <string.h>

/* From one change of the offset to the next. */
struct span {
    int64_t begin; /* seconds since 1970, UTC */
    int32_t offset;
};

struct adu_time_zone {
    size_t count;
    struct span spans[];
};

static const int64_t first = 1577836800 /* 2020-01-01 */, last = 2840140800 /* 2060-01-01 */;

/* No zone changes its offset twice within that. */
enum { STEP = 12 * 3600, SPANS_MOST = 512 };

static int32_t offset_at(GTimeZone *zone, int64_t time)
{
    return g_time_zone_get_offset(zone,
                                  g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, time));
}

/* The second of the change between two times with different offsets. */
static int64_t change_between(GTimeZone *zone, int64_t before, int64_t after)
{
    const int32_t old = offset_at(zone, before);
    while (after - before > 1) {
        const int64_t middle = before + (after - before) / 2;
        if (offset_at(zone, middle) == old) {
            before = middle;
        } else {
            after = middle;
        }
    }
    return after;
}

static size_t find_spans(GTimeZone *zone, struct span *spans)
{
    size_t count = 0;
    spans[count++] = (struct span){.begin = first, .offset = offset_at(zone, first)};
    for (int64_t time = first; time < last && count < SPANS_MOST; time += STEP) {
        if (offset_at(zone, time + STEP) != spans[count - 1].offset) {
            const int64_t change = change_between(zone, time, time + STEP);
            spans[count++] = (struct span){.begin = change, .offset = offset_at(zone, change)};
        }
    }
    return count;
}

const struct adu_time_zone *adu_time_zone_new(struct adu_arena *arena, const char *name)
{
    struct span spans[SPANS_MOST];
    /* GLib would also open any file that is named by its path. */
    const bool is_path = name[0] == '/' || strstr(name, "..") != NULL;
    GTimeZone *zone = is_path ? NULL : g_time_zone_new_identifier(name);
    if (zone == NULL) {
        return NULL;
    }
    const size_t count = find_spans(zone, spans);
    g_time_zone_unref(zone);
    struct adu_time_zone *z = adu_arena_alloc(arena, sizeof *z + count * sizeof(struct span));
    for (size_t i = 0; z != NULL && i < count; i++) {
        z->spans[z->count++] = spans[i];
    }
    return z;
}

int adu_time_zone_minute(const struct adu_time_zone *zone, int64_t wall_ms)
{
    const int64_t time = wall_ms / 1000;
    if (time < first || time >= last) {
        return -1;
    }
    size_t low = 0, high = zone->count; /* the last span that begins no later */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (zone->spans[middle].begin <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const int64_t minutes = (time + zone->spans[low].offset) / 60;
    return (int)((minutes + 3 * ADU_MINUTES_OF_DAY) %
                 ADU_MINUTES_OF_WEEK); /* 1970 began on a Thursday */
}
