#include "plugins/iam_auth/ldap_text.h"
#include <stdio.h>
#include <string.h>

static bool stands_for_itself(unsigned char byte)
{
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte != '\0' && strchr("-_@.", byte) != NULL);
}

bool adu_ldap_escape(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (size - used < 4) {
            return false;
        }
        used += (size_t)snprintf(buffer + used, size - used,
                                 stands_for_itself(byte) ? "%c" : "\\%02x", byte);
    }
    if (used >= size) {
        return false;
    }
    buffer[used] = '\0';
    return true;
}

enum { DEEPEST = 16 };

/* One <attribute><operator><value>, up to its closing parenthesis. */
static const char *check_item(const char **at)
{
    static const char attribute[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;:";
    const size_t name = strspn(*at, attribute);
    *at += name;
    if (**at == '~' || **at == '<' || **at == '>') {
        (*at)++;
    }
    if (name == 0 || **at != '=') {
        return "expected (attribute=value)";
    }
    for ((*at)++; **at != ')'; (*at)++) {
        if (**at == '\0' || **at == '(') {
            return "a parenthesis is missing; within a value it is written \\28 or \\29";
        }
        if (**at == '\\' && strspn(*at + 1, "0123456789abcdefABCDEF") < 2) {
            return "a back-slash needs two hexadecimal digits behind it";
        }
    }
    return NULL;
}

static const char *check_filter(const char **at, int depth)
{
    const char *wrong = NULL;
    if (*(*at)++ != '(') {
        return "expected a filter in parentheses, such as (uid=${username})";
    }
    if (depth == DEEPEST) {
        return "more than 16 filters within each other";
    }
    if (**at != '\0' && strchr("&|!", **at) != NULL) {
        const bool one = *(*at)++ == '!';
        do {
            wrong = check_filter(at, depth + 1);
        } while (wrong == NULL && !one && **at == '(');
    } else {
        wrong = check_item(at);
    }
    if (wrong == NULL && *(*at)++ != ')') {
        wrong = "a parenthesis is missing";
    }
    return wrong;
}

const char *adu_ldap_filter_error(const char *text)
{
    const char *wrong = check_filter(&text, 0);
    return wrong == NULL && *text != '\0' ? "something stands behind the last parenthesis" : wrong;
}
