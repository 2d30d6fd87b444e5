/* What the broker asks and tells: its callbacks, each answered out of the plugin's pipeline with
 * the return code that this broker takes for it. */
#include "common/broker_parts.h"
#include "common/control.h"
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Events of 2.1 that the headers of 2.0 do not name. */
enum { EVENT_CLIENT_OFFLINE = 28 };

/* Results of BASIC_AUTH and of MESSAGE in 2.1. */
enum { ERR_AUTH_DELAYED = -5, ERR_QUOTA_EXCEEDED = -6 };

static pthread_t broker_thread;

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
static bool asked_already(const struct adu_plugin *plugin, int event, const void *client,
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
static struct adu_now now_and_tick(const struct adu_plugin *plugin)
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

static int on_basic_auth(int event, void *event_data, void *user_data)
{
    const struct adu_plugin *plugin = user_data;
    struct mosquitto_evt_basic_auth *e = event_data;
    if (on_other_thread()) {
        return MOSQ_ERR_AUTH;
    }
    if (asked_already(plugin, event, e->client, e->username)) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    for (const struct adu_plugin *one = adu_plugins; one != NULL; one = one->next) {
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
        .port = adu_broker_port_of(e->client),
        .certificate = der,
        .parsed = der.length > 0 ? certificate : NULL,
        .durable = adu_broker_may_stay(e->client),
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
        return adu_broker_is_2_1() ? ERR_AUTH_DELAYED : MOSQ_ERR_UNKNOWN;
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
    if (!asked && adu_broker_is_2_1()) {
        *(void **)&property.string = adu_broker_newer("mosquitto_property_read_string");
        *(void **)&property.value = adu_broker_newer("mosquitto_property_string_value");
    }
    asked = true;
    return property.string != NULL && property.value != NULL;
}

static int on_acl_check(int event, void *event_data, void *user_data)
{
    const struct adu_plugin *plugin = user_data;
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
    const struct adu_plugin *plugin = user_data;
    const struct mosquitto_evt_message *e = event_data;
    (void)event;
    return adu_pipeline_too_much(plugin->pipeline, e->client, e->topic) ? ERR_QUOTA_EXCEEDED
                                                                        : MOSQ_ERR_SUCCESS;
}

/* The callback costs each message a call, so it is there only under a policy that needs it. From a
 * tick, when the broker goes through no list of such callbacks. */
static void hear_messages(struct adu_plugin *plugin)
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
    const struct adu_plugin *plugin = user_data;
    const struct mosquitto_evt_disconnect *e = event_data;
    if (!on_other_thread() && !asked_already(plugin, event, e->client, e)) {
        /* 2.0 says DISCONNECT of every close; 2.1 only where the session ends with it. */
        adu_pipeline_gone(plugin->pipeline, e->client, mosquitto_client_id(e->client),
                          adu_broker_is_2_1(), end_of(e->reason), now());
    }
    return MOSQ_ERR_SUCCESS;
}

static int on_client_offline(int event, void *event_data, void *user_data)
{
    const struct adu_plugin *plugin = user_data;
    const struct mosquitto_evt_disconnect *e = event_data; /* the same layout in 2.1 */
    if (!on_other_thread() && !asked_already(plugin, event, e->client, e)) {
        adu_pipeline_gone(plugin->pipeline, e->client, mosquitto_client_id(e->client), false,
                          end_of(e->reason), now());
    }
    return MOSQ_ERR_SUCCESS;
}

static int on_reload(int event, void *event_data, void *user_data)
{
    const struct adu_plugin *plugin = user_data;
    (void)event;
    (void)event_data;
    if (plugin->order == 0) {
        adu_pipeline_reload(plugin->pipeline, now());
    }
    /* 2.0: SUCCESS would keep later plugins from reloading, and anything but DEFER drops acl_file
     * and password_file. 2.1: anything but SUCCESS ends the broker. */
    return adu_broker_is_2_1() ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

/* Of several listeners' pipelines the one where the client logged in: 2.1 keeps one callback a
 * topic for all listeners. */
static struct adu_pipeline *pipeline_of(const struct adu_plugin *plugin,
                                        const struct mosquitto *client)
{
    const char *client_id = mosquitto_client_id(client);
    for (const struct adu_plugin *one = adu_plugins; one != NULL; one = one->next) {
        if (adu_pipeline_knows(one->pipeline, client, client_id)) {
            return one->pipeline;
        }
    }
    return plugin->pipeline;
}

/* Any other result than SUCCESS would disconnect the client. */
static int on_control(int event, void *event_data, void *user_data)
{
    const struct adu_plugin *plugin = user_data;
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
    struct adu_plugin *plugin = user_data;
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
    if (plugin->stage->throttles != NULL && adu_broker_is_2_1()) {
        hear_messages(plugin);
    }
    return MOSQ_ERR_SUCCESS;
}

/* --- hearing of them --- */

static int register_callbacks(struct adu_plugin *plugin)
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
        if (callbacks[i].may_be_unknown && !adu_broker_is_2_1()) {
            continue;
        }
        const int rc = mosquitto_callback_register(plugin->identifier, callbacks[i].event,
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
static int register_control(struct adu_plugin *plugin)
{
    const int rc = mosquitto_callback_register(plugin->identifier, MOSQ_EVT_CONTROL, on_control,
                                               ADU_CONTROL_TOPIC, plugin);
    return rc == MOSQ_ERR_ALREADY_EXISTS || rc == MOSQ_ERR_NOT_SUPPORTED ? MOSQ_ERR_SUCCESS : rc;
}

int adu_broker_hear(struct adu_plugin *plugin)
{
    broker_thread = pthread_self();
    const int rc = register_callbacks(plugin);
    return rc == MOSQ_ERR_SUCCESS ? register_control(plugin) : rc;
}
