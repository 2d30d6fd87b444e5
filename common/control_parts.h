/* The inside of control: control.c reads the message, control_common.c has what several commands
 * need, each other control_*.c does one or two of them. */
#ifndef ADUANA_COMMON_CONTROL_PARTS_H
#define ADUANA_COMMON_CONTROL_PARTS_H

#include "common/control.h"
#include "common/pipeline_parts.h"
#include "common/reader.h"
#include "common/told.h"

/* One message being answered. */
struct adu_control {
    struct adu_pipeline *p;
    struct adu_principal *asker;
    char who[256]; /* the asker, for the log */
    struct adu_now now;
    size_t sessions_left, looks_left, text_left; /* of what an answer may hold */
};

/* The arguments of all commands; each takes those that its table of fields names. */
struct adu_command {
    const char *name;
    const struct adu_json *correlation;
    const char *client_id, *username, *topic, *after;
    int action; /* enum adu_action */
    long qos, payload_bytes, limit;
    bool retain, will;
};

#define ADU_COMMAND_FIELDS                                                                         \
    {.key = "command",                                                                             \
     .kind = ADU_FIELD_STRING,                                                                     \
     .required = true,                                                                             \
     .offset = offsetof(struct adu_command, name)},                                                \
    {                                                                                              \
        .key = "correlationData", .kind = ADU_FIELD_ANY,                                           \
        .offset = offsetof(struct adu_command, correlation)                                        \
    }

extern const struct adu_field adu_control_plain_fields[];    /* of a command without arguments */
extern const struct adu_field adu_control_sessions_fields[]; /* of certs and topics too */
extern const struct adu_field adu_control_kick_fields[];
extern const struct adu_field adu_control_explain_fields[];

/* Each gives a new object, the "data" of its response, or NULL: with `error`, or without when
 * memory is gone. */
json_t *adu_control_status(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error);
json_t *adu_control_sessions(struct adu_control *c, const struct adu_command *command,
                             struct adu_error *error);
json_t *adu_control_certs(struct adu_control *c, const struct adu_command *command,
                          struct adu_error *error);
json_t *adu_control_topics(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error);
json_t *adu_control_naming(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error);
json_t *adu_control_reload(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error);
json_t *adu_control_kick(struct adu_control *c, const struct adu_command *command,
                         struct adu_error *error);
json_t *adu_control_explain(struct adu_control *c, const struct adu_command *command,
                            struct adu_error *error);

/* Adds what is to be told of the principals of one client id. false when memory is gone. */
typedef bool (*adu_control_add)(struct adu_control *c, json_t *list,
                                struct adu_principal *principals);

/* control_sessions.c: {"<key>": [...], "next": ...}: one client, or a page of all of them. */
json_t *adu_control_pages(struct adu_control *c, const struct adu_command *command, const char *key,
                          adu_control_add add, struct adu_error *error);

/* control_sessions.c: judges under the running policy whom it has not judged yet. That takes as
 * long as looking at many others, so it counts as much. */
void adu_control_judge(struct adu_control *c, struct adu_principal *principal);

/* control_sessions.c: as adu_control_text; counts what an answer grows by. */
json_t *adu_control_said(struct adu_control *c, const char *text);

/* Of the clients known by that id, and by `username` if it is not NULL, the one that is online,
 * else one that the broker keeps a session for, else any. NULL with `error`. */
struct adu_principal *adu_control_find(struct adu_control *c, const char *client_id,
                                       const char *username, struct adu_error *error);

#endif
