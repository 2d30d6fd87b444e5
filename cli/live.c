/* MQTT 5, because only there a refused publish is told. One thread: libmosquitto's loop is driven
 * from here, so every wait has an end. */
#include "cli/live.h"
#include "cli/live_show.h"
#include "cli/password_ask.h"
#include "common/control.h"
#include "common/file.h"
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 1883, PORT_TLS = 8883, KEEPALIVE = 60, PASSWORD_MOST = 4096 };

/* Between two pages: a broker answers at most ADU_CONTROL_A_SECOND_MOST commands a second. */
enum { PAGE_US = 1100000 / ADU_CONTROL_A_SECOND_MOST };

struct adu_live {
    struct mosquitto *mosquitto;
    const struct adu_live_options *options;
    bool ready;       /* subscribed */
    unsigned number;  /* of the last question, which its answer repeats */
    json_t *response; /* to it */
    bool failed;      /* nothing more can come */
    char why[512];
    char detail[256]; /* what libmosquitto said last */
};

static void fail(struct adu_live *live, const char *format, ...) ADU_PRINTF(2, 3);

/* The first failure is the cause of the others. */
static void fail(struct adu_live *live, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!live->failed) {
        vsnprintf(live->why, sizeof live->why, format, arguments);
    }
    va_end(arguments);
    live->failed = true;
}

static const char *failure(const struct adu_live *live, int rc)
{
    if (live->detail[0] != '\0' && rc == MOSQ_ERR_TLS) {
        return live->detail;
    }
    return rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
}

/* --- what libmosquitto tells --- */

static void on_log(struct mosquitto *mosquitto, void *context, int level, const char *text)
{
    struct adu_live *live = context;
    (void)mosquitto;
    if (level == MOSQ_LOG_ERR || level == MOSQ_LOG_WARNING) {
        snprintf(live->detail, sizeof live->detail, "%s", text);
    }
}

static void on_connect(struct mosquitto *mosquitto, void *context, int code, int flags,
                       const mosquitto_property *properties)
{
    struct adu_live *live = context;
    (void)flags;
    (void)properties;
    if (code != 0) {
        fail(live, "the broker refuses the login (%s); its log says why",
             mosquitto_reason_string(code));
    } else if (mosquitto_subscribe(mosquitto, NULL, ADU_CONTROL_RESPONSE, 0) != MOSQ_ERR_SUCCESS) {
        fail(live, "cannot subscribe");
    }
}

static void on_subscribe(struct mosquitto *mosquitto, void *context, int mid, int count,
                         const int *granted)
{
    struct adu_live *live = context;
    (void)mosquitto;
    (void)mid;
    if (count != 1 || granted[0] > 2) {
        fail(live, "the role is not allowed to subscribe to " ADU_CONTROL_RESPONSE);
    }
    live->ready = true;
}

static void on_publish(struct mosquitto *mosquitto, void *context, int mid, int code,
                       const mosquitto_property *properties)
{
    (void)mosquitto;
    (void)mid;
    (void)properties;
    if (code >= MQTT_RC_UNSPECIFIED) {
        fail(context, "the role is not allowed to publish to " ADU_CONTROL_TOPIC " (%s)",
             mosquitto_reason_string(code));
    }
}

static void on_disconnect(struct mosquitto *mosquitto, void *context, int code,
                          const mosquitto_property *properties)
{
    struct adu_live *live = context;
    (void)mosquitto;
    (void)properties;
    if (code < MQTT_RC_UNSPECIFIED) { /* libmosquitto's own */
        fail(live, "the connection ended: %s", failure(live, code));
    } else {
        fail(live, "the broker ended the connection: %s", mosquitto_reason_string(code));
    }
}

static void take_response(struct adu_live *live, json_t *response)
{
    char number[16];
    snprintf(number, sizeof number, "%u", live->number);
    const char *given = json_string_value(json_object_get(response, "correlationData"));
    if (live->response == NULL && (given == NULL || strcmp(given, number) == 0)) {
        live->response = json_incref(response);
    }
}

static void on_message(struct mosquitto *mosquitto, void *context,
                       const struct mosquitto_message *message)
{
    struct adu_live *live = context;
    (void)mosquitto;
    json_t *root = json_loadb(message->payload, (size_t)message->payloadlen, 0, NULL), *one;
    json_t *responses = json_object_get(root, "responses");
    size_t i;
    json_array_foreach(responses, i, one)
    {
        take_response(live, one);
    }
    if (responses == NULL) { /* 2.1, without the bundle: {"error": "endpoint not available"} */
        const char *error = json_string_value(json_object_get(root, "error"));
        fail(live, "this broker does not run Aduana (%s)", error != NULL ? error : "no JSON");
    }
    json_decref(root);
}

