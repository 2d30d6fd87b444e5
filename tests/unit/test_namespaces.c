/* Namespaces: which topics belong to which, and what a file may not say of them. */
#include "asker.h"
#include "common/findings.h"
#include "common/pattern.h"
#include "plugins/topic_policy/plain_pattern.h"
#include "topic_snippet.h"

/* "" for what is legal, else why not and what is expected; `(watched)` stands before it if it is
 * only that. */
static const char *judged(const struct adu_topic_policy *policy, enum adu_action action,
                          const char *topic)
{
    static char text[512];
    struct asker asker;
    struct adu_reason why = ADU_REASON_INIT;
    asker_make(&asker, snippet.vocabulary, "linea=linea1", "");
    struct adu_request request = {.action = action, .subject = &asker.subject, .qos = 1};
    ck_assert(adu_topic_unshare(adu_text_of(topic), &request.group, &request.topic));
    const enum adu_verdict verdict = adu_topic_policy_decide(policy, &request, &why);
    asker_free(&asker);
    if (verdict == ADU_ABSTAIN) {
        return "";
    }
    ck_assert_ptr_nonnull(why.text);
    ck_assert(why.rule != NULL && why.rule->line > 0);
    snprintf(text, sizeof text, "%s%s [%s] %u", why.watched ? "(watched) " : "", why.text,
             why.detail, why.level);
    return text;
}

#define PLANT                                                                                      \
    "{'reserved_levels': {'_sys': {'publish_roles': ['edge']}}, 'exempt': ['libre/#'],"            \
    "'vocabularies': {'parametro': {'one_of': ['temperatura', 'presion', 'vibracion']},"           \
    "                 'lineas': {'pattern': 'linea[0-9]+'}},"                                      \
    "'namespaces': ["                                                                              \
    "{'name': 'telemetry', 'template': 'planta/{linea}/{estacion?}/{parametro}',"                  \
    " 'levels': {'linea': 'lineas', 'estacion': {'range': {'prefix': 'e', 'min': 1, 'max': "       \
    "20}}}},"                                                                                      \
    "{'name': 'commands', 'template': 'planta/{linea}/comandos/#', 'levels': {'linea': "           \
    "'lineas'}},"                                                                                  \
    "{'name': 'own', 'template': 'planta/${linea}/notas/{nota}'},"                                 \
    "{'name': 'heartbeats', 'template': 'planta/{linea}/_sys/{x}'},"                               \
    "{'name': 'free', 'template': ['taller/{a}/{b}', 'taller/{a}/{b}/{c}/fin']}]}"

#define HERE "no namespace has this level here; expected"

static const struct {
    const char *topic, *why;
} published[] = {
    {"planta/linea1/temperatura", ""},
    {"planta/linea1/e20/temperatura", ""},
    {"planta/linea12/e1/vibracion", ""},
    {"planta/linea1/e21/vibracion", HERE " [notas; or comandos; or one of presion, "
                                         "temperatura, vibracion; or e1 to e20; or _sys] 3"},
    {"planta/linea1/e01/vibracion", NULL},
    {"planta/linea1/e/vibracion", NULL},
    {"planta/linea1/temp", NULL},
    {"planta/linea/temperatura", NULL},
    {"planta/linea1",
     "the topic ends too early for a namespace; next could come [notas; or "
     "comandos; or one of presion, temperatura, vibracion; or e1 to e20; or _sys] 0"},
    {"planta/linea1/temperatura/x", "no namespace goes on with a further level [] 4"},
    {"planta/linea1/comandos", ""},
    {"planta/linea1/comandos/a/b/c", ""},
    {"planta/linea1/notas/turno", ""},
    {"planta/linea2/notas/turno", NULL}, /* not whose line it is */
    {"planta/loquesea/_sys/x", "this level is reserved, and none of the client's roles may publish "
                               "under it [] 3"},
    {"taller/a/b", ""},
    {"taller/a/b/c/fin", ""},
    {"taller/a/b/c", NULL},
    {"taller/a/b/c/otro", NULL},
    {"otra/a/b", HERE " [taller; or planta] 1"},
    {"libre/a/b/c", ""},
};

