/* aduana kick CLIENT [--no-will]: disconnects a client. */
#include "cli/live.h"
#include "cli/live_show.h"
#include <stdio.h>

enum adu_status adu_command_kick(int argc, char **argv)
{
    bool no_will = false;
    const struct adu_live_extra extras[] = {{.name = "no-will", .flag = &no_will}, {0}};
    struct adu_live_options options;
    json_t *data;
    int first;
    if (!adu_live_options_read(&options, argc, argv, extras, &first) || argc - first != 1) {
        adu_live_options_free(&options);
        return ADU_STATUS_MISUSED;
    }
    const enum adu_status status = adu_live_ask_once(
        &options,
        json_pack("{s:s, s:s, s:b}", "command", "kick", "client_id", argv[first], "will", !no_will),
        &data);
    if (status == ADU_STATUS_YES && options.json) {
        adu_live_print(data);
    } else if (status == ADU_STATUS_YES) {
        printf("%s (%s) is disconnected; its will, if it has one, is %ssent\n",
               adu_live_text(json_object_get(data, "client_id")),
               adu_live_text(json_object_get(data, "username")), no_will ? "not " : "");
    }
    json_decref(data);
    adu_live_options_free(&options);
    return status;
}
