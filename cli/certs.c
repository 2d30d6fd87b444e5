/* aduana certs [FILE...]: how long certificates have yet, and what is doubtful in them. */
#include "cli/certs.h"
#include "cli/live.h"
#include "cli/live_show.h"
#include "cli/table.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 10, FINDINGS_MOST = 256 };

static const char *const titles[COLUMNS] = {"DAYS",      "LEVEL",   "CLIENT", "IDENTITY",
                                            "SUBJECT",   "ISSUER",  "SERIAL", "FINGERPRINT",
                                            "NOT AFTER", "FINDINGS"};

/* --- showing --- */

static void row(const json_t *cert, const char **texts)
{
    static char findings[FINDINGS_MOST];
    const json_t *file = json_object_get(cert, "file");
    texts[0] = adu_table_number(0, json_object_get(cert, "days_left"));
    texts[1] = adu_table_cell(1, json_object_get(cert, "level"));
    texts[2] = adu_table_cell(2, file != NULL ? file : json_object_get(cert, "client_id"));
    texts[3] = adu_table_cell(3, json_object_get(cert, "identity"));
    texts[4] = adu_table_cell(4, json_object_get(cert, "subject_cn"));
    texts[5] = adu_table_cell(5, json_object_get(cert, "issuer_cn"));
    texts[6] = adu_table_cell(6, json_object_get(cert, "serial"));
    texts[7] = adu_table_cell(7, json_object_get(cert, "fingerprint"));
    texts[8] = adu_table_cell(8, json_object_get(cert, "not_after"));
    texts[9] = adu_table_list(json_object_get(cert, "findings"), findings, sizeof findings);
}

/* Who ends first comes first. */
static int compare(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    const char *keys[] = {"not_after", "client_id", "file"};
    int order = 0;
    for (int i = 0; order == 0 && i < 3; i++) {
        const char *s = json_string_value(json_object_get(*x, keys[i]));
        const char *t = json_string_value(json_object_get(*y, keys[i]));
        order = strcmp(s != NULL ? s : "", t != NULL ? t : "");
    }
    return order;
}

static bool is_well(const json_t *certs)
{
    const json_t *cert;
    size_t i;
    json_array_foreach(certs, i, cert)
    {
        const char *level = json_string_value(json_object_get(cert, "level"));
        if (level == NULL || strcmp(level, "good") != 0 ||
            json_array_size(json_object_get(cert, "findings")) > 0) {
            return false;
        }
    }
    return true;
}

static enum adu_status show(const struct adu_live_options *options, json_t *certs)
{
    json_t *list = adu_table_sorted(certs, compare);
    if (options->json) {
        adu_live_print(list);
    } else {
        adu_table_print(titles, COLUMNS, list, row);
    }
    const bool well = is_well(list);
    json_decref(list);
    return well ? ADU_STATUS_YES : ADU_STATUS_NO;
}

/* --- collecting --- */

static bool set_days(const char *name, const char *text, long least, long *days)
{
    char *end;
    if (text == NULL) {
        return true;
    }
    errno = 0;
    *days = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *days < least || *days > 36500) {
        fprintf(stderr, "aduana: %s: expected %ld to 36500, found \"%s\"\n", name, least, text);
        return false;
    }
    return true;
}

static enum adu_status read_files(char **files, const struct adu_countdown *countdown,
                                  json_t *certs)
{
    enum adu_status status = ADU_STATUS_YES;
    const int64_t wall_ms = (int64_t)time(NULL) * 1000;
    for (; *files != NULL; files++) {
        if (!adu_certs_read_file(*files, countdown, wall_ms, certs)) {
            status = ADU_STATUS_USAGE;
        }
    }
    return status;
}

static enum adu_status ask(const struct adu_live_options *options, json_t *certs)
{
    struct adu_live *live = adu_live_open(options);
    if (live == NULL) {
        return ADU_STATUS_USAGE;
    }
    const enum adu_status status = adu_live_ask_pages(live, "certs", NULL, certs);
    adu_live_close(live);
    return status;
}

enum adu_status adu_command_certs(int argc, char **argv)
{
    const char *warn = NULL, *critical = NULL, *lifetime = NULL;
    const struct adu_live_extra extras[] = {{.name = "warn-days", .value = &warn},
                                            {.name = "critical-days", .value = &critical},
                                            {.name = "lifetime-most-days", .value = &lifetime},
                                            {0}};
    struct adu_live_options options;
    struct adu_countdown countdown = adu_countdown_default;
    int first;
    if (!adu_live_options_read(&options, argc, argv, extras, &first) ||
        !set_days("warn-days", warn, 0, &countdown.warn_days) ||
        !set_days("critical-days", critical, 0, &countdown.critical_days) ||
        !set_days("lifetime-most-days", lifetime, 1, &countdown.lifetime_most_days) ||
        (first == argc && (warn != NULL || critical != NULL || lifetime != NULL))) {
        adu_live_options_free(&options);
        return ADU_STATUS_MISUSED;
    }
    json_t *certs = json_array();
    enum adu_status status =
        first < argc ? read_files(argv + first, &countdown, certs) : ask(&options, certs);
    if (status == ADU_STATUS_YES || json_array_size(certs) > 0) {
        const enum adu_status shown = show(&options, certs);
        status = status == ADU_STATUS_YES ? shown : status;
    }
    json_decref(certs);
    adu_live_options_free(&options);
    return status;
}
