#include "plugins/rate_monitor/alert.h"
#include "common/utf8.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const adu_alert_names[] = {"kind", "client_id", "username", "class", NULL};

const char *adu_alert_time(int64_t wall_ms, char *buffer, size_t size)
{
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char date[32];
    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        date[0] = '\0';
    }
    snprintf(buffer, size, "%s.%03dZ", date, (int)(wall_ms % 1000));
    return buffer;
}

static bool set(json_t *object, const char *key, json_t *value)
{
    return value == NULL || json_object_set_new(object, key, value) == 0;
}

/* jansson takes only valid UTF-8; what a client calls itself has been checked by the broker. */
static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : NULL;
}

static json_t *actions_of(const struct adu_alert *alert)
{
    json_t *list = json_array();
    for (int i = 0; alert->actions >> i != 0; i++) {
        if (alert->actions >> i & 1) {
            json_array_append_new(list, json_string(alert->action_names[i]));
        }
    }
    return list;
}

static bool fill(json_t *object, const struct adu_alert *alert)
{
    static const char *const severities[] = {[ADU_SEVERITY_WARNING] = "warning",
                                             [ADU_SEVERITY_CRITICAL] = "critical",
                                             [ADU_SEVERITY_INFO] = "info"};
    char since[48], now[48], rule[ADU_ERROR_FILE + 16];
    bool good = set(object, "kind", json_string(alert->kind)) &&
                set(object, "state", json_string(alert->raised ? "raised" : "cleared")) &&
                set(object, "severity", json_string(severities[alert->severity])) &&
                set(object, "client_id", text_or_null(alert->client_id)) &&
                set(object, "username", text_or_null(alert->username)) &&
                set(object, "class", text_or_null(alert->class_name)) &&
                set(object, "listener", text_or_null(alert->listener));
    if (good && (alert->limit > 0 || alert->expected > 0)) {
        good = set(object, "value", json_real(round(alert->value * 10) / 10));
    }
    if (good && alert->limit > 0) {
        good = set(object, "limit", json_integer(alert->limit));
    }
    if (good && alert->expected > 0) {
        good = set(object, "expected", json_real(round(alert->expected * 10) / 10));
    }
    if (good && alert->actions != 0) {
        good = set(object, "actions", actions_of(alert));
    }
    if (good && alert->rule != NULL) {
        snprintf(rule, sizeof rule, "%s:%u", alert->rule->file, alert->rule->line);
        good = set(object, "rule", json_string(rule));
    }
    return good &&
           set(object, "since",
               json_string(adu_alert_time(alert->since_ms, since, sizeof since))) &&
           set(object, "time", json_string(adu_alert_time(alert->time_ms, now, sizeof now))) &&
           set(object, "text", text_or_null(alert->text)) &&
           set(object, "more",
               json_string(alert->client_id != NULL ? "aduana sessions" : "aduana status"));
}

char *adu_alert_json(const struct adu_alert *alert)
{
    json_t *object = json_object();
    char *text = object != NULL && fill(object, alert) ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

static bool add_level(struct adu_attributes *values, const char *name, const char *text)
{
    char level[256];
    size_t used = 0;
    for (; text != NULL && text[used] != '\0' && used < sizeof level - 1; used++) {
        const unsigned char c = (unsigned char)text[used];
        level[used] = c < 0x20 || c == 0x7f || c == '/' || c == '+' || c == '#' ? '_' : (char)c;
    }
    level[used] = '\0';
    adu_utf8_trim(level); /* a long name is not cut within a character */
    return adu_attributes_add(values, name, used > 0 ? level : "broker");
}

bool adu_alert_topic(const struct adu_template *topic, const struct adu_alert *alert, char *buffer,
                     size_t size)
{
    struct adu_attributes values = {0};
    const char *missing;
    const bool good =
        add_level(&values, "kind", alert->kind) &&
        add_level(&values, "client_id", alert->about != NULL ? alert->about : alert->client_id) &&
        add_level(&values, "username", alert->username) &&
        add_level(&values, "class", alert->class_name) &&
        adu_template_expand(topic, &values, buffer, size, &missing);
    adu_attributes_clear(&values);
    return good;
}
