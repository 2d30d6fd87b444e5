/* Topics and patterns by their definition. What a filter can match is found by looking at every
 * topic there is: all that can be made of the levels in play, one level deeper than any pattern. */
#ifndef ADUANA_ORACLE_TOPICS_H
#define ADUANA_ORACLE_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

enum { LEVELS_MOST = 8, LEVEL_TEXT = 48, WORDS_MOST = 16 };

enum level_kind { LEVEL_LITERAL, LEVEL_ONE, LEVEL_REST, LEVEL_VALUE, LEVEL_NOTHING };

/* A topic (literals only), a filter, or a pattern with the values of one session put in. */
struct levels {
    int count;
    struct level {
        enum level_kind kind;
        char text[LEVEL_TEXT];
    } level[LEVELS_MOST];
};

/* Splits a text at its slashes. `value` says what ${attribute} stands for, NULL for nothing;
 * without `value` there are no attributes. Exits if there is more than fits. */
struct levels levels_of(const char *text,
                        const char *(*value)(void *context, const char *attribute), void *context);

bool levels_match(const struct levels *pattern, const struct levels *topic);

/* Every topic in play. */
struct universe {
    int words, depth; /* depth: of the deepest pattern or filter, a final # not counted */
    char word[WORDS_MOST][LEVEL_TEXT];
    struct levels *topics;
    size_t count;
};

/* Takes note of the levels of a pattern or filter; then all topics are made. */
void universe_add(struct universe *u, const struct levels *levels);
void universe_make(struct universe *u);
void universe_free(struct universe *u);

/* All topics that a filter can match, ended with NULL; freed by the caller. */
const struct levels **universe_find(const struct universe *u, const struct levels *filter);

/* Every topic of such a list is matched by the pattern. */
bool levels_match_all(const struct levels *pattern, const struct levels *const *topics);

#endif
