#include "oracle.h"
#include "topics.h"
#include "when.h"
#include "who.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const oracle_answer_names[] = {"refused", "let through, but watched", "allowed"};

static const char *const action_names[] = {"publish", "subscribe", "receive"};

/* One pattern that is said to one session. */
struct said {
    enum oracle_action list; /* the rule has it in its list of that name */
    bool deny, watched;
    const json_t *when;
    struct levels pattern;
};

struct session {
    const char *address;
    bool watched; /* one of its roles is */
    struct said *said;
    size_t count;
};

/* One request. A SUBSCRIBE to $share/<group>/<filter> is one to <filter>. */
struct asked {
    struct oracle_request request;
    bool malformed;
    char group[LEVEL_TEXT];
    struct levels topic;
    const struct levels **topics; /* that a filter can match */
};

struct oracle {
    bool watched; /* the whole file */
    struct session *sessions;
    size_t session_count;
    struct asked *asked;
    size_t asked_count;
    struct universe universe;
};

static void *grown(void *memory, size_t size)
{
    memory = realloc(memory, size);
    if (memory == NULL) {
        exit(EXIT_FAILURE);
    }
    return memory;
}

static bool is_watched(const json_t *thing)
{
    const char *mode = json_string_value(json_object_get(thing, "mode"));
    return mode != NULL && strcmp(mode, "watch") == 0;
}

/* --- what is said to a session --- */

static const char *level_value(void *session, const char *attribute)
{
    return who_level(session, attribute);
}

static void add_rule(struct session *s, const json_t *session, const json_t *rule, bool deny,
                     bool watched)
{
    for (int list = ORACLE_PUBLISH; list <= ORACLE_RECEIVE; list++) {
        const json_t *patterns = json_object_get(rule, action_names[list]);
        for (size_t i = 0; i < json_array_size(patterns); i++) {
            const char *text = json_string_value(json_array_get(patterns, i));
            s->said = grown(s->said, (s->count + 1) * sizeof *s->said);
            s->said[s->count++] = (struct said){
                .list = (enum oracle_action)list,
                .deny = deny,
                .watched = deny && (watched || is_watched(rule)),
                .when = json_object_get(rule, "when"),
                .pattern = levels_of(text, level_value, (void *)(uintptr_t)session),
            };
        }
    }
}

static void add_role(struct session *s, const json_t *session, const json_t *role)
{
    static const char *const lists[] = {"allow", "deny"};
    s->watched = s->watched || is_watched(role);
    for (int deny = 0; deny < 2; deny++) {
        const json_t *rules = json_object_get(role, lists[deny]);
        for (size_t i = 0; i < json_array_size(rules); i++) {
            add_rule(s, session, json_array_get(rules, i), deny == 1, is_watched(role));
        }
    }
}

static struct session session_of(const json_t *policy, const json_t *session)
{
    struct session s = {.address = json_string_value(json_object_get(session, "address"))};
    const char *name;
    json_t *roles = who_roles(policy, session), *unused;
    json_object_foreach(roles, name, unused)
    {
        add_role(&s, session, json_object_get(json_object_get(policy, "roles"), name));
    }
    json_decref(roles);
    return s;
}

/* --- requests --- */

struct oracle_request oracle_request_of(const json_t *request)
{
    struct oracle_request r = {
        .topic = json_string_value(json_object_get(request, "topic")),
        .qos = (int)json_integer_value(json_object_get(request, "qos")),
        .retain = json_is_true(json_object_get(request, "retain")),
        .payload_bytes = (long)json_integer_value(json_object_get(request, "payload_bytes")),
        .at = json_integer_value(json_object_get(request, "at")),
    };
    const char *action = json_string_value(json_object_get(request, "action"));
    while (strcmp(action_names[r.action], action) != 0) {
        r.action++;
    }
    return r;
}

static struct asked asked_of(const json_t *json)
{
    struct asked asked = {.request = oracle_request_of(json)};
    const char *topic = asked.request.topic;
    if (asked.request.action == ORACLE_SUBSCRIBE &&
        (strncmp(topic, "$share/", 7) == 0 || strcmp(topic, "$share") == 0)) {
        const char *group = topic + strlen("$share/");
        const char *filter = topic[6] == '/' ? strchr(group, '/') : NULL;
        const size_t length = filter != NULL ? (size_t)(filter - group) : 0;
        if (length == 0 || length >= sizeof asked.group || filter[1] == '\0' ||
            strcspn(group, "+#") < length) {
            asked.malformed = true;
            return asked;
        }
        memcpy(asked.group, group, length);
        topic = filter + 1;
    }
    asked.topic = levels_of(topic, NULL, NULL);
    return asked;
}