START_TEST(publish)
{
    const struct adu_topic_policy *policy = policy_of(PLANT);
    const char *said = judged(policy, ADU_PUBLISH, published[_i].topic);
    const char *expected = published[_i].why;
    ck_assert_msg(expected != NULL ? strcmp(said, expected) == 0 : said[0] != '\0', "%s: \"%s\"",
                  published[_i].topic, said);
    ck_assert_str_eq(judged(policy, ADU_RECEIVE, published[_i].topic), "");
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *filter;
    bool legal;
} subscribed[] = {
    {"#", true},
    {"planta/#", true},
    {"planta/+/temperatura", true},
    {"planta/+/+/temperatura", true},
    {"planta/linea9/+/+", true},
    {"planta/linea1/e1/#", true},
    {"planta/linea1/e99/#", false},
    {"planta/+/+/tempe", true}, /* commands have any tail */
    {"planta/+/e1/tempe", false},
    {"+/+", true}, /* planta/linea1/comandos, no: that is three; but taller/a/b is three too */
    {"planta/linea1/comandos/a/+/c", true},
    {"planta/linea1/notas/+", true},
    {"planta/linea2/notas/+", false}, /* not for this client */
    {"otra/#", false},
    {"taller/+/+/+", false},
    {"taller/+/+/+/fin", true},
    {"taller/+/+/+/+/+", false},
    {"planta/+/_sys/#", true},
    {"$share/g/planta/linea1/e99/#", false},
    {"$share/g/planta/linea1/e9/#", true},
};

START_TEST(subscribe)
{
    const struct adu_topic_policy *policy = policy_of(PLANT);
    const bool legal = subscribed[_i].legal && strcmp(subscribed[_i].filter, "+/+") != 0;
    const char *said = judged(policy, ADU_SUBSCRIBE, subscribed[_i].filter);
    ck_assert_msg((said[0] == '\0') == legal, "%s: \"%s\"", subscribed[_i].filter, said);
    snippet_close(&snippet);
}
END_TEST

/* Which namespace it is, told by what becomes of those that none of the others has. */
static const char *won(const char *first, const char *second, const char *topic)
{
    static char said[128];
    char json[1024];
    said[0] = '\0';
    /* The one that wins is watched by nobody: QoS 2 is refused by name. */
    snprintf(json, sizeof json,
             "{'namespaces': [{'name': 'first', 'template': '%s', 'qos': {'max': 0}},"
             "{'name': 'second', 'template': '%s', 'qos': {'min': 2}}]}",
             first, second);
    const char *why = judged(policy_of(json), ADU_PUBLISH, topic);
    snprintf(said, sizeof said, "%s",
             strstr(why, "higher than") != NULL  ? "first"
             : strstr(why, "lower than") != NULL ? "second"
                                                 : why);
    snippet_close(&snippet);
    return said;
}

START_TEST(the_most_specific_wins)
{
    static const struct {
        const char *first, *second, *topic, *wins;
    } rows[] = {
        {"a/b", "a/{x}", "a/b", "first"},
        {"a/{x}", "a/b", "a/b", "second"},
        {"a/{x}/c", "a/b/{y}", "a/b/c", "second"},
        {"a/{x}/c", "a/b/{y}", "a/x/c", "first"},
        {"a/b/x", "a/{x}/c", "a/b/c", "second"}, /* back from where it does not go on */
        {"a/#", "a/{x}", "a/b", "second"},
        {"a/#", "a/{x}", "a/b/c", "first"},
        {"a/#", "a/{x}", "a", "first"},
        {"a/#", "a", "a", "second"},
        {"a/b/#", "a/{x}/{y}", "a/b/c", "first"},
        {"#", "a/{x}", "a/b", "second"},
        {"#", "a/{x}", "b/a", "first"},
        {"a/${linea}", "a/{x}", "a/linea1", "first"},
        {"a/${linea}", "a/{x}", "a/linea2", "second"},
        {"a/${linea}", "a/linea1", "a/linea1", "second"},
        {"a/{x?}/{y}", "a/b", "a/b", "second"},
        {"a/{x?}/{y}", "a/b", "a/b/c", "first"},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        const char *wins = won(rows[i].first, rows[i].second, rows[i].topic);
        ck_assert_msg(strcmp(wins, rows[i].wins) == 0, "%s, %s: %s is of %s", rows[i].first,
                      rows[i].second, rows[i].topic, wins);
    }
}
END_TEST

