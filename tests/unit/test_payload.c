/* What a namespace asks of each message: QoS, retain, bytes, format, schema. */
#include "asker.h"
#include "plugins/topic_policy/scan.h"
#include "plugins/topic_policy/traffic.h"
#include "topic_snippet.h"
#include <math.h>

/* --- JSON by itself --- */

static const struct {
    const char *payload; /* NULL-ended, but for the row with a NUL */
    const char *what;    /* NULL: it is JSON */
} texts[] = {
    {"{}", NULL},
    {" [ ] ", NULL},
    {"null", NULL},
    {"-0.5e-3", NULL},
    {"\"\\u00f1\\ud83d\\ude00\\/\"", NULL},
    {"{\"a\":[1,2,{\"b\":null}],\"c\":true}\n", NULL},
    {"{\"a\":{\"b\":1},\"c\":{\"b\":1}}", NULL},
    {"1.7976931348623157e308", NULL},
    {"1e-999", NULL},
    {"", "no value at byte 1"},
    {" ", "no value at byte 2"},
    {"{}{}", "more than one value at byte 3"}, /* JSON twice */
    {"1 2", "more than one value at byte 3"},
    {"{\"a\":1,\"a\":2}", "a: there twice"},
    {"{\"a\":1,\"\\u0061\":2}", "a: there twice"},
    {"{\"x\":{\"a\":1,\"b\":1,\"a\":2}}", "x.a: there twice"},
    {"NaN", "a value is none that JSON knows at byte 1"},
    {"Infinity", "a value is none that JSON knows at byte 1"},
    {"-", "a value is none that JSON knows at byte 2"},
    {"1.", "a value is none that JSON knows at byte 3"},
    {".5", "a value is none that JSON knows at byte 1"},
    {"1e", "a value is none that JSON knows at byte 3"},
    {"01", "a number begins with 0 at byte 2"},
    {"1e999", "a number is larger than any that can be used at byte 6"},
    {"1e99999999999999999999", "a number is larger than any that can be used at byte 23"},
    {"{a:1}", "no key at byte 2"},
    {"{\"a\" 1}", "no : at byte 6"},
    {"{\"a\":1,}", "no key at byte 8"},
    {"[1,]", "[]: a value is none that JSON knows at byte 4"},
    {"[1 2]", "no , or ] at byte 4"},
    {"[1", "no , or ] at byte 3"},
    {"{\"a\":1", "no , or } at byte 7"},
    {"\"a", "a string does not end at byte 1"},
    {"\"\\x\"", "a string has an escape that JSON does not know at byte 1"},
    {"\"\\ud83d\"", "a string has an escape that JSON does not know at byte 1"},
    {"\"\\ude00\"", "a string has an escape that JSON does not know at byte 1"},
    {"\"\t\"", "a string has a control character at byte 1"},
    {"\"\xc3\"", "a string is not UTF-8 at byte 4"},
    {"\"\xed\xa0\x80\"", "a string is not UTF-8 at byte 6"},
    {"// a\n1", "a value is none that JSON knows at byte 1"},
    {"\xef\xbb\xbf{}", "a value is none that JSON knows at byte 1"},
};

START_TEST(any_json)
{
    char what[ADU_SCHEMA_WHAT] = "";
    const char *payload = texts[_i].payload;
    /* Of its very size, so that a byte too many is seen by the sanitizer. */
    char *exact = malloc(strlen(payload) + 1);
    memcpy(exact, payload, strlen(payload));
    exact = realloc(exact, strlen(payload) > 0 ? strlen(payload) : 1);
    const bool holds = adu_schema_holds(NULL, (struct adu_text){exact, strlen(payload)}, what);
    free(exact);
    ck_assert_msg(holds == (texts[_i].what == NULL), "%s: %s", payload, what);
    ck_assert_msg(holds || strcmp(what, texts[_i].what) == 0, "%s: %s", payload, what);
}
END_TEST

