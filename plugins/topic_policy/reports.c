#include "plugins/topic_policy/reports.h"
#include "common/audit.h"
#include "common/event.h"
#include "common/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MOST = 256, A_TICK = 8, SUGGESTIONS = 10, WINDOW_MS = 10000 };

struct report {
    char client_id[128], username[128], text[680];
    int64_t wall_ms;
};

struct adu_reports {
    size_t first, count;
    struct report waiting[WAITING_MOST];
};

struct adu_reports *adu_reports_new(void)
{
    return calloc(1, sizeof(struct adu_reports));
}

void adu_reports_free(struct adu_reports *reports)
{
    free(reports);
}

bool adu_reports_may_suggest(struct adu_topic_client *client, int64_t now_ms)
{
    if (client->suggestions == 0 || now_ms - client->window_ms >= WINDOW_MS) {
        client->window_ms = now_ms;
        client->suggestions = 0;
    }
    return client->suggestions < SUGGESTIONS && ++client->suggestions > 0;
}

static void copy(const char *text, char *to, size_t size)
{
    snprintf(to, size, "%s", text != NULL ? text : "");
}

/* Texts of refusals stand in one place each as long as the policy lives, so that this tells them
 * apart. */
static uint32_t kind_of(const struct adu_reason *why)
{
    return (uint32_t)(uintptr_t)why->text;
}

static bool told(const struct adu_topic_client *client, uint32_t kind)
{
    for (unsigned i = 0; i < client->kinds; i++) {
        if (client->told[i] == kind) {
            return true;
        }
    }
    return false;
}

void adu_reports_note(struct adu_reports *reports, struct adu_topic_client *client,
                      const struct adu_stage_call *call, const struct adu_request *request,
                      const struct adu_reason *why)
{
    const uint32_t kind = kind_of(why);
    if (client->generation != call->generation) {
        client->generation = call->generation;
        client->kinds = 0;
    }
    if (client->kinds == ADU_KINDS_TOLD || told(client, kind) || reports->count == WAITING_MOST) {
        return;
    }
    client->told[client->kinds++] = kind;
    struct report *r = &reports->waiting[(reports->first + reports->count++) % WAITING_MOST];
    char reason[400], topic[240];
    copy(request->subject->client_id, r->client_id, sizeof r->client_id);
    copy(request->subject->username, r->username, sizeof r->username);
    adu_text_quote(request->topic.bytes, request->topic.length, 160, topic, sizeof topic);
    adu_audit_why(why, reason, sizeof reason);
    snprintf(r->text, sizeof r->text, "%s %s: %s",
             request->action == ADU_PUBLISH ? "publish to" : "subscription to", topic, reason);
    r->wall_ms = request->wall_ms;
}

void adu_reports_tell(struct adu_reports *reports, const struct adu_stage_call *call)
{
    for (int i = 0; i < A_TICK && reports->count > 0; i++) {
        const struct report *r = &reports->waiting[reports->first];
        const struct adu_subject about = {.client_id = r->client_id,
                                          .username = r->username[0] != '\0' ? r->username : NULL};
        const struct adu_event event = {.kind = "topic_refused",
                                        .severity = ADU_SEVERITY_INFO,
                                        .raised = true,
                                        .about = &about,
                                        .since_ms = r->wall_ms,
                                        .text = r->text};
        call->outlet->alert(call->outlet->context, &event);
        reports->first = (reports->first + 1) % WAITING_MOST;
        reports->count--;
    }
}
