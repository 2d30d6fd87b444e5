/* A pattern that is a beginning and then a class of characters, as most patterns of plants are:
 * `linea[0-9]+`, `[a-z0-9]*`. Whether a level matches it is seen without PCRE2, which has said
 * beforehand what is in the class. */
#ifndef ADUANA_TOPIC_POLICY_PLAIN_PATTERN_H
#define ADUANA_TOPIC_POLICY_PLAIN_PATTERN_H

#include "common/pattern.h"
#include "common/topic.h"

enum { ADU_PLAIN_BEGINNING = 48 };

struct adu_plain_pattern {
    size_t length; /* of its beginning */
    char beginning[ADU_PLAIN_BEGINNING];
    size_t least, most; /* characters of the class */
    bool in_class[128];
};

/* True if `text`, of which `pattern` is made, is one. */
bool adu_plain_pattern_of(const char *text, const struct adu_pattern *pattern,
                          struct adu_plain_pattern *plain);

enum adu_plain_answer { ADU_PLAIN_NO, ADU_PLAIN_YES, ADU_PLAIN_ASK };

/* ASK: it is not ASCII, the pattern itself must say. Hot path. */
static inline enum adu_plain_answer adu_plain_pattern_fits(const struct adu_plain_pattern *plain,
                                                           struct adu_text level)
{
    bool fits =
        level.length >= plain->length + plain->least && level.length - plain->length <= plain->most;
    for (size_t i = 0; fits && i < plain->length; i++) {
        fits = level.bytes[i] == plain->beginning[i];
    }
    for (size_t i = plain->length; fits && i < level.length; i++) {
        const unsigned char c = (unsigned char)level.bytes[i];
        if (c >= 128) {
            return ADU_PLAIN_ASK;
        }
        fits = plain->in_class[c];
    }
    return fits ? ADU_PLAIN_YES : ADU_PLAIN_NO;
}

#endif