START_TEST(deep_and_wide)
{
    char what[ADU_SCHEMA_WHAT];
    char deep[20001], *wide = calloc(1, 100000);
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    deep[20000] = '\0';
    ck_assert(!adu_schema_holds(NULL, adu_text_of(deep), what));
    ck_assert_ptr_nonnull(strstr(what, "too deep"));
    ck_assert(adu_schema_holds(NULL, (struct adu_text){deep + 10000 - 32, 64}, what));
    ck_assert(!adu_schema_holds(NULL, (struct adu_text){deep + 10000 - 33, 66}, what));
    strcpy(wide, "{");
    size_t used = 1;
    for (int i = 0; i < 513; i++) {
        used += (size_t)sprintf(wide + used, "\"k%d\":%d,", i, i);
    }
    strcpy(wide + used, "\"z\":0}");
    ck_assert(!adu_schema_holds(NULL, adu_text_of(wide), what));
    ck_assert_ptr_nonnull(strstr(what, "than can be compared"));
    free(wide);
}
END_TEST

START_TEST(a_nul_is_no_json)
{
    char what[ADU_SCHEMA_WHAT];
    ck_assert(!adu_schema_holds(NULL, (struct adu_text){"1\0", 2}, what));
    ck_assert(!adu_schema_holds(NULL, (struct adu_text){"\"\\\0\"", 4}, what));
}
END_TEST

START_TEST(numbers_are_those_of_the_c_library)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "1",
                                          "21.5",
                                          "0.1",
                                          "1e22",
                                          "1e23",
                                          "123456789.123456789",
                                          "5e-324",
                                          "150.00000000000000001",
                                          "2.5e-3",
                                          "-273.15",
                                          "9007199254740993",
                                          "123456789012345678901234567890"};
    for (int i = 0; i < ROWS(numbers); i++) {
        struct adu_scan scan = {numbers[i], numbers[i] + strlen(numbers[i])};
        double value;
        ck_assert_ptr_null(adu_scan_number(&scan, &value));
        ck_assert_ptr_eq(scan.at, scan.end);
        const double expected = strtod(numbers[i], NULL);
        ck_assert_msg(fabs(value - expected) <= fabs(expected) * 1e-15, "%s: %.17g", numbers[i],
                      value);
    }
}
END_TEST

/* --- schemas --- */

#define SENSOR                                                                                     \
    "{'type': 'object', 'required': ['valor', 'unidad'], 'additionalProperties': false,"           \
    "'properties': {'valor': {'type': 'number'}, 'unidad': {'type': 'string'},"                    \
    "'estado': {'enum': ['ok', 'fallo', null, 7]}, 'n': {'type': 'integer', 'minimum': 0},"        \
    "'t': {'type': 'number', 'minimum': -40, 'exclusiveMaximum': 150, 'unit': '\xc2\xb0"           \
    "C'},"                                                                                         \
    "'nombre': {'type': 'string', 'minLength': 2, 'maxLength': 4},"                                \
    "'serie': {'type': 'array', 'minItems': 1, 'maxItems': 2, 'items': {'type': 'number'}},"       \
    "'v': {'const': 2}, 'o': {'type': ['object', 'null'], 'properties': {'a': {'type': "           \
    "'boolean'}}}},"                                                                               \
    "'units': {'value': 'valor', 'unit': 'unidad', 'ranges': {'C': {'minimum': -40, 'maximum': "   \
    "150}, 'F': {'maximum': 302}}}}"

