#include "plugins/cert_auth/crl_alarm.h"
#include <stdio.h>
#include <string.h>

void adu_crl_alarm_set(struct adu_crl_alarm *alarm, const struct adu_stage_call *call,
                       const char *kind, enum adu_severity severity, const char *text,
                       const char *over)
{
    const bool raised = text != NULL;
    if (alarm->up == raised &&
        (!raised || strncmp(alarm->text, text, sizeof alarm->text - 1) == 0)) {
        return;
    }
    if (!alarm->up) {
        alarm->since_ms = call->wall_ms;
    }
    alarm->up = raised;
    snprintf(alarm->text, sizeof alarm->text, "%s", raised ? text : over);
    const struct adu_event event = {.kind = kind,
                                    .severity = severity,
                                    .raised = raised,
                                    .since_ms = alarm->since_ms,
                                    .text = alarm->text};
    call->outlet->log(call->outlet->context,
                      !raised                             ? ADU_LOG_NOTICE
                      : severity == ADU_SEVERITY_CRITICAL ? ADU_LOG_ERROR
                                                          : ADU_LOG_WARNING,
                      alarm->text);
    call->outlet->alert(call->outlet->context, &event);
}

bool adu_crl_is_ending(const struct adu_crl_settings *s, const struct adu_crl *crl, int64_t wall_ms,
                       enum adu_severity *severity, char *text, size_t size)
{
    const int64_t until_ms = adu_crl_until_ms(crl);
    char name[64], until[ADU_CRL_TIME], grace[ADU_CRL_TIME];
    if (wall_ms < until_ms - adu_crl_settings_alert_ms(s, crl)) {
        return false;
    }
    adu_crl_issuer_name(adu_crl_issuer(crl), name, sizeof name);
    adu_crl_time(until_ms, until);
    adu_crl_time(until_ms + s->grace_ms, grace);
    *severity = wall_ms < until_ms ? ADU_SEVERITY_WARNING : ADU_SEVERITY_CRITICAL;
    if (wall_ms < until_ms) {
        snprintf(text, size,
                 "the CRL %.200s of \"%s\" expires on %s; its clients are let in until %s",
                 adu_crl_name(crl), name, until, grace);
    } else if (wall_ms < until_ms + s->grace_ms) {
        snprintf(
            text, size,
            "the CRL %.200s of \"%s\" has expired on %s; its clients are still let in until %s",
            adu_crl_name(crl), name, until, grace);
    } else {
        snprintf(
            text, size,
            "the CRL %.200s of \"%s\" has expired on %s: its clients are refused when they log in",
            adu_crl_name(crl), name, until);
    }
    return true;
}
