/* Roles that include roles: "includes" in acl.json. */
#ifndef ADUANA_ACL_ROLE_INCLUDES_H
#define ADUANA_ACL_ROLE_INCLUDES_H

#include "common/compiler.h"
#include "common/json.h"

/* Reads "includes" of every role of the object `roles`, whose names the vocabulary knows already.
 * Gives, by the number of a role, all roles that it includes, near or far, as a list that ends with
 * ADU_NO_NAME (NULL: none); `*count` says for how many numbers. NULL with c->error set, also where
 * a role would include itself, or more than a thousand. */
const int *const *adu_role_includes_compile(struct adu_compiler *c, const struct adu_json *roles,
                                            size_t *count);

#endif
