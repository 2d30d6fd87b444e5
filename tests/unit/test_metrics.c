/* Histograms, which decisions are timed, and metrics as Prometheus reads them. */
#include "common/metrics.h"
#include "runner.h"
#include <string.h>

/* --- histograms ---------------------------------------------------------------------------------
 */

static const struct {
    int64_t ns;
    int bucket;
} times[] = {
    {INT64_MIN, 0}, {-1, 0},  {0, 0},        {100, 0},         {101, 1},
    {250, 1},       {251, 2}, {1000000, 12}, {1000000000, 18}, {1000000001, 19},
};

START_TEST(a_time_counts_up_to_its_bound)
{
    struct adu_histogram h = {0};
    adu_histogram_add(&h, times[_i].ns);
    for (int i = 0; i <= ADU_HISTOGRAM_BOUND_COUNT; i++) {
        ck_assert_uint_eq(h.counts[i], i == times[_i].bucket);
    }
    ck_assert_uint_eq(h.sum_ns, times[_i].ns > 0 ? times[_i].ns : 0);
}
END_TEST

static const uint32_t everies[] = {1, 2, 64, 1000000};

START_TEST(one_of_so_many_is_chosen)
{
    enum { CHOSEN = 1000 };
    const uint32_t every = everies[_i];
    struct adu_sampler sampler = {0};
    adu_sampler_set(&sampler, every);
    uint64_t asked = 0;
    bool differ = false;
    uint32_t last = sampler.left;
    for (int chosen = 0; chosen < CHOSEN; chosen++) {
        ck_assert_uint_ge(sampler.left, 1);
        ck_assert_uint_lt(sampler.left, 2 * every);
        differ = differ || sampler.left != last;
        last = sampler.left;
        asked += sampler.left - 1;
        sampler.left = 1;
        ck_assert(adu_sampler_due(&sampler));
        ck_assert(!adu_sampler_due(&sampler)); /* not again until it goes on */
        asked++;
        adu_sampler_next(&sampler);
    }
    ck_assert_uint_ge(asked * 10, (uint64_t)every * CHOSEN * 9);
    ck_assert_uint_le(asked * 10, (uint64_t)every * CHOSEN * 11);
    ck_assert_int_eq(differ, every > 1); /* no rhythm */
}
END_TEST

START_TEST(none_is_chosen)
{
    struct adu_sampler sampler = {0};
    ck_assert(!adu_sampler_due(&sampler));
    adu_sampler_set(&sampler, 1);
    ck_assert(adu_sampler_due(&sampler));
    adu_sampler_set(&sampler, 0);
    for (int i = 0; i < 1000; i++) {
        ck_assert(!adu_sampler_due(&sampler));
    }
}
END_TEST

/* --- the text -----------------------------------------------------------------------------------
 */

static struct adu_metrics metrics;
static char *text;

static void write_text(void)
{
    size_t size = 0;
    free(text);
    text = adu_metrics_text(&metrics, &size);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(size, strlen(text));
}

static int count(const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
        n++;
    }
    return n;
}

static void expect(const char *part)
{
    ck_assert_msg(count(part) == 1, "%d times: %s", count(part), part);
}

