/* What a policy is made of, for those files of this folder that make it and judge by it:
 * topic_compile.c (from JSON), topic_judge.c (a topic or filter), topic_policy.c (a request). */
#ifndef ADUANA_TOPIC_POLICY_PARTS_H
#define ADUANA_TOPIC_POLICY_PARTS_H

#include "common/topic_pattern.h"
#include "plugins/topic_policy/filters.h"
#include "plugins/topic_policy/legal_topics.h"
#include "plugins/topic_policy/names.h"
#include "plugins/topic_policy/namespaces.h"
#include "plugins/topic_policy/sparkplug.h"
#include "plugins/topic_policy/telling.h"
#include "plugins/topic_policy/topic_policy.h"

struct adu_reserved {
    struct adu_place place;
    const char *level;
    size_t length;
    struct adu_roles publishers;
};

struct adu_topic_policy {
    const struct adu_names *names;
    long min_levels, max_levels;
    struct adu_place place; /* of the file's object: where what is a default is said to stand */
    struct adu_place depth_place, reserved_place; /* line 0: not in the file */
    size_t reserved_count;
    struct adu_reserved *reserved;
    bool reserved_first[256]; /* bytes that a reserved level may begin with */
    size_t exempt_count;
    const struct adu_topic_pattern **exempt;
    bool exempt_first[256]; /* bytes that an exempt topic may begin with */
    bool exempt_for_some;   /* one has an attribute in it */
    struct adu_filters filters;
    struct adu_sparkplug sparkplug;
    struct adu_namespaces namespaces;
    bool report;
    struct adu_rollout rollout;
    struct adu_telling telling;
    struct adu_refusals *refusals;
    struct adu_legal_topics *legal; /* with the namespace's number plus one; 0: it needs none */
};

/* What has more levels than this is refused for its depth, whatever they are. */
enum { ADU_JUDGED_LEVELS = ADU_SHAPE_MOST_LEVELS + 1 };

/* A topic or filter being judged. */
struct adu_judging {
    const struct adu_topic_policy *policy;
    const struct adu_request *request;
    struct adu_reason *why;
    size_t count;    /* levels, a final `#` left out */
    bool open_ended; /* there is one */
    bool for_all;    /* so far nothing depends on who asks */
    size_t flagged;  /* the first level, from 1, that is only to be flagged; 0: none */
    const char *flag_text;
    const struct adu_place *flag_rule;
    const struct adu_namespace *namespace; /* of a topic, where it belongs to one */
    struct adu_text levels[ADU_JUDGED_LEVELS + 1];
};

/* False with `why` if the topic or filter of the request is not legal; `anybody`: whoever asks.
 * Whether it is exempt is not looked at. Hot path. */
bool adu_topic_legal(struct adu_judging *j, const struct adu_topic_policy *policy,
                     const struct adu_request *request, bool anybody, struct adu_reason *why);

/* The same of one level that a template spells out; `policy` is a struct adu_topic_policy. */
bool adu_topic_may_spell_out(const void *policy, struct adu_text level, struct adu_reason *why);

#endif
