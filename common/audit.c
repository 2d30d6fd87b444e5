#include "common/audit.h"
#include "common/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes shown of each, and room for them when written out: what is all escapes is cut earlier, so
 * that the reason, which comes last, always finds its place in the line. */
enum { NAME_SHOWN = 48, TOPIC_SHOWN = 160, TOPIC_ROOM = 240, REASON_ROOM = 400 };

/* Adds to what `buffer` holds; what finds no room is cut. */
static ADU_PRINTF(3, 4) void add(char *buffer, size_t size, const char *format, ...)
{
    const size_t used = strlen(buffer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + used, size - used, format, arguments);
    va_end(arguments);
}

static void add_why(const struct adu_reason *why, char *buffer, size_t size)
{
    char level[ADU_AUDIT_NAME];
    char detail[sizeof why->detail * 2];
    add(buffer, size, "%s", why->text != NULL ? why->text : "refused");
    if (why->detail[0] != '\0') {
        add(buffer, size, " %s",
            adu_text_quote(why->detail, strlen(why->detail), sizeof why->detail, detail,
                           sizeof detail));
    }
    if (why->limit != ADU_NO_LIMIT) {
        add(buffer, size, " (limit %ld)", why->limit);
    }
    if (why->level > 0) {
        add(buffer, size, " (level %u %s)", why->level,
            adu_text_quote(why->level_text.bytes, why->level_text.length, NAME_SHOWN, level,
                           sizeof level));
    }
    if (why->nearest[0] != '\0') {
        char nearest[sizeof why->nearest * 2];
        add(buffer, size, "; right would be %s",
            adu_text_quote(why->nearest, strlen(why->nearest), sizeof why->nearest, nearest,
                           sizeof nearest));
    }
}

const char *adu_audit_why(const struct adu_reason *why, char *buffer, size_t size)
{
    buffer[0] = '\0';
    add_why(why, buffer, size);
    return buffer;
}

const char *adu_audit_reason(const struct adu_reason *why, char *buffer, size_t size)
{
    buffer[0] = '\0';
    add(buffer, size, "%s: ", why->stage != NULL ? why->stage : "pipeline");
    add_why(why, buffer, size);
    if (why->rule != NULL && why->rule->file != NULL) {
        add(buffer, size, " [%s:%u]", why->rule->file, why->rule->line);
    }
    return buffer;
}

const char *adu_audit_name(const char *name, char buffer[ADU_AUDIT_NAME])
{
    return adu_text_quote(name, name != NULL ? strlen(name) : 0, NAME_SHOWN, buffer,
                          ADU_AUDIT_NAME);
}

const char *adu_audit_connect(const char *client_id, const char *claimed_username,
                              const char *address, const struct adu_reason *why,
                              char line[ADU_AUDIT_LINE])
{
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME], reason[REASON_ROOM];
    snprintf(line, ADU_AUDIT_LINE,
             "aduana: refused connect client=%s claimed_username=%s address=%s: %s",
             adu_audit_name(client_id, id), adu_audit_name(claimed_username, name),
             address != NULL ? address : "-", adu_audit_reason(why, reason, sizeof reason));
    return line;
}

const char *adu_audit_request(const char *verb, bool will, const struct adu_request *request,
                              const char *address, const struct adu_reason *why,
                              char line[ADU_AUDIT_LINE])
{
    static const char *const actions[] = {
        [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive"};
    char id[ADU_AUDIT_NAME], name[ADU_AUDIT_NAME], topic[TOPIC_ROOM], reason[REASON_ROOM];
    snprintf(line, ADU_AUDIT_LINE,
             "aduana: %s %s client=%s username=%s address=%s topic=%s qos=%d retain=%d: %s", verb,
             will ? "will" : actions[request->action],
             adu_audit_name(request->subject->client_id, id),
             adu_audit_name(request->subject->username, name), address != NULL ? address : "-",
             adu_text_quote(request->topic.bytes, request->topic.length, TOPIC_SHOWN, topic,
                            sizeof topic),
             request->qos, request->retain, adu_audit_reason(why, reason, sizeof reason));
    return line;
}

bool adu_audit_may_log(struct adu_log_window *window, int64_t now_ms, uint64_t *left_out)
{
    *left_out = 0;
    if (window->lines == 0 || now_ms - window->start_ms >= ADU_AUDIT_WINDOW_MS) {
        *left_out = window->left_out;
        *window = (struct adu_log_window){.start_ms = now_ms};
    }
    if (window->lines >= ADU_AUDIT_LINES) {
        window->left_out++;
        return false;
    }
    window->lines++;
    return true;
}
