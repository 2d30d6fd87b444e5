/* aduana explain --live CLIENT: what a client that a broker knows would be answered now. */
#include "cli/live.h"
#include "cli/live_show.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a number option says; -1 for none, after a complaint. */
static long number(const char *name, const char *text, long most)
{
    char *end = NULL;
    errno = 0;
    const long value = text != NULL ? strtol(text, &end, 10) : 0;
    if (text != NULL && (errno != 0 || end == text || *end != '\0' || value < 0 || value > most)) {
        fprintf(stderr, "aduana: %s: expected 0 to %ld, found \"%s\"\n", name, most, text);
        return -1;
    }
    return value;
}

static enum adu_status tell(const struct adu_live_options *options, const json_t *data)
{
    const char *verdict = adu_live_text(json_object_get(data, "verdict"));
    const json_t *reason = json_object_get(data, "reason");
    const bool refused = strcmp(verdict, "refused") == 0;
    const bool watched = json_is_true(json_object_get(data, "watched"));
    if (options->json) {
        adu_live_print(data);
    } else if (json_is_string(reason)) {
        printf("%s%s: %s\n", verdict, watched ? ", but only because it is watched" : "",
               adu_live_text(reason));
    } else {
        printf("%s\n", verdict);
    }
    return refused ? ADU_STATUS_NO : ADU_STATUS_YES;
}

static enum adu_status ask(const struct adu_live_options *options, const char *client,
                           char *const *question, long qos, bool retain, long bytes)
{
    json_t *data;
    json_t *command =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:I}", "command", "explain", "client_id", client,
                  "action", question[0], "topic", question[1], "qos", (json_int_t)qos, "retain",
                  retain, "payload_bytes", (json_int_t)bytes);
    if (command == NULL) {
        fprintf(stderr, "aduana: client and topic must be UTF-8\n");
        return ADU_STATUS_USAGE;
    }
    enum adu_status status = adu_live_ask_once(options, command, &data);
    if (status == ADU_STATUS_YES) {
        status = tell(options, data);
    }
    json_decref(data);
    return status;
}

enum adu_status adu_command_explain_live(int argc, char **argv)
{
    const char *client = NULL, *qos_text = NULL, *bytes_text = NULL;
    bool retain = false;
    const struct adu_live_extra extras[] = {
        {.name = "live", .value = &client},
        {.name = "qos", .value = &qos_text},
        {.name = "retain", .flag = &retain},
        {.name = "payload-bytes", .value = &bytes_text},
        {0},
    };
    struct adu_live_options options;
    int first;
    const bool read = adu_live_options_read(&options, argc, argv, extras, &first);
    const long qos = number("qos", qos_text, 2),
               bytes = number("payload-bytes", bytes_text, 268435455);
    const enum adu_status status =
        read && client != NULL && argc - first == 2 && qos >= 0 && bytes >= 0
            ? ask(&options, client, argv + first, qos, retain, bytes)
            : ADU_STATUS_MISUSED;
    adu_live_options_free(&options);
    return status;
}
