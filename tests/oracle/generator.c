#include "generator.h"
#include "oracle.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

enum { TOPIC_TEXT = 256, POOL = 512 };

/* Few roles with many patterns; many roles that share a few: then a pattern means something to more
 * roles than one looks through, and roles fill more than one word. Short levels, and deep ones. */
static const struct shape {
    unsigned often, roles, words, depth, patterns; /* patterns 0: a new one each time */
    unsigned rules_most, denies_in, watched_in;    /* one in so many */
} shapes[] = {
    {40, 3, 5, 3, 0, 3, 2, 12},  {30, 5, 3, 4, 0, 3, 2, 12},    {20, 4, 7, 2, 0, 3, 2, 12},
    {8, 20, 5, 3, 12, 3, 8, 60}, {2, 130, 4, 2, 6, 2, 12, 300},
};

static const char *const all_words[] = {"linea-de-empaquetado-1", "",  "$x",      "b",
                                        "estacion-de-paletizado", "ñ", "$CONTROL"};
static const char *const attributes[] = {"linea",   "zona",     "cert.cn",
                                         "cert.ou", "username", "client_id"};
static const char *const illegal[] = {"", "+", "#", "b/b", "b\x01", "\xc2\x85", "\x7f"};
static const char *const groups[] = {"g1", "g2", "turno-de-noche"};
static const char *const addresses[] = {"10.1.2.3",        "10.1.200.4", "192.168.0.1",
                                        "::ffff:10.1.2.9", "fd00::1",    "2001:db8::5"};
static const char *const networks[] = {"10.1.0.0/16",  "10.1.2.3", "192.168.0.0/31",
                                       "0.0.0.0/0",    "fd00::/8", "2001:db8::/33",
                                       "10.1.128.0/17"};
static const char *const zones[] = {"UTC", "America/Mexico_City", "Europe/Madrid", "Asia/Kolkata"};

/* While one round is made. */
static struct {
    uint64_t random;
    const struct shape *shape;
    const char *words[ROWS(all_words)];
    char pool[POOL][TOPIC_TEXT]; /* every pattern there is */
    size_t pooled;
    const char *zone; /* NULL: the policy knows no times */
} g;

