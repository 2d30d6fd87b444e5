/* Names are made up by clients: whatever they choose, a table of them must not degrade to a list.
 */
#include "common/hash.h"
#include "common/principal.h"
#include "runner.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES = 1 << 17, LONGEST = 1024 };

/* Families of names that are alike in what a weaker hash would look at. */
static size_t counted(char *name, unsigned n)
{
    return (size_t)snprintf(name, LONGEST, "device-%08u", n);
}

static size_t long_prefix(char *name, unsigned n)
{
    memset(name, 'x', 900);
    return 900 + (size_t)snprintf(name + 900, LONGEST - 900, "%u", n);
}

static size_t long_suffix(char *name, unsigned n)
{
    const int used = snprintf(name, LONGEST, "%u", n);
    memset(name + used, 'x', 900);
    name[used + 900] = '\0';
    return (size_t)used + 900;
}

/* Aa and BB are one to a hash that multiplies by 31, and so are all 2^17 words of them. */
static size_t pairs(char *name, unsigned n)
{
    for (int i = 0; i < 17; i++) {
        memcpy(name + (size_t)i * 2, (n >> i & 1) != 0 ? "Aa" : "BB", 2);
    }
    name[34] = '\0';
    return 34;
}

/* The same bits in every byte but one, wherever that is. */
static size_t single_bits(char *name, unsigned n)
{
    memset(name, '0', 256);
    for (int i = 0; i < 17; i++) {
        name[i * 15] = (char)('0' + (n >> i & 1));
    }
    name[256] = '\0';
    return 256;
}

static size_t (*const families[])(char *name, unsigned n) = {counted, long_prefix, long_suffix,
                                                             pairs, single_bits};

/* In as many buckets as there are names, by the low bits as uthash takes them, and by the others:
 * by chance one bucket in 5e13 would hold 20. */
START_TEST(spreads)
{
    static unsigned low[NAMES], high[NAMES];
    char name[LONGEST];
    memset(low, 0, sizeof low);
    memset(high, 0, sizeof high);
    for (unsigned n = 0; n < NAMES; n++) {
        const unsigned hash = adu_hash(name, families[_i](name, n));
        low[hash % NAMES]++;
        high[hash / (UINT32_MAX / NAMES + 1)]++;
    }
    for (size_t i = 0; i < NAMES; i++) {
        ck_assert_uint_lt(low[i], 20);
        ck_assert_uint_lt(high[i], 20);
    }
}
END_TEST

static void nobody(void *context, struct adu_principal *gone)
{
    (void)context;
    (void)gone;
}

/* A list of so many would be compared five thousand million times; the limit is that of the test.
 */
START_TEST(a_full_table_of_them)
{
    struct adu_principals *table = adu_principals_new(ADU_PRINCIPALS_MOST, nobody, NULL);
    char name[LONGEST], user[16];
    for (unsigned n = 0; n < ADU_PRINCIPALS_MOST; n++) {
        families[_i](name, n);
        snprintf(user, sizeof user, "user-%u", n % 100);
        struct adu_principal *p = adu_principals_get(table, name, user);
        ck_assert_ptr_nonnull(p);
        ck_assert_ptr_eq(adu_principals_find(table, name, user), p);
    }
    ck_assert_uint_eq(adu_principals_count(table), ADU_PRINCIPALS_MOST);
    adu_principals_free(table);
}
END_TEST

static const char key[] = "planta/linea1/temperatura";

static unsigned hash_of_another_process(void)
{
    char path[512] = "", line[64] = "";
    ck_assert_int_gt(readlink("/proc/self/exe", path, sizeof path - 8), 0);
    strcat(path, " --hash");
    FILE *other = popen(path, "r");
    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, other));
    ck_assert_int_eq(pclose(other), 0);
    return (unsigned)strtoul(line, NULL, 10);
}

/* Who could run the hash himself would find names that collide: in each process it is another. */
START_TEST(each_process_has_its_own)
{
    const unsigned one = hash_of_another_process(), two = hash_of_another_process();
    const unsigned three = hash_of_another_process();
    ck_assert_msg(one != two || two != three, "three processes, one hash: %u", one);
    ck_assert_uint_eq(adu_hash(key, sizeof key), adu_hash(key, sizeof key));
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--hash") == 0) {
        printf("%u\n", adu_hash(key, sizeof key));
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("hash");
    suite_add_rows(suite, spreads, ROWS(families));
    suite_add_rows(suite, a_full_table_of_them, ROWS(families));
    suite_add(suite, each_process_has_its_own);
    return run_suite(suite);
}
