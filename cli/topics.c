/* aduana topics [CLIENT]: which topics are in use, and whose are refused or would be. */
#include "cli/live.h"
#include "cli/table.h"
#include <stdio.h>

static const char *text(int column, const json_t *object, const char *key)
{
    return adu_table_cell(column, json_object_get(object, key));
}

static const char *number(int column, const json_t *object, const char *key)
{
    return adu_table_number(column, json_object_get(object, key));
}

/* --- tables --- */

enum {
    TOPIC_COLUMNS = 7,
    NAMESPACE_COLUMNS = 5,
    GROUP_COLUMNS = 4,
    CLIENT_COLUMNS = 7,
    OFFENCE_COLUMNS = 5,
    REASON_COLUMNS = 4
};

static const char *const topic_titles[TOPIC_COLUMNS] = {
    "TOPIC", "NAMESPACE", "CLIENT", "CLIENTS", "MESSAGES", "FIRST SEEN", "LAST SEEN"};

static void topic_row(const json_t *topic, const char **texts)
{
    texts[0] = text(0, topic, "topic");
    texts[1] = text(1, topic, "namespace");
    texts[2] = text(2, topic, "client_id");
    texts[3] = number(3, topic, "clients");
    texts[4] = number(4, topic, "messages");
    texts[5] = text(5, topic, "first_seen");
    texts[6] = text(6, topic, "last_seen");
}

static const char *const namespace_titles[NAMESPACE_COLUMNS] = {"NAMESPACE", "MESSAGES", "REFUSED",
                                                                "WOULD REFUSE", "LAST SEEN"};

static void namespace_row(const json_t *namespace, const char **texts)
{
    texts[0] = text(0, namespace, "namespace");
    texts[1] = number(1, namespace, "messages");
    texts[2] = number(2, namespace, "refused");
    texts[3] = number(3, namespace, "would_refuse");
    texts[4] = text(4, namespace, "last_seen");
}

static const char *const group_titles[GROUP_COLUMNS] = {"CLIENTS", "MODE", "REFUSED",
                                                        "WOULD REFUSE"};

static void group_row(const json_t *group, const char **texts)
{
    texts[0] = text(0, group, "name");
    texts[1] = text(1, group, "mode");
    texts[2] = number(2, group, "refused");
    texts[3] = number(3, group, "would_refuse");
}

static const char *const client_titles[CLIENT_COLUMNS] = {
    "CLIENT", "USER", "REFUSED", "WOULD REFUSE", "LAST SEEN", "LAST TOPIC", "WHY"};

static void client_row(const json_t *client, const char **texts)
{
    texts[0] = text(0, client, "client_id");
    texts[1] = text(1, client, "username");
    texts[2] = number(2, client, "refused");
    texts[3] = number(3, client, "would_refuse");
    texts[4] = text(4, client, "last_seen");
    texts[5] = text(5, client, "topic");
    texts[6] = text(6, client, "reason");
}

static const char *const offence_titles[OFFENCE_COLUMNS] = {"NAMESPACE", "CLIENT", "REFUSED",
                                                            "WOULD REFUSE", "LAST SEEN"};

static void offence_row(const json_t *offence, const char **texts)
{
    texts[0] = text(0, offence, "namespace");
    texts[1] = text(1, offence, "client_id");
    texts[2] = number(2, offence, "refused");
    texts[3] = number(3, offence, "would_refuse");
    texts[4] = text(4, offence, "last_seen");
}

static const char *const reason_titles[REASON_COLUMNS] = {"REFUSED", "WOULD REFUSE", "RULE", "WHY"};

static void reason_row(const json_t *reason, const char **texts)
{
    texts[0] = number(0, reason, "refused");
    texts[1] = number(1, reason, "would_refuse");
    texts[2] = text(2, reason, "rule");
    texts[3] = text(3, reason, "reason");
}

static const struct table {
    const char *key;
    const char *const *titles;
    int columns;
    adu_table_row row;
} tables[] = {
    {"namespaces", namespace_titles, NAMESPACE_COLUMNS, namespace_row},
    {"groups", group_titles, GROUP_COLUMNS, group_row},
    {"worst_clients", client_titles, CLIENT_COLUMNS, client_row},
    {"by_namespace_and_client", offence_titles, OFFENCE_COLUMNS, offence_row},
    {"reasons", reason_titles, REASON_COLUMNS, reason_row},
    {"topics", topic_titles, TOPIC_COLUMNS, topic_row},
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
            adu_table_print(tables[i].titles, tables[i].columns, list, tables[i].row);
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
        return adu_command_misused(argv[0]);
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