START_TEST(other_topics)
{
    const struct adu_topic_policy *policy =
        policy_of("{'other_topics': 'watch', 'namespaces': [{'name': 'a', 'template': 'a/{x}'}]}");
    ck_assert_ptr_nonnull(strstr(judged(policy, ADU_PUBLISH, "b"), "(watched) "));
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "a/b"), "");
    ck_assert(strstr(judged(policy, ADU_PUBLISH, "B"), "(watched)") == NULL); /* names are not */
    snippet_close(&snippet);
    policy =
        policy_of("{'other_topics': 'allow', 'namespaces': [{'name': 'a', 'template': 'a/{x}'}]}");
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "b"), "");
    ck_assert_str_eq(judged(policy, ADU_SUBSCRIBE, "b/#"), "");
    snippet_close(&snippet);
}
END_TEST

START_TEST(isa_95)
{
    const struct adu_topic_policy *policy =
        policy_of("{'vocabularies': {'site': {'one_of': ['lyon', 'sevilla']}},"
                  "'namespaces': [{'name': 'uns', 'preset': 'isa-95',"
                  "'levels': {'metric': {'one_of': ['oee', 'temp']}}}]}");
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "acme/lyon/oee"), "");
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "acme/lyon/montaje/oee"), "");
    ck_assert_str_eq(judged(policy, ADU_PUBLISH, "acme/lyon/montaje/l1/c1/temp"), "");
    ck_assert_str_ne(judged(policy, ADU_PUBLISH, "acme/lyon/montaje/l1/c1/x/temp"), "");
    ck_assert_str_ne(judged(policy, ADU_PUBLISH, "acme/paris/oee"), "");
    ck_assert_str_ne(judged(policy, ADU_PUBLISH, "acme/lyon/montaje/l1/c1/presion"), "");
    snippet_close(&snippet);
}
END_TEST

#define TWO(first, second)                                                                         \
    "{'namespaces': [{'name': 'x', 'template': '" first "'},\n{'name': 'y', 'template': '" second  \
    "'}]}"
#define LEVELS(first, second)                                                                      \
    "{'namespaces': [{'name': 'x', 'template': 'a/{p}/{q}', 'levels': {'p': " first "}},"          \
    "{'name': 'y', 'template': 'a/{r}/{q}', 'levels': {'r': " second "}}]}"
#define AMBIGUOUS "a topic can belong to \"y\" and to \"x\" of line 1, and neither is more specific"

