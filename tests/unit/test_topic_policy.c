/* The plant's naming standard: topics to publish to, and filters to subscribe to. */
#include "asker.h"
#include "topic_snippet.h"

/* What is said to somebody with those roles: "" for a topic that is legal. */
static const char *judged(const struct adu_topic_policy *policy, enum adu_action action,
                          const char *topic, const char *roles, struct adu_reason *why)
{
    struct asker asker;
    asker_make(&asker, snippet.vocabulary, "linea=linea1", roles);
    struct adu_request request = {
        .action = action, .subject = &asker.subject, .attempt = true, .qos = 1};
    ck_assert(adu_topic_unshare(adu_text_of(topic), &request.group, &request.topic));
    *why = (struct adu_reason)ADU_REASON_INIT;
    const enum adu_verdict verdict = adu_topic_policy_decide(policy, &request, why);
    asker_free(&asker);
    ck_assert(verdict == ADU_DENY || verdict == ADU_ABSTAIN); /* it never grants */
    if (verdict == ADU_ABSTAIN) {
        return "";
    }
    ck_assert_ptr_nonnull(why->text);
    ck_assert_msg(why->rule != NULL && why->rule->line > 0, "refused by no rule");
    return why->text;
}

#define UPPER    "upper-case letters are not allowed"
#define SPACES   "spaces are not allowed"
#define OTHER    "a character outside \"characters\" is not allowed"
#define EMPTY    "an empty level is not allowed"
#define FEWER    "fewer levels than depth.min"
#define MORE     "more levels than depth.max"
#define LONG     "the topic has too many bytes"
#define RESERVED "this level is reserved, and none of the client's roles may publish under it"
#define UNNAMED  "levels that begin with \"_\" must be named in reserved_levels"

/* The example of the documentation. */
#define PLANT                                                                                      \
    "{'names': {'characters': 'a-z0-9_-', 'max_level_bytes': 64, 'max_topic_bytes': 256},"         \
    "'depth': {'min': 3, 'max': 6},"                                                               \
    "'reserved_levels': {'_sys': {'publish_roles': ['edge', 'monitor']},"                          \
    "                    'consigna': {'publish_roles': []}},"                                      \
    "'exempt': ['$SYS/#', '$CONTROL/#', 'spBv1.0/#', 'Libre/${linea}/+']}"

static const struct {
    const char *topic, *why; /* as a client without roles */
} published[] = {
    {"planta/linea1/temperatura", ""},
    {"planta/linea1/a/b/c/d", ""},
    {"planta/linea1", FEWER},
    {"planta", FEWER},
    {"planta/linea1/a/b/c/d/e", MORE},
    {"planta/Linea1/temperatura", UPPER},
    {"planta/l\xc3\x8dnea/temperatura", UPPER},
    {"planta/linea 1/temperatura", SPACES},
    {"planta/linea\xc2\xa0"
     "1/temperatura",
     SPACES},
    {"planta/linea.1/temperatura", OTHER},
    {"planta//temperatura", EMPTY},
    {"/planta/linea1/temperatura", EMPTY},
    {"planta/linea1/temperatura/", EMPTY},
    {"/", EMPTY},
    {"//", EMPTY},
    /* reserved levels, wherever they stand */
    {"planta/linea1/_sys", RESERVED},
    {"planta/linea1/_sys/heartbeat", RESERVED},
    {"_sys/linea1/heartbeat", RESERVED},
    {"planta/linea1/consigna", RESERVED},
    {"planta/linea1/_sy", UNNAMED},
    {"planta/linea1/_sys2", UNNAMED},
    {"planta/linea1/_", UNNAMED},
    {"planta/linea1/__sys", UNNAMED},
    {"planta/linea1/a_sys", ""},
    {"planta/linea1/sys_", ""},
    /* exempt: whatever they are called */
    {"spBv1.0/Group 1/NDATA/Edge", ""},
    {"spBv1.0", ""},
    {"spBv1.0/a/b/c/d/e/f/g/h", ""},
    {"spBv1.0//_x", ""},
    {"spbv1.0/Group 1/NDATA", OTHER},
    {"spBv1.0x/group/ndata", UPPER},
    {"$CONTROL/dynamic-security/v1", ""},
    {"Libre/linea1/Cosas", ""},
    {"Libre/linea2/cosas", UPPER}, /* ${linea} is who asks */
    {"Libre/linea1", UPPER},
    {"$SYS", ""},
    {"$SYSX/a/b", OTHER},
};

