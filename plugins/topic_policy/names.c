#include "plugins/topic_policy/names.h"
#include "common/pattern.h"
#include "common/reader.h"
#include "plugins/topic_policy/looks.h"
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum complaint {
    NONE,
    UPPER_CASE,
    SPACE,
    CONTROL,
    OTHER,
    EMPTY,
    LONG_LEVEL,
    LONG_TOPIC,
    NOT_COMPOSED,
    LOOK_ALIKE,
    COLLISION,
    COMPLAINTS
};

/* What is said of each, and the key that asks for it (NULL: nobody can switch it off). */
static const struct {
    const char *text, *key;
} complaints[COMPLAINTS] = {
    [UPPER_CASE] = {"upper-case letters are not allowed", "lowercase"},
    [SPACE] = {"spaces are not allowed", "spaces"},
    [CONTROL] = {"control, format and unassigned characters are not allowed", NULL},
    [OTHER] = {"a character outside \"characters\" is not allowed", "characters"},
    [EMPTY] = {"an empty level is not allowed", NULL},
    [LONG_LEVEL] = {"a level has too many bytes", "max_level_bytes"},
    [LONG_TOPIC] = {"the topic has too many bytes", "max_topic_bytes"},
    [NOT_COMPOSED] = {"a letter and its accent must be one character (NFC)", "nfc"},
    [LOOK_ALIKE] = {"it looks like another name: letters of several alphabets, or ones that stand "
                    "for others",
                    "lookalikes"},
    [COLLISION] = {NULL, "collisions"},
};

/* Bytes at a time, which the compiler does at once where the processor can. */
enum { BLOCK = 16, CHUNK = 64, MOST_RANGES = 64 };

typedef unsigned char block __attribute__((vector_size(BLOCK)));

/* Of characters, from the first on so many more: the same number in all bytes. */
struct range {
    unsigned char first[BLOCK], more[BLOCK];
};

struct adu_names {
    long max_level_bytes, max_topic_bytes;
    struct adu_place places[COMPLAINTS]; /* line 0: a default, which stands nowhere */
    unsigned char ascii[128];            /* enum complaint */
    /* Legal ASCII and the slash between levels, as ranges. */
    size_t range_count;
    struct range ranges[MOST_RANGES];
    /* For levels with other characters: patterns that a legal level matches; NULL: anything goes.
     */
    const struct adu_pattern *lower, *no_space, *printable, *characters;
    const struct adu_looks *looks; /* NULL: however they look */
    bool nfc;
    int lookalikes, collisions; /* enum adu_alike */
};

struct keys {
    bool lowercase, spaces, nfc;
    int lookalikes, collisions;
    const char *characters;
    long max_level_bytes, max_topic_bytes;
};

static const char *const alike_names[] = {
    [ADU_ALIKE_ALLOW] = "allow", [ADU_ALIKE_FLAG] = "flag", [ADU_ALIKE_REFUSE] = "refuse", NULL};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, nfc, BOOL),
    ADU_FIELD(struct keys, lookalikes, CHOICE, .choices = alike_names),
    ADU_FIELD(struct keys, collisions, CHOICE, .choices = alike_names),
    ADU_FIELD(struct keys, lowercase, BOOL),
    ADU_FIELD(struct keys, spaces, BOOL),
    ADU_FIELD(struct keys, characters, STRING),
    ADU_FIELD(struct keys, max_level_bytes, INTEGER, .minimum = 1, .maximum = ADU_LEVEL_MOST_BYTES),
    ADU_FIELD(struct keys, max_topic_bytes, INTEGER, .minimum = 1, .maximum = ADU_TOPIC_MOST_BYTES),
    {0},
};

/* Bytes of what stands first in the inside of a class: an escape with what it escapes, a class such
 * as [:alpha:], or one byte. What is longer, such as \x{5d}, has no bracket in it. */
static size_t element(const char *text)
{
    if (text[0] == '\\') {
        return strnlen(text, text[1] == 'c' ? 3 : 2); /* \c] and \c\ are control characters */
    }
    if (text[0] == '[' && text[1] == ':') {
        const size_t end = 2 + strspn(text + 2, "^abcdefghijklmnopqrstuvwxyz");
        return strncmp(text + end, ":]", 2) == 0 ? end + 2 : 1;
    }
    return 1;
}

static size_t count_characters(const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        count += ((unsigned char)text[i] & 0xc0) != 0x80; /* else it goes on with one */
    }
    return count;
}

/* Between [ and ] the text must stay one class: what follows a ] of its own would be some other
 * pattern, which is hardly meant. */
