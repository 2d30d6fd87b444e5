#include "plugins/rate_monitor/connections.h"
#include <math.h>

enum { EVERY_MS = 60000, RIPE = 1440, ENOUGH = 2, CALM = 5, LEAST = 5 };

#define LEAST_PART 0.2f   /* beyond the range, of its end */
#define FOLLOW     0.002f /* of what lies beyond, each minute: half of it in six hours */
#define FORGET     1e-4f  /* of the distance to what is now: half of it in five days */

static float beyond(float end)
{
    return fmaxf(LEAST, LEAST_PART * end);
}

static void learn(struct adu_connections *c, float value)
{
    const float follow = c->minutes < RIPE ? 1 : FOLLOW;
    if (c->minutes == 0) {
        c->high = c->low = value;
    }
    c->high += (value - c->high) * (value > c->high ? follow : FORGET);
    c->low += (value - c->low) * (value < c->low ? follow : FORGET);
    c->minutes += c->minutes < RIPE;
}

void adu_connections_take(struct adu_connections *c, int64_t now_ms, int64_t wall_ms,
                          uint32_t online)
{
    const float value = (float)online;
    if (now_ms < c->due_ms && c->due_ms - now_ms <= EVERY_MS) { /* the clock may jump back */
        return;
    }
    c->due_ms = now_ms + EVERY_MS;
    c->value = online;
    const bool more = value >= c->high + beyond(c->high);
    const bool less = value <= c->low - beyond(c->low);
    const bool unusual = c->minutes >= RIPE && (more || less);
    c->in_a_row = (uint8_t)(unusual == c->up ? 0 : c->in_a_row + 1);
    if (c->in_a_row >= (c->up ? CALM : ENOUGH)) {
        c->up = unusual;
        c->in_a_row = 0;
        if (unusual) {
            c->since_ms = wall_ms;
            c->expected = more ? c->high : c->low;
        }
    }
    learn(c, value);
}
