#include "who.h"
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MOST = 8 };

struct values {
    int count;
    const char *value[VALUES_MOST];
};

static void add_value(struct values *values, const json_t *text)
{
    if (values->count < VALUES_MOST) {
        values->value[values->count++] = json_string_value(text);
    }
}

/* All values of an attribute. */
static struct values values_of(const json_t *session, const char *attribute)
{
    struct values values = {0};
    const json_t *list = json_object_get(session, "attributes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        if (strcmp(json_string_value(json_array_get(pair, 0)), attribute) == 0) {
            add_value(&values, json_array_get(pair, 1));
        }
    }
    if (strcmp(attribute, "username") == 0) {
        add_value(&values, json_object_get(session, "username"));
    }
    if (strcmp(attribute, "client_id") == 0 && json_is_true(json_object_get(session, "bound"))) {
        add_value(&values, json_object_get(session, "client_id"));
    }
    return values;
}

static bool has_control(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        /* U+0080 to U+009F are two bytes of UTF-8. */
        if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)) {
            return true;
        }
    }
    return false;
}

const char *who_level(const json_t *session, const char *attribute)
{
    const struct values values = values_of(session, attribute);
    const char *value = values.count == 1 ? values.value[0] : NULL;
    return value == NULL || value[0] == '\0' || strpbrk(value, "/+#") != NULL || has_control(value)
               ? NULL
               : value;
}

/* --- bindings --- */

static bool regex_matches(const char *pattern, const char *value)
{
    char whole[256];
    regex_t compiled;
    snprintf(whole, sizeof whole, "^(%s)$", pattern);
    if (regcomp(&compiled, whole, REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "oracle: %s is no pattern\n", whole);
        exit(EXIT_FAILURE);
    }
    const bool matches = regexec(&compiled, value, 0, NULL, 0) == 0;
    regfree(&compiled);
    return matches;
}

static bool value_is(const json_t *expected, const char *value)
{
    if (json_is_object(expected)) {
        return regex_matches(json_string_value(json_object_get(expected, "pattern")), value);
    }
    if (json_is_string(expected)) {
        return strcmp(json_string_value(expected), value) == 0;
    }
    for (size_t i = 0; i < json_array_size(expected); i++) {
        if (strcmp(json_string_value(json_array_get(expected, i)), value) == 0) {
            return true;
        }
    }
    return false;
}

/* Of several values one that holds is enough, but there must not be several of what there is once.
 */
static bool term_holds(const json_t *session, const char *attribute, const json_t *expected)
{
    const struct values values = values_of(session, attribute);
    if (values.count > 1 && strcmp(attribute, "cert.cn") == 0) {
        return false;
    }
    for (int i = 0; i < values.count; i++) {
        if (value_is(expected, values.value[i])) {
            return true;
        }
    }
    return false;
}

static bool match_holds(const json_t *match, const json_t *session)
{
    const char *attribute;
    json_t *expected;
    json_object_foreach((json_t *)(uintptr_t)match, attribute, expected)
    {
        if (!term_holds(session, attribute, expected)) {
            return false;
        }
    }
    return true;
}

/* Each role, and what it includes. */
static void add_roles(json_t *has, const json_t *policy, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        const json_t *role = json_object_get(json_object_get(policy, "roles"), name);
        json_object_set_new(has, name, json_true());
        add_roles(has, policy, json_object_get(role, "includes"));
    }
}

json_t *who_roles(const json_t *policy, const json_t *session)
{
    json_t *has = json_object();
    const json_t *bindings = json_object_get(policy, "bindings");
    add_roles(has, policy, json_object_get(session, "roles"));
    for (size_t i = 0; i < json_array_size(bindings); i++) {
        const json_t *binding = json_array_get(bindings, i);
        if (match_holds(json_object_get(binding, "match"), session)) {
            add_roles(has, policy, json_object_get(binding, "roles"));
        }
    }
    return has;
}