static bool check_class(const char *text, const struct adu_json *node, struct adu_error *error)
{
    for (const char *at = text; *at != '\0'; at += element(at)) {
        if (*at == ']') {
            return adu_json_error(node, error,
                                  "write ] as \\\\] at character %zu of %s: alone it ends the set",
                                  count_characters(text, (size_t)(at - text)) + 1, text);
        }
        if (strcmp(at, "\\") == 0) {
            return adu_json_error(node, error,
                                  "ends in a backslash that escapes nothing; write a backslash "
                                  "itself as \\\\\\\\");
        }
    }
    return true;
}

static bool compile_characters(struct adu_compiler *c, const struct keys *keys,
                               const struct adu_json *object, struct adu_names *names)
{
    if (keys->characters == NULL) {
        return true;
    }
    char class[ADU_LEVEL_MOST_BYTES];
    const struct adu_json *node = adu_json_member(object, "characters");
    if (snprintf(class, sizeof class, "[%s]*", keys->characters) >= (int)sizeof class) {
        return adu_json_error(node, c->error, "has more than %zu bytes",
                              sizeof class - sizeof "[]*");
    }
    if (!check_class(keys->characters, node, c->error)) {
        return false;
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
        /* with the fillers and the empty pattern of Braille, which are letters and look like one */
        {&names->no_space, "[^\\p{Z}\\s\\x{115f}\\x{1160}\\x{2800}\\x{3164}\\x{ffa0}]*",
         !keys->spaces},
        /* with the marks that nobody sees: joiners, variation selectors */
        {&names->printable,
         "[^\\p{C}\\x{34f}\\x{17b4}\\x{17b5}\\x{180b}-\\x{180f}\\x{fe00}-\\x{fe0f}"
         "\\x{e0100}-\\x{e01ef}]*",
         true},
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (patterns[i].wanted && (*patterns[i].pattern = adu_pattern_compile(
                                       c->arena, patterns[i].text, object, c->error)) == NULL) {
            return false;
        }
    }
    return true;
}

static enum complaint judge_ascii(const struct adu_names *names, const struct keys *keys,
                                  char character)
{
    if (character < 0x20 || character == 0x7f) {
        return CONTROL;
    }
    if (keys->lowercase && character >= 'A' && character <= 'Z') {
        return UPPER_CASE;
    }
    if (!keys->spaces && character == ' ') {
        return SPACE;
    }
    if (names->characters != NULL && !adu_pattern_matches(names->characters, &character, 1, NULL)) {
        return OTHER;
    }
    return NONE;
}

/* The key's own place, else that of the object. */
static void note_places(const struct adu_compiler *c, const struct adu_json *object,
                        struct adu_names *names)
{
    for (int i = 0; object != NULL && i < COMPLAINTS; i++) {
        const char *key = complaints[i].key;
        const struct adu_json *node = key != NULL ? adu_json_member(object, key) : NULL;
        names->places[i] = adu_compiler_place(c, node != NULL ? &node->place : &object->place);
    }
}

static void note_ranges(struct adu_names *names)
{
    struct range *range = NULL;
    for (int character = 0; character < 128; character++) {
        if (names->ascii[character] != NONE && character != '/') {
            range = NULL;
        } else if (range != NULL) {
            memset(range->more, range->more[0] + 1, BLOCK);
        } else {
            range = &names->ranges[names->range_count++];
            memset(range->first, character, BLOCK);
            memset(range->more, 0, BLOCK);
        }
    }
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
    if (keys.lookalikes != ADU_ALIKE_ALLOW &&
        (names->looks = adu_looks_compile(c, object)) == NULL) {
        return NULL;
    }
    note_places(c, object, names);
    names->nfc = keys.nfc;
    names->lookalikes = keys.lookalikes;
    names->collisions = keys.collisions;
    names->max_level_bytes = keys.max_level_bytes;
    names->max_topic_bytes = keys.max_topic_bytes;
    for (int character = 0; character < 128; character++) {
        names->ascii[character] = (unsigned char)judge_ascii(names, &keys, (char)character);
    }
    note_ranges(names);
    return names;
}

static bool refuse(const struct adu_names *names, struct adu_reason *why, enum complaint complaint)
{
    const struct adu_place *place = &names->places[complaint];
    why->text = complaints[complaint].text;
    why->rule = place->line > 0 ? place : NULL;
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
        return refuse(names, why, UPPER_CASE);
    }
    if (!matches(names->no_space, level)) {
        return refuse(names, why, SPACE);
    }
    if (!matches(names->printable, level)) {
        return refuse(names, why, CONTROL);
    }
    if (!matches(names->characters, level)) {
        return refuse(names, why, OTHER);
    }
    if (names->nfc && !adu_looks_composed(level)) {
        return refuse(names, why, NOT_COMPOSED);
    }
    if (names->looks != NULL && adu_looks_like_another(names->looks, level)) {
        why->watched = names->lookalikes == ADU_ALIKE_FLAG;
        return refuse(names, why, LOOK_ALIKE);
    }
    return true;
}

