/* The target of tokens over its seeds, and over the same thousands of changes of each in every run.
 */
#include "mutate.h"
#include "runner.h"
#include "token_target.h"
#include <string.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CHANGES = 400 };
#else
enum { CHANGES = 4000 };
#endif

enum { ROOM = 64 * 1024 };

START_TEST(the_seeds)
{
    const size_t seed = (size_t)_i;
    struct fuzz_der bytes = fuzz_token_seed_make(seed), again = fuzz_token_seed_make(seed);
    fuzz_token_start();
    ck_assert_msg(bytes.length == again.length &&
                      memcmp(bytes.bytes, again.bytes, bytes.length) == 0,
                  "%s is not the same in every run", fuzz_token_seed_name(seed));
    ck_assert_msg(fuzz_token(bytes.bytes, bytes.length) == fuzz_token_seed_good(seed), "%s",
                  fuzz_token_seed_name(seed));
    free(bytes.bytes);
    free(again.bytes);
    fuzz_token_end();
}
END_TEST

/* All but the first byte, which says what the others are. */
START_TEST(changes_of_each)
{
    static unsigned char bytes[ROOM];
    const size_t seed = (size_t)_i;
    struct fuzz_der of = fuzz_token_seed_make(seed),
                    other = fuzz_token_seed_make((seed + 1) % fuzz_token_seeds());
    const struct fuzz_der inner = {.bytes = of.bytes + 1, .length = of.length - 1};
    fuzz_token_start();
    bytes[0] = of.bytes[0];
    for (unsigned long number = 0; number < CHANGES; number++) {
        const size_t length = fuzz_mutate(inner, other, number, bytes + 1, sizeof bytes - 1);
        fuzz_token(bytes, length + 1);
    }
    free(of.bytes);
    free(other.bytes);
    fuzz_token_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fuzz_token");
    suite_add_rows(suite, the_seeds, (int)fuzz_token_seeds());
    suite_add_rows(suite, changes_of_each, (int)fuzz_token_seeds());
    return run_suite(suite);
}
