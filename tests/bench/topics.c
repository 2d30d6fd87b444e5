/* bench_topics [ROUNDS]: what topic_policy's decision costs without a broker: names and namespace
 * of a topic of 5 levels and 40 bytes, by the number of templates; what it costs besides to gather
 * topics in use; and a payload's schema. Writes a
 * line for each figure: what, templates, median, p99 and the lowest median of a round in ns. Time
 * is taken around batches of decisions; all sizes are measured in turn, so that a busy machine
 * hurts all alike. */
#include "plugins/topic_policy/schema.h"
#include "plugins/topic_policy/topic_policy.h"
#include "tests/bench/plant.h"
#include "tests/bench/yardstick.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZES = 4, BATCH = 32, BATCHES = 64, TOPICS = 4096, WARM = 64, ROUNDS_MOST = 2000 };

static const int sizes[SIZES] = {10, 100, 1000, 10000};

/* One area a template; its lines by a pattern, its stations by number, its parameters by a list. */
#define TEMPLATE                                                                                   \
    "{\"name\": \"n%d\", \"template\": \"planta/area%05d/{linea}/{estacion}/{parametro}\","        \
    " \"levels\": {\"estacion\": {\"range\": {\"prefix\": \"estacion\", \"min\": 1, \"max\": "     \
    "99}}}}"

struct bench {
    struct adu_arena *arena;
    const struct adu_topic_policy *policy;
    char topics[TOPICS][48];
    float *ns;
    size_t count;
    double best; /* the lowest median of a round */
};

/* Of the same 64 topics, of all, and of topics none of which is remembered: of levels that came
 * before, but so many together that each has been forgotten when it comes again. */
static struct bench benches[SIZES], cold[SIZES], unseen[SIZES];
static struct bench schema_bench;
static const struct adu_schema *schema;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const struct adu_json *parse(struct adu_arena *arena, const char *text,
                                    struct adu_compiler *c)
{
    static struct adu_error error;
    struct adu_json_document *document =
        adu_json_parse("topic_policy.json", text, strlen(text), &error);
    if (document == NULL) {
        bench_fail("%s", error.text);
    }
    *c = (struct adu_compiler){.arena = arena,
                               .vocabulary = adu_vocabulary_new(arena),
                               .error = &error,
                               .directory = "/",
                               .file = "topic_policy.json"};
    return adu_json_root(document);
}

static void make_policy(struct bench *b, int templates)
{
    struct adu_compiler c;
    char *text = malloc(4096 + (size_t)templates * 256), *at = text;
    at += sprintf(at,
                  "{\"names\": {\"characters\": \"a-z0-9_-\"}, \"depth\": {\"min\": 3, \"max\": 6},"
                  "\"reserved_levels\": {\"_sys\": {\"publish_roles\": []}},"
                  "\"exempt\": [\"$SYS/#\", \"$CONTROL/#\", \"spBv1.0/#\"],"
                  "\"vocabularies\": {\"linea\": {\"pattern\": \"linea[0-9]+\"}, \"parametro\": "
                  "{\"one_of\": [\"presion\", \"caudal1\", \"vibraci\"]}}, \"namespaces\": [");
    for (int i = 0; i < templates; i++) {
        at += sprintf(at, "%s" TEMPLATE, i > 0 ? "," : "", i, i);
    }
    strcpy(at, "]}");
    b->arena = adu_arena_new();
    b->policy = adu_topic_policy_compile(&c, parse(b->arena, text, &c));
    if (b->policy == NULL) {
        bench_fail("%s", c.error->text);
    }
    for (int i = 0; i < TOPICS; i++) {
        static const char *const parameters[] = {"presion", "caudal1", "vibraci"};
        sprintf(b->topics[i], "planta/area%05d/linea%d/estacion%d/%s", (int)(random() % templates),
                (int)(random() % 9 + 1), (int)(random() % 9 + 1), parameters[random() % 3]);
    }
    b->ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *b->ns);
    free(text);
}

static void fill_unseen(char topics[][48], int templates)
{
    static unsigned n;
    for (int i = 0; i < BATCH; i++, n++) {
        static const char *const parameters[] = {"presion", "caudal1", "vibraci"};
        const unsigned of_area = n / (unsigned)templates;
        sprintf(topics[i], "planta/area%05u/linea%u/estacion%u/%s", n % (unsigned)templates,
                of_area % 9 + 1, of_area / 9 % 99 + 1, parameters[of_area / 891 % 3]);
    }
}

