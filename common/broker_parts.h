/* Mosquitto, for those files of this folder that know it. Each calls only those above it:
 * broker_host.c (what is asked of the broker), broker_events.c (what the broker asks and tells),
 * broker.c (a plugin comes and goes). All on the broker's own thread. */
#ifndef ADUANA_COMMON_BROKER_PARTS_H
#define ADUANA_COMMON_BROKER_PARTS_H

#include "common/broker.h"
#include "common/pipeline.h"

/* libaduana is also loaded by programs that are no broker. */
#pragma weak mosquitto_broker_publish_copy
#pragma weak mosquitto_callback_register
#pragma weak mosquitto_callback_unregister
#pragma weak mosquitto_client_address
#pragma weak mosquitto_client_certificate
#pragma weak mosquitto_client_clean_session
#pragma weak mosquitto_client_id
#pragma weak mosquitto_client_protocol_version
#pragma weak mosquitto_client_username
#pragma weak mosquitto_kick_client_by_clientid
#pragma weak mosquitto_log_printf
#pragma weak mosquitto_set_username

/* One loaded plugin: what its callbacks are given. */
struct adu_plugin {
    struct adu_pipeline *pipeline;
    const struct adu_stage *stage;
    unsigned order; /* among the plugin lines of its pipeline */
    int64_t ticked_ms;
    mosquitto_plugin_id_t *identifier; /* NULL: it has been unloaded */
    bool wants_messages;               /* its callback for each message is there, or was refused */
    struct adu_plugin *next;
};

/* broker_host.c: all that were loaded, the newest first; never freed: the broker's callbacks point
 * at them to the end. */
extern struct adu_plugin *adu_plugins;

/* broker_host.c: 2.1 brought mosquitto_complete_basic_auth, and with it other meanings of some
 * return codes. */
bool adu_broker_is_2_1(void);

/* broker_host.c: a function that the headers of 2.0 do not name. NULL: this broker has none. */
void *adu_broker_newer(const char *name);

/* broker_host.c: the listener's; 0 on brokers before 2.1, which do not say. */
uint16_t adu_broker_port_of(const struct mosquitto *client);

/* broker_host.c: whether the broker may keep the session when the connection ends. */
bool adu_broker_may_stay(const struct mosquitto *client);

/* broker_host.c: what a pipeline may ask of this broker. */
const struct adu_host *adu_broker_host(void);

/* broker_events.c: registers what the plugin is to hear of. A code of Mosquitto's. */
int adu_broker_hear(struct adu_plugin *plugin);

#endif
