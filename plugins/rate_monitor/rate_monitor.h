/* Rates of each client against the limits of its class, by rate_monitor.json; alerts when they are
 * crossed and when that is over. Also the keeper of the bundle's own topics, which no client may
 * publish to. Knows no broker: what is to be sent goes through the call's outlet. */
#ifndef ADUANA_RATE_MONITOR_H
#define ADUANA_RATE_MONITOR_H

#include "common/stage.h"
#include "plugins/rate_monitor/learned.h"
#include "plugins/rate_monitor/meter.h"

struct adu_client_presence;
struct adu_rate_incident; /* what is going on about a client */
struct adu_rate_policy;
struct adu_rate_monitor; /* what outlives a generation: who is above a limit now */

/* Whose groups a client is counted in, too: its class, its listener, all. */
enum adu_rate_scope { ADU_RATE_CLASS, ADU_RATE_LISTENER, ADU_RATE_BROKER, ADU_RATE_SCOPES };

/* A client's state; zeroed to begin. There may be very many of them, so what only matters while an
 * alert is up is not here. */
struct adu_rate_client {
    struct adu_learned *learned; /* NULL: its class asks for nothing that must be learned */
    struct adu_client_presence *presence; /* NULL: nothing is told of it */
    struct adu_meter meter;
    const struct adu_subject *subject; /* who it is; borrowed, and outlives its state */
    union {
        struct adu_rate_client *next_fresh; /* if `fresh` */
        struct adu_rate_incident *incident; /* else; NULL: there is none */
    };
    uint32_t place;         /* among those that are visited, if `known` */
    uint32_t generation;    /* under which the next two were found; 0: never */
    int16_t class_index;    /* -1: not watched */
    int16_t listener_group; /* of the policy; -1: none */
    bool known : 1;
    bool online : 1;
    bool fresh : 1;     /* the next tick makes an incident for it */
    bool essential : 1; /* nothing is done to it, whatever its class says */
    bool throttled : 1;
};

/* NULL with c->error set. */
const struct adu_rate_policy *adu_rate_monitor_compile(struct adu_compiler *c,
                                                       const struct adu_json *root);

/* NULL when memory is gone. */
struct adu_rate_monitor *adu_rate_monitor_new(void);
void adu_rate_monitor_free(struct adu_rate_monitor *monitor);

/* A client has logged in. */
void adu_rate_monitor_connected(const struct adu_stage_call *call,
                                const struct adu_subject *subject, struct adu_rate_client *client);

/* It is no longer connected. */
void adu_rate_monitor_left(const struct adu_stage_call *call, struct adu_rate_client *client,
                           enum adu_end end);

/* From before the broker's start: what adu_outlet.keep was given. Of the subject only the names are
 * known yet. False: it cannot be read. */
bool adu_rate_monitor_restore(const struct adu_stage_call *call, const struct adu_subject *subject,
                              struct adu_rate_client *client, struct adu_bytes record);

/* What is known of the client is judged anew: under another policy, or by other roles. */
void adu_rate_monitor_judged(const struct adu_stage_call *call, const struct adu_subject *subject,
                             struct adu_rate_client *client);

/* It was refused what it attempted. */
void adu_rate_monitor_refused(const struct adu_stage_call *call, const struct adu_request *request,
                              struct adu_rate_client *client);

/* A log-in failed at that listener; 0: nobody knows which. */
void adu_rate_monitor_login_failed(const struct adu_stage_call *call, uint16_t port);

/* Counts a publish that is attempted, or a delivery. DENY if it is dropped because of how much
 * there is, TOO_MUCH if the client has to be told that, else ABSTAIN. Hot path. */
enum adu_verdict adu_rate_monitor_count(const struct adu_stage_call *call,
                                        const struct adu_request *request,
                                        struct adu_rate_client *client, struct adu_reason *why);

/* That answer for a publish, if the client is connected or comes back now. Nothing is counted. Hot
 * path. */
enum adu_verdict adu_rate_monitor_holds_back(const struct adu_request *request,
                                             const struct adu_rate_client *client,
                                             struct adu_reason *why);

/* DENY for a log-in of somebody in quarantine, else ABSTAIN. */
enum adu_verdict adu_rate_monitor_identify(const struct adu_stage_call *call,
                                           struct adu_login *login);

/* True with `why` while that client is in quarantine. */
bool adu_rate_monitor_keeps_out(const struct adu_stage_call *call, const char *client_id,
                                const char *username, struct adu_reason *why);

/* DENY for a publish to a topic of the bundle's own, else ABSTAIN. Hot path. */
enum adu_verdict adu_rate_monitor_decide(const struct adu_rate_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why);

/* Publishes what is due: alerts that began or are over, and the counters. */
void adu_rate_monitor_tick(const struct adu_stage_call *call);

/* Publishes it as an alert. */
void adu_rate_monitor_event(const struct adu_stage_call *call, const struct adu_event *event);

/* The client is being forgotten. An alert of it that is up is over with the next tick, which has
 * the names copied. The broker's thread. */
void adu_rate_monitor_forget(struct adu_rate_monitor *monitor, struct adu_rate_client *client);

/* What the plugin, the command and the tests load. */
extern const struct adu_stage adu_rate_monitor_stage;

#endif
