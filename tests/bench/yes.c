/* A plugin that says yes to everything: what any plugin at all costs the broker. */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stddef.h>

static mosquitto_plugin_id_t *plugin;

static int yes(int event, void *event_data, void *userdata)
{
    (void)event, (void)event_data, (void)userdata;
    return MOSQ_ERR_SUCCESS;
}

__attribute__((visibility("default"))) int mosquitto_plugin_version(int count, const int *versions)
{
    (void)count, (void)versions;
    return 5;
}

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t *id,
                                                                 void **userdata,
                                                                 struct mosquitto_opt *options,
                                                                 int count)
{
    (void)userdata, (void)options, (void)count;
    plugin = id;
    return mosquitto_callback_register(plugin, MOSQ_EVT_ACL_CHECK, yes, NULL, NULL);
}

__attribute__((visibility("default"))) int
mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int count)
{
    (void)userdata, (void)options, (void)count;
    return mosquitto_callback_unregister(plugin, MOSQ_EVT_ACL_CHECK, yes, NULL);
}
