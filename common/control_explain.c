/* explain: what a client that is known would be answered now, and why. */
#include "common/audit.h"
#include "common/control_parts.h"

static const char *const actions[] = {
    [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive", NULL};

const struct adu_field adu_control_explain_fields[] = {
    ADU_COMMAND_FIELDS,
    ADU_FIELD(struct adu_command, client_id, STRING, .required = true),
    ADU_FIELD(struct adu_command, username, STRING),
    ADU_FIELD(struct adu_command, action, CHOICE, .required = true, .choices = actions),
    ADU_FIELD(struct adu_command, topic, STRING, .required = true),
    ADU_FIELD(struct adu_command, qos, INTEGER, .minimum = 0, .maximum = 2),
    ADU_FIELD(struct adu_command, retain, BOOL),
    ADU_FIELD(struct adu_command, payload_bytes, INTEGER, .minimum = 0, .maximum = 268435455),
    {0},
};

/* null where there is nothing to say. */
static json_t *rule(const struct adu_reason *why)
{
    return why->rule != NULL && why->rule->file != NULL
               ? json_pack("{s:s, s:i}", "file", why->rule->file, "line", (int)why->rule->line)
               : json_null();
}

/* Of a client that is away: it would not even get in. */
static bool kept_out(struct adu_control *c, const struct adu_principal *principal,
                     struct adu_reason *why)
{
    struct adu_pipeline *p = c->p;
    bool out = false;
    for (int kind = 0; principal->online == 0 && !out && kind < ADU_STAGES; kind++) {
        if (p->stages[kind] != NULL && p->stages[kind]->keeps_out != NULL) {
            const struct adu_stage_call call =
                adu_pipeline_call(p, (enum adu_stage_kind)kind, NULL, c->now);
            adu_reason_clear(why);
            out = p->stages[kind]->keeps_out(&call, adu_principal_client_id(principal),
                                             principal->username, why);
            why->stage = adu_stage_name((enum adu_stage_kind)kind);
        }
    }
    return out;
}

json_t *adu_control_explain(struct adu_control *c, const struct adu_command *command,
                            struct adu_error *error)
{
    static const char *const verdicts[] = {
        [ADU_DENY] = "refused", [ADU_ABSTAIN] = "left to the broker", [ADU_ALLOW] = "allowed"};
    struct adu_principal *principal =
        adu_control_find(c, command->client_id, command->username, error);
    if (principal == NULL) {
        return NULL;
    }
    const struct adu_question question = {.action = (enum adu_action)command->action,
                                          .topic = command->topic,
                                          .qos = (uint8_t)command->qos,
                                          .retain = command->retain,
                                          .payload_length = (uint32_t)command->payload_bytes};
    struct adu_reason why;
    char text[400];
    const enum adu_verdict verdict =
        kept_out(c, principal, &why) ? ADU_DENY
                                     : adu_pipeline_would(c->p, principal, &question, c->now, &why);
    const char *reason = why.text != NULL ? adu_audit_reason(&why, text, sizeof text) : NULL;
    const bool watched = verdict != ADU_DENY && reason != NULL;
    return json_pack("{s:o, s:o, s:b, s:I, s:s, s:o, s:b, s:o}", "client_id",
                     adu_control_text(command->client_id), "username",
                     adu_control_text(principal->username), "online", principal->online > 0,
                     "generation", (json_int_t)c->p->policy->number, "verdict", verdicts[verdict],
                     "reason", adu_control_text(reason), "watched", watched, "rule", rule(&why));
}
