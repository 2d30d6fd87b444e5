/* Sending somebody away. A broker bears that in its tick alone, so whoever is to go is kept in a
 * list until then. */
#include "common/audit.h"
#include "common/pipeline_parts.h"
#include <stdlib.h>
#include <string.h>

bool adu_pipeline_kick_later(struct adu_pipeline *p, struct adu_session *session, bool with_will)
{
    const size_t length = strlen(session->client_id) + 1;
    struct adu_kick *kick = malloc(sizeof *kick + length);
    if (kick == NULL) {
        return false;
    }
    *kick = (struct adu_kick){.next = p->kicks, .handle = session->handle, .with_will = with_will};
    memcpy(kick->client_id, session->client_id, length);
    session->kicked = true; /* so that a later one under this handle is not taken for it */
    p->kicks = kick;
    return true;
}

bool adu_pipeline_disconnect(struct adu_pipeline *p, const char *client_id, const char *username,
                             const struct adu_reason *why, struct adu_now now)
{
    const struct adu_principal *principal = adu_principals_find(p->principals, client_id, username);
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME], text[sizeof principal->why];
    bool any = false;
    struct adu_session *session = principal != NULL ? principal->sessions : NULL;
    for (; session != NULL; session = session->next_of_principal) {
        if (!session->online || session->kicked || !adu_pipeline_kick_later(p, session, true)) {
            continue;
        }
        any = true;
        adu_audit_reason(why, text, sizeof text);
        adu_pipeline_log(p, ADU_LOG_NOTICE, "disconnecting client=%s username=%s: %s",
                         adu_audit_name(client_id, id), adu_audit_name(username, name), text);
        adu_pipeline_tell_disconnect(p, session, why, now);
    }
    return any;
}

void adu_pipeline_kick_due(struct adu_pipeline *p)
{
    while (p->kicks != NULL) {
        struct adu_kick *kick = p->kicks;
        const struct adu_session *session =
            adu_sessions_find(p->sessions, kick->handle, kick->client_id);
        p->kicks = kick->next;
        if (session != NULL && session->online && session->kicked) {
            p->counters.sessions_kicked++;
            p->host->kick(kick->client_id, kick->with_will); /* ends in adu_pipeline_gone */
        }
        free(kick);
    }
}

void adu_pipeline_kick_none(struct adu_pipeline *p)
{
    while (p->kicks != NULL) {
        struct adu_kick *kick = p->kicks;
        p->kicks = kick->next;
        free(kick);
    }
}
