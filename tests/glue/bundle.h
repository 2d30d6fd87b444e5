/* The five plugins in the fake broker, with the policy of the unit tests' plant. */
#ifndef ADUANA_TESTS_BUNDLE_H
#define ADUANA_TESTS_BUNDLE_H

#include "fake_broker.h"
#include "folder.h"

/* Sets of plugins, in the order of plugin_names. */
enum { CERT_AUTH = 1, IAM_AUTH = 2, RATE_MONITOR = 4, TOPIC_POLICY = 8, ACL = 16, ALL = 31 };

extern struct loaded plugins[PLUGINS];
extern struct folder policies;

/* A broker that has just begun: the .so files are open, and nothing is loaded. */
void bundle_open(void);

/* The plugin line of one; fails the test if it refuses. */
void bundle_start_one(int plugin);

/* Opens and starts all five, the plugin lines in an order that begins with number `first`. */
void bundle_start(int first);

/* Those of a set; the files of the others say that the broker is to do without them. */
void bundle_start_set(int set);

/* Unloads what is loaded. */
void bundle_stop(void);

/* SIGHUP, and ticks until the log says `line`, once. */
void bundle_reload(const char *line);

/* A client that the policy knows by its password; it may do anything below planta/. */
struct mosquitto scada(void);

#endif