static const struct {
    const char *json, *error;
} refused[] = {
    {TWO("a/{p}", "a/{q}"), AMBIGUOUS},
    {TWO("a/#", "a/#"), AMBIGUOUS},
    {TWO("a/b", "a/b"), AMBIGUOUS},
    {TWO("a/{p?}/c", "a/c"), AMBIGUOUS},
    {LEVELS("{'one_of': ['b', 'c']}", "{'one_of': ['c', 'd']}"), AMBIGUOUS},
    {LEVELS("{'range': {'min': 1, 'max': 5}}", "{'range': {'min': 5, 'max': 9}}"), AMBIGUOUS},
    {LEVELS("{'pattern': 'b[0-9]'}", "{'pattern': 'b1*'}"), AMBIGUOUS},
    {LEVELS("{'pattern': 'ab?'}", "{'pattern': 'ac?'}"), AMBIGUOUS},
    {LEVELS("{'pattern': 'b|c'}", "{'pattern': 'd'}"), AMBIGUOUS}, /* not seen to differ */
    {LEVELS("{'attribute': 'linea'}", "{'attribute': 'celda'}"), AMBIGUOUS},
    {LEVELS("'v'", "{}"), "namespaces[0].levels.p: vocabularies has no \"v\""},
    {LEVELS("{}", "{}"), "expected one of \"one_of\", \"range\", \"pattern\", \"attribute\""},
    {LEVELS("{'pattern': '['}", "{}"), "not a pattern"},
    {LEVELS("{'pattern': '(a'}", "{}"), "not a pattern"},
    {LEVELS("{'one_of': []}", "{}"), "expected at least one level"},
    {LEVELS("{'one_of': ['a', 'a']}", "{}"), "\"a\" is there twice"},
    {LEVELS("{'one_of': ['a/b']}", "{}"), "expected one level of a topic"},
    {LEVELS("{'range': {'min': 5, 'max': 1}}", "{}"), "min 5 is more than max 1"},
    {LEVELS("{'range': {'min': 5}}", "{}"), "the key \"max\" is missing"},
    {LEVELS("{'range': {'min': 1, 'max': 2, 'prefix': 'a/'}}", "{}"), "the beginning of one level"},
    {"{'namespaces': [{'name': 'x', 'template': 'a/{p}', 'levels': {'q': {'pattern': 'a'}}}]}",
     "the template has no level {q}"},
    {"{'namespaces': [{'name': 'x'}]}", "expected either \"template\" or \"preset\""},
    {"{'namespaces': [{'name': 'x', 'preset': 'isa-95', 'template': 'a'}]}", "expected either"},
    {"{'namespaces': [{'name': 'x', 'preset': 'isa-96'}]}", "expected one of \"isa-95\""},
    {"{'namespaces': [{'name': 'x', 'template': []}]}", "expected at least one template"},
    {"{'namespaces': [{'name': 'x', 'template': 'a//b'}]}", "expected levels divided by"},
    {"{'namespaces': [{'name': 'x', 'template': 'a/+'}]}", "expected levels divided by"},
    {"{'namespaces': [{'name': 'x', 'template': 'a/#/b'}]}", "expected levels divided by"},
    {"{'namespaces': [{'name': 'x', 'template': 'a{b}'}]}", "expected levels divided by"},
    {"{'namespaces': [{'name': 'x', 'template': '{b'}]}", "expected {name} or {name?}"},
    {"{'namespaces': [{'name': 'x', 'template': '{b c}'}]}", "namespaces[0].template: "},
    {"{'namespaces': [{'name': 'x', 'template': 'a${b}'}]}", "expected levels divided by"},
    {"{'namespaces': [{'name': 'x', 'template': '${b'}]}", "must be a whole level"},
    {"{'namespaces': [{'name': 'x', 'template': '{a?}/{b?}/{c?}/{d?}/x/{e?}/{f?}/{g?}/{h?}/y/"
     "{i?}/{j?}/{k?}/{l?}'}]}",
     "can be left out in more than 64 ways"},
    {"{'namespaces': [{'name': 'x', 'template': 'a'}, {'name': 'x', 'template': 'b'}]}",
     "another namespace, of line 1, has this name"},
    {"{'namespaces': [{'name': 'x', 'template': 'a', 'mode': 'observe'}]}", "expected one of"},
    {"{'namespaces': ['x']}", "expected an object"},
    {"{'vocabularies': {'a b': {'pattern': 'a'}}}", "vocabularies"},
    {"{'vocabularies': {'a': 'b'}}", "vocabularies.a: expected an object"},
    {"{'other_topics': 'no'}", "expected one of \"refuse\", \"watch\", \"allow\""},
};

START_TEST(files_refused)
{
    policy_is_refused(refused[_i].json, refused[_i].error);
}
END_TEST

