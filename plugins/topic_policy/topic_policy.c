#include "plugins/topic_policy/topic_policy.h"
#include "common/match.h"
#include "common/reader.h"
#include "common/topic_pattern.h"
#include "plugins/topic_policy/filters.h"
#include "plugins/topic_policy/legal_topics.h"
#include "plugins/topic_policy/names.h"
#include "plugins/topic_policy/namespaces.h"
#include "plugins/topic_policy/sparkplug.h"
#include "plugins/topic_policy/suggest.h"
#include "plugins/topic_policy/telling.h"
#include <string.h>

struct reserved {
    struct adu_place place;
    const char *level;
    size_t length;
    struct adu_roles publishers;
};

struct adu_topic_policy {
    const struct adu_names *names;
    long min_levels, max_levels;
    struct adu_place place; /* of the file's object: where what is a default is said to stand */
    struct adu_place depth_place, reserved_place; /* line 0: not in the file */
    size_t reserved_count;
    struct reserved *reserved;
    bool reserved_first[256]; /* bytes that a reserved level may begin with */
    size_t exempt_count;
    const struct adu_topic_pattern **exempt;
    bool exempt_first[256]; /* bytes that an exempt topic may begin with */
    bool exempt_for_some;   /* one has an attribute in it */
    struct adu_filters filters;
    struct adu_sparkplug sparkplug;
    struct adu_namespaces namespaces;
    bool report;
    struct adu_rollout rollout;
    struct adu_telling telling;
    struct adu_refusals *refusals;
    struct adu_legal_topics *legal; /* with the namespace's number plus one; 0: it needs none */
};

/* --- one level --- */

static const struct reserved *reserved_level(const struct adu_topic_policy *policy,
                                             struct adu_text level)
{
    for (size_t i = 0; i < policy->reserved_count; i++) {
        const struct reserved *r = &policy->reserved[i];
        if (r->length == level.length && memcmp(r->level, level.bytes, level.length) == 0) {
            return r;
        }
    }
    return NULL;
}

/* Levels that begin with `_` have a meaning that must be known. */
static bool underscore_legal(const struct adu_topic_policy *policy, const struct reserved *reserved,
                             struct adu_text level, struct adu_reason *why)
{
    if (reserved != NULL || level.bytes[0] != '_') {
        return true;
    }
    why->text = "levels that begin with \"_\" must be named in reserved_levels";
    why->rule = &policy->reserved_place;
    return false;
}

/* For a template. */
static bool may_be_spelled_out(const void *context, struct adu_text level, struct adu_reason *why)
{
    const struct adu_topic_policy *policy = context;
    return adu_names_level_legal(policy->names, level, why) &&
           underscore_legal(policy, reserved_level(policy, level), level, why);
}

/* --- compiling --- */

struct keys {
    struct adu_stage_header header;
    const struct adu_json *names, *depth, *reserved_levels, *exempt, *vocabularies, *namespaces,
        *subscriptions, *sparkplug, *clients, *discovery;
    int other_topics;
    bool report;
};

static const char *const others_names[] = {[ADU_OTHERS_REFUSE] = "refuse",
                                           [ADU_OTHERS_WATCH] = "watch",
                                           [ADU_OTHERS_ALLOW] = "allow",
                                           NULL};

static const struct adu_field fields[] = {
    ADU_STAGE_FIELDS(struct keys),
    ADU_STAGE_MODE_FIELD(struct keys),
    ADU_FIELD(struct keys, names, OBJECT),
    ADU_FIELD(struct keys, depth, OBJECT),
    ADU_FIELD(struct keys, reserved_levels, OBJECT),
    ADU_FIELD(struct keys, exempt, ARRAY),
    ADU_FIELD(struct keys, vocabularies, OBJECT),
    ADU_FIELD(struct keys, namespaces, ARRAY),
    ADU_FIELD(struct keys, subscriptions, OBJECT),
    ADU_FIELD(struct keys, sparkplug, OBJECT),
    ADU_FIELD(struct keys, report, BOOL),
    ADU_FIELD(struct keys, clients, ARRAY),
    ADU_FIELD(struct keys, discovery, OBJECT),
    ADU_FIELD(struct keys, other_topics, CHOICE, .choices = others_names),
    {0},
};

