/* Bytes like others, but not quite. */
#ifndef ADUANA_TESTS_FUZZ_MUTATE_H
#define ADUANA_TESTS_FUZZ_MUTATE_H

#include "seeds.h"

/* The `number`-th change of `of`, into the `size` bytes at `to`: first every bit flipped, then
 * every truncation, then several changes at random, among them pieces of `other`. The same number
 * gives the same bytes in every run. What is longer than `size` is cut. Returns the length. */
size_t fuzz_mutate(struct fuzz_der of, struct fuzz_der other, unsigned long number,
                   unsigned char *to, size_t size);

#endif
