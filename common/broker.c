/* A plugin comes and goes: its options, the broker's configuration, its place in a pipeline. */
#include "common/broker_conf.h"
#include "common/broker_parts.h"
#include <stdlib.h>
#include <string.h>

static int complain(const struct adu_stage *stage, const struct adu_error *error)
{
    char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
    mosquitto_log_printf(MOSQ_LOG_ERR, "aduana: aduana_%s.so refuses to start: %s",
                         adu_stage_name(stage->kind), adu_error_format(error, text, sizeof text));
    return MOSQ_ERR_INVAL;
}

static bool check_broker_conf(struct adu_error *error)
{
    struct adu_broker_conf_report report;
    const bool good = adu_broker_conf_check(&report, error);
    if (adu_plugins != NULL) { /* said already */
        return good;
    }
    if (report.unread[0] != '\0') {
        mosquitto_log_printf(
            MOSQ_LOG_WARNING,
            "aduana: %s cannot be read by the broker's user, so it was not checked "
            "for options that would leave the broker open",
            report.unread);
    } else if (report.found && !report.retain_source) {
        mosquitto_log_printf(
            MOSQ_LOG_NOTICE,
            "aduana: check_retain_source is not on: the broker goes on delivering retained "
            "messages of those who may no longer publish them");
    }
    return good;
}

static bool read_options(const struct mosquitto_opt *options, int count, struct adu_options *out,
                         struct adu_error *error)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(options[i].key, "policy_dir") == 0) {
            out->policy_dir = options[i].value;
        } else if (strcmp(options[i].key, "state_dir") == 0) {
            out->state_dir = options[i].value;
        } else if (strcmp(options[i].key, "pipeline") == 0) {
            out->pipeline = options[i].value;
        } else {
            return adu_error_set(error, NULL,
                                 "unknown option plugin_opt_%s; known are plugin_opt_policy_dir, "
                                 "plugin_opt_state_dir and plugin_opt_pipeline",
                                 options[i].key);
        }
    }
    return true;
}

int adu_broker_plugin_version(int count, const int *versions)
{
    for (int i = 0; i < count; i++) {
        if (versions[i] == 5) {
            return 5;
        }
    }
    return -1;
}

int adu_broker_plugin_init(const struct adu_stage *stage, mosquitto_plugin_id_t *identifier,
                           void **user_data, const struct mosquitto_opt *options, int count)
{
    struct adu_error error = {0};
    struct adu_options read = {0};
    struct adu_plugin *plugin = calloc(1, sizeof *plugin);
    *user_data = NULL;
    if (plugin == NULL) {
        adu_error_no_memory(&error);
    } else if (check_broker_conf(&error) && read_options(options, count, &read, &error)) {
        plugin->stage = stage;
        plugin->identifier = identifier;
        plugin->pipeline =
            adu_pipeline_attach(stage, &read, adu_broker_host(), &plugin->order, &error);
    }
    if (plugin == NULL || plugin->pipeline == NULL) {
        free(plugin);
        return complain(stage, &error);
    }
    plugin->next = adu_plugins; /* before the first registration: a later one may fail */
    adu_plugins = plugin;
    const int rc = adu_broker_hear(plugin);
    if (rc != MOSQ_ERR_SUCCESS) {
        adu_error_set(&error, NULL, "the broker does not take its callbacks (code %d)", rc);
        adu_pipeline_detach(plugin->pipeline, stage);
        return complain(stage, &error);
    }
    *user_data = plugin;
    return MOSQ_ERR_SUCCESS;
}

/* The callbacks stay registered: without any the broker would allow what it still does while it
 * shuts down. They keep pointing at `plugin`, so that stays too; the pipeline refuses by then. */
int adu_broker_plugin_cleanup(void *user_data)
{
    struct adu_plugin *plugin = user_data;
    if (plugin != NULL) {
        plugin->identifier = NULL;
        adu_pipeline_detach(plugin->pipeline, plugin->stage);
    }
    return MOSQ_ERR_SUCCESS;
}