struct depth_keys {
    long min, max;
};

static const struct adu_field depth_fields[] = {
    ADU_FIELD(struct depth_keys, min, INTEGER, .minimum = 1, .maximum = 128),
    ADU_FIELD(struct depth_keys, max, INTEGER, .minimum = 1, .maximum = 128),
    {0},
};

static bool compile_depth(struct adu_compiler *c, const struct adu_json *object,
                          struct adu_topic_policy *policy)
{
    struct depth_keys keys = {.min = 1, .max = 16};
    if (object != NULL) {
        if (!adu_read_object(object, depth_fields, &keys, c->error)) {
            return false;
        }
        policy->depth_place = adu_compiler_place(c, &object->place);
    }
    if (keys.min > keys.max) {
        return adu_json_error(object, c->error, "min %ld is more than max %ld", keys.min, keys.max);
    }
    policy->min_levels = keys.min;
    policy->max_levels = keys.max;
    return true;
}

struct reserved_keys {
    const struct adu_json *publish_roles;
};

static const struct adu_field reserved_fields[] = {
    ADU_FIELD(struct reserved_keys, publish_roles, ARRAY, .required = true),
    {0},
};

static bool compile_reserved(struct adu_compiler *c, const struct adu_json *object,
                             struct adu_topic_policy *policy)
{
    policy->reserved_first['_'] = true;
    if (object == NULL) {
        return true;
    }
    policy->reserved_place = adu_compiler_place(c, &object->place);
    policy->reserved = adu_arena_array(c->arena, adu_read_count(object), sizeof *policy->reserved);
    const struct adu_json *node = NULL;
    while (policy->reserved != NULL && (node = adu_read_next(object, node)) != NULL) {
        struct reserved *r = &policy->reserved[policy->reserved_count++];
        struct reserved_keys keys = {0};
        if (!adu_topic_level_value(node->key)) {
            return adu_json_key_error(node, c->error, "expected one level of a topic");
        }
        if (!adu_read_object(node, reserved_fields, &keys, c->error)) {
            return false;
        }
        r->place = adu_compiler_place(c, &node->key_place);
        r->level = adu_arena_strdup(c->arena, node->key);
        r->length = strlen(node->key);
        policy->reserved_first[(unsigned char)node->key[0]] = true;
        const int *roles = adu_role_list_compile(c, keys.publish_roles);
        if (r->level == NULL) {
            return adu_error_no_memory(c->error);
        }
        if (roles == NULL || !adu_role_set(c, roles, &r->publishers)) {
            return false;
        }
    }
    return policy->reserved != NULL || adu_error_no_memory(c->error);
}

static void note_first_byte(const struct adu_topic_pattern *pattern, bool first[256])
{
    const struct adu_pattern_level *level = &pattern->levels[0];
    if (level->kind == ADU_LEVEL_LITERAL && level->text.length > 0) {
        first[(unsigned char)level->text.bytes[0]] = true;
    } else {
        memset(first, true, 256);
    }
}

static bool compile_exempt(struct adu_compiler *c, const struct adu_json *array,
                           struct adu_topic_policy *policy)
{
    if (array == NULL) {
        return true;
    }
    policy->exempt = adu_arena_array(c->arena, array->count, sizeof *policy->exempt);
    if (policy->exempt == NULL) {
        return adu_error_no_memory(c->error);
    }
    for (const struct adu_json *node = array->first; node != NULL; node = node->next) {
        const struct adu_topic_pattern *pattern = adu_topic_pattern_compile(c, node);
        if (pattern == NULL) {
            return false;
        }
        policy->exempt[policy->exempt_count++] = pattern;
        note_first_byte(pattern, policy->exempt_first);
        for (size_t i = 0; i < pattern->count; i++) {
            policy->exempt_for_some |= pattern->levels[i].kind == ADU_LEVEL_ATTRIBUTE;
        }
    }
    return true;
}