static void decide_all(const struct bench *of, const struct adu_text *topics)
{
    static const struct adu_subject nobody;
    struct adu_reason why = ADU_REASON_INIT;
    struct adu_request request = {.action = ADU_PUBLISH, .subject = &nobody};
    for (size_t j = 0; j < BATCH; j++) {
        request.topic = topics[j];
        if (adu_topic_policy_decide(of->policy, &request, &why) != ADU_ABSTAIN) {
            bench_fail("%.*s: %s", (int)topics[j].length, topics[j].bytes, why.text);
        }
    }
}

static void measure_unseen(struct bench *b, const struct bench *of, int templates)
{
    char text[BATCH][48];
    struct adu_text topics[BATCH];
    for (int i = 0; i < BATCHES; i++) {
        fill_unseen(text, templates);
        for (size_t j = 0; j < BATCH; j++) {
            topics[j] = adu_text_of(text[j]);
        }
        const int64_t begin = now_ns();
        decide_all(of, topics);
        b->ns[b->count++] = (float)(now_ns() - begin) / BATCH;
    }
}

static void measure(struct bench *b, const struct bench *of, int topics_used)
{
    for (int i = 0; i < BATCHES; i++) {
        const size_t first = (size_t)(random() % (topics_used - BATCH + 1));
        struct adu_text topics[BATCH];
        for (size_t j = 0; j < BATCH; j++) {
            topics[j] = adu_text_of(of->topics[first + j]);
        }
        const int64_t begin = now_ns();
        decide_all(of, topics);
        b->ns[b->count++] = (float)(now_ns() - begin) / BATCH;
    }
}

/* --- topics in use --- */

/* What becomes of a message that is let through where there is "discovery": of the same 64 topics,
 * of 4096, and of topics each of which comes once. */
static struct bench gathered, gathered_many, gathered_once;
static struct adu_stage_call gathering;
static struct adu_subject publisher = {.client_id = "edge-linea1"};
static void *publisher_state;

static void make_discovery(void)
{
    static const char text[] = "{\"discovery\": {}, \"namespaces\": [{\"name\": \"plant\", "
                               "\"template\": \"planta/{a}/{linea}/{estacion}/{parametro}\"}]}";
    struct adu_compiler c;
    gathered.arena = adu_arena_new();
    gathering = (struct adu_stage_call){
        .policy = adu_topic_policy_stage.compile(&c, parse(gathered.arena, text, &c)),
        .instance = adu_topic_policy_stage.instance_new(),
        .generation = 1};
    publisher_state = calloc(1, adu_topic_policy_stage.client_state_size);
    if (gathering.policy == NULL || gathering.instance == NULL) {
        bench_fail("%s", c.error->text);
    }
    gathered.ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *gathered.ns);
    gathered_many.ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *gathered_many.ns);
    gathered_once.ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *gathered_once.ns);
}

/* `topics_used` 0: of those that come once. */
static void measure_discovery(struct bench *b, const struct bench *of, int topics_used)
{
    static unsigned n;
    char text[BATCH][48];
    struct adu_request request = {
        .action = ADU_PUBLISH, .subject = &publisher, .attempt = true, .now_ms = 1, .wall_ms = 1};
    for (int i = 0; i < BATCHES; i++) {
        for (int j = 0; j < BATCH; j++) {
            if (topics_used > 0) {
                strcpy(text[j], of->topics[random() % topics_used]);
            } else {
                sprintf(text[j], "planta/area%05u/linea%u/estacion%u/presion", n % 10000,
                        n / 10000 % 1000, n / 10000000 % 1000);
                n++;
            }
        }
        const int64_t begin = now_ns();
        for (int j = 0; j < BATCH; j++) {
            request.topic = adu_text_of(text[j]);
            adu_topic_policy_stage.let_through(&gathering, &request, publisher_state);
        }
        b->ns[b->count++] = (float)(now_ns() - begin) / BATCH;
    }
}

/* --- a payload of 200 bytes --- */

#define SCHEMA                                                                                     \
    "{\"type\": \"object\", \"required\": [\"valor\", \"unidad\", \"ts\"], "                       \
    "\"additionalProperties\": "                                                                   \
    "false, \"properties\": {\"valor\": {\"type\": \"number\"}, \"unidad\": {\"type\": "           \
    "\"string\"},"                                                                                 \
    "\"ts\": {\"type\": \"integer\", \"minimum\": 0}, \"estado\": {\"enum\": [\"ok\", "            \
    "\"fallo\"]},"                                                                                 \
    "\"serie\": {\"type\": \"array\", \"maxItems\": 16, \"items\": {\"type\": \"number\", "        \
    "\"maximum\": 150}}, \"origen\": {\"type\": \"object\", \"properties\": {\"linea\": "          \
    "{\"type\": "                                                                                  \
    "\"string\", \"maxLength\": 16}, \"serial\": {\"type\": \"string\"}}}}, \"units\": "           \
    "{\"value\": "                                                                                 \
    "\"valor\", \"unit\": \"unidad\", \"ranges\": {\"C\": {\"minimum\": -40, \"maximum\": 150}}}}"

