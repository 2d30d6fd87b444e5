/* What is known of somebody: names with values, a name repeated where there are several.
 * `cert.cn`, `cert.ou`, `username`, `linea` ... */
#ifndef ADUANA_COMMON_ATTRIBUTES_H
#define ADUANA_COMMON_ATTRIBUTES_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>

struct adu_attribute {
    char *name;
    const char *value; /* in the memory of the name */
};

/* Zeroed, it is an empty list. One thread at a time. */
struct adu_attributes {
    struct adu_attribute *items;
    size_t count, room;
};

enum { ADU_ATTRIBUTES_MOST = 256 };

/* Adds a copy. false when memory is gone or there are ADU_ATTRIBUTES_MOST already. */
ADU_API bool adu_attributes_add(struct adu_attributes *list, const char *name, const char *value);
ADU_API bool adu_attributes_add_bytes(struct adu_attributes *list, const char *name,
                                      const char *value, size_t length);

/* Adds copies of all of `from`. */
ADU_API bool adu_attributes_add_all(struct adu_attributes *list, const struct adu_attributes *from);

/* The value of a name that has exactly one; NULL if it has none or several. */
ADU_API const char *adu_attributes_single(const struct adu_attributes *list, const char *name);

/* Same names and values in the same order. */
ADU_API bool adu_attributes_equal(const struct adu_attributes *a, const struct adu_attributes *b);

/* Frees the items and leaves an empty list. */
ADU_API void adu_attributes_clear(struct adu_attributes *list);

#endif
