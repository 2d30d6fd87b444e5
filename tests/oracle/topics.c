#include "topics.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No pattern, filter or value spells it out. */
static const char other[] = "de-nadie";

static void too_much(const char *what)
{
    fprintf(stderr, "oracle: %s is more than it has room for\n", what);
    exit(EXIT_FAILURE);
}

static void set_text(struct level *level, const char *text)
{
    if (strlen(text) >= sizeof level->text) {
        too_much(text);
    }
    strcpy(level->text, text);
}

static void set_level(struct level *level, char *text,
                      const char *(*value)(void *context, const char *attribute), void *context)
{
    const size_t length = strlen(text);
    if (value != NULL && strncmp(text, "${", 2) == 0 && text[length - 1] == '}') {
        text[length - 1] = '\0';
        const char *found = value(context, text + 2);
        level->kind = found != NULL ? LEVEL_VALUE : LEVEL_NOTHING;
        set_text(level, found != NULL ? found : "");
        return;
    }
    level->kind = strcmp(text, "+") == 0   ? LEVEL_ONE
                  : strcmp(text, "#") == 0 ? LEVEL_REST
                                           : LEVEL_LITERAL;
    set_text(level, text);
}

struct levels levels_of(const char *text,
                        const char *(*value)(void *context, const char *attribute), void *context)
{
    struct levels levels = {.count = 0};
    for (const char *at = text; at != NULL;) {
        const size_t length = strcspn(at, "/");
        char level[LEVEL_TEXT + 1];
        if (length >= sizeof level || levels.count == LEVELS_MOST) {
            too_much(text);
        }
        memcpy(level, at, length);
        level[length] = '\0';
        set_level(&levels.level[levels.count++], level, value, context);
        at = at[length] == '/' ? at + length + 1 : NULL;
    }
    return levels;
}

static bool level_matches(const struct level *pattern, const char *level)
{
    switch (pattern->kind) {
    case LEVEL_LITERAL:
    case LEVEL_VALUE:
        return strcmp(pattern->text, level) == 0;
    case LEVEL_ONE:
    case LEVEL_REST:
        return true;
    case LEVEL_NOTHING:
        break;
    }
    return false;
}

bool levels_match(const struct levels *pattern, const struct levels *topic)
{
    /* Only a literal level reaches a topic that begins with $. */
    if (topic->level[0].text[0] == '$' && pattern->level[0].kind != LEVEL_LITERAL) {
        return false;
    }
    for (int i = 0; i < pattern->count; i++) {
        if (pattern->level[i].kind == LEVEL_REST) {
            return true;
        }
        if (i == topic->count || !level_matches(&pattern->level[i], topic->level[i].text)) {
            return false;
        }
    }
    return pattern->count == topic->count;
}

/* --- every topic --- */

static void add_word(struct universe *u, const char *word)
{
    for (int i = 0; i < u->words; i++) {
        if (strcmp(u->word[i], word) == 0) {
            return;
        }
    }
    if (u->words == WORDS_MOST) {
        too_much("the alphabet");
    }
    strcpy(u->word[u->words++], word);
}

void universe_add(struct universe *u, const struct levels *levels)
{
    int depth = 0;
    for (int i = 0; i < levels->count; i++) {
        const struct level *level = &levels->level[i];
        depth += level->kind != LEVEL_REST;
        if (level->kind == LEVEL_LITERAL || level->kind == LEVEL_VALUE) {
            add_word(u, level->text);
        }
    }
    u->depth = depth > u->depth ? depth : u->depth;
}

/* Each word as the next level, and behind it all that can follow. The topic of one empty level is
 * among them: no broker takes it, but it is what `/#` has as its parent. */
static void add_topics(struct universe *u, struct levels *prefix)
{
    const int at = prefix->count++;
    for (int i = 0; i < u->words; i++) {
        set_text(&prefix->level[at], u->word[i]);
        u->topics[u->count++] = *prefix;
        if (prefix->count <= u->depth) {
            add_topics(u, prefix);
        }
    }
    prefix->count--;
}

void universe_make(struct universe *u)
{
    size_t count = 0, of_length = 1;
    add_word(u, other);
    if (u->depth + 1 > LEVELS_MOST) {
        too_much("a topic below the deepest pattern");
    }
    for (int i = 0; i <= u->depth; i++) {
        of_length *= (size_t)u->words;
        count += of_length;
    }
    u->topics = calloc(count, sizeof *u->topics);
    if (u->topics == NULL) {
        too_much("the universe");
    }
    add_topics(u, &(struct levels){.count = 0});
}

void universe_free(struct universe *u)
{
    free(u->topics);
    *u = (struct universe){0};
}

const struct levels **universe_find(const struct universe *u, const struct levels *filter)
{
    size_t count = 0;
    const struct levels **found = calloc(u->count + 1, sizeof *found);
    for (size_t i = 0; found != NULL && i < u->count; i++) {
        if (levels_match(filter, &u->topics[i])) {
            found[count++] = &u->topics[i];
        }
    }
    if (found == NULL) {
        too_much("a list of topics");
    }
    return found;
}

bool levels_match_all(const struct levels *pattern, const struct levels *const *topics)
{
    for (; *topics != NULL; topics++) {
        if (!levels_match(pattern, *topics)) {
            return false;
        }
    }
    return true;
}
