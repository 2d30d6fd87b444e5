/* reload and kick: the commands that change something. Each is logged with whoever asked. */
#include "common/audit.h"
#include "common/control_parts.h"
#include <stdio.h>

const struct adu_field adu_control_kick_fields[] = {
    ADU_COMMAND_FIELDS,
    ADU_FIELD(struct adu_command, client_id, STRING, .required = true),
    ADU_FIELD(struct adu_command, will, BOOL),
    {0},
};

/* The load of this order has happened when that many have finished: of one that is under way the
 * files may have been read already. */
json_t *adu_control_reload(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error)
{
    struct adu_pipeline *p = c->p;
    const uint64_t finished = p->counters.policies_loaded + p->counters.policies_rejected;
    const uint64_t awaited = finished + (p->loading ? 2 : 1);
    (void)command;
    (void)error;
    adu_pipeline_log(p, ADU_LOG_NOTICE, "reload asked for by %s", c->who);
    adu_pipeline_load(p, c->now);
    return json_pack("{s:b, s:I, s:I}", "accepted", true, "generation",
                     (json_int_t)p->policy->number, "finished", (json_int_t)awaited);
}

json_t *adu_control_kick(struct adu_control *c, const struct adu_command *command,
                         struct adu_error *error)
{
    struct adu_pipeline *p = c->p;
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME];
    const struct adu_principal *principal = adu_control_find(c, command->client_id, NULL, error);
    if (principal == NULL) {
        return NULL;
    }
    struct adu_session *session = adu_sessions_online_of(principal);
    if (session == NULL) {
        adu_error_set(
            error, NULL, "the client %s is not connected%s", adu_audit_name(command->client_id, id),
            principal->durable ? "; the session that the broker keeps for it, and what is "
                                 "queued, stay"
                               : "");
        return NULL;
    }
    if (!p->may_kick) {
        adu_error_set(error, NULL,
                      "this broker gives plugins no moment to disconnect a client "
                      "(2.0.11 with per_listener_settings)");
        return NULL;
    }
    json_t *data = json_pack("{s:b, s:o, s:o, s:b}", "accepted", true, "client_id",
                             adu_control_text(command->client_id), "username",
                             adu_control_text(principal->username), "will", command->will);
    if (data == NULL || !adu_pipeline_kick_later(p, session, command->will)) {
        json_decref(data);
        return NULL;
    }
    struct adu_reason why = {.stage = "control", .text = "asked for by", .limit = ADU_NO_LIMIT};
    snprintf(why.detail, sizeof why.detail, "%.150s", c->who);
    adu_pipeline_tell_disconnect(p, session, &why, c->now);
    adu_pipeline_log(p, ADU_LOG_NOTICE, "disconnecting client=%s username=%s (%s): asked for by %s",
                     adu_audit_name(command->client_id, id),
                     adu_audit_name(principal->username, name),
                     command->will ? "its will is sent" : "its will is not sent", c->who);
    return data;
}
