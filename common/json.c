#include "common/json.h"
#include "common/file.h"
#include "common/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct adu_json_document {
    struct adu_arena *arena;
    json_t *tree;
    struct adu_json root;
};

/* The text, and how far the walk has come. jansson has accepted the text already, so the walk only
 * needs to tell tokens apart; every step is bounded all the same. */
struct walk {
    const char *at, *end;
    const char *file;
    unsigned line, column;
    struct adu_arena *arena;
};

static void step(struct walk *w)
{
    if (w->at >= w->end) {
        return;
    }
    const unsigned char byte = (unsigned char)*w->at++;
    if (byte == '\n') {
        w->line++;
        w->column = 1;
    } else if ((byte & 0xc0) != 0x80) { /* UTF-8 continuation bytes are part of a character */
        w->column++;
    }
}

static void skip_space(struct walk *w)
{
    while (w->at < w->end && strchr(" \t\r\n", *w->at) != NULL) {
        step(w);
    }
}

static void skip_string(struct walk *w)
{
    step(w);
    while (w->at < w->end && *w->at != '"') {
        if (*w->at == '\\') {
            step(w);
        }
        step(w);
    }
    step(w);
}

static void skip_scalar(struct walk *w)
{
    if (w->at < w->end && *w->at == '"') {
        skip_string(w);
        return;
    }
    while (w->at < w->end && strchr(" \t\r\n,]}", *w->at) == NULL) {
        step(w);
    }
}

static struct adu_place here(const struct walk *w)
{
    return (struct adu_place){.file = w->file, .line = w->line, .column = w->column};
}

static bool walk_value(struct walk *w, struct adu_json *node, json_t *value);

static struct adu_json *add_child(struct walk *w, struct adu_json *parent, struct adu_json **last)
{
    struct adu_json *child = adu_arena_alloc(w->arena, sizeof *child);
    if (child == NULL) {
        return NULL;
    }
    child->parent = parent;
    child->index = parent->count++;
    if (*last == NULL) {
        parent->first = child;
    } else {
        (*last)->next = child;
    }
    *last = child;
    return child;
}

static bool walk_object(struct walk *w, struct adu_json *node)
{
    struct adu_json *last = NULL;
    const char *key;
    json_t *value;
    step(w); /* { */
    /* jansson iterates in the order of the text (2.8 and later). */
    json_object_foreach(node->value, key, value)
    {
        struct adu_json *child = add_child(w, node, &last);
        if (child == NULL) {
            return false;
        }
        skip_space(w);
        child->key = key;
        child->key_place = here(w);
        skip_string(w);
        skip_space(w);
        step(w); /* : */
        if (!walk_value(w, child, value)) {
            return false;
        }
        skip_space(w);
        step(w); /* , or } */
    }
    if (node->count == 0) {
        skip_space(w);
        step(w);
    }
    return true;
}

static bool walk_array(struct walk *w, struct adu_json *node)
{
    struct adu_json *last = NULL;
    size_t i;
    json_t *value;
    step(w); /* [ */
    json_array_foreach(node->value, i, value)
    {
        struct adu_json *child = add_child(w, node, &last);
        if (child == NULL || !walk_value(w, child, value)) {
            return false;
        }
        skip_space(w);
        step(w); /* , or ] */
    }
    if (node->count == 0) {
        skip_space(w);
        step(w);
    }
    return true;
}

/* Recursion is bounded by jansson's own limit on nesting (2,048). */
static bool walk_value(struct walk *w, struct adu_json *node, json_t *value)
{
    skip_space(w);
    node->value = value;
    node->place = here(w);
    if (json_is_object(value)) {
        return walk_object(w, node);
    }
    if (json_is_array(value)) {
        return walk_array(w, node);
    }
    skip_scalar(w);
    return true;
}

/* As many as there are commas and brackets outside strings: each value but the first follows one.
 */
static size_t values_at_most(const char *text, size_t length)
{
    size_t count = 1;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        if (in_string) {
            in_string = text[i] != '"';
            i += text[i] == '\\';
        } else {
            in_string = text[i] == '"';
            count += text[i] == ',' || text[i] == '[' || text[i] == '{';
        }
    }
    return count;
}