/* xorshift64*: the same numbers everywhere. */
static unsigned below(unsigned limit)
{
    g.random ^= g.random >> 12;
    g.random ^= g.random << 25;
    g.random ^= g.random >> 27;
    return (unsigned)((g.random * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static bool once_in(unsigned many)
{
    return below(many) == 0;
}

#define PICK(table) ((table)[below((unsigned)ROWS(table))])

static const char *word(void)
{
    return g.words[below(g.shape->words)];
}

/* One that can be the name of somebody. */
static const char *name(void)
{
    const char *text = "";
    while (text[0] == '\0') {
        text = word();
    }
    return text;
}

/* --- patterns --- */

static void pattern_level(char *level, size_t size)
{
    const unsigned kind = below(10);
    if (kind < 6) {
        snprintf(level, size, "%s", word());
    } else if (kind < 8) {
        snprintf(level, size, "+");
    } else {
        snprintf(level, size, "${%s}", PICK(attributes));
    }
}

/* Up to `depth` levels, then perhaps a `#`; never empty. */
static void new_pattern(char *text)
{
    do {
        size_t used = 0;
        const unsigned levels = below(g.shape->depth + 1);
        text[0] = '\0';
        for (unsigned i = 0; i < levels; i++) {
            char level[64];
            pattern_level(level, sizeof level);
            used +=
                (size_t)snprintf(text + used, TOPIC_TEXT - used, "%s%s", i > 0 ? "/" : "", level);
        }
        if (once_in(3)) {
            snprintf(text + used, TOPIC_TEXT - used, "%s#", levels > 0 ? "/" : "");
        }
    } while (text[0] == '\0');
}

static const char *pattern(void)
{
    if (g.shape->patterns > 0 && g.pooled >= g.shape->patterns) {
        return g.pool[below((unsigned)g.pooled)];
    }
    char *text = g.pool[g.pooled < POOL ? g.pooled++ : below(POOL)];
    new_pattern(text);
    return text;
}

/* --- rules --- */

/* {"min": ..., "max": ...} with one of both, or both. */
static json_t *range(unsigned limit)
{
    json_t *object = json_object();
    const unsigned sides = 1 + below(3), first = below(limit), second = below(limit);
    if ((sides & 1) != 0) {
        json_object_set_new(object, "min", json_integer(first < second ? first : second));
    }
    if ((sides & 2) != 0) {
        json_object_set_new(object, "max", json_integer(first < second ? second : first));
    }
    return object;
}

static json_t *strings(const char *const *table, size_t rows)
{
    json_t *list = json_array();
    for (unsigned left = 1 + below(2); left > 0; left--) {
        json_array_append_new(list, json_string(table[below((unsigned)rows)]));
    }
    return list;
}

static json_t *window(void)
{
    static const char *const days[] = {"mon", "tue-fri", "fri-mon", "sat", "sun-tue"};
    static const char *const times[] = {"00:00", "06:30", "14:00", "22:15"};
    json_t *object = json_object();
    const unsigned from = below(4), step = 1 + below(3);
    if (once_in(2)) {
        json_object_set_new(object, "days", strings(days, ROWS(days)));
    }
    if (!once_in(4)) {
        json_object_set_new(object, "from", json_string(times[from]));
        json_object_set_new(object, "to", json_string(times[(from + step) % 4]));
    }
    return object;
}

/* What fits a rule with these lists (bits); perhaps nothing. */
static json_t *when(unsigned lists)
{
    json_t *object = json_object();
    if (once_in(3)) {
        json_object_set_new(object, "networks", strings(networks, ROWS(networks)));
    }
    if (g.zone != NULL && once_in(2)) {
        json_object_set_new(object, "times", json_pack("[o]", window()));
    }
    if ((lists & 4) == 0 && once_in(2)) {
        json_object_set_new(object, "qos", range(3));
    }
    if (lists == 1 && once_in(3)) {
        json_object_set_new(object, "retain", json_boolean(once_in(2)));
    }
    if (lists == 1 && once_in(3)) {
        json_object_set_new(object, "payload_bytes", range(5));
    }
    if (lists == 2 && once_in(3)) {
        json_object_set_new(object, "share_groups", strings(groups, ROWS(groups)));
    }
    return object;
}

static json_t *rule(bool deny)
{
    static const char *const lists[] = {"publish", "subscribe", "receive"};
    static const unsigned sets[] = {1, 1, 1, 2, 2, 2, 4, 3, 5, 6, 7};
    const unsigned set = PICK(sets);
    json_t *object = json_object();
    for (unsigned i = 0; i < ROWS(lists); i++) {
        if ((set >> i & 1) != 0) {
            json_t *list = json_array();
            for (unsigned left = 1 + below(2); left > 0; left--) {
                json_array_append_new(list, json_string(pattern()));
            }
            json_object_set_new(object, lists[i], list);
        }
    }
    if (once_in(4)) {
        json_t *conditions = when(set);
        if (json_object_size(conditions) > 0) {
            json_object_set(object, "when", conditions);
        }
        json_decref(conditions);
    }
    if (deny && once_in(5)) {
        json_object_set_new(object, "mode", json_string("watch"));
    }
    return object;
}

/* --- roles and bindings --- */

static json_t *role_name(unsigned number)
{
    return json_sprintf("r%u", number);
}

/* It includes only later ones, so none includes itself. */
static json_t *role(unsigned number)
{
    json_t *allow = json_array(), *deny = json_array(), *object = json_object();
    for (unsigned left = below(g.shape->rules_most); left > 0; left--) {
        json_array_append_new(allow, rule(false));
    }
    if (once_in(g.shape->denies_in)) {
        json_array_append_new(deny, rule(true));
    }
    json_object_set_new(object, "allow", allow);
    json_object_set_new(object, "deny", deny);
    if (once_in(g.shape->watched_in)) {
        json_object_set_new(object, "mode", json_string("watch"));
    }
    if (number + 1 < g.shape->roles && once_in(4)) {
        const unsigned later = number + 1 + below(g.shape->roles - number - 1);
        json_object_set_new(object, "includes", json_pack("[o]", role_name(later)));
    }
    return object;
}

static json_t *random_roles(unsigned most)
{
    json_t *list = json_array();
    for (unsigned left = below(most + 1); left > 0; left--) {
        json_array_append_new(list, role_name(below(g.shape->roles)));
    }
    return list;
}

static json_t *expected(void)
{
    static const char *const patterns[] = {"b|ñ", "linea-.*-[0-9]", ".*a.*", "[$]x?", ""};
    switch (below(3)) {
    case 0:
        return json_string(name());
    case 1:
        return json_pack("[ss]", name(), name());
    default:
        return json_pack("{s:s}", "pattern", patterns[below(4)]);
    }
}

static json_t *binding(void)
{
    json_t *match = json_object();
    for (unsigned left = below(3); left > 0; left--) {
        json_object_set_new(match, PICK(attributes), expected());
    }
    return json_pack("{s:o, s:o}", "match", match, "roles", random_roles(2));
}

static json_t *policy(void)
{
    json_t *roles = json_object(), *bindings = json_array(), *object = json_object();
    if (once_in(2)) {
        g.zone = PICK(zones);
        json_object_set_new(object, "time_zone", json_string(g.zone));
    }
    for (unsigned i = 0; i < g.shape->roles; i++) {
        char key[16];
        snprintf(key, sizeof key, "r%u", i);
        json_object_set_new(roles, key, role(i));
    }
    for (unsigned left = below(4); left > 0; left--) {
        json_array_append_new(bindings, binding());
    }
    json_object_set_new(object, "roles", roles);
    json_object_set_new(object, "bindings", bindings);
    if (once_in(12)) {
        json_object_set_new(object, "mode", json_string("watch"));
    }
    return object;
}

/* --- sessions --- */

/* Most have one value that can be a level, some several, none, or one that cannot. */
static json_t *random_attributes(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < 4; i++) {
        for (unsigned left = once_in(6) ? 2 : once_in(6) ? 0 : 1; left > 0; left--) {
            const char *value = once_in(8) ? PICK(illegal) : name();
            json_array_append_new(list, json_pack("[ss]", attributes[i], value));
        }
    }
    return list;
}

static json_t *session(void)
{
    json_t *object = json_pack("{s:s, s:b, s:s, s:o, s:o}", "client_id", name(), "bound",
                               (int)!once_in(3), "username", once_in(10) ? "b/b" : name(), "roles",
                               random_roles(3), "attributes", random_attributes());
    if (!once_in(6)) {
        json_object_set_new(object, "address", json_string(PICK(addresses)));
    }
    return object;
}

/* --- requests --- */

/* Any topic, or filter; shorter, as deep as the patterns, or deeper. */
static void new_topic(char *text, bool filter)
{
    size_t used = 0;
    const unsigned levels = 1 + below(g.shape->depth + (filter ? 0 : 1));
    for (unsigned i = 0; i < levels; i++) {
        used += (size_t)snprintf(text + used, TOPIC_TEXT - used, "%s%s", i > 0 ? "/" : "",
                                 filter && once_in(4) ? "+"
                                 : once_in(8)         ? "otro"
                                                      : word());
    }
    if (filter && once_in(4)) {
        snprintf(text + used, TOPIC_TEXT - used, "/#");
    }
}

/* One of the patterns' own: wildcards and attributes filled in, or left as wildcards. */
static void topic_of_pattern(char *text, bool filter)
{
    size_t used = 0;
    const char *at = g.pool[below((unsigned)g.pooled)];
    text[0] = '\0';
    for (bool first = true; at != NULL; first = false) {
        const size_t length = strcspn(at, "/");
        const bool rest = at[0] == '#';
        if (rest && !filter && !first && once_in(3)) {
            return;
        }
        const char *slash = first ? "" : "/";
        if (filter && (rest || at[0] == '+' || once_in(6)) && !once_in(4)) {
            used +=
                (size_t)snprintf(text + used, TOPIC_TEXT - used, "%s%s", slash, rest ? "#" : "+");
        } else if (rest || at[0] == '+' || strncmp(at, "${", 2) == 0) {
            used += (size_t)snprintf(text + used, TOPIC_TEXT - used, "%s%s", slash, word());
        } else {
            used +=
                (size_t)snprintf(text + used, TOPIC_TEXT - used, "%s%.*s", slash, (int)length, at);
        }
        at = at[length] == '/' ? at + length + 1 : NULL;
    }
}

static void random_topic(char *text, bool filter)
{
    do {
        if (once_in(3) || g.pooled == 0) {
            new_topic(text, filter);
        } else {
            topic_of_pattern(text, filter);
        }
    } while (text[0] == '\0');
}

static json_t *random_filter(void)
{
    static const char *const malformed[] = {"$share",     "$share/g1",  "$share//b",
                                            "$share/g1/", "$share/+/b", "$share/g#/b"};
    char text[TOPIC_TEXT];
    random_topic(text, true);
    if (once_in(100)) {
        return json_string(PICK(malformed));
    }
    return once_in(4) ? json_sprintf("$share/%s/%s", PICK(groups), text) : json_string(text);
}

/* Seconds since 1970; a few before 2020 and after 2060. */
static int64_t time_of_day(void)
{
    const int64_t first = 1577836800, seconds = 1262304000;
    return once_in(20) ? (once_in(2) ? 1400000000 : 2900000000) : first + below((unsigned)seconds);
}

static json_t *request(void)
{
    static const char *const actions[] = {"publish", "subscribe", "receive"};
    char text[TOPIC_TEXT];
    const unsigned action = below(3);
    random_topic(text, false);
    json_t *object = json_pack("{s:s, s:o, s:i, s:I}", "action", actions[action], "topic",
                               action == 1 ? random_filter() : json_string(text), "qos",
                               (int)below(3), "at", (json_int_t)time_of_day());
    if (action == 0) {
        json_object_set_new(object, "retain", json_boolean(once_in(2)));
        json_object_set_new(object, "payload_bytes", json_integer(below(6)));
    }
    return object;
}

/* --- */

static const struct shape *random_shape(void)
{
    unsigned number = below(100);
    const struct shape *shape = shapes;
    while (number >= shape->often) {
        number -= shape->often;
        shape++;
    }
    return shape;
}

/* Different ones, always with one that can be a name. */
static void choose_words(void)
{
    memcpy(g.words, all_words, sizeof g.words);
    for (size_t i = 1; i < ROWS(g.words); i++) {
        const size_t other = i + below((unsigned)(ROWS(g.words) - i));
        const char *text = g.words[i];
        g.words[i] = g.words[other];
        g.words[other] = text;
    }
}

json_t *generator_round(uint64_t seed)
{
    enum { SESSIONS = 8, REQUESTS = 120 };
    json_t *sessions = json_array(), *requests = json_array();
    memset(&g, 0, sizeof g);
    g.random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    below(2);
    g.shape = random_shape();
    choose_words();
    json_t *made = policy();
    for (int i = 0; i < SESSIONS; i++) {
        json_array_append_new(sessions, session());
    }
    for (int i = 0; i < REQUESTS; i++) {
        json_array_append_new(requests, request());
    }
    return json_pack("{s:o, s:o, s:o}", "policy", made, "sessions", sessions, "requests", requests);
}
