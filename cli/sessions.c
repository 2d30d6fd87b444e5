/* aduana sessions [CLIENT]: who is connected, and whom the broker keeps a session for. */
#include "cli/live.h"
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 6, ROLES_MOST = 512 };

static const char *const titles[COLUMNS] = {"CLIENT", "USER", "STATE", "ADDRESS", "SEEN", "ROLES"};

/* One session as texts, which live until the next call. */
static void row(const json_t *session, const char *texts[COLUMNS])
{
    static char roles[ROLES_MOST];
    json_t *role;
    size_t i;
    roles[0] = '\0';
    json_array_foreach(json_object_get(session, "roles"), i, role)
    {
        strncat(roles, i > 0 ? "," : "", sizeof roles - strlen(roles) - 1);
        strncat(roles, adu_live_text(role), sizeof roles - strlen(roles) - 1);
    }
    const bool online = json_is_true(json_object_get(session, "online"));
    const bool valid = json_is_true(json_object_get(session, "valid"));
    texts[0] = adu_live_text(json_object_get(session, "client_id"));
    texts[1] = adu_live_text(json_object_get(session, "username"));
    texts[2] = !valid ? "refused" : online ? "online" : "away";
    texts[3] = adu_live_text(json_object_get(session, "address"));
    texts[4] = adu_live_text(json_object_get(session, "seen"));
    texts[5] = roles[0] != '\0' ? roles : "-";
}

/* On a terminal; UTF-8 has one byte a character that is no continuation. */
static int width(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static void print_row(const char *const texts[COLUMNS], const int widths[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        const int pad = i + 1 < COLUMNS ? widths[i] - width(texts[i]) + 2 : 0;
        printf("%s%*s", texts[i], pad, "");
    }
    putchar('\n');
}

static void print_table(json_t *sessions)
{
    const char *texts[COLUMNS];
    int widths[COLUMNS];
    json_t *session;
    size_t i;
    for (int column = 0; column < COLUMNS; column++) {
        widths[column] = width(titles[column]);
    }
    json_array_foreach(sessions, i, session)
    {
        row(session, texts);
        for (int column = 0; column < COLUMNS; column++) {
            const int wide = width(texts[column]);
            widths[column] = wide > widths[column] ? wide : widths[column];
        }
    }
    print_row(titles, widths);
    json_array_foreach(sessions, i, session)
    {
        row(session, texts);
        print_row(texts, widths);
    }
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

/* All pages into `all`. */
static enum adu_status collect(struct adu_live *live, const char *client_id, json_t *all)
{
    json_t *data = NULL, *command = NULL;
    enum adu_status status = ADU_STATUS_YES;
    do {
        command = json_pack("{s:s, s:s*, s:O*}", "command", "sessions", "client_id", client_id,
                            "after", json_object_get(data, "next"));
        json_decref(data);
        status = adu_live_ask(live, command, &data);
        json_array_extend(all, json_object_get(data, "sessions"));
    } while (status == ADU_STATUS_YES && json_is_string(json_object_get(data, "next")));
    json_decref(data);
    return status;
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
        return adu_command_misused(argv[0]);
    }
    enum adu_status status = ADU_STATUS_USAGE;
    json_t *all = json_array();
    struct adu_live *live = adu_live_open(&options);
    if (live != NULL && all != NULL) {
        status = collect(live, argv[first], all);
    }
    adu_live_close(live);
    if (status == ADU_STATUS_YES) {
        status = show(&options, argv[first], all);
    }
    json_decref(all);
    adu_live_options_free(&options);
    return status;
}
