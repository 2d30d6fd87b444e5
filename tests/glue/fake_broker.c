#include "fake_broker.h"
#include <check.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const plugin_names[PLUGINS] = {"cert_auth", "iam_auth", "rate_monitor", "topic_policy",
                                           "acl"};

enum { LINES = 256, LINE = 1024, CALLBACKS = 16 };

static struct {
    char lines[LINES][LINE];
    int line_count;
    struct {
        mosquitto_plugin_id_t *plugin;
        MOSQ_FUNC_generic_callback function;
        void *user_data;
    } callbacks[EVENTS][CALLBACKS];
    int counts[EVENTS], refused_event;
    struct {
        MOSQ_FUNC_generic_callback function;
        void *user_data;
        char topic[64];
    } control;
    bool no_control;
    char told[8192], kicked[64];
} broker;

void fake_reset(void)
{
    memset(&broker, 0, sizeof broker);
}

/* --- what the broker gives to plugins --- */

void mosquitto_log_printf(int level, const char *format, ...)
{
    (void)level;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(broker.lines[broker.line_count % LINES], LINE, format, arguments);
    va_end(arguments);
    broker.line_count++;
}

int mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
                                MOSQ_FUNC_generic_callback function, const void *event_data,
                                void *user_data)
{
    ck_assert_ptr_nonnull(identifier);
    if (event == broker.refused_event) {
        return MOSQ_ERR_NOMEM;
    }
    if (event > MOSQ_EVT_DISCONNECT && !IS_2_1) {
        return MOSQ_ERR_NOT_SUPPORTED;
    }
    if (event == MOSQ_EVT_CONTROL) { /* every version keeps one a topic */
        if (broker.no_control) {
            return MOSQ_ERR_NOT_SUPPORTED;
        }
        if (broker.counts[event] > 0) {
            return MOSQ_ERR_ALREADY_EXISTS;
        }
        broker.control.function = function;
        broker.control.user_data = user_data;
        snprintf(broker.control.topic, sizeof broker.control.topic, "%s", (const char *)event_data);
        broker.counts[event]++;
        return MOSQ_ERR_SUCCESS;
    }
    const int count = broker.counts[event];
    for (int i = 0; i < count && !IS_2_1; i++) { /* 2.0 keeps a function once, 2.1 once a plugin */
        if (broker.callbacks[event][i].function == function) {
            return MOSQ_ERR_ALREADY_EXISTS;
        }
    }
    ck_assert_int_lt(count, CALLBACKS);
    broker.callbacks[event][count].plugin = identifier;
    broker.callbacks[event][count].function = function;
    broker.callbacks[event][count].user_data = user_data;
    broker.counts[event]++;
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
                                  MOSQ_FUNC_generic_callback function, const void *event_data)
{
    (void)event_data;
    ck_assert_int_eq(broker.counts[event], 1);
    ck_assert(broker.callbacks[event][0].plugin == identifier &&
              broker.callbacks[event][0].function == function);
    broker.counts[event] = 0;
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_client_protocol_version(const struct mosquitto *client)
{
    return client->protocol;
}

const char *mosquitto_client_id(const struct mosquitto *client)
{
    return client->id;
}

const char *mosquitto_client_username(const struct mosquitto *client)
{
    return client->username[0] != '\0' ? client->username : NULL;
}

const char *mosquitto_client_address(const struct mosquitto *client)
{
    return client->address;
}

void *mosquitto_client_certificate(const struct mosquitto *client)
{
    (void)client;
    return NULL;
}

bool mosquitto_client_clean_session(const struct mosquitto *client)
{
    return client->clean;
}

int mosquitto_set_username(struct mosquitto *client, const char *username)
{
    snprintf(client->username, sizeof client->username, "%s", username);
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_kick_client_by_clientid(const char *id, bool with_will)
{
    (void)with_will;
    snprintf(broker.kicked, sizeof broker.kicked, "%s", id);
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_broker_publish_copy(const char *id, const char *topic, int length,
                                  const void *payload, int qos, bool retain,
                                  mosquitto_property *properties)
{
    (void)qos;
    (void)retain;
    (void)properties;
    if (id != NULL) {
        snprintf(broker.told, sizeof broker.told, "%s %s %.*s", id, topic, length,
                 (const char *)payload);
    }
    return MOSQ_ERR_SUCCESS;
}

#ifdef FAKE_2_1
void mosquitto_complete_basic_auth(const char *id, int result);

/* Its name alone tells plugins which version this is. */
void mosquitto_complete_basic_auth(const char *id, int result)
{
    (void)id;
    (void)result;
}
#endif

/* --- what the broker does with plugins --- */

static void *entry(void *handle, const char *name)
{
    void *function = dlsym(handle, name);
    ck_assert_msg(function != NULL, "%s", name);
    return function;
}

void fake_open(struct loaded *plugin, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/aduana_%s.so", ADU_PLUGIN_DIR, name);
    *plugin = (struct loaded){.name = name};
    plugin->handle = dlopen(path, RTLD_NOW | (IS_2_1 ? RTLD_LOCAL : RTLD_GLOBAL));
    ck_assert_msg(plugin->handle != NULL, "%s", dlerror());
    *(void **)&plugin->version = entry(plugin->handle, "mosquitto_plugin_version");
    *(void **)&plugin->init = entry(plugin->handle, "mosquitto_plugin_init");
    *(void **)&plugin->cleanup = entry(plugin->handle, "mosquitto_plugin_cleanup");
}

int fake_init(struct loaded *plugin, const char *key, const char *value)
{
    struct mosquitto_opt option = {.key = (char *)(uintptr_t)key,
                                   .value = (char *)(uintptr_t)value};
    return plugin->init((mosquitto_plugin_id_t *)plugin, &plugin->user_data, &option,
                        key != NULL ? 1 : 0);
}

void fake_cleanup(struct loaded *plugin)
{
    ck_assert_int_eq(plugin->cleanup(plugin->user_data, NULL, 0), MOSQ_ERR_SUCCESS);
    plugin->user_data = NULL;
}

void fake_refuse_event(int event)
{
    broker.refused_event = event;
}

int fake_registrations(int event)
{
    return broker.counts[event];
}

int fake_ask(int event, void *data)
{
    int answer = -1;
    for (int i = 0; i < broker.counts[event]; i++) {
        answer =
            broker.callbacks[event][i].function(event, data, broker.callbacks[event][i].user_data);
        if (answer != MOSQ_ERR_PLUGIN_DEFER) {
            break;
        }
    }
    return answer;
}

void fake_tell(int event, void *data)
{
    for (int i = 0; i < broker.counts[event]; i++) {
        broker.callbacks[event][i].function(event, data, broker.callbacks[event][i].user_data);
    }
}

void fake_gone(struct mosquitto *client)
{
    struct mosquitto_evt_disconnect event = {.client = client, .reason = IS_2_1 ? 0 : -1};
    fake_tell(IS_2_1 && !client->clean ? EVENT_OFFLINE : MOSQ_EVT_DISCONNECT, &event);
}

int fake_login(struct mosquitto *client, const char *username, const char *password)
{
    struct mosquitto_evt_basic_auth event = {.client = client,
                                             .username = (char *)(uintptr_t)username,
                                             .password = (char *)(uintptr_t)password};
    snprintf(client->username, sizeof client->username, "%s", username != NULL ? username : "");
    return fake_ask(MOSQ_EVT_BASIC_AUTH, &event);
}

/* handle__publish() of both versions. */
int fake_publish(struct mosquitto *client, uint8_t qos, char *topic)
{
    const struct mosquitto_evt_acl_check asked = {
        .client = client, .topic = topic, .access = MOSQ_ACL_WRITE, .qos = qos};
    struct mosquitto_evt_message message = {.client = client, .topic = topic, .qos = qos};
    int answer = fake_ask(MOSQ_EVT_ACL_CHECK, (void *)(uintptr_t)&asked);
    for (int i = 0; answer == MOSQ_ERR_SUCCESS && i < broker.counts[MOSQ_EVT_MESSAGE]; i++) {
        answer = broker.callbacks[MOSQ_EVT_MESSAGE][i].function(
            MOSQ_EVT_MESSAGE, &message, broker.callbacks[MOSQ_EVT_MESSAGE][i].user_data);
    }
    return answer;
}

int fake_acl(struct mosquitto *client, int access, const char *topic)
{
    struct mosquitto_evt_acl_check event = {.client = client,
                                            .topic = topic,
                                            .access = access,
                                            .payload = "1",
                                            .payloadlen = 1,
                                            .qos = 1};
    return fake_ask(MOSQ_EVT_ACL_CHECK, &event);
}

int fake_control(struct mosquitto *client, const char *topic, const char *payload)
{
    const int rc = fake_acl(client, MOSQ_ACL_WRITE, topic);
    return rc == MOSQ_ERR_SUCCESS ? fake_control_unasked(client, topic, payload) : rc;
}

int fake_control_unasked(struct mosquitto *client, const char *topic, const char *payload)
{
    if (broker.counts[MOSQ_EVT_CONTROL] == 0 || strcmp(topic, broker.control.topic) != 0) {
        return -1;
    }
    struct mosquitto_evt_control event = {.client = client,
                                          .topic = topic,
                                          .payload = payload,
                                          .payloadlen = (uint32_t)strlen(payload),
                                          .qos = 1};
    return broker.control.function(MOSQ_EVT_CONTROL, &event, broker.control.user_data);
}

void fake_without_control(void)
{
    broker.no_control = true;
}

const char *fake_told(void)
{
    return broker.told;
}

const char *fake_kicked(void)
{
    return broker.kicked;
}

int fake_reload(void)
{
    int answer = -1;
    for (int i = 0; i < broker.counts[MOSQ_EVT_RELOAD]; i++) {
        struct mosquitto_evt_reload event = {0};
        const int one = broker.callbacks[MOSQ_EVT_RELOAD][i].function(
            MOSQ_EVT_RELOAD, &event, broker.callbacks[MOSQ_EVT_RELOAD][i].user_data);
        if (i > 0 && one != answer) {
            return -1;
        }
        answer = one;
    }
    return answer;
}

int fake_logged(const char *part)
{
    int count = 0;
    for (int i = 0; i < broker.line_count && i < LINES; i++) {
        count += strstr(broker.lines[i], part) != NULL;
    }
    return count;
}

const char *fake_last_line(void)
{
    return broker.line_count > 0 ? broker.lines[(broker.line_count - 1) % LINES] : "";
}
