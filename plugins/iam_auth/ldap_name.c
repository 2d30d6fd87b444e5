#include "plugins/iam_auth/ldap_name.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " ");
}

/* A value without its escapes; a run of bytes, for it may hold a NUL. */
struct value {
    char bytes[ADU_LDAP_NAME_MOST];
    size_t length;
    bool hexadecimal; /* #04... : the bytes are the text of it */
};

/* What a back-slash before `at` escapes: the bytes read, 0 if nothing may stand there. */
static size_t read_escape(const char *at, char *byte)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    if (strspn(at, digits) >= 2) {
        const char pair[] = {at[0], at[1], '\0'};
        *byte = (char)strtol(pair, NULL, 16);
        return 2;
    }
    *byte = at[0];
    return at[0] != '\0' && strchr(" \"#+,;<=>\\", at[0]) != NULL ? 1 : 0;
}

/* Up to the comma, the plus or the end that ends it. NULL if it is malformed. */
static const char *read_value(const char *at, struct value *value)
{
    size_t solid = 0; /* without the spaces at its end that are not escaped */
    *value = (struct value){.hexadecimal = *at == '#'};
    while (*at != '\0' && *at != ',' && *at != '+') {
        size_t taken = 1;
        char byte = *at;
        if (strchr("\"<>;", *at) != NULL || value->length == sizeof value->bytes) {
            return NULL;
        }
        if (*at == '\\') {
            const size_t escaped = read_escape(at + 1, &byte);
            if (escaped == 0) {
                return NULL;
            }
            taken += escaped;
        }
        value->bytes[value->length++] = byte;
        solid = taken > 1 || byte != ' ' ? value->length : solid;
        at += taken;
    }
    value->length = solid;
    return at;
}

/* The type and the value of one part, or of one of its several. NULL if it is malformed. */
static const char *read_pair(const char *at, const char **type, size_t *type_length,
                             struct value *value)
{
    *type = at = skip_spaces(at);
    while (is_letter(*at) || (*at >= '0' && *at <= '9') || *at == '-' || *at == '.') {
        at++;
    }
    *type_length = (size_t)(at - *type);
    at = skip_spaces(at);
    return *type_length > 0 && *at == '=' ? read_value(skip_spaces(at + 1), value) : NULL;
}

static bool put(struct adu_ldap_name *name, size_t *used, const char *text, size_t length)
{
    if (length >= sizeof name->text - *used) {
        return false;
    }
    memcpy(name->text + *used, text, length);
    *used += length;
    name->text[*used] = '\0';
    return true;
}

/* Every byte that is no letter and no digit is escaped: what is left in between are the name's own
 * commas, pluses and equals signs. */
static bool put_value(struct adu_ldap_name *name, size_t *used, const struct value *value)
{
    for (size_t i = 0; i < value->length; i++) {
        const char byte = lower(value->bytes[i]);
        char escaped[4];
        const bool plain = is_letter(byte) || (byte >= '0' && byte <= '9');
        const int length =
            snprintf(escaped, sizeof escaped, plain ? "%c" : "\\%02x", (unsigned char)byte);
        if (!put(name, used, escaped, (size_t)length)) {
            return false;
        }
    }
    return true;
}

static bool put_type(struct adu_ldap_name *name, size_t *used, const char *type, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = lower(type[i]);
        if (!put(name, used, &c, 1)) {
            return false;
        }
    }
    return put(name, used, "=", 1);
}

bool adu_ldap_name_read(const char *text, struct adu_ldap_name *name)
{
    size_t used = 0;
    bool in_first = true;
    struct value value;
    for (const char *at = text;; at++) {
        const char *type;
        size_t type_length;
        at = read_pair(at, &type, &type_length, &value);
        if (at == NULL || !put_type(name, &used, type, type_length) ||
            !put_value(name, &used, &value)) {
            return false;
        }
        if (in_first && *at != '+') {
            name->first = used;
            in_first = false;
        }
        if (*at == '\0') {
            return true;
        }
        if (!put(name, &used, at, 1)) {
            return false;
        }
    }
}

bool adu_ldap_name_is_below(const struct adu_ldap_name *name, const struct adu_ldap_name *base)
{
    const size_t length = strlen(name->text), end = strlen(base->text);
    return length > end && name->text[length - end - 1] == ',' &&
           strcmp(name->text + length - end, base->text) == 0;
}

bool adu_ldap_name_value(const char *text, char *value, size_t size)
{
    struct value read;
    const char *type;
    size_t type_length;
    const char *end = read_pair(text, &type, &type_length, &read);
    if (end == NULL || *end == '+' || read.hexadecimal || read.length >= size ||
        memchr(read.bytes, '\0', read.length) != NULL) {
        return false;
    }
    memcpy(value, read.bytes, read.length);
    value[read.length] = '\0';
    return true;
}
