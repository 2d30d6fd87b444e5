/* Memory of one generation: apart, aligned, zeroed, and freed once and in order. */
#include "common/arena.h"
#include "runner.h"
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

START_TEST(pieces_are_apart)
{
    enum { PIECES = 3000 };
    static unsigned char *pieces[PIECES];
    struct adu_arena *arena = adu_arena_new();
    for (size_t i = 0; i < PIECES; i++) {
        const size_t size = i * 7 % 300 + (i % 1000 == 999 ? 40000 : 0); /* some beyond a block */
        pieces[i] = adu_arena_alloc(arena, size);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t at = 0; at < size; at++) {
            ck_assert_uint_eq(pieces[i][at], 0);
        }
        memset(pieces[i], (int)(i % 255 + 1), size);
    }
    for (size_t i = 0; i < PIECES; i++) {
        const size_t size = i * 7 % 300 + (i % 1000 == 999 ? 40000 : 0);
        for (size_t at = 0; at < size; at++) {
            ck_assert_uint_eq(pieces[i][at], i % 255 + 1);
        }
    }
    adu_arena_free(arena);
}
END_TEST

static const struct {
    size_t count, size;
    bool good;
} arrays[] = {
    {0, 8, true},
    {8, 0, true},
    {0, 0, true},
    {3, 5, true},
    {1, 100000, true},
    {SIZE_MAX, 1, false},
    {1, SIZE_MAX, false},
    {SIZE_MAX, SIZE_MAX, false},
    {SIZE_MAX / 8 + 2, 8, false}, /* the product is 8 again */
    {SIZE_MAX / 2 + 1, 2, false},
    {(size_t)1 << 32, (size_t)1 << 32, false},
    {SIZE_MAX / 2 + 1, 1, false},
};

START_TEST(sizes)
{
    struct adu_arena *arena = adu_arena_new();
    void *piece = adu_arena_array(arena, arrays[_i].count, arrays[_i].size);
    ck_assert((piece != NULL) == arrays[_i].good);
    if (arrays[_i].count == 1 || arrays[_i].size == 1) {
        const size_t size = arrays[_i].count * arrays[_i].size;
        ck_assert((adu_arena_alloc(arena, size) != NULL) == arrays[_i].good);
    }
    ck_assert_ptr_nonnull(adu_arena_alloc(arena, 16)); /* a refusal spoils nothing */
    adu_arena_free(arena);
}
END_TEST

START_TEST(texts)
{
    struct adu_arena *arena = adu_arena_new();
    char text[] = "linea1";
    const char *whole = adu_arena_strdup(arena, text);
    const char *part = adu_arena_strndup(arena, text, 5);
    const char *none = adu_arena_strndup(arena, text, 0);
    const char *bytes = adu_arena_strndup(arena, "a\0b", 3);
    text[0] = 'X';
    ck_assert_str_eq(whole, "linea1");
    ck_assert_str_eq(part, "linea");
    ck_assert_str_eq(none, "");
    ck_assert_int_eq(memcmp(bytes, "a\0b\0", 4), 0);
    adu_arena_free(arena);
}
END_TEST

static int released[8], releases;

static void release(void *thing)
{
    released[releases++] = *(int *)thing;
}

START_TEST(releases_newest_first)
{
    struct adu_arena *arena = adu_arena_new();
    releases = 0;
    for (int i = 1; i <= 3; i++) {
        int *thing = adu_arena_alloc(arena, sizeof *thing); /* still there when it is released */
        *thing = i;
        ck_assert(adu_arena_at_free(arena, release, thing));
    }
    ck_assert_int_eq(releases, 0);
    adu_arena_free(arena);
    ck_assert_int_eq(releases, 3);
    ck_assert(released[0] == 3 && released[1] == 2 && released[2] == 1);
    adu_arena_free(NULL);
}
END_TEST

/* A generation is replaced while a worker still asks by its settings. */
START_TEST(the_last_holder_frees)
{
    struct adu_arena *arena = adu_arena_new();
    int *thing = adu_arena_alloc(arena, sizeof *thing);
    releases = 0;
    ck_assert(adu_arena_at_free(arena, release, thing));
    ck_assert_ptr_eq(adu_arena_hold(arena), arena);
    adu_arena_free(arena);
    ck_assert_int_eq(releases, 0);
    *thing = 1;
    adu_arena_free(arena);
    ck_assert_int_eq(releases, 1);
}
END_TEST

START_TEST(size_is_what_it_took)
{
    struct adu_arena *arena = adu_arena_new();
    ck_assert_uint_eq(adu_arena_size(arena), 0);
    adu_arena_alloc(arena, 1);
    const size_t one = adu_arena_size(arena);
    ck_assert_uint_gt(one, 0);
    adu_arena_alloc(arena, 1);
    ck_assert_uint_eq(adu_arena_size(arena), one); /* a block holds many */
    adu_arena_alloc(arena, 1000000);
    ck_assert_uint_ge(adu_arena_size(arena), one + 1000000);
    adu_arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    suite_add(suite, pieces_are_apart);
    suite_add_rows(suite, sizes, ROWS(arrays));
    suite_add(suite, texts);
    suite_add(suite, releases_newest_first);
    suite_add(suite, the_last_holder_frees);
    suite_add(suite, size_is_what_it_took);
    return run_suite(suite);
}
