#include "common/certificate_alerts.h"
#include "common/audit.h"
#include "common/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ALERTS_AT_ONCE = 50, ALERT_EVERY_MS = 1000 /* and one more each */, TEXT = 512 };

/* Each has its own allowance: what is critical does not wait behind warnings. */
enum queue { WARNINGS, CRITICALS, FINDINGS, QUEUES };

struct allowance {
    int64_t since_ms; /* monotonic; 0: never asked */
    int left;
};

/* Of a client that was forgotten while something was told of it. */
struct farewell {
    struct farewell *next;
    struct adu_certificate_watch watch;
    char *username; /* NULL: has none */
    char client_id[];
};

struct adu_certificate_alerts {
    struct allowance allowances[QUEUES];
    struct farewell *farewells;
    bool waiting; /* it has been told that some wait */
    int64_t waiting_since_ms;
};

struct adu_certificate_alerts *adu_certificate_alerts_new(void)
{
    return calloc(1, sizeof(struct adu_certificate_alerts));
}

static struct farewell *take_farewell(struct adu_certificate_alerts *alerts)
{
    struct farewell *first = alerts->farewells;
    alerts->farewells = first != NULL ? first->next : NULL;
    return first;
}

static void farewell_free(struct farewell *farewell)
{
    free(farewell->username);
    free(farewell);
}

void adu_certificate_alerts_free(struct adu_certificate_alerts *alerts)
{
    struct farewell *farewell;
    while (alerts != NULL && (farewell = take_farewell(alerts)) != NULL) {
        farewell_free(farewell);
    }
    free(alerts);
}

static bool take_turn(struct adu_certificate_alerts *alerts, enum queue queue, struct adu_now now)
{
    struct allowance *a = &alerts->allowances[queue];
    const int64_t more = (now.mono_ms - a->since_ms) / ALERT_EVERY_MS;
    if (a->since_ms == 0 || more >= ALERTS_AT_ONCE - a->left) {
        *a = (struct allowance){.since_ms = now.mono_ms, .left = ALERTS_AT_ONCE};
    } else {
        a->left += (int)more;
        a->since_ms += more * ALERT_EVERY_MS;
    }
    if (a->left == 0) {
        return false;
    }
    a->left--;
    return true;
}

/* To the log as well: not every plant has a rate_monitor. */
static void tell(struct adu_pipeline *p, const struct adu_event *event, struct adu_now now)
{
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME], rule[ADU_ERROR_FILE + 16] = "";
    if (event->rule != NULL) {
        snprintf(rule, sizeof rule, " [%s:%u]", event->rule->file, event->rule->line);
    }
    adu_pipeline_log(p, event->raised ? ADU_LOG_WARNING : ADU_LOG_NOTICE,
                     "%s %s client=%s username=%s: %s%s", event->kind,
                     event->raised ? "raised" : "cleared",
                     adu_audit_name(event->about->client_id, id),
                     adu_audit_name(event->about->username, name), event->text, rule);
    adu_pipeline_event(p, event, now);
}

/* Before it has been judged a principal has names alone. */
static struct adu_subject subject_of(const struct adu_principal *principal)
{
    struct adu_subject subject = principal->subject;
    subject.client_id = adu_principal_client_id(principal);
    subject.username = principal->username;
    return subject;
}

/* --- the end is near --- */

static enum adu_severity severity_of(unsigned level)
{
    return level >= ADU_CERTIFICATE_CRITICAL ? ADU_SEVERITY_CRITICAL : ADU_SEVERITY_WARNING;
}

