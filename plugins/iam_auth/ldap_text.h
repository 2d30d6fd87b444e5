/* Values of strangers within filters and distinguished names, and the form of filters. Pure. */
#ifndef ADUANA_IAM_AUTH_LDAP_TEXT_H
#define ADUANA_IAM_AUTH_LDAP_TEXT_H

#include "common/api.h"
#include <stdbool.h>
#include <stddef.h>

/* Writes `text` so that it is nothing but a value, in a filter (RFC 4515) as in a distinguished
 * name (RFC 4514): every byte but ASCII letters and digits, `-`, `_`, `@`, `.` and those from 0x80
 * becomes \xx, which both take for any byte. At most three times as long. false if `buffer` is too
 * small. */
bool adu_ldap_escape(const char *text, char *buffer, size_t size);

/* NULL if `text` is a filter in parentheses, else what is wrong with it. What attributes and
 * matching rules mean is the directory's to know. */
const char *adu_ldap_filter_error(const char *text);

#endif
