/* bench_core CPU ROUNDS FOLDER...: what a decision costs without a broker, through acl alone and
 * through the whole pipeline. Each FOLDER is one of generate.py's core(), its name the number of
 * rules. All are measured in turn, round after round, so that a busy machine hurts all alike.
 * Writes a line for each figure: rules, part, action, heat, median, p99 and best in ns; and two of
 * yardsticks that were taken in the same rounds.
 *
 * Time is taken around batches of decisions. The clock is the one that needs no system call: those
 * batches that lost the processor are too few to move a median or a p99. */
#include "plugins/acl/acl.h"
#include "tests/bench/plant.h"
#include "tests/bench/yardstick.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MOST = 1000, PASS = 16384, ACTIONS = 3, CLIENTS = 10000, FEW = 8, WARM = 64 };

/* All that the broker would have at hand: nothing of it is looked up while time is taken. */
struct question {
    const struct bench_client *client; /* only its address is used */
    const char *client_id, *topic;
    const struct adu_subject *subject;
};

/* The questions of one action: `all` in no order, `some` of a few clients, and one of each of
 * these. */
struct questions {
    struct question *all, some[WARM], one[FEW];
    size_t count, some_count;
};

/* How warm: a client's same topic again and again; a few clients and topics; all of both. */
enum heat { REPEATED, WARMED, COLD, HEATS };
enum part { ACL, PIPELINE, PARTS };

static const char *const action_names[ACTIONS] = {
    [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive"};
static const char *const heat_names[HEATS] = {"repeated", "warm", "cold"};
/* Decisions in a batch: enough to make the clock small, few enough to be done in microseconds. */
static const size_t batches_of[HEATS] = {32, 32, 8};
static int64_t clock_ns; /* what reading the clock takes */
static const char *const part_names[PARTS] = {"acl", "pipeline"};

struct samples {
    float *ns; /* a decision, one for each batch */
    size_t count;
    double best; /* the lowest median of a round */
};

struct yardsticks {
    float arithmetic[ROUNDS_MOST], memory[ROUNDS_MOST];
    size_t count;
};

struct size {
    const char *rules;
    struct bench_plant plant;
    struct questions questions[ACTIONS];
    char *text; /* the topics, one after another in the order of asking */
    size_t at[ACTIONS];
    struct samples samples[PARTS][ACTIONS][HEATS];
};

/* --- questions --- */

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        bench_fail("%s cannot be read", path);
    }
    const size_t length = (size_t)ftell(file);
    char *text = calloc(1, length + 1);
    rewind(file);
    if (text == NULL || fread(text, 1, length, file) != length) {
        bench_fail("%s cannot be read", path);
    }
    fclose(file);
    return text;
}

static int action_of(const char *name)
{
    int action = 0;
    while (strcmp(action_names[action], name) != 0) {
        if (++action == ACTIONS) {
            bench_fail("no action: %s", name);
        }
    }
    return action;
}

static void pick_some(const struct bench_client *clients, struct questions *q)
{
    for (size_t i = 0; i < q->count && q->some_count < WARM; i++) {
        const size_t client = (size_t)(q->all[i].client - clients);
        if (client < FEW) {
            q->one[client] = q->some[q->some_count++] = q->all[i];
        }
    }
}

static void read_questions(struct size *s, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/questions", folder);
    s->text = read_whole(path);
    char *line, *lines = s->text;
    while ((line = strsep(&lines, "\n")) != NULL && *line != '\0') {
        const char *id = strsep(&line, " "), *action = strsep(&line, " ");
        const struct bench_client *client = bench_plant_client(&s->plant, id);
        struct questions *q = &s->questions[action_of(action)];
        if (q->count % PASS == 0) {
            q->all = reallocarray(q->all, q->count + PASS, sizeof *q->all);
            if (q->all == NULL) {
                bench_fail("out of memory");
            }
        }
        q->all[q->count++] = (struct question){
            .client = client, .client_id = id, .topic = line, .subject = client->subject};
    }
    for (int action = 0; action < ACTIONS; action++) {
        pick_some(s->plant.clients, &s->questions[action]);
    }
}

/* --- asking --- */

static enum adu_verdict ask(const struct size *s, enum part part, int action,
                            const struct question *question, struct adu_reason *why)
{
    if (part == PIPELINE) {
        const struct adu_question q = {.handle = question->client,
                                       .client_id = question->client_id,
                                       .action = (enum adu_action)action,
                                       .topic = question->topic,
                                       .payload_length = 100};
        return adu_pipeline_decide(s->plant.pipeline, &q, s->plant.now);
    }
    const struct adu_stage_call call = {.policy = s->plant.acl};
    const struct adu_request request = {.action = (enum adu_action)action,
                                        .topic = {question->topic, strlen(question->topic)},
                                        .payload_length = 100,
                                        .subject = question->subject,
                                        .now_ms = s->plant.now.mono_ms,
                                        .wall_ms = s->plant.now.wall_ms};
    return adu_acl_stage.decide(&call, &request, NULL, why);
}

static const struct question *next(struct size *s, int action, enum heat heat, size_t i)
{
    struct questions *q = &s->questions[action];
    switch (heat) {
    case REPEATED:
        return &q->one[i % FEW];
    case WARMED:
        return &q->some[i % q->some_count];
    case COLD:
    default:
        s->at[action] = s->at[action] + 1 < q->count ? s->at[action] + 1 : 0;
        return &q->all[s->at[action]];
    }
}

