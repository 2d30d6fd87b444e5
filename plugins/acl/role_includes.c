#include "plugins/acl/role_includes.h"
#include "common/match.h"
#include "common/reader.h"
#include "common/roles.h"
#include <stdlib.h>

enum progress { NEW, OPEN, DONE };

/* Of roles that a role includes, near and far, and in a chain of them. Each role has its list, so a
 * chain without end would take memory by its square, and a stack as deep. */
enum { INCLUDES_MOST = 1000 };

struct role {
    const struct adu_json *node; /* of "includes" */
    const int *direct;
    enum progress progress;
};

struct closing {
    struct adu_compiler *c;
    struct role *roles;
    const int **all; /* the result */
    size_t count;
    size_t depth; /* roles that are OPEN */
};

static bool read_direct(struct closing *w, const struct adu_json *object)
{
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        const int number = adu_vocabulary_define_role(w->c->vocabulary, node->key);
        const struct adu_json *includes =
            json_is_object(node->value) ? adu_json_member(node, "includes") : NULL;
        if (includes == NULL) {
            continue;
        }
        w->roles[number].node = includes;
        w->roles[number].direct = adu_role_list_compile(w->c, includes);
        if (w->roles[number].direct == NULL) {
            return false;
        }
    }
    return true;
}

/* All that is in `set`, as a list. */
static const int *list_of(const struct closing *w, const struct role *role,
                          const struct adu_roles *set)
{
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        count += adu_roles_has(set, (int)i);
    }
    if (count > INCLUDES_MOST) {
        adu_json_error(role->node, w->c->error,
                       "the role includes %zu others, near and far; at most %d are allowed", count,
                       INCLUDES_MOST);
        return NULL;
    }
    int *list = adu_arena_array(w->c->arena, count + 1, sizeof *list);
    for (size_t i = 0, at = 0; list != NULL && at < count; i++) {
        if (adu_roles_has(set, (int)i)) {
            list[at++] = (int)i;
        }
    }
    if (list == NULL) {
        adu_error_no_memory(w->c->error);
        return NULL;
    }
    list[count] = ADU_NO_NAME;
    return list;
}

static bool close_role(struct closing *w, int number);

static bool collect(struct closing *w, const struct role *role, struct adu_roles *set)
{
    for (const int *each = role->direct; *each >= 0; each++) {
        if ((size_t)*each >= w->count) {
            continue; /* defined nowhere, which the check across files says */
        }
        if (!close_role(w, *each)) {
            return false;
        }
        adu_roles_add(set, *each);
        for (const int *far = w->all[*each]; far != NULL && *far >= 0; far++) {
            adu_roles_add(set, *far);
        }
    }
    return true;
}

/* As deep as the longest chain of roles. */
static bool close_role(struct closing *w, int number)
{
    struct role *role = &w->roles[number];
    if (role->progress == DONE || role->direct == NULL) {
        return true;
    }
    if (role->progress == OPEN) {
        return adu_json_error(role->node, w->c->error, "the role includes itself");
    }
    if (w->depth > INCLUDES_MOST) {
        return adu_json_error(role->node, w->c->error,
                              "the role ends a chain by which one includes more than %d others; at "
                              "most %d are allowed",
                              INCLUDES_MOST, INCLUDES_MOST);
    }
    role->progress = OPEN;
    w->depth++;
    struct adu_roles set = {.count = adu_roles_words(w->count)};
    set.words = calloc(set.count + 1, sizeof *set.words);
    bool good = set.words != NULL ? collect(w, role, &set) : adu_error_no_memory(w->c->error);
    if (good) {
        w->all[number] = list_of(w, role, &set);
        good = w->all[number] != NULL;
    }
    free(set.words);
    role->progress = DONE;
    w->depth--;
    return good;
}

const int *const *adu_role_includes_compile(struct adu_compiler *c, const struct adu_json *roles,
                                            size_t *count)
{
    struct closing w = {.c = c, .count = adu_vocabulary_roles(c->vocabulary)};
    w.roles = calloc(w.count + 1, sizeof *w.roles);
    w.all = adu_arena_array(c->arena, w.count + 1, sizeof *w.all);
    bool good =
        w.roles != NULL && w.all != NULL ? read_direct(&w, roles) : adu_error_no_memory(c->error);
    for (size_t i = 0; good && i < w.count; i++) {
        good = close_role(&w, (int)i);
    }
    free(w.roles);
    *count = w.count;
    return good ? w.all : NULL;
}
