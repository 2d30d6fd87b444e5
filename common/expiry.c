/* Sessions end with what proved them: a certificate, later a token. By the wall clock, unless that
 * has just jumped: a plant does not stop for an hour that somebody typed wrong. */
#include "common/pipeline_parts.h"
#include <stdlib.h>
#include <time.h>

enum { JUMP_MS = 60 * 1000, DOUBT_MS = 10 * 60 * 1000, AGAIN_MS = 1000 };

void adu_pipeline_watch_clock(struct adu_pipeline *p, struct adu_now now)
{
    const int64_t ahead = now.wall_ms - now.mono_ms;
    if (!p->clock_known || llabs(ahead - p->clock_ahead_ms) <= JUMP_MS) {
        p->clock_known = true;
        p->clock_ahead_ms = ahead;
        p->clock_doubted_ms = 0;
    } else if (p->clock_doubted_ms == 0) {
        p->clock_doubted_ms = now.mono_ms;
        adu_pipeline_log(p, ADU_LOG_WARNING,
                         "the clock has jumped by %lld s: for ten minutes nobody's certificate "
                         "expires by that",
                         (long long)((ahead - p->clock_ahead_ms) / 1000));
    } else if (now.mono_ms - p->clock_doubted_ms >= DOUBT_MS) {
        p->clock_ahead_ms = ahead;
        p->clock_doubted_ms = 0;
    }
}

struct adu_now adu_pipeline_believed(const struct adu_pipeline *p, struct adu_now now)
{
    if (p->clock_known) {
        now.wall_ms = now.mono_ms + p->clock_ahead_ms;
    }
    return now;
}

static bool has_expired(int64_t until_ms, struct adu_now believed)
{
    return until_ms != 0 && until_ms <= believed.wall_ms;
}

bool adu_pipeline_in_time(struct adu_login *login, struct adu_now now)
{
    if (!has_expired(login->valid_until_ms, now)) {
        return true;
    }
    const time_t seconds = (time_t)(login->valid_until_ms / 1000);
    struct tm tm;
    login->why = (struct adu_reason)ADU_REASON_INIT;
    login->why.text = (login->proven & ADU_FACTOR_CERTIFICATE) != 0 ? "its certificate has expired"
                                                                    : "its token has expired";
    if (gmtime_r(&seconds, &tm) != NULL) {
        strftime(login->why.detail, sizeof login->why.detail, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return false;
}

void adu_pipeline_expires(struct adu_pipeline *p, int64_t until_ms)
{
    if (until_ms != 0 && (p->expires_ms == 0 || until_ms < p->expires_ms)) {
        p->expires_ms = until_ms;
    }
}

/* Whose time has come is judged anew by the sweep, which disconnects. */
void adu_pipeline_expire_due(struct adu_pipeline *p, struct adu_now now)
{
    const struct adu_now believed = adu_pipeline_believed(p, now);
    if (!has_expired(p->expires_ms, believed) || now.mono_ms < p->expire_again_ms) {
        return;
    }
    p->expire_again_ms = now.mono_ms + AGAIN_MS;
    p->expires_ms = 0;
    struct adu_principal *principal = adu_principals_first(p->principals);
    for (; principal != NULL; principal = principal->newer) {
        if (!principal->valid || principal->online == 0) {
            continue;
        }
        if (has_expired(principal->valid_until_ms, believed)) {
            principal->judged = 0;
            p->sweep = true;
        } else {
            adu_pipeline_expires(p, principal->valid_until_ms);
        }
    }
}
