/* aduana detect FILE.csv: what the monitor's detector would have made of a series of values. */
#include "cli/command.h"
#include "plugins/rate_monitor/detector.h"
#include "plugins/rate_monitor/pace.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct detect {
    bool json, scores;
    const char *file;
    unsigned line;
    unsigned long values;
    struct adu_detector detector;
    struct adu_pace pace;
    json_t *anomalies; /* with --json */
};

static bool read_number(const char *text, double *number)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

static bool read_options(struct detect *d, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"scores", no_argument, NULL, 's'}, {0}};
    int found;
    optind = 1;
    while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
        d->json = d->json || found == 'j';
        d->scores = d->scores || found == 's';
        if (found == '?') {
            return false;
        }
    }
    d->file = argv[optind];
    return argc - optind == 1 && !(d->json && d->scores);
}

/* --- reading --- */

/* Seconds since 1970, or a date with its time as most programs write it, in UTC. */
static bool read_time(const char *text, int64_t *ms)
{
    double seconds;
    if (read_number(text, &seconds) && fabs(seconds) < 1e12) {
        *ms = (int64_t)(seconds * 1000);
        return true;
    }
    static const char *const forms[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = {0};
        const char *rest = strptime(text, forms[i], &tm);
        if (rest == NULL) {
            continue;
        }
        double part = 0;
        if (*rest == '.') {
            char *end;
            part = strtod(rest, &end);
            rest = end;
        }
        rest += *rest == 'Z';
        *ms = (int64_t)timegm(&tm) * 1000 + (int64_t)(part * 1000);
        return *rest == '\0';
    }
    return false;
}

/* A row is "time,value" and perhaps more columns; the first line may be a heading. */
static bool read_row(char *row, int64_t *ms, double *value)
{
    row[strcspn(row, "\r\n")] = '\0';
    char *comma = strchr(row, ',');
    if (comma == NULL) {
        return false;
    }
    *comma++ = '\0';
    char *more = strchr(comma, ',');
    if (more != NULL) {
        *more = '\0';
    }
    return read_time(row, ms) && read_number(comma, value);
}

/* --- telling --- */

static bool tell_json(struct detect *d, const char *time, double value,
                      const struct adu_detection *found)
{
    json_t *one = json_pack("{s:i, s:s, s:f, s:f, s:f, s:s}", "line", (int)d->line, "time", time,
                            "value", value, "expected", found->expected, "score", found->score,
                            "direction", found->up ? "up" : "down");
    return one != NULL && json_array_append_new(d->anomalies, one) == 0;
}

static bool tell(struct detect *d, const char *time, double value,
                 const struct adu_detection *found)
{
    if (d->scores) {
        printf("%.6f\n", found->score);
    } else if (found->score >= ADU_DETECTOR_UNUSUAL && d->json) {
        return tell_json(d, time, value, found);
    } else if (found->score >= ADU_DETECTOR_UNUSUAL) {
        printf("%s:%u: %s: %s: %g, expected %g (score %.2f)\n", d->file, d->line, time,
               found->up ? "more than usual" : "less than usual", value, found->expected,
               found->score);
    }
    return true;
}

static bool take(struct detect *d, char *row)
{
    int64_t ms;
    double value;
    d->line++;
    if (!read_row(row, &ms, &value)) {
        if (d->line == 1) {
            return true;
        }
        fprintf(stderr,
                "aduana: %s:%u: expected a time and a number: \"2026-11-28 08:00:00,12.5\"\n",
                d->file, d->line);
        return false;
    }
    if (adu_pace_gap(&d->pace, ms)) {
        adu_detector_resume(&d->detector);
    }
    const struct adu_detection found = adu_detector_take(&d->detector, value);
    d->values++;
    if (!tell(d, row, value, &found)) {
        fprintf(stderr, "aduana: %s:%u: out of memory, or a time that is no UTF-8\n", d->file,
                d->line);
        return false;
    }
    return true;
}

static bool take_all(struct detect *d, FILE *in)
{
    char *row = NULL;
    size_t size = 0;
    bool good = true;
    if (d->scores) {
        puts("anomaly_score");
    }
    while (good && getline(&row, &size, in) >= 0) {
        good = take(d, row);
    }
    free(row);
    if (good && ferror(in)) {
        fprintf(stderr, "aduana: %s: %s\n", d->file, strerror(errno));
        return false;
    }
    if (good && d->values == 0) {
        fprintf(stderr, "aduana: %s: holds no values\n", d->file);
        return false;
    }
    return good;
}

static bool print_json(const struct detect *d)
{
    json_t *all = json_pack("{s:I, s:b, s:O}", "values", (json_int_t)d->values, "judged",
                            adu_detector_is_warm(&d->detector), "anomalies", d->anomalies);
    const bool good = all != NULL && json_dumpf(all, stdout, JSON_INDENT(2)) == 0;
    json_decref(all);
    putchar('\n');
    return good;
}

enum adu_status adu_command_detect(int argc, char **argv)
{
    struct detect d = {0};
    if (!read_options(&d, argc, argv)) {
        return ADU_STATUS_MISUSED;
    }
    FILE *in = strcmp(d.file, "-") == 0 ? stdin : fopen(d.file, "r");
    if (in == NULL) {
        fprintf(stderr, "aduana: %s: %s\n", d.file, strerror(errno));
        return ADU_STATUS_USAGE;
    }
    d.anomalies = json_array();
    bool good = d.anomalies != NULL && take_all(&d, in);
    if (in != stdin) {
        fclose(in);
    }
    if (good && !d.scores && !d.json && !adu_detector_is_warm(&d.detector)) {
        fprintf(stderr, "aduana: %s: %lu values are too few to judge: it takes %d\n", d.file,
                d.values, ADU_DETECTOR_WARM_UP);
    }
    good = good && (!d.json || print_json(&d));
    json_decref(d.anomalies);
    return good ? ADU_STATUS_YES : ADU_STATUS_USAGE;
}
