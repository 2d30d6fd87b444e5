/* What the answers to several commands are made of. */
#include "common/audit.h"
#include "common/control_parts.h"
#include "common/text.h"
#include <string.h>
#include <time.h>

const struct adu_field adu_control_plain_fields[] = {ADU_COMMAND_FIELDS, {0}};

json_t *adu_control_text(const char *text)
{
    if (text == NULL) {
        return json_null();
    }
    json_t *string = json_string(text);
    if (string == NULL) { /* no UTF-8 */
        char quoted[1024];
        string = json_string(adu_text_quote(text, strlen(text), 200, quoted, sizeof quoted));
    }
    return string;
}

json_t *adu_control_time(int64_t wall_ms)
{
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char text[64];
    if (wall_ms == 0 || gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        return json_null();
    }
    return json_string(text);
}

struct adu_principal *adu_control_find(struct adu_control *c, const char *client_id,
                                       const char *username, struct adu_error *error)
{
    struct adu_principal *best = NULL;
    struct adu_principal *one = adu_principals_of_client(c->p->principals, client_id);
    for (; one != NULL; one = one->next_of_client) {
        if (username != NULL && (one->username == NULL || strcmp(one->username, username) != 0)) {
            continue;
        }
        if (best == NULL || (one->online > 0 && best->online == 0) ||
            (one->durable && best->online == 0 && !best->durable)) {
            best = one;
        }
    }
    if (best == NULL) {
        char id[ADU_AUDIT_NAME];
        adu_error_set(error, NULL, "no client is known by the id %s%s",
                      adu_audit_name(client_id, id), username != NULL ? " and that user name" : "");
    }
    return best;
}
