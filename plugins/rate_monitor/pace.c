#include "plugins/rate_monitor/pace.h"
#include <math.h>

#define LEARN 0.01 /* of the usual time: a hundred values */

enum {
    KNOWN = 12, /* values that tell what is usual */
    GAP = 20    /* times the usual time */
};

bool adu_pace_gap(struct adu_pace *p, int64_t time_ms)
{
    const double passed = (double)time_ms - (double)p->last_ms;
    const bool gap =
        p->count > 0 &&
        (passed < 0 || (p->count > KNOWN && p->every_ms > 0 && passed > GAP * p->every_ms));
    if (p->count > 0 && !gap) {
        p->every_ms += fmax(LEARN, 1 / (double)p->count) * (passed - p->every_ms);
    }
    p->last_ms = time_ms;
    p->count++;
    return gap;
}
