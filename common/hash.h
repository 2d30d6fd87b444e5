/* uthash as all of Aduana uses it: with a key that nobody outside knows, so that names chosen by a
 * client cannot be made to collide, and without ending the process when memory is gone: an element
 * that could not be added has `hh.tbl == NULL`. Include this instead of <uthash.h>. */
#ifndef ADUANA_COMMON_HASH_H
#define ADUANA_COMMON_HASH_H

#include "common/api.h"
#include <stddef.h>
#include <stdint.h>

/* A keyed hash (XXH3, seeded from getrandom at first use). Any thread after the first call. */
ADU_API unsigned adu_hash(const void *key, size_t length);
/* The same with all its bits, for what is known by its hash alone. */
ADU_API uint64_t adu_hash64(const void *key, size_t length);

#define HASH_NONFATAL_OOM                 1
#define HASH_FUNCTION(key, length, value) ((value) = adu_hash((key), (length)))
#include <uthash.h>

#endif
