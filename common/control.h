/* Orders to the running bundle, over the broker's control topic: JSON commands in, JSON responses
 * out, in the form of Mosquitto's dynamic-security. Broker's thread only. */
#ifndef ADUANA_COMMON_CONTROL_H
#define ADUANA_COMMON_CONTROL_H

#include "common/pipeline.h"

#define ADU_CONTROL_TOPIC    "$CONTROL/aduana/v1"
#define ADU_CONTROL_RESPONSE ADU_CONTROL_TOPIC "/response"

/* What one message and one client may ask for: no order keeps the broker from its other work for
 * more than a few milliseconds. What does not fit in an answer is asked for again. */
enum {
    ADU_CONTROL_BYTES_MOST = 65536,    /* of a message */
    ADU_CONTROL_COMMANDS_MOST = 16,    /* in a message */
    ADU_CONTROL_A_SECOND_MOST = 20,    /* commands of one client, and as many at once */
    ADU_CONTROL_SESSIONS_MOST = 500,   /* in an answer */
    ADU_CONTROL_LOOKED_AT_MOST = 5000, /* clients, for an answer */
    ADU_CONTROL_TEXT_MOST = 131072,    /* bytes of an answer's sessions, more or less */
};

/* A message to ADU_CONTROL_TOPIC; who sent it is known by `handle` and `client_id`. */
struct adu_order {
    const void *handle;
    const char *client_id;
    const char *payload; /* any bytes; NULL where there are none */
    size_t payload_length;
    uint8_t qos;
    bool retain;
};

/* Does what the message says if its sender may: the broker has asked about its publish, but not if
 * it came by a bridge of its own, and in watch mode it was told yes; here a role must truly grant
 * it. Returns the text for ADU_CONTROL_RESPONSE, for this client and nobody else, to be freed with
 * free(); NULL if the client is to be told nothing, which the log explains. Nothing is
 * disconnected before the next tick. */
ADU_API char *adu_pipeline_order(struct adu_pipeline *p, const struct adu_order *order,
                                 struct adu_now now);

#endif