START_TEST(what_is_not_ambiguous)
{
    static const char *const good[] = {
        TWO("a/{p}/b", "a/{q}/c"),
        TWO("a/{p}", "a/{p}/{q}"),
        TWO("a/{p}", "a/#"),
        TWO("{p}/b", "a/{q}"),
        TWO("a/{p}", "a/_x"),
        LEVELS("{'one_of': ['b', 'c']}", "{'one_of': ['d', 'e']}"),
        LEVELS("{'range': {'min': 1, 'max': 5}}", "{'range': {'min': 6, 'max': 9}}"),
        LEVELS("{'range': {'min': 1, 'max': 5, 'prefix': 'a'}}",
               "{'range': {'min': 1, 'max': 5, 'prefix': 'b'}}"),
        LEVELS("{'pattern': 'linea[0-9]+'}", "{'pattern': 'robot[0-9]+'}"),
        LEVELS("{'pattern': 'b[0-9]'}", "{'one_of': ['b1']}"),
        LEVELS("{'attribute': 'linea'}", "{'pattern': '.*'}"),
    };
    for (int i = 0; i < ROWS(good); i++) {
        policy_of(good[i]);
        snippet_close(&snippet);
    }
}
END_TEST

/* A template that the rest of the file refuses is told, and does no harm. */
START_TEST(templates_that_never_match)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {TWO("A/b", "c"), "\"A\" can be no level: upper-case letters are not allowed"},
        {TWO("_a/b", "c"), "\"_a\" can be no level: levels that begin with \"_\""},
        {LEVELS("{'one_of': ['a b']}", "{}"), "\"a b\" can be no level: spaces are not allowed"},
        {"{'depth': {'min': 3}, 'namespaces': [{'name': 'x', 'template': 'a/{b}'}]}",
         "a topic of 2 levels is too short for depth.min"},
        {"{'depth': {'max': 2}, 'namespaces': [{'name': 'x', 'template': 'a/b/{c}/#'}]}",
         "a topic of 3 levels is too deep for depth.max"},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        snippet_open(&snippet, "topic_policy.json", rows[i].json);
        snippet.c.findings = adu_findings_new();
        adu_topic_policy_compile(&snippet.c, snippet.root);
        const struct adu_finding *first = adu_findings_first(snippet.c.findings);
        ck_assert_msg(first != NULL && strstr(first->text, rows[i].text) != NULL, "%s: %s",
                      rows[i].json, first != NULL ? first->text : "(nothing)");
        ck_assert_str_eq(first->code, "never-matches");
        adu_findings_free(snippet.c.findings);
        snippet_close(&snippet);
    }
}
END_TEST

static const struct {
    const char *topic, *nearest; /* "": there is none */
} suggested[] = {
    {"Planta/Linea 1/Temp", "planta/linea1/temperatura"},
    {"planta/L\xc3\xadnea 1/Temperatura", "planta/linea1/temperatura"},
    {"planta/linea-1/presi\xc3\xb3n", "planta/linea1/presion"},
    {"/planta//linea1/vibracion/", "planta/linea1/vibracion"},
    {"PLANTA/linea3/E 7/Vibraci\xc3\xb3n", "planta/linea3/e7/vibracion"},
    {"plnta/linea1/temperatura", "planta/linea1/temperatura"},
    {"planta/linea1/comandos/Sala de Hornos", "planta/linea1/comandos/sala_de_hornos"},
    {"planta/linea2/Notas/x", ""}, /* not for this client */
    {"taller/Horno 2/Nivel", "taller/horno2/nivel"},
    {"planta/linea1/humedad", ""},
    {"\xd0\x86\xd0\x86", ""},
};

START_TEST(nearest_names)
{
    struct adu_reason why = ADU_REASON_INIT;
    struct asker asker;
    char json[4096];
    snprintf(json, sizeof json, "{'names': {'characters': 'a-z0-9_-'}, %s", PLANT + 1);
    const struct adu_topic_policy *policy = policy_of(json);
    asker_make(&asker, snippet.vocabulary, "linea=linea1", "");
    const struct adu_request request = {.action = ADU_PUBLISH,
                                        .subject = &asker.subject,
                                        .topic = adu_text_of(suggested[_i].topic)};
    ck_assert_int_eq(adu_topic_policy_decide(policy, &request, &why), ADU_DENY);
    adu_topic_policy_suggest(policy, &request, &why);
    ck_assert_str_eq(why.nearest, suggested[_i].nearest);
    asker_free(&asker);
    snippet_close(&snippet);
}
END_TEST

