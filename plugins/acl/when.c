#include "plugins/acl/when.h"
#include "common/network.h"
#include "common/reader.h"
#include <stdio.h>
#include <string.h>

/* Days are bits, Monday the lowest. From `from` on that day for `length` minutes, perhaps into the
 * next. */
struct window {
    unsigned days;
    int from, length;
};

struct adu_when {
    bool about_qos, about_retain, retain, about_payload;
    long qos_min, qos_max, payload_min, payload_max;
    size_t network_count, window_count, group_count;
    struct adu_network *networks;
    struct window *windows;
    const char **groups;
    const struct adu_time_zone *zone;
};

/* --- compiling --- */

struct keys {
    const struct adu_json *qos, *payload_bytes, *networks, *times, *share_groups;
    bool retain;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, qos, OBJECT),
    ADU_FIELD(struct keys, retain, BOOL),
    ADU_FIELD(struct keys, payload_bytes, OBJECT),
    ADU_FIELD(struct keys, networks, ARRAY),
    ADU_FIELD(struct keys, times, ARRAY),
    ADU_FIELD(struct keys, share_groups, ARRAY),
    {0},
};

enum { PAYLOAD_MOST = 268435455 /* MQTT's own limit of a packet */ };

struct range_keys {
    long min, max;
};

static const struct adu_field qos_fields[] = {
    ADU_FIELD(struct range_keys, min, INTEGER, .minimum = 0, .maximum = 2),
    ADU_FIELD(struct range_keys, max, INTEGER, .minimum = 0, .maximum = 2),
    {0},
};

static const struct adu_field payload_fields[] = {
    ADU_FIELD(struct range_keys, min, INTEGER, .minimum = 0, .maximum = PAYLOAD_MOST),
    ADU_FIELD(struct range_keys, max, INTEGER, .minimum = 0, .maximum = PAYLOAD_MOST),
    {0},
};

static bool compile_range(struct adu_compiler *c, const struct adu_json *object,
                          const struct adu_field *range_fields, long most, long *min, long *max)
{
    struct range_keys keys = {.min = 0, .max = most};
    if (!adu_read_object(object, range_fields, &keys, c->error)) {
        return false;
    }
    if (adu_read_count(object) == 0) {
        return adu_json_error(object, c->error, "expected \"min\", \"max\" or both");
    }
    if (keys.min > keys.max) {
        return adu_json_error(object, c->error, "min %ld is more than max %ld", keys.min, keys.max);
    }
    *min = keys.min;
    *max = keys.max;
    return true;
}

/* Each string of a list that must not be empty. */
static bool each_string(struct adu_compiler *c, const struct adu_json *array,
                        bool (*take)(struct adu_compiler *c, const struct adu_json *node,
                                     const char *text, struct adu_when *when),
                        struct adu_when *when)
{
    if (array->count == 0) {
        return adu_json_error(array, c->error, "an empty list holds for nobody; leave the key out");
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        const char *text = adu_read_string(node, c->error);
        if (text == NULL || !take(c, node, text, when)) {
            return false;
        }
    }
    return true;
}

static bool take_network(struct adu_compiler *c, const struct adu_json *node, const char *text,
                         struct adu_when *when)
{
    const char *wrong = adu_network_parse(text, &when->networks[when->network_count++]);
    return wrong == NULL || adu_json_error(node, c->error, "\"%.64s\" %s", text, wrong);
}

static bool take_group(struct adu_compiler *c, const struct adu_json *node, const char *text,
                       struct adu_when *when)
{
    if (strpbrk(text, "/+#") != NULL) {
        return adu_json_error(node, c->error, "no share group can be called that");
    }
    const char *copy = adu_arena_strdup(c->arena, text);
    when->groups[when->group_count++] = copy;
    return copy != NULL || adu_error_no_memory(c->error);
}

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

/* "mon" or "mon-fri"; a range may go round the end of the week. 0 if it is neither. */
static unsigned days_of(const char *text)
{
    int first = -1, last = -1;
    const size_t length = strlen(text);
    for (int day = 0; day_names[day] != NULL; day++) {
        if (strncmp(text, day_names[day], 3) == 0) {
            first = day;
        }
        if (length >= 3 && strcmp(text + length - 3, day_names[day]) == 0) {
            last = day;
        }
    }
    if (first < 0 || last < 0 || (length != 3 && (length != 7 || text[3] != '-'))) {
        return 0;
    }
    unsigned days = 1u << last;
    for (int day = first; day != last; day = (day + 1) % 7) {
        days |= 1u << day;
    }
    return days;
}

