/* bench_crl ROUNDS FOLDER: what a list of revoked certificates costs. FOLDER holds ca.pem, leaf.pem
 * (a certificate of that authority), and a.pem and b.pem (two lists of it, the later one second,
 * neither of which names that). In each round they take turns as crl.pem: the worker reads it, and
 * a tick puts it in place. Writes `name value` a line; times are of the thread's processor. */
#include "plugins/cert_auth/revocation.h"
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

static const struct adu_revocation *compile(const char *folder)
{
    static const char json[] = "{\"ca_files\": [\"ca.pem\"], \"crl_files\": [\"crl.pem\"]}";
    struct adu_error error = {0};
    struct adu_json_document *document =
        adu_json_parse("cert_auth.json", json, sizeof json - 1, &error);
    struct adu_compiler c = {
        .arena = adu_arena_new(), .error = &error, .directory = folder, .file = "cert_auth.json"};
    STACK_OF(X509) *none = sk_X509_new_null();
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    const double began = cpu_ms();
    const struct adu_revocation *policy =
        adu_revocation_compile(&c, adu_json_root(document), none, NULL);
    printf("read_ms %.6f\n", cpu_ms() - began);
    printf("held_bytes %zu\n", mallinfo2().uordblks + mallinfo2().hblkhd - before);
    if (policy == NULL) {
        bench_fail("%s", error.text);
    }
    sk_X509_free(none);
    return policy;
}

/* A tick, until the one that swaps, of which the time is returned. */
static double swap(const struct adu_revocation *policy)
{
    const uint64_t taken = counters.crls_taken;
    for (;;) {
        call.now_ms += 1000;
        const double began = cpu_ms();
        adu_revocation_tick(policy, &call);
        const double took = cpu_ms() - began;
        if (counters.crls_taken > taken) {
            return took;
        }
        usleep(1000);
    }
}

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (certificate == NULL) {
        bench_fail("no certificate in %s", path);
    }
    fclose(file);
    return certificate;
}

/* What a log-in with a good certificate spends on it. */
static double ask_ns(const struct adu_revocation *policy, X509 *leaf)
{
    struct adu_attributes attributes = {0};
    unsigned char *der = NULL;
    const int length = i2d_X509(leaf, &der);
    const double began = cpu_ms();
    for (int i = 0; i < QUESTIONS; i++) {
        struct adu_login login = {.shown = {.bytes = der, .length = (size_t)length},
                                  .parsed = leaf,
                                  .certificate = &attributes,
                                  .why = ADU_REASON_INIT};
        if (adu_revocation_judge(policy, &call, &login, false) != ADU_ALLOW) {
            bench_fail("%s", login.why.text);
        }
    }
    const double took = cpu_ms() - began;
    OPENSSL_free(der);
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
    put(argv[2], "a.pem");
    const struct adu_revocation *policy = compile(argv[2]);
    call.instance = adu_revocation_live_new();
    call.generation = 1;
    for (int i = 0; i < rounds; i++) {
        put(argv[2], i % 2 == 0 ? "b.pem" : "a.pem");
        swaps[i] = swap(policy);
    }
    const double middle = median(swaps, rounds);
    printf("swap_ms %.6f\nswap_ms_most %.6f\n", middle, swaps[rounds - 1]);
    X509 *leaf = read_certificate(path_of(argv[2], "leaf.pem"));
    printf("ask_ns %.1f\n", ask_ns(policy, leaf));
    X509_free(leaf);
    adu_revocation_live_free(call.instance);
    return 0;
}
