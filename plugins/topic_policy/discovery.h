/* Which topics are in use: by whom, since when, how often. In bounded memory: what is listed is
 * found by a keyed hash, and a topic that finds no room takes another one's place only when it has
 * lately come more often (a count-min sketch), or when the other has been silent for a day. So a
 * flood of topics that nobody has seen before neither grows the list nor empties it, and nobody
 * outside can choose topics that want the same place. Knows no clock. Broker's thread only. */
#ifndef ADUANA_TOPIC_POLICY_DISCOVERY_H
#define ADUANA_TOPIC_POLICY_DISCOVERY_H

#include "common/topic.h"
#include <stdint.h>

enum {
    ADU_DISCOVERY_SETS = 4096,
    ADU_DISCOVERY_WAYS = 4,
    ADU_DISCOVERY_MOST = ADU_DISCOVERY_SETS * ADU_DISCOVERY_WAYS, /* topics */
    ADU_DISCOVERY_TOPIC = 160,                                    /* bytes that are kept of one */
    ADU_DISCOVERY_CLIENT = 64,                                    /* and of a client id */
    ADU_DISCOVERY_CLIENTS = 4,                                    /* told apart on one topic */
};

/* One topic. What each message touches stands first, in one line of cache. */
struct adu_found_topic {
    uint64_t hash;            /* 0: nothing is here */
    uint64_t messages;        /* since it is listed */
    int64_t last_ms;          /* wall clock */
    int64_t heard_ms;         /* monotonic, the last */
    unsigned long generation; /* under which `namespace` holds; for whoever keeps it */
    uint32_t namespace;       /* number plus one; 0: none */
    uint32_t before;          /* messages before it was listed, more or less */
    uint32_t clients[ADU_DISCOVERY_CLIENTS]; /* who publishes, by hash; 0: no further one */
    int64_t first_ms;                        /* wall clock, since it is listed */
    uint16_t length;                         /* of the whole topic */
    uint8_t kept, client_kept;               /* bytes of these */
    char topic[ADU_DISCOVERY_TOPIC];
    char client_id[ADU_DISCOVERY_CLIENT]; /* who published last */
} __attribute__((aligned(64)));

struct adu_discovery;

/* NULL when memory is gone. What nobody touches of it takes no memory. */
struct adu_discovery *adu_discovery_new(void);
/* NULL-safe. */
void adu_discovery_free(struct adu_discovery *discovery);

/* A publish, by a client whose hash is not 0. NULL: the topic is not listed. Hot path. */
struct adu_found_topic *adu_discovery_note(struct adu_discovery *discovery, struct adu_text topic,
                                           const char *client_id, uint32_t client, int64_t now_ms,
                                           int64_t wall_ms);

/* Those listed, in no order: begin with *place 0. NULL after the last. */
const struct adu_found_topic *adu_discovery_next(const struct adu_discovery *discovery,
                                                 size_t *place);

/* The `most` with most messages into `top`, the first the most. Returns how many there are. */
size_t adu_discovery_top(const struct adu_discovery *discovery, const struct adu_found_topic **top,
                         size_t most);

size_t adu_discovery_count(const struct adu_discovery *discovery);
/* Messages on topics that were not listed for want of room, and topics that lost their place. */
uint64_t adu_discovery_left_out(const struct adu_discovery *discovery);
uint64_t adu_discovery_displaced(const struct adu_discovery *discovery);

#endif
