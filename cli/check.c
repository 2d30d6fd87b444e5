/* aduana check DIR: what is wrong or doubtful in a policy folder. */
#include "cli/command.h"
#include "cli/paint.h"
#include "cli/report.h"
#include "common/policy.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
    const char *directory;
    bool json, strict;
    struct adu_paint paint;
};

static bool read_options(struct check *check, int argc, char **argv)
{
    static const struct option options[] = {{"strict", no_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"color", required_argument, NULL, 'c'},
                                            {"colour", required_argument, NULL, 'c'},
                                            {0}};
    const char *color = NULL;
    int found;
    optind = 1;
    while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (found) {
        case 's':
            check->strict = true;
            break;
        case 'j':
            check->json = true;
            break;
        case 'c':
            color = optarg;
            break;
        default:
            return false; /* getopt_long has complained */
        }
    }
    if (!adu_paint_choose(&check->paint, color)) {
        fprintf(stderr, "aduana: color: expected auto, always or never, found \"%s\"\n", color);
        return false;
    }
    check->directory = argv[optind];
    return argc - optind == 1;
}

/* What is wrong with a folder that can be read is a finding; this is not. */
static bool is_readable(const char *directory)
{
    struct stat st;
    if (stat(directory, &st) == 0 && !S_ISDIR(st.st_mode)) {
        fprintf(stderr, "aduana: %s: is not a folder\n", directory);
        return false;
    }
    if (access(directory, R_OK | X_OK) != 0) {
        fprintf(stderr, "aduana: %s: cannot be read: %s\n", directory, strerror(errno));
        return false;
    }
    return true;
}

/* A stage whose file is not there is not meant to be loaded, or its file has another name by
 * mistake: nobody but a person can tell. false if no file is there at all. */
static bool choose_stages(const struct check *check, const struct adu_stage *stages[ADU_STAGES],
                          struct adu_findings *findings)
{
    bool any = false;
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        char name[64], path[4096];
        struct stat st;
        snprintf(name, sizeof name, "%s.json", adu_stage_name((enum adu_stage_kind)kind));
        snprintf(path, sizeof path, "%s/%s", check->directory, name);
        const bool missing = lstat(path, &st) != 0 && errno == ENOENT;
        stages[kind] = missing ? NULL : adu_command_stages[kind];
        any = any || !missing;
        if (missing) {
            adu_findings_add(findings, "missing-file", &(struct adu_place){.file = name},
                             "is not there, so the plugin aduana_%s must not be loaded",
                             adu_stage_name((enum adu_stage_kind)kind));
        }
    }
    return any;
}

static struct adu_policy *load(const struct check *check, struct adu_findings *findings)
{
    const struct adu_stage *stages[ADU_STAGES];
    struct adu_error error = {0};
    if (choose_stages(check, stages, findings)) {
        return adu_policy_check(check->directory, stages, findings);
    }
    adu_error_set(&error, NULL, "the folder holds no policy");
    adu_findings_add_error(findings, &error);
    return NULL;
}

static bool print(const struct check *check, const struct adu_findings *findings)
{
    struct adu_report *report = adu_report_new(check->directory, &check->paint);
    const struct adu_finding *finding = adu_findings_first(findings);
    for (; report != NULL && finding != NULL; finding = finding->next) {
        adu_report_print(report, finding);
    }
    adu_report_free(report);
    return report != NULL;
}

static bool print_json(bool good, const struct adu_findings *findings)
{
    json_t *list = json_array(), *root;
    const struct adu_finding *finding = adu_findings_first(findings);
    for (; finding != NULL; finding = finding->next) {
        json_array_append_new(list, adu_report_json(finding));
    }
    root = json_pack("{s:b, s:o}", "good", good, "findings", list);
    const bool printed = json_dumpf(root, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    json_decref(root);
    return printed;
}

enum adu_status adu_command_check(int argc, char **argv)
{
    struct check check = {0};
    if (!read_options(&check, argc, argv)) {
        return ADU_STATUS_MISUSED;
    }
    struct adu_findings *findings = adu_findings_new();
    if (findings == NULL || !is_readable(check.directory)) {
        adu_findings_free(findings);
        return ADU_STATUS_USAGE;
    }
    struct adu_policy *policy = load(&check, findings);
    const bool good = policy != NULL && (!check.strict || adu_findings_count(findings) == 0);
    adu_policy_free(policy);
    const bool printed = check.json ? print_json(good, findings) : print(&check, findings);
    adu_findings_free(findings);
    return !printed ? ADU_STATUS_USAGE : good ? ADU_STATUS_YES : ADU_STATUS_NO;
}
