/* What a level of a topic may be called. Pure. */
#ifndef ADUANA_TOPIC_POLICY_NAMES_H
#define ADUANA_TOPIC_POLICY_NAMES_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/reason.h"

struct adu_names;

enum { ADU_LEVEL_MOST_BYTES = 1024 };

/* Compiles the object "names" (NULL: every default). NULL with c->error set. */
const struct adu_names *adu_names_compile(struct adu_compiler *c, const struct adu_json *object);

/* What is done about a name that can be taken for another. */
enum adu_alike { ADU_ALIKE_ALLOW, ADU_ALIKE_FLAG, ADU_ALIKE_REFUSE };

/* That of whole topics, names.collisions, and its place. */
enum adu_alike adu_names_collisions(const struct adu_names *names, const struct adu_place **place);

/* True if `level` is a legal name; else `why` has the text and the limit, if it is about one; with
 * why->watched it is only to be flagged.
 * Allocates nothing; patterns run only on levels that are not plain ASCII. */
bool adu_names_level_legal(const struct adu_names *names, struct adu_text level,
                           struct adu_reason *why);

/* Cuts a topic into its levels and judges them in one pass, where each is legal and all characters
 * are ASCII. 0 where that is not so, or there are more than `most` (at least 1) levels: then each
 * level is to be judged by itself. Hot path. */
size_t adu_names_cut_plain(const struct adu_names *names, struct adu_text topic,
                           struct adu_text *levels, size_t most);

/* True if the whole topic or filter is short enough. */
bool adu_names_length_legal(const struct adu_names *names, struct adu_text topic,
                            struct adu_reason *why);

#endif
