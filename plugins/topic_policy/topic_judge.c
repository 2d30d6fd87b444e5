/* Whether a topic or a filter is legal: its levels, its depth, and its namespace. */
#include "plugins/topic_policy/policy_parts.h"
#include <string.h>

/* --- one level --- */

static const struct adu_reserved *reserved_level(const struct adu_topic_policy *policy,
                                                 struct adu_text level)
{
    for (size_t i = 0; i < policy->reserved_count; i++) {
        const struct adu_reserved *r = &policy->reserved[i];
        if (r->length == level.length && memcmp(r->level, level.bytes, level.length) == 0) {
            return r;
        }
    }
    return NULL;
}

/* Levels that begin with `_` have a meaning that must be known. */
static bool underscore_legal(const struct adu_topic_policy *policy,
                             const struct adu_reserved *reserved, struct adu_text level,
                             struct adu_reason *why)
{
    if (reserved != NULL || level.bytes[0] != '_') {
        return true;
    }
    why->text = "levels that begin with \"_\" must be named in reserved_levels";
    why->rule = &policy->reserved_place;
    return false;
}

bool adu_topic_may_spell_out(const void *context, struct adu_text level, struct adu_reason *why)
{
    const struct adu_topic_policy *policy = context;
    return adu_names_level_legal(policy->names, level, why) &&
           underscore_legal(policy, reserved_level(policy, level), level, why);
}

/* --- all of them --- */

static bool reserved_legal(struct adu_judging *j, struct adu_text level)
{
    const struct adu_reserved *r = reserved_level(j->policy, level);
    if (r == NULL || j->request->action == ADU_SUBSCRIBE) {
        return underscore_legal(j->policy, r, level, j->why);
    }
    j->for_all = false;
    if (adu_roles_overlap(&r->publishers, &j->request->subject->roles)) {
        return true;
    }
    j->why->text = "this level is reserved, and none of the client's roles may publish under it";
    j->why->rule = &r->place;
    return false;
}

/* By its name. One that is only to be flagged is remembered and passes. */
static bool name_legal(struct adu_judging *j, struct adu_text level)
{
    struct adu_reason *why = j->why;
    if (adu_names_level_legal(j->policy->names, level, why)) {
        return true;
    }
    if (!why->watched) {
        return false;
    }
    if (j->flagged == 0) {
        j->flagged = j->count;
        j->flag_text = why->text;
        j->flag_rule = why->rule;
    }
    adu_reason_clear(why);
    return true;
}

static bool level_legal(struct adu_judging *j, struct adu_text level)
{
    if (j->request->action == ADU_SUBSCRIBE &&
        (adu_text_is(level, "+") || adu_text_is(level, "#"))) {
        return true;
    }
    return name_legal(j, level) && reserved_legal(j, level);
}

static bool wrong_level(const struct adu_judging *j, size_t number, struct adu_text level)
{
    j->why->level = (unsigned)number;
    j->why->level_text = level;
    return false;
}

/* Of levels with legal names. */
static bool none_reserved(struct adu_judging *j)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct adu_text level = j->levels[i];
        if (j->policy->reserved_first[(unsigned char)level.bytes[0]] && !reserved_legal(j, level)) {
            return wrong_level(j, i + 1, level);
        }
    }
    return true;
}

/* Each level by itself. */
static bool each_level_legal(struct adu_judging *j)
{
    struct adu_text rest = j->request->topic, level;
    while (adu_topic_next_level(&rest, &level)) {
        j->open_ended = j->request->action == ADU_SUBSCRIBE && adu_text_is(level, "#");
        if (j->count < ADU_JUDGED_LEVELS) {
            j->levels[j->count] = level;
        }
        if (j->open_ended) {
            break;
        }
        j->count++;
        if (!level_legal(j, level)) {
            return wrong_level(j, j->count, level);
        }
    }
    return true;
}

static bool levels_legal(struct adu_judging *j)
{
    if (j->request->action == ADU_PUBLISH) {
        j->count =
            adu_names_cut_plain(j->policy->names, j->request->topic, j->levels, ADU_JUDGED_LEVELS);
    }
    return j->count > 0 ? none_reserved(j) : each_level_legal(j);
}

static bool depth_legal(const struct adu_judging *j)
{
    const struct adu_topic_policy *policy = j->policy;
    struct adu_reason *why = j->why;
    if (j->count < (size_t)policy->min_levels && !j->open_ended) {
        why->text = "fewer levels than depth.min";
        why->limit = policy->min_levels;
    } else if (j->count > (size_t)policy->max_levels) {
        why->text = "more levels than depth.max";
        why->limit = policy->max_levels;
    } else {
        return true;
    }
    why->rule = &policy->depth_place;
    return false;
}

static bool no_namespace(const struct adu_judging *j, const struct adu_tree_levels *topic)
{
    adu_namespaces_say(&j->policy->namespaces, topic, j->request->action == ADU_SUBSCRIBE, j->why);
    j->why->watched = j->policy->namespaces.others == ADU_OTHERS_WATCH;
    return false;
}

/* Whether a namespace has such topics. */
static bool namespace_legal(struct adu_judging *j, bool anybody)
{
    const struct adu_namespaces *namespaces = &j->policy->namespaces;
    const struct adu_tree_levels topic = {.levels = j->levels,
                                          .count = j->count + (j->open_ended ? 1 : 0),
                                          .values = j->request->subject->values};
    const bool others = namespaces->others == ADU_OTHERS_ALLOW;
    bool for_all;
    if (namespaces->count == 0) {
        return true;
    }
    if (j->request->action == ADU_SUBSCRIBE) {
        return others || adu_tree_meets(namespaces->tree, &topic, anybody) ||
               no_namespace(j, &topic);
    }
    j->namespace = adu_namespace_of(namespaces, &topic, &for_all);
    j->for_all = j->for_all && for_all;
    return j->namespace != NULL || others || no_namespace(j, &topic);
}

/* Last, so that what is flagged hides nothing that is refused. */
static bool not_flagged(const struct adu_judging *j)
{
    if (j->flagged == 0) {
        return true;
    }
    j->why->text = j->flag_text;
    j->why->rule = j->flag_rule;
    j->why->level = (unsigned)j->flagged;
    j->why->level_text = j->levels[j->flagged - 1];
    j->why->watched = true;
    return false;
}

bool adu_topic_legal(struct adu_judging *j, const struct adu_topic_policy *policy,
                     const struct adu_request *request, bool anybody, struct adu_reason *why)
{
    j->policy = policy; /* one by one: its levels are many, and filled in as they are found */
    j->request = request;
    j->why = why;
    j->count = 0;
    j->open_ended = false;
    j->for_all = !policy->exempt_for_some;
    j->namespace = NULL;
    j->flagged = 0;
    return adu_names_length_legal(policy->names, request->topic, why) && levels_legal(j) &&
           depth_legal(j) && namespace_legal(j, anybody) && not_flagged(j);
}
