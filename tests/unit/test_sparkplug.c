/* Sparkplug B: which topics there are, and who may publish to them how. */
#include "asker.h"
#include "topic_snippet.h"

#define POLICY                                                                                     \
    "{'names': {'characters': 'a-z'}, 'exempt': ['spBv1.0/#'], 'sparkplug': {'edge_node': "        \
    "'nodo', 'group': 'grupo', 'host_roles': ['scada']}}"

static const struct {
    enum adu_action action;
    const char *roles, *topic;
    uint8_t qos;
    bool retain, legal;
} rows[] = {
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NBIRTH/Edge A", 0, false, true},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NDEATH/Edge A", 1, false, true},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NDATA/Edge A", 0, false, true},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/DBIRTH/Edge A/Bomba 7", 0, false, true},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/DDATA/Edge A/Bomba 7", 0, false, true},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/DDEATH/Edge A/Bomba 7", 0, false, true},
    /* another node, another group */
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NBIRTH/Edge B", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NDEATH/Edge B", 1, false, false},
    {ADU_PUBLISH, "scada", "spBv1.0/Planta 1/DBIRTH/Edge B/x", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 2/NBIRTH/Edge A", 0, false, false},
    /* another form */
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NBIRTH/Edge A/x", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/DBIRTH/Edge A", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/nbirth/Edge A", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/XDATA/Edge A", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NDATA/Edge A/x/y", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/DDATA/Edge A/", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0", 0, false, false},
    /* QoS and retain */
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NBIRTH/Edge A", 1, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NBIRTH/Edge A", 0, true, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NDEATH/Edge A", 0, false, false},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NDEATH/Edge A", 1, true, false},
    /* commands and states are for hosts */
    {ADU_PUBLISH, "scada", "spBv1.0/Planta 1/NCMD/Edge A", 0, false, true},
    {ADU_PUBLISH, "scada", "spBv1.0/Planta 1/DCMD/Edge B/x", 0, false, true},
    {ADU_PUBLISH, "", "spBv1.0/Planta 1/NCMD/Edge A", 0, false, false},
    {ADU_PUBLISH, "scada", "spBv1.0/STATE/scada", 1, true, true},
    {ADU_PUBLISH, "scada", "spBv1.0/STATE/scada", 1, false, false},
    {ADU_PUBLISH, "scada", "spBv1.0/STATE/scada", 0, true, false},
    {ADU_PUBLISH, "scada", "spBv1.0/STATE/scada/x", 1, true, false},
    {ADU_PUBLISH, "", "spBv1.0/STATE/scada", 1, true, false},
    {ADU_PUBLISH, "scada", "$sparkplug/certificates/spBv1.0/Planta 1/NBIRTH/Edge A", 0, true,
     false},
    /* filters */
    {ADU_SUBSCRIBE, "", "spBv1.0/#", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/+/+/Edge A/#", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/Planta 1/NCMD/Edge A", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/Planta 1/NCMD/#", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/Planta 1/NCMD/Edge A/#", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/Planta 1/DCMD/Edge A/+", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/STATE/+", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/STATE/#", 0, false, true},
    {ADU_SUBSCRIBE, "", "$sparkplug/certificates/#", 0, false, true},
    {ADU_SUBSCRIBE, "", "spBv1.0/+", 0, false, false},
    {ADU_SUBSCRIBE, "", "spBv1.0/+/NCMD/+/+", 0, false, false},
    {ADU_SUBSCRIBE, "", "spBv1.0/+/DCMD/+", 0, false, false},
    {ADU_SUBSCRIBE, "", "spBv1.0/+/ncmd/#", 0, false, false},
    {ADU_SUBSCRIBE, "", "spBv1.0/STATE/a/b", 0, false, false},
    {ADU_RECEIVE, "", "spBv1.0/a/b/c/d/e/f", 0, false, true},
    /* what is not Sparkplug's is as ever */
    {ADU_PUBLISH, "", "spBv1.1/a", 0, false, false},
    {ADU_PUBLISH, "", "planta/a", 2, true, true},
};