/* Minutes of "06:30"; "24:00" is the end of the day. -1 if it is no time. */
static int minutes_of(const char *text)
{
    const bool shaped = strlen(text) == 5 && strspn(text, "0123456789:") == 5 && text[2] == ':' &&
                        text[0] != ':' && text[1] != ':' && text[3] != ':' && text[4] != ':';
    const int hours = shaped ? (text[0] - '0') * 10 + text[1] - '0' : 25;
    const int minutes = shaped ? (text[3] - '0') * 10 + text[4] - '0' : 60;
    return hours < 24 && minutes < 60    ? hours * 60 + minutes
           : hours == 24 && minutes == 0 ? ADU_MINUTES_OF_DAY
                                         : -1;
}

struct time_keys {
    const struct adu_json *days;
    const char *from, *to;
};

static const struct adu_field time_fields[] = {
    ADU_FIELD(struct time_keys, days, ARRAY),
    ADU_FIELD(struct time_keys, from, STRING),
    ADU_FIELD(struct time_keys, to, STRING),
    {0},
};

static bool compile_days(struct adu_compiler *c, const struct adu_json *array, struct window *w)
{
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        const char *text = adu_read_string(node, c->error);
        const unsigned days = text != NULL ? days_of(text) : 0;
        if (days == 0) {
            return adu_json_error(node, c->error,
                                  "expected a day or a range of days: \"mon\", "
                                  "\"mon-fri\"");
        }
        w->days |= days;
    }
    return array->count > 0 ||
           adu_json_error(array, c->error, "an empty list holds for no day; leave the key out");
}

static bool compile_minute(struct adu_compiler *c, const struct adu_json *object, const char *key,
                           const char *text, int *minute)
{
    if (text != NULL && (*minute = minutes_of(text)) < 0) {
        return adu_json_error(adu_json_member(object, key), c->error,
                              "expected a time of day: \"06:30\"");
    }
    return true;
}

static bool compile_window(struct adu_compiler *c, const struct adu_json *node, struct window *w)
{
    struct time_keys keys = {0};
    int to = ADU_MINUTES_OF_DAY;
    if (!adu_read_object(node, time_fields, &keys, c->error) ||
        !compile_minute(c, node, "from", keys.from, &w->from) ||
        !compile_minute(c, node, "to", keys.to, &to)) {
        return false;
    }
    if (w->from == ADU_MINUTES_OF_DAY || to == w->from) {
        return adu_json_error(node, c->error, "this window has no length");
    }
    w->length = to > w->from ? to - w->from : to + ADU_MINUTES_OF_DAY - w->from;
    w->days = 0;
    if (keys.days != NULL) {
        return compile_days(c, keys.days, w);
    }
    w->days = 0x7f;
    return true;
}

static bool compile_times(struct adu_compiler *c, const struct adu_json *array,
                          struct adu_when *when)
{
    if (when->zone == NULL) {
        return adu_json_key_error(array, c->error,
                                  "needs \"time_zone\" at the top of the file, such as "
                                  "\"America/Mexico_City\"");
    }
    if (array->count == 0) {
        return adu_json_error(array, c->error, "an empty list holds at no time; leave the key out");
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        if (!compile_window(c, node, &when->windows[when->window_count++])) {
            return false;
        }
    }
    return true;
}

/* What a condition is about must be among what the rule is about, or it would never hold. */
static bool fits(struct adu_compiler *c, const struct adu_json *node, unsigned actions,
                 unsigned about, const char *what)
{
    return node == NULL || (actions & ~about) == 0 ||
           adu_json_key_error(node, c->error, "is about %s; give it a rule of its own", what);
}

static bool compile_lists(struct adu_compiler *c, const struct keys *keys, struct adu_when *when)
{
    const size_t networks = keys->networks != NULL ? keys->networks->count : 0;
    const size_t windows = keys->times != NULL ? keys->times->count : 0;
    const size_t groups = keys->share_groups != NULL ? keys->share_groups->count : 0;
    when->networks = adu_arena_array(c->arena, networks + 1, sizeof *when->networks);
    when->windows = adu_arena_array(c->arena, windows + 1, sizeof *when->windows);
    when->groups = adu_arena_array(c->arena, groups + 1, sizeof *when->groups);
    if (when->networks == NULL || when->windows == NULL || when->groups == NULL) {
        return adu_error_no_memory(c->error);
    }
    return (keys->networks == NULL || each_string(c, keys->networks, take_network, when)) &&
           (keys->times == NULL || compile_times(c, keys->times, when)) &&
           (keys->share_groups == NULL || each_string(c, keys->share_groups, take_group, when));
}

