/* How long the clients' certificates have yet, and what is doubtful in them: all clients are gone
 * through, some of them each tick, so that no tick is long. */
#include "common/certificate_alerts.h"
#include <stdlib.h>

enum {
    LOOKED_AT_A_TICK = 100,
    INSPECTED_A_TICK = 4, /* parsed: of those that have not logged in since the broker's start */
    ROUND_MS = 1000,      /* from the begin of one to that of the next, at least */
    SHARED_MS = 60000     /* two who take turns share it too */
};

struct tally {
    uint64_t known, levels[ADU_CERTIFICATE_EXPIRED + 1], doubtful, waiting;
    bool any_left;
    int64_t days_left; /* the least of those that have not expired */
};

struct adu_certificates {
    struct adu_principal *next; /* whose client is looked at next; NULL: no round is under way */
    bool begun;                 /* one ever was */
    int64_t round_ms;           /* monotonic, when the last began */
    struct tally tally;         /* of the round */
    unsigned inspections;       /* left in this tick */
    struct adu_certificate_alerts *alerts;
};

struct adu_certificates *adu_certificates_new(void)
{
    struct adu_certificates *c = calloc(1, sizeof *c);
    if (c != NULL && (c->alerts = adu_certificate_alerts_new()) == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void adu_certificates_free(struct adu_certificates *certificates)
{
    if (certificates != NULL) {
        adu_certificate_alerts_free(certificates->alerts);
        free(certificates);
    }
}

void adu_pipeline_unwatch_certificate(struct adu_pipeline *p, const struct adu_principal *gone)
{
    struct adu_certificates *c = p->certificates;
    if (c->next == gone) {
        c->next = gone->next_of_client != NULL ? gone->next_of_client
                                               : adu_principals_next_client(p->principals, gone);
    }
    if (!adu_certificate_alerts_forget(c->alerts, gone)) {
        p->counters.stage_errors++;
    }
}

/* --- one certificate --- */

struct adu_principal *adu_certificate_user(struct adu_principal *principals_of_client)
{
    struct adu_principal *user = principals_of_client;
    for (struct adu_principal *p = user->next_of_client; p != NULL; p = p->next_of_client) {
        const bool rather =
            (p->online > 0) == (user->online > 0) ? p->seen_ms > user->seen_ms : p->online > 0;
        user = rather ? p : user;
    }
    return user;
}

/* Others are connected by it, or were a moment ago. */
static bool is_shared(struct adu_pipeline *p, struct adu_principal *principal, struct adu_now now)
{
    struct adu_certificate_watch *watch = &principal->watch;
    const char *id = adu_principal_client_id(principal);
    if (watch->several) {
        watch->shared_ms = 0;
    } else if (principal->online > 0 &&
               adu_sessions_sharing(adu_principals_of_client(p->principals, id)) > 0) {
        watch->shared_ms = now.mono_ms;
    } else if (now.mono_ms - watch->shared_ms >= SHARED_MS) {
        watch->shared_ms = 0;
    }
    return watch->shared_ms != 0;
}

bool adu_pipeline_assess_certificate(struct adu_pipeline *p, struct adu_principal *principal,
                                     struct adu_now now, struct adu_certificate_health *health)
{
    const struct adu_stage *stage = p->stages[ADU_STAGE_CERT_AUTH];
    if (principal->certificate.bytes == NULL || stage == NULL ||
        stage->assess_certificate == NULL || p->policy->compiled[ADU_STAGE_CERT_AUTH] == NULL) {
        return false;
    }
    if (principal->watch.facts.until_ms == 0) {
        stage->inspect_certificate(principal->certificate, NULL, &principal->watch.facts);
        p->certificates->inspections -= p->certificates->inspections > 0;
    }
    now = adu_pipeline_believed(p, now);
    const int64_t away_ms = now.wall_ms - principal->seen_ms;
    const struct adu_certificate_sight sight = {
        .facts = &principal->watch.facts,
        .away_ms = principal->online > 0 || away_ms < 0 ? 0 : away_ms,
        .shared = is_shared(p, principal, now),
    };
    const struct adu_stage_call call = adu_pipeline_call(p, ADU_STAGE_CERT_AUTH, NULL, now);
    stage->assess_certificate(&call, &sight, health);
    return true;
}

/* --- rounds --- */

static void count(struct tally *tally, const struct adu_certificate_health *health)
{
    tally->known++;
    tally->levels[health->level]++;
    tally->doubtful += health->findings != 0;
    if (health->level != ADU_CERTIFICATE_EXPIRED &&
        (!tally->any_left || health->days_left < tally->days_left)) {
        tally->any_left = true;
        tally->days_left = health->days_left;
    }
}

/* Of one client id; what was told of another certificate that it used before is over. */
static void look_at(struct adu_pipeline *p, struct adu_principal *client, struct adu_now now)
{
    struct adu_certificates *c = p->certificates;
    const struct adu_principal *user = adu_certificate_user(client);
    for (struct adu_principal *one = client; one != NULL; one = one->next_of_client) {
        struct adu_certificate_health health = {0};
        if (one == user && adu_pipeline_assess_certificate(p, one, now, &health) &&
            health.watched) {
            count(&c->tally, &health);
        }
        c->tally.waiting += adu_certificate_alerts_settle(c->alerts, p, one, &health, now);
    }
}

static bool begin_round(struct adu_pipeline *p, struct adu_now now)
{
    struct adu_certificates *c = p->certificates;
    if (c->begun && now.mono_ms - c->round_ms < ROUND_MS) {
        return false;
    }
    c->begun = true;
    c->round_ms = now.mono_ms;
    c->tally = (struct tally){0};
    c->next = adu_principals_next_client(p->principals, NULL);
    return true;
}

static void end_round(struct adu_pipeline *p, struct adu_now now)
{
    const struct tally *tally = &p->certificates->tally;
    struct adu_counters *counters = &p->counters;
    counters->certificates_known = tally->known;
    counters->certificates_warn = tally->levels[ADU_CERTIFICATE_WARN];
    counters->certificates_critical = tally->levels[ADU_CERTIFICATE_CRITICAL];
    counters->certificates_expired = tally->levels[ADU_CERTIFICATE_EXPIRED];
    counters->certificates_doubtful = tally->doubtful;
    counters->certificates_untold = tally->waiting;
    counters->certificates_days_left = tally->any_left ? (uint64_t)tally->days_left : 0;
    adu_certificate_alerts_wait(p->certificates->alerts, p, tally->waiting, now);
}

void adu_pipeline_watch_certificates(struct adu_pipeline *p, struct adu_now now)
{
    struct adu_certificates *c = p->certificates;
    adu_certificate_alerts_farewell(c->alerts, p, now);
    if (c->next == NULL && !begin_round(p, now)) {
        return;
    }
    c->inspections = INSPECTED_A_TICK;
    for (unsigned i = 0; i < LOOKED_AT_A_TICK && c->inspections > 0 && c->next != NULL; i++) {
        const char *id = adu_principal_client_id(c->next);
        look_at(p, adu_principals_of_client(p->principals, id), now);
        c->next = adu_principals_next_client(p->principals, c->next);
    }
    if (c->next == NULL) {
        end_round(p, now);
    }
}
