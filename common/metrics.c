#include "common/metrics.h"
#include "common/utf8.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUM(name, help)                                                                            \
    {                                                                                              \
#name, help, false, offsetof(struct adu_metrics, counters.name)                            \
    }
#define NOW(name, help)                                                                            \
    {                                                                                              \
#name, help, true, offsetof(struct adu_metrics, counters.name)                             \
    }

/* Each of ADU_COUNTERS once, but for the days left, which are seconds there; a test looks whether
 * one is missing. */
const struct adu_metric adu_metric_list[] = {
    SUM(logins_accepted, "Log-ins that were let in."),
    SUM(logins_refused, "Log-ins that were refused."),
    SUM(logins_revoked, "Log-ins refused because the certificate is revoked."),
    SUM(logins_revocation_unknown,
        "Log-ins of whose certificate nobody could say whether it is revoked."),
    SUM(crls_taken, "Revocation lists taken into use, those of the start among them."),
    SUM(crls_refused, "Revocation lists that were not good."),
    SUM(logins_held, "Log-ins that waited for an answer."),
    SUM(logins_from_cache, "Log-ins answered by what was remembered of the user."),
    SUM(logins_locked_out, "Log-ins refused after too many wrong secrets."),
    SUM(logins_by_ending_password, "Log-ins by a password that has an end date."),
    SUM(logins_quarantined, "Log-ins refused because the client is in quarantine."),
    SUM(logins_in_grace, "Log-ins let in while the directory did not answer."),
    SUM(publish_allowed, "Messages that were let through."),
    SUM(publish_refused, "Messages that were refused."),
    SUM(subscribe_allowed, "Subscriptions that were let through."),
    SUM(subscribe_refused, "Subscriptions that were refused."),
    SUM(receive_allowed, "Deliveries that were let through."),
    SUM(receive_refused, "Deliveries that were refused."),
    SUM(wills_refused, "Wills that were refused; counted as messages too."),
    SUM(would_refuse, "What only watched rules would have refused."),
    SUM(unknown_sessions, "Requests of sessions that nobody knows."),
    SUM(stage_errors, "Errors inside a plugin: refused, or done later."),
    SUM(alerts_raised, "Alerts that began."),
    SUM(alerts_cleared, "Alerts that ended."),
    SUM(alerts_delayed, "Alerts that waited because too many began."),
    SUM(clients_throttled, "Clients whose messages began to be dropped or refused."),
    SUM(publishes_throttled,
        "Messages of throttled clients, dropped (QoS 0) or refused (QoS 1 and 2)."),
    SUM(clients_disconnected, "Clients disconnected because of an alert."),
    SUM(clients_quarantined, "Clients put into quarantine because of an alert."),
    SUM(presence_told, "Times that a client was said to be online or offline."),
    SUM(presence_left_out, "Clients of which presence is not told, for want of room."),
    SUM(sessions_kicked, "Clients that were disconnected."),
    SUM(policies_loaded, "Policies loaded after the start."),
    SUM(policies_rejected, "Policies refused after the start."),
    SUM(control_commands, "Commands of the control topic that were obeyed."),
    SUM(control_refused, "Orders to the control topic that were refused."),
    SUM(ocsp_lookups, "Questions to responders (OCSP)."),
    SUM(ocsp_unanswered, "Questions to responders without a good answer."),
    SUM(ocsp_let_in, "Log-ins let in without a responder's answer."),
    SUM(ocsp_from_cache, "Log-ins judged by what a responder had answered before."),
    SUM(jwks_fetches, "Fetches of issuers' keys, by all pipelines of the process."),
    SUM(jwks_failed, "Fetches of issuers' keys that failed."),
    SUM(jwks_from_cache, "Tokens for which the issuer's keys were at hand."),
    SUM(jwks_waited, "Tokens that waited for the issuer's keys to be fetched."),
    SUM(state_errors, "Attempts at the state file that failed."),
    SUM(decisions_remembered,
        "Messages and deliveries allowed by what was remembered of the client."),
    SUM(metrics_failed, "Attempts to listen for scrapes that failed."),
    SUM(log_lines_left_out, "Refusals that the broker's log left out."),
    SUM(audit_written, "Lines of the audit log that were written."),
    SUM(audit_dropped, "Lines of the audit log that were left out."),
    SUM(audit_failed, "Attempts to write the audit log that failed."),
    NOW(certificates_known, "Certificates of clients connected or seen lately."),
    NOW(certificates_warn, "Those of them that end within warn_days."),
    NOW(certificates_critical, "Those of them that end within critical_days."),
    NOW(certificates_expired, "Those of them that have expired."),
    NOW(certificates_doubtful, "Those of them with a weak key, signature or the like."),
    NOW(certificates_untold, "Alerts about certificates that wait for their turn."),
#define X(name, help) {#name, help, true, offsetof(struct adu_metrics, name)},
    ADU_METRICS_GAUGES(X)
#undef X
        {0},
};

static const char *const queue_labels[] = {
#define X(name) "queue=\"" #name "\"",
    ADU_WORKER_QUEUES(X)
#undef X
};

static void head(FILE *out, const char *name, const char *unit, const char *help, const char *type)
{
    fprintf(out, "# HELP aduana_%s%s %s\n# TYPE aduana_%s%s %s\n", name, unit, help, name, unit,
            type);
}

static void write_numbers(FILE *out, const struct adu_metrics *metrics)
{
    for (const struct adu_metric *m = adu_metric_list; m->name != NULL; m++) {
        uint64_t value;
        memcpy(&value, (const char *)metrics + m->offset, sizeof value);
        const char *unit = m->gauge ? "" : "_total";
        head(out, m->name, unit, m->help, m->gauge ? "gauge" : "counter");
        fprintf(out, "aduana_%s%s %llu\n", m->name, unit, (unsigned long long)value);
    }
}

