/* How a name looks, and whether it is written as Unicode would have it: for levels that are not
 * plain ASCII. Pure. */
#ifndef ADUANA_TOPIC_POLICY_LOOKS_H
#define ADUANA_TOPIC_POLICY_LOOKS_H

#include "common/compiler.h"
#include "common/topic.h"

struct adu_looks;

/* NULL with c->error set. */
const struct adu_looks *adu_looks_compile(struct adu_compiler *c, const struct adu_json *node);

/* True if the level can be taken for another: letters of several alphabets in one level, letters
 * that all look like Latin ones and are not, full-width letters, ligatures and the like. One thread
 * at a time. */
bool adu_looks_like_another(const struct adu_looks *looks, struct adu_text level);

/* True if the level is in Unicode's normal form C, in which a letter and its accent are one. */
bool adu_looks_composed(struct adu_text level);

/* Writes `text` as names that differ by nothing but case, or by - and _, are both written. false if
 * it does not fit, or is not UTF-8. */
bool adu_looks_fold(struct adu_text text, char *buffer, size_t size, size_t *length);

#endif
