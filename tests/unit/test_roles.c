/* Sets of roles: a bit is one role's and nobody else's, and what is out of bounds is not in. */
#include "common/roles.h"
#include "common/vocabulary.h"
#include "runner.h"

enum { WORDS = 3, ROLES = WORDS * 64 };

struct set {
    uint64_t words[WORDS + 1]; /* one more, that nobody may touch */
    struct adu_roles roles;
};

static void empty(struct set *s, size_t words)
{
    *s = (struct set){.words = {0}};
    s->roles = (struct adu_roles){.words = s->words, .count = words};
}

START_TEST(each_role_alone)
{
    struct set s;
    for (int role = 0; role < ROLES; role++) {
        empty(&s, WORDS);
        adu_roles_add(&s.roles, role);
        for (int other = 0; other < ROLES; other++) {
            ck_assert_msg(adu_roles_has(&s.roles, other) == (other == role), "%d, given %d", other,
                          role);
        }
        adu_roles_add(&s.roles, role); /* twice is once */
        ck_assert(adu_roles_has(&s.roles, role));
    }
}
END_TEST

static const struct {
    size_t words;
    int role;
} outside[] = {
    {0, 0},
    {0, 63},
    {1, 64},
    {1, 127},
    {2, 128},
    {WORDS, ROLES},
    {WORDS, 1 << 30},
    {WORDS, ADU_NO_NAME},
    {WORDS, -64},
    {0, ADU_NO_NAME},
    {WORDS, -2147483647 - 1},
};

START_TEST(out_of_bounds)
{
    struct set s;
    empty(&s, outside[_i].words);
    adu_roles_add(&s.roles, outside[_i].role);
    for (int i = 0; i <= WORDS; i++) {
        ck_assert_uint_eq(s.words[i], 0);
        s.words[i] = UINT64_MAX;
    }
    ck_assert(!adu_roles_has(&s.roles, outside[_i].role));
}
END_TEST

static const struct {
    size_t a_words, b_words;
    int a, b;
    bool overlap;
} pairs[] = {
    {WORDS, WORDS, 0, 0, true},
    {WORDS, WORDS, 191, 191, true},
    {WORDS, WORDS, 0, 1, false},
    {WORDS, WORDS, 0, 64, false},
    {WORDS, WORDS, 63, 127, false},
    {WORDS, 1, 0, 0, true},
    {WORDS, 1, 64, 0, false},
    {1, WORDS, 63, 63, true},
    {1, WORDS, 0, 64, false},
    {0, WORDS, 0, 0, false},
    {0, 0, 0, 0, false},
    {WORDS, WORDS, 0, -1, false},
    {WORDS, WORDS, -1, -1, false},
};

START_TEST(overlaps)
{
    struct set a, b;
    empty(&a, pairs[_i].a_words);
    empty(&b, pairs[_i].b_words);
    adu_roles_add(&a.roles, pairs[_i].a);
    adu_roles_add(&b.roles, pairs[_i].b);
    ck_assert(adu_roles_overlap(&a.roles, &b.roles) == pairs[_i].overlap);
    ck_assert(adu_roles_overlap(&b.roles, &a.roles) == pairs[_i].overlap);
}
END_TEST

START_TEST(words_for_roles)
{
    ck_assert_uint_eq(adu_roles_words(0), 0);
    ck_assert_uint_eq(adu_roles_words(1), 1);
    ck_assert_uint_eq(adu_roles_words(64), 1);
    ck_assert_uint_eq(adu_roles_words(65), 2);
    ck_assert_uint_eq(adu_roles_words(128), 2);
    ck_assert_uint_eq(adu_roles_words(129), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roles");
    suite_add(suite, each_role_alone);
    suite_add_rows(suite, out_of_bounds, ROWS(outside));
    suite_add_rows(suite, overlaps, ROWS(pairs));
    suite_add(suite, words_for_roles);
    return run_suite(suite);
}
