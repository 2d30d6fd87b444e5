/* As much of a broker as the plugins ask for: it loads the .so files, keeps their callbacks and
 * their log, and calls them back. Compiled with FAKE_2_1 it is a 2.1, else a 2.0. */
#ifndef ADUANA_TESTS_FAKE_BROKER_H
#define ADUANA_TESTS_FAKE_BROKER_H

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdbool.h>

#ifdef FAKE_2_1
enum { IS_2_1 = 1 };
#else
enum { IS_2_1 = 0 };
#endif

enum { EVENT_OFFLINE = 28, EVENTS = 32, PLUGINS = 5, QUOTA_EXCEEDED = -6 };

/* A connection, as the broker's own struct is to plugins: opaque. */
struct mosquitto {
    const char *id, *address;
    char username[300];
    bool clean;
    int protocol; /* 3, 4 or 5 */
};

struct loaded {
    const char *name;
    void *handle, *user_data;
    int (*init)(mosquitto_plugin_id_t *, void **, struct mosquitto_opt *, int);
    int (*cleanup)(void *, struct mosquitto_opt *, int);
    int (*version)(int, const int *);
};

extern const char *const plugin_names[PLUGINS];

/* dlopen of aduana_<name>.so, as the running broker's version does it. Fails the test if it cannot.
 */
void fake_open(struct loaded *plugin, const char *name);

/* Calls the plugin's init with one option, or none where `key` is NULL. Its result. */
int fake_init(struct loaded *plugin, const char *key, const char *value);

/* Calls its cleanup. The broker's dlclose changes nothing: the files stay loaded (nodelete). */
void fake_cleanup(struct loaded *plugin);

/* From now on the broker takes no callback of this event, for want of memory; 0 takes all again. */
void fake_refuse_event(int event);

int fake_registrations(int event);

/* Asks the callbacks of an event in turn, as the version does: the first answer that is not DEFER
 * holds. -1 where there is none. */
int fake_ask(int event, void *data);

/* Calls every callback of an event that asks for no answer. */
void fake_tell(int event, void *data);

/* The connection ends: DISCONNECT, but where 2.1 keeps the session it is CLIENT_OFFLINE. */
void fake_gone(struct mosquitto *client);

int fake_login(struct mosquitto *client, const char *username, const char *password);
int fake_acl(struct mosquitto *client, int access, const char *topic);

/* WRITE, and where that is granted MESSAGE. The answer that is not SUCCESS; SUCCESS if there is
 * none.
 */
int fake_publish(struct mosquitto *client, uint8_t qos, char *topic);

/* A publish to a control topic: WRITE is asked, then the topic's owner. -1 where there is none. */
int fake_control(struct mosquitto *client, const char *topic, const char *payload);

/* The same of a bridge's context, about which the broker asks nobody. */
int fake_control_unasked(struct mosquitto *client, const char *topic, const char *payload);

/* From now on this broker is one that was built without control. */
void fake_without_control(void);

/* What was last published to one client, "" if nothing was since the last reset: "<client id>
 * <topic> <payload>". */
const char *fake_told(void);

/* The client that was last kicked; "" if none was. */
const char *fake_kicked(void);

/* RELOAD to every callback of it: the only answer that all gave, or -1 if they differ. */
int fake_reload(void);

/* How many lines of the log hold `part`. */
int fake_logged(const char *part);
const char *fake_last_line(void);

/* Forgets callbacks and log. */
void fake_reset(void);

#endif
