/* What a topic that is named wrong should be called: `Planta/Linea 1/Temp` may be
 * `planta/linea1/temperatura`. Guesses; whoever asks sees whether the answer is right. Pure. */
#ifndef ADUANA_TOPIC_POLICY_SUGGEST_H
#define ADUANA_TOPIC_POLICY_SUGGEST_H

#include "plugins/topic_policy/names.h"
#include "plugins/topic_policy/tree.h"

enum { ADU_SUGGEST_BYTES = 121 };

/* Writes a topic like `topic`, by the rules of names and by the templates (NULL: there are none).
 * false if there is no guess, or it finds no room. Bounded work, but not for the hot path. */
bool adu_suggest(const struct adu_names *names, const struct adu_tree *tree, struct adu_text topic,
                 adu_topic_values values, char suggestion[ADU_SUGGEST_BYTES]);

#endif