static const struct {
    const char *payload, *what;
} judged_by_schema[] = {
    {"{'valor': 150, 'unidad': 'C'}", NULL},
    {"{'unidad': 'F', 'valor': 151}", NULL},
    {"{'unidad': '\\u0046', 'valor': 151}", NULL},
    {"{'valor': 151, 'unidad': 'C'}", "valor: more than 150 C"},
    {"{'valor': -41, 'unidad': 'C'}", "valor: less than -40 C"},
    {"{'valor': 303, 'unidad': 'F'}", "valor: more than 302 F"},
    {"{'valor': 1, 'unidad': 'K'}", "unidad: none of the units"},
    {"{'valor': 1}", "unidad: missing"},
    {"{'unidad': 'C'}", "valor: missing"},
    {"{'valor': '1', 'unidad': 'C'}", "valor: of another type"},
    {"{'valor': 1, 'unidad': 'C', 'x': 1}", "x: no property of the schema"},
    {"{'valor': 1, 'unidad': 'C', 'valor': 2}", "valor: there twice"},
    {"{'valor': 1, 'unidad': 'C', 'v\\u0061lor': 999}", "valor: there twice"},
    {"{'valor': 1, 'unidad': 'C', 'estado': 'ok'}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'estado': null}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'estado': 7.0}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'estado': 'OK'}", "estado: none of the values that it may have"},
    {"{'valor': 1, 'unidad': 'C', 'estado': [7]}", "estado: none of the values that it may have"},
    {"{'valor': 1, 'unidad': 'C', 'n': 1.0}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'n': 1.5}", "n: of another type"},
    {"{'valor': 1, 'unidad': 'C', 'n': -1}", "n: less than 0"},
    {"{'valor': 1, 'unidad': 'C', 't': 149.9}", NULL},
    {"{'valor': 1, 'unidad': 'C', 't': 150}", "t: not less than 150 \xc2\xb0"
                                              "C"},
    {"{'valor': 1, 'unidad': 'C', 'nombre': 'a\xc3\xb1o\xc3\xb1'}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'nombre': 'a'}", "nombre: too short"},
    {"{'valor': 1, 'unidad': 'C', 'nombre': '\\u00f1\\u00f1\\u00f1\\u00f1\\u00f1'}",
     "nombre: too long"},
    {"{'valor': 1, 'unidad': 'C', 'serie': [1, 2]}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'serie': []}", "serie: too few items"},
    {"{'valor': 1, 'unidad': 'C', 'serie': [1, 2, 3]}", "serie: too many items"},
    {"{'valor': 1, 'unidad': 'C', 'serie': [1, 'a']}", "serie.[]: of another type"},
    {"{'valor': 1, 'unidad': 'C', 'v': 2}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'v': 3}", "v: none of the values that it may have"},
    {"{'valor': 1, 'unidad': 'C', 'o': null}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'o': {'a': true, 'b': 1}}", NULL},
    {"{'valor': 1, 'unidad': 'C', 'o': {'a': 1}}", "o.a: of another type"},
    {"[]", "of another type"},
    {"7", "of another type"},
};

START_TEST(schema)
{
    char what[ADU_SCHEMA_WHAT] = "";
    snippet_open(&snippet, "topic_policy.json", SENSOR);
    const struct adu_schema *s = adu_schema_compile(&snippet.c, snippet.root);
    ck_assert_msg(s != NULL, "%s", snippet_error(&snippet));
    snippet_compiled(&snippet);
    char *payload = json_of(judged_by_schema[_i].payload);
    const bool holds = adu_schema_holds(s, adu_text_of(payload), what);
    const char *expected = judged_by_schema[_i].what;
    ck_assert_msg(holds == (expected == NULL) && (holds || strcmp(what, expected) == 0), "%s: %s",
                  payload, what);
    free(payload);
    snippet_close(&snippet);
}
END_TEST

/* --- messages --- */

static const struct adu_topic_policy *policy_of_namespace(const char *namespace)
{
    char json[4096];
    snprintf(json, sizeof json, "{'namespaces': [{'name': 'n', 'template': 'a/{b}', %s}]}",
             namespace);
    return policy_of(json);
}

static enum adu_verdict decide(const struct adu_topic_policy *policy,
                               const struct adu_request *given, struct adu_reason *why)
{
    struct asker asker;
    asker_make(&asker, snippet.vocabulary, "", "");
    struct adu_request request = *given;
    request.topic = adu_text_of("a/x");
    request.subject = &asker.subject;
    adu_reason_clear(why);
    const enum adu_verdict verdict = adu_topic_policy_decide(policy, &request, why);
    asker_free(&asker);
    return verdict;
}

#define PAYLOAD(text) .payload = (text), .payload_length = sizeof(text) - 1

/* The list is the text itself; NULL: it is not there. */
static bool type_of(const void *list, struct adu_text *type)
{
    *type = adu_text_of(list != NULL ? list : "");
    return list != NULL;
}

#define CONTENT_TYPE(text)                                                                         \
    .attempt = true, .properties = &(const struct adu_properties)                                  \
    {                                                                                              \
        .list = (text), .content_type = type_of                                                    \
    }

