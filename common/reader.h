/* Reads a JSON object into a C struct by a table of its keys: what is unknown, missing, of another
 * type or out of bounds is an error that names the place and what was expected. */
#ifndef ADUANA_COMMON_READER_H
#define ADUANA_COMMON_READER_H

#include "common/json.h"

enum adu_field_kind {
    ADU_FIELD_STRING,  /* const char *, borrowed from the document; never empty */
    ADU_FIELD_BOOL,    /* bool */
    ADU_FIELD_INTEGER, /* long, within minimum..maximum */
    ADU_FIELD_CHOICE,  /* int: the index of the string within `choices` */
    ADU_FIELD_OBJECT,  /* const struct adu_json * */
    ADU_FIELD_ARRAY,   /* const struct adu_json * */
    ADU_FIELD_ANY,     /* const struct adu_json * */
};

struct adu_field {
    const char *key;
    enum adu_field_kind kind;
    bool required;
    size_t offset; /* of the member, by offsetof; it keeps its value where the key is absent */
    long minimum, maximum;
    const char *const *choices; /* NULL-ended */
};

/* The entry of a table for the key that is called like its member; what else there is to say about
 * it follows: ADU_FIELD(struct keys, roles, OBJECT, .required = true). */
#define ADU_FIELD(type, member, field_kind, ...)                                                   \
    {                                                                                              \
        .key = #member, .kind = ADU_FIELD_##field_kind, .offset = offsetof(type, member),          \
        __VA_ARGS__                                                                                \
    }

/* Reads `object` by `fields`, a table that ends with a NULL key, into `destination`.
 * The key "//" is a comment in any object. Any thread. */
ADU_API bool adu_read_object(const struct adu_json *object, const struct adu_field *fields,
                             void *destination, struct adu_error *error);

/* Iterates over the members of an object, comments left out: first with NULL, then with the last.
 */
ADU_API const struct adu_json *adu_read_next(const struct adu_json *object,
                                             const struct adu_json *last);

/* How many adu_read_next will give. */
ADU_API size_t adu_read_count(const struct adu_json *object);

/* The text of a string node that must be neither empty nor hold control characters. NULL on error.
 */
ADU_API const char *adu_read_string(const struct adu_json *node, struct adu_error *error);

/* True if `node` is of the given JSON kind, else an error that says what was expected. */
ADU_API bool adu_read_is_object(const struct adu_json *node, struct adu_error *error);
ADU_API bool adu_read_is_array(const struct adu_json *node, struct adu_error *error);

/* True if `name` can name a role or an attribute: [A-Za-z_][A-Za-z0-9_.-]*, at most 64 bytes. */
ADU_API bool adu_read_is_name(const struct adu_json *node, const char *name,
                              struct adu_error *error);

#endif