static bool compile_namespaces(struct adu_compiler *c, const struct keys *keys,
                               struct adu_topic_policy *policy)
{
    const struct adu_namespace_limits limits = {.legal = may_be_spelled_out,
                                                .policy = policy,
                                                .min_levels = policy->min_levels,
                                                .max_levels = policy->max_levels};
    policy->namespaces.others = keys->other_topics;
    return adu_namespaces_compile(c, keys->vocabularies, keys->namespaces, &limits,
                                  &policy->namespaces);
}

/* The bundle publishes its report there whatever the names are like, but who would subscribe? */
static void find_unreadable(struct adu_compiler *c, const struct adu_topic_policy *policy)
{
    struct adu_reason why = ADU_REASON_INIT;
    if (policy->telling.topic.length > 0 &&
        !adu_topic_policy_possible(policy, policy->telling.topic, &why)) {
        adu_findings_add(c->findings, "unreadable-topic", &policy->telling.place,
                         "nobody may subscribe to just this: %s [%s:%u]", why.text, why.rule->file,
                         why.rule->line);
    }
}

const struct adu_topic_policy *adu_topic_policy_compile(struct adu_compiler *c,
                                                        const struct adu_json *root)
{
    struct keys keys = {0};
    struct adu_topic_policy *policy = adu_arena_alloc(c->arena, sizeof *policy);
    if (policy == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    policy->place = adu_compiler_place(c, &root->place);
    if (!adu_read_object(root, fields, &keys, c->error) ||
        (policy->names = adu_names_compile(c, keys.names)) == NULL ||
        !compile_depth(c, keys.depth, policy) ||
        !compile_reserved(c, keys.reserved_levels, policy) ||
        !compile_exempt(c, keys.exempt, policy) ||
        !adu_filters_compile(c, keys.subscriptions, &policy->filters) ||
        !adu_sparkplug_compile(c, keys.sparkplug, &policy->sparkplug) ||
        !compile_namespaces(c, &keys, policy) ||
        !adu_rollout_compile(c, keys.clients, &policy->rollout) ||
        !adu_telling_compile(c, keys.discovery, &policy->telling)) {
        return NULL;
    }
    policy->report = keys.report;
    policy->rollout.file_watches = keys.header.mode == ADU_MODE_WATCH;
    find_unreadable(c, policy);
    policy->legal = adu_legal_topics_new(c->arena);
    policy->refusals = adu_refusals_new(c->arena, policy->namespaces.count);
    if (policy->legal == NULL || policy->refusals == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    return policy;
}

/* --- deciding --- */

static bool is_exempt(const struct adu_topic_policy *policy, const struct adu_request *request)
{
    if (request->topic.length > 0 &&
        !policy->exempt_first[(unsigned char)request->topic.bytes[0]]) {
        return false;
    }
    for (size_t i = 0; i < policy->exempt_count; i++) {
        const struct adu_topic_pattern *p = policy->exempt[i];
        if (request->action == ADU_SUBSCRIBE
                ? adu_topic_pattern_contains(p, request->topic, request->subject->values)
                : adu_topic_pattern_matches(p, request->topic, request->subject->values)) {
            return true;
        }
    }
    return false;
}

/* What has more levels than this is refused for its depth, whatever they are. */
enum { LEVELS_MOST = ADU_SHAPE_MOST_LEVELS + 1 };

/* A topic or filter being judged. */
struct judging {
    const struct adu_topic_policy *policy;
    const struct adu_request *request;
    struct adu_reason *why;
    size_t count;    /* levels, a final `#` left out */
    bool open_ended; /* there is one */
    bool for_all;    /* so far nothing depends on who asks */
    size_t flagged;  /* the first level, from 1, that is only to be flagged; 0: none */
    const char *flag_text;
    const struct adu_place *flag_rule;
    const struct adu_namespace *namespace; /* of a topic, where it belongs to one */
    struct adu_text levels[LEVELS_MOST + 1];
};

static bool reserved_legal(struct judging *j, struct adu_text level)
{
    const struct reserved *r = reserved_level(j->policy, level);
    if (r == NULL || j->request->action == ADU_SUBSCRIBE) {
        return underscore_legal(j->policy, r, level, j->why);
    }
    j->for_all = false;
    if (adu_roles_overlap(&r->publishers, &j->request->subject->roles)) {
        return true;
    }
    j->why->text = "this level is reserved, and none of the client's roles may publish under it";
    j->why->rule = &r->place;
    return false;
}

/* By its name. One that is only to be flagged is remembered and passes. */
static bool name_legal(struct judging *j, struct adu_text level)
{
    struct adu_reason *why = j->why;
    if (adu_names_level_legal(j->policy->names, level, why)) {
        return true;
    }
    if (!why->watched) {
        return false;
    }
    if (j->flagged == 0) {
        j->flagged = j->count;
        j->flag_text = why->text;
        j->flag_rule = why->rule;
    }
    adu_reason_clear(why);
    return true;
}

static bool level_legal(struct judging *j, struct adu_text level)
{
    if (j->request->action == ADU_SUBSCRIBE &&
        (adu_text_is(level, "+") || adu_text_is(level, "#"))) {
        return true;
    }
    return name_legal(j, level) && reserved_legal(j, level);
}

static bool wrong_level(const struct judging *j, size_t number, struct adu_text level)
{
    j->why->level = (unsigned)number;
    j->why->level_text = level;
    return false;
}

/* Of levels with legal names. */
static bool none_reserved(struct judging *j)
{
    for (size_t i = 0; i < j->count; i++) {
        const struct adu_text level = j->levels[i];
        if (j->policy->reserved_first[(unsigned char)level.bytes[0]] && !reserved_legal(j, level)) {
            return wrong_level(j, i + 1, level);
        }
    }
    return true;
}

/* Each level by itself. */
static bool each_level_legal(struct judging *j)
{
    struct adu_text rest = j->request->topic, level;
    while (adu_topic_next_level(&rest, &level)) {
        j->open_ended = j->request->action == ADU_SUBSCRIBE && adu_text_is(level, "#");
        if (j->count < LEVELS_MOST) {
            j->levels[j->count] = level;
        }
        if (j->open_ended) {
            break;
        }
        j->count++;
        if (!level_legal(j, level)) {
            return wrong_level(j, j->count, level);
        }
    }
    return true;
}

static bool levels_legal(struct judging *j)
{
    if (j->request->action == ADU_PUBLISH) {
        j->count = adu_names_cut_plain(j->policy->names, j->request->topic, j->levels, LEVELS_MOST);
    }
    return j->count > 0 ? none_reserved(j) : each_level_legal(j);
}

static bool depth_legal(const struct judging *j)
{
    const struct adu_topic_policy *policy = j->policy;
    struct adu_reason *why = j->why;
    if (j->count < (size_t)policy->min_levels && !j->open_ended) {
        why->text = "fewer levels than depth.min";
        why->limit = policy->min_levels;
    } else if (j->count > (size_t)policy->max_levels) {
        why->text = "more levels than depth.max";
        why->limit = policy->max_levels;
    } else {
        return true;
    }
    why->rule = &policy->depth_place;
    return false;
}

static bool no_namespace(const struct judging *j, const struct adu_tree_levels *topic)
{
    adu_namespaces_say(&j->policy->namespaces, topic, j->request->action == ADU_SUBSCRIBE, j->why);
    j->why->watched = j->policy->namespaces.others == ADU_OTHERS_WATCH;
    return false;
}

/* Whether a namespace has such topics. */
static bool namespace_legal(struct judging *j, bool anybody)
{
    const struct adu_namespaces *namespaces = &j->policy->namespaces;
    const struct adu_tree_levels topic = {.levels = j->levels,
                                          .count = j->count + (j->open_ended ? 1 : 0),
                                          .values = j->request->subject->values};
    const bool others = namespaces->others == ADU_OTHERS_ALLOW;
    bool for_all;
    if (namespaces->count == 0) {
        return true;
    }
    if (j->request->action == ADU_SUBSCRIBE) {
        return others || adu_tree_meets(namespaces->tree, &topic, anybody) ||
               no_namespace(j, &topic);
    }
    j->namespace = adu_namespace_of(namespaces, &topic, &for_all);
    j->for_all = j->for_all && for_all;
    return j->namespace != NULL || others || no_namespace(j, &topic);
}

static enum adu_verdict refuse(const struct adu_topic_policy *policy, struct adu_reason *why)
{
    if (why->rule == NULL || why->rule->line == 0) {
        why->rule = &policy->place;
    }
    return ADU_DENY;
}

/* Last, so that what is flagged hides nothing that is refused. */
static bool not_flagged(const struct judging *j)
{
    if (j->flagged == 0) {
        return true;
    }
    j->why->text = j->flag_text;
    j->why->rule = j->flag_rule;
    j->why->level = (unsigned)j->flagged;
    j->why->level_text = j->levels[j->flagged - 1];
    j->why->watched = true;
    return false;
}

/* The topic or filter. */
static bool topic_legal(struct judging *j, const struct adu_topic_policy *policy,
                        const struct adu_request *request, bool anybody, struct adu_reason *why)
{
    j->policy = policy; /* one by one: its levels are many, and filled in as they are found */
    j->request = request;
    j->why = why;
    j->count = 0;
    j->open_ended = false;
    j->for_all = !policy->exempt_for_some;
    j->namespace = NULL;
    j->flagged = 0;
    return adu_names_length_legal(policy->names, request->topic, why) && levels_legal(j) &&
           depth_legal(j) && namespace_legal(j, anybody) && not_flagged(j);
}

/* A message, by the rules of its namespace, which may be NULL. */
static enum adu_verdict judge_message(const struct adu_topic_policy *policy,
                                      const struct adu_namespace *namespace,
                                      const struct adu_request *request, struct adu_reason *why)
{
    if (namespace == NULL || !namespace->traffic.asks) {
        return ADU_ABSTAIN;
    }
    why->passing = true;
    if (adu_traffic_legal(&namespace->traffic, request, why)) {
        return ADU_ABSTAIN;
    }
    why->rule_name = namespace->name;
    why->watched = namespace->watched;
    return refuse(policy, why);
}

/* A topic that is only flagged or watched says nothing for its message, which may be refused. */
static enum adu_verdict refuse_topic(const struct judging *j, struct adu_reason *why)
{
    if (why->watched && j->namespace != NULL && !j->namespace->watched) {
        struct adu_reason of_message = ADU_REASON_INIT;
        if (judge_message(j->policy, j->namespace, j->request, &of_message) == ADU_DENY) {
            *why = of_message;
        }
    }
    return refuse(j->policy, why);
}

/* Its topics are exempt from all else, however exempt they may be by themselves. */
static enum adu_verdict judge_sparkplug(const struct adu_topic_policy *policy,
                                        const struct adu_request *request, struct adu_reason *why)
{
    if (!adu_sparkplug_legal(&policy->sparkplug, request, why)) {
        return refuse(policy, why);
    }
    why->rule = NULL;
    return ADU_ABSTAIN;
}

/* The bundle's own report. */
static bool is_own(const struct adu_topic_policy *policy, struct adu_text topic)
{
    const struct adu_text own = policy->telling.topic;
    return own.length > 0 && own.length == topic.length &&
           memcmp(own.bytes, topic.bytes, own.length) == 0;
}

static enum adu_verdict refuse_own(const struct adu_topic_policy *policy, struct adu_reason *why)
{
    why->text = "only the bundle itself publishes its report of topics";
    why->rule = &policy->telling.place;
    why->enforced = true;
    return ADU_DENY;
}

static enum adu_verdict judge_publish(const struct adu_topic_policy *policy,
                                      const struct adu_request *request, struct adu_reason *why)
{
    const struct adu_namespaces *namespaces = &policy->namespaces;
    struct judging j;
    uint32_t number;
    uint64_t hash;
    if (is_own(policy, request->topic)) {
        return refuse_own(policy, why);
    }
    if (adu_legal_topics_find(policy->legal, request->topic, &hash, &number)) {
        return judge_message(policy, number > 0 ? &namespaces->list[number - 1] : NULL, request,
                             why);
    }
    if (adu_sparkplug_owns(&policy->sparkplug, request->topic)) {
        return judge_sparkplug(policy, request, why);
    }
    if (is_exempt(policy, request)) {
        return ADU_ABSTAIN;
    }
    if (!topic_legal(&j, policy, request, false, why)) {
        return refuse_topic(&j, why);
    }
    if (j.for_all) {
        number = j.namespace != NULL ? (uint32_t)(j.namespace - namespaces->list) + 1 : 0;
        adu_legal_topics_add(policy->legal, request->topic, hash, number);
    }
    return judge_message(policy, j.namespace, request, why);
}

enum adu_verdict adu_topic_policy_decide(const struct adu_topic_policy *policy,
                                         const struct adu_request *request, struct adu_reason *why)
{
    struct judging j;
    if (request->action == ADU_RECEIVE) {
        return ADU_ABSTAIN;
    }
    if (request->action == ADU_PUBLISH) {
        return judge_publish(policy, request, why);
    }
    if (adu_sparkplug_owns(&policy->sparkplug, request->topic)) {
        return judge_sparkplug(policy, request, why);
    }
    return is_exempt(policy, request) || (adu_filters_legal(&policy->filters, request, why) &&
                                          topic_legal(&j, policy, request, false, why))
               ? ADU_ABSTAIN
               : refuse(policy, why);
}

void adu_topic_policy_suggest(const struct adu_topic_policy *policy,
                              const struct adu_request *request, struct adu_reason *why)
{
    const struct adu_namespaces *n = &policy->namespaces;
    const struct adu_tree *tree = n->count > 0 && n->others != ADU_OTHERS_ALLOW ? n->tree : NULL;
    struct adu_reason other = ADU_REASON_INIT;
    struct adu_request right = *request;
    struct judging j;
    if (adu_suggest(policy->names, tree, request->topic, request->subject->values, why->nearest)) {
        right.topic = adu_text_of(why->nearest);
        if (topic_legal(&j, policy, &right, false, &other)) {
            return;
        }
    }
    why->nearest[0] = '\0';
}

bool adu_topic_policy_reports(const struct adu_topic_policy *policy)
{
    return policy->report;
}

bool adu_topic_policy_notes(const struct adu_topic_policy *policy)
{
    const struct adu_place *place;
    return adu_names_collisions(policy->names, &place) != ADU_ALIKE_ALLOW;
}

enum adu_verdict adu_topic_policy_collides(const struct adu_topic_policy *policy,
                                           struct adu_text other, struct adu_reason *why)
{
    why->text = "but for case, or - and _, it is the same as a topic in use,";
    why->watched = adu_names_collisions(policy->names, &why->rule) == ADU_ALIKE_FLAG;
    const size_t length =
        other.length < sizeof why->detail - 1 ? other.length : sizeof why->detail - 1;
    memcpy(why->detail, other.bytes, length);
    why->detail[length] = '\0';
    return refuse(policy, why);
}

/* --- what is told --- */

uint32_t adu_topic_policy_namespace(const struct adu_topic_policy *policy,
                                    const struct adu_request *request)
{
    const struct adu_namespaces *n = &policy->namespaces;
    struct adu_text levels[LEVELS_MOST], rest = request->topic;
    struct adu_tree_levels topic = {.levels = levels, .values = request->subject->values};
    uint32_t number;
    uint64_t hash;
    bool for_all;
    if (n->count == 0 || request->action != ADU_PUBLISH) {
        return 0;
    }
    if (adu_legal_topics_find(policy->legal, request->topic, &hash, &number)) {
        return number;
    }
    while (adu_topic_next_level(&rest, &levels[topic.count])) {
        if (levels[topic.count].length == 0 || ++topic.count == LEVELS_MOST) {
            return 0;
        }
    }
    const struct adu_namespace *one = adu_namespace_of(n, &topic, &for_all);
    return one != NULL ? (uint32_t)(one - n->list) + 1 : 0;
}

const char *adu_topic_policy_namespace_name(const struct adu_topic_policy *policy, uint32_t which)
{
    return which > 0 ? policy->namespaces.list[which - 1].name : NULL;
}

void adu_topic_policy_refused(const struct adu_topic_policy *policy,
                              struct adu_refused_client *client, unsigned long generation,
                              const struct adu_request *request, struct adu_reason *why)
{
    const int group = adu_rollout_apply(&policy->rollout, request->subject, why);
    const bool would = !adu_reason_stands(why, policy->rollout.file_watches);
    if (!request->attempt) {
        return;
    }
    if (group != ADU_ROLLOUT_NOBODY) {
        adu_tally_add(&policy->rollout.tallies[group], would);
    }
    adu_refusals_note(policy->refusals, client, generation, request, why,
                      adu_topic_policy_namespace(policy, request), would);
}

const struct adu_telling *adu_topic_policy_telling(const struct adu_topic_policy *policy)
{
    return &policy->telling;
}

struct adu_refusals *adu_topic_policy_refusals(const struct adu_topic_policy *policy)
{
    return policy->refusals;
}

const struct adu_rollout *adu_topic_policy_rollout(const struct adu_topic_policy *policy)
{
    return &policy->rollout;
}

/* --- what can be legal at all --- */

/* True if some topic may match both. Says so too often rather than too seldom: `$` is not looked
 * at. */
static bool may_meet(const struct adu_topic_pattern *p, struct adu_text filter)
{
    struct adu_text level;
    for (size_t i = 0; i < p->count; i++) {
        if (p->levels[i].kind == ADU_LEVEL_ANY_REST) {
            return true;
        }
        if (!adu_topic_next_level(&filter, &level)) {
            return false;
        }
        if (adu_text_is(level, "#")) {
            return true;
        }
        if (p->levels[i].kind == ADU_LEVEL_LITERAL && !adu_text_is(level, "+") &&
            (level.length != p->levels[i].text.length ||
             memcmp(level.bytes, p->levels[i].text.bytes, level.length) != 0)) {
            return false;
        }
    }
    return filter.bytes == NULL || adu_text_is(filter, "#");
}

bool adu_topic_policy_possible(const struct adu_topic_policy *policy, struct adu_text filter,
                               struct adu_reason *why)
{
    static const struct adu_subject anybody;
    const struct adu_request request = {
        .action = ADU_SUBSCRIBE, .topic = filter, .subject = &anybody};
    for (size_t i = 0; i < policy->exempt_count; i++) {
        if (may_meet(policy->exempt[i], filter)) {
            return true;
        }
    }
    struct judging j;
    if (adu_sparkplug_owns(&policy->sparkplug, filter)) {
        return judge_sparkplug(policy, &request, why) != ADU_DENY;
    }
    if (topic_legal(&j, policy, &request, true, why) || why->watched) {
        return true;
    }
    refuse(policy, why);
    return false;
}
