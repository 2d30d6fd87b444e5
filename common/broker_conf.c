#include "common/broker_conf.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1024 * 1024, PATH_MOST = 4096 };

/* The broker takes the first word of a flag, whatever follows. */
static bool is_true(const char *value)
{
    const size_t length = strcspn(value, " \t");
    return (length == 4 && strncmp(value, "true", 4) == 0) ||
           (length == 1 && strncmp(value, "1", 1) == 0);
}

/* A listener's block ends: under per_listener_settings it must have had the bundle. */
static bool end_block(struct adu_broker_conf *conf, struct adu_error *error)
{
    const bool there_is_one = conf->in_listener || conf->default_listener;
    if (conf->per_listener && there_is_one && !conf->bundle_here && !conf->bundle_everywhere) {
        const struct adu_place place = {
            .file = conf->listener_file, .line = conf->listener_line, .column = 1};
        return adu_error_set(
            error, &place,
            "per_listener_settings is true and the listener %s has no plugin lines "
            "of aduana: everything would be allowed there",
            conf->listener);
    }
    conf->bundle_here = false;
    conf->default_listener = false;
    return true;
}

static bool begin_listener(struct adu_broker_conf *conf, const struct adu_place *place,
                           const char *value, struct adu_error *error)
{
    if (!end_block(conf, error)) {
        return false;
    }
    conf->in_listener = true;
    conf->listener_line = place->line;
    snprintf(conf->listener, sizeof conf->listener, "%s", value);
    snprintf(conf->listener_file, sizeof conf->listener_file, "%s", place->file);
    return true;
}

static bool is_of_bundle(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strncmp(slash != NULL ? slash + 1 : path, "aduana_", 7) == 0;
}

/* plugin_load <name> <path>, and later plugin_use <name> within listeners (2.1). */
static void load_by_name(struct adu_broker_conf *conf, const char *value)
{
    const size_t name = strcspn(value, " \t"), used = strlen(conf->loaded);
    if (is_of_bundle(value + name + strspn(value + name, " \t"))) {
        snprintf(conf->loaded + used, sizeof conf->loaded - used, " %.*s ", (int)name, value);
    }
}

static bool is_loaded(const struct adu_broker_conf *conf, const char *name)
{
    char padded[128];
    snprintf(padded, sizeof padded, " %s ", name);
    return strstr(conf->loaded, padded) != NULL;
}

static void read_plugin(struct adu_broker_conf *conf, const char *key, const char *value)
{
    if (strcmp(key, "plugin_load") == 0) {
        load_by_name(conf, value);
    } else if (strcmp(key, "plugin_use") == 0) {
        conf->bundle_here = conf->bundle_here || is_loaded(conf, value);
    } else if (strcmp(key, "global_plugin") == 0) {
        conf->bundle_everywhere = conf->bundle_everywhere || is_of_bundle(value);
    } else if (strcmp(key, "plugin") == 0 || strcmp(key, "auth_plugin") == 0) {
        conf->bundle_here = conf->bundle_here || is_of_bundle(value);
    }
}

static bool read_line(struct adu_broker_conf *conf, const struct adu_place *place, const char *key,
                      const char *value, struct adu_error *error)
{
    if ((strcmp(key, "use_identity_as_username") == 0 ||
         strcmp(key, "use_subject_as_username") == 0) &&
        is_true(value)) {
        return adu_error_set(
            error, place,
            "%s is on: the broker would let clients in without asking any plugin. "
            "Switch it off; cert_auth.json says which user name a certificate gives",
            key);
    }
    if (strcmp(key, "check_retain_source") == 0) {
        conf->retain_source = is_true(value);
    } else if (strcmp(key, "per_listener_settings") == 0) {
        conf->per_listener = is_true(value);
    } else if (strcmp(key, "listener") == 0) {
        return begin_listener(conf, place, value, error);
    } else if ((strcmp(key, "port") == 0 || strcmp(key, "bind_address") == 0) &&
               !conf->in_listener) {
        conf->default_listener = true;
        conf->listener_line = place->line;
        snprintf(conf->listener, sizeof conf->listener, "%s", value);
        snprintf(conf->listener_file, sizeof conf->listener_file, "%s", place->file);
    } else {
        read_plugin(conf, key, value);
    }
    return true;
}

bool adu_broker_conf_read(struct adu_broker_conf *conf, const char *name, const char *text,
                          bool (*include)(void *context, const char *directory), void *context,
                          struct adu_error *error)
{
    struct adu_place place = {.file = name, .line = 0, .column = 1};
    char *copy = strdup(text), *rest = copy, *line;
    bool good = copy != NULL || adu_error_no_memory(error);
    while ((line = strsep(&rest, "\n")) != NULL) {
        place.line++;
        char *save;
        const char *key = strtok_r(line, " \t\r", &save);
        const char *value = key != NULL ? strtok_r(NULL, "\r", &save) : NULL;
        if (key == NULL || key[0] == '#' || value == NULL) {
            continue;
        }
        value += strspn(value, " \t");
        if (strcmp(key, "include_dir") == 0) {
            good = (include == NULL || include(context, value)) && good;
        } else {
            good = read_line(conf, &place, key, value, error) && good;
        }
    }
    free(copy);
    return good;
}

bool adu_broker_conf_end(struct adu_broker_conf *conf, struct adu_error *error)
{
    return end_block(conf, error);
}

/* --- the running broker's files --- */

struct reading {
    struct adu_broker_conf conf;
    char *unread;
    struct adu_error *error;
};

static char *slurp(const char *path, size_t *length)
{
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? calloc(1, FILE_MOST + 1) : NULL;
    if (text != NULL) {
        *length = fread(text, 1, FILE_MOST, file);
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static bool include_dir(void *context, const char *directory);

static bool read_file(struct reading *r, const char *path)
{
    size_t length;
    char *text = slurp(path, &length);
    if (text == NULL && r->unread[0] == '\0') {
        snprintf(r->unread, ADU_BROKER_CONF_PATH, "%s", path);
    }
    const bool good =
        text == NULL || adu_broker_conf_read(&r->conf, path, text, include_dir, r, r->error);
    free(text);
    return good;
}

static int is_conf(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* As the broker does: every *.conf of the folder, in the order of their names. */
static bool include_dir(void *context, const char *directory)
{
    struct reading *r = context;
    struct dirent **entries;
    const int count = scandir(directory, &entries, is_conf, alphasort);
    bool good = true;
    for (int i = 0; i < count; i++) {
        char path[PATH_MOST];
        if (snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name) < PATH_MOST) {
            good = read_file(r, path) && good;
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return good;
}

/* The argument after -c or --config-file on the broker's command line. */
static const char *conf_path(const char *arguments, size_t length)
{
    for (const char *a = arguments; a < arguments + length; a += strlen(a) + 1) {
        const char *next = a + strlen(a) + 1;
        if ((strcmp(a, "-c") == 0 || strcmp(a, "--config-file") == 0) &&
            next < arguments + length) {
            return next;
        }
    }
    return NULL;
}

bool adu_broker_conf_check(struct adu_broker_conf_report *report, struct adu_error *error)
{
    struct reading r = {.error = error, .unread = report->unread};
    *report = (struct adu_broker_conf_report){0};
    size_t length = 0;
    char *arguments = slurp("/proc/self/cmdline", &length);
    const char *path = arguments != NULL ? conf_path(arguments, length) : NULL;
    const bool good = path == NULL || (read_file(&r, path) && adu_broker_conf_end(&r.conf, error));
    report->found = path != NULL;
    report->retain_source = r.conf.retain_source;
    free(arguments);
    return good;
}
