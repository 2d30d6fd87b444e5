/* What is told of topics: the key `discovery`, and the JSON that orders and the retained topic
 * give.
 */
#ifndef ADUANA_TOPIC_POLICY_TELLING_H
#define ADUANA_TOPIC_POLICY_TELLING_H

#include "plugins/topic_policy/discovery.h"
#include "plugins/topic_policy/topic_policy.h"

/* Zeroed: topics in use are not gathered. */
struct adu_telling {
    bool on;
    struct adu_text topic; /* of the bundle's own report; length 0: none is published */
    struct adu_place place;
    int64_t every_ms;
    size_t most; /* topics in it */
};

/* `object` may be NULL. false with c->error set. */
bool adu_telling_compile(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_telling *telling);

/* New objects; NULL when memory is gone. `discovery` is not NULL. */
json_t *adu_telling_summary(const struct adu_stage_call *call,
                            const struct adu_discovery *discovery);
json_t *adu_telling_page(const struct adu_stage_call *call, const struct adu_discovery *discovery,
                         const struct adu_topics_asked *asked);

/* The report as text, to be freed. */
char *adu_telling_report(const struct adu_stage_call *call, const struct adu_discovery *discovery,
                         size_t most);

#endif
