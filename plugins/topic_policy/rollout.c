#include "plugins/topic_policy/rollout.h"
#include "common/match.h"
#include "common/reader.h"
#include "common/stage.h"

struct keys {
    const char *name;
    const struct adu_json *match;
    int mode;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, name, STRING, .required = true),
    ADU_FIELD(struct keys, match, OBJECT, .required = true),
    ADU_FIELD(struct keys, mode, CHOICE, .required = true, .choices = adu_mode_names),
    {0},
};

enum { GROUPS_MOST = 256 };

static bool compile_group(struct adu_compiler *c, const struct adu_json *node,
                          struct adu_rollout_group *group)
{
    struct keys keys = {0};
    if (!adu_read_is_object(node, c->error) || !adu_read_object(node, fields, &keys, c->error) ||
        !adu_read_is_name(adu_json_member(node, "name"), keys.name, c->error)) {
        return false;
    }
    group->watched = keys.mode == ADU_MODE_WATCH;
    if (group->watched && adu_read_count(keys.match) == 0) {
        return adu_json_error(keys.match, c->error,
                              "these are all clients: say \"mode\": \"watch\" of the whole file");
    }
    group->name = adu_arena_strdup(c->arena, keys.name);
    if (group->name == NULL) {
        return adu_error_no_memory(c->error);
    }
    group->match = adu_match_compile(c, keys.match, true);
    return group->match != NULL;
}

bool adu_rollout_compile(struct adu_compiler *c, const struct adu_json *array,
                         struct adu_rollout *rollout)
{
    if (array == NULL) {
        return true;
    }
    if (array->count > GROUPS_MOST) {
        return adu_json_error(array, c->error, "has more than %d groups", GROUPS_MOST);
    }
    rollout->groups = adu_arena_array(c->arena, array->count, sizeof *rollout->groups);
    rollout->tallies = adu_arena_array(c->arena, array->count, sizeof *rollout->tallies);
    if (rollout->groups == NULL || rollout->tallies == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        if (!compile_group(c, node, &rollout->groups[rollout->count])) {
            return false;
        }
        rollout->count++;
    }
    return true;
}

int adu_rollout_apply(const struct adu_rollout *rollout, const struct adu_subject *subject,
                      struct adu_reason *why)
{
    for (size_t i = 0; !why->enforced && i < rollout->count; i++) {
        const struct adu_rollout_group *group = &rollout->groups[i];
        if (adu_match_holds(group->match, &subject->attributes, &subject->roles)) {
            why->watched = why->watched || group->watched;
            why->enforced = !group->watched;
            return (int)i;
        }
    }
    return ADU_ROLLOUT_NOBODY;
}
