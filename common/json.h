/* A JSON document whose values know where they stand in their file.
 *
 * jansson reads and checks the text (RFC 8259, no duplicate keys, no NUL); as it keeps no positions
 * of values, the text is walked once more beside its tree. */
#ifndef ADUANA_COMMON_JSON_H
#define ADUANA_COMMON_JSON_H

#include "common/arena.h"
#include "common/error.h"
#include <jansson.h>

/* One value. Everything it points at lives as long as its document. */
struct adu_json {
    json_t *value;
    const char *key;               /* NULL within an array and at the root */
    size_t index;                  /* within its parent */
    struct adu_place place;        /* of the value */
    struct adu_place key_place;    /* of the key, where there is one */
    const struct adu_json *parent; /* NULL at the root */
    const struct adu_json *first;  /* first child of an object or array */
    const struct adu_json *next;   /* next value of the same parent */
    size_t count;                  /* children */
};

struct adu_json_document;

/* A policy of 100,000 rules has 10 MB and a million values. */
enum { ADU_JSON_MAX_BYTES = 64 * 1024 * 1024, ADU_JSON_MAX_VALUES = 5000000 };

/* Parses `length` bytes. `name` is what places call the file; it is copied.
 * NULL with `error` filled in when the text is not one JSON value. Any thread. */
ADU_API struct adu_json_document *adu_json_parse(const char *name, const char *text, size_t length,
                                                 struct adu_error *error);

/* Reads and parses the file `path`; refuses anything but a regular file, files over
 * ADU_JSON_MAX_BYTES, and files that others than root or this process's user may write. */
ADU_API struct adu_json_document *adu_json_load(const char *name, const char *path,
                                                struct adu_error *error);

/* NULL-safe. */
ADU_API void adu_json_free(struct adu_json_document *document);

ADU_API const struct adu_json *adu_json_root(const struct adu_json_document *document);

/* The child of an object with that key, or NULL. */
ADU_API const struct adu_json *adu_json_member(const struct adu_json *object, const char *key);

/* Writes the way from the root, as in roles.edge.allow[0].publish[1]. Returns `buffer`. */
ADU_API const char *adu_json_path(const struct adu_json *node, char *buffer, size_t size);

/* Records "<path>: <text>" at the value's place (or the key's, for `_key_error`). Return false. */
ADU_API bool adu_json_error(const struct adu_json *node, struct adu_error *error,
                            const char *format, ...) ADU_PRINTF(3, 4);
ADU_API bool adu_json_key_error(const struct adu_json *node, struct adu_error *error,
                                const char *format, ...) ADU_PRINTF(3, 4);

/* "an object", "a string", ... of a value, for error messages. */
ADU_API const char *adu_json_type_name(const json_t *value);

#endif
