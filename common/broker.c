#include "common/broker.h"
#include "common/broker_conf.h"
#include "common/control.h"
#include "common/pipeline.h"
#include <dlfcn.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Events of 2.1 that the headers of 2.0 do not name. */
enum { EVENT_CLIENT_OFFLINE = 28 };

/* Results of BASIC_AUTH and of MESSAGE in 2.1. */
enum { ERR_AUTH_DELAYED = -5, ERR_QUOTA_EXCEEDED = -6 };

/* Of mosquitto_client_protocol_version. */
enum { MQTT_5 = 5 };

/* One loaded plugin: what its callbacks are given. */
struct plugin {
    struct adu_pipeline *pipeline;
    const struct adu_stage *stage;
    unsigned order; /* among the plugin lines of its pipeline */
    int64_t ticked_ms;
    mosquitto_plugin_id_t *identifier; /* NULL: it has been unloaded */
    bool wants_messages;               /* its callback for each message is there, or was refused */
    struct plugin *next;
};

static struct plugin *plugins; /* never freed: the broker's callbacks point at them to the end */
static pthread_t broker_thread;

/* 2.1 brought mosquitto_complete_basic_auth, and with it other meanings of some return codes. */
static bool is_2_1(void)
{
    static int known = -1;
    if (known < 0) {
        known = dlsym(RTLD_DEFAULT, "mosquitto_complete_basic_auth") != NULL;
    }
    return known == 1;
}

/* --- what the pipeline asks of the broker --- */

static void host_log(enum adu_log_level level, const char *line)
{
    static const int levels[] = {[ADU_LOG_ERROR] = MOSQ_LOG_ERR,
                                 [ADU_LOG_WARNING] = MOSQ_LOG_WARNING,
                                 [ADU_LOG_NOTICE] = MOSQ_LOG_NOTICE,
                                 [ADU_LOG_INFO] = MOSQ_LOG_INFO};
    mosquitto_log_printf(levels[level], "%s", line);
}

static void host_publish(void *context, const char *topic, const char *payload, int qos,
                         bool retain)
{
    (void)context;
    mosquitto_broker_publish_copy(NULL, topic, (int)strlen(payload), payload, qos, retain, NULL);
}

static void host_kick(const char *client_id, bool with_will)
{
    mosquitto_kick_client_by_clientid(client_id, with_will);
}

static const char *host_username(const void *handle)
{
    return mosquitto_client_username(handle);
}

static const char *host_address(const void *handle)
{
    return mosquitto_client_address(handle);
}

static bool host_has_certificate(const void *handle)
{
    X509 *certificate = mosquitto_client_certificate(handle);
    X509_free(certificate);
    return certificate != NULL;
}

