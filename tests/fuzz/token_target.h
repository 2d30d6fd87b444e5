/* What any bytes may do as a token, as what a token says, and as a set of keys; and what must hold
 * of them whatever they are. */
#ifndef ADUANA_TESTS_FUZZ_TOKEN_TARGET_H
#define ADUANA_TESTS_FUZZ_TOKEN_TARGET_H

#include "seeds.h"

/* Makes the keys. Aborts if it cannot. Once a process. */
void fuzz_token_start(void);
void fuzz_token_end(void);

size_t fuzz_token_seeds(void);
const char *fuzz_token_seed_name(size_t seed);
/* Whether its token lets `ana` in. */
int fuzz_token_seed_good(size_t seed);
/* The same in every run; the caller frees its bytes. */
struct fuzz_der fuzz_token_seed_make(size_t seed);

/* The first byte says what the others are: 'T' a token; 'C' header and claims, with a line's end
 * between, to be signed by the issuer; 'K' a set of keys. True if `ana` is let in. Aborts with the
 * bytes in hexadecimal if
 *  - somebody is let in whom a second, plain reading does not let in, or the other way about;
 *  - a token is believed of which another part is signed than in one of the seeds;
 *  - what goes to the log, or becomes a user name, holds a control character. */
int fuzz_token(const unsigned char *bytes, size_t length);

#endif
