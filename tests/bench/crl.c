/* bench_crl ROUNDS FOLDER: what a list of revoked certificates costs. FOLDER holds ca.pem, a.pem
 * and b.pem, two lists of that authority of which the second is the later one. In each round they
 * take turns as crl.pem: the worker reads it, and a tick puts it in place. Writes `name value` a
 * line; times are of the thread's processor. */
#include "plugins/cert_auth/crl_source.h"
#include "tests/bench/plant.h"
#include <malloc.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MOST = 1000, QUESTIONS = 100000 };

static struct adu_counters counters;
static struct adu_stage_call call;
static double swaps[ROUNDS_MOST];

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

static void on_log(void *context, enum adu_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

static void on_alert(void *context, const struct adu_event *event)
{
    (void)context;
    bench_fail("an alert: %s", event->text);
}

static void on_doubt(void *context)
{
    (void)context;
}

static const char *path_of(const char *folder, const char *name)
{
    static char path[2][4096];
    static int turn;
    turn = 1 - turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put(const char *folder, const char *name)
{
    if (symlink(name, path_of(folder, "new")) != 0 ||
        rename(path_of(folder, "new"), path_of(folder, "crl.pem")) != 0) {
        bench_fail("cannot make crl.pem in %s", folder);
    }
}

static STACK_OF(X509) * read_issuers(const char *folder)
{
    STACK_OF(X509) *issuers = sk_X509_new_null();
    FILE *file = fopen(path_of(folder, "ca.pem"), "r");
    X509 *ca = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (ca == NULL || sk_X509_push(issuers, ca) != 1) {
        bench_fail("no ca.pem in %s", folder);
    }
    fclose(file);
    return issuers;
}

static const void *compile(const char *folder, STACK_OF(X509) * issuers)
{
    static const char json[] = "{\"crl_files\": [\"crl.pem\"]}";
    struct adu_error error = {0};
    const void *settings = NULL;
    struct adu_json_document *document =
        adu_json_parse("cert_auth.json", json, sizeof json - 1, &error);
    struct adu_compiler c = {
        .arena = adu_arena_new(), .error = &error, .directory = folder, .file = "cert_auth.json"};
    const struct adu_json *root = adu_json_root(document);
    const struct adu_revocation_keys keys = {.object = root,
                                             .crl_files = adu_json_member(root, "crl_files"),
                                             .recheck_seconds = 1,
                                             .refetch_seconds = 3600};
    const double began = cpu_ms();
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    if (!adu_crl_source.compile(&c, &keys, issuers, &settings)) {
        bench_fail("%s", error.text);
    }
    printf("read_ms %.6f\n", cpu_ms() - began);
    printf("held_bytes %zu\n", mallinfo2().uordblks + mallinfo2().hblkhd - before);
    return settings;
}

/* A tick, until the one that swaps, of which the time is returned. */
static double swap(void *live)
{
    const uint64_t taken = counters.crls_taken;
    for (;;) {
        call.now_ms += 1000;
        const double began = cpu_ms();
        adu_crl_source.tick(live, &call);
        const double took = cpu_ms() - began;
        if (counters.crls_taken > taken) {
            return took;
        }
        usleep(1000);
    }
}

static double ask_ns(void *live, X509 *issuer)
{
    X509 *leaf = X509_new();
    X509_set_issuer_name(leaf, X509_get_subject_name(issuer));
    const double began = cpu_ms();
    for (uint64_t i = 0; i < QUESTIONS; i++) {
        struct adu_reason why = ADU_REASON_INIT;
        const struct adu_revocation_question q = {.leaf = leaf,
                                                  .issuers = {issuer},
                                                  .issuer_count = 1,
                                                  .counters = &counters,
                                                  .wall_ms = call.wall_ms};
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(leaf), i * 0x9e3779b97f4a7c15u);
        if (adu_crl_source.ask(live, &q, &why) != ADU_ALLOW) {
            bench_fail("%s", why.text);
        }
    }
    const double took = cpu_ms() - began;
    X509_free(leaf);
    return took * 1e6 / QUESTIONS;
}

int main(int argc, char **argv)
{
    if (argc != 3 || atoi(argv[1]) < 1 || atoi(argv[1]) > ROUNDS_MOST) {
        bench_fail("usage: bench_crl ROUNDS FOLDER");
    }
    const int rounds = atoi(argv[1]);
    static const struct adu_outlet outlet = {.log = on_log, .alert = on_alert, .doubt = on_doubt};
    call = (struct adu_stage_call){.counters = &counters,
                                   .outlet = &outlet,
                                   .now_ms = 1000,
                                   .wall_ms = (int64_t)time(NULL) * 1000};
    STACK_OF(X509) *issuers = read_issuers(argv[2]);
    put(argv[2], "a.pem");
    void *live = adu_crl_source.live_new();
    adu_crl_source.adopt(live, compile(argv[2], issuers));
    for (int i = 0; i < rounds; i++) {
        put(argv[2], i % 2 == 0 ? "b.pem" : "a.pem");
        swaps[i] = swap(live);
    }
    printf("swap_ms %.6f\nswap_ms_most %.6f\n", median(swaps, rounds), swaps[rounds - 1]);
    printf("ask_ns %.1f\n", ask_ns(live, sk_X509_value(issuers, 0)));
    adu_crl_source.live_free(live);
    return 0;
}
