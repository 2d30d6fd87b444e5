/* "Whom does this rule mean": the `match` object of identities, bindings and classes. */
#ifndef ADUANA_COMMON_MATCH_H
#define ADUANA_COMMON_MATCH_H

#include "common/attributes.h"
#include "common/compiler.h"
#include "common/json.h"
#include "common/roles.h"

struct adu_match;

/* Compiles {"<attribute>": "<equal>" | ["<one of>", ...] | {"pattern": "..."}}; all must hold, and
 * {} holds for everyone. The key "role" asks for a role where `roles_allowed`. NULL with the error
 * set. */
ADU_API const struct adu_match *
adu_match_compile(struct adu_compiler *c, const struct adu_json *object, bool roles_allowed);

/* An attribute with several values holds if one of them does, but only for those that are lists by
 * nature (organisational units, organisations, alternative names, and what a policy defines);
 * a certificate with two common names has none. `roles` may be NULL. Allocates nothing. */
ADU_API bool adu_match_holds(const struct adu_match *m, const struct adu_attributes *attributes,
                             const struct adu_roles *roles);

/* What keeps it from holding, in words: `cert.ou is not "edge", cert.cn does not match its
 * pattern`.
 * "" when it holds. Returns `text`. Not for the hot path. */
ADU_API const char *adu_match_misses(const struct adu_match *m,
                                     const struct adu_attributes *attributes,
                                     const struct adu_roles *roles, char *text, size_t size);

/* Compiles the array of role names at `node` (NULL: no roles) into a list that ends with -1.
 * NULL with the error set. */
ADU_API const int *adu_role_list_compile(struct adu_compiler *c, const struct adu_json *node);

#endif