enum adu_alike adu_names_collisions(const struct adu_names *names, const struct adu_place **place)
{
    *place = &names->places[COLLISION];
    return (enum adu_alike)names->collisions;
}

bool adu_names_level_legal(const struct adu_names *names, struct adu_text level,
                           struct adu_reason *why)
{
    if (level.length == 0) {
        return refuse(names, why, EMPTY);
    }
    if (level.length > (size_t)names->max_level_bytes) {
        why->limit = names->max_level_bytes;
        return refuse(names, why, LONG_LEVEL);
    }
    bool ascii = true;
    for (size_t i = 0; i < level.length; i++) {
        const unsigned char character = (unsigned char)level.bytes[i];
        if (character >= 128) {
            ascii = false;
        } else if (names->ascii[character] != NONE) {
            return refuse(names, why, names->ascii[character]);
        }
    }
    return ascii || other_legal(names, level, why);
}

/* --- a whole topic --- */

static block block_at(const void *bytes)
{
    block b;
    memcpy(&b, bytes, BLOCK);
    return b;
}

/* A bit for each byte that has all of its own set. */
static uint64_t bits_of(block b)
{
    uint64_t words[2];
    memcpy(words, &b, sizeof words);
    for (int i = 0; i < 2; i++) {
        words[i] =
            (le64toh(words[i]) & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56;
    }
    return words[0] | words[1] << 8;
}

/* Adds those that are not plain to `*other`; a bit for each slash. */
static uint64_t look(const struct adu_names *names, const void *bytes, block *other)
{
    const block b = block_at(bytes);
    block plain = {0};
    for (size_t i = 0; i < names->range_count; i++) {
        const struct range *range = &names->ranges[i];
        plain |= (block)(b - block_at(range->first) <= block_at(range->more));
    }
    *other |= ~plain;
    return bits_of((block)(b == '/'));
}

/* The same of less than a block. */
static uint64_t look_at_few(const struct adu_names *names, struct adu_text topic, block *other)
{
    char bytes[BLOCK];
    memset(bytes, '/', sizeof bytes);
    memcpy(bytes, topic.bytes, topic.length);
    return look(names, bytes, other) & ((UINT64_C(1) << topic.length) - 1);
}

/* A bit for each slash of CHUNK bytes; false if one of these is not plain. Where they end within a
 * block, what came before is looked at again. */
static bool slashes_of(const struct adu_names *names, struct adu_text topic, size_t at,
                       uint64_t *found)
{
    const size_t end = topic.length - at < CHUNK ? topic.length : at + CHUNK;
    block other = {0};
    size_t next = at;
    *found = 0;
    for (; next + BLOCK <= end; next += BLOCK) {
        *found |= look(names, topic.bytes + next, &other) << (next - at);
    }
    if (next < end && end >= BLOCK) {
        const size_t last = end - BLOCK;
        const uint64_t bits = look(names, topic.bytes + last, &other);
        *found |= last >= at ? bits << (last - at) : bits >> (at - last);
    } else if (next < end) {
        *found |= look_at_few(names, topic, &other);
    }
    return bits_of(other) == 0;
}

size_t adu_names_cut_plain(const struct adu_names *names, struct adu_text topic,
                           struct adu_text *levels, size_t most)
{
    const size_t longest = (size_t)names->max_level_bytes;
    size_t count = 0, begin = 0;
    for (size_t at = 0; at < topic.length; at += CHUNK) {
        uint64_t found;
        if (!slashes_of(names, topic, at, &found)) {
            return 0;
        }
        for (; found != 0; found &= found - 1) {
            const size_t slash = at + (size_t)__builtin_ctzll(found), length = slash - begin;
            if (length - 1 >= longest || count + 1 >= most) { /* none is too long as well */
                return 0;
            }
            levels[count++] = (struct adu_text){topic.bytes + begin, length};
            begin = slash + 1;
        }
    }
    const size_t length = topic.length - begin;
    levels[count] = (struct adu_text){topic.bytes + begin, length};
    return length - 1 < longest ? count + 1 : 0;
}

bool adu_names_length_legal(const struct adu_names *names, struct adu_text topic,
                            struct adu_reason *why)
{
    if (topic.length <= (size_t)names->max_topic_bytes) {
        return true;
    }
    why->limit = names->max_topic_bytes;
    return refuse(names, why, LONG_TOPIC);
}