START_TEST(publish)
{
    struct adu_reason why;
    const char *said = judged(policy_of(PLANT), ADU_PUBLISH, published[_i].topic, "", &why);
    ck_assert_msg(strcmp(said, published[_i].why) == 0, "%s: \"%s\"", published[_i].topic, said);
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *filter, *why;
} subscribed[] = {
    {"planta/linea1/temperatura", ""},
    {"planta/+/temperatura", ""},
    {"+/+/+", ""},
    {"#", ""},
    {"+/#", ""},
    {"planta/#", ""},
    {"planta/linea1/a/b/c/d/#", ""}, /* it can match planta/linea1/a/b/c/d */
    {"planta/linea1/a/b/c/d/+", MORE},
    {"planta/linea1/a/b/c/d/e/#", MORE},
    {"+/+/+/+/+/+/+", MORE},
    {"+/+/+/+/+/+", ""},
    {"planta/+", FEWER},
    {"+", FEWER},
    {"+/+", FEWER},
    {"planta/linea1", FEWER},
    /* what is spelled out must be legal */
    {"Planta/#", UPPER},
    {"planta/+/Temperatura", UPPER},
    {"planta/+ a/x", NULL}, /* no filter at all */
    {"planta/linea 1/#", SPACES},
    {"planta//#", EMPTY},
    {"/#", EMPTY},
    {"/+/a", EMPTY},
    {"planta/+/", EMPTY},
    /* reserved levels are reserved for publishers */
    {"planta/+/_sys/#", ""},
    {"planta/linea1/consigna", ""},
    {"planta/+/_otro/#", UNNAMED},
    /* shared: judged by the filter, whatever the group is called */
    {"$share/Grupo 1/planta/+/temperatura", ""},
    {"$share/g/planta/+", FEWER},
    {"$share/g/#", ""},
    {"$share/g/Planta/#", UPPER},
    {"$share/g//a/b", EMPTY},
    {"$share/g/$SYS/#", ""},
    {"$share/g/$share/g/planta/x/y", OTHER}, /* once */
    /* exempt only if all of it is */
    {"$SYS/#", ""},
    {"$SYS/broker/+", ""},
    {"$SYS", ""},
    {"spBv1.0/+/NDATA/#", ""},
    {"+/group 1/#", SPACES},
    {"Libre/linea1/+", ""},
    {"Libre/+/cosas", UPPER},
    {"Libre/linea1/#", UPPER},
};

START_TEST(subscribe)
{
    struct adu_reason why;
    if (subscribed[_i].why == NULL) {
        ck_assert(!adu_topic_filter_valid(adu_text_of(subscribed[_i].filter)));
        return;
    }
    const char *said = judged(policy_of(PLANT), ADU_SUBSCRIBE, subscribed[_i].filter, "", &why);
    ck_assert_msg(strcmp(said, subscribed[_i].why) == 0, "%s: \"%s\"", subscribed[_i].filter, said);
    snippet_close(&snippet);
}
END_TEST

/* What was legal when it was published is delivered under any policy. */
START_TEST(receive)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of(PLANT);
    for (int i = 0; i < ROWS(published); i++) {
        ck_assert_str_eq(judged(policy, ADU_RECEIVE, published[i].topic, "", &why), "");
    }
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *roles, *topic, *why;
} reserved[] = {
    {"edge", "planta/linea1/_sys/heartbeat", ""},
    {"monitor", "planta/linea1/_sys/heartbeat", ""},
    {"otro edge", "_sys/a/b", ""},
    {"otro", "planta/linea1/_sys/heartbeat", RESERVED},
    {"edge monitor", "planta/linea1/consigna", RESERVED}, /* nobody's */
    {"edge", "planta/linea1/_otro", UNNAMED},
    {"edge", "planta/_sys/_sys/_sys", ""},
    {"edge", "planta/_sys/consigna", RESERVED},
    {"edge", "planta/_sys", FEWER},
    {"edge", "planta/_sys/A", UPPER},
};

START_TEST(reserved_levels)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of(PLANT);
    adu_vocabulary_define_role(snippet.vocabulary, "otro");
    const char *said = judged(policy, ADU_PUBLISH, reserved[_i].topic, reserved[_i].roles, &why);
    ck_assert_msg(strcmp(said, reserved[_i].why) == 0, "%s: \"%s\"", reserved[_i].topic, said);
    snippet_close(&snippet);
}
END_TEST

/* --- what holds when nothing is said ------------------------------------------------------------
 */

START_TEST(an_empty_policy)
{
    static const struct {
        const char *topic, *why;
    } defaults[] = {
        {"a", ""},
        {"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", ""},
        {"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", MORE},
        {"l\xc3\xadnea.1/x", ""},
        {"A", UPPER},
        {"a b", SPACES},
        {"a/", EMPTY},
        {"_sys/x", UNNAMED},
        {"$SYS/broker", UPPER}, /* nothing is exempt of itself */
    };
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of("{}");
    for (int i = 0; i < ROWS(defaults); i++) {
        const char *said = judged(policy, ADU_PUBLISH, defaults[i].topic, "", &why);
        ck_assert_msg(strcmp(said, defaults[i].why) == 0, "%s: \"%s\"", defaults[i].topic, said);
    }
    snippet_close(&snippet);
}
END_TEST

