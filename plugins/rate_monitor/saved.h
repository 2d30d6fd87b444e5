/* What the monitor keeps of a client over a restart of the broker: what has been learned, what was
 * told of its presence, and how long it is in quarantine. Bytes of this very build's making; others
 * are not read. Pure. */
#ifndef ADUANA_RATE_MONITOR_SAVED_H
#define ADUANA_RATE_MONITOR_SAVED_H

#include "common/bytes.h"
#include "plugins/rate_monitor/learned.h"
#include "plugins/rate_monitor/presence.h"

enum { ADU_SAVED_VERSION = 3, ADU_SAVED_TOPIC_MOST = 1023 };

struct adu_saved {
    uint16_t version, size;  /* of this struct */
    uint8_t present, online; /* 0 or 1; `present`: the next three say something */
    uint8_t reason;          /* enum adu_presence_reason */
    uint8_t learns;          /* 0 or 1: `habit` says something */
    int64_t since_ms;
    int64_t quarantined_until_ms; /* wall clock; 0: it is not */
    struct adu_habit habit;
    char topic[ADU_SAVED_TOPIC_MOST + 1]; /* only as much as there is; empty: none */
};

/* Either may be NULL, `quarantined_until_ms` 0. Returns how many bytes of `saved` are to be kept;
 * 0: there is nothing. */
size_t adu_saved_make(struct adu_saved *saved, const struct adu_learned *learned,
                      const struct adu_client_presence *presence, int64_t quarantined_until_ms);

/* False if that is not what adu_saved_make made, as far as can be told: whatever the bytes are, no
 * more is wrong then than what is taken for usual. */
bool adu_saved_read(struct adu_saved *saved, struct adu_bytes record);

#endif
