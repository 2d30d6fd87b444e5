/* Values of what is told as JSON, to whoever gives orders and to the plant. */
#ifndef ADUANA_COMMON_TOLD_H
#define ADUANA_COMMON_TOLD_H

#include "common/api.h"
#include <jansson.h>
#include <stdint.h>

/* A new string, null for NULL; bytes that are no UTF-8 are shown escaped. */
ADU_API json_t *adu_control_text(const char *text);

/* A new string, as in 2026-11-23T08:00:00Z; null for 0. */
ADU_API json_t *adu_control_time(int64_t wall_ms);

#endif
