#include "plugins/topic_policy/filters.h"
#include "common/match.h"
#include "common/reader.h"
#include "common/topic_pattern.h"

enum { LEVELS_MOST = 201 };

struct keys {
    long max_levels, max_wildcards;
    const struct adu_json *too_broad, *broad_roles;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, max_levels, INTEGER, .minimum = 1, .maximum = LEVELS_MOST),
    ADU_FIELD(struct keys, max_wildcards, INTEGER, .maximum = LEVELS_MOST),
    ADU_FIELD(struct keys, too_broad, ARRAY),
    ADU_FIELD(struct keys, broad_roles, ARRAY),
    {0},
};

bool adu_role_set(struct adu_compiler *c, const int *roles, struct adu_roles *set)
{
    int highest = 0;
    for (const int *role = roles; *role >= 0; role++) {
        highest = *role > highest ? *role : highest;
    }
    set->count = adu_roles_words((size_t)highest + 1);
    set->words = adu_arena_array(c->arena, set->count, sizeof(uint64_t));
    if (set->words == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (; *roles >= 0; roles++) {
        adu_roles_add(set, *roles);
    }
    return true;
}

static bool compile_broad(struct adu_compiler *c, const struct adu_json *array,
                          struct adu_filters *filters)
{
    struct adu_text *list = adu_arena_array(c->arena, array->count + 1, sizeof *list);
    filters->broad = list;
    for (const struct adu_json *node = array->first; node != NULL && list != NULL;
         node = node->next) {
        const char *text = adu_read_string(node, c->error);
        struct adu_text *filter = &list[filters->broad_count++];
        if (text == NULL) {
            return false;
        }
        if (!adu_topic_filter_valid(adu_text_of(text))) {
            return adu_json_error(node, c->error, "expected a topic filter");
        }
        const char *copy = adu_arena_strdup(c->arena, text);
        if (copy == NULL) {
            return adu_error_no_memory(c->error);
        }
        *filter = adu_text_of(copy);
    }
    return list != NULL || adu_error_no_memory(c->error);
}

static struct adu_place place_of(const struct adu_compiler *c, const struct adu_json *object,
                                 const char *key)
{
    const struct adu_json *node = object != NULL ? adu_json_member(object, key) : NULL;
    return node != NULL ? adu_compiler_place(c, &node->place) : (struct adu_place){0};
}

bool adu_filters_compile(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_filters *filters)
{
    struct keys keys = {.max_levels = LEVELS_MOST, .max_wildcards = LEVELS_MOST};
    if (object != NULL && !adu_read_object(object, fields, &keys, c->error)) {
        return false;
    }
    filters->most_levels = keys.max_levels;
    filters->most_wildcards = keys.max_wildcards;
    filters->levels_place = place_of(c, object, "max_levels");
    filters->wildcards_place = place_of(c, object, "max_wildcards");
    filters->broad_place = place_of(c, object, "too_broad");
    if (keys.too_broad == NULL) {
        return keys.broad_roles == NULL ||
               adu_json_error(keys.broad_roles, c->error, "it needs \"too_broad\" beside it");
    }
    if (!compile_broad(c, keys.too_broad, filters)) {
        return false;
    }
    const int *roles =
        keys.broad_roles != NULL ? adu_role_list_compile(c, keys.broad_roles) : (const int[]){-1};
    return roles != NULL && adu_role_set(c, roles, &filters->broad_roles);
}

/* True if every topic that `part` can match matches `filter` too. */
static bool covers(struct adu_text filter, struct adu_text part)
{
    const bool hidden = adu_topic_hidden(part);
    struct adu_text level, other;
    bool first = true;
    while (adu_topic_next_level(&filter, &level)) {
        const bool wild = adu_text_is(level, "+") || adu_text_is(level, "#");
        if (wild && first && hidden) {
            return false;
        }
        first = false;
        if (adu_text_is(level, "#")) {
            return true;
        }
        if (!adu_topic_next_level(&part, &other) || adu_text_is(other, "#")) {
            return false;
        }
        if (!wild &&
            (level.length != other.length || memcmp(level.bytes, other.bytes, level.length) != 0)) {
            return false;
        }
    }
    return part.bytes == NULL;
}

static bool refuse(struct adu_reason *why, const char *text, long limit,
                   const struct adu_place *place)
{
    why->text = text;
    why->limit = limit;
    why->rule = place;
    return false;
}

bool adu_filters_legal(const struct adu_filters *filters, const struct adu_request *request,
                       struct adu_reason *why)
{
    struct adu_text rest = request->topic, level;
    long levels = 0, wildcards = 0;
    while (adu_topic_next_level(&rest, &level)) {
        levels++;
        wildcards += adu_text_is(level, "+") || adu_text_is(level, "#");
    }
    if (levels > filters->most_levels) {
        return refuse(why, "the filter has more levels than subscriptions.max_levels",
                      filters->most_levels, &filters->levels_place);
    }
    if (wildcards > filters->most_wildcards) {
        return refuse(why, "the filter has more wildcards than subscriptions.max_wildcards",
                      filters->most_wildcards, &filters->wildcards_place);
    }
    for (size_t i = 0; i < filters->broad_count; i++) {
        if (covers(request->topic, filters->broad[i]) &&
            !adu_roles_overlap(&filters->broad_roles, &request->subject->roles)) {
            return refuse(why, "the filter is too broad for the client's roles", ADU_NO_LIMIT,
                          &filters->broad_place);
        }
    }
    return true;
}
