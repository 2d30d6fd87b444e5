/* What a namespace asks of each message besides its topic: QoS, retain, and the payload. Pure. */
#ifndef ADUANA_TOPIC_POLICY_TRAFFIC_H
#define ADUANA_TOPIC_POLICY_TRAFFIC_H

#include "common/request.h"
#include "plugins/topic_policy/schema.h"

enum adu_retain_rule { ADU_RETAIN_OPTIONAL, ADU_RETAIN_REQUIRED, ADU_RETAIN_FORBIDDEN };
enum adu_payload_format {
    ADU_PAYLOAD_ANY,
    ADU_PAYLOAD_UTF8,
    ADU_PAYLOAD_NUMBER,
    ADU_PAYLOAD_JSON,
    ADU_PAYLOAD_SPARKPLUG
};

struct adu_traffic {
    bool asks; /* something: zeroed, anything may pass */
    long least_qos, most_qos;
    int retain; /* enum adu_retain_rule */
    long least_bytes, most_bytes;
    int format;                      /* enum adu_payload_format */
    const struct adu_schema *schema; /* NULL: any JSON */
    bool type_required;
    size_t type_count;      /* 0: any content type */
    struct adu_text *types; /* of content */
    struct adu_place qos_place, retain_place, payload_place, type_place;
};

/* The keys of a namespace that say so. NULL where they are not given. */
struct adu_traffic_keys {
    const struct adu_json *qos, *payload, *retain_node, *content_type;
    int retain;
};

extern const char *const adu_retain_rule_names[];

/* false with c->error set. */
bool adu_traffic_compile(struct adu_compiler *c, const struct adu_traffic_keys *keys,
                         struct adu_traffic *traffic);

/* False with `why` if a publish is not as it should be. Its answer holds for this message alone:
 * whoever asks sets why->passing. A payload that is not known, as in an inquiry, is not looked at.
 * Hot path. */
bool adu_traffic_legal(const struct adu_traffic *traffic, const struct adu_request *request,
                       struct adu_reason *why);

#endif
