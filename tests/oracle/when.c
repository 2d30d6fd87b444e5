#include "when.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool in_range(const json_t *range, long number)
{
    const json_t *min = json_object_get(range, "min"), *max = json_object_get(range, "max");
    return (min == NULL || number >= json_integer_value(min)) &&
           (max == NULL || number <= json_integer_value(max));
}

static bool in_list(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (text != NULL && strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
            return true;
        }
    }
    return false;
}

/* --- networks --- */

/* An address as 16 bytes, IPv4 as ::ffff:a.b.c.d. False if it is none. */
static bool address_of(const char *text, unsigned char bytes[16])
{
    memcpy(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    return inet_pton(AF_INET, text, bytes + 12) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool in_network(const char *network, const unsigned char address[16])
{
    char text[64] = "";
    unsigned char bytes[16];
    const size_t length = strcspn(network, "/");
    strncat(text, network, length);
    if (!address_of(text, bytes)) {
        return false;
    }
    int bits = network[length] == '/' ? atoi(network + length + 1) : 128;
    bits += network[length] == '/' && strchr(text, ':') == NULL ? 96 : 0;
    for (int i = 0; i < bits; i++) {
        if (((bytes[i / 8] ^ address[i / 8]) >> (7 - i % 8) & 1) != 0) {
            return false;
        }
    }
    return true;
}

static enum holds networks_hold(const json_t *networks, const char *text)
{
    unsigned char address[16];
    if (text == NULL || !address_of(text, address)) {
        return HOLDS_UNKNOWN;
    }
    for (size_t i = 0; i < json_array_size(networks); i++) {
        if (in_network(json_string_value(json_array_get(networks, i)), address)) {
            return HOLDS;
        }
    }
    return HOLDS_NOT;
}

/* --- times --- */

static const char days[] = "mon tue wed thu fri sat sun";

static int day_of(const char *name)
{
    for (int day = 0; day < 7; day++) {
        if (strncmp(days + 4 * day, name, 3) == 0) {
            return day;
        }
    }
    return -1;
}

/* "mon", or "fri-mon". Without a list it is every day. */
static bool has_day(const json_t *list, int day)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int at = day_of(text);
        const int last = text[3] == '-' ? day_of(text + 4) : at;
        while (at != day && at != last) {
            at = (at + 1) % 7;
        }
        if (at == day) {
            return true;
        }
    }
    return list == NULL;
}

static int minutes_of(const json_t *text, int otherwise)
{
    const char *t = json_string_value(text);
    return t != NULL ? atoi(t) * 60 + atoi(t + 3) : otherwise;
}

/* A window past midnight belongs to the day on which it begins. */
static bool in_window(const json_t *window, int day, int minute)
{
    const json_t *list = json_object_get(window, "days");
    const int from = minutes_of(json_object_get(window, "from"), 0);
    const int to = minutes_of(json_object_get(window, "to"), 24 * 60);
    if (from < to) {
        return has_day(list, day) && minute >= from && minute < to;
    }
    return (has_day(list, day) && minute >= from) || (has_day(list, (day + 6) % 7) && minute < to);
}

static enum holds times_hold(const json_t *windows, int64_t at)
{
    struct tm local, utc;
    const time_t time = (time_t)at;
    localtime_r(&time, &local);
    gmtime_r(&time, &utc);
    if (utc.tm_year < 2020 - 1900 || utc.tm_year >= 2060 - 1900) {
        return HOLDS_UNKNOWN;
    }
    for (size_t i = 0; i < json_array_size(windows); i++) {
        if (in_window(json_array_get(windows, i), (local.tm_wday + 6) % 7,
                      local.tm_hour * 60 + local.tm_min)) {
            return HOLDS;
        }
    }
    return HOLDS_NOT;
}

enum holds oracle_when_holds(const json_t *when, const struct oracle_request *request,
                             const char *group, const char *address)
{
    const json_t *qos = json_object_get(when, "qos"), *retain = json_object_get(when, "retain");
    const json_t *payload = json_object_get(when, "payload_bytes");
    const json_t *groups = json_object_get(when, "share_groups");
    const json_t *networks = json_object_get(when, "networks");
    const json_t *times = json_object_get(when, "times");
    const enum holds network = networks != NULL ? networks_hold(networks, address) : HOLDS;
    const enum holds time = times != NULL ? times_hold(times, request->at) : HOLDS;
    /* With which QoS and in which group somebody subscribed was judged then. */
    const bool delivered = request->action == ORACLE_RECEIVE;
    if ((qos != NULL && !delivered && !in_range(qos, request->qos)) ||
        (groups != NULL && !delivered && !in_list(groups, group)) ||
        (retain != NULL && json_is_true(retain) != request->retain) ||
        (payload != NULL && !in_range(payload, request->payload_bytes)) || network == HOLDS_NOT ||
        time == HOLDS_NOT) {
        return HOLDS_NOT;
    }
    return network == HOLDS_UNKNOWN || time == HOLDS_UNKNOWN ? HOLDS_UNKNOWN : HOLDS;
}
