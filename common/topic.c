#include "common/template.h"
#include "common/topic_pattern.h"
#include "common/utf8.h"
#include <string.h>

struct adu_text adu_text_of(const char *string)
{
    return (struct adu_text){.bytes = string, .length = strlen(string)};
}

size_t adu_topic_levels(struct adu_text topic)
{
    struct adu_text level;
    size_t count = 0;
    while (adu_topic_next_level(&topic, &level)) {
        count++;
    }
    return count;
}

static bool has_wildcard(struct adu_text text)
{
    return memchr(text.bytes, '+', text.length) != NULL ||
           memchr(text.bytes, '#', text.length) != NULL;
}

bool adu_topic_unshare(struct adu_text filter, struct adu_text *group, struct adu_text *inner)
{
    struct adu_text rest = filter, first, name;
    *group = (struct adu_text){.bytes = filter.bytes, .length = 0};
    *inner = filter;
    if (!adu_topic_next_level(&rest, &first) || !adu_text_is(first, "$share")) {
        return true;
    }
    if (!adu_topic_next_level(&rest, &name) || name.length == 0 || has_wildcard(name) ||
        rest.bytes == NULL || rest.length == 0) {
        return false;
    }
    *group = name;
    *inner = rest;
    return true;
}

static bool bytes_valid(struct adu_text text)
{
    return text.length > 0 && text.length <= ADU_TOPIC_MOST_BYTES &&
           memchr(text.bytes, '\0', text.length) == NULL && adu_utf8_valid(text.bytes, text.length);
}

bool adu_topic_name_valid(struct adu_text topic)
{
    return bytes_valid(topic) && !has_wildcard(topic);
}

bool adu_topic_filter_valid(struct adu_text filter)
{
    if (!bytes_valid(filter)) {
        return false;
    }
    struct adu_text level;
    while (adu_topic_next_level(&filter, &level)) {
        if (has_wildcard(level) &&
            (level.length != 1 || (level.bytes[0] == '#' && filter.bytes != NULL))) {
            return false;
        }
    }
    return true;
}

bool adu_topic_level_value(const char *value)
{
    if (value[0] == '\0') {
        return false;
    }
    for (; *value != '\0'; value++) {
        const unsigned char c = (unsigned char)value[0], next = (unsigned char)value[1];
        const bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F */
        if (c < 0x20 || c == 0x7f || c1 || c == '/' || c == '+' || c == '#') {
            return false;
        }
    }
    return true;
}

static struct adu_topic_pattern *pattern_new(struct adu_arena *arena, const char *text)
{
    const size_t count = adu_topic_levels(adu_text_of(text));
    struct adu_topic_pattern *p =
        adu_arena_alloc(arena, sizeof *p + count * sizeof(struct adu_pattern_level));
    char *copy = adu_arena_strdup(arena, text);
    if (p == NULL || copy == NULL) {
        return NULL;
    }
    struct adu_text rest = adu_text_of(copy), level;
    while (adu_topic_next_level(&rest, &level)) {
        struct adu_pattern_level *l = &p->levels[p->count++];
        l->kind = adu_text_is(level, "+")   ? ADU_LEVEL_ANY_ONE
                  : adu_text_is(level, "#") ? ADU_LEVEL_ANY_REST
                                            : ADU_LEVEL_LITERAL;
        l->text = level;
    }
    return p;
}

static bool resolve_attribute(struct adu_compiler *c, struct adu_pattern_level *l,
                              const struct adu_json *node)
{
    if (memmem(l->text.bytes, l->text.length, "${", 2) == NULL) {
        return true;
    }
    char name[128] = "";
    if (l->text.length < 4 || l->text.length >= sizeof name ||
        adu_template_name(l->text.bytes) != l->text.length - 3) {
        return adu_json_error(node, c->error, "${attribute} must be a whole level of the topic");
    }
    memcpy(name, l->text.bytes + 2, l->text.length - 3);
    l->kind = ADU_LEVEL_ATTRIBUTE;
    l->slot = adu_vocabulary_use_attribute(c->vocabulary, name, &node->place);
    return l->slot != ADU_NO_NAME || adu_error_no_memory(c->error);
}