static void *newer(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

/* 2.1's. It completes whatever connection waits under that client id; one that has gone it does not
 * know any more, and one that it has let in since is not the one that waited. */
static bool host_complete(const void *handle, const char *client_id, bool accepted,
                          const char *username)
{
    static void (*complete_basic_auth)(const char *id, int result);
    static struct mosquitto *(*find_client)(const char *id);
    if (complete_basic_auth == NULL) {
        *(void **)&complete_basic_auth = newer("mosquitto_complete_basic_auth");
        *(void **)&find_client = newer("mosquitto_client");
    }
    if (find_client == NULL || find_client(client_id) == handle) {
        return false;
    }
    complete_basic_auth(client_id, accepted ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH);
    struct mosquitto *client = accepted ? find_client(client_id) : NULL;
    if (client == NULL || client != handle) {
        return false;
    }
    const char *claimed = mosquitto_client_username(client);
    if (username[0] != '\0' && (claimed == NULL || strcmp(claimed, username) != 0) &&
        mosquitto_set_username(client, username) != MOSQ_ERR_SUCCESS) {
        mosquitto_kick_client_by_clientid(client_id, false);
        return false;
    }
    return true;
}

/* 2.1's; 0 on brokers before it, which do not say. */
static uint16_t port_of(const struct mosquitto *client)
{
    static int (*client_port)(const struct mosquitto *client);
    static bool asked;
    if (!asked) {
        *(void **)&client_port = newer("mosquitto_client_port");
        asked = true;
    }
    return client_port != NULL ? (uint16_t)client_port(client) : 0;
}

static bool host_hears_why(const void *handle)
{
    return mosquitto_client_protocol_version(handle) == MQTT_5;
}

static bool host_taken_elsewhere(const struct adu_pipeline *asking, const char *client_id,
                                 const char *username, struct adu_now time)
{
    for (const struct plugin *one = plugins; one != NULL; one = one->next) {
        if (one->order == 0 && one->pipeline != asking &&
            adu_pipeline_taken_by_another(one->pipeline, client_id, username, time)) {
            return true;
        }
    }
    return false;
}

static int64_t host_nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct adu_host host = {
    .log = host_log,
    .publish = host_publish,
    .kick = host_kick,
    .username = host_username,
    .address = host_address,
    .has_certificate = host_has_certificate,
    .hears_why = host_hears_why,
    .taken_elsewhere = host_taken_elsewhere,
    .nanoseconds = host_nanoseconds,
};

/* Neither clock costs a system call; 4 ms apart is near enough for rates and log-ins. */
static struct adu_now now(void)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &mono);
    clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    return (struct adu_now){.mono_ms = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
                            .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

/* --- one answer an event --- */

/* 2.0 keeps one registration of a function a listener; 2.1 keeps one a plugin, and asks the next
 * when the answer is DEFER. Then plugins of one pipeline would each judge, and count, the same
 * question: the later ones see that an earlier one of their pipeline has just been asked, because a
 * chain goes by the order of the plugin lines. A chain starts anew with an order that is not later.
 */
static bool asked_already(const struct plugin *plugin, int event, const void *client,
                          const void *subject)
{
    static struct {
        const struct adu_pipeline *pipeline;
        int event;
        const void *client, *subject;
        unsigned order;
    } last;
    const bool same = last.pipeline == plugin->pipeline && last.event == event &&
                      last.client == client && last.subject == subject &&
                      plugin->order > last.order;
    last.pipeline = plugin->pipeline;
    last.event = event;
    last.client = client;
    last.subject = subject;
    last.order = plugin->order;
    return same;
}

/* 2.1's http_api asks from a thread of its own; nothing here may be touched from there. */
static bool on_other_thread(void)
{
    return !pthread_equal(pthread_self(), broker_thread);
}

/* The time, and the tick's work where the broker has forgotten it. */
static struct adu_now now_and_tick(const struct plugin *plugin)
{
    const struct adu_now time = now();
    if (adu_pipeline_tick_is_late(plugin->pipeline, time)) {
        adu_pipeline_tick(plugin->pipeline, time, false);
    }
    return time;
}

/* `certificate` in DER, to be freed by OPENSSL_free. One that cannot be written is there all the
 * same, and empty: then it cannot be read either. */
static struct adu_bytes der_of(X509 *certificate)
{
    struct adu_bytes der = {0};
    if (certificate != NULL) {
        const int length = i2d_X509(certificate, &der.bytes);
        der.length = length > 0 ? (size_t)length : 0;
        if (length <= 0) {
            der.bytes = OPENSSL_zalloc(1);
        }
    }
    return der;
}

/* Whether the broker may keep the session when the connection ends. In MQTT 5 that has nothing to
 * do with Clean Start: the Session Expiry Interval says it, which no broker shows. 2.1 says later
 * whether the session ended with its connection; 2.0 does not, and there it counts as kept. */
static bool may_stay(const struct mosquitto *client)
{
    return mosquitto_client_protocol_version(client) == MQTT_5 ||
           !mosquitto_client_clean_session(client);
}

static int on_basic_auth(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    struct mosquitto_evt_basic_auth *e = event_data;
    if (on_other_thread()) {
        return MOSQ_ERR_AUTH;
    }
    if (asked_already(plugin, event, e->client, e->username)) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    for (const struct plugin *one = plugins; one != NULL; one = one->next) {
        if (one->pipeline != plugin->pipeline) {
            adu_pipeline_superseded(one->pipeline, mosquitto_client_id(e->client));
        }
    }
    char username[ADU_USERNAME_MOST + 1] = "";
    /* What we leave in OpenSSL's queue of errors the broker would take for the next connection's.
     */
    ERR_set_mark();
    X509 *certificate = mosquitto_client_certificate(e->client);
    const struct adu_bytes der = der_of(certificate);
    const struct adu_connect connect = {
        .handle = e->client,
        .client_id = mosquitto_client_id(e->client),
        .username = e->username,
        .password = e->password,
        .address = mosquitto_client_address(e->client),
        .port = port_of(e->client),
        .certificate = der,
        .parsed = der.length > 0 ? certificate : NULL,
        .durable = may_stay(e->client),
    };
    const enum adu_verdict verdict =
        adu_pipeline_login(plugin->pipeline, &connect, now_and_tick(plugin), username);
    OPENSSL_free(der.bytes);
    X509_free(certificate);
    ERR_pop_to_mark();
    if (verdict == ADU_ABSTAIN) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    if (verdict == ADU_LATER) { /* 2.0 closes the connection without an answer */
        return is_2_1() ? ERR_AUTH_DELAYED : MOSQ_ERR_UNKNOWN;
    }
    if (verdict != ADU_ALLOW) {
        return MOSQ_ERR_AUTH;
    }
    /* From here on the client has the name that was verified, whatever it called itself. */
    if (username[0] != '\0' && (e->username == NULL || strcmp(e->username, username) != 0) &&
        mosquitto_set_username(e->client, username) != MOSQ_ERR_SUCCESS) {
        adu_pipeline_gone(plugin->pipeline, e->client, connect.client_id, true, ADU_END_UNKNOWN,
                          now());
        return MOSQ_ERR_AUTH;
    }
    return MOSQ_ERR_SUCCESS;
}

/* --- what a message carries besides --- */

/* 2.1's: brokers before it show their plugins no properties. The last copies nothing. */
static struct {
    const mosquitto_property *(*string)(const mosquitto_property *list, int identifier,
                                        char **value, bool skip_first);
    const char *(*value)(const mosquitto_property *property);
} property;

static bool content_type_of(const void *list, struct adu_text *type)
{
    const mosquitto_property *found = property.string(list, MQTT_PROP_CONTENT_TYPE, NULL, false);
    const char *text = found != NULL ? property.value(found) : NULL;
    *type = adu_text_of(text != NULL ? text : "");
    return found != NULL;
}

static bool shows_properties(void)
{
    static bool asked;
    if (!asked && is_2_1()) {
        *(void **)&property.string = newer("mosquitto_property_read_string");
        *(void **)&property.value = newer("mosquitto_property_string_value");
    }
    asked = true;
    return property.string != NULL && property.value != NULL;
}

static int on_acl_check(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    const struct mosquitto_evt_acl_check *e = event_data;
    struct adu_question question = {
        .handle = e->client,
        .client_id = mosquitto_client_id(e->client),
        .topic = e->topic,
        .qos = e->qos,
        .retain = e->retain,
        .payload_length = e->payloadlen,
    };
    const struct adu_properties properties = {.list = e->properties,
                                              .content_type = content_type_of};
    switch (e->access) {
    case MOSQ_ACL_WRITE:
        question.action = ADU_PUBLISH;
        question.payload = e->payload;
        question.properties = shows_properties() ? &properties : NULL;
        break;
    case MOSQ_ACL_READ:
        question.action = ADU_RECEIVE;
        break;
    case MOSQ_ACL_SUBSCRIBE:
        question.action = ADU_SUBSCRIBE;
        break;
    case MOSQ_ACL_UNSUBSCRIBE:
        return MOSQ_ERR_SUCCESS;
    default:
        return MOSQ_ERR_ACL_DENIED;
    }
    /* Nothing but these three answers: any other to READ would disconnect the publisher. */
    if (on_other_thread()) {
        return MOSQ_ERR_ACL_DENIED;
    }
    if (asked_already(plugin, event * 16 + e->access, e->client, e->topic)) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    switch (adu_pipeline_decide(plugin->pipeline, &question, now_and_tick(plugin))) {
    case ADU_ALLOW:
        return MOSQ_ERR_SUCCESS;
    case ADU_ABSTAIN:
        return MOSQ_ERR_PLUGIN_DEFER;
    default:
        return MOSQ_ERR_ACL_DENIED;
    }
}

/* --- a message that may go, and is too much --- */

/* 2.1 asks right after WRITE, drops the message for this answer, and tells an MQTT 5 client 0x97.
 * 2.0 would disconnect for it. */
static int on_message(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    const struct mosquitto_evt_message *e = event_data;
    (void)event;
    return adu_pipeline_too_much(plugin->pipeline, e->client, e->topic) ? ERR_QUOTA_EXCEEDED
                                                                        : MOSQ_ERR_SUCCESS;
}

/* The callback costs each message a call, so it is there only under a policy that needs it. From a
 * tick, when the broker goes through no list of such callbacks. */
static void hear_messages(struct plugin *plugin)
{
    const bool wanted = adu_pipeline_throttles(plugin->pipeline);
    if (plugin->wants_messages == wanted || plugin->identifier == NULL) {
        return;
    }
    plugin->wants_messages = wanted;
    const int rc = wanted ? mosquitto_callback_register(plugin->identifier, MOSQ_EVT_MESSAGE,
                                                        on_message, NULL, plugin)
                          : mosquitto_callback_unregister(plugin->identifier, MOSQ_EVT_MESSAGE,
                                                          on_message, NULL);
    adu_pipeline_asked_again(plugin->pipeline, wanted && rc == MOSQ_ERR_SUCCESS);
}

/* 2.0 has one reason for all: -1. */
static enum adu_end end_of(int reason)
{
    return reason < 0                   ? ADU_END_UNKNOWN
           : reason == MOSQ_ERR_SUCCESS ? ADU_END_ORDERLY
                                        : ADU_END_LOST;
}

static int on_disconnect(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    const struct mosquitto_evt_disconnect *e = event_data;
    if (!on_other_thread() && !asked_already(plugin, event, e->client, e)) {
        /* 2.0 says DISCONNECT of every close; 2.1 only where the session ends with it. */
        adu_pipeline_gone(plugin->pipeline, e->client, mosquitto_client_id(e->client), is_2_1(),
                          end_of(e->reason), now());
    }
    return MOSQ_ERR_SUCCESS;
}

static int on_client_offline(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    const struct mosquitto_evt_disconnect *e = event_data; /* the same layout in 2.1 */
    if (!on_other_thread() && !asked_already(plugin, event, e->client, e)) {
        adu_pipeline_gone(plugin->pipeline, e->client, mosquitto_client_id(e->client), false,
                          end_of(e->reason), now());
    }
    return MOSQ_ERR_SUCCESS;
}

static int on_reload(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    (void)event;
    (void)event_data;
    if (plugin->order == 0) {
        adu_pipeline_reload(plugin->pipeline, now());
    }
    /* 2.0: SUCCESS would keep later plugins from reloading, and anything but DEFER drops acl_file
     * and password_file. 2.1: anything but SUCCESS ends the broker. */
    return is_2_1() ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

/* Of several listeners' pipelines the one where the client logged in: 2.1 keeps one callback a
 * topic for all listeners. */
static struct adu_pipeline *pipeline_of(const struct plugin *plugin, const struct mosquitto *client)
{
    const char *client_id = mosquitto_client_id(client);
    for (const struct plugin *one = plugins; one != NULL; one = one->next) {
        if (adu_pipeline_knows(one->pipeline, client, client_id)) {
            return one->pipeline;
        }
    }
    return plugin->pipeline;
}

/* Any other result than SUCCESS would disconnect the client. */
static int on_control(int event, void *event_data, void *user_data)
{
    const struct plugin *plugin = user_data;
    const struct mosquitto_evt_control *e = event_data;
    (void)event;
    if (on_other_thread()) {
        return MOSQ_ERR_SUCCESS;
    }
    const struct adu_order order = {
        .handle = e->client,
        .client_id = mosquitto_client_id(e->client),
        .payload = e->payload,
        .payload_length = e->payloadlen,
        .qos = e->qos,
        .retain = e->retain,
    };
    const struct adu_now time = now_and_tick(plugin);
    char *reply = adu_pipeline_order(pipeline_of(plugin, e->client), &order, time);
    if (reply != NULL) { /* to this client alone, whoever else subscribes to the topic */
        mosquitto_broker_publish_copy(order.client_id, ADU_CONTROL_RESPONSE, (int)strlen(reply),
                                      reply, 0, false, NULL);
    }
    free(reply);
    return MOSQ_ERR_SUCCESS;
}

/* 2.0's TICK comes with every turn of the broker's loop: thousands of times a second when it is
 * busy. */
enum { TICK_MS = 20, HOLDING_MS = 5 };
enum { TICK_NEXT = offsetof(struct mosquitto_evt_tick, next_s) - sizeof(time_t) - sizeof(long) };

static int on_tick(int event, void *event_data, void *user_data)
{
    struct plugin *plugin = user_data;
    struct mosquitto_evt_tick *tick = event_data;
    (void)event;
    /* 2.1 ticks again when the wall clock is past this one: set back an hour, it would be an hour
     * without. So the next turn of its loop will do, whatever the clock shows. */
    tick->now_s = 0;
    if (plugin->order == 0) {
        const struct adu_now time = now();
        adu_pipeline_answers(plugin->pipeline, time);
        if (adu_pipeline_is_holding(plugin->pipeline)) {
            /* Of these headers next_ns, and next_ms of 2.1's: the same place. 2.0 does not look. */
            memcpy((char *)tick + TICK_NEXT, &(long){HOLDING_MS}, sizeof(long));
        }
        if (time.mono_ms - plugin->ticked_ms >= TICK_MS) {
            plugin->ticked_ms = time.mono_ms;
            adu_pipeline_tick(plugin->pipeline, time, true);
        }
    }
    if (plugin->stage->throttles != NULL && is_2_1()) {
        hear_messages(plugin);
    }
    return MOSQ_ERR_SUCCESS;
}

/* --- entry points --- */

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
    if (plugins != NULL) { /* said already */
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

static int register_callbacks(struct plugin *plugin, mosquitto_plugin_id_t *identifier)
{
    static const struct {
        int event;
        MOSQ_FUNC_generic_callback function;
        bool may_be_unknown;
    } callbacks[] = {
        {MOSQ_EVT_BASIC_AUTH, on_basic_auth, false},
        {MOSQ_EVT_ACL_CHECK, on_acl_check, false},
        {MOSQ_EVT_DISCONNECT, on_disconnect, false},
        {MOSQ_EVT_RELOAD, on_reload, false},
        {MOSQ_EVT_TICK, on_tick, false},
        {EVENT_CLIENT_OFFLINE, on_client_offline, true},
    };
    for (size_t i = 0; i < sizeof callbacks / sizeof callbacks[0]; i++) {
        if (callbacks[i].may_be_unknown && !is_2_1()) {
            continue;
        }
        const int rc = mosquitto_callback_register(identifier, callbacks[i].event,
                                                   callbacks[i].function, NULL, plugin);
        /* 2.0 keeps the function that an earlier plugin of the bundle registered. */
        if (rc != MOSQ_ERR_SUCCESS && rc != MOSQ_ERR_ALREADY_EXISTS) {
            return rc;
        }
    }
    return MOSQ_ERR_SUCCESS;
}

/* One callback a topic. It is there already when another plugin of the bundle, or in 2.1 another
 * listener's, has registered it. A broker may be built without control. */
static int register_control(struct plugin *plugin, mosquitto_plugin_id_t *identifier)
{
    const int rc = mosquitto_callback_register(identifier, MOSQ_EVT_CONTROL, on_control,
                                               ADU_CONTROL_TOPIC, plugin);
    return rc == MOSQ_ERR_ALREADY_EXISTS || rc == MOSQ_ERR_NOT_SUPPORTED ? MOSQ_ERR_SUCCESS : rc;
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
    struct plugin *plugin = calloc(1, sizeof *plugin);
    *user_data = NULL;
    broker_thread = pthread_self();
    host.complete = is_2_1() ? host_complete : NULL;
    if (plugin == NULL) {
        adu_error_no_memory(&error);
    } else if (check_broker_conf(&error) && read_options(options, count, &read, &error)) {
        plugin->stage = stage;
        plugin->identifier = identifier;
        plugin->pipeline = adu_pipeline_attach(stage, &read, &host, &plugin->order, &error);
    }
    if (plugin == NULL || plugin->pipeline == NULL) {
        free(plugin);
        return complain(stage, &error);
    }
    plugin->next = plugins; /* before the first registration: a later one may fail */
    plugins = plugin;
    int rc = register_callbacks(plugin, identifier);
    if (rc == MOSQ_ERR_SUCCESS) {
        rc = register_control(plugin, identifier);
    }
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
    struct plugin *plugin = user_data;
    if (plugin != NULL) {
        plugin->identifier = NULL;
        adu_pipeline_detach(plugin->pipeline, plugin->stage);
    }
    return MOSQ_ERR_SUCCESS;
}
