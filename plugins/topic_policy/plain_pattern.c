#include "plugins/topic_policy/plain_pattern.h"
#include <stdint.h>
#include <string.h>

static const char plain_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_-";

/* The end of the class that begins at `class`, NULL if that is none, or not a simple one. */
static const char *end_of_class(const char *class)
{
    if (class[0] != '[') {
        return NULL;
    }
    const char *end = class + 1 + strspn(class + 1, plain_characters);
    return end > class + 1 && *end == ']' ? end + 1 : NULL;
}

static bool read_repeat(const char *repeat, struct adu_plain_pattern *plain)
{
    plain->least = strcmp(repeat, "*") == 0 ? 0 : 1;
    plain->most = *repeat == '\0' ? 1 : SIZE_MAX;
    return *repeat == '\0' || strcmp(repeat, "*") == 0 || strcmp(repeat, "+") == 0;
}

bool adu_plain_pattern_of(const char *text, const struct adu_pattern *pattern,
                          struct adu_plain_pattern *plain)
{
    char one[ADU_PLAIN_BEGINNING + 1];
    const size_t length = strspn(text, plain_characters);
    const char *repeat = length < ADU_PLAIN_BEGINNING ? end_of_class(text + length) : NULL;
    if (repeat == NULL || !read_repeat(repeat, plain)) {
        return false;
    }
    plain->length = length;
    memcpy(plain->beginning, text, length);
    memcpy(one, text, length);
    for (int character = 0; character < 128; character++) {
        one[length] = (char)character;
        plain->in_class[character] = adu_pattern_matches(pattern, one, length + 1, NULL);
    }
    return true;
}
