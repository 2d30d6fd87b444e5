/* The names of one policy generation: its roles as numbers, for bit sets, and the attributes its
 * rules ask for as slots. Knows who uses and who defines each name, for the check across files. */
#ifndef ADUANA_COMMON_VOCABULARY_H
#define ADUANA_COMMON_VOCABULARY_H

#include "common/arena.h"
#include "common/error.h"

struct adu_vocabulary;

enum { ADU_NO_NAME = -1 };

/* NULL when memory is gone. Freed with the arena. */
ADU_API struct adu_vocabulary *adu_vocabulary_new(struct adu_arena *arena);

/* The number of a role, made if it is new. `used` is where it is asked for. ADU_NO_NAME when memory
 * is gone. */
ADU_API int adu_vocabulary_use_role(struct adu_vocabulary *v, const char *name,
                                    const struct adu_place *used);
ADU_API int adu_vocabulary_define_role(struct adu_vocabulary *v, const char *name);

/* The slot of an attribute, likewise. */
ADU_API int adu_vocabulary_use_attribute(struct adu_vocabulary *v, const char *name,
                                         const struct adu_place *used);
ADU_API int adu_vocabulary_define_attribute(struct adu_vocabulary *v, const char *name);

/* True if something asked for the role. */
ADU_API bool adu_vocabulary_role_is_used(const struct adu_vocabulary *v, const char *name);

/* True for names that policies cannot define: `username`, `client_id`, `role` and all of `cert.`.
 */
ADU_API bool adu_vocabulary_is_reserved(const char *name);

ADU_API size_t adu_vocabulary_roles(const struct adu_vocabulary *v);
ADU_API size_t adu_vocabulary_attributes(const struct adu_vocabulary *v);
ADU_API const char *adu_vocabulary_role_name(const struct adu_vocabulary *v, size_t role);
ADU_API const char *adu_vocabulary_attribute_name(const struct adu_vocabulary *v, size_t slot);

/* An error at the first use of a name that nothing defines. `cert.*`, `username` and `client_id`
 * need no definition. Roles are checked only if `roles_are_complete`. */
ADU_API bool adu_vocabulary_check(const struct adu_vocabulary *v, bool roles_are_complete,
                                  struct adu_error *error);

#endif
