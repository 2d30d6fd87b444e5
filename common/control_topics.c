/* topics: which are in use, a page at a time; naming: how they are refused, in all. */
#include "common/control_parts.h"
#include <errno.h>
#include <stdlib.h>

/* Of what is told of one topic, so that an answer keeps within ADU_CONTROL_TEXT_MOST. */
enum { TOPIC_TEXT = 512 };

static json_t *tell(struct adu_control *c, const struct adu_topics_asked *asked,
                    struct adu_error *error)
{
    const struct adu_stage *stage = c->p->stages[ADU_STAGE_TOPIC_POLICY];
    if (stage == NULL || stage->tell_topics == NULL) {
        adu_error_set(error, NULL, "topic_policy is not loaded");
        return NULL;
    }
    const struct adu_stage_call call =
        adu_pipeline_call(c->p, ADU_STAGE_TOPIC_POLICY, NULL, c->now);
    return stage->tell_topics(&call, asked);
}

/* "" and what is no number of a place are wrong. */
static bool read_place(const char *text, size_t *place)
{
    char *end;
    if (text == NULL) {
        return true;
    }
    errno = 0;
    *place = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

json_t *adu_control_topics(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error)
{
    struct adu_topics_asked asked = {.client_id = command->client_id,
                                     .most = (size_t)command->limit};
    if (!read_place(command->after, &asked.from)) {
        adu_error_set(error, NULL, "\"after\" is not what a page before this one said");
        return NULL;
    }
    if (c->text_left < TOPIC_TEXT) {
        adu_error_set(error, NULL, "no room is left in this answer: ask in another message");
        return NULL;
    }
    asked.most = asked.most < c->text_left / TOPIC_TEXT ? asked.most : c->text_left / TOPIC_TEXT;
    c->text_left -= asked.most * TOPIC_TEXT;
    return tell(c, &asked, error);
}

json_t *adu_control_naming(struct adu_control *c, const struct adu_command *command,
                           struct adu_error *error)
{
    static const struct adu_topics_asked all = {.summary = true};
    (void)command;
    if (c->text_left < ADU_CONTROL_TEXT_MOST / 2) {
        adu_error_set(error, NULL, "no room is left in this answer: ask in another message");
        return NULL;
    }
    c->text_left -= ADU_CONTROL_TEXT_MOST / 2;
    return tell(c, &all, error);
}