START_TEST(each)
{
    struct adu_reason why = ADU_REASON_INIT;
    struct asker asker;
    const struct adu_topic_policy *policy = policy_of(POLICY);
    asker_make(&asker, snippet.vocabulary, "nodo=Edge A;grupo=Planta 1", rows[_i].roles);
    const struct adu_request request = {.action = rows[_i].action,
                                        .topic = adu_text_of(rows[_i].topic),
                                        .qos = rows[_i].qos,
                                        .retain = rows[_i].retain,
                                        .subject = &asker.subject};
    const enum adu_verdict verdict = adu_topic_policy_decide(policy, &request, &why);
    ck_assert_msg((verdict == ADU_ABSTAIN) == rows[_i].legal, "%s: %s", rows[_i].topic,
                  why.text != NULL ? why.text : "legal");
    ck_assert(verdict == ADU_ABSTAIN || (why.text != NULL && why.rule != NULL));
    /* the same topic may be refused to another client, or with another QoS */
    ck_assert(!rows[_i].legal || rows[_i].action != ADU_PUBLISH ||
              strncmp(rows[_i].topic, "spBv1.0", 7) != 0 || why.passing);
    asker_free(&asker);
    snippet_close(&snippet);
}
END_TEST

/* A payload, asked for by the key `payloads` or as a namespace's format; STATE's is JSON. */
static const struct {
    const char *topic, *bytes;
    uint32_t length;
    uint8_t qos;
    bool retain, legal;
} messages[] = {
    {"spBv1.0/Planta 1/NDATA/Edge A", "\x08\x01\x18\x00", 4, 0, false, true},
    {"spBv1.0/Planta 1/NDATA/Edge A", "{\"v\": 1}", 8, 0, false, false},
    {"spBv1.0/Planta 1/NDATA/Edge A", "", 0, 0, false, false},
    {"spBv1.0/Planta 1/NDATA/Edge A", NULL, 9, 0, false, false}, /* it cannot be seen */
    {"spBv1.0/Planta 1/NDATA/Edge A", "\x08", 2000000, 0, false, false},
    {"spBv1.0/STATE/scada", "{\"online\": true}", 16, 1, true, true},
    {"bombas/uno", "\x08\x01\x18\x00", 4, 0, false, true},
    {"bombas/uno", "\x0d\x01\x18\x00", 4, 0, false, false},
};

START_TEST(payloads)
{
    struct asker asker;
    struct adu_reason why = ADU_REASON_INIT;
    const struct adu_topic_policy *policy =
        policy_of("{'sparkplug': {'edge_node': 'nodo', 'host_roles': ['scada'], 'payloads': true},"
                  "'namespaces': [{'name': 'n', 'template': 'bombas/{x}', 'payload': {'format': "
                  "'sparkplug'}}]}");
    asker_make(&asker, snippet.vocabulary, "nodo=Edge A", "scada");
    const struct adu_request request = {.action = ADU_PUBLISH,
                                        .topic = adu_text_of(messages[_i].topic),
                                        .qos = messages[_i].qos,
                                        .retain = messages[_i].retain,
                                        .payload = messages[_i].bytes,
                                        .payload_length = messages[_i].length,
                                        .subject = &asker.subject,
                                        .attempt = true};
    const enum adu_verdict verdict = adu_topic_policy_decide(policy, &request, &why);
    ck_assert_msg((verdict == ADU_ABSTAIN) == messages[_i].legal, "%s: %s", messages[_i].topic,
                  why.text != NULL ? why.text : "legal");
    ck_assert(why.passing);
    asker_free(&asker);
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *json, *error;
} refused[] = {
    {"{'sparkplug': {}}", "the key \"edge_node\" is missing"},
    {"{'sparkplug': {'edge_node': 'a b'}}", "sparkplug.edge_node: "},
    {"{'sparkplug': {'edge_node': 'a', 'host_role': []}}", "did you mean \"host_roles\"?"},
    {"{'sparkplug': true}", "sparkplug: expected an object"},
};

START_TEST(files_refused)
{
    policy_is_refused(refused[_i].json, refused[_i].error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sparkplug");
    suite_add_rows(suite, each, ROWS(rows));
    suite_add_rows(suite, payloads, ROWS(messages));
    suite_add_rows(suite, files_refused, ROWS(refused));
    return run_suite(suite);
}