static const struct {
    const char *namespace;
    struct adu_request request;
    const char *why;
    long limit;
} messages[] = {
    {"'qos': {'max': 1}", {.qos = 1}, NULL, 0},
    {"'qos': {'max': 1}", {.qos = 2}, "the QoS is higher than the namespace allows", 1},
    {"'qos': {'min': 1}", {.qos = 0}, "the QoS is lower than the namespace asks for", 1},
    {"'qos': {'min': 2, 'max': 2}", {.qos = 2}, NULL, 0},
    {"'retain': 'optional'", {.retain = true}, NULL, 0},
    {"'retain': 'required'", {.retain = true}, NULL, 0},
    {"'retain': 'required'", {.retain = false}, "the namespace's messages must be retained", -1},
    {"'retain': 'forbidden'",
     {.retain = true},
     "the namespace's messages must not be retained",
     -1},
    {"'retain': 'forbidden'", {.retain = false}, NULL, 0},
    {"'payload': {'max_bytes': 3}", {PAYLOAD("abc")}, NULL, 0},
    {"'payload': {'max_bytes': 3}", {PAYLOAD("abcd")}, "the payload has too many bytes", 3},
    {"'payload': {'min_bytes': 1}", {.qos = 1}, "the payload has too few bytes", 1},
    /* what is retained may be deleted where it may be retained */
    {"'payload': {'min_bytes': 1, 'format': 'json'}", {.retain = true}, NULL, 0},
    {"'retain': 'forbidden', 'payload': {'format': 'json'}",
     {.retain = true},
     "the namespace's messages must not be retained",
     -1},
    {"'payload': {'format': 'json'}",
     {.qos = 1},
     "the payload is no such JSON as it should be:",
     -1},
    {"'payload': {'format': 'json'}", {PAYLOAD("{}")}, NULL, 0},
    {"'payload': {'format': 'json'}",
     {PAYLOAD("{")},
     "the payload is no such JSON as it should be:",
     -1},
    {"'payload': {'format': 'utf8'}", {PAYLOAD("a\xc3\xb1o")}, NULL, 0},
    {"'payload': {'format': 'utf8'}", {.qos = 1}, NULL, 0},
    {"'payload': {'format': 'utf8'}", {PAYLOAD("\xc3")}, "the payload is not UTF-8", -1},
    {"'payload': {'format': 'number'}", {PAYLOAD("21.5")}, NULL, 0},
    {"'payload': {'format': 'number'}",
     {PAYLOAD("\"21\"")},
     "the payload is no such number as it should be:",
     -1},
    {"'payload': {'format': 'number'}",
     {PAYLOAD("1e999")},
     "the payload is no such number as it should be:",
     -1},
    {"'payload': {'format': 'number', 'schema': {'maximum': 5}}",
     {PAYLOAD("6")},
     "the payload is no such number as it should be:",
     -1},
    {"'payload': {'format': 'number', 'schema': {'maximum': 5}}", {PAYLOAD("5")}, NULL, 0},
    {"'payload': {'format': 'json', 'schema': {'type': 'object'}}",
     {PAYLOAD("5")},
     "the payload is no such JSON as it should be:",
     -1},
    /* one whose bytes nobody has is refused, but in an inquiry */
    {"'payload': {'format': 'json'}",
     {.payload_length = 3, .attempt = true},
     "the payload cannot be seen",
     -1},
    {"'payload': {'format': 'json'}", {.payload_length = 3}, NULL, 0},
    {"'content_type': {'one_of': ['a/b', 'c']}", {CONTENT_TYPE("c")}, NULL, 0},
    {"'content_type': {'one_of': ['a/b', 'c']}",
     {CONTENT_TYPE("a")},
     "the content type is none of the namespace's",
     -1},
    {"'content_type': {'one_of': ['a/b']}", {CONTENT_TYPE(NULL)}, NULL, 0},
    {"'content_type': {'one_of': ['a/b'], 'required': true}",
     {CONTENT_TYPE(NULL)},
     "the namespace's messages must have a content type",
     -1},
    /* what is deleted has none; what cannot be seen may be wrong, but in an inquiry */
    {"'content_type': {'one_of': ['a'], 'required': true}",
     {.attempt = true, .retain = true},
     NULL,
     0},
    {"'content_type': {'one_of': ['a'], 'required': true}", {.qos = 1}, NULL, 0},
    {"'content_type': {'one_of': ['a/b']}",
     {.attempt = true},
     "this broker, before 2.1, shows no content type to plugins",
     -1},
};

START_TEST(message)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy = policy_of_namespace(messages[_i].namespace);
    const enum adu_verdict verdict = decide(policy, &messages[_i].request, &why);
    /* The next message may be another, whatever the answer to this one is. */
    ck_assert(why.passing == (strstr(messages[_i].namespace, "optional") == NULL));
    if (messages[_i].why == NULL) {
        ck_assert_int_eq(verdict, ADU_ABSTAIN);
    } else {
        ck_assert_int_eq(verdict, ADU_DENY);
        ck_assert_str_eq(why.text, messages[_i].why);
        ck_assert_int_eq(why.limit, messages[_i].limit);
        ck_assert_str_eq(why.rule_name, "n");
        ck_assert(why.rule != NULL && why.rule->line > 0);
    }
    snippet_close(&snippet);
}
END_TEST

