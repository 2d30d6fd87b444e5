#include "plugins/topic_policy/telling.h"
#include "common/reader.h"
#include "common/told.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a list that people read. */
enum { NAMESPACES_MOST = 500 };

struct keys {
    const char *topic;
    long every_seconds, topics_most;
};

static const struct adu_field fields[] = {
    ADU_FIELD(struct keys, topic, STRING),
    ADU_FIELD(struct keys, every_seconds, INTEGER, .minimum = 1, .maximum = 86400),
    ADU_FIELD(struct keys, topics_most, INTEGER, .minimum = 1, .maximum = 1000),
    {0},
};

static bool compile_topic(struct adu_compiler *c, const struct adu_json *node, const char *text,
                          struct adu_telling *telling)
{
    if (strlen(text) > ADU_TOPIC_MOST_BYTES) {
        return adu_json_error(node, c->error, "has more than %d bytes", ADU_TOPIC_MOST_BYTES);
    }
    if (!adu_topic_name_valid(adu_text_of(text)) || strstr(text, "${") != NULL) {
        return adu_json_error(node, c->error, "expected a topic without wildcards");
    }
    const char *topic = adu_arena_strdup(c->arena, text);
    telling->place = adu_compiler_place(c, &node->place);
    telling->topic = adu_text_of(topic);
    return topic != NULL || adu_error_no_memory(c->error);
}

bool adu_telling_compile(struct adu_compiler *c, const struct adu_json *object,
                         struct adu_telling *telling)
{
    struct keys keys = {.every_seconds = 60, .topics_most = 100};
    if (object == NULL) {
        return true;
    }
    if (!adu_read_object(object, fields, &keys, c->error)) {
        return false;
    }
    telling->on = true;
    telling->every_ms = keys.every_seconds * 1000;
    telling->most = (size_t)keys.topics_most;
    return keys.topic == NULL ||
           compile_topic(c, adu_json_member(object, "topic"), keys.topic, telling);
}

/* --- parts --- */

static json_t *text_of(const char *bytes, size_t length)
{
    char text[ADU_DISCOVERY_TOPIC + 1];
    memcpy(text, bytes, length);
    text[length] = '\0';
    return adu_control_text(text);
}

static json_t *rule_of(const struct adu_place *rule)
{
    char text[ADU_ERROR_FILE + 16];
    if (rule == NULL) {
        return json_null();
    }
    snprintf(text, sizeof text, "%s:%u", rule->file, rule->line);
    return adu_control_text(text);
}

/* Takes `item`. */
static bool append(json_t *list, json_t *item)
{
    return json_array_append_new(list, item) == 0;
}

static json_t *finish(json_t *list, bool complete)
{
    if (!complete) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* What it belonged to under an earlier policy says nothing. */
static uint32_t namespace_of(const struct adu_stage_call *call, const struct adu_found_topic *t)
{
    static const struct adu_subject anybody;
    const struct adu_request request = {
        .action = ADU_PUBLISH, .topic = {t->topic, t->kept}, .subject = &anybody};
    if (t->generation == call->generation) {
        return t->namespace;
    }
    return t->kept == t->length ? adu_topic_policy_namespace(call->policy, &request) : 0;
}

static unsigned clients_of(const struct adu_found_topic *t)
{
    unsigned count = 0;
    while (count < ADU_DISCOVERY_CLIENTS && t->clients[count] != 0) {
        count++;
    }
    return count;
}

static json_t *topic_json(const struct adu_stage_call *call, const struct adu_found_topic *t)
{
    return json_pack(
        "{s:o, s:i, s:o, s:o, s:i, s:I, s:o, s:o}", "topic", text_of(t->topic, t->kept), "bytes",
        (int)t->length, "namespace",
        adu_control_text(adu_topic_policy_namespace_name(call->policy, namespace_of(call, t))),
        "client_id", text_of(t->client_id, t->client_kept), "clients", (int)clients_of(t),
        "messages", (json_int_t)t->messages, "first_seen", adu_control_time(t->first_ms),
        "last_seen", adu_control_time(t->last_ms));
}

static bool is_idle(const struct adu_namespace_use *use)
{
    return use->messages == 0 && use->tally.refused == 0 && use->tally.would_refuse == 0;
}

/* Those of which there is something to tell. */
static json_t *namespaces_json(const struct adu_stage_call *call, const struct adu_refusals *r)
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; complete && i <= r->namespaces; i++) {
        const struct adu_namespace_use *use = &r->uses[i];
        if (is_idle(use) || json_array_size(list) == NAMESPACES_MOST) {
            continue;
        }
        complete = append(
            list,
            json_pack("{s:o, s:I, s:o, s:o, s:I, s:I}", "namespace",
                      adu_control_text(adu_topic_policy_namespace_name(call->policy, (uint32_t)i)),
                      "messages", (json_int_t)use->messages, "first_seen",
                      adu_control_time(use->first_ms), "last_seen", adu_control_time(use->last_ms),
                      "refused", (json_int_t)use->tally.refused, "would_refuse",
                      (json_int_t)use->tally.would_refuse));
    }
    return finish(list, complete);
}

