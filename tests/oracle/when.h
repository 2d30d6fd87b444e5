/* The conditions of a rule, by their definition. */
#ifndef ADUANA_ORACLE_WHEN_H
#define ADUANA_ORACLE_WHEN_H

#include "oracle.h"

enum holds { HOLDS_NOT, HOLDS, HOLDS_UNKNOWN };

/* `when` may be NULL. `group` is that of a shared subscription, or NULL; `address` that of the
 * client's log-in, or NULL. Times are local in the zone that the environment's TZ names. */
enum holds oracle_when_holds(const json_t *when, const struct oracle_request *request,
                             const char *group, const char *address);

#endif
