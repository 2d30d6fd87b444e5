#include "tests/bench/yardstick.h"
#include "tests/bench/plant.h"
#include <stdlib.h>

enum { CHAIN = 100, CHAINS = 2000, LINE = 64, LINES = 1 << 20, LOADS = 20000 };

struct line {
    uint32_t next;
    char rest[LINE - sizeof(uint32_t)];
};

double bench_arithmetic_ns(void)
{
    volatile uint64_t seed = 12345;
    uint64_t value = seed;
    const int64_t before = bench_now_ns();
    for (int i = 0; i < CHAIN * CHAINS; i++) {
        value = value * UINT64_C(6364136223846793005) + 1442695040888963407u;
    }
    const int64_t took = bench_now_ns() - before;
    seed = value;
    return (double)took / CHAINS;
}

/* One circle through all lines, in no order (Sattolo). */
static struct line *make_circle(void)
{
    struct line *lines = calloc(LINES, sizeof *lines);
    if (lines == NULL) {
        bench_fail("out of memory");
    }
    for (uint32_t i = 0; i < LINES; i++) {
        lines[i].next = i;
    }
    for (uint32_t i = LINES - 1; i > 0; i--) {
        const uint32_t other = (uint32_t)random() % i, next = lines[i].next;
        lines[i].next = lines[other].next;
        lines[other].next = next;
    }
    return lines;
}

double bench_memory_ns(void)
{
    static struct line *lines;
    static volatile uint32_t at;
    if (lines == NULL) {
        lines = make_circle();
    }
    uint32_t here = at;
    const int64_t before = bench_now_ns();
    for (int i = 0; i < LOADS; i++) {
        here = lines[here].next;
    }
    const int64_t took = bench_now_ns() - before;
    at = here;
    return (double)took / LOADS;
}
