/* The compiled form of rate_monitor.json, made by rate_policy.c and read by rate_monitor.c. */
#ifndef ADUANA_RATE_MONITOR_POLICY_H
#define ADUANA_RATE_MONITOR_POLICY_H

#include "common/match.h"
#include "common/template.h"
#include "plugins/rate_monitor/rate_monitor.h"

struct adu_rate_class {
    struct adu_place places[ADU_RATE_KINDS];
    const char *name;
    const struct adu_match *match;
    struct adu_rate_limit limits[ADU_RATE_KINDS];
    bool learn;
    int64_t silence_ms; /* 0: by what is learned, if it is */
    struct adu_place learn_place, silence_place;
};

struct adu_rate_policy {
    size_t class_count;
    struct adu_rate_class *classes;
    const struct adu_template *alert_topic;
    int alert_qos;
    bool alert_retain;
    long alerts_most;           /* that begin in a minute; the others wait */
    const char *counters_topic; /* NULL: not published */
    int64_t counters_ms;
    const struct adu_topic_pattern *own[2]; /* topics of the bundle; [1] may be NULL */
};

#endif
