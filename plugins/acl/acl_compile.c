/* acl.json as a whole: its roles by name, who has them, and its time zone. */
#include "common/reader.h"
#include "plugins/acl/acl.h"
#include "plugins/acl/acl_rules.h"
#include "plugins/acl/role_includes.h"

struct keys {
    struct adu_stage_header header;
    const struct adu_json *roles, *bindings;
    const char *time_zone;
};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_STAGE_MODE_FIELD(struct keys),
    ADU_FIELD(struct keys, roles, OBJECT, .required = true),
    ADU_FIELD(struct keys, bindings, ARRAY),
    ADU_FIELD(struct keys, time_zone, STRING),
    {0},
};

static bool define_roles(struct adu_compiler *c, const struct adu_json *object)
{
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(object, node)) != NULL) {
        if (!adu_read_is_name(node, node->key, c->error)) {
            return false;
        }
        if (adu_vocabulary_define_role(c->vocabulary, node->key) == ADU_NO_NAME) {
            return adu_error_no_memory(c->error);
        }
    }
    return true;
}

static bool name_roles(struct adu_compiler *c, struct adu_acl *acl)
{
    acl->role_count = adu_vocabulary_roles(c->vocabulary);
    acl->role_names = adu_arena_array(c->arena, acl->role_count + 1, sizeof *acl->role_names);
    for (size_t i = 0; acl->role_names != NULL && i < acl->role_count; i++) {
        acl->role_names[i] = adu_vocabulary_role_name(c->vocabulary, i);
    }
    acl->watched_roles.count = adu_roles_words(acl->role_count);
    acl->watched_roles.words =
        adu_arena_array(c->arena, acl->watched_roles.count + 1, sizeof(uint64_t));
    return (acl->role_names != NULL && acl->watched_roles.words != NULL) ||
           adu_error_no_memory(c->error);
}

static bool find_zone(struct adu_compiler *c, const struct adu_json *root, const struct keys *keys,
                      const struct adu_time_zone **zone)
{
    if (keys->time_zone == NULL) {
        return true;
    }
    c->time_zone = adu_arena_strdup(c->arena, keys->time_zone);
    *zone = c->time_zone != NULL ? adu_time_zone_new(c->arena, keys->time_zone) : NULL;
    return *zone != NULL || adu_json_error(adu_json_member(root, "time_zone"), c->error,
                                           "is no time zone of this machine (package tzdata), "
                                           "such as \"America/Mexico_City\"");
}

/* Those that are only asked about, in topic_policy.json or rate_monitor.json, count as given. */
static void find_unused_roles(struct adu_compiler *c, const struct adu_json *roles)
{
    const struct adu_json *node = NULL;
    while ((node = adu_read_next(roles, node)) != NULL) {
        const struct adu_place place = adu_compiler_place(c, &node->key_place);
        if (!adu_vocabulary_role_is_used(c->vocabulary, node->key)) {
            adu_findings_add(c->findings, "unused-role", &place,
                             "nobody has the role \"%s\": no identity, user or binding gives it",
                             node->key);
        }
    }
}

struct binding_keys {
    const struct adu_json *match, *roles;
};

static const struct adu_field binding_fields[] = {
    ADU_FIELD(struct binding_keys, match, OBJECT, .required = true),
    ADU_FIELD(struct binding_keys, roles, ARRAY, .required = true),
    {0},
};

static bool compile_bindings(struct adu_compiler *c, const struct adu_json *array,
                             struct adu_acl *acl)
{
    if (array == NULL) {
        return true;
    }
    acl->bindings = adu_arena_array(c->arena, array->count, sizeof *acl->bindings);
    if (acl->bindings == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        struct adu_acl_binding *binding = &acl->bindings[acl->binding_count++];
        struct binding_keys keys = {0};
        if (!adu_read_object(node, binding_fields, &keys, c->error) ||
            (binding->match = adu_match_compile(c, keys.match, false)) == NULL ||
            (binding->roles = adu_role_list_compile(c, keys.roles)) == NULL) {
            return false;
        }
    }
    return true;
}

const struct adu_acl *adu_acl_compile(struct adu_compiler *c, const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_acl *acl = adu_arena_alloc(c->arena, sizeof *acl);
    if (acl == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    const struct adu_time_zone *zone = NULL;
    if (!adu_read_object(root, fields, &keys, c->error) || !find_zone(c, root, &keys, &zone) ||
        !define_roles(c, keys.roles)) {
        return NULL;
    }
    /* Then every role has its number when the table of roles is made. */
    acl->includes = adu_role_includes_compile(c, keys.roles, &acl->includes_count);
    if (acl->includes == NULL || !compile_bindings(c, keys.bindings, acl) || !name_roles(c, acl) ||
        !adu_acl_rules_compile(c, keys.roles, zone, acl)) {
        return NULL;
    }
    find_unused_roles(c, keys.roles);
    return acl;
}
