/* How many clients of a group are connected, against what is usual for it. Pure. Looked at each
 * minute: usual is all that there was within the last week or so, shifts and nights included, and
 * some more or less. So it takes a day of learning before anything is unusual. */
#ifndef ADUANA_RATE_MONITOR_CONNECTIONS_H
#define ADUANA_RATE_MONITOR_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed to begin. */
struct adu_connections {
    int64_t due_ms;   /* of the next look */
    int64_t since_ms; /* wall clock, since when it is unusual */
    float high, low;  /* the range */
    float expected;   /* the end of the range that was left */
    uint32_t value, minutes;
    bool up, told;
    uint8_t in_a_row; /* minutes that say otherwise than `up` */
};

/* To be called often. */
void adu_connections_take(struct adu_connections *connections, int64_t now_ms, int64_t wall_ms,
                          uint32_t online);

#endif
