#include "common/match.h"
#include "common/pattern.h"
#include "common/reader.h"
#include <stdio.h>
#include <string.h>

struct term {
    const char *attribute; /* NULL: the term asks for a role */
    int role;
    bool many; /* several values are alternatives, not a contradiction */
    const struct adu_pattern *pattern;
    const char **values; /* NULL-ended, where there is no pattern */
};

struct adu_match {
    size_t count;
    struct term terms[];
};

/* Certificate fields that a certificate has once; twice is somebody trying something. */
static bool is_single(const char *attribute)
{
    static const char *const single[] = {
        "cert.cn",     "cert.l",           "cert.st",           "cert.c",
        "cert.serial", "cert.fingerprint", "username",          "cert.issuer.cn",
        "client_id",   "cert.uid",         "cert.serial_number"};
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        if (strcmp(single[i], attribute) == 0) {
            return true;
        }
    }
    return false;
}

static bool compile_values(struct adu_compiler *c, const struct adu_json *node, struct term *t)
{
    const bool list = json_is_array(node->value);
    const size_t count = list ? node->count : 1;
    if (count == 0) {
        return adu_json_error(node, c->error, "an empty list matches nobody");
    }
    t->values = adu_arena_array(c->arena, count + 1, sizeof *t->values);
    if (t->values == NULL) {
        return adu_error_no_memory(c->error);
    }
    const struct adu_json *value = list ? node->first : node;
    for (size_t i = 0; i < count; i++, value = value->next) {
        const char *text = adu_read_string(value, c->error);
        if (text == NULL || (t->values[i] = adu_arena_strdup(c->arena, text)) == NULL) {
            return text != NULL && adu_error_no_memory(c->error);
        }
    }
    return true;
}

static bool compile_pattern(struct adu_compiler *c, const struct adu_json *node, struct term *t)
{
    struct {
        const struct adu_json *pattern;
    } read = {0};
    static const struct adu_field fields[] = {
        {.key = "pattern", .kind = ADU_FIELD_ANY, .required = true, .offset = 0}, {0}};
    if (!adu_read_object(node, fields, &read, c->error)) {
        return false;
    }
    const char *text = adu_read_string(read.pattern, c->error);
    t->pattern = text != NULL ? adu_pattern_compile(c->arena, text, read.pattern, c->error) : NULL;
    return t->pattern != NULL;
}

static bool compile_term(struct adu_compiler *c, const struct adu_json *node, bool roles_allowed,
                         struct term *t)
{
    if (strcmp(node->key, "role") == 0 && roles_allowed) {
        const char *role = adu_read_string(node, c->error);
        t->role =
            role != NULL ? adu_vocabulary_use_role(c->vocabulary, role, &node->place) : ADU_NO_NAME;
        return t->role != ADU_NO_NAME || (role != NULL && adu_error_no_memory(c->error));
    }
    if (!adu_read_is_name(node, node->key, c->error)) {
        return false;
    }
    t->attribute = adu_arena_strdup(c->arena, node->key);
    if (t->attribute == NULL ||
        adu_vocabulary_use_attribute(c->vocabulary, node->key, &node->key_place) == ADU_NO_NAME) {
        return adu_error_no_memory(c->error);
    }
    t->many = !is_single(node->key);
    if (json_is_object(node->value)) {
        return compile_pattern(c, node, t);
    }
    if (!json_is_string(node->value) && !json_is_array(node->value)) {
        return adu_json_error(node, c->error,
                              "expected a string, a list of strings or {\"pattern\": \"...\"}, "
                              "found %s",
                              adu_json_type_name(node->value));
    }
    return compile_values(c, node, t);
}

const struct adu_match *adu_match_compile(struct adu_compiler *c, const struct adu_json *object,
                                          bool roles_allowed)
{
    if (!adu_read_is_object(object, c->error)) {
        return NULL;
    }
    struct adu_match *m =
        adu_arena_alloc(c->arena, sizeof *m + adu_read_count(object) * sizeof(struct term));
    if (m == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (!compile_term(c, node, roles_allowed, &m->terms[m->count++])) {
            return NULL;
        }
    }
    return m;
}

static bool value_holds(const struct term *t, const char *value)
{
    if (t->pattern != NULL) {
        return adu_pattern_matches(t->pattern, value, strlen(value), NULL);
    }
    for (const char **v = t->values; *v != NULL; v++) {
        if (strcmp(*v, value) == 0) {
            return true;
        }
    }
    return false;
}

static bool term_holds(const struct term *t, const struct adu_attributes *attributes)
{
    if (!t->many) {
        const char *value = adu_attributes_single(attributes, t->attribute);
        return value != NULL && value_holds(t, value);
    }
    for (size_t i = 0; i < attributes->count; i++) {
        if (strcmp(attributes->items[i].name, t->attribute) == 0 &&
            value_holds(t, attributes->items[i].value)) {
            return true;
        }
    }
    return false;
}

static bool any_term_holds(const struct term *t, const struct adu_attributes *attributes,
                           const struct adu_roles *roles)
{
    return t->attribute != NULL ? term_holds(t, attributes)
                                : roles != NULL && adu_roles_has(roles, t->role);
}

bool adu_match_holds(const struct adu_match *m, const struct adu_attributes *attributes,
                     const struct adu_roles *roles)
{
    for (size_t i = 0; i < m->count; i++) {
        if (!any_term_holds(&m->terms[i], attributes, roles)) {
            return false;
        }
    }
    return true;
}

static void say_miss(const struct term *t, FILE *out)
{
    if (t->attribute == NULL) {
        fprintf(out, "it lacks the role");
    } else if (t->pattern != NULL) {
        fprintf(out, "%s does not match its pattern", t->attribute);
    } else {
        fprintf(out, "%s is not", t->attribute);
        for (const char **v = t->values; *v != NULL; v++) {
            fprintf(out, "%s \"%s\"", v != t->values ? " or" : "", *v);
        }
    }
}

const char *adu_match_misses(const struct adu_match *m, const struct adu_attributes *attributes,
                             const struct adu_roles *roles, char *text, size_t size)
{
    bool first = true;
    text[0] = '\0';
    FILE *out = fmemopen(text, size, "w");
    for (size_t i = 0; out != NULL && i < m->count; i++) {
        if (!any_term_holds(&m->terms[i], attributes, roles)) {
            fputs(first ? "" : ", ", out);
            say_miss(&m->terms[i], out);
            first = false;
        }
    }
    if (out != NULL) {
        fclose(out); /* cuts what does not fit, and ends it */
    }
    text[size - 1] = '\0';
    return text;
}

const int *adu_role_list_compile(struct adu_compiler *c, const struct adu_json *node)
{
    static const int none[] = {ADU_NO_NAME};
    if (node == NULL) {
        return none;
    }
    if (!adu_read_is_array(node, c->error)) {
        return NULL;
    }
    int *list = adu_arena_array(c->arena, node->count + 1, sizeof *list);
    if (list == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    size_t count = 0;
    for (const struct adu_json *item = node->first; item != NULL; item = item->next) {
        const char *name = adu_read_string(item, c->error);
        if (name == NULL) {
            return NULL;
        }
        list[count] = adu_vocabulary_use_role(c->vocabulary, name, &item->place);
        if (list[count++] == ADU_NO_NAME) {
            adu_error_no_memory(c->error);
            return NULL;
        }
    }
    list[count] = ADU_NO_NAME;
    return list;
}
