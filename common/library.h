/* Libraries that are loaded when a policy asks for them, and not linked: their names differ between
 * Debian's releases, or few brokers need them. Any thread. */
#ifndef ADUANA_COMMON_LIBRARY_H
#define ADUANA_COMMON_LIBRARY_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>

/* Puts the address of the library's function `name` into the function pointer at `pointer`, which
 * ISO C has no conversion for. false with `why` if it has none of that name. */
ADU_API bool adu_library_function(void *library, const char *name, void *pointer, char *why,
                                  size_t size);

#endif
