/* aduana sessions [CLIENT]: who is connected, and whom the broker keeps a session for. */
#include "cli/live.h"
#include "cli/live_show.h"
#include "cli/table.h"
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 6, ROLES_MOST = 512 };

static const char *const titles[COLUMNS] = {"CLIENT", "USER", "STATE", "ADDRESS", "SEEN", "ROLES"};

/* One session as texts. The roles first: of what adu_live_text gives, four live. */
static void row(const json_t *session, const char **texts)
{
    static char roles[ROLES_MOST];
    texts[5] = adu_table_list(json_object_get(session, "roles"), roles, sizeof roles);
    const bool online = json_is_true(json_object_get(session, "online"));
    const bool valid = json_is_true(json_object_get(session, "valid"));
    texts[0] = adu_live_text(json_object_get(session, "client_id"));
    texts[1] = adu_live_text(json_object_get(session, "username"));
    texts[2] = !valid ? "refused" : online ? "online" : "away";
    texts[3] = adu_live_text(json_object_get(session, "address"));
    texts[4] = adu_live_text(json_object_get(session, "seen"));
}

static void print_table(json_t *sessions)
{
    adu_table_print(titles, COLUMNS, sessions, row);
}

/* Of one client all that is known. */
static void print_details(json_t *sessions)
{
    json_t *session, *value;
    const char *name;
    size_t i;
    print_table(sessions);
    json_array_foreach(sessions, i, session)
    {
        const json_t *why = json_object_get(session, "why");
        if (json_is_string(why)) {
            printf("refused: %s\n", adu_live_text(why));
        }
        json_object_foreach(json_object_get(session, "attributes"), name, value)
        {
            char *text = json_is_array(value) ? json_dumps(value, 0) : NULL;
            printf("  %-20s %s\n", name, text != NULL ? text : adu_live_text(value));
            free(text);
        }
    }
}

static enum adu_status show(const struct adu_live_options *options, const char *client_id,
                            json_t *all)
{
    if (options->json) {
        adu_live_print(all);
    } else if (client_id == NULL) {
        print_table(all);
    } else if (json_array_size(all) > 0) {
        print_details(all);
    } else {
        fprintf(stderr, "aduana: that client is not connected and has no session\n");
    }
    return client_id != NULL && json_array_size(all) == 0 ? ADU_STATUS_NO : ADU_STATUS_YES;
}

enum adu_status adu_command_sessions(int argc, char **argv)
{
    static const struct adu_live_extra none[] = {{0}};
    struct adu_live_options options;
    int first;
    if (!adu_live_options_read(&options, argc, argv, none, &first) || argc - first > 1) {
        adu_live_options_free(&options);
        return ADU_STATUS_MISUSED;
    }
    enum adu_status status = ADU_STATUS_USAGE;
    json_t *all = json_array();
    struct adu_live *live = adu_live_open(&options);
    if (live != NULL && all != NULL) {
        status = adu_live_ask_pages(live, "sessions", argv[first], all);
    }
    adu_live_close(live);
    if (status == ADU_STATUS_YES) {
        status = show(&options, argv[first], all);
    }
    json_decref(all);
    adu_live_options_free(&options);
    return status;
}
