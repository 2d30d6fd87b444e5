/* From a round on which engine and oracle differ to the smallest one on which they still do. */
#ifndef ADUANA_ORACLE_SHRINK_H
#define ADUANA_ORACLE_SHRINK_H

#include <jansson.h>
#include <stdbool.h>

/* Leaves out, as long as `differs` still holds, any part of `round`: roles, rules, patterns,
 * levels, attributes, conditions. Takes `round`; the caller frees what it gets. */
json_t *shrink_round(json_t *round, bool (*differs)(const json_t *round));

#endif
