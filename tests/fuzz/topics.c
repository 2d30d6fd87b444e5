#include "topics.h"
#include "plugins/topic_policy/protobuf.h"
#include "plugins/topic_policy/schema.h"
#include "plugins/topic_policy/topic_policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy_text[] =
    "{\"names\": {\"nfc\": true, \"lookalikes\": \"refuse\", \"collisions\": \"flag\"},"
    "\"depth\": {\"min\": 2, \"max\": 8}, \"exempt\": [\"$SYS/#\", \"libre/${linea}/+\"],"
    "\"reserved_levels\": {\"_sys\": {\"publish_roles\": []}},"
    "\"subscriptions\": {\"max_levels\": 8, \"max_wildcards\": 3, \"too_broad\": [\"+/+/#\"]},"
    "\"vocabularies\": {\"linea\": {\"pattern\": \"l(i|\xc3\xad)nea[0-9]+\"},"
    "\"parametro\": {\"one_of\": [\"temperatura\", \"presi\xc3\xb3n\", \"vibracion\"]}},"
    "\"namespaces\": [{\"name\": \"a\", \"template\": \"planta/{linea}/{estacion?}/{parametro}\","
    "\"levels\": {\"estacion\": {\"range\": {\"prefix\": \"e\", \"min\": 1, \"max\": 99}}}},"
    "{\"name\": \"b\", \"template\": [\"planta/{linea}/comandos/#\", "
    "\"taller/{x}/{y?}/{z?}/fin\"]},"
    "{\"name\": \"c\", \"template\": \"planta/${linea}/propio/{x}\"}]}";

static struct adu_error error;
static struct adu_arena *arena;
static const struct adu_topic_policy *policy;
static struct adu_subject subject;
static const char *values[8];

void fuzz_topics_start(void)
{
    arena = adu_arena_new();
    struct adu_json_document *document =
        adu_json_parse("topic_policy.json", policy_text, strlen(policy_text), &error);
    struct adu_vocabulary *vocabulary = arena != NULL ? adu_vocabulary_new(arena) : NULL;
    struct adu_compiler c = {.arena = arena,
                             .vocabulary = vocabulary,
                             .error = &error,
                             .directory = "/",
                             .file = "topic_policy.json"};
    if (document != NULL && vocabulary != NULL) {
        policy = adu_topic_policy_compile(&c, adu_json_root(document));
    }
    if (policy == NULL) {
        fprintf(stderr, "no policy: %s\n", error.text);
        abort();
    }
    adu_json_free(document);
    values[0] = "linea1"; /* the only attribute that it asks for */
    subject.values = values;
}

void fuzz_topics_end(void)
{
    adu_arena_free(arena);
    arena = NULL;
}

static void fail(const char *what, const unsigned char *bytes, size_t length)
{
    fprintf(stderr, "%s: ", what);
    for (size_t i = 0; i < length; i++) {
        fprintf(stderr, "%02x", bytes[i]);
    }
    fprintf(stderr, "\n");
    abort();
}

static enum adu_verdict judge(enum adu_action action, struct adu_text topic, struct adu_reason *why)
{
    const struct adu_request request = {
        .action = action, .topic = topic, .subject = &subject, .attempt = true};
    adu_reason_clear(why);
    return adu_topic_policy_decide(policy, &request, why);
}

static int judge_topic(struct adu_text topic, const unsigned char *bytes)
{
    struct adu_reason why, again;
    const struct adu_request request = {.action = ADU_PUBLISH, .topic = topic, .subject = &subject};
    const enum adu_verdict verdict = judge(ADU_PUBLISH, topic, &why);
    if (judge(ADU_PUBLISH, topic, &again) != verdict) {
        fail("judged otherwise", bytes, topic.length);
    }
    if (verdict == ADU_ABSTAIN) {
        if (judge(ADU_SUBSCRIBE, topic, &again) != ADU_ABSTAIN) {
            fail("a legal topic is no legal filter", bytes, topic.length);
        }
        return 1;
    }
    adu_topic_policy_suggest(policy, &request, &why);
    if (why.nearest[0] != '\0' &&
        (adu_text_is(topic, why.nearest) ||
         judge(ADU_PUBLISH, adu_text_of(why.nearest), &again) != ADU_ABSTAIN)) {
        fail("suggested what is not legal", bytes, topic.length);
    }
    return 0;
}

static void judge_payload(struct adu_text payload, const unsigned char *bytes)
{
    char what[ADU_SCHEMA_WHAT];
    const char *found;
    if (adu_sparkplug_payload_legal(payload, &found) != (found == NULL)) {
        fail("a payload refused without a reason, or with one and not", bytes, payload.length);
    }
    if (adu_schema_holds(NULL, payload, what)) {
        json_t *value = json_loadb(payload.bytes, payload.length,
                                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL |
                                       JSON_DECODE_INT_AS_REAL,
                                   NULL);
        if (value == NULL) {
            fail("no JSON", bytes, payload.length);
        }
        json_decref(value);
    }
}

int fuzz_topics(const unsigned char *bytes, size_t length)
{
    struct adu_reason why;
    const struct adu_text text = {(const char *)bytes, length};
    judge_payload(text, bytes);
    if (adu_topic_filter_valid(text)) {
        judge(ADU_SUBSCRIBE, text, &why);
        adu_topic_policy_possible(policy, text, &why);
    }
    return adu_topic_name_valid(text) && judge_topic(text, bytes);
}
