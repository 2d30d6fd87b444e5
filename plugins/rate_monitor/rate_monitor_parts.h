/* The inside of the monitor, shared by its parts. Each calls only those before it: incidents.c
 * (whose alerts are up), clients.c (who is known, who is forgotten), tell_presence.c (presence goes
 * out, and what outlives the broker to the disk), act.c (what is done about alerts), tell.c (alerts
 * go out), groups.c (many clients together), tell_counters.c (counters go out), rate_monitor.c
 * (counting, and what the stage does). */
#ifndef ADUANA_RATE_MONITOR_PARTS_H
#define ADUANA_RATE_MONITOR_PARTS_H

#include "plugins/rate_monitor/alert.h"
#include "plugins/rate_monitor/presence.h"
#include "plugins/rate_monitor/quarantine.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/rate_monitor/rate_policy.h"

/* Kinds of alerts: those of signals, then those of enum adu_habit_kind. */
enum { ADU_ALERT_KINDS = ADU_RATE_KINDS + ADU_HABIT_KINDS };

/* Since when alerts of somebody are up. */
struct adu_since {
    uint16_t up; /* set of kinds: these */
    int64_t wall_ms[ADU_ALERT_KINDS];
};

/* To be told in each tick what is up. */
static inline void adu_since_note(struct adu_since *since, unsigned up, int64_t wall_ms)
{
    const unsigned began = up & ~(unsigned)since->up;
    for (int kind = 0; began >> kind != 0; kind++) {
        if ((began >> kind & 1) != 0) {
            since->wall_ms[kind] = wall_ms;
        }
    }
    since->up = (uint16_t)up;
}

/* What is going on about a client, from the tick after an alert of it began till none is up. */
struct adu_rate_incident {
    struct adu_rate_client *client;
    struct adu_rate_incident *earlier, *later; /* while `listed`: something is to be told or done */
    bool listed;
    uint16_t acted; /* set of kinds: what these alerts ask for has been done */
    struct adu_since since;
};

/* A client that was forgotten while its alert was up: what is left to say of it. */
struct adu_farewell {
    struct adu_farewell *next;
    struct adu_rate_client client; /* a copy, which owns its incident and its meter */
    struct adu_subject subject;    /* only the names, which are those below */
    struct adu_learned learned;    /* a copy, if it had one */
    char names[];
};

/* Many clients together, as the policy asks; see groups.c. */
struct adu_rate_group {
    enum adu_rate_scope scope;
    char *name; /* of the class, or the listener's port; owned; NULL: the broker */
    struct adu_meter meter;
    struct adu_since since;    /* of alerts of signals */
    uint32_t online, counting; /* clients connected: by the last round of visits, and in this one */
    struct adu_connections *usual; /* NULL: not learned */
};

/* Numbers that are told each by itself. */
struct adu_rate_tree {
    char *topic;    /* below which they were told; NULL: none was */
    bool leaving;   /* what was told is being taken back */
    size_t next;    /* in adu_metric_list: the next one to be looked at */
    int64_t due_ms; /* when the next round of all of them begins */
    uint64_t *told; /* by adu_metric_list: one more than the number that was told; 0: none was */
};

struct adu_rate_monitor {
    struct adu_rate_client *fresh;       /* something began, or is over, since the last tick */
    struct adu_rate_incident *incidents; /* of which something is to be told, or is not over */
    struct adu_farewell *farewells;
    unsigned farewells_lost; /* for want of memory */
    int64_t counters_due_ms;
    struct adu_rate_tree tree;
    struct adu_rate_client **all; /* who is visited, in no order; an owned array of borrowed ones */
    size_t known, room;           /* how many they are, and how many it has room for */
    size_t visited;               /* in this round: the first ones */
    struct adu_rate_group *groups; /* as those of the policy of `grouped` */
    size_t group_count;
    unsigned long grouped; /* the generation; 0: none */
    int broker_group;      /* -1: none */
    int64_t minute_ms;     /* when this minute of alerts began */
    long told;             /* in it */
    struct adu_quarantine *quarantine;
    struct adu_presences *presences;
    unsigned long presence_generation; /* under which all of them were due */
    bool delaying;                     /* there are more than may be told, and that has been told */
};

/* incidents.c: has the client looked at in each tick until its incident rests. Hot. */
void adu_rate_list(struct adu_rate_monitor *monitor, struct adu_rate_client *client);

/* incidents.c: makes the incidents of those that were listed since the last tick. Returns how many
 * there was no memory for: they are tried again. */
unsigned adu_rate_open_incidents(struct adu_rate_monitor *monitor);

