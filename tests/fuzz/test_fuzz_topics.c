/* The fuzz target of topics over its seeds, and over the same thousands of changes of each in every
 * run. */
#include "mutate.h"
#include "runner.h"
#include "topics.h"
#include <string.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { CHANGES = 1000 };
#else
enum { CHANGES = 10000 };
#endif

enum { ROOM = 1024, LONGEST = 65535 };

static const struct {
    const char *bytes;
    int legal;
} seeds[] = {
    {"planta/linea1/temperatura", 1},
    {"planta/l\xc3\xadnea22/e7/presi\xc3\xb3n", 1},
    {"planta/linea1/comandos/a/b", 1},
    {"planta/linea1/propio/\xe6\x97\xa5\xe6\x9c\xac", 1},
    {"taller/a/b/c/fin", 1},
    {"$SYS/broker/x", 1},
    {"Planta/Linea 1/Temp", 0},
    {"planta//linea1/vibracion/", 0},
    {"planta/l\xc3\xadnea1/temper\xd0\xb0tura", 0},
    {"planta/linea1/_sys/\xef\xbf\xbf", 0},
    {"planta/\xed\xa0\x80/x", 0},
    {"+/+/#", 0},
    {"planta/+/e1/#", 0},
    {"{\"a\":[1,-2.5e3,true,null,\"\\u00f1\\ud83c\\udfed\"],\"b\":{\"c\":0.1}}", 0},
};

static struct fuzz_der seed_of(size_t seed)
{
    return (struct fuzz_der){.bytes = (unsigned char *)(uintptr_t)seeds[seed].bytes,
                             .length = strlen(seeds[seed].bytes)};
}

START_TEST(changes_of_each)
{
    static unsigned char bytes[ROOM];
    const struct fuzz_der der = seed_of((size_t)_i);
    fuzz_topics_start();
    ck_assert_int_eq(fuzz_topics(der.bytes, der.length), seeds[_i].legal);
    for (unsigned long number = 0; number < CHANGES; number++) {
        const size_t length =
            fuzz_mutate(der, seed_of(number % ROWS(seeds)), number, bytes, sizeof bytes);
        fuzz_topics(bytes, length);
    }
    fuzz_topics_end();
}
END_TEST

/* The longest topic that MQTT knows, with as many levels as there is room for, and with one. */
START_TEST(the_longest)
{
    static const char *const patterns[] = {"a",  "/", "a/", "\xc3\xb1", "\xf0\x9f\x98\x80",
                                           "+/", "[", "A ", "\xff"};
    unsigned char *bytes = malloc(LONGEST);
    fuzz_topics_start();
    for (int i = 0; i < ROWS(patterns); i++) {
        for (size_t at = 0; at < LONGEST; at++) {
            bytes[at] = (unsigned char)patterns[i][at % strlen(patterns[i])];
        }
        ck_assert_int_eq(fuzz_topics(bytes, LONGEST), 0);
    }
    fuzz_topics_end();
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fuzz_topics");
    suite_add_rows(suite, changes_of_each, ROWS(seeds));
    suite_add(suite, the_longest);
    return run_suite(suite);
}
