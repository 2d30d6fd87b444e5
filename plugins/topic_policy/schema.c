/* A schema as the policy writes it, made into what schema_holds.c asks. */
#include "plugins/topic_policy/schema.h"
#include "common/reader.h"
#include <string.h>

struct keys {
    const struct adu_json *type, *minimum, *maximum, *exclusiveMinimum, *exclusiveMaximum,
        *enumeration, *constant, *items, *properties, *required, *additionalProperties, *units;
    const char *unit, *title, *description;
    long minLength, maxLength, minItems, maxItems;
};

enum { LENGTH_MOST = 1048576 };

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, type, ANY),
    ADU_FIELD(struct keys, minimum, ANY),
    ADU_FIELD(struct keys, maximum, ANY),
    ADU_FIELD(struct keys, exclusiveMinimum, ANY),
    ADU_FIELD(struct keys, exclusiveMaximum, ANY),
    {.key = "enum", .kind = ADU_FIELD_ARRAY, .offset = offsetof(struct keys, enumeration)},
    {.key = "const", .kind = ADU_FIELD_ANY, .offset = offsetof(struct keys, constant)},
    ADU_FIELD(struct keys, items, OBJECT),
    ADU_FIELD(struct keys, properties, OBJECT),
    ADU_FIELD(struct keys, required, ARRAY),
    ADU_FIELD(struct keys, additionalProperties, ANY),
    ADU_FIELD(struct keys, units, OBJECT),
    ADU_FIELD(struct keys, unit, STRING),
    ADU_FIELD(struct keys, minLength, INTEGER, .maximum = LENGTH_MOST),
    ADU_FIELD(struct keys, maxLength, INTEGER, .maximum = LENGTH_MOST),
    ADU_FIELD(struct keys, minItems, INTEGER, .maximum = LENGTH_MOST),
    ADU_FIELD(struct keys, maxItems, INTEGER, .maximum = LENGTH_MOST),
    /* for people */
    ADU_FIELD(struct keys, title, STRING),
    ADU_FIELD(struct keys, description, STRING),
    {0},
};

static const struct {
    const char *name;
    enum adu_schema_type type;
} type_names[] = {{"null", ADU_TYPE_NULL},       {"boolean", ADU_TYPE_BOOLEAN},
                  {"integer", ADU_TYPE_INTEGER}, {"number", ADU_TYPE_NUMBER},
                  {"string", ADU_TYPE_STRING},   {"array", ADU_TYPE_ARRAY},
                  {"object", ADU_TYPE_OBJECT}};

static const struct adu_schema *compile(struct adu_compiler *c, const struct adu_json *node,
                                        unsigned depth);

static struct adu_text keep_text(struct adu_compiler *c, const char *text)
{
    const char *copy = adu_arena_strdup(c->arena, text);
    if (copy == NULL) {
        adu_error_no_memory(c->error);
        return (struct adu_text){0};
    }
    return adu_text_of(copy);
}

/* --- types, values, ranges --- */

static bool add_type(struct adu_compiler *c, const struct adu_json *node, unsigned *types)
{
    const char *name = json_string_value(node->value);
    for (size_t i = 0; name != NULL && i < sizeof type_names / sizeof type_names[0]; i++) {
        if (strcmp(type_names[i].name, name) == 0) {
            *types |= type_names[i].type;
            return true;
        }
    }
    return adu_json_error(node, c->error,
                          "expected one of \"null\", \"boolean\", \"integer\", \"number\", "
                          "\"string\", \"array\", \"object\"");
}

static bool compile_types(struct adu_compiler *c, const struct adu_json *node, unsigned *types)
{
    if (node == NULL || !json_is_array(node->value)) {
        return node == NULL || add_type(c, node, types);
    }
    for (const struct adu_json *one = node->first; one != NULL; one = one->next) {
        if (!add_type(c, one, types)) {
            return false;
        }
    }
    return *types != 0 || adu_json_error(node, c->error, "expected at least one type");
}

static bool compile_value(struct adu_compiler *c, const struct adu_json *node,
                          struct adu_schema_value *value)
{
    if (json_is_string(node->value)) {
        value->type = ADU_TYPE_STRING;
        value->text = keep_text(c, json_string_value(node->value));
        return value->text.bytes != NULL;
    }
    value->boolean = json_is_true(node->value);
    value->number = json_number_value(node->value);
    value->type = json_is_number(node->value)    ? ADU_TYPE_NUMBER
                  : json_is_boolean(node->value) ? ADU_TYPE_BOOLEAN
                                                 : ADU_TYPE_NULL;
    return json_is_number(node->value) || json_is_boolean(node->value) ||
           json_is_null(node->value) ||
           adu_json_error(node, c->error, "expected a string, a number, true, false or null");
}