#define LEVELS_TEXT "the filter has more levels than subscriptions.max_levels"
#define WILD_TEXT   "the filter has more wildcards than subscriptions.max_wildcards"
#define BROAD       "the filter is too broad for the client's roles"

static const struct {
    const char *roles, *filter, *why;
} too_much[] = {
    {"", "#", BROAD},
    {"", "+/#", BROAD},
    {"", "+/+/#", BROAD},
    {"", "+/+/+", BROAD}, /* it covers b/secreto/+ */
    {"", "a/#", ""},
    {"", "a/+/#", ""},
    {"", "$SYS/#", ""}, /* exempt */
    {"", "$share/g/#", BROAD},
    {"", "b/#", BROAD}, /* it covers b/secreto/+ */
    {"", "b/+/+", BROAD},
    {"", "b/secreto/+", BROAD},
    {"", "b/secreto/x", ""},
    {"", "+/secreto/x", ""},
    {"scada", "#", ""},
    {"otro", "#", BROAD},
    {"scada", "a/+/+/+", ""},
    {"scada", "a/+/+/+/+", WILD_TEXT},
    {"scada", "+/+/#", ""},
    {"scada", "+/+/+/#", WILD_TEXT},
    {"", "a/b/c/d/e", ""},
    {"", "a/b/c/d/e/f", LEVELS_TEXT},
    {"", "a/b/c/d/e/#", LEVELS_TEXT},
    {"", "$share/g/a/b/c/d/e", ""},
};

START_TEST(subscriptions)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy =
        policy_of("{'exempt': ['$SYS/#'], 'subscriptions': {'max_levels': 5, 'max_wildcards': 3,"
                  "'too_broad': ['+/+/#', 'b/secreto/+'], 'broad_roles': ['scada']}}");
    adu_vocabulary_define_role(snippet.vocabulary, "otro");
    const char *said = judged(policy, ADU_SUBSCRIBE, too_much[_i].filter, too_much[_i].roles, &why);
    ck_assert_msg(strcmp(said, too_much[_i].why) == 0, "%s: \"%s\"", too_much[_i].filter, said);
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "a/b/c/d/e/f", "", &why), "");
    snippet_close(&snippet);
}
END_TEST

START_TEST(long_topics)
{
    struct adu_reason why;
    char topic[300] = "";
    for (int i = 0; i < 4; i++) {
        strcat(topic, i > 0 ? "/" : "");
        memset(topic + strlen(topic), 'a', 63);
    }
    strcat(topic, "a");
    ck_assert_uint_eq(strlen(topic), 256);
    const struct adu_topic_policy *policy = policy_of(PLANT);
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, topic, "", &why), "");
    ck_assert_str_eq(judged(policy, ADU_SUBSCRIBE, topic, "", &why), "");
    strcat(topic, "/");
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, topic, "", &why), LONG);
    ck_assert_int_eq(why.limit, 256);
    ck_assert_str_eq(judged(policy, ADU_SUBSCRIBE, topic, "", &why), LONG);
    memcpy(topic, "spBv1.0/", 8);
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, topic, "", &why), "");
    snippet_close(&snippet);
}
END_TEST

START_TEST(reasons_name_level_limit_and_place)
{
    static const struct {
        const char *topic;
        unsigned level;
        const char *level_text;
        long limit;
        unsigned line;
    } reasons[] = {
        {"planta/linea 1/x", 2, "linea 1", ADU_NO_LIMIT, 1},
        {"planta/linea1/X/_y", 3, "X", ADU_NO_LIMIT, 2},
        {"planta/_a/x", 2, "_a", ADU_NO_LIMIT, 4},
        {"planta/x/_sys", 3, "_sys", ADU_NO_LIMIT, 5},
        {"planta/x", 0, "", 3, 3},
        {"planta/x/y/z/z", 0, "", 4, 3},
        {"planta/abcdefghi/y", 2, "abcdefghi", 8, 2},
    };
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of("{'names': {\n"
                                                      "'lowercase': true, 'max_level_bytes': 8},\n"
                                                      "'depth': {'min': 3, 'max': 4},\n"
                                                      "'reserved_levels': {\n"
                                                      "'_sys': {'publish_roles': ['edge']}}}");
    for (int i = 0; i < ROWS(reasons); i++) {
        const char *topic = reasons[i].topic;
        ck_assert_msg(judged(policy, ADU_PUBLISH, topic, "", &why)[0] != '\0', "%s", topic);
        ck_assert_uint_eq(why.level, reasons[i].level);
        ck_assert_uint_eq(why.level_text.length, strlen(reasons[i].level_text));
        ck_assert(why.level == 0 || adu_text_is(why.level_text, reasons[i].level_text));
        ck_assert_int_eq(why.limit, reasons[i].limit);
        ck_assert_str_eq(why.rule->file, "topic_policy.json");
        ck_assert_msg(why.rule->line == reasons[i].line, "%s: line %u", topic, why.rule->line);
    }
    snippet_close(&snippet);
}
END_TEST