const struct adu_when *adu_when_compile(struct adu_compiler *c, const struct adu_json *object,
                                        unsigned actions, const struct adu_time_zone *zone)
{
    struct keys keys = {0};
    const unsigned publish = 1u << ADU_PUBLISH, subscribe = 1u << ADU_SUBSCRIBE;
    struct adu_when *when = adu_arena_alloc(c->arena, sizeof *when);
    if (when == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    when->zone = zone;
    if (!adu_read_object(object, fields, &keys, c->error) ||
        !fits(c, keys.qos, actions, publish | subscribe, "publish and subscribe") ||
        !fits(c, adu_json_member(object, "retain"), actions, publish, "publish") ||
        !fits(c, keys.payload_bytes, actions, publish, "publish") ||
        !fits(c, keys.share_groups, actions, subscribe, "subscribe") ||
        !compile_lists(c, &keys, when)) {
        return NULL;
    }
    when->about_retain = adu_json_member(object, "retain") != NULL;
    when->retain = keys.retain;
    when->about_qos = keys.qos != NULL;
    when->about_payload = keys.payload_bytes != NULL;
    if ((keys.qos != NULL &&
         !compile_range(c, keys.qos, qos_fields, 2, &when->qos_min, &when->qos_max)) ||
        (keys.payload_bytes != NULL &&
         !compile_range(c, keys.payload_bytes, payload_fields, PAYLOAD_MOST, &when->payload_min,
                        &when->payload_max))) {
        return NULL;
    }
    if (adu_read_count(object) == 0) {
        adu_json_error(object, c->error, "no condition is given; leave the key out");
        return NULL;
    }
    return when;
}

/* --- deciding --- */

static enum adu_holds in_networks(const struct adu_when *when, const struct adu_address *address)
{
    if (!address->known) {
        return ADU_HOLDS_UNKNOWN;
    }
    for (size_t i = 0; i < when->network_count; i++) {
        if (adu_network_has(&when->networks[i], address)) {
            return ADU_HOLDS;
        }
    }
    return ADU_HOLDS_NOT;
}

static enum adu_holds in_windows(const struct adu_when *when, int64_t wall_ms)
{
    const int now = adu_time_zone_minute(when->zone, wall_ms);
    if (now < 0) {
        return ADU_HOLDS_UNKNOWN;
    }
    for (size_t i = 0; i < when->window_count; i++) {
        const struct window *w = &when->windows[i];
        for (int day = 0; day < 7; day++) {
            const int begin = day * ADU_MINUTES_OF_DAY + w->from;
            const int since = (now - begin + ADU_MINUTES_OF_WEEK) % ADU_MINUTES_OF_WEEK;
            if ((w->days >> day & 1) != 0 && since < w->length) {
                return ADU_HOLDS;
            }
        }
    }
    return ADU_HOLDS_NOT;
}

static bool in_groups(const struct adu_when *when, struct adu_text group)
{
    for (size_t i = 0; i < when->group_count; i++) {
        if (adu_text_is(group, when->groups[i])) {
            return true;
        }
    }
    return false;
}

bool adu_when_is_of_subscribe(const struct adu_when *when)
{
    return when->about_qos || when->group_count > 0;
}

enum adu_holds adu_when_holds(const struct adu_when *when, const struct adu_request *request)
{
    enum adu_holds network = ADU_HOLDS, time = ADU_HOLDS;
    /* A subscription's receiving is bound by its time and network; its QoS and group were judged
     * when it was made, and the broker names neither for a delivery. */
    const bool receives = request->action == ADU_RECEIVE;
    if ((when->about_qos && !receives &&
         (request->qos < when->qos_min || request->qos > when->qos_max)) ||
        (when->about_retain && request->retain != when->retain) ||
        (when->about_payload && (request->payload_length < when->payload_min ||
                                 request->payload_length > when->payload_max)) ||
        (when->group_count > 0 && !receives && !in_groups(when, request->group))) {
        return ADU_HOLDS_NOT;
    }
    if (when->network_count > 0) {
        network = in_networks(when, &request->subject->address);
    }
    if (when->window_count > 0) {
        time = in_windows(when, request->wall_ms);
    }
    if (network == ADU_HOLDS_NOT || time == ADU_HOLDS_NOT) {
        return ADU_HOLDS_NOT;
    }
    return network == ADU_HOLDS_UNKNOWN || time == ADU_HOLDS_UNKNOWN ? ADU_HOLDS_UNKNOWN
                                                                     : ADU_HOLDS;
}