START_TEST(nearest_names_without_namespaces)
{
    static const struct {
        const char *topic, *nearest;
    } rows[] = {
        {"Planta/Linea 1/Temp", "planta/linea1/temp"},
        {"planta/sala de hornos/\xc3\x91"
         "and\xc3\xba",
         "planta/sala_de_hornos/nandu"},
        {"planta/linea.1/a", "planta/linea1/a"},
        {"planta/a", ""}, /* no name is wrong */
        {"planta/_x/a", ""},
    };
    const struct adu_topic_policy *policy =
        policy_of("{'names': {'characters': 'a-z0-9_-'}, 'depth': {'min': 3}}");
    for (int i = 0; i < ROWS(rows); i++) {
        static const struct adu_subject nobody;
        struct adu_reason why = ADU_REASON_INIT;
        const struct adu_request request = {
            .action = ADU_PUBLISH, .subject = &nobody, .topic = adu_text_of(rows[i].topic)};
        adu_topic_policy_suggest(policy, &request, &why);
        ck_assert_msg(strcmp(why.nearest, rows[i].nearest) == 0, "%s: %s", rows[i].topic,
                      why.nearest);
    }
    snippet_close(&snippet);
}
END_TEST

/* --- many that are alike below --- */

/* The name of the namespace that a topic belongs to, "" for none. */
static const char *namespace_of(const struct adu_topic_policy *policy, const char *topic)
{
    static const struct adu_subject nobody;
    const struct adu_request request = {
        .action = ADU_PUBLISH, .subject = &nobody, .topic = adu_text_of(topic)};
    const char *name =
        adu_topic_policy_namespace_name(policy, adu_topic_policy_namespace(policy, &request));
    return name != NULL ? name : "";
}

#define LONG_AREA "an_area_with_a_long_name_"

/* Writes `form` with the area's number for each # and its name for each @. Returns the end. */
static char *write_area(char *to, const char *form, int number)
{
    const char *area = number % 2 == 0 ? "a" : LONG_AREA;
    for (; *form != '\0'; form++) {
        if (*form == '#' || *form == '@') {
            to += sprintf(to, "%s%d", *form == '@' ? area : "", number);
        } else {
            *to++ = *form == '?' ? '#' : *form;
        }
    }
    return to;
}

/* Areas of four kinds, of which each has one namespace or two, in this order or that; what is below
 * them is alike but for the namespace. The names are long and short. */
START_TEST(alike_below)
{
    enum { AREAS = 200 };
    static const char *const kinds[] = {
        "{'name': 't#', 'template': '@/{linea}/{parametro}'}",
        "{'name': 't#', 'template': '@/{linea}/{parametro}'},"
        "{'name': 'c#', 'template': '@/{linea}/cmd/?'}",
        "{'name': 'c#', 'template': '@/{linea}/cmd/?'},"
        "{'name': 't#', 'template': '@/{linea}/{parametro}'}",
        "{'name': 't#', 'template': ['@/{linea}/{parametro}', '@/{linea}']}"};
    static char json[AREAS * 200 + 500];
    char *at = json + sprintf(json, "{'vocabularies': {'linea': {'pattern': 'l[0-9]+'},"
                                    "'parametro': {'one_of': ['temp', 'presion', "
                                    "'a_long_name_of_a_parameter', 'cmd']}}, 'namespaces': [");
    for (int i = 0; i < AREAS; i++) {
        at = write_area(at, i > 0 ? "," : "", i);
        at = write_area(at, kinds[i % 4], i);
    }
    strcpy(at, "]}");
    const struct adu_topic_policy *policy = policy_of(json);
    for (int i = 0; i < AREAS; i++) {
        static const struct {
            const char *below, *names[4];
        } rows[] = {{"l1/temp", {"t", "t", "t", "t"}},
                    {"l22/a_long_name_of_a_parameter", {"t", "t", "t", "t"}},
                    {"l1/cmd", {"t", "c", "c", "t"}},
                    {"l1/cmd/x", {"", "c", "c", ""}},
                    {"l1", {"", "", "", "t"}},
                    {"l1/a_long_name_of_another_one", {"", "", "", ""}},
                    {"x/temp", {"", "", "", ""}}};
        for (int j = 0; j < ROWS(rows); j++) {
            char topic[100], expected[20] = "";
            snprintf(topic, sizeof topic, "%s%d/%s", i % 2 == 0 ? "a" : LONG_AREA, i,
                     rows[j].below);
            if (rows[j].names[i % 4][0] != '\0') {
                snprintf(expected, sizeof expected, "%s%d", rows[j].names[i % 4], i);
            }
            ck_assert_msg(strcmp(namespace_of(policy, topic), expected) == 0, "%s is of %s", topic,
                          namespace_of(policy, topic));
        }
    }
    snippet_close(&snippet);
}
END_TEST

