#include "common/reader.h"
#include "common/text.h"
#include <string.h>

enum { MOST_FIELDS = 32, LONGEST_NAME = 64 };

static const struct adu_field *find_field(const struct adu_field *fields, const char *key)
{
    while (fields->key != NULL && strcmp(fields->key, key) != 0) {
        fields++;
    }
    return fields->key != NULL ? fields : NULL;
}

static bool unknown_key(const struct adu_json *node, const struct adu_field *fields,
                        struct adu_error *error)
{
    const char *known[MOST_FIELDS + 1] = {0};
    for (size_t i = 0; i < MOST_FIELDS && fields[i].key != NULL; i++) {
        known[i] = fields[i].key;
    }
    const char *nearest = adu_text_nearest(node->key, known);
    if (nearest != NULL) {
        return adu_json_key_error(node, error, "unknown key; did you mean \"%s\"?", nearest);
    }
    char list[400] = "";
    for (size_t i = 0; known[i] != NULL; i++) {
        strncat(list, i > 0 ? ", " : "", sizeof list - strlen(list) - 1);
        strncat(list, known[i], sizeof list - strlen(list) - 1);
    }
    return adu_json_key_error(node, error, "unknown key; known here: %s", list);
}

static bool wrong_type(const struct adu_json *node, struct adu_error *error, const char *expected)
{
    return adu_json_error(node, error, "expected %s, found %s", expected,
                          adu_json_type_name(node->value));
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

const char *adu_read_string(const struct adu_json *node, struct adu_error *error)
{
    if (!json_is_string(node->value)) {
        wrong_type(node, error, "a string");
        return NULL;
    }
    const char *text = json_string_value(node->value);
    if (text[0] == '\0') {
        adu_json_error(node, error, "expected a string that is not empty");
        return NULL;
    }
    if (has_control(text)) {
        adu_json_error(node, error, "control characters have no place here");
        return NULL;
    }
    return text;
}

bool adu_read_is_object(const struct adu_json *node, struct adu_error *error)
{
    return json_is_object(node->value) || wrong_type(node, error, "an object");
}

bool adu_read_is_array(const struct adu_json *node, struct adu_error *error)
{
    return json_is_array(node->value) || wrong_type(node, error, "an array");
}

static bool read_integer(const struct adu_json *node, const struct adu_field *field, long *out,
                         struct adu_error *error)
{
    if (!json_is_integer(node->value)) {
        return wrong_type(node, error, "an integer");
    }
    const json_int_t value = json_integer_value(node->value);
    if (value < field->minimum || value > field->maximum) {
        return adu_json_error(node, error, "expected an integer from %ld to %ld, found %lld",
                              field->minimum, field->maximum, (long long)value);
    }
    *out = (long)value;
    return true;
}

static bool read_choice(const struct adu_json *node, const struct adu_field *field, int *out,
                        struct adu_error *error)
{
    const char *text = adu_read_string(node, error);
    char list[256] = "";
    for (int i = 0; text != NULL && field->choices[i] != NULL; i++) {
        if (strcmp(field->choices[i], text) == 0) {
            *out = i;
            return true;
        }
        strncat(list, i > 0 ? ", \"" : "\"", sizeof list - strlen(list) - 1);
        strncat(list, field->choices[i], sizeof list - strlen(list) - 1);
        strncat(list, "\"", sizeof list - strlen(list) - 1);
    }
    return adu_json_error(node, error, "expected one of %s", list);
}

static bool read_field(const struct adu_json *node, const struct adu_field *field, char *member,
                       struct adu_error *error)
{
    switch (field->kind) {
    case ADU_FIELD_STRING:
        *(const char **)member = adu_read_string(node, error);
        return *(const char **)member != NULL;
    case ADU_FIELD_BOOL:
        if (!json_is_boolean(node->value)) {
            return wrong_type(node, error, "true or false");
        }
        *(bool *)member = json_is_true(node->value);
        return true;
    case ADU_FIELD_INTEGER:
        return read_integer(node, field, (long *)member, error);
    case ADU_FIELD_CHOICE:
        return read_choice(node, field, (int *)member, error);
    case ADU_FIELD_OBJECT:
        *(const struct adu_json **)member = node;
        return adu_read_is_object(node, error);
    case ADU_FIELD_ARRAY:
        *(const struct adu_json **)member = node;
        return adu_read_is_array(node, error);
    case ADU_FIELD_ANY:
        *(const struct adu_json **)member = node;
        return true;
    }
    return adu_json_error(node, error, "cannot be read");
}

bool adu_read_object(const struct adu_json *object, const struct adu_field *fields,
                     void *destination, struct adu_error *error)
{
    if (!adu_read_is_object(object, error)) {
        return false;
    }
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        const struct adu_field *field = find_field(fields, node->key);
        if (field == NULL) {
            return unknown_key(node, fields, error);
        }
        if (!read_field(node, field, (char *)destination + field->offset, error)) {
            return false;
        }
    }
    for (; fields->key != NULL; fields++) {
        if (fields->required && adu_json_member(object, fields->key) == NULL) {
            return adu_json_error(object, error, "the key \"%s\" is missing", fields->key);
        }
    }
    return true;
}

const struct adu_json *adu_read_next(const struct adu_json *object, const struct adu_json *last)
{
    const struct adu_json *node = last == NULL ? object->first : last->next;
    while (node != NULL && node->key != NULL && strcmp(node->key, "//") == 0) {
        node = node->next;
    }
    return node;
}

size_t adu_read_count(const struct adu_json *object)
{
    size_t count = 0;
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        count++;
    }
    return count;
}

bool adu_read_is_name(const struct adu_json *node, const char *name, struct adu_error *error)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.-";
    const size_t length = strlen(name);
    if (length == 0 || length > LONGEST_NAME || strchr(letters, name[0]) == NULL ||
        strspn(name, others) != length) {
        return adu_json_key_error(node, error,
                                  "a name has letters, digits and _ . -, begins with a letter "
                                  "or _, and has at most %d bytes",
                                  LONGEST_NAME);
    }
    return true;
}