static int64_t measure_clock(void)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < 100000; i++) {
        const int64_t before = bench_now_ns(), took = bench_now_ns() - before;
        least = took < least ? took : least;
    }
    return least;
}

static int by_value(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;
    return a < b ? -1 : a > b;
}

/* Of sorted values. */
static double quantile(const float *values, size_t count, double part)
{
    return values[(size_t)((double)(count - 1) * part)];
}

static void run_pass(struct size *s, enum part part, int action, enum heat heat)
{
    struct samples *samples = &s->samples[part][action][heat];
    struct adu_reason why = ADU_REASON_INIT;
    float *ns = &samples->ns[samples->count];
    size_t batches = 0, asked = 0, allowed = 0;
    const size_t batch = batches_of[heat];
    while (asked < PASS) {
        const int64_t before = bench_now_ns();
        for (size_t i = 0; i < batch; i++) {
            allowed += ask(s, part, action, next(s, action, heat, asked++), &why) == ADU_ALLOW;
        }
        ns[batches++] = (float)(bench_now_ns() - before - clock_ns) / (float)batch;
        s->plant.now.mono_ms++;
        s->plant.now.wall_ms++;
    }
    if (allowed != asked) {
        bench_fail("%s rules: %zu of %zu were refused", s->rules, asked - allowed, asked);
    }
    samples->count += batches;
    qsort(ns, batches, sizeof *ns, by_value);
    const double median = quantile(ns, batches, 0.5);
    samples->best = samples->best == 0 || median < samples->best ? median : samples->best;
}

static void take_yardsticks(struct yardsticks *y)
{
    if (y->count < ROUNDS_MOST) {
        y->arithmetic[y->count] = (float)bench_arithmetic_ns();
        y->memory[y->count++] = (float)bench_memory_ns();
    }
}

static void print_yardstick(const char *name, float *ns, size_t count)
{
    qsort(ns, count, sizeof *ns, by_value);
    printf("%s %.1f\n", name, quantile(ns, count, 0.5));
}

static void run_round(struct size *sizes, int count)
{
    for (int part = 0; part < PARTS; part++) {
        for (int action = 0; action < ACTIONS; action++) {
            for (int heat = 0; heat < HEATS; heat++) {
                for (int i = 0; i < count; i++) {
                    run_pass(&sizes[i], (enum part)part, action, (enum heat)heat);
                }
            }
        }
    }
}

/* Calls tell(size, part, action, heat) for each figure. */
static void each_figure(struct size *s, size_t room,
                        void (*tell)(struct size *s, int part, int action, int heat, size_t room))
{
    for (int part = 0; part < PARTS; part++) {
        for (int action = 0; action < ACTIONS; action++) {
            for (int heat = 0; heat < HEATS; heat++) {
                tell(s, part, action, heat, room);
            }
        }
    }
}

static void make_room(struct size *s, int part, int action, int heat, size_t room)
{
    struct samples *samples = &s->samples[part][action][heat];
    *samples = (struct samples){.ns = calloc(room, sizeof *samples->ns)};
    if (samples->ns == NULL) {
        bench_fail("out of memory");
    }
}

static void forget(struct size *s, int part, int action, int heat, size_t room)
{
    (void)room;
    s->samples[part][action][heat].count = 0;
    s->samples[part][action][heat].best = 0;
}

static void print(struct size *s, int part, int action, int heat, size_t room)
{
    struct samples *samples = &s->samples[part][action][heat];
    (void)room;
    qsort(samples->ns, samples->count, sizeof *samples->ns, by_value);
    printf("%s %s %s %s %.1f %.1f %.1f\n", s->rules, part_names[part], action_names[action],
           heat_names[heat], quantile(samples->ns, samples->count, 0.5),
           quantile(samples->ns, samples->count, 0.99), samples->best);
    free(samples->ns);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        bench_fail("usage: bench_core CPU ROUNDS FOLDER...");
    }
    bench_pin(atoi(argv[1]));
    const size_t rounds = strtoul(argv[2], NULL, 10);
    const int count = argc - 3;
    static struct yardsticks yardsticks;
    clock_ns = measure_clock();
    struct size *sizes = calloc((size_t)count, sizeof *sizes);
    for (int i = 0; sizes != NULL && i < count; i++) {
        const char *folder = argv[3 + i], *slash = strrchr(folder, '/');
        sizes[i].rules = slash != NULL ? slash + 1 : folder;
        bench_plant_start(&sizes[i].plant, folder, sizes[i].rules);
        bench_plant_log_in(&sizes[i].plant, CLIENTS);
        read_questions(&sizes[i], folder);
        each_figure(&sizes[i], (rounds + 1) * PASS / batches_of[COLD], make_room);
    }
    if (sizes == NULL) {
        bench_fail("out of memory");
    }
    run_round(sizes, count); /* to warm up: not counted */
    for (int i = 0; i < count; i++) {
        each_figure(&sizes[i], 0, forget);
    }
    for (size_t round = 0; round < rounds; round++) {
        take_yardsticks(&yardsticks);
        run_round(sizes, count);
    }
    take_yardsticks(&yardsticks);
    print_yardstick("arithmetic", yardsticks.arithmetic, yardsticks.count);
    print_yardstick("memory", yardsticks.memory, yardsticks.count);
    for (int i = 0; i < count; i++) {
        each_figure(&sizes[i], 0, print);
        bench_plant_stop(&sizes[i].plant);
        for (int action = 0; action < ACTIONS; action++) {
            free(sizes[i].questions[action].all);
        }
        free(sizes[i].text);
    }
    free(sizes);
    return EXIT_SUCCESS;
}