/* --- the answer --- */

static bool is_about(const struct said *said, enum oracle_action action, bool shared)
{
    /* What is denied of subscribing in one way is not denied of receiving. */
    const bool one_way = said->deny && (json_object_get(said->when, "qos") != NULL ||
                                        json_object_get(said->when, "share_groups") != NULL);
    return said->list == action ||
           (action == ORACLE_RECEIVE && said->list == ORACLE_SUBSCRIBE && !one_way) ||
           /* A member of a group who may receive nothing of it would take it from the others. */
           (action == ORACLE_SUBSCRIBE && shared && said->deny && said->list == ORACLE_RECEIVE);
}

static bool applies(const struct session *session, const struct said *said,
                    const struct asked *asked)
{
    const enum oracle_action action = asked->request.action;
    const char *group = asked->group[0] != '\0' ? asked->group : NULL;
    if (!is_about(said, action, group != NULL)) {
        return false;
    }
    if (action == ORACLE_SUBSCRIBE ? !levels_match_all(&said->pattern, asked->topics)
                                   : !levels_match(&said->pattern, &asked->topic)) {
        return false;
    }
    const enum holds holds =
        oracle_when_holds(said->when, &asked->request, group, session->address);
    return holds == HOLDS || (holds == HOLDS_UNKNOWN && said->deny);
}

enum oracle_answer oracle_decide(const struct oracle *oracle, size_t session, size_t request)
{
    const struct session *s = &oracle->sessions[session];
    const enum oracle_answer no = oracle->watched ? ORACLE_WATCHED : ORACLE_REFUSED;
    bool allowed = false, denied = false, denied_watched = false;
    const struct asked *asked = &oracle->asked[request];
    if (asked->malformed) {
        return ORACLE_REFUSED;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (applies(s, &s->said[i], asked)) {
            allowed = allowed || !s->said[i].deny;
            denied = denied || (s->said[i].deny && !s->said[i].watched);
            denied_watched = denied_watched || s->said[i].watched;
        }
    }
    if (denied) {
        return no;
    }
    if (!allowed) {
        return s->watched ? ORACLE_WATCHED : no;
    }
    return denied_watched ? ORACLE_WATCHED : ORACLE_ALLOWED;
}

/* --- making it --- */

/* Whatever a pattern or a filter spells out is a level that topics are made of. */
static void make_universe(struct oracle *oracle)
{
    struct universe *u = &oracle->universe;
    for (size_t i = 0; i < oracle->session_count; i++) {
        for (size_t k = 0; k < oracle->sessions[i].count; k++) {
            universe_add(u, &oracle->sessions[i].said[k].pattern);
        }
    }
    for (size_t i = 0; i < oracle->asked_count; i++) {
        if (oracle->asked[i].request.action == ORACLE_SUBSCRIBE) {
            universe_add(u, &oracle->asked[i].topic);
        }
    }
    universe_make(u);
    for (size_t i = 0; i < oracle->asked_count; i++) {
        if (oracle->asked[i].request.action == ORACLE_SUBSCRIBE) {
            oracle->asked[i].topics = universe_find(u, &oracle->asked[i].topic);
        }
    }
}

struct oracle *oracle_new(const json_t *round)
{
    const json_t *policy = json_object_get(round, "policy");
    const json_t *sessions = json_object_get(round, "sessions");
    const json_t *requests = json_object_get(round, "requests");
    struct oracle *oracle = grown(NULL, sizeof *oracle);
    *oracle = (struct oracle){.watched = is_watched(policy),
                              .session_count = json_array_size(sessions),
                              .asked_count = json_array_size(requests)};
    oracle->sessions = grown(NULL, (oracle->session_count + 1) * sizeof *oracle->sessions);
    for (size_t i = 0; i < oracle->session_count; i++) {
        oracle->sessions[i] = session_of(policy, json_array_get(sessions, i));
    }
    oracle->asked = grown(NULL, (oracle->asked_count + 1) * sizeof *oracle->asked);
    for (size_t i = 0; i < oracle->asked_count; i++) {
        oracle->asked[i] = asked_of(json_array_get(requests, i));
    }
    make_universe(oracle);
    const char *zone = json_string_value(json_object_get(policy, "time_zone"));
    setenv("TZ", zone != NULL ? zone : "UTC", 1);
    tzset();
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->session_count; i++) {
        free(oracle->sessions[i].said);
    }
    for (size_t i = 0; i < oracle->asked_count; i++) {
        free(oracle->asked[i].topics);
    }
    free(oracle->sessions);
    free(oracle->asked);
    universe_free(&oracle->universe);
    free(oracle);
}
