/* aduana reload [--wait]: has a broker load its policy folder anew. */
#include "cli/live.h"
#include "cli/live_show.h"
#include <stdio.h>
#include <time.h>

/* Not more often than answers are given, see common/control.h. */
enum { ASK_EVERY_MS = 200, WAIT_SECONDS = 60 };

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* Until so many loads have finished: then the last one was ours, or a later one. */
static enum adu_status wait_for(struct adu_live *live, json_int_t finished, json_t **data)
{
    const struct timespec pause = {.tv_nsec = ASK_EVERY_MS * 1000000L};
    for (int i = 0; i < WAIT_SECONDS * 1000 / ASK_EVERY_MS; i++) {
        const enum adu_status status =
            adu_live_ask(live, json_pack("{s:s}", "command", "status"), data);
        if (status != ADU_STATUS_YES ||
            number(json_object_get(*data, "loads"), "finished") >= finished) {
            return status;
        }
        json_decref(*data);
        *data = NULL;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "aduana: the policy is not loaded after %d s\n", WAIT_SECONDS);
    return ADU_STATUS_USAGE;
}

static enum adu_status tell_result(const struct adu_live_options *options, const json_t *data)
{
    const json_t *error = json_object_get(json_object_get(data, "loads"), "error");
    const bool good = !json_is_string(error);
    if (options->json) {
        adu_live_print(json_object_get(data, "loads"));
    } else if (good) {
        printf("generation %lld loaded\n", (long long)number(data, "generation"));
    } else {
        printf("not loaded, generation %lld stays: %s\n", (long long)number(data, "generation"),
               adu_live_text(error));
    }
    return good ? ADU_STATUS_YES : ADU_STATUS_NO;
}

static enum adu_status reload(struct adu_live *live, const struct adu_live_options *options,
                              bool wait)
{
    json_t *data, *result = NULL;
    enum adu_status status = adu_live_ask(live, json_pack("{s:s}", "command", "reload"), &data);
    if (status == ADU_STATUS_YES && !wait) {
        if (options->json) {
            adu_live_print(data);
        } else {
            printf("accepted; \"aduana status\" tells the result\n");
        }
    } else if (status == ADU_STATUS_YES) {
        status = wait_for(live, number(data, "finished"), &result);
        if (status == ADU_STATUS_YES) {
            status = tell_result(options, result);
        }
    }
    json_decref(result);
    json_decref(data);
    return status;
}

enum adu_status adu_command_reload(int argc, char **argv)
{
    bool wait = false;
    const struct adu_live_extra extras[] = {{.name = "wait", .flag = &wait}, {0}};
    struct adu_live_options options;
    int first;
    if (!adu_live_options_read(&options, argc, argv, extras, &first) || first != argc) {
        adu_live_options_free(&options);
        return ADU_STATUS_MISUSED;
    }
    struct adu_live *live = adu_live_open(&options);
    const enum adu_status status = live != NULL ? reload(live, &options, wait) : ADU_STATUS_USAGE;
    adu_live_close(live);
    adu_live_options_free(&options);
    return status;
}
