/* What is asked of the broker: which one it is, what it knows of a client, and all that a pipeline
 * may ask of it. */
#include "common/broker_parts.h"
#include <dlfcn.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

/* Of mosquitto_client_protocol_version. */
enum { MQTT_5 = 5 };

struct adu_plugin *adu_plugins;

void *adu_broker_newer(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

bool adu_broker_is_2_1(void)
{
    static int known = -1;
    if (known < 0) {
        known = adu_broker_newer("mosquitto_complete_basic_auth") != NULL;
    }
    return known == 1;
}

uint16_t adu_broker_port_of(const struct mosquitto *client)
{
    static int (*client_port)(const struct mosquitto *client);
    static bool asked;
    if (!asked) {
        *(void **)&client_port = adu_broker_newer("mosquitto_client_port");
        asked = true;
    }
    return client_port != NULL ? (uint16_t)client_port(client) : 0;
}

/* In MQTT 5 that has nothing to do with Clean Start: the Session Expiry Interval says it, which no
 * broker shows. 2.1 says later whether the session ended with its connection; 2.0 does not, and
 * there it counts as kept. */
bool adu_broker_may_stay(const struct mosquitto *client)
{
    return mosquitto_client_protocol_version(client) == MQTT_5 ||
           !mosquitto_client_clean_session(client);
}

/* --- what the pipeline asks --- */

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

/* 2.1's. It completes whatever connection waits under that client id; one that has gone it does not
 * know any more, and one that it has let in since is not the one that waited. */
static bool host_complete(const void *handle, const char *client_id, bool accepted,
                          const char *username)
{
    static void (*complete_basic_auth)(const char *id, int result);
    static struct mosquitto *(*find_client)(const char *id);
    if (complete_basic_auth == NULL) {
        *(void **)&complete_basic_auth = adu_broker_newer("mosquitto_complete_basic_auth");
        *(void **)&find_client = adu_broker_newer("mosquitto_client");
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

static bool host_hears_why(const void *handle)
{
    return mosquitto_client_protocol_version(handle) == MQTT_5;
}

static int64_t host_nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool host_taken_elsewhere(const struct adu_pipeline *asking, const char *client_id,
                                 const char *username, bool bound, struct adu_now time)
{
    for (const struct adu_plugin *one = adu_plugins; one != NULL; one = one->next) {
        if (one->order == 0 && one->pipeline != asking &&
            adu_pipeline_taken_by_another(one->pipeline, client_id, username, bound, time)) {
            return true;
        }
    }
    return false;
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

const struct adu_host *adu_broker_host(void)
{
    host.complete = adu_broker_is_2_1() ? host_complete : NULL;
    return &host;
}
