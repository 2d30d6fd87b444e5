/* aduana topics [CLIENT]: which topics are in use, and whose are refused or would be. */
#include "cli/live.h"
#include "cli/live_show.h"
#include "cli/table.h"
#include <stdio.h>

/* --- tables --- */

static const struct adu_table_column topic_columns[] = {
    {"TOPIC", "topic"},         {"NAMESPACE", "namespace"},
    {"CLIENT", "client_id"},    {"CLIENTS", "clients"},
    {"MESSAGES", "messages"},   {"FIRST SEEN", "first_seen"},
    {"LAST SEEN", "last_seen"}, {0}};

static const struct adu_table_column namespace_columns[] = {
    {"NAMESPACE", "namespace"},       {"MESSAGES", "messages"},   {"REFUSED", "refused"},
    {"WOULD REFUSE", "would_refuse"}, {"LAST SEEN", "last_seen"}, {0}};

static const struct adu_table_column group_columns[] = {{"CLIENTS", "name"},
                                                        {"MODE", "mode"},
                                                        {"REFUSED", "refused"},
                                                        {"WOULD REFUSE", "would_refuse"},
                                                        {0}};

static const struct adu_table_column client_columns[] = {
    {"CLIENT", "client_id"},    {"USER", "username"},
    {"REFUSED", "refused"},     {"WOULD REFUSE", "would_refuse"},
    {"LAST SEEN", "last_seen"}, {"LAST TOPIC", "topic"},
    {"WHY", "reason"},          {0}};

static const struct adu_table_column offence_columns[] = {
    {"NAMESPACE", "namespace"},       {"CLIENT", "client_id"},    {"REFUSED", "refused"},
    {"WOULD REFUSE", "would_refuse"}, {"LAST SEEN", "last_seen"}, {0}};

static const struct adu_table_column reason_columns[] = {{"REFUSED", "refused"},
                                                         {"WOULD REFUSE", "would_refuse"},
                                                         {"RULE", "rule"},
                                                         {"WHY", "reason"},
                                                         {0}};

static const struct table {
    const char *key;
    const struct adu_table_column *columns;
} tables[] = {
    {"namespaces", namespace_columns}, {"groups", group_columns},
    {"worst_clients", client_columns}, {"by_namespace_and_client", offence_columns},
    {"reasons", reason_columns},       {"topics", topic_columns},
};

/* --- showing --- */

/* Most messages first. */
static int compare(const void *a, const void *b)
{
    const json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "messages"));
    const json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "messages"));
    return (x < y) - (x > y);
}

static void print_tables(const json_t *all)
{
    bool first = true;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        json_t *list = json_object_get(all, tables[i].key);
        if (json_array_size(list) > 0) {
            printf("%s", first ? "" : "\n");
            adu_table_print_fields(tables[i].columns, list);
            first = false;
        }
    }
    if (!json_is_true(json_object_get(all, "discovery"))) {
        fputs("aduana: topic_policy.json has no \"discovery\": topics in use are not gathered\n",
              stderr);
    }
}

static void print_in_use(json_t *topics)
{
    const json_t *topic;
    size_t i;
    json_array_foreach(topics, i, topic)
    {
        puts(adu_live_text(json_object_get(topic, "topic")));
    }
}

static enum adu_status show(const struct adu_live_options *options, bool in_use, json_t *all)
{
    if (options->json) {
        adu_live_print(in_use ? json_object_get(all, "topics") : all);
    } else if (in_use) {
        print_in_use(json_object_get(all, "topics"));
    } else {
        print_tables(all);
    }
    const json_int_t refused = json_integer_value(json_object_get(all, "refused")) +
                               json_integer_value(json_object_get(all, "would_refuse"));
    return refused == 0 || in_use ? ADU_STATUS_YES : ADU_STATUS_NO;
}

/* --- asking --- */

static enum adu_status ask(const struct adu_live_options *options, const char *client_id,
                           json_t **all)
{
    json_t *topics = json_array();
    struct adu_live *live = adu_live_open(options);
    enum adu_status status = ADU_STATUS_USAGE;
    if (live != NULL) {
        status = adu_live_ask(live, json_pack("{s:s}", "command", "naming"), all);
    }
    if (status == ADU_STATUS_YES) {
        status = adu_live_ask_pages(live, "topics", client_id, topics);
        json_object_set_new(*all, "topics", adu_table_sorted(topics, compare));
    }
    adu_live_close(live);
    json_decref(topics);
    return status;
}

enum adu_status adu_command_topics(int argc, char **argv)
{
    bool in_use = false;
    const struct adu_live_extra extras[] = {{.name = "in-use", .flag = &in_use}, {0}};
    struct adu_live_options options;
    int first;
    if (!adu_live_options_read(&options, argc, argv, extras, &first) || argc - first > 1) {
        adu_live_options_free(&options);
        return ADU_STATUS_MISUSED;
    }
    json_t *all = NULL;
    enum adu_status status = ask(&options, argv[first], &all);
    if (status == ADU_STATUS_YES) {
        status = show(&options, in_use, all);
    }
    json_decref(all);
    adu_live_options_free(&options);
    return status;
}