static int more_first(const struct adu_tally *a, const struct adu_tally *b)
{
    const uint64_t one = a->refused + a->would_refuse, other = b->refused + b->would_refuse;
    return (one < other) - (one > other);
}

static int worse(const void *a, const void *b)
{
    return more_first(&(*(const struct adu_offender *const *)a)->tally,
                      &(*(const struct adu_offender *const *)b)->tally);
}

static json_t *offender_json(const struct adu_offender *o)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "client_id",
                     adu_control_text(o->client_id), "username",
                     adu_control_text(o->username[0] != '\0' ? o->username : NULL), "refused",
                     (json_int_t)o->tally.refused, "would_refuse",
                     (json_int_t)o->tally.would_refuse, "first_seen", adu_control_time(o->first_ms),
                     "last_seen", adu_control_time(o->last_ms), "topic", adu_control_text(o->topic),
                     "reason", adu_control_text(o->text), "rule", rule_of(o->rule));
}

static json_t *clients_json(const struct adu_refusals *r)
{
    const struct adu_offender *sorted[ADU_OFFENDERS_MOST];
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; i < r->offenders; i++) {
        sorted[i] = &r->offender[i];
    }
    qsort(sorted, r->offenders, sizeof sorted[0], worse);
    for (size_t i = 0; complete && i < r->offenders; i++) {
        complete = append(list, offender_json(sorted[i]));
    }
    return finish(list, complete);
}

static int offends_more(const void *a, const void *b)
{
    return more_first(&(*(const struct adu_offence *const *)a)->tally,
                      &(*(const struct adu_offence *const *)b)->tally);
}

static json_t *offence_json(const struct adu_stage_call *call, const struct adu_offence *o)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o}", "namespace",
                     adu_control_text(adu_topic_policy_namespace_name(call->policy, o->namespace)),
                     "client_id", adu_control_text(o->client_id), "refused",
                     (json_int_t)o->tally.refused, "would_refuse",
                     (json_int_t)o->tally.would_refuse, "before_at_most", (json_int_t)o->before,
                     "last_seen", adu_control_time(o->last_ms));
}

static json_t *offences_json(const struct adu_stage_call *call, const struct adu_refusals *r)
{
    const struct adu_offence *sorted[ADU_OFFENCES_MOST];
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; i < r->offences; i++) {
        sorted[i] = &r->offence[i];
    }
    qsort(sorted, r->offences, sizeof sorted[0], offends_more);
    for (size_t i = 0; complete && i < r->offences; i++) {
        complete = append(list, offence_json(call, sorted[i]));
    }
    return finish(list, complete);
}

