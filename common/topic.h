/* Topic algebra (MQTT 5 section 4.7): levels, shared subscriptions, and topic patterns of the
 * policy - MQTT filters whose levels may also be the value of a session's attribute. */
#ifndef ADUANA_COMMON_TOPIC_H
#define ADUANA_COMMON_TOPIC_H

#include "common/compiler.h"
#include "common/json.h"
#include <string.h>

enum { ADU_TOPIC_MOST_BYTES = 65535 };

/* A run of bytes: a topic, a filter or one level of it. Not ended by a NUL. */
struct adu_text {
    const char *bytes;
    size_t length;
};

ADU_API struct adu_text adu_text_of(const char *string);

/* Cuts the first level off `*rest`. false when nothing is left. Start with the whole topic; an
 * empty topic has one empty level. `rest->bytes` is NULL after the last level. */
static inline bool adu_topic_next_level(struct adu_text *rest, struct adu_text *level)
{
    if (rest->bytes == NULL) {
        return false;
    }
    const char *slash = memchr(rest->bytes, '/', rest->length);
    level->bytes = rest->bytes;
    if (slash == NULL) {
        level->length = rest->length;
        *rest = (struct adu_text){0};
    } else {
        level->length = (size_t)(slash - rest->bytes);
        rest->length -= level->length + 1;
        rest->bytes = slash + 1;
    }
    return true;
}

ADU_API size_t adu_topic_levels(struct adu_text topic);

static inline bool adu_text_is(struct adu_text text, const char *string)
{
    return strlen(string) == text.length && memcmp(text.bytes, string, text.length) == 0;
}

static inline bool adu_text_begins(struct adu_text text, const char *prefix)
{
    const size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

/* Splits `$share/<group>/<filter>`: true and both parts if it is one, well formed. A filter that is
 * not shared comes back as it is, with an empty group; so does one that is false: `$share` without
 * group or filter, or with a wildcard in the group (MQTT 5 section 4.8.2). */
ADU_API bool adu_topic_unshare(struct adu_text filter, struct adu_text *group,
                               struct adu_text *inner);

/* Well formed: not empty, no U+0000, valid UTF-8, at most ADU_TOPIC_MOST_BYTES; no wildcards in a
 * name; in a filter `+` and `#` alone in their level and `#` last. */
ADU_API bool adu_topic_name_valid(struct adu_text topic);
ADU_API bool adu_topic_filter_valid(struct adu_text filter);

struct adu_topic_pattern;

/* Values of the attribute slots (vocabulary.h) for one session; NULL where there is none that can
 * stand as a level. */
typedef const char *const *adu_topic_values;

/* Compiles the string at `node`. Attributes are told to the vocabulary. NULL with the error set. */
ADU_API const struct adu_topic_pattern *adu_topic_pattern_compile(struct adu_compiler *c,
                                                                  const struct adu_json *node);

/* The same of a text that no person wrote; without ${}. NULL when it is no filter or memory is
 * gone. */
ADU_API const struct adu_topic_pattern *adu_topic_pattern_of(struct adu_arena *arena,
                                                             const char *text);

/* Its levels, a final # included. */
ADU_API size_t adu_topic_pattern_levels(const struct adu_topic_pattern *p);

/* Where it stands in its file. */
ADU_API const struct adu_place *adu_topic_pattern_place(const struct adu_topic_pattern *p);

/* True if the concrete `topic` matches. A wildcard at the first level does not match `$...`. */
ADU_API bool adu_topic_pattern_matches(const struct adu_topic_pattern *p, struct adu_text topic,
                                       adu_topic_values values);

/* True if every topic that `filter` can match matches the pattern too. `filter` is well formed and
 * not a `$share` one. */
ADU_API bool adu_topic_pattern_contains(const struct adu_topic_pattern *p, struct adu_text filter,
                                        adu_topic_values values);

/* True if `value` can stand for one level: not empty, no `/ + #`, no control character. */
ADU_API bool adu_topic_level_value(const char *value);

#endif
