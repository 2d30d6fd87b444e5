/* The compiled form of rate_monitor.json, made by rate_policy*.c and read by rate_monitor.c. */
#ifndef ADUANA_RATE_MONITOR_POLICY_H
#define ADUANA_RATE_MONITOR_POLICY_H

#include "common/match.h"
#include "common/template.h"
#include "plugins/rate_monitor/rate_monitor.h"

/* Topics that nobody else may publish to. */
enum {
    ADU_RATE_OWN_ALERTS,
    ADU_RATE_OWN_COUNTERS,
    ADU_RATE_OWN_TREE,
    ADU_RATE_OWN_PRESENCE,
    ADU_RATE_OWN
};

enum { ADU_RATE_TREE_MOST = 256 }; /* bytes */

enum adu_rate_action {
    ADU_RATE_THROTTLE,
    ADU_RATE_DISCONNECT,
    ADU_RATE_QUARANTINE,
    ADU_RATE_ACTIONS
};

extern const char *const adu_rate_action_names[]; /* NULL-ended */

/* Many clients together. */
struct adu_rate_group_policy {
    enum adu_rate_scope scope;
    const char *name; /* of the class; the listener's port; NULL: the broker */
    uint16_t port;
    struct adu_rate_limits limits;
    bool learn; /* how many of them are connected */
    struct adu_place learn_place;
};

struct adu_rate_class {
    const char *name;
    const struct adu_match *match;
    struct adu_rate_limits limits;
    int group; /* of the class as a whole; -1: not watched */
    bool learn;
    uint32_t silence_s; /* 0: by what is learned, if it is */
    struct adu_place learn_place, silence_place;
    /* By action, sets of kinds of alerts: those of signals, then those of enum adu_habit_kind. */
    uint16_t acts_on[ADU_RATE_ACTIONS];
    int64_t quarantine_ms;
    struct adu_place actions_place;
};

struct adu_rate_policy {
    size_t class_count;
    struct adu_rate_class *classes;
    size_t group_count;
    struct adu_rate_group_policy *groups;
    size_t essential_count;
    const struct adu_match **essential;
    const struct adu_template *alert_topic;
    int alert_qos;
    bool alert_retain;
    long alerts_most;           /* that begin in a minute; the others wait */
    const char *counters_topic; /* NULL: not published */
    const char *counters_tree;  /* the same, each by itself below this; NULL: not published */
    int64_t counters_ms;
    const struct adu_template *presence_topic; /* NULL: not published */
    int presence_qos;
    const struct adu_topic_pattern
        *own[ADU_RATE_OWN]; /* topics of the bundle; NULL: not asked for */
};

/* The group's index; -1: there is none. */
int adu_rate_listener_group(const struct adu_rate_policy *policy, uint16_t port);
int adu_rate_broker_group(const struct adu_rate_policy *policy);

#endif
