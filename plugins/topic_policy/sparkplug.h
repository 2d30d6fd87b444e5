/* Sparkplug B (specification 3.0, chapters 4 and 5): topics that are named by rules of their own,
 * and by whom they may be published. Pure. */
#ifndef ADUANA_TOPIC_POLICY_SPARKPLUG_H
#define ADUANA_TOPIC_POLICY_SPARKPLUG_H

#include "common/reason.h"
#include "common/request.h"

struct adu_sparkplug {
    bool asks;       /* zeroed: its topics are like any other */
    int group, node; /* slots of the attributes that name the edge node; group ADU_NO_NAME: any */
    struct adu_roles hosts; /* who may command nodes and devices, and say STATE */
    bool payloads;          /* are looked at, too */
    struct adu_place place;
};

/* Compiles "sparkplug" (NULL: it is not asked for). false with c->error set. */
bool adu_sparkplug_compile(struct adu_compiler *c, const struct adu_json *object,
                           struct adu_sparkplug *sparkplug);

/* True for a topic, or a filter, below spBv1.0 or $sparkplug. */
bool adu_sparkplug_owns(const struct adu_sparkplug *sparkplug, struct adu_text topic);

/* False with `why` if a publish to, or a subscription of, such a topic is not as the specification
 * has it. What it says of a publish holds for this message alone. Hot path. */
bool adu_sparkplug_legal(const struct adu_sparkplug *sparkplug, const struct adu_request *request,
                         struct adu_reason *why);

#endif