/* Watching is the pipeline's: the verdict is the same, and what becomes of it is not decided here.
 */
START_TEST(watch_says_what_it_would_refuse)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of("{'mode': 'watch', 'depth': {'min': 2}}");
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "a", "", &why), FEWER);
    ck_assert_str_eq(judged(policy, ADU_SUBSCRIBE, "+", "", &why), FEWER);
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "a/b", "", &why), "");
    snippet_close(&snippet);
}
END_TEST

/* What is only flagged hides nothing that is refused, and is said of the first level. */
START_TEST(flagged)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of("{'names': {'lookalikes': 'flag'}}");
    ck_assert_str_ne(judged(policy, ADU_PUBLISH,
                            "a/\xd0\xb0"
                            "b/c/\xd0\xb0"
                            "b",
                            "", &why),
                     "");
    ck_assert(why.watched);
    ck_assert_uint_eq(why.level, 2);
    ck_assert_str_eq(judged(policy, ADU_PUBLISH,
                            "\xd0\xb0"
                            "b/C",
                            "", &why),
                     UPPER);
    ck_assert(!why.watched);
    ck_assert_str_eq(judged(policy, ADU_PUBLISH,
                            "\xd0\xb0"
                            "b/_x",
                            "", &why),
                     UNNAMED);
    ck_assert(!why.watched);
    ck_assert(adu_topic_policy_possible(policy,
                                        adu_text_of("\xd0\xb0"
                                                    "b/#"),
                                        &why));
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *json, *error;
} refused[] = {
    {"{'mode': 'observe'}", "expected one of \"enforce\", \"watch\""},
    {"{'depth': {'min': 4, 'max': 3}}", "depth: min 4 is more than max 3"},
    {"{'depth': {'min': 17}}", "depth: min 17 is more than max 16"},
    {"{'depth': {'min': 0}}", "depth.min: expected"},
    {"{'depth': {'max': 129}}", "depth.max: expected"},
    {"{'depth': 3}", "depth: expected an object"},
    {"{'reserved_levels': {'a/b': {'publish_roles': []}}}", "expected one level of a topic"},
    {"{'reserved_levels': {'+': {'publish_roles': []}}}", "expected one level of a topic"},
    {"{'reserved_levels': {'': {'publish_roles': []}}}", "expected one level of a topic"},
    {"{'reserved_levels': {'_sys': {}}}", "the key \"publish_roles\" is missing"},
    {"{'reserved_levels': {'_sys': {'publish_role': []}}}", "did you mean \"publish_roles\"?"},
    {"{'reserved_levels': ['_sys']}", "reserved_levels: expected an object"},
    {"{'exempt': '$SYS/#'}", "exempt: expected an array"},
    {"{'exempt': ['$SYS/#/x']}", "exempt[0]: expected a topic pattern"},
    {"{'exempt': ['$share/g/x']}", "leave out $share/<group>/"},
    {"{'subscriptions': {'max_levels': 0}}", "subscriptions.max_levels: expected"},
    {"{'subscriptions': {'too_broad': ['a#']}}", "too_broad[0]: expected a topic filter"},
    {"{'subscriptions': {'too_broad': '#'}}", "too_broad: expected an array"},
    {"{'subscriptions': {'broad_roles': ['a']}}", "it needs \"too_broad\" beside it"},
    {"{'names': {'lookalikes': true}}", "names.lookalikes: expected"},
    {"{'names': {'collisions': 'no'}}", "expected one of \"allow\", \"flag\", \"refuse\""},
    {"{'names': {'nfc': 1}}", "names.nfc: expected"},
    {"{'name': {}}", "did you mean \"names\"?"},
};

START_TEST(files_refused)
{
    policy_is_refused(refused[_i].json, refused[_i].error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topic_policy");
    suite_add_rows(suite, publish, ROWS(published));
    suite_add_rows(suite, subscribe, ROWS(subscribed));
    suite_add(suite, receive);
    suite_add_rows(suite, reserved_levels, ROWS(reserved));
    suite_add(suite, an_empty_policy);
    suite_add_rows(suite, subscriptions, ROWS(too_much));
    suite_add(suite, long_topics);
    suite_add(suite, reasons_name_level_limit_and_place);
    suite_add(suite, watch_says_what_it_would_refuse);
    suite_add(suite, flagged);
    suite_add_rows(suite, files_refused, ROWS(refused));
    return run_suite(suite);
}