static bool compile_values(struct adu_compiler *c, const struct keys *keys,
                           struct adu_schema *schema)
{
    const struct adu_json *list = keys->enumeration, *one = keys->constant;
    if (list == NULL && one == NULL) {
        return true;
    }
    if (list != NULL && (one != NULL || list->count == 0)) {
        return adu_json_error(list, c->error, "%s",
                              one != NULL ? "is there beside const"
                                          : "expected at least one value");
    }
    struct adu_schema_value *values =
        adu_arena_array(c->arena, list != NULL ? list->count : 1, sizeof *values);
    if (values == NULL) {
        return adu_error_no_memory(c->error);
    }
    schema->values = values;
    for (one = list != NULL ? list->first : one; one != NULL;
         one = list != NULL ? one->next : NULL) {
        if (!compile_value(c, one, &values[schema->value_count++])) {
            return false;
        }
    }
    return true;
}

static bool compile_limit(struct adu_compiler *c, const struct adu_json *node, bool *has,
                          double *limit)
{
    if (node == NULL) {
        return true;
    }
    if (*has) {
        return adu_json_error(node, c->error, "the same limit is given in another way too");
    }
    *has = true;
    *limit = json_number_value(node->value);
    return json_is_number(node->value) || adu_json_error(node, c->error, "expected a number");
}

static bool check_range(struct adu_compiler *c, const struct adu_json *node,
                        const struct adu_schema_range *r)
{
    return !r->has_minimum || !r->has_maximum || r->minimum <= r->maximum ||
           adu_json_error(node, c->error, "its minimum is more than its maximum");
}

static bool compile_range(struct adu_compiler *c, const struct keys *keys,
                          const struct adu_json *node, struct adu_schema_range *r)
{
    r->above = keys->exclusiveMinimum != NULL;
    r->below = keys->exclusiveMaximum != NULL;
    return compile_limit(c, keys->minimum, &r->has_minimum, &r->minimum) &&
           compile_limit(c, keys->exclusiveMinimum, &r->has_minimum, &r->minimum) &&
           compile_limit(c, keys->maximum, &r->has_maximum, &r->maximum) &&
           compile_limit(c, keys->exclusiveMaximum, &r->has_maximum, &r->maximum) &&
           check_range(c, node, r);
}

/* --- objects --- */

