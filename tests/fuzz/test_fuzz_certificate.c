/* The fuzz target over its seeds, and over the same thousands of changes of each in every run. */
#include "mutate.h"
#include "runner.h"
#include "target.h"
#include <string.h>

/* Under sanitizers each costs ten times as much. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CHANGES = 400 };
#else
enum { CHANGES = 5500 };
#endif

enum { ROOM = 128 * 1024, VOUCHED = 64, OTHERS = 8 };

/* What they are is known. */
START_TEST(the_seeds)
{
    const size_t seed = (size_t)_i;
    struct fuzz_der der = fuzz_seed_make(seed), again = fuzz_seed_make(seed);
    fuzz_start();
    ck_assert_msg(der.length == again.length && memcmp(der.bytes, again.bytes, der.length) == 0,
                  "%s is not the same in every run", fuzz_seed_name(seed));
    const char *identity = fuzz_certificate(der.bytes, der.length, 1);
    ck_assert_msg(strcmp(identity, fuzz_seed_identity(seed)) == 0, "%s: %s, not %s",
                  fuzz_seed_name(seed), identity, fuzz_seed_identity(seed));
    free(der.bytes);
    free(again.bytes);
    fuzz_end();
}
END_TEST

START_TEST(changes_of_each)
{
    static unsigned char bytes[ROOM];
    const size_t seed = (size_t)_i;
    struct fuzz_der der = fuzz_seed_make(seed), others[OTHERS];
    fuzz_start();
    for (size_t i = 0; i < OTHERS; i++) {
        others[i] = fuzz_seed_make((seed + 1 + i) % fuzz_seeds());
    }
    for (unsigned long number = 0; number < CHANGES; number++) {
        const size_t length =
            fuzz_mutate(der, others[number % OTHERS], number, bytes, sizeof bytes);
        fuzz_certificate(bytes, length, number % VOUCHED == 0);
    }
    for (size_t i = 0; i < OTHERS; i++) {
        free(others[i].bytes);
    }
    free(der.bytes);
    fuzz_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fuzz_certificate");
    suite_add_rows(suite, the_seeds, (int)fuzz_seeds());
    suite_add_rows(suite, changes_of_each, (int)fuzz_seeds());
    return run_suite(suite);
}