const struct adu_topic_pattern *adu_topic_pattern_compile(struct adu_compiler *c,
                                                          const struct adu_json *node)
{
    if (json_is_string(node->value) && json_string_length(node->value) > ADU_TOPIC_MOST_BYTES) {
        adu_json_error(node, c->error, "has more than %d bytes", ADU_TOPIC_MOST_BYTES);
        return NULL;
    }
    if (!json_is_string(node->value) ||
        !adu_topic_filter_valid(adu_text_of(json_string_value(node->value)))) {
        adu_json_error(node, c->error,
                       "expected a topic pattern: levels divided by \"/\", \"+\" for one level and "
                       "\"#\" for the rest, each alone in its level");
        return NULL;
    }
    struct adu_topic_pattern *p = pattern_new(c->arena, json_string_value(node->value));
    if (p == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    p->place = adu_compiler_place(c, &node->place);
    if (p->count > 0 && adu_text_is(p->levels[0].text, "$share")) {
        adu_json_error(node, c->error,
                       "a shared subscription is judged by its filter: leave out $share/<group>/");
        return NULL;
    }
    for (size_t i = 0; i < p->count; i++) {
        if (!resolve_attribute(c, &p->levels[i], node)) {
            return NULL;
        }
    }
    return p;
}

const struct adu_topic_pattern *adu_topic_pattern_of(struct adu_arena *arena, const char *text)
{
    return adu_topic_filter_valid(adu_text_of(text)) ? pattern_new(arena, text) : NULL;
}

size_t adu_topic_pattern_levels(const struct adu_topic_pattern *p)
{
    return p->count;
}

const struct adu_place *adu_topic_pattern_place(const struct adu_topic_pattern *p)
{
    return &p->place;
}

/* True if the literal `level` is what the pattern's literal or attribute level asks for. */
static bool level_equals(const struct adu_pattern_level *l, struct adu_text level,
                         adu_topic_values values)
{
    if (l->kind == ADU_LEVEL_LITERAL) {
        return l->text.length == level.length &&
               memcmp(l->text.bytes, level.bytes, level.length) == 0;
    }
    const char *value = values != NULL ? values[l->slot] : NULL;
    return value != NULL && adu_text_is(level, value);
}

bool adu_topic_pattern_matches(const struct adu_topic_pattern *p, struct adu_text topic,
                               adu_topic_values values)
{
    const bool hidden = adu_topic_hidden(topic);
    struct adu_text rest = topic, level;
    for (size_t i = 0; i < p->count; i++) {
        const struct adu_pattern_level *l = &p->levels[i];
        if (i == 0 && hidden && l->kind != ADU_LEVEL_LITERAL) {
            return false;
        }
        if (l->kind == ADU_LEVEL_ANY_REST) {
            return true; /* the rest, and the parent itself when nothing is left */
        }
        if (!adu_topic_next_level(&rest, &level) ||
            (l->kind != ADU_LEVEL_ANY_ONE && !level_equals(l, level, values))) {
            return false;
        }
    }
    return rest.bytes == NULL;
}

/* `#` as a whole filter matches every topic outside `$`, as `+/#` does. */
static bool is_everything(const struct adu_topic_pattern *p)
{
    return p->count == 2 && p->levels[0].kind == ADU_LEVEL_ANY_ONE &&
           p->levels[1].kind == ADU_LEVEL_ANY_REST;
}

bool adu_topic_pattern_contains(const struct adu_topic_pattern *p, struct adu_text filter,
                                adu_topic_values values)
{
    const bool hidden = adu_topic_hidden(filter);
    struct adu_text rest = filter, level;
    if (is_everything(p) && adu_text_is(filter, "#")) {
        return true;
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct adu_pattern_level *l = &p->levels[i];
        if (i == 0 && hidden && l->kind != ADU_LEVEL_LITERAL) {
            return false;
        }
        if (l->kind == ADU_LEVEL_ANY_REST) {
            return true;
        }
        if (!adu_topic_next_level(&rest, &level) || adu_text_is(level, "#")) {
            return false;
        }
        if (l->kind != ADU_LEVEL_ANY_ONE &&
            (adu_text_is(level, "+") || !level_equals(l, level, values))) {
            return false;
        }
    }
    return rest.bytes == NULL;
}
