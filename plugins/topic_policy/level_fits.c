/* What fits a rule of level_rule.h, and which rules may fit the same level. */
#include "common/pattern.h"
#include "plugins/topic_policy/level_rule.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool in_list(const struct adu_level_rule *rule, struct adu_text level)
{
    size_t low = 0, high = rule->count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const char *value = rule->values[middle];
        const int order = strncmp(value, level.bytes, level.length);
        if (order == 0 && value[level.length] == '\0') {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

/* A number has one name: 7 is not 07. */
static bool in_range(const struct adu_level_rule *rule, struct adu_text level)
{
    enum { MOST_DIGITS = 9 };
    if (level.length <= rule->prefix_length || level.length > rule->prefix_length + MOST_DIGITS ||
        memcmp(level.bytes, rule->prefix, rule->prefix_length) != 0) {
        return false;
    }
    const char *digits = level.bytes + rule->prefix_length;
    const size_t count = level.length - rule->prefix_length;
    long number = 0;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        number = number * 10 + (digits[i] - '0');
    }
    return (digits[0] != '0' || count == 1) && number >= rule->least && number <= rule->most;
}

static bool by_pattern(const struct adu_level_rule *rule, struct adu_text level)
{
    const enum adu_plain_answer answer =
        rule->plain != NULL ? adu_plain_pattern_fits(rule->plain, level) : ADU_PLAIN_ASK;
    return answer == ADU_PLAIN_ASK
               ? adu_pattern_matches(rule->pattern, level.bytes, level.length, NULL)
               : answer == ADU_PLAIN_YES;
}

bool adu_level_rule_fits(const struct adu_level_rule *rule, struct adu_text level,
                         adu_topic_values values)
{
    switch (rule->kind) {
    case ADU_LEVEL_LIST:
        return in_list(rule, level);
    case ADU_LEVEL_VALUE:
        return values != NULL && values[rule->slot] != NULL &&
               adu_text_is(level, values[rule->slot]);
    case ADU_LEVEL_RANGE:
        return in_range(rule, level);
    case ADU_LEVEL_PATTERN:
        return by_pattern(rule, level);
    case ADU_LEVEL_FREE:
        return level.length > 0 && level.bytes[0] != '_';
    }
    return false;
}

/* How many bytes every text that the pattern matches begins with, as they stand there. */
static size_t fixed_beginning(const char *pattern)
{
    if (strchr(pattern, '|') != NULL) {
        return 0;
    }
    const size_t plain = strcspn(pattern, "\\^$.[]|()?*+{}");
    const bool last_may_miss = pattern[plain] != '\0' && strchr("?*{", pattern[plain]) != NULL;
    size_t fixed = plain > 0 && last_may_miss ? plain - 1 : plain;
    while (fixed > 0 && last_may_miss && ((unsigned char)pattern[fixed] & 0xc0) == 0x80) {
        fixed--; /* the whole character may miss */
    }
    return fixed;
}

static size_t beginning(const struct adu_level_rule *rule, const char **text)
{
    *text = rule->kind == ADU_LEVEL_RANGE ? rule->prefix : rule->pattern_text;
    return rule->kind == ADU_LEVEL_RANGE ? rule->prefix_length : fixed_beginning(*text);
}

static bool may_begin_alike(const struct adu_level_rule *a, const struct adu_level_rule *b)
{
    const char *one, *other;
    const size_t one_length = beginning(a, &one), other_length = beginning(b, &other);
    return memcmp(one, other, one_length < other_length ? one_length : other_length) == 0;
}

static bool list_meets(const struct adu_level_rule *list, const struct adu_level_rule *rule)
{
    for (size_t i = 0; i < list->count; i++) {
        if (adu_level_rule_fits(rule, adu_text_of(list->values[i]), NULL)) {
            return true;
        }
    }
    return false;
}

bool adu_level_rules_meet(const struct adu_level_rule *a, const struct adu_level_rule *b)
{
    if (a->kind > b->kind) {
        return adu_level_rules_meet(b, a);
    }
    if (a == b || a->kind == ADU_LEVEL_VALUE || b->kind == ADU_LEVEL_VALUE) {
        return true;
    }
    if (a->kind == ADU_LEVEL_LIST) {
        return list_meets(a, b);
    }
    if (b->kind == ADU_LEVEL_FREE) {
        return true;
    }
    if (a->kind == ADU_LEVEL_RANGE && b->kind == ADU_LEVEL_RANGE &&
        strcmp(a->prefix, b->prefix) == 0) {
        return a->least <= b->most && b->least <= a->most;
    }
    return may_begin_alike(a, b);
}

static const char *list_text(const struct adu_level_rule *rule, char *buffer, size_t size)
{
    size_t used = (size_t)snprintf(buffer, size, "one of");
    for (size_t i = 0; i < rule->count; i++) {
        const size_t left = size - used;
        const int more = snprintf(buffer + used, left, "%s %s", i > 0 ? "," : "", rule->values[i]);
        if ((size_t)more + sizeof ", ..." > left) {
            snprintf(buffer + used, left, "%s", left > sizeof ", ..." ? ", ..." : "");
            break;
        }
        used += (size_t)more;
    }
    return buffer;
}

const char *adu_level_rule_text(const struct adu_level_rule *rule, char *buffer, size_t size)
{
    switch (rule->kind) {
    case ADU_LEVEL_LIST:
        return list_text(rule, buffer, size);
    case ADU_LEVEL_VALUE:
        snprintf(buffer, size, "the client's ${%s}", rule->attribute);
        break;
    case ADU_LEVEL_RANGE:
        snprintf(buffer, size, "%s%ld to %s%ld", rule->prefix, rule->least, rule->prefix,
                 rule->most);
        break;
    case ADU_LEVEL_PATTERN:
        snprintf(buffer, size, "like %s", rule->pattern_text);
        break;
    case ADU_LEVEL_FREE:
        snprintf(buffer, size, "any name that does not begin with _");
        break;
    }
    return buffer;
}
