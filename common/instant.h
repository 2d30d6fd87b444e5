/* A moment as policies have it: 2026-12-31T00:00:00Z (RFC 3339, UTC, whole seconds). Pure. */
#ifndef ADUANA_COMMON_INSTANT_H
#define ADUANA_COMMON_INSTANT_H

#include "common/api.h"
#include <stdbool.h>
#include <stdint.h>

/* Wall clock, from 1970 to 9999. false if it is written otherwise, or there is no such day. */
ADU_API bool adu_instant_read(const char *text, int64_t *wall_ms);

#endif