static bool parse_into(struct adu_json_document *d, const char *name, const char *text,
                       size_t length, struct adu_error *error)
{
    json_error_t why;
    d->tree = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    const char *file = adu_arena_strdup(d->arena, name);
    if (file == NULL) {
        return adu_error_no_memory(error);
    }
    if (d->tree == NULL) {
        /* jansson goes on with what stands there, which may be a password: the place will do. A key
         * is none. */
        char *quoted = strstr(why.text, " near '");
        if (quoted != NULL && json_error_code(&why) != json_error_duplicate_key) {
            *quoted = '\0';
        }
        const struct adu_place place = {.file = file,
                                        .line = why.line > 0 ? (unsigned)why.line : 1,
                                        .column = why.column > 0 ? (unsigned)why.column : 1};
        return adu_error_set(error, &place, "not valid JSON: %s", why.text);
    }
    struct walk w = {
        .at = text, .end = text + length, .file = file, .line = 1, .column = 1, .arena = d->arena};
    return walk_value(&w, &d->root, d->tree) || adu_error_no_memory(error);
}

struct adu_json_document *adu_json_parse(const char *name, const char *text, size_t length,
                                         struct adu_error *error)
{
    const struct adu_place begin = {.file = name, .line = 1, .column = 1};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        adu_error_set(error, &begin, "begins with a byte order mark; save it as UTF-8 without one");
        return NULL;
    }
    struct adu_json_document *d = calloc(1, sizeof *d);
    if (d != NULL) {
        d->arena = adu_arena_new();
    }
    if (d == NULL || d->arena == NULL) {
        adu_error_no_memory(error);
    } else if (values_at_most(text, length) > ADU_JSON_MAX_VALUES) {
        adu_error_set(error, &begin, "holds more than %d values", ADU_JSON_MAX_VALUES);
    } else if (parse_into(d, name, text, length, error)) {
        return d;
    }
    adu_json_free(d);
    return NULL;
}

struct adu_json_document *adu_json_load(const char *name, const char *path, struct adu_error *error)
{
    size_t length;
    char *text = adu_file_read(name, path, ADU_JSON_MAX_BYTES, &length, error);
    if (text == NULL) {
        return NULL;
    }
    struct adu_json_document *document = adu_json_parse(name, text, length, error);
    free(text);
    return document;
}

void adu_json_free(struct adu_json_document *document)
{
    if (document != NULL) {
        json_decref(document->tree);
        adu_arena_free(document->arena);
        free(document);
    }
}

const struct adu_json *adu_json_root(const struct adu_json_document *document)
{
    return &document->root;
}

const struct adu_json *adu_json_member(const struct adu_json *object, const char *key)
{
    const struct adu_json *child = object->first;
    while (child != NULL && (child->key == NULL || strcmp(child->key, key) != 0)) {
        child = child->next;
    }
    return child;
}

const char *adu_json_path(const struct adu_json *node, char *buffer, size_t size)
{
    if (node->parent == NULL) {
        snprintf(buffer, size, "%s", "");
        return buffer;
    }
    adu_json_path(node->parent, buffer, size);
    const size_t used = strlen(buffer);
    if (node->key != NULL) {
        snprintf(buffer + used, size - used, "%s%s", used > 0 ? "." : "", node->key);
    } else {
        snprintf(buffer + used, size - used, "[%zu]", node->index);
    }
    adu_utf8_trim(buffer);
    return buffer;
}

static bool ADU_PRINTF(4, 0)
    error_at(const struct adu_json *node, const struct adu_place *place, struct adu_error *error,
             const char *format, va_list arguments)
{
    char path[160], text[ADU_ERROR_TEXT];
    vsnprintf(text, sizeof text, format, arguments);
    adu_json_path(node, path, sizeof path);
    return adu_error_set(error, place, "%s%s%s", path, path[0] != '\0' ? ": " : "", text);
}

bool adu_json_error(const struct adu_json *node, struct adu_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_at(node, &node->place, error, format, arguments);
    va_end(arguments);
    return false;
}

bool adu_json_key_error(const struct adu_json *node, struct adu_error *error, const char *format,
                        ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_at(node, node->key != NULL ? &node->key_place : &node->place, error, format, arguments);
    va_end(arguments);
    return false;
}

const char *adu_json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    default:
        return "null";
    }
}
