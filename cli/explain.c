/* aduana explain DIR: what a client that somebody describes would be answered under a policy. */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/explain_tell.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: aduana explain DIR --as KEY=VALUE... connect\n"
    "       aduana explain DIR --as KEY=VALUE... publish|subscribe|receive TOPIC\n"
    "       aduana explain --live CLIENT publish|subscribe|receive TOPIC\n"
    "aduana explain --help says more\n";

enum { AS = 256, CERT, FROM, QOS, RETAIN, PAYLOAD, AT, ALL, JSON };

static const struct option options[] = {
    {"as", required_argument, NULL, AS},     {"cert", required_argument, NULL, CERT},
    {"from", required_argument, NULL, FROM}, {"qos", required_argument, NULL, QOS},
    {"retain", no_argument, NULL, RETAIN},   {"payload-bytes", required_argument, NULL, PAYLOAD},
    {"at", required_argument, NULL, AT},     {"all", no_argument, NULL, ALL},
    {"json", no_argument, NULL, JSON},       {0},
};

static const char *const actions[] = {
    [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive"};

/* What the command line asks. */
struct asked {
    struct adu_description client;
    struct adu_question question;
    struct adu_explain_manner manner;
    const char *at, *action;
};

static bool take(struct asked *asked, int option)
{
    long number;
    switch (option) {
    case AS:
        return adu_client_say(&asked->client, optarg);
    case CERT:
        return adu_client_show(&asked->client, optarg);
    case FROM:
        return adu_client_come_from(&asked->client, optarg);
    case QOS:
        return adu_client_number("--qos", optarg, 2, &number) &&
               (asked->question.qos = (uint8_t)number, true);
    case PAYLOAD:
        return adu_client_number("--payload-bytes", optarg, 268435455, &number) &&
               (asked->question.payload_length = (uint32_t)number, true);
    case RETAIN:
        return asked->question.retain = true;
    case AT:
        return (asked->at = optarg) != NULL;
    case ALL:
        return asked->manner.all = true;
    case JSON:
        return asked->manner.json = true;
    default:
        return false; /* getopt_long has complained */
    }
}

/* DIR ACTION [TOPIC] */
static bool take_words(struct asked *asked, int count, char **words)
{
    if (count < 2) {
        return false;
    }
    asked->manner.directory = words[0];
    asked->action = words[1];
    if (strcmp(asked->action, "connect") == 0) {
        return count == 2;
    }
    asked->question.topic = words[2];
    for (int i = 0; i < (int)(sizeof actions / sizeof actions[0]); i++) {
        if (strcmp(asked->action, actions[i]) == 0) {
            asked->question.action = (enum adu_action)i;
            return count == 3;
        }
    }
    fprintf(stderr, "aduana: no such action: %s\n", asked->action);
    return false;
}

static enum adu_status answer(const struct asked *asked, struct adu_policy *policy)
{
    struct adu_now now = {.wall_ms = (int64_t)time(NULL) * 1000};
    if (asked->at != NULL && !adu_moment_read(asked->at, policy->time_zone, &now.wall_ms)) {
        fprintf(stderr, "aduana: --at: expected a moment as in 2026-11-23T08:00, found \"%s\"\n",
                asked->at);
        return ADU_STATUS_USAGE;
    }
    const struct adu_described described = adu_description_of(&asked->client);
    const struct adu_explain_subject subject = {
        .inquiry = adu_inquiry_new(policy, adu_command_stages),
        .policy = policy,
        .client = &described,
        .question = asked->question.topic != NULL ? &asked->question : NULL,
        .now = now,
    };
    if (subject.inquiry == NULL) {
        fprintf(stderr, "aduana: out of memory\n");
        return ADU_STATUS_USAGE;
    }
    const bool yes = adu_explain_tell(&asked->manner, &subject);
    adu_inquiry_free(subject.inquiry);
    return yes ? ADU_STATUS_YES : ADU_STATUS_NO;
}

static enum adu_status load_and_answer(const struct asked *asked)
{
    struct adu_error error = {0};
    struct adu_policy *policy =
        adu_policy_load(asked->manner.directory, adu_command_stages, NULL, &error);
    if (policy == NULL) {
        char text[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        fprintf(stderr, "aduana: %s\n", adu_error_format(&error, text, sizeof text));
        return ADU_STATUS_USAGE;
    }
    const enum adu_status status = answer(asked, policy);
    adu_policy_free(policy);
    return status;
}

static bool asks_a_broker(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--live") == 0 || strncmp(argv[i], "--live=", 7) == 0) {
            return true;
        }
    }
    return false;
}

enum adu_status adu_command_explain(int argc, char **argv)
{
    if (asks_a_broker(argc, argv)) {
        return adu_command_explain_live(argc, argv);
    }
    struct asked asked = {0};
    enum adu_status status = ADU_STATUS_USAGE;
    bool good = true;
    int option;
    while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        good = take(&asked, option);
    }
    if (good && !take_words(&asked, argc - optind, argv + optind)) {
        fputs(usage, stderr);
    } else if (good) {
        status = load_and_answer(&asked);
    }
    adu_description_clear(&asked.client);
    return status;
}
