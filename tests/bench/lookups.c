/* bench_lookups CPU USERS ROUNDS: what iam_auth takes for a log-in whose answer it remembers,
 * without a broker: USERS local users log in once, then again and again in no order. Writes ns a
 * log-in, the median of the rounds. */
#include "plugins/iam_auth/iam_auth.h"
#include "tests/bench/plant.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MOST = 1000, BATCH = 20000 };

/* The hash of the password x, of one iteration: it is computed once for each user. */
#define HASH                                                                                       \
    "$7$1$c2FsdHNhbHQ=$bDMEGmMrIk0+f0PyLhL+HlLaum1oJo+CbqqBhw5ZkBDR+slYbbxvJFvtFjQV1p0XfhFP+"      \
    "eXPQxyzJbhNw9dZMQ=="

static struct adu_counters counters;
static struct adu_stage_call call = {.counters = &counters, .now_ms = 1000};

static const struct adu_iam_policy *policy_of(int users)
{
    static struct adu_error error;
    static struct adu_compiler c = {.error = &error, .directory = "/", .file = "iam_auth.json"};
    c.arena = adu_arena_new();
    c.vocabulary = adu_vocabulary_new(c.arena);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    fputs("{\"providers\": [\"local\"], \"local\": {\"users\": {", out);
    for (int i = 0; i < users; i++) {
        fprintf(out, "%s\"u%d\": {\"password\": \"" HASH "\"}", i > 0 ? ", " : "", i);
    }
    fputs("}}}", out);
    fclose(out);
    struct adu_json_document *document = adu_json_parse("iam_auth.json", text, length, &error);
    const struct adu_iam_policy *policy =
        document != NULL ? adu_iam_auth_compile(&c, adu_json_root(document)) : NULL;
    if (policy == NULL) {
        bench_fail("%s", error.text);
    }
    adu_json_free(document);
    free(text);
    return policy;
}

static void log_in(unsigned user)
{
    char name[16];
    snprintf(name, sizeof name, "u%u", user);
    struct adu_login login = {
        .claimed_username = name, .password = "x", .address = "127.0.0.1", .client_id = "c"};
    login.why = (struct adu_reason)ADU_REASON_INIT;
    if (adu_iam_auth_identify(&call, &login) != ADU_ALLOW) {
        bench_fail("%s is refused: %s", name, login.why.text);
    }
    adu_attributes_clear(&login.attributes);
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

int main(int argc, char **argv)
{
    static double rounds[ROUNDS_MOST];
    if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[3]) < 1 || atoi(argv[3]) > ROUNDS_MOST) {
        bench_fail("usage: bench_lookups CPU USERS ROUNDS");
    }
    const unsigned users = (unsigned)atoi(argv[2]);
    const int count = atoi(argv[3]);
    unsigned chance = 1;
    bench_pin(atoi(argv[1]));
    call.instance = adu_iam_new();
    call.policy = policy_of((int)users);
    for (unsigned i = 0; i < users; i++) {
        log_in(i);
    }
    for (int i = 0; i < count; i++) {
        const int64_t before = bench_now_ns();
        for (int n = 0; n < BATCH; n++) {
            chance = chance * 1664525U + 1013904223U;
            log_in((chance >> 8) % users);
        }
        rounds[i] = (double)(bench_now_ns() - before) / BATCH;
    }
    if (counters.logins_from_cache != (uint64_t)count * BATCH) {
        bench_fail("only %llu log-ins were remembered",
                   (unsigned long long)counters.logins_from_cache);
    }
    qsort(rounds, (size_t)count, sizeof *rounds, by_value);
    printf("ns %.0f\n", rounds[count / 2]);
    adu_iam_free(call.instance);
    return EXIT_SUCCESS;
}