/* incidents.c: nothing of it is to be told or done now. It stays while an alert is up. */
void adu_rate_rest_incident(struct adu_rate_monitor *monitor, struct adu_rate_incident *incident);

/* incidents.c: the client has none any more. Returns what it had, which the caller frees; or NULL.
 */
struct adu_rate_incident *adu_rate_take_incident(struct adu_rate_monitor *monitor,
                                                 struct adu_rate_client *client);

/* incidents.c: the set of kinds of alerts that are up. */
unsigned adu_rate_up(const struct adu_rate_client *client);

/* clients.c: puts it among those that are visited. False when memory is gone: it is not. */
bool adu_rate_know(struct adu_rate_monitor *monitor, struct adu_rate_client *client);

/* clients.c: the next one, which the caller frees with the function below; NULL: none. */
struct adu_farewell *adu_rate_take_farewell(struct adu_rate_monitor *monitor);
void adu_rate_farewell_free(struct adu_farewell *farewell);

/* groups.c: the groups are those of the running policy from here on. From a tick. */
void adu_rate_regroup(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);
void adu_rate_groups_free(struct adu_rate_monitor *monitor);

/* groups.c: counts for the groups of a client. Hot. */
void adu_rate_groups_add(const struct adu_stage_call *call, const struct adu_rate_client *client,
                         enum adu_signal signal);
void adu_rate_groups_publish(const struct adu_stage_call *call,
                             const struct adu_rate_client *client, uint32_t topic, uint32_t payload,
                             uint64_t hash);
bool adu_rate_groups_want_hash(const struct adu_stage_call *call,
                               const struct adu_rate_client *client);

/* groups.c: a visited client, and the end of a round. From a tick. */
void adu_rate_groups_visit(const struct adu_stage_call *call, const struct adu_rate_client *client);
void adu_rate_groups_round(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);

/* groups.c: what has begun or is over with them. From a tick. */
void adu_rate_groups_tell(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);

/* tell.c: whether one more alert may begin in this minute. What may not waits, and is told when it
 * may, if it is not over by then. */
bool adu_rate_may_begin(const struct adu_stage_call *call);

/* False: since a reload it may be of another class, which its next message or judgement tells. */
static inline bool adu_rate_is_classified(const struct adu_stage_call *call,
                                          const struct adu_rate_client *client)
{
    return client->generation == (uint32_t)call->generation;
}

/* Under the policy by which it was classified. NULL: it is of none. */
static inline const struct adu_rate_class *adu_rate_class_of(const struct adu_rate_policy *policy,
                                                             const struct adu_rate_client *client)
{
    return client->class_index >= 0 ? &policy->classes[client->class_index] : NULL;
}

/* NULL: it is of none, or that is not known. */
static inline const struct adu_rate_class *adu_rate_class_now(const struct adu_stage_call *call,
                                                              const struct adu_rate_client *client)
{
    return adu_rate_is_classified(call, client) ? adu_rate_class_of(call->policy, client) : NULL;
}

/* act.c: the set of what is done about that kind of alert of the client. */
unsigned adu_rate_actions_on(const struct adu_stage_call *call,
                             const struct adu_rate_client *client, int kind);

/* act.c: does it, once an alert, and ends what is over, for a client that has an incident. From a
 * tick. */
void adu_rate_act(const struct adu_stage_call *call, struct adu_rate_client *client);

/* tell.c: one alert goes out. From a tick. */
void adu_rate_publish(const struct adu_stage_call *call, const struct adu_alert *alert);

/* tell.c: what has begun or is over with a client that has an incident. True while an alert of it
 * is not over, or waits. */
bool adu_rate_tell_due(const struct adu_stage_call *call, struct adu_rate_client *client);

/* tell.c: the end of the alerts of those who were forgotten. */
void adu_rate_tell_farewells(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);

/* tell.c: says so when no alert waits any more. */
void adu_rate_end_delay(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);

/* tell_presence.c: what has changed, some of it a tick. */
void adu_rate_tell_presence(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);

/* tell_presence.c: the client is connected, if anybody wants to know. */
void adu_rate_present(const struct adu_stage_call *call, struct adu_rate_client *client);

/* tell_presence.c: keeps what is known of the client on disk; now, or if it was ten minutes ago:
 * then true. From a tick. */
void adu_rate_save(const struct adu_stage_call *call, struct adu_rate_client *client);
bool adu_rate_save_due(const struct adu_stage_call *call, struct adu_rate_client *client);

/* tell_counters.c: what is due, some of it a tick. */
void adu_rate_tell_counters(const struct adu_stage_call *call, struct adu_rate_monitor *monitor);

/* tell_counters.c: frees what it has. */
void adu_rate_tree_clear(struct adu_rate_tree *tree);

#endif
