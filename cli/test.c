/* aduana test DIR: do the policy's own assertions hold? */
#include "cli/command.h"
#include "cli/test_tell.h"
#include "common/assertions.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char usage[] = "usage: aduana test DIR [--quiet] [--json] [--junit FILE]\n";

struct options {
    const char *directory, *junit;
    bool quiet, json;
};

static bool read_options(struct options *o, int argc, char **argv)
{
    enum { QUIET = 256, JSON, JUNIT };
    static const struct option known[] = {{"quiet", no_argument, NULL, QUIET},
                                          {"json", no_argument, NULL, JSON},
                                          {"junit", required_argument, NULL, JUNIT},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == QUIET) {
            o->quiet = true;
        } else if (option == JSON) {
            o->json = true;
        } else if (option == JUNIT) {
            o->junit = optarg;
        } else {
            return false;
        }
    }
    o->directory = argc - optind == 1 ? argv[optind] : NULL;
    return o->directory != NULL;
}

static void keep(void *context, const struct adu_assertion_result *result)
{
    adu_test_add(context, result);
}

static void touch(void *context, const struct adu_place *rule)
{
    adu_test_touch(context, rule);
}

static void count_rule(void *context, const struct adu_rule_told *rule)
{
    adu_test_add_rule(context, rule->place);
}

static bool list_rules(struct adu_test_results *results, struct adu_policy *policy)
{
    const struct adu_explainer to = {.rule = count_rule, .context = results};
    struct adu_inquiry *inquiry = adu_inquiry_new(policy, adu_command_stages);
    if (inquiry != NULL) {
        adu_inquiry_rules(inquiry, &to);
    }
    adu_inquiry_free(inquiry);
    return inquiry != NULL;
}

static void show_left_out(void *context, const char *name, const char *without)
{
    fprintf(context, "left out: %s: %s\n", name, without);
}

static enum adu_status tell(const struct options *o, const struct adu_test_results *results,
                            const struct adu_policy *policy)
{
    if (o->json) {
        adu_test_tell_json(results, stdout);
    } else {
        if (!o->quiet) {
            adu_policy_left_out(policy, show_left_out, stdout);
        }
        adu_test_tell(results, o->directory, o->quiet, stdout);
    }
    if (o->junit != NULL && !adu_test_write_junit(results, o->junit)) {
        return ADU_STATUS_USAGE;
    }
    return adu_test_passed(results) ? ADU_STATUS_YES : ADU_STATUS_NO;
}

enum adu_status adu_command_test(int argc, char **argv)
{
    struct options o = {0};
    struct adu_error error = {0};
    if (!read_options(&o, argc, argv)) {
        fputs(usage, stderr);
        return ADU_STATUS_USAGE;
    }
    struct adu_test_results *results = adu_test_results_new();
    const struct adu_assertions_watcher watcher = {
        .result = keep, .touched = touch, .context = results};
    struct adu_policy *policy = adu_policy_load(o.directory, adu_command_stages, NULL, &error);
    enum adu_status status = ADU_STATUS_USAGE;
    if (policy != NULL && list_rules(results, policy) &&
        adu_assertions_run(o.directory, policy, adu_command_stages, (int64_t)time(NULL) * 1000,
                           &watcher, &error)) {
        status = tell(&o, results, policy);
    } else {
        char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        fprintf(stderr, "aduana: %s\n", adu_error_format(&error, text, sizeof text));
    }
    adu_test_results_free(results);
    adu_policy_free(policy);
    return status;
}