/* "2026-12-01T08:00:00Z, in 12 days" */
static void end_text(const struct adu_certificate_watch *watch,
                     const struct adu_certificate_health *health, char *text, size_t size)
{
    const time_t seconds = (time_t)(watch->facts.until_ms / 1000);
    struct tm tm;
    char until[40] = "at a time that nobody can read";
    if (gmtime_r(&seconds, &tm) != NULL) {
        strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    if (health->level == ADU_CERTIFICATE_EXPIRED) {
        snprintf(text, size, "its certificate has expired: %s", until);
    } else if (health->days_left < 1) {
        snprintf(text, size, "its certificate ends %s, in less than a day", until);
    } else {
        snprintf(text, size, "its certificate ends %s, in %ld days", until,
                 (long)health->days_left);
    }
}

static void level_text(const struct adu_principal *principal,
                       const struct adu_certificate_health *health, char text[TEXT])
{
    const struct adu_attributes *attributes = &principal->subject.attributes;
    const char *serial = adu_attributes_single(attributes, "cert.serial");
    const char *issuer = adu_attributes_single(attributes, "cert.issuer.cn");
    end_text(&principal->watch, health, text, TEXT);
    if (serial != NULL && issuer != NULL) {
        const size_t used = strlen(text);
        snprintf(text + used, TEXT - used, " (serial %.64s, issuer CN %.128s", serial, issuer);
        adu_utf8_trim(text);
        strncat(text, ")", TEXT - strlen(text) - 1);
    }
}

/* Returns whether it must wait. */
static bool settle_level(struct adu_certificate_alerts *alerts, struct adu_pipeline *p,
                         struct adu_principal *principal,
                         const struct adu_certificate_health *health, struct adu_now now)
{
    struct adu_certificate_watch *watch = &principal->watch;
    const unsigned level = health->watched ? health->level : ADU_CERTIFICATE_GOOD;
    if (level == watch->told_level) {
        return false;
    }
    const enum adu_severity severity =
        severity_of(level != ADU_CERTIFICATE_GOOD ? level : watch->told_level);
    if (!take_turn(alerts, severity == ADU_SEVERITY_CRITICAL ? CRITICALS : WARNINGS, now)) {
        return true;
    }
    char text[TEXT] = "its certificate is no longer in use";
    const struct adu_subject about = subject_of(principal);
    if (watch->told_level == ADU_CERTIFICATE_GOOD) {
        watch->level_since_ms = now.wall_ms;
    }
    if (health->watched) {
        level_text(principal, health, text);
    }
    watch->told_level = (uint8_t)level;
    const struct adu_event event = {.kind = "certificate_expiry",
                                    .severity = severity,
                                    .raised = level != ADU_CERTIFICATE_GOOD,
                                    .about = &about,
                                    .since_ms = watch->level_since_ms,
                                    .value = (double)health->days_left,
                                    .limit = health->days_limit,
                                    .rule = health->rule,
                                    .text = text};
    tell(p, &event, now);
    return false;
}

/* --- something is doubtful --- */

static void findings_text(unsigned set, char text[TEXT])
{
    static const char *const texts[] = {
#define X(name, code, text) text " [" code "]",
        ADU_CERTIFICATE_FINDINGS(X)
#undef X
    };
    const char *between = "its certificate: ";
    size_t used = 0;
    for (unsigned i = 0; i < ADU_CERTIFICATE_FINDING_COUNT; i++) {
        if ((set & 1u << i) != 0) {
            snprintf(text + used, TEXT - used, "%s%s", between, texts[i]);
            used = strlen(text);
            between = "; ";
        }
    }
}

static bool settle_findings(struct adu_certificate_alerts *alerts, struct adu_pipeline *p,
                            struct adu_principal *principal,
                            const struct adu_certificate_health *health, struct adu_now now)
{
    struct adu_certificate_watch *watch = &principal->watch;
    const unsigned set = health->watched ? health->findings : 0;
    if (set == watch->told_findings) {
        return false;
    }
    if (!take_turn(alerts, FINDINGS, now)) {
        return true;
    }
    char text[TEXT] = "nothing is doubtful in its certificate any more";
    const struct adu_subject about = subject_of(principal);
    if (watch->told_findings == 0) {
        watch->findings_since_ms = now.wall_ms;
    }
    findings_text(set, text);
    watch->told_findings = set;
    const struct adu_event event = {.kind = "certificate_finding",
                                    .raised = set != 0,
                                    .about = &about,
                                    .since_ms = watch->findings_since_ms,
                                    .rule = health->rule,
                                    .text = text};
    tell(p, &event, now);
    return false;
}

unsigned adu_certificate_alerts_settle(struct adu_certificate_alerts *alerts,
                                       struct adu_pipeline *p, struct adu_principal *principal,
                                       const struct adu_certificate_health *health,
                                       struct adu_now now)
{
    return (unsigned)settle_level(alerts, p, principal, health, now) +
           (unsigned)settle_findings(alerts, p, principal, health, now);
}

void adu_certificate_alerts_wait(struct adu_certificate_alerts *alerts, struct adu_pipeline *p,
                                 uint64_t waiting, struct adu_now now)
{
    char text[TEXT] = "no alert about a certificate waits any more";
    if (alerts->waiting == (waiting > 0)) {
        return;
    }
    alerts->waiting = waiting > 0;
    if (alerts->waiting) {
        alerts->waiting_since_ms = now.wall_ms;
        snprintf(text, sizeof text,
                 "%llu more alerts about certificates wait for their turn; aduana certs lists all",
                 (unsigned long long)waiting);
    }
    const struct adu_event event = {.kind = "certificate_alerts_waiting",
                                    .raised = alerts->waiting,
                                    .since_ms = alerts->waiting_since_ms,
                                    .text = text};
    adu_pipeline_log(p, alerts->waiting ? ADU_LOG_WARNING : ADU_LOG_NOTICE, "%s", text);
    adu_pipeline_event(p, &event, now);
}

/* --- who is forgotten --- */

bool adu_certificate_alerts_forget(struct adu_certificate_alerts *alerts,
                                   const struct adu_principal *gone)
{
    if (gone->watch.told_level == ADU_CERTIFICATE_GOOD && gone->watch.told_findings == 0) {
        return true;
    }
    const char *id = adu_principal_client_id(gone);
    const size_t size = strlen(id) + 1;
    struct farewell *farewell = calloc(1, sizeof *farewell + size);
    if (farewell == NULL ||
        (gone->username != NULL && (farewell->username = strdup(gone->username)) == NULL)) {
        free(farewell);
        return false;
    }
    memcpy(farewell->client_id, id, size);
    farewell->watch = gone->watch;
    farewell->next = alerts->farewells;
    alerts->farewells = farewell;
    return true;
}

static void tell_farewell(struct adu_pipeline *p, const struct farewell *farewell,
                          struct adu_now now)
{
    const struct adu_certificate_watch *watch = &farewell->watch;
    const struct adu_subject about = {.client_id = farewell->client_id,
                                      .username = farewell->username};
    struct adu_event event = {.about = &about, .text = "the client is no longer known"};
    if (watch->told_level != ADU_CERTIFICATE_GOOD) {
        event.kind = "certificate_expiry";
        event.severity = severity_of(watch->told_level);
        event.since_ms = watch->level_since_ms;
        tell(p, &event, now);
    }
    if (watch->told_findings != 0) {
        event.kind = "certificate_finding";
        event.severity = ADU_SEVERITY_WARNING;
        event.since_ms = watch->findings_since_ms;
        tell(p, &event, now);
    }
}

void adu_certificate_alerts_farewell(struct adu_certificate_alerts *alerts, struct adu_pipeline *p,
                                     struct adu_now now)
{
    struct farewell *farewell;
    while ((farewell = take_farewell(alerts)) != NULL) {
        tell_farewell(p, farewell, now);
        farewell_free(farewell);
    }
}
