/* Client certificates to begin with: good ones, and every trick that a name can play. The same
 * bytes in every run: their key, dates and serial number are fixed, and Ed25519 signs without
 * chance. */
#ifndef ADUANA_TESTS_FUZZ_SEEDS_H
#define ADUANA_TESTS_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_der {
    unsigned char *bytes;
    size_t length;
};

/* Half a year into the validity of all of them, in ms since 1970. */
#define FUZZ_WALL_MS INT64_C(1782864000000)

size_t fuzz_seeds(void);
/* For messages and file names. */
const char *fuzz_seed_name(size_t seed);
/* Which of fuzz_policy (target.c) it is: "edge", ... ; "nobody"; or "unreadable". */
const char *fuzz_seed_identity(size_t seed);

/* A certificate; the caller frees its bytes. Aborts when memory is gone. */
struct fuzz_der fuzz_seed_make(size_t seed);

/* The authority that signs all of them, in PEM; the caller frees it. */
char *fuzz_seeds_root(void);

#endif
