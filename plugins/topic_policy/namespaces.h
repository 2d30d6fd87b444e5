/* The namespaces of topic_policy.json: which there are, and to which a topic belongs. Pure. */
#ifndef ADUANA_TOPIC_POLICY_NAMESPACES_H
#define ADUANA_TOPIC_POLICY_NAMESPACES_H

#include "common/reason.h"
#include "plugins/topic_policy/traffic.h"
#include "plugins/topic_policy/tree.h"

struct adu_namespace {
    const char *name;
    struct adu_place place;
    bool watched; /* what it refuses is only said and counted */
    struct adu_traffic traffic;
};

/* What becomes of topics that belong to none. */
enum adu_other_topics { ADU_OTHERS_REFUSE, ADU_OTHERS_WATCH, ADU_OTHERS_ALLOW };

struct adu_namespaces {
    size_t count; /* 0: there are none, and nobody asks for one */
    struct adu_namespace *list;
    const struct adu_tree *tree;
    struct adu_place place;
    int others; /* enum adu_other_topics */
};

/* What the rest of the file says of names: a template that asks for what it refuses is a finding.
 */
struct adu_namespace_limits {
    bool (*legal)(const void *policy, struct adu_text level, struct adu_reason *why);
    const void *policy;
    long min_levels, max_levels;
};

/* Compiles "vocabularies" and "namespaces" (each may be NULL). false with c->error set. */
bool adu_namespaces_compile(struct adu_compiler *c, const struct adu_json *vocabularies,
                            const struct adu_json *array, const struct adu_namespace_limits *limits,
                            struct adu_namespaces *namespaces);

/* The namespace of a topic, or NULL; `*for_all` as of adu_tree_find. Hot path. */
const struct adu_namespace *adu_namespace_of(const struct adu_namespaces *namespaces,
                                             const struct adu_tree_levels *topic, bool *for_all);

/* Says why a topic belongs to none, or a filter matches nothing that does: the level where it goes
 * wrong, and what is expected there. */
void adu_namespaces_say(const struct adu_namespaces *namespaces,
                        const struct adu_tree_levels *topic, bool filter, struct adu_reason *why);

#endif
