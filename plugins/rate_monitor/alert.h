/* An alert in the form that goes out. Pure: makes text, sends nothing. */
#ifndef ADUANA_RATE_MONITOR_ALERT_H
#define ADUANA_RATE_MONITOR_ALERT_H

#include "common/event.h"
#include "common/template.h"
#include <stdint.h>

struct adu_alert {
    const char *kind; /* "publish_rate" */
    enum adu_severity severity;
    bool raised;           /* else it is over */
    const char *client_id; /* NULL: it is about the bundle, not about a client */
    const char *username, *class_name;
    const char *listener; /* a port; NULL: not about a listener */
    const char *about;    /* the level in place of a client id; NULL: that, or "broker" */
    double value;
    double expected;  /* what is usual; 0: not known, or not about that */
    long limit;       /* 0: not about a number */
    unsigned actions; /* what is done about it, as a set of places in `action_names` */
    const char *const *action_names;
    int64_t since_ms, time_ms;    /* wall clock */
    const struct adu_place *rule; /* NULL: none */
    const char *text;
};

/* The names that an alert topic may ask for, NULL-ended. */
extern const char *const adu_alert_names[];

/* RFC 3339, UTC, milliseconds; returns the buffer. */
const char *adu_alert_time(int64_t wall_ms, char *buffer, size_t size);

/* The alert as a JSON object; the caller frees it. NULL when memory is gone. */
char *adu_alert_json(const struct adu_alert *alert);

/* The topic for this alert: each value as one level, `_` in place of what a level cannot hold and
 * "broker" for a missing client. false when it does not fit. */
bool adu_alert_topic(const struct adu_template *topic, const struct adu_alert *alert, char *buffer,
                     size_t size);

#endif
