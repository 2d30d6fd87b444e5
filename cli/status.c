/* aduana status: what runs in a broker, under which policy, and what it has counted. */
#include "cli/live.h"
#include "cli/live_show.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_uptime(json_int_t seconds)
{
    const json_int_t days = seconds / 86400, hours = seconds / 3600 % 24;
    const json_int_t minutes = seconds / 60 % 60;
    printf("up           ");
    if (days > 0) {
        printf("%lld d ", (long long)days);
    }
    printf("%lld h %lld min %lld s\n", (long long)hours, (long long)minutes,
           (long long)(seconds % 60));
}

static void print_stages(json_t *stages)
{
    const char *name;
    json_t *stage;
    json_object_foreach(stages, name, stage)
    {
        const char *mode = json_string_value(json_object_get(stage, "mode"));
        printf("  %-14s %s\n", name,
               mode != NULL ? mode : adu_live_text(json_object_get(stage, "plugin")));
    }
}

static void print_loads(json_t *data, const json_t *loads)
{
    printf("generation   %lld, from %s\n", (long long)number(data, "generation"),
           adu_live_text(json_object_get(data, "policy_dir")));
    if (json_is_string(json_object_get(loads, "last"))) {
        const json_t *error = json_object_get(loads, "error");
        printf("last load    %s, %s%s\n", adu_live_text(json_object_get(loads, "last")),
               json_is_string(error) ? "refused: " : "good",
               json_is_string(error) ? adu_live_text(error) : "");
    }
}

static void print_audit(const json_t *audit)
{
    const json_t *error = json_object_get(audit, "error");
    const json_int_t waiting = number(audit, "waiting");
    printf("audit log    %s", adu_live_text(json_object_get(audit, "to")));
    if (waiting > 0) {
        printf(", %lld lines wait", (long long)waiting);
    }
    printf("%s%s\n", json_is_string(error) ? ": " : "",
           json_is_string(error) ? adu_live_text(error) : "");
}

/* A column as wide as the longest name. */
static void print_counters(json_t *counters)
{
    const char *name;
    json_t *value;
    int width = 0;
    json_object_foreach(counters, name, value)
    {
        width = MAX(width, (int)strlen(name));
    }
    json_object_foreach(counters, name, value)
    {
        printf("  %-*s %12lld\n", width, name, (long long)json_integer_value(value));
    }
}

static void print_metrics(const json_t *metrics)
{
    const json_t *error = json_object_get(metrics, "error");
    if (json_is_string(error)) {
        printf("metrics      not served: %s\n", adu_live_text(error));
    }
}

static void print(json_t *data)
{
    const json_t *refuse_all = json_object_get(data, "refuse_all");
    printf("version      %s\n", adu_live_text(json_object_get(data, "version")));
    print_uptime(number(data, "uptime_seconds"));
    print_loads(data, json_object_get(data, "loads"));
    if (number(data, "findings") > 0) {
        printf("findings     %lld: see aduana check\n", (long long)number(data, "findings"));
    }
    printf("clients      %lld online, %lld known\n", (long long)number(data, "online"),
           (long long)number(data, "known"));
    if (json_is_string(refuse_all)) {
        printf("REFUSES ALL  %s\n", adu_live_text(refuse_all));
    }
    print_audit(json_object_get(data, "audit"));
    print_metrics(json_object_get(data, "metrics"));
    printf("plugins\n");
    print_stages(json_object_get(data, "stages"));
    printf("counters\n");
    print_counters(json_object_get(data, "counters"));
}

enum adu_status adu_command_status(int argc, char **argv)
{
    static const struct adu_live_extra none[] = {{0}};
    struct adu_live_options options;
    json_t *data;
    int first;
    if (!adu_live_options_read(&options, argc, argv, none, &first) || first != argc) {
        adu_live_options_free(&options);
        return ADU_STATUS_MISUSED;
    }
    enum adu_status status =
        adu_live_ask_once(&options, json_pack("{s:s}", "command", "status"), &data);
    if (status == ADU_STATUS_YES) {
        if (options.json) {
            adu_live_print(data);
        } else {
            print(data);
        }
        if (json_is_string(json_object_get(data, "refuse_all")) ||
            json_is_string(json_object_get(json_object_get(data, "loads"), "error"))) {
            status = ADU_STATUS_NO;
        }
    }
    json_decref(data);
    adu_live_options_free(&options);
    return status;
}
