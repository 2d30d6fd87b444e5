/* Random rounds (see oracle.h), so dense that rules meet, overlap and just miss each other. */
#ifndef ADUANA_ORACLE_GENERATOR_H
#define ADUANA_ORACLE_GENERATOR_H

#include <jansson.h>
#include <stdint.h>

/* The round of that seed, the same on every machine; freed by the caller. */
json_t *generator_round(uint64_t seed);

#endif
