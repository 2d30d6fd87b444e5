/* Memory that is made piece by piece and freed all at once: one arena holds one policy generation.
 */
#ifndef ADUANA_COMMON_ARENA_H
#define ADUANA_COMMON_ARENA_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>

struct adu_arena;

/* Returns NULL when memory is gone. An arena belongs to one thread at a time. */
ADU_API struct adu_arena *adu_arena_new(void);

/* Runs what adu_arena_at_free asked for, newest first, then frees everything, or leaves that to the
 * last of those who hold it. NULL-safe. */
ADU_API void adu_arena_free(struct adu_arena *arena);

/* Keeps the memory for somebody who uses it on another thread; he lets go by adu_arena_free, there
 * or anywhere. Returns the arena. */
ADU_API struct adu_arena *adu_arena_hold(struct adu_arena *arena);

/* Zeroed memory, aligned for any type. NULL when memory is gone. */
ADU_API void *adu_arena_alloc(struct adu_arena *arena, size_t size);

/* Zeroed memory for `count` things of `size` bytes; NULL when that overflows or memory is gone. */
ADU_API void *adu_arena_array(struct adu_arena *arena, size_t count, size_t size);

/* Copies. NULL when memory is gone. */
ADU_API char *adu_arena_strdup(struct adu_arena *arena, const char *text);
ADU_API char *adu_arena_strndup(struct adu_arena *arena, const char *text, size_t length);

/* Has `release(thing)` called when the arena is freed, for what other libraries allocated.
 * false when memory is gone; then `release` has been called already. */
ADU_API bool adu_arena_at_free(struct adu_arena *arena, void (*release)(void *), void *thing);

/* Bytes taken from the heap so far. */
ADU_API size_t adu_arena_size(const struct adu_arena *arena);

#endif