/* Without the locale's decimal comma, and to the last digit. */
static void write_seconds(FILE *out, uint64_t ns)
{
    fprintf(out, "%llu.%09llu\n", (unsigned long long)(ns / 1000000000),
            (unsigned long long)(ns % 1000000000));
}

static void write_times(FILE *out, const struct adu_metrics *metrics)
{
#define X(name, help)                                                                              \
    head(out, #name, "_seconds", help, "gauge");                                                   \
    fputs("aduana_" #name "_seconds ", out);                                                       \
    write_seconds(out, metrics->name);
    ADU_METRICS_TIMES(X)
#undef X
}

static void write_histogram(FILE *out, const struct adu_histogram *histogram, const char *family,
                            const char *label)
{
    static const char *const bounds[] = {
#define X(nanoseconds, seconds) seconds,
        ADU_HISTOGRAM_BOUNDS(X)
#undef X
            "+Inf",
    };
    uint64_t sum = 0;
    for (int i = 0; i <= ADU_HISTOGRAM_BOUND_COUNT; i++) {
        sum += histogram->counts[i];
        fprintf(out, "aduana_%s_seconds_bucket{%s%sle=\"%s\"} %llu\n", family,
                label != NULL ? label : "", label != NULL ? "," : "", bounds[i],
                (unsigned long long)sum);
    }
    const char *open = label != NULL ? "{" : "", *close = label != NULL ? "}" : "";
    label = label != NULL ? label : "";
    fprintf(out, "aduana_%s_seconds_sum%s%s%s ", family, open, label, close);
    write_seconds(out, histogram->sum_ns);
    fprintf(out, "aduana_%s_seconds_count%s%s%s %llu\n", family, open, label, close,
            (unsigned long long)sum);
}

static void write_histograms(FILE *out, const struct adu_metrics *metrics)
{
    const char *help;
#define X(name, family, label, text)                                                               \
    help = text;                                                                                   \
    if (help != NULL) {                                                                            \
        head(out, family, "_seconds", help, "histogram");                                          \
    }                                                                                              \
    write_histogram(out, &metrics->name, family, label);
    ADU_METRICS_HISTOGRAMS(X)
#undef X
}

/* One line for each kind of work. */
static void write_queues(FILE *out, const struct adu_metrics *metrics, const char *name,
                         const char *help, const char *type, size_t offset)
{
    head(out, name, "", help, type);
    for (int kind = 0; kind < ADU_QUEUES; kind++) {
        uint64_t value;
        memcpy(&value, (const char *)&metrics->queues[kind] + offset, sizeof value);
        fprintf(out, "aduana_%s{%s} %llu\n", name, queue_labels[kind], (unsigned long long)value);
    }
}

static void write_work(FILE *out, const struct adu_metrics *metrics)
{
    write_queues(out, metrics, "worker_jobs_total", "Jobs that workers have done.", "counter",
                 offsetof(struct adu_worker_load, done));
    write_queues(out, metrics, "worker_jobs_waiting", "Jobs that wait for a thread.", "gauge",
                 offsetof(struct adu_worker_load, waiting));
    write_queues(out, metrics, "worker_jobs_running", "Jobs that are being done.", "gauge",
                 offsetof(struct adu_worker_load, running));
    head(out, "worker_wait", "_seconds", "How long jobs waited for a thread.", "histogram");
    for (int kind = 0; kind < ADU_QUEUES; kind++) {
        write_histogram(out, &metrics->queues[kind].wait, "worker_wait", queue_labels[kind]);
    }
}

/* A label's value: UTF-8, with back-slash, quote and line feed escaped. */
static void write_label(FILE *out, const char *text)
{
    const bool valid = adu_utf8_valid(text, strlen(text));
    for (; *text != '\0'; text++) {
        const char c = valid || (unsigned char)*text < 0x80 ? *text : '?';
        if (c == '\n') {
            fputs("\\n", out);
        } else {
            fprintf(out, "%s%c", c == '\\' || c == '"' ? "\\" : "", c);
        }
    }
}

static void write_info(FILE *out, const struct adu_metrics *metrics)
{
    head(out, "info", "", "Always 1: which version runs, in which pipeline.", "gauge");
    fputs("aduana_info{version=\"" ADUANA_VERSION "\",pipeline=\"", out);
    write_label(out, metrics->pipeline);
    fputs("\"} 1\n", out);
    head(out, "plugin_loaded", "", "1 if the plugin is loaded, 0 if not.", "gauge");
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        fprintf(out, "aduana_plugin_loaded{plugin=\"%s\"} %d\n",
                adu_stage_name((enum adu_stage_kind)kind), metrics->stages[kind].loaded);
    }
    head(out, "plugin_watching", "", "1 if the plugin's file is in watch mode: it refuses nothing.",
         "gauge");
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        fprintf(out, "aduana_plugin_watching{plugin=\"%s\"} %d\n",
                adu_stage_name((enum adu_stage_kind)kind), metrics->stages[kind].watching);
    }
}

char *adu_metrics_text(const struct adu_metrics *metrics, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (out == NULL) {
        return NULL;
    }
    write_info(out, metrics);
    write_numbers(out, metrics);
    write_times(out, metrics);
    write_histograms(out, metrics);
    write_work(out, metrics);
    const bool good = !ferror(out);
    if (fclose(out) != 0 || !good) {
        free(text);
        return NULL;
    }
    return text;
}