START_TEST(watched_by_namespace)
{
    struct adu_reason why;
    const struct adu_topic_policy *policy =
        policy_of_namespace("'mode': 'watch', 'qos': {'max': 0}");
    ck_assert_int_eq(decide(policy, &(struct adu_request){.qos = 1}, &why), ADU_DENY);
    ck_assert(why.watched);
    snippet_close(&snippet);
}
END_TEST

static const struct {
    const char *namespace, *error;
} refused[] = {
    {"'qos': {'min': 2, 'max': 1}", "namespaces[0].qos: min 2 is more than max 1"},
    {"'qos': {'max': 3}", "qos.max: expected"},
    {"'qos': 1", "qos: expected an object"},
    {"'content_type': {}", "the key \"one_of\" is missing"},
    {"'content_type': {'one_of': []}", "one_of: expected 1 to 16 texts"},
    {"'content_type': {'one_of': [1]}", "one_of[0]: expected a string"},
    {"'message_expiry': {'max': 60}",
     "namespaces[0].message_expiry: no rule can be held to it: Mosquitto up to 2.1.2 takes"},
    {"'retain': 'never'", "expected one of \"optional\", \"required\", \"forbidden\""},
    {"'payload': {'min_bytes': 5, 'max_bytes': 4}", "min 5 is more than max 4"},
    {"'payload': {'format': 'xml'}", "expected one of \"any\", \"utf8\", \"number\", \"json\""},
    {"'payload': {'format': 'json', 'max_bytes': 2000000}", "may have at most 1048576 max_bytes"},
    {"'payload': {'schema': {}}", "needs \"format\": \"json\" or \"number\" beside it"},
    {"'payload': {'format': 'json', 'schema': {'typ': 'object'}}", "did you mean \"type\"?"},
    {"'payload': {'format': 'json', 'schema': {'type': 'float'}}", "expected one of \"null\""},
    {"'payload': {'format': 'json', 'schema': {'type': []}}", "expected at least one type"},
    {"'payload': {'format': 'json', 'schema': {'minimum': '1'}}", "expected a number"},
    {"'payload': {'format': 'json', 'schema': {'minimum': 2, 'maximum': 1}}",
     "is more than its maximum"},
    {"'payload': {'format': 'json', 'schema': {'minimum': 2, 'exclusiveMinimum': 1}}",
     "in another way too"},
    {"'payload': {'format': 'json', 'schema': {'enum': []}}", "expected at least one value"},
    {"'payload': {'format': 'json', 'schema': {'enum': [[]]}}", "expected a string, a number"},
    {"'payload': {'format': 'json', 'schema': {'enum': [1], 'const': 1}}", "is there beside const"},
    {"'payload': {'format': 'json', 'schema': {'required': ['a']}}",
     "expected a name of \"properties\""},
    {"'payload': {'format': 'json', 'schema': {'properties': {'a': 1}}}",
     "properties.a: expected an object"},
    {"'payload': {'format': 'json', 'schema': {'additionalProperties': 1}}",
     "additionalProperties: expected an object"},
    {"'payload': {'format': 'json', 'schema': {'units': {'value': 'v', 'unit': 'u', 'ranges': "
     "{}}}}",
     "expected a name of"},
    {"'payload': {'format': 'json', 'schema': {'properties': {'v': {}, 'u': {}}, 'units': "
     "{'value': 'v', 'unit': 'u', 'ranges': {}}}}",
     "expected at least one unit"},
};

START_TEST(files_refused)
{
    char json[1024];
    snprintf(json, sizeof json, "{'namespaces': [{'name': 'n', 'template': 'a/{b}', %s}]}",
             refused[_i].namespace);
    policy_is_refused(json, refused[_i].error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("payload");
    suite_add_rows(suite, any_json, ROWS(texts));
    suite_add(suite, deep_and_wide);
    suite_add(suite, a_nul_is_no_json);
    suite_add(suite, numbers_are_those_of_the_c_library);
    suite_add_rows(suite, schema, ROWS(judged_by_schema));
    suite_add_rows(suite, message, ROWS(messages));
    suite_add(suite, watched_by_namespace);
    suite_add_rows(suite, files_refused, ROWS(refused));
    return run_suite(suite);
}
