/* The form of a Sparkplug B payload (sparkplug_b.proto): protobuf's wire form, walked through
 * without reading a value. Pure. */
#ifndef ADUANA_TOPIC_POLICY_PROTOBUF_H
#define ADUANA_TOPIC_POLICY_PROTOBUF_H

#include "common/topic.h"

/* False with `*why`, a text that lives for ever, if the bytes are no such message: a field of a
 * wrong wire type or number, a length that goes beyond its message, text that is no UTF-8, or more
 * than a few messages within another. Allocates nothing; each byte is looked at once for each
 * message around it. Hot path. */
bool adu_sparkplug_payload_legal(struct adu_text payload, const char **why);

#endif