/* --- waiting --- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_ready(const struct adu_live *live)
{
    return live->ready;
}

static bool is_answered(const struct adu_live *live)
{
    return live->response != NULL;
}

/* Drives the connection until that holds. false with live->why. */
static bool wait_for(struct adu_live *live, bool (*holds)(const struct adu_live *live),
                     const char *late)
{
    const int64_t end = now_ms() + live->options->timeout_seconds * 1000;
    while (!live->failed && !holds(live)) {
        const int64_t left = end - now_ms();
        if (left <= 0) {
            fail(live, "no answer within %ld s: %s", live->options->timeout_seconds, late);
            break;
        }
        const int rc = mosquitto_loop(live->mosquitto, left < 100 ? (int)left : 100, 1);
        if (rc != MOSQ_ERR_SUCCESS && !live->failed) {
            fail(live, "the connection ended: %s", failure(live, rc));
        }
    }
    return !live->failed;
}

/* --- connecting --- */

static bool read_password(const struct adu_live_options *options, char *password, size_t size)
{
    struct adu_error error = {0};
    size_t length;
    password[0] = '\0';
    if (options->password_file == NULL) {
        if (!isatty(STDIN_FILENO)) {
            fprintf(stderr, "aduana: no terminal to ask for the password: use --password-file\n");
            return false;
        }
        return adu_password_ask("Password: ", password, size);
    }
    char *text =
        adu_file_read(options->password_file, options->password_file, size - 1, &length, &error);
    if (text == NULL) {
        char shown[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        fprintf(stderr, "aduana: %s\n", adu_error_format(&error, shown, sizeof shown));
        return false;
    }
    snprintf(password, size, "%.*s", (int)strcspn(text, "\r\n"), text);
    explicit_bzero(text, length);
    free(text);
    return true;
}

static bool set_login(struct adu_live *live)
{
    const struct adu_live_options *options = live->options;
    char password[PASSWORD_MOST];
    if (options->username == NULL) {
        return true;
    }
    if (!read_password(options, password, sizeof password)) {
        return false;
    }
    const int rc = mosquitto_username_pw_set(live->mosquitto, options->username, password);
    explicit_bzero(password, sizeof password);
    if (rc != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "aduana: the user name or password cannot be used\n");
    }
    return rc == MOSQ_ERR_SUCCESS;
}

static bool uses_tls(const struct adu_live_options *options)
{
    return options->cafile != NULL || options->capath != NULL || options->cert != NULL;
}

static bool set_tls(struct adu_live *live)
{
    const struct adu_live_options *o = live->options;
    if (!uses_tls(o)) {
        return true;
    }
    if (o->cafile == NULL && o->capath == NULL) {
        fprintf(stderr, "aduana: --cert needs --cafile or --capath: whom to believe\n");
        return false;
    }
    const int rc = mosquitto_tls_set(live->mosquitto, o->cafile, o->capath, o->cert, o->key, NULL);
    if (rc == MOSQ_ERR_INVAL) {
        fprintf(stderr, "aduana: the CA, certificate or key cannot be read, or one of --cert and "
                        "--key is missing\n");
    } else if (rc != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "aduana: TLS: %s\n", failure(live, rc));
    }
    return rc == MOSQ_ERR_SUCCESS;
}

/* libmosquitto 2.0 writes TLS into a connection that is not there, over and over, and never gives
 * up: so it is asked to go on only where there is one. false with live->why. The refusal of an
 * address of this machine was seen, and forgotten, by its first write. */
static bool is_reached(struct adu_live *live)
{
    struct pollfd reached = {.fd = mosquitto_socket(live->mosquitto), .events = POLLOUT};
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int code = 0;
    if (poll(&reached, 1, (int)live->options->timeout_seconds * 1000) <= 0) {
        fail(live, "not reached within %ld s", live->options->timeout_seconds);
        return false;
    }
    if (getpeername(reached.fd, (struct sockaddr *)&peer, &size) == 0) {
        return true;
    }
    size = sizeof code;
    getsockopt(reached.fd, SOL_SOCKET, SO_ERROR, &code, &size);
    fail(live, "%s", strerror(code != 0 ? code : ECONNREFUSED));
    return false;
}

static bool connect_to(struct adu_live *live)
{
    const struct adu_live_options *o = live->options;
    const int tcp_port = o->port != 0 ? (int)o->port : uses_tls(o) ? PORT_TLS : PORT;
    const int port = o->unix_path != NULL ? 0 : tcp_port;
    const char *host = o->unix_path != NULL ? o->unix_path : o->host;
    char late[256];
    const int rc = mosquitto_connect_async(live->mosquitto, host, port, KEEPALIVE);
    if (rc != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "aduana: cannot connect to %s port %d: %s\n", host, port,
                failure(live, rc));
        return false;
    }
    snprintf(late, sizeof late, "is there a broker at %s port %d%s?", host, port,
             uses_tls(o) ? "" : ", and without TLS");
    if (!is_reached(live) || !wait_for(live, is_ready, late)) {
        fprintf(stderr, "aduana: %s port %d: %s\n", host, port, live->why);
        return false;
    }
    return true;
}

