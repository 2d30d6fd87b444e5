#include "common/arena.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_SIZE = 16 * 1024, LARGE_PAGE = 2 * 1024 * 1024 };

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

struct release {
    struct release *next;
    void (*function)(void *);
    void *thing;
};

struct adu_arena {
    struct block *blocks;
    struct release *releases;
    size_t size;
    atomic_uint holders;
};

struct adu_arena *adu_arena_new(void)
{
    struct adu_arena *arena = calloc(1, sizeof *arena);
    return arena != NULL ? adu_arena_hold(arena) : NULL;
}

struct adu_arena *adu_arena_hold(struct adu_arena *arena)
{
    atomic_fetch_add(&arena->holders, 1);
    return arena;
}

void adu_arena_free(struct adu_arena *arena)
{
    if (arena == NULL || atomic_fetch_sub(&arena->holders, 1) > 1) {
        return;
    }
    for (struct release *r = arena->releases; r != NULL; r = r->next) {
        r->function(r->thing);
    }
    while (arena->blocks != NULL) {
        struct block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    free(arena);
}

/* What is large is asked for in large pages: a question to a large policy reads a few bytes here
 * and there, and would spend as much time on finding their pages as on reading them. */
static void *zeroed(size_t size)
{
    if (size < LARGE_PAGE) {
        return calloc(1, size);
    }
    void *memory = aligned_alloc(LARGE_PAGE, size);
    if (memory != NULL) {
        madvise(memory, size, MADV_HUGEPAGE); /* where the kernel has none, all is as before */
        memset(memory, 0, size);
    }
    return memory;
}

static struct block *block_with_room(struct adu_arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    if (block != NULL && block->size - block->used >= size) {
        return block;
    }
    const size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    block = zeroed(sizeof *block + room);
    if (block == NULL) {
        return NULL;
    }
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->size += sizeof *block + room;
    return block;
}

void *adu_arena_alloc(struct adu_arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + unit - 1) / unit * unit;
    struct block *block = block_with_room(arena, size);
    if (block == NULL) {
        return NULL;
    }
    void *piece = block->bytes + block->used;
    block->used += size;
    return piece;
}

void *adu_arena_array(struct adu_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size) {
        return NULL;
    }
    return adu_arena_alloc(arena, count * size);
}

char *adu_arena_strndup(struct adu_arena *arena, const char *text, size_t length)
{
    char *copy = adu_arena_alloc(arena, length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
    }
    return copy;
}

char *adu_arena_strdup(struct adu_arena *arena, const char *text)
{
    return adu_arena_strndup(arena, text, strlen(text));
}

bool adu_arena_at_free(struct adu_arena *arena, void (*release)(void *), void *thing)
{
    struct release *r = adu_arena_alloc(arena, sizeof *r);
    if (r == NULL) {
        release(thing);
        return false;
    }
    *r = (struct release){.next = arena->releases, .function = release, .thing = thing};
    arena->releases = r;
    return true;
}

size_t adu_arena_size(const struct adu_arena *arena)
{
    return arena->size;
}
