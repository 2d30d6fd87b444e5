/* Who a session is: its attributes, and the roles that it has, by their definition. */
#ifndef ADUANA_ORACLE_WHO_H
#define ADUANA_ORACLE_WHO_H

#include <jansson.h>
#include <stdbool.h>

/* What ${attribute} stands for: its one value, if that can be a level of a topic; else NULL. */
const char *who_level(const json_t *session, const char *attribute);

/* The names of all roles that the session has, as keys of a new object. */
json_t *who_roles(const json_t *policy, const json_t *session);

#endif
