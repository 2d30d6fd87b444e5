#include "plugins/topic_policy/names.h"
#include "common/pattern.h"
#include "common/reader.h"
#include <stdio.h>

/* Why an ASCII character has no place in a level; NULL: it has. */
typedef const char *complaint;

static const char has_upper_case[] = "upper-case letters are not allowed";
static const char has_space[] = "spaces are not allowed";
static const char has_control[] = "control, format and unassigned characters are not allowed";
static const char has_other[] = "a character outside \"characters\" is not allowed";

struct adu_names {
    long max_level_bytes, max_topic_bytes;
    complaint ascii[128];
    /* For levels with other characters: patterns that a legal level matches; NULL: anything goes.
     */
    const struct adu_pattern *lower, *no_space, *printable, *characters;
};

struct keys {
    bool lowercase, spaces;
    const char *characters;
    long max_level_bytes, max_topic_bytes;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, lowercase, BOOL),
    ADU_FIELD(struct keys, spaces, BOOL),
    ADU_FIELD(struct keys, characters, STRING),
    ADU_FIELD(struct keys, max_level_bytes, INTEGER, .minimum = 1, .maximum = ADU_LEVEL_MOST_BYTES),
    ADU_FIELD(struct keys, max_topic_bytes, INTEGER, .minimum = 1, .maximum = ADU_TOPIC_MOST_BYTES),
    {0},
};

static bool compile_characters(struct adu_compiler *c, const struct keys *keys,
                               const struct adu_json *object, struct adu_names *names)
{
    if (keys->characters == NULL) {
        return true;
    }
    char class[ADU_LEVEL_MOST_BYTES];
    const struct adu_json *node = adu_json_member(object, "characters");
    if (snprintf(class, sizeof class, "[%s]*", keys->characters) >= (int)sizeof class) {
        return adu_json_error(node, c->error, "too long");
    }
    names->characters = adu_pattern_compile(c->arena, class, node, c->error);
    return names->characters != NULL;
}

static bool compile_patterns(struct adu_compiler *c, const struct keys *keys,
                             const struct adu_json *object, struct adu_names *names)
{
    const struct {
        const struct adu_pattern **pattern;
        const char *text;
        bool wanted;
    } patterns[] = {
        {&names->lower, "[^\\p{Lu}\\p{Lt}]*", keys->lowercase},
        {&names->no_space, "[^\\p{Z}\\s]*", !keys->spaces},
        {&names->printable, "\\P{C}*", true},
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (patterns[i].wanted && (*patterns[i].pattern = adu_pattern_compile(
                                       c->arena, patterns[i].text, object, c->error)) == NULL) {
            return false;
        }
    }
    return true;
}

static complaint judge_ascii(const struct adu_names *names, const struct keys *keys, char character)
{
    if (character < 0x20 || character == 0x7f) {
        return has_control;
    }
    if (keys->lowercase && character >= 'A' && character <= 'Z') {
        return has_upper_case;
    }
    if (!keys->spaces && character == ' ') {
        return has_space;
    }
    if (names->characters != NULL && !adu_pattern_matches(names->characters, &character, 1, NULL)) {
        return has_other;
    }
    return NULL;
}

const struct adu_names *adu_names_compile(struct adu_compiler *c, const struct adu_json *object)
{
    struct keys keys = {
        .lowercase = true, .max_level_bytes = 256, .max_topic_bytes = ADU_TOPIC_MOST_BYTES};
    struct adu_names *names = adu_arena_alloc(c->arena, sizeof *names);
    if (names == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    if ((object != NULL && !adu_read_object(object, fields, &keys, c->error)) ||
        !compile_characters(c, &keys, object, names) ||
        !compile_patterns(c, &keys, object, names)) {
        return NULL;
    }
    names->max_level_bytes = keys.max_level_bytes;
    names->max_topic_bytes = keys.max_topic_bytes;
    for (int character = 0; character < 128; character++) {
        names->ascii[character] = judge_ascii(names, &keys, (char)character);
    }
    return names;
}

static bool refuse(struct adu_reason *why, const char *text)
{
    why->text = text;
    return false;
}

static bool matches(const struct adu_pattern *pattern, struct adu_text level)
{
    return pattern == NULL || adu_pattern_matches(pattern, level.bytes, level.length, NULL);
}

static bool other_legal(const struct adu_names *names, struct adu_text level,
                        struct adu_reason *why)
{
    if (!matches(names->lower, level)) {
        return refuse(why, has_upper_case);
    }
    if (!matches(names->no_space, level)) {
        return refuse(why, has_space);
    }
    if (!matches(names->printable, level)) {
        return refuse(why, has_control);
    }
    return matches(names->characters, level) || refuse(why, has_other);
}

bool adu_names_level_legal(const struct adu_names *names, struct adu_text level,
                           struct adu_reason *why)
{
    if (level.length == 0) {
        return refuse(why, "an empty level is not allowed");
    }
    if (level.length > (size_t)names->max_level_bytes) {
        why->limit = names->max_level_bytes;
        return refuse(why, "a level has too many bytes");
    }
    bool ascii = true;
    for (size_t i = 0; i < level.length; i++) {
        const unsigned char character = (unsigned char)level.bytes[i];
        if (character >= 128) {
            ascii = false;
        } else if (names->ascii[character] != NULL) {
            return refuse(why, names->ascii[character]);
        }
    }
    return ascii || other_legal(names, level, why);
}

bool adu_names_length_legal(const struct adu_names *names, struct adu_text topic,
                            struct adu_reason *why)
{
    if (topic.length <= (size_t)names->max_topic_bytes) {
        return true;
    }
    why->limit = names->max_topic_bytes;
    return refuse(why, "the topic has too many bytes");
}
