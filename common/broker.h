/* What a plugin.c file needs: Mosquitto itself, its callbacks, its return codes and how they differ
 * from 2.0.11 to 2.1.2, is known to broker.c, broker_events.c and broker_host.c alone. */
#ifndef ADUANA_COMMON_BROKER_H
#define ADUANA_COMMON_BROKER_H

#include "common/stage.h"
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

/* The bodies of mosquitto_plugin_version, _init and _cleanup. */
ADU_API int adu_broker_plugin_version(int count, const int *versions);
ADU_API int adu_broker_plugin_init(const struct adu_stage *stage, mosquitto_plugin_id_t *identifier,
                                   void **user_data, const struct mosquitto_opt *options,
                                   int count);
ADU_API int adu_broker_plugin_cleanup(void *user_data);

/* The three entry points of a plugin that brings the given stage. */
#define ADU_BROKER_PLUGIN(stage)                                                                   \
    ADU_API int mosquitto_plugin_version(int count, const int *versions)                           \
    {                                                                                              \
        return adu_broker_plugin_version(count, versions);                                         \
    }                                                                                              \
    ADU_API int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **user_data,         \
                                      struct mosquitto_opt *options, int count)                    \
    {                                                                                              \
        return adu_broker_plugin_init(&(stage), identifier, user_data, options, count);            \
    }                                                                                              \
    ADU_API int mosquitto_plugin_cleanup(void *user_data, struct mosquitto_opt *options,           \
                                         int count)                                                \
    {                                                                                              \
        (void)options;                                                                             \
        (void)count;                                                                               \
        return adu_broker_plugin_cleanup(user_data);                                               \
    }

#endif
