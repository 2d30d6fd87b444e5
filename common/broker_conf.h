/* The broker's own configuration, read for what would leave it open: options that a plugin cannot
 * see, and that make a broker skip its plugins. */
#ifndef ADUANA_COMMON_BROKER_CONF_H
#define ADUANA_COMMON_BROKER_CONF_H

#include "common/error.h"
#include <stddef.h>

/* What has been read so far; zeroed to begin. */
struct adu_broker_conf {
    bool per_listener;      /* per_listener_settings true */
    bool in_listener;       /* a listener's block has begun */
    bool bundle_here;       /* plugin lines of the bundle in the block being read */
    bool bundle_everywhere; /* by global_plugin, 2.1 */
    bool retain_source;     /* check_retain_source true */
    bool default_listener;  /* `port` or `bind_address` makes one before the first listener line */
    unsigned listener_line;
    char loaded[512]; /* names that plugin_load (2.1) gave to ours, each between blanks */
    char listener[128], listener_file[256];
};

/* Reads one file's text, `name` standing for it in errors. `include` is called with the folder of
 * each include_dir line and may read its files into the same conf. False with the first finding in
 * `error`; what comes after it is read all the same. */
bool adu_broker_conf_read(struct adu_broker_conf *conf, const char *name, const char *text,
                          bool (*include)(void *context, const char *directory), void *context,
                          struct adu_error *error);

/* After the last file. */
bool adu_broker_conf_end(struct adu_broker_conf *conf, struct adu_error *error);

enum { ADU_BROKER_CONF_PATH = 256 };

struct adu_broker_conf_report {
    char unread[ADU_BROKER_CONF_PATH]; /* the first file that could not be read; "" if all could */
    bool found;                        /* there is a file */
    bool retain_source;                /* retained messages are judged by their publisher too */
};

/* Finds the running broker's file (mosquitto -c) by its command line and reads it. true where there
 * is none, or it cannot be read: only the signs at run time are left. */
bool adu_broker_conf_check(struct adu_broker_conf_report *report, struct adu_error *error);

#endif