static bool make(struct adu_live *live)
{
    char id[64];
    snprintf(id, sizeof id, "aduana-%ld", (long)getpid());
    live->mosquitto = mosquitto_new(live->options->id != NULL ? live->options->id : id, true, live);
    if (live->mosquitto == NULL) {
        fprintf(stderr, "aduana: out of memory\n");
        return false;
    }
    mosquitto_int_option(live->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_log_callback_set(live->mosquitto, on_log);
    mosquitto_connect_v5_callback_set(live->mosquitto, on_connect);
    mosquitto_subscribe_callback_set(live->mosquitto, on_subscribe);
    mosquitto_publish_v5_callback_set(live->mosquitto, on_publish);
    mosquitto_message_callback_set(live->mosquitto, on_message);
    mosquitto_disconnect_v5_callback_set(live->mosquitto, on_disconnect);
    return set_login(live) && set_tls(live) && connect_to(live);
}

struct adu_live *adu_live_open(const struct adu_live_options *options)
{
    struct adu_live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        fprintf(stderr, "aduana: out of memory\n");
        return NULL;
    }
    mosquitto_lib_init();
    live->options = options;
    if (!make(live)) {
        adu_live_close(live);
        return NULL;
    }
    return live;
}

void adu_live_close(struct adu_live *live)
{
    if (live != NULL) {
        if (live->mosquitto != NULL) {
            mosquitto_disconnect(live->mosquitto);
            mosquitto_destroy(live->mosquitto);
        }
        json_decref(live->response);
        free(live);
        mosquitto_lib_cleanup();
    }
}

/* --- asking --- */

static bool send_order(struct adu_live *live, json_t *command)
{
    char number[16];
    snprintf(number, sizeof number, "%u", ++live->number);
    json_decref(live->response);
    live->response = NULL;
    json_object_set_new(command, "correlationData", json_string(number));
    json_t *root = json_pack("{s:[o]}", "commands", command);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    int rc = MOSQ_ERR_NOMEM;
    if (text != NULL) {
        rc = mosquitto_publish(live->mosquitto, NULL, ADU_CONTROL_TOPIC, (int)strlen(text), text, 1,
                               false);
    }
    if (rc != MOSQ_ERR_SUCCESS) {
        fail(live, "cannot send: %s", failure(live, rc));
    }
    free(text);
    json_decref(root);
    return !live->failed;
}

enum adu_status adu_live_ask(struct adu_live *live, json_t *command, json_t **data)
{
    *data = NULL;
    if (!send_order(live, command) ||
        !wait_for(live, is_answered,
                  "does this broker run Aduana with acl.json, and is the role allowed to "
                  "publish to " ADU_CONTROL_TOPIC "? Its log says whom it refused")) {
        fprintf(stderr, "aduana: %s\n", live->why);
        return ADU_STATUS_USAGE;
    }
    *data = json_incref(json_object_get(live->response, "data"));
    if (*data == NULL) {
        fprintf(stderr, "aduana: %s\n", adu_live_text(json_object_get(live->response, "error")));
        return ADU_STATUS_NO;
    }
    return ADU_STATUS_YES;
}

enum adu_status adu_live_ask_pages(struct adu_live *live, const char *name, const char *client_id,
                                   json_t *all)
{
    json_t *data = NULL, *command = NULL;
    enum adu_status status = ADU_STATUS_YES;
    do {
        if (data != NULL) {
            usleep(PAGE_US);
        }
        command = json_pack("{s:s, s:s*, s:O*}", "command", name, "client_id", client_id, "after",
                            json_object_get(data, "next"));
        json_decref(data);
        status = adu_live_ask(live, command, &data);
        json_array_extend(all, json_object_get(data, name));
    } while (status == ADU_STATUS_YES && json_is_string(json_object_get(data, "next")));
    json_decref(data);
    return status;
}

enum adu_status adu_live_ask_once(const struct adu_live_options *options, json_t *command,
                                  json_t **data)
{
    *data = NULL;
    struct adu_live *live = adu_live_open(options);
    if (live == NULL) {
        json_decref(command);
        return ADU_STATUS_USAGE;
    }
    const enum adu_status status = adu_live_ask(live, command, data);
    adu_live_close(live);
    return status;
}
