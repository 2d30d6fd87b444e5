#include "mutate.h"
#include <string.h>

/* Exhaustive changes of what is longer would leave no time for others. */
enum { EXHAUSTIVE_MOST = 2048, CHANGES_MOST = 6 };

/* splitmix64 */
static uint64_t chance(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t bound)
{
    return bound > 0 ? chance(state) % bound : 0;
}

/* Tags of ASN.1's strings, lengths at their limits, and what people would smuggle in. */
static const unsigned char odd[] = {0x00, 0x01, 0x0a, 0x0c, 0x0d, 0x13, 0x14, 0x16, 0x1b,
                                    0x1c, 0x1e, 0x22, 0x2b, 0x2c, 0x2f, 0x30, 0x31, 0x3d,
                                    0x5c, 0x7f, 0x80, 0x81, 0x82, 0x86, 0xa0, 0xc2, 0xff};

/* Puts `count` bytes in at `at`; what goes beyond `size` is lost. */
static size_t insert(unsigned char *to, size_t length, size_t size, size_t at,
                     const unsigned char *bytes, size_t count)
{
    unsigned char kept[64];
    count = count < sizeof kept ? count : sizeof kept;
    if (length + count > size) {
        return length;
    }
    memcpy(kept, bytes, count);
    memmove(to + at + count, to + at, length - at);
    memcpy(to + at, kept, count);
    return length + count;
}

static size_t change(unsigned char *to, size_t length, size_t size, struct fuzz_der other,
                     uint64_t *state)
{
    const size_t at = below(state, length), from = below(state, other.length);
    const size_t left = length - at, theirs = other.length - from, few = 1 + below(state, 32);
    switch (below(state, 7)) {
    case 0:
        to[at] ^= (unsigned char)(1U << below(state, 8));
        return length;
    case 1:
        to[at] = odd[below(state, sizeof odd)];
        return length;
    case 2:
        to[at] += below(state, 2) ? 1 : -1;
        return length;
    case 3: /* leave out */
        memmove(to + at, to + at + (few < left ? few : left), left - (few < left ? few : left));
        return length - (few < left ? few : left);
    case 4: /* again */
        return insert(to, length, size, at, to + at, few < left ? few : left);
    case 5: /* of another, in between */
        return insert(to, length, size, at, other.bytes + from, few < theirs ? few : theirs);
    default: { /* of another, in its place */
        const size_t most = theirs < left ? theirs : left;
        memcpy(to + at, other.bytes + from, few < most ? few : most);
        return length;
    }
    }
}

size_t fuzz_mutate(struct fuzz_der of, struct fuzz_der other, unsigned long number,
                   unsigned char *to, size_t size)
{
    size_t length = of.length < size ? of.length : size;
    const size_t bits = length <= EXHAUSTIVE_MOST ? 8 * length : 0;
    memcpy(to, of.bytes, length);
    if (number < bits) {
        to[number / 8] ^= (unsigned char)(1U << number % 8);
        return length;
    }
    if (number - bits < length && bits > 0) {
        return number - bits;
    }
    uint64_t state = number;
    for (size_t left = 1 + below(&state, CHANGES_MOST); left > 0 && length > 0; left--) {
        length = change(to, length, size, other, &state);
    }
    return length;
}
