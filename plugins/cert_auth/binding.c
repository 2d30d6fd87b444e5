#include "plugins/cert_auth/binding.h"
#include "common/reader.h"
#include "common/template.h"
#include <stdio.h>
#include <string.h>

enum { REST_MOST = 64, CLIENT_ID_MOST = 1024 };

struct adu_binding {
    const struct adu_template *client_id;
    bool is_prefix;
    char separator; /* '\0': none */
};

struct keys {
    const char *prefix;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, prefix, STRING, .required = true),
    {0},
};

/* What a prefix ends with that cannot be part of a value's last word. */
static char separator_of(const char *prefix)
{
    const char last = prefix[strlen(prefix) - 1];
    return strchr("-_.:/", last) != NULL ? last : '\0';
}

static const char *read_prefix(struct adu_compiler *c, const struct adu_json *node,
                               struct adu_binding *binding)
{
    struct keys keys = {0};
    if (!adu_read_object(node, fields, &keys, c->error)) {
        return NULL;
    }
    binding->is_prefix = true;
    binding->separator = separator_of(keys.prefix);
    if (binding->separator == '\0') {
        const struct adu_place place =
            adu_compiler_place(c, &adu_json_member(node, "prefix")->place);
        adu_findings_add(c->findings, "open-client-id-prefix", &place,
                         "the prefix \"%s\" does not end with one of - _ . : /, so edge-1 may use "
                         "the client ids of edge-10",
                         keys.prefix);
    }
    return keys.prefix;
}

const struct adu_binding *adu_binding_compile(struct adu_compiler *c, const struct adu_json *node)
{
    struct adu_binding *binding = adu_arena_alloc(c->arena, sizeof *binding);
    if (binding == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    const char *text = json_is_object(node->value) ? read_prefix(c, node, binding)
                                                   : adu_read_string(node, c->error);
    const struct adu_json *place = binding->is_prefix ? adu_json_member(node, "prefix") : node;
    binding->client_id = text != NULL ? adu_template_compile(c, text, place, NULL) : NULL;
    return binding->client_id != NULL ? binding : NULL;
}

static bool refuse(struct adu_reason *why, const char *text, const char *detail)
{
    why->text = text;
    snprintf(why->detail, sizeof why->detail, "%.100s", detail);
    return false;
}

/* What a client adds to its prefix: `rest`. */
static bool is_good_rest(const char *rest, char separator)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    const size_t length = strlen(rest);
    return length >= 1 && length <= REST_MOST && rest[strspn(rest, allowed)] == '\0' &&
           (separator == '\0' || strchr(rest, separator) == NULL);
}

static const char *rest_expected(char separator)
{
    switch (separator) {
    case '-':
        return "this certificate's client id needs 1 to 64 of A-Z a-z 0-9 _ . after";
    case '_':
        return "this certificate's client id needs 1 to 64 of A-Z a-z 0-9 . - after";
    case '.':
        return "this certificate's client id needs 1 to 64 of A-Z a-z 0-9 _ - after";
    default:
        return "this certificate's client id needs 1 to 64 of A-Z a-z 0-9 _ . - after";
    }
}

bool adu_binding_allows(const struct adu_binding *binding, const struct adu_attributes *attributes,
                        const char *client_id, struct adu_reason *why)
{
    char wanted[CLIENT_ID_MOST];
    const char *missing;
    if (!adu_template_expand(binding->client_id, attributes, wanted, sizeof wanted, &missing)) {
        return refuse(why, "the identity's client id cannot be made of this certificate", "");
    }
    if (!binding->is_prefix) {
        return strcmp(wanted, client_id) == 0 ||
               refuse(why, "this certificate must use the client id", wanted);
    }
    const size_t length = strlen(wanted);
    if (strncmp(wanted, client_id, length) != 0) {
        return refuse(why, "this certificate must use a client id that begins with", wanted);
    }
    return is_good_rest(client_id + length, binding->separator) ||
           refuse(why, rest_expected(binding->separator), wanted);
}

bool adu_binding_is_open(const struct adu_binding *binding)
{
    return binding != NULL && binding->is_prefix;
}