/* Each counter has a value of its own, a help and a type. */
START_TEST(every_counter_is_there_once)
{
    uint64_t value = 1000;
#define X(name) metrics.counters.name = value++;
    ADU_COUNTERS(X)
#undef X
    write_text();
    value = 1000;
#define X(name)                                                                                    \
    do {                                                                                           \
        char sum[128], now[128];                                                                   \
        snprintf(sum, sizeof sum, "\naduana_" #name "_total %d\n", (int)value);                    \
        snprintf(now, sizeof now, "\naduana_" #name " %d\n", (int)value++);                        \
        if (strcmp(#name, "certificates_days_left") == 0) {                                        \
            ck_assert_int_eq(count(sum) + count(now), 0); /* seconds, by another name */           \
            break;                                                                                 \
        }                                                                                          \
        ck_assert_msg(count(sum) + count(now) == 1, "no line, or two, in metrics.c: " #name);      \
        ck_assert_int_eq(                                                                          \
            count("# HELP aduana_" #name " ") + count("# HELP aduana_" #name "_total "), 1);       \
        expect(count(sum) == 1 ? "# TYPE aduana_" #name "_total counter\n"                         \
                               : "# TYPE aduana_" #name " gauge\n");                               \
    } while (0);
    ADU_COUNTERS(X)
#undef X
}
END_TEST

START_TEST(queues_have_their_own)
{
    metrics = (struct adu_metrics){0};
    metrics.queues[ADU_QUEUE_passwords] =
        (struct adu_worker_load){.waiting = 3, .running = 2, .done = 9};
    adu_histogram_add(&metrics.queues[ADU_QUEUE_ocsp].wait, 2000000);
    write_text();
    expect("\naduana_worker_jobs_waiting{queue=\"passwords\"} 3\n");
    expect("\naduana_worker_jobs_waiting{queue=\"pipeline\"} 0\n");
    expect("\naduana_worker_jobs_running{queue=\"passwords\"} 2\n");
    expect("\naduana_worker_jobs_total{queue=\"passwords\"} 9\n");
    expect("\naduana_worker_wait_seconds_sum{queue=\"ocsp\"} 0.002000000\n");
    expect("\naduana_worker_wait_seconds_bucket{queue=\"ocsp\",le=\"0.001\"} 0\n");
    expect("\naduana_worker_wait_seconds_bucket{queue=\"ocsp\",le=\"0.0025\"} 1\n");
    expect("\naduana_worker_wait_seconds_count{queue=\"crl\"} 0\n");
    expect("# TYPE aduana_worker_wait_seconds histogram\n");
}
END_TEST

START_TEST(names_are_not_used_twice)
{
    write_text();
    for (const struct adu_metric *m = adu_metric_list; m->name != NULL; m++) {
        char type[128];
        snprintf(type, sizeof type, "# TYPE aduana_%s%s ", m->name, m->gauge ? "" : "_total");
        expect(type);
    }
}
END_TEST

START_TEST(what_is_now)
{
    metrics = (struct adu_metrics){.policy_generation = 7,
                                   .sessions_online = 100000,
                                   .counters.publish_allowed = UINT64_MAX,
                                   .start_time = UINT64_C(1700000000250000000),
                                   .policy_last_load_duration = 1,
                                   .certificates_left = UINT64_C(30) * 86400 * 1000000000};
    metrics.stages[ADU_STAGE_ACL].loaded = true;
    metrics.stages[ADU_STAGE_TOPIC_POLICY].watching = true;
    write_text();
    expect("\naduana_policy_generation 7\n");
    expect("\naduana_sessions_online 100000\n");
    expect("\naduana_publish_allowed_total 18446744073709551615\n");
    expect("\naduana_start_time_seconds 1700000000.250000000\n");
    expect("\naduana_policy_last_load_duration_seconds 0.000000001\n");
    expect("\naduana_certificates_left_seconds 2592000.000000000\n");
    expect("\naduana_plugin_loaded{plugin=\"acl\"} 1\n");
    expect("\naduana_plugin_loaded{plugin=\"cert_auth\"} 0\n");
    expect("\naduana_plugin_watching{plugin=\"topic_policy\"} 1\n");
    expect("\naduana_plugin_watching{plugin=\"acl\"} 0\n");
    ck_assert_int_eq(strncmp(text, "# HELP ", 7), 0);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(histograms_add_up)
{
    metrics = (struct adu_metrics){0};
    adu_histogram_add(&metrics.decision_publish, 90);
    adu_histogram_add(&metrics.decision_publish, 400);
    adu_histogram_add(&metrics.decision_publish, INT64_C(2000000000));
    adu_histogram_add(&metrics.tick, 30000);
    write_text();
    expect("# TYPE aduana_decision_seconds histogram\n"
           "aduana_decision_seconds_bucket{action=\"publish\",le=\"1e-07\"} 1\n"
           "aduana_decision_seconds_bucket{action=\"publish\",le=\"2.5e-07\"} 1\n"
           "aduana_decision_seconds_bucket{action=\"publish\",le=\"5e-07\"} 2\n");
    expect("aduana_decision_seconds_bucket{action=\"publish\",le=\"1\"} 2\n"
           "aduana_decision_seconds_bucket{action=\"publish\",le=\"+Inf\"} 3\n"
           "aduana_decision_seconds_sum{action=\"publish\"} 2.000000490\n"
           "aduana_decision_seconds_count{action=\"publish\"} 3\n"
           "aduana_decision_seconds_bucket{action=\"subscribe\",le=\"1e-07\"} 0\n");
    expect("aduana_decision_seconds_count{action=\"receive\"} 0\n");
    expect("aduana_tick_seconds_bucket{le=\"2.5e-05\"} 0\n"
           "aduana_tick_seconds_bucket{le=\"5e-05\"} 1\n");
    expect("aduana_tick_seconds_sum 0.000030000\naduana_tick_seconds_count 1\n");
    expect("# TYPE aduana_login_seconds histogram\n");
}
END_TEST

static const struct {
    const char *pipeline, *label;
} names[] = {
    {"", "pipeline=\"\"} 1\n"},
    {"línea 1", "pipeline=\"línea 1\"} 1\n"},
    {"a\"b\\c\nd", "pipeline=\"a\\\"b\\\\c\\nd\"} 1\n"},
    {"a\xff"
     "b\xc3",
     "pipeline=\"a?b?\"} 1\n"},
};

START_TEST(labels_are_escaped)
{
    snprintf(metrics.pipeline, sizeof metrics.pipeline, "%s", names[_i].pipeline);
    write_text();
    expect(names[_i].label);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics");
    suite_add_rows(s, a_time_counts_up_to_its_bound, ROWS(times));
    suite_add_rows(s, one_of_so_many_is_chosen, ROWS(everies));
    suite_add(s, none_is_chosen);
    suite_add(s, every_counter_is_there_once);
    suite_add(s, queues_have_their_own);
    suite_add(s, names_are_not_used_twice);
    suite_add(s, what_is_now);
    suite_add(s, histograms_add_up);
    suite_add_rows(s, labels_are_escaped, ROWS(names));
    const int status = run_suite(s);
    free(text);
    return status;
}
