/* aduana check DIR */
#include "cli/command.h"
#include "common/policy.h"
#include <stdio.h>

enum adu_status adu_command_check(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: aduana check DIR\n");
        return ADU_STATUS_USAGE;
    }
    struct adu_error error = {0};
    struct adu_findings *findings = adu_findings_new();
    struct adu_policy *policy = adu_policy_load(argv[1], adu_command_stages, findings, &error);
    const struct adu_finding *finding = adu_findings_first(findings);
    for (; finding != NULL; finding = finding->next) {
        printf("%s:%u:%u: warning: %s [%s]\n", finding->place.file, finding->place.line,
               finding->place.column, finding->text, finding->code);
    }
    if (policy == NULL) {
        char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        printf("%s\n", adu_error_format(&error, text, sizeof text));
    }
    const bool good = policy != NULL && adu_findings_count(findings) == 0;
    adu_policy_free(policy);
    adu_findings_free(findings);
    return good ? ADU_STATUS_YES : ADU_STATUS_NO;
}
