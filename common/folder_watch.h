/* Has somebody changed a file of that folder? Asked from time to time; waits for nothing. */
#ifndef ADUANA_COMMON_FOLDER_WATCH_H
#define ADUANA_COMMON_FOLDER_WATCH_H

#include "common/api.h"
#include <stdbool.h>
#include <stdint.h>

struct adu_folder_watch;

/* `path` is copied. A folder that cannot be watched now is tried again when asked. NULL when memory
 * is gone. One thread at a time. */
ADU_API struct adu_folder_watch *adu_folder_watch_new(const char *path);
/* NULL-safe. */
ADU_API void adu_folder_watch_free(struct adu_folder_watch *watch);

/* True once after each change: when nothing more has changed for half a second, so that several
 * files copied one after the other count as one, but five seconds after the first at the latest.
 * A folder that is put in the place of the old one is a change, and so is a link that leads to
 * another one: within a second. */
ADU_API bool adu_folder_watch_changed(struct adu_folder_watch *watch, int64_t mono_ms);

/* Why the folder cannot be watched (an errno), or 0. */
ADU_API int adu_folder_watch_error(const struct adu_folder_watch *watch);

#endif
