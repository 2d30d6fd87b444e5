/* What has to be said of lists before anybody is refused for them: one cannot be read, one is about
 * to end. Edges only: once when it begins or becomes another, once when it is over. */
#ifndef ADUANA_CERT_AUTH_CRL_ALARM_H
#define ADUANA_CERT_AUTH_CRL_ALARM_H

#include "common/event.h"
#include "plugins/cert_auth/crl_settings.h"

struct adu_crl_alarm {
    bool up;
    int64_t since_ms; /* wall clock */
    char text[480];
};

/* Zeroed at first. */
struct adu_crl_alarms {
    int64_t due_ms; /* monotonic: when to look again */
    struct adu_crl_alarm unreadable, ending;
};

/* Has the alarm say `text`; NULL: all is well, which is what `over` says. */
void adu_crl_alarm_set(struct adu_crl_alarm *alarm, const struct adu_stage_call *call,
                       const char *kind, enum adu_severity severity, const char *text,
                       const char *over);

/* Whether a list is about to end or has ended at `wall_ms`, and what is to be said of it. */
bool adu_crl_is_ending(const struct adu_crl_settings *s, const struct adu_crl *crl, int64_t wall_ms,
                       enum adu_severity *severity, char *text, size_t size);

#endif
