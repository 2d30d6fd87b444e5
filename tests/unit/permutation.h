/* Orders of a few things, by number. */
#ifndef ADUANA_TESTS_PERMUTATION_H
#define ADUANA_TESTS_PERMUTATION_H

#include <string.h>

enum { PERMUTATION_MOST = 8 };

/* The n-th permutation of 0 .. count - 1 (Lehmer's code); there are count! of them. */
static inline void permutation(int n, int count, int order[])
{
    int left[PERMUTATION_MOST];
    for (int i = 0; i < count; i++) {
        left[i] = i;
    }
    for (int i = 0, choices = count; choices > 0; i++, choices--) {
        const int pick = n % choices;
        n /= choices;
        order[i] = left[pick];
        memmove(&left[pick], &left[pick + 1], (size_t)(choices - pick - 1) * sizeof left[0]);
    }
}

#endif
