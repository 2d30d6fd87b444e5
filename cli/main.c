/* aduana: asks the policy what the plugins would answer. */
#include "cli/command.h"
#include "plugins/acl/acl.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"
#include <stdio.h>
#include <string.h>

const struct adu_stage *const adu_command_stages[ADU_STAGES] = {
    [ADU_STAGE_CERT_AUTH] = &adu_cert_auth_stage,
    [ADU_STAGE_IAM_AUTH] = &adu_iam_auth_stage,
    [ADU_STAGE_RATE_MONITOR] = &adu_rate_monitor_stage,
    [ADU_STAGE_TOPIC_POLICY] = &adu_topic_policy_stage,
    [ADU_STAGE_ACL] = &adu_acl_stage,
};

static const struct {
    const char *name;
    enum adu_status (*run)(int argc, char **argv);
    const char *synopsis, *purpose;
} commands[] = {
    {"check", adu_command_check, "check DIR", "what is wrong or doubtful in a policy folder"},
    {"explain", adu_command_explain,
     "explain DIR --as KEY=VALUE... publish|subscribe|receive TOPIC",
     "whether a client may, why, and what to change; --live CLIENT asks a broker"},
    {"test", adu_command_test, "test DIR [--junit FILE]",
     "whether the policy's own assertions hold"},
    {"status", adu_command_status, "status", "what runs in a broker, and its counters"},
    {"sessions", adu_command_sessions, "sessions [CLIENT]", "who is connected, and as whom"},
    {"reload", adu_command_reload, "reload [--wait]", "loads the policy folder anew"},
    {"kick", adu_command_kick, "kick CLIENT [--no-will]", "disconnects a client"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *out)
{
    fprintf(out, "aduana: asks a policy folder, or a running broker, what the plugins answer\n\n");
    for (int i = 0; i < COMMANDS; i++) {
        fprintf(out, "  aduana %s\n      %s\n", commands[i].synopsis, commands[i].purpose);
    }
    fprintf(out, "\nExit status: 0 yes or good, 1 no or findings, 2 wrong usage or unreadable.\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help(stdout);
        return ADU_STATUS_YES;
    }
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (name[0] != '\0') {
        fprintf(stderr, "aduana: no such command: %s\n\n", name);
    }
    help(stderr);
    return ADU_STATUS_USAGE;
}
