/* What there is to measure, at one moment, and the same as Prometheus reads it. Pure. */
#ifndef ADUANA_COMMON_METRICS_H
#define ADUANA_COMMON_METRICS_H

#include "common/counters.h"
#include "common/histogram.h"
#include "common/stage.h"
#include "common/worker.h"

/* What is now, whole numbers: name, what it means. */
#define ADU_METRICS_GAUGES(X)                                                                      \
    X(policy_generation, "Number of the policy generation that decides, from 1.")                  \
    X(policy_findings, "What is remarkable in the running policy.")                                \
    X(policy_last_load_successful, "1 if the last load of the policy was taken, 0 if refused.")    \
    X(everything_refused, "1 if something that must be there is missing, so nobody gets in.")      \
    X(sessions_online, "Connections that have logged in.")                                         \
    X(clients_known, "Clients that are remembered, connected or not.")                             \
    X(logins_waiting, "Log-ins and re-checks that wait for an answer.")                            \
    X(audit_lines_waiting, "Lines of the audit log that are not written yet.")

/* Times, in nanoseconds here and in seconds there: name, what it means. */
#define ADU_METRICS_TIMES(X)                                                                       \
    X(start_time, "Unix time of the broker's first event.")                                        \
    X(policy_loaded_time, "Unix time at which the running policy was loaded.")                     \
    X(policy_last_load_time, "Unix time of the last load of the policy, taken or refused.")        \
    X(policy_last_load_duration, "How long the last load took, beside the broker's loop.")         \
    X(certificates_left, "Until the next certificate ends, in whole days; 0: none is known.")

/* How long the broker's loop was held: name, label, what it means. Those of one name together. */
#define ADU_METRICS_HISTOGRAMS(X)                                                                  \
    X(decision_publish, "decision", "action=\"publish\"",                                          \
      "How long a decision took; only some are timed, see sample_every.")                          \
    X(decision_subscribe, "decision", "action=\"subscribe\"", NULL)                                \
    X(decision_receive, "decision", "action=\"receive\"", NULL)                                    \
    X(login, "login", NULL, "How long the broker waited for a log-in's answer.")                   \
    X(tick, "tick", NULL, "How long the bundle's turn at the broker's clock took.")

struct adu_metrics_stage {
    bool loaded, watching;
};

struct adu_metrics {
    struct adu_counters counters;
    char pipeline[64]; /* its name, or the beginning of it */
    struct adu_metrics_stage stages[ADU_STAGES];
    struct adu_worker_load queues[ADU_QUEUES];
#define X(name, help) uint64_t name;
    ADU_METRICS_GAUGES(X)
    ADU_METRICS_TIMES(X)
#undef X
#define X(name, family, label, help) struct adu_histogram name;
    ADU_METRICS_HISTOGRAMS(X)
#undef X
};

/* The text exposition format 0.0.4, to be freed by free; `*size` without its NUL. NULL when memory
 * is gone. Any thread. */
ADU_API char *adu_metrics_text(const struct adu_metrics *metrics, size_t *size);

/* A whole number. */
struct adu_metric {
    const char *name; /* without "aduana_" and "_total" */
    const char *help;
    bool gauge;    /* what is now; else a sum */
    size_t offset; /* of the uint64_t within struct adu_metrics */
};

/* All of them; the last has no name. */
ADU_API extern const struct adu_metric adu_metric_list[];

#endif