static const char payload[] =
    "{\"valor\": 21.53, \"unidad\": \"C\", \"ts\": 1795500000123, \"estado\": \"ok\", \"serie\": "
    "[20.1, 20.4, 20.9, 21.2, 21.5, 21.5, 21.6, 21.53], \"origen\": {\"linea\": \"linea1\", "
    "\"serial\": \"A93-2201-77\", \"v\": 2}}  ";

static void make_schema(void)
{
    struct adu_compiler c;
    schema_bench.arena = adu_arena_new();
    schema = adu_schema_compile(&c, parse(schema_bench.arena, SCHEMA, &c));
    if (schema == NULL) {
        bench_fail("%s", c.error->text);
    }
    schema_bench.ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *schema_bench.ns);
}

static void measure_schema(void)
{
    char what[ADU_SCHEMA_WHAT];
    for (int i = 0; i < BATCHES; i++) {
        const int64_t begin = now_ns();
        for (int j = 0; j < BATCH; j++) {
            if (!adu_schema_holds(schema, (struct adu_text){payload, sizeof payload - 1}, what)) {
                bench_fail("%s", what);
            }
        }
        schema_bench.ns[schema_bench.count++] = (float)(now_ns() - begin) / BATCH;
    }
}

/* --- figures --- */

static int by_value(const void *a, const void *b)
{
    const float one = *(const float *)a, other = *(const float *)b;
    return (one > other) - (one < other);
}

static void end_round(struct bench *b)
{
    float round[BATCHES];
    memcpy(round, b->ns + b->count - BATCHES, sizeof round);
    qsort(round, BATCHES, sizeof *round, by_value);
    if (b->best == 0 || (double)round[BATCHES / 2] < b->best) {
        b->best = (double)round[BATCHES / 2];
    }
}

static void report(const char *what, int templates, struct bench *b)
{
    qsort(b->ns, b->count, sizeof *b->ns, by_value);
    printf("%-18s %6d templates: median %6.1f ns, p99 %7.1f ns, best round %6.1f ns\n", what,
           templates, (double)b->ns[b->count / 2], (double)b->ns[b->count * 99 / 100], b->best);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 200;
    for (int i = 0; i < SIZES; i++) {
        make_policy(&benches[i], sizes[i]);
        cold[i].ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *cold[i].ns);
        unseen[i].ns = calloc((size_t)ROUNDS_MOST * BATCHES, sizeof *unseen[i].ns);
    }
    make_schema();
    make_discovery();
    double arithmetic = 0;
    for (int round = 0; round < rounds && round < ROUNDS_MOST; round++) {
        for (int i = 0; i < SIZES; i++) {
            measure(&benches[i], &benches[i], WARM);
            end_round(&benches[i]);
            measure(&cold[i], &benches[i], TOPICS);
            end_round(&cold[i]);
            measure_unseen(&unseen[i], &benches[i], sizes[i]);
            end_round(&unseen[i]);
        }
        measure_discovery(&gathered, &benches[3], WARM);
        end_round(&gathered);
        measure_discovery(&gathered_many, &benches[3], TOPICS);
        end_round(&gathered_many);
        measure_discovery(&gathered_once, &benches[3], 0);
        end_round(&gathered_once);
        measure_schema();
        end_round(&schema_bench);
        const double ns = bench_arithmetic_ns();
        arithmetic = arithmetic == 0 || ns < arithmetic ? ns : arithmetic;
    }
    for (int i = 0; i < SIZES; i++) {
        report("64 topics", sizes[i], &benches[i]);
    }
    for (int i = 0; i < SIZES; i++) {
        report("4096 topics", sizes[i], &cold[i]);
    }
    for (int i = 0; i < SIZES; i++) {
        report("not remembered", sizes[i], &unseen[i]);
    }
    report("discovery, 64", 1, &gathered);
    report("discovery, 4096", 1, &gathered_many);
    report("discovery, once", 1, &gathered_once);
    report("schema, 200 bytes", 1, &schema_bench);
    printf("100 multiplications in a row: %.1f ns in the best round\n", arithmetic);
    printf("the payload has %zu bytes, the first topic %zu\n", sizeof payload - 1,
           strlen(benches[0].topics[0]));
    return 0;
}