static int property_of(const struct adu_schema *schema, const char *name)
{
    for (size_t i = 0; name != NULL && i < schema->property_count; i++) {
        if (adu_text_is(schema->properties[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

static bool compile_properties(struct adu_compiler *c, const struct adu_json *object,
                               struct adu_schema *schema, unsigned depth)
{
    const struct adu_json *node = NULL;
    if (object == NULL) {
        return true;
    }
    struct adu_schema_property *list =
        adu_arena_array(c->arena, adu_read_count(object) + 1, sizeof *list);
    if (list == NULL) {
        return adu_error_no_memory(c->error);
    }
    schema->properties = list;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (schema->property_count == ADU_SCHEMA_PROPERTIES_MOST) {
            return adu_json_error(object, c->error, "has more than %d properties",
                                  ADU_SCHEMA_PROPERTIES_MOST);
        }
        struct adu_schema_property *p = &list[schema->property_count++];
        p->name = keep_text(c, node->key);
        p->schema = p->name.bytes != NULL ? compile(c, node, depth + 1) : NULL;
        if (p->schema == NULL) {
            return false;
        }
    }
    return true;
}

static bool compile_required(struct adu_compiler *c, const struct adu_json *array,
                             struct adu_schema *schema)
{
    const struct adu_json *node = array != NULL ? array->first : NULL;
    for (; node != NULL; node = node->next) {
        const int property = property_of(schema, json_string_value(node->value));
        if (property < 0) {
            return adu_json_error(node, c->error, "expected a name of \"properties\"");
        }
        schema->required |= UINT64_C(1) << property;
    }
    return true;
}

static bool compile_others(struct adu_compiler *c, const struct adu_json *node,
                           struct adu_schema *schema, unsigned depth)
{
    if (node == NULL || json_is_true(node->value)) {
        return true;
    }
    if (json_is_false(node->value)) {
        schema->closed = true;
        return true;
    }
    schema->others = compile(c, node, depth + 1);
    return schema->others != NULL;
}

/* --- units --- */

struct unit_keys {
    const char *value, *unit;
    const struct adu_json *ranges;
};

static const struct adu_field unit_fields[] = {
    ADU_FIELD(struct unit_keys, value, STRING, .required = true),
    ADU_FIELD(struct unit_keys, unit, STRING, .required = true),
    ADU_FIELD(struct unit_keys, ranges, OBJECT, .required = true),
    {0},
};

struct range_keys {
    const struct adu_json *minimum, *maximum;
};

static const struct adu_field range_fields[] = {
    ADU_FIELD(struct range_keys, minimum, ANY),
    ADU_FIELD(struct range_keys, maximum, ANY),
    {0},
};

static bool compile_unit(struct adu_compiler *c, const struct adu_json *node,
                         struct adu_schema_unit *unit)
{
    struct range_keys keys = {0};
    unit->name = keep_text(c, node->key);
    return unit->name.bytes != NULL && adu_read_is_object(node, c->error) &&
           adu_read_object(node, range_fields, &keys, c->error) &&
           compile_limit(c, keys.minimum, &unit->range.has_minimum, &unit->range.minimum) &&
           compile_limit(c, keys.maximum, &unit->range.has_maximum, &unit->range.maximum) &&
           check_range(c, node, &unit->range);
}

static bool compile_units(struct adu_compiler *c, const struct adu_json *object,
                          struct adu_schema *schema)
{
    struct unit_keys keys = {0};
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, unit_fields, &keys, c->error)) {
        return false;
    }
    schema->measured = property_of(schema, keys.value);
    schema->measured_in = property_of(schema, keys.unit);
    if (schema->measured < 0 || schema->measured_in < 0) {
        return adu_json_error(adu_json_member(object, schema->measured < 0 ? "value" : "unit"),
                              c->error, "expected a name of \"properties\"");
    }
    struct adu_schema_unit *units =
        adu_arena_array(c->arena, adu_read_count(keys.ranges) + 1, sizeof *units);
    const struct adu_json *node = NULL;
    schema->units = units;
    while (units != NULL && (node = adu_read_next(keys.ranges, node)) != NULL) {
        if (!compile_unit(c, node, &units[schema->unit_count++])) {
            return false;
        }
    }
    return units == NULL ? adu_error_no_memory(c->error)
           : schema->unit_count
               ? true
               : adu_json_error(keys.ranges, c->error, "expected at least one unit");
}

/* --- a schema --- */

static bool compile_keys(struct adu_compiler *c, const struct keys *keys,
                         const struct adu_json *node, struct adu_schema *schema, unsigned depth)
{
    schema->min_length = keys->minLength;
    schema->max_length = keys->maxLength;
    schema->min_items = keys->minItems;
    schema->max_items = keys->maxItems;
    if (keys->unit != NULL && (schema->unit = adu_arena_strdup(c->arena, keys->unit)) == NULL) {
        return adu_error_no_memory(c->error);
    }
    if (keys->items != NULL && (schema->items = compile(c, keys->items, depth + 1)) == NULL) {
        return false;
    }
    return compile_types(c, keys->type, &schema->types) &&
           compile_range(c, keys, node, &schema->range) && compile_values(c, keys, schema) &&
           compile_properties(c, keys->properties, schema, depth) &&
           compile_required(c, keys->required, schema) &&
           compile_others(c, keys->additionalProperties, schema, depth) &&
           compile_units(c, keys->units, schema);
}

static const struct adu_schema *compile(struct adu_compiler *c, const struct adu_json *node,
                                        unsigned depth)
{
    struct keys keys = {.minLength = -1, .maxLength = -1, .minItems = -1, .maxItems = -1};
    if (depth >= ADU_SCHEMA_DEPTH_MOST) {
        adu_json_error(node, c->error, "is deeper than %d schemas", ADU_SCHEMA_DEPTH_MOST);
        return NULL;
    }
    if (!adu_read_is_object(node, c->error) || !adu_read_object(node, fields, &keys, c->error)) {
        return NULL;
    }
    struct adu_schema *schema = adu_arena_alloc(c->arena, sizeof *schema);
    if (schema == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    return compile_keys(c, &keys, node, schema, depth) ? schema : NULL;
}

const struct adu_schema *adu_schema_compile(struct adu_compiler *c, const struct adu_json *node)
{
    return compile(c, node, 0);
}