static json_t *reasons_json(const struct adu_refusals *r)
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; complete && i < r->reasons; i++) {
        const struct adu_refused_reason *reason = &r->reason[i];
        complete =
            append(list, json_pack("{s:o, s:o, s:I, s:I}", "reason", adu_control_text(reason->text),
                                   "rule", rule_of(reason->rule), "refused",
                                   (json_int_t)reason->tally.refused, "would_refuse",
                                   (json_int_t)reason->tally.would_refuse));
    }
    return finish(list, complete);
}

static json_t *groups_json(const struct adu_rollout *rollout)
{
    json_t *list = json_array();
    bool complete = list != NULL;
    for (size_t i = 0; complete && i < rollout->count; i++) {
        const struct adu_rollout_group *group = &rollout->groups[i];
        complete = append(list, json_pack("{s:s, s:s, s:I, s:I}", "name", group->name, "mode",
                                          group->watched ? "watch" : "enforce", "refused",
                                          (json_int_t)rollout->tallies[i].refused, "would_refuse",
                                          (json_int_t)rollout->tallies[i].would_refuse));
    }
    return finish(list, complete);
}

/* --- what is told --- */

json_t *adu_telling_summary(const struct adu_stage_call *call,
                            const struct adu_discovery *discovery)
{
    const struct adu_refusals *r = adu_topic_policy_refusals(call->policy);
    return json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "time",
                     adu_control_time(call->wall_ms), "since", adu_control_time(r->since_ms),
                     "discovery", adu_topic_policy_telling(call->policy)->on, "topics_known",
                     (json_int_t)adu_discovery_count(discovery), "topics_displaced",
                     (json_int_t)adu_discovery_displaced(discovery), "messages_left_out",
                     (json_int_t)adu_discovery_left_out(discovery), "refused",
                     (json_int_t)r->all.refused, "would_refuse", (json_int_t)r->all.would_refuse,
                     "namespaces", namespaces_json(call, r), "groups",
                     groups_json(adu_topic_policy_rollout(call->policy)), "worst_clients",
                     clients_json(r), "by_namespace_and_client", offences_json(call, r), "reasons",
                     reasons_json(r));
}

static bool is_of(const struct adu_found_topic *t, const char *client_id)
{
    return client_id == NULL || (strlen(client_id) == t->client_kept &&
                                 memcmp(t->client_id, client_id, t->client_kept) == 0);
}

json_t *adu_telling_page(const struct adu_stage_call *call, const struct adu_discovery *discovery,
                         const struct adu_topics_asked *asked)
{
    const struct adu_found_topic *t = NULL;
    size_t place = asked->from;
    char next[32];
    json_t *list = json_array();
    bool complete = list != NULL;
    while (complete && json_array_size(list) < asked->most &&
           (t = adu_discovery_next(discovery, &place)) != NULL) {
        complete = !is_of(t, asked->client_id) || append(list, topic_json(call, t));
    }
    if (finish(list, complete) == NULL) {
        return NULL;
    }
    snprintf(next, sizeof next, "%zu", place);
    return json_pack("{s:o, s:o}", "topics", list, "next",
                     adu_control_text(t != NULL ? next : NULL));
}

static json_t *top_json(const struct adu_stage_call *call, const struct adu_discovery *discovery,
                        size_t most)
{
    const struct adu_found_topic **top = malloc(most * sizeof *top);
    json_t *list = json_array();
    const size_t count = top != NULL ? adu_discovery_top(discovery, top, most) : 0;
    bool complete = list != NULL && top != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        complete = append(list, topic_json(call, top[i]));
    }
    free(top);
    return finish(list, complete);
}

char *adu_telling_report(const struct adu_stage_call *call, const struct adu_discovery *discovery,
                         size_t most)
{
    json_t *object = adu_telling_summary(call, discovery);
    char *text = NULL;
    if (object != NULL &&
        json_object_set_new(object, "topics", top_json(call, discovery, most)) == 0) {
        text = json_dumps(object, JSON_COMPACT);
    }
    json_decref(object);
    return text;
}
