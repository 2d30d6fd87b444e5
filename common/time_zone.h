/* A plant's local time: the offsets of one zone of the tz database, computed once so that a
 * decision only looks them up. */
#ifndef ADUANA_COMMON_TIME_ZONE_H
#define ADUANA_COMMON_TIME_ZONE_H

#include "common/arena.h"
#include <stdint.h>

struct adu_time_zone;

/* "America/Mexico_City", "Europe/Madrid", "UTC". NULL if there is no such zone on this machine, or
 * memory is gone. Any thread. */
ADU_API const struct adu_time_zone *adu_time_zone_new(struct adu_arena *arena, const char *name);

enum { ADU_MINUTES_OF_DAY = 24 * 60, ADU_MINUTES_OF_WEEK = 7 * ADU_MINUTES_OF_DAY };

/* Minutes since Monday 00:00, local time; -1 before 2020 and from 2060 on, where the rules of
 * summer time are nobody's to know. Hot path. */
ADU_API int adu_time_zone_minute(const struct adu_time_zone *zone, int64_t wall_ms);

#endif
