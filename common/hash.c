#include "common/hash.h"
#include <pthread.h>
#include <sys/random.h>
#include <time.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t seed;

static void make_seed(void)
{
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        /* Only before the kernel's pool is ready: better a weak key than none. */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed ^= (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uintptr_t)&now;
    }
}

uint64_t adu_hash64(const void *key, size_t length)
{
    pthread_once(&once, make_seed);
    return XXH3_64bits_withSeed(key, length, seed);
}

unsigned adu_hash(const void *key, size_t length)
{
    return (unsigned)adu_hash64(key, length);
}
