/* Distinguished names (RFC 4514) as the directory writes them, brought into one form. Pure. */
#ifndef ADUANA_IAM_AUTH_LDAP_NAME_H
#define ADUANA_IAM_AUTH_LDAP_NAME_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>

enum { ADU_LDAP_NAME_MOST = 2048 };

/* A name in the one form: two that differ only in the case of ASCII letters, in spaces around their
 * parts, or in how they escape, have the same text; and a comma or plus in it is none of a value.
 */
struct adu_ldap_name {
    char text[ADU_LDAP_NAME_MOST];
    size_t first; /* length of the first part, without its comma */
};

/* false if `text` is no distinguished name, is empty, or is too long. */
bool adu_ldap_name_read(const char *text, struct adu_ldap_name *name);

/* True if `name` lies somewhere below `base`; not for `base` itself. */
bool adu_ldap_name_is_below(const struct adu_ldap_name *name, const struct adu_ldap_name *base);

/* What the entry is called among its siblings: the value of the first part of the name `text`, as
 * it was written, without escapes. false if the first part has several values, or its value holds a
 * NUL, is written in hexadecimal or is longer than `size`. */
bool adu_ldap_name_value(const char *text, char *value, size_t size);

#endif