/* A pattern that is seen through without PCRE2 says what PCRE2 says. */
START_TEST(plain_patterns)
{
    static const struct {
        const char *pattern;
        bool plain;
    } rows[] = {
        {"linea[0-9]+", true},   {"linea[0-9]*", true},    {"[a-z_0-9]+", true},
        {"a[-b]", true},         {"A-b_1[x]+", true},      {"a[b-]*", true},
        {"linea[0-9]+?", false}, {"linea[0-9]{2}", false}, {"a[^b]+", false},
        {"a?[b]+", false},       {"(?i)a[b]+", false},     {"a|[b]+", false},
        {"a[\\d]+", false},      {"a[[:alpha:]]+", false}, {"a[b]+c", false},
        {"a[b]+[c]", false},     {"linea", false},         {"a[]", false},
    };
    static const char letters[] = "linea0123-_bxA1\n\xc3\xb1";
    for (int i = 0; i < ROWS(rows); i++) {
        struct adu_plain_pattern plain;
        snippet_open(&snippet, "x.json", "{'a': 1}");
        const struct adu_pattern *pattern = adu_pattern_compile(
            snippet.arena, rows[i].pattern, adu_json_member(snippet.root, "a"), &snippet.error);
        const bool is = pattern != NULL && adu_plain_pattern_of(rows[i].pattern, pattern, &plain);
        ck_assert_msg(is == rows[i].plain, "%s", rows[i].pattern);
        srandom(7);
        for (int j = 0; is && j < 20000; j++) {
            char level[60];
            size_t length = j % 4 == 0 ? 0 : (size_t)plain.length;
            memcpy(level, rows[i].pattern, length);
            for (size_t more = (size_t)random() % 5; more > 0; more--) {
                level[length++] = letters[(size_t)random() % (sizeof letters - 1)];
            }
            const enum adu_plain_answer answer =
                adu_plain_pattern_fits(&plain, (struct adu_text){level, length});
            ck_assert_msg(answer == ADU_PLAIN_ASK ||
                              (answer == ADU_PLAIN_YES) ==
                                  adu_pattern_matches(pattern, level, length, NULL),
                          "%s: %.*s", rows[i].pattern, (int)length, level);
        }
        snippet_close(&snippet);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("namespaces");
    suite_add(suite, alike_below);
    suite_add(suite, plain_patterns);
    suite_add_rows(suite, publish, ROWS(published));
    suite_add_rows(suite, subscribe, ROWS(subscribed));
    suite_add(suite, the_most_specific_wins);
    suite_add(suite, other_topics);
    suite_add(suite, isa_95);
    suite_add_rows(suite, files_refused, ROWS(refused));
    suite_add(suite, what_is_not_ambiguous);
    suite_add(suite, templates_that_never_match);
    suite_add_rows(suite, nearest_names, ROWS(suggested));
    suite_add(suite, nearest_names_without_namespaces);
    return run_suite(suite);
}
