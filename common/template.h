/* Text with ${attribute} in it: "edge-${linea}". For names and alert topics; the levels of topic
 * patterns have a form of their own in topic.h. */
#ifndef ADUANA_COMMON_TEMPLATE_H
#define ADUANA_COMMON_TEMPLATE_H

#include "common/attributes.h"
#include "common/compiler.h"
#include "common/json.h"

struct adu_template;

/* Compiles `text`, which stands at `node`. With `names` (NULL-ended) only those may be asked for,
 * without (NULL) any attribute may, and the vocabulary hears of it. NULL with the error set. */
ADU_API const struct adu_template *adu_template_compile(struct adu_compiler *c, const char *text,
                                                        const struct adu_json *node,
                                                        const char *const *names);

/* Writes the text with each attribute's single value into `buffer`. false if a value is missing,
 * multiple or empty (`*missing` then names it) or the buffer is too small (`*missing` is NULL). */
ADU_API bool adu_template_expand(const struct adu_template *t, const struct adu_attributes *values,
                                 char *buffer, size_t size, const char **missing);

/* The same text with every ${...} replaced by `with`: an alert topic as the filter that covers it.
 */
ADU_API bool adu_template_replace(const struct adu_template *t, const char *with, char *buffer,
                                  size_t size);

/* The length of the name if `text` begins with a whole ${name}, else 0; the name is at text + 2.
 * A "${" without its end gives (size_t)-1. */
ADU_API size_t adu_template_name(const char *text);

#endif
