/* The part of JSON Schema that payloads are held to, and units with their ranges. Pure. */
#ifndef ADUANA_TOPIC_POLICY_SCHEMA_H
#define ADUANA_TOPIC_POLICY_SCHEMA_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/topic.h"
#include <stdint.h>

enum adu_schema_type {
    ADU_TYPE_NULL = 1,
    ADU_TYPE_BOOLEAN = 2,
    ADU_TYPE_INTEGER = 4,
    ADU_TYPE_NUMBER = 8,
    ADU_TYPE_STRING = 16,
    ADU_TYPE_ARRAY = 32,
    ADU_TYPE_OBJECT = 64,
};

struct adu_schema_range {
    bool has_minimum, has_maximum, above, below; /* above and below: the limit itself is out */
    double minimum, maximum;
};

/* A value of "enum" or "const". */
struct adu_schema_value {
    enum adu_schema_type type;
    bool boolean;
    double number;
    struct adu_text text;
};

struct adu_schema;

struct adu_schema_property {
    struct adu_text name;
    const struct adu_schema *schema; /* NULL: anything */
};

/* The ranges of a number, by the unit that stands beside it in the same object. */
struct adu_schema_unit {
    struct adu_text name;
    struct adu_schema_range range;
};

enum { ADU_SCHEMA_PROPERTIES_MOST = 64, ADU_SCHEMA_DEPTH_MOST = 32 };

struct adu_schema {
    unsigned types; /* set of enum adu_schema_type; 0: any */
    struct adu_schema_range range;
    const char *unit; /* of the range, for the text of a refusal; NULL: none is named */
    long min_length, max_length, min_items, max_items; /* -1: no limit */
    size_t value_count;
    const struct adu_schema_value *values;
    const struct adu_schema *items; /* NULL: anything */
    size_t property_count;
    const struct adu_schema_property *properties;
    uint64_t required; /* properties, by their number */
    bool closed;       /* no others */
    const struct adu_schema *others;
    size_t unit_count; /* 0: none */
    const struct adu_schema_unit *units;
    int measured, measured_in; /* numbers of the properties with the value and with its unit */
};

/* NULL with c->error set; a keyword that is not known is an error. */
const struct adu_schema *adu_schema_compile(struct adu_compiler *c, const struct adu_json *node);

/* True if the bytes are one JSON value that is as the schema says (NULL: any value), without a key
 * twice in an object, and not too deep. Else `what` says in words what is wrong, and where.
 * Allocates nothing. Hot path. */
enum { ADU_SCHEMA_WHAT = 128 };
bool adu_schema_holds(const struct adu_schema *schema, struct adu_text payload,
                      char what[ADU_SCHEMA_WHAT]);

#endif
