#include "common/audit_record.h"
#include "common/audit.h"
#include "common/text.h"
#include "common/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *key;
    size_t most;
} texts[] = {
#define X(name, key, most) {key, most},
    ADU_AUDIT_TEXTS(X)
#undef X
};

/* Where each text stands in a record. */
enum {
#define X(name, key, most) AT_##name, AFTER_##name = AT_##name + (most),
    ADU_AUDIT_TEXTS(X)
#undef X
};

static const unsigned short places[] = {
#define X(name, key, most) AT_##name,
    ADU_AUDIT_TEXTS(X)
#undef X
};

_Static_assert(AFTER_KIND + 1 == ADU_AUDIT_TEXT_BYTES, "every text has its place");

/* --- filling in --- */

void adu_audit_record_begin(struct adu_audit_record *record, enum adu_audit_event event,
                            enum adu_audit_verdict verdict, int64_t wall_ms,
                            unsigned long generation)
{
    memset(record, 0, offsetof(struct adu_audit_record, length));
    memset(record->length, 0xff, sizeof record->length);
    record->event = event;
    record->verdict = verdict;
    record->wall_ms = wall_ms;
    record->generation = generation;
    record->limit = ADU_NO_LIMIT;
}

static void copy(struct adu_audit_record *record, enum adu_audit_text which, const char *text,
                 size_t length)
{
    char *to = record->text + places[which];
    const size_t kept = length < texts[which].most ? length : texts[which].most;
    memcpy(to, text, kept);
    to[kept] = '\0';
    if (kept < length) {
        adu_utf8_trim(to);
    }
    record->length[which] = (int32_t)length;
}

void adu_audit_record_text(struct adu_audit_record *record, enum adu_audit_text which,
                           const char *text)
{
    if (text != NULL) {
        copy(record, which, text, strlen(text));
    }
}

/* A shared subscription is shown as it was asked for. */
static void copy_topic(struct adu_audit_record *record, const struct adu_request *request)
{
    static const char share[] = "$share/";
    const size_t most = texts[ADU_AUDIT_TEXT_TOPIC].most;
    char *to = record->text + AT_TOPIC;
    if (request->group.length == 0) {
        copy(record, ADU_AUDIT_TEXT_TOPIC, request->topic.bytes, request->topic.length);
        return;
    }
    snprintf(to, most + 1, "%s%.*s/%.*s", share, (int)request->group.length, request->group.bytes,
             (int)request->topic.length, request->topic.bytes);
    const size_t length = strlen(share) + request->group.length + 1 + request->topic.length;
    record->length[ADU_AUDIT_TEXT_TOPIC] = (int32_t)length;
    if (length > most) {
        adu_utf8_trim(to);
    }
}

void adu_audit_record_request(struct adu_audit_record *record, const struct adu_request *request)
{
    record->has_request = true;
    record->action = request->action;
    record->qos = request->qos;
    record->retain = request->retain;
    record->payload_length = request->payload_length;
    adu_audit_record_text(record, ADU_AUDIT_TEXT_CLIENT_ID, request->subject->client_id);
    adu_audit_record_text(record, ADU_AUDIT_TEXT_USERNAME, request->subject->username);
    copy_topic(record, request);
}

void adu_audit_record_reason(struct adu_audit_record *record, const struct adu_reason *why)
{
    record->stage = why->stage != NULL ? why->stage : "pipeline";
    record->limit = why->limit;
    record->level = why->level;
    if (why->level > 0) {
        copy(record, ADU_AUDIT_TEXT_LEVEL, why->level_text.bytes, why->level_text.length);
    }
    adu_audit_record_text(record, ADU_AUDIT_TEXT_REASON, why->text != NULL ? why->text : "refused");
    if (why->detail[0] != '\0') {
        adu_audit_record_text(record, ADU_AUDIT_TEXT_DETAIL, why->detail);
    }
    if (why->nearest[0] != '\0') {
        adu_audit_record_text(record, ADU_AUDIT_TEXT_NEAREST, why->nearest);
    }
    if (why->rule != NULL && why->rule->file != NULL) {
        record->line = why->rule->line;
        adu_audit_record_text(record, ADU_AUDIT_TEXT_FILE, why->rule->file);
        adu_audit_record_text(record, ADU_AUDIT_TEXT_RULE, why->rule_name);
    }
}

/* --- writing out --- */

struct line {
    char *text;
    size_t used;
};

/* Everything that is added is bounded, and the whole below ADU_AUDIT_JSON; nevertheless. */
static ADU_PRINTF(2, 3) void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t room = ADU_AUDIT_JSON - line->used;
    const int added = vsnprintf(line->text + line->used, room, format, arguments);
    va_end(arguments);
    if (added > 0) {
        line->used += (size_t)added < room ? (size_t)added : room - 1;
    }
}

/* A text of `length` bytes, of which `kept` are at hand. What is all escapes is cut earlier. What
 * is cut ends in three dots, and its length stands beside it: a name cannot pretend to be cut. */
static void add_text(struct line *line, const char *key, const char *text, size_t kept,
                     size_t length, size_t room)
{
    char json[1024];
    const size_t written = adu_text_json(text, kept, json, room < sizeof json ? room : sizeof json);
    add(line, ",\"%s\":\"%s%s\"", key, json, written < length ? "..." : "");
    if (written < length) {
        add(line, ",\"%s_bytes\":%zu", key, length);
    }
}

static const char *text_of(const struct adu_audit_record *record, enum adu_audit_text which)
{
    return record->length[which] >= 0 ? record->text + places[which] : NULL;
}

static void add_texts(struct line *line, const struct adu_audit_record *record,
                      enum adu_audit_text first, enum adu_audit_text last)
{
    for (int i = (int)first; i <= (int)last; i++) {
        const enum adu_audit_text which = (enum adu_audit_text)i;
        const char *text = text_of(record, which);
        if (text != NULL && texts[i].key != NULL) {
            add_text(line, texts[i].key, text, strlen(text), (size_t)record->length[i],
                     2 * texts[i].most + 2);
        }
    }
}

static void add_time(struct line *line, int64_t wall_ms)
{
    const time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char date[64] = "";
    if (gmtime_r(&seconds, &utc) != NULL) {
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    }
    add(line, "{\"time\":\"%s.%03dZ\"", date, (int)(wall_ms % 1000));
}

static void add_reason(struct line *line, const struct adu_audit_record *record)
{
    struct adu_reason why = {.text = text_of(record, ADU_AUDIT_TEXT_REASON),
                             .level = record->level,
                             .limit = record->limit};
    const char *detail = text_of(record, ADU_AUDIT_TEXT_DETAIL);
    const char *level = text_of(record, ADU_AUDIT_TEXT_LEVEL);
    char text[640];
    if (why.text == NULL) {
        return;
    }
    snprintf(why.detail, sizeof why.detail, "%s", detail != NULL ? detail : "");
    if (level != NULL) {
        why.level_text = adu_text_of(level);
    }
    adu_audit_why(&why, text, sizeof text);
    adu_utf8_trim(text);
    const size_t length = strlen(text);
    add(line, ",\"stage\":\"%s\"", record->stage);
    add_text(line, "reason", text, length, length, sizeof text + 128);
}

static void add_place(struct line *line, const struct adu_audit_record *record)
{
    const char *file = text_of(record, ADU_AUDIT_TEXT_FILE);
    char place[64];
    if (file != NULL) {
        const int length = snprintf(place, sizeof place, "%s:%u", file, record->line);
        add_text(line, "place", place, (size_t)length, (size_t)length, 2 * sizeof place);
    }
}

size_t adu_audit_record_line(const struct adu_audit_record *record, uint64_t left_out,
                             char text[ADU_AUDIT_JSON])
{
    static const char *const events[] = {
        [ADU_AUDIT_CONNECT] = "connect",     [ADU_AUDIT_PUBLISH] = "publish",
        [ADU_AUDIT_SUBSCRIBE] = "subscribe", [ADU_AUDIT_RECEIVE] = "receive",
        [ADU_AUDIT_WILL] = "will",           [ADU_AUDIT_DISCONNECT] = "disconnect-by-us",
        [ADU_AUDIT_ALERT] = "alert"};
    static const char *const verdicts[] = {[ADU_AUDIT_REFUSED] = "refused",
                                           [ADU_AUDIT_WOULD_REFUSE] = "would_refuse",
                                           [ADU_AUDIT_ALLOWED] = "allowed",
                                           [ADU_AUDIT_RAISED] = "raised",
                                           [ADU_AUDIT_CLEARED] = "cleared"};
    static const char *const actions[] = {
        [ADU_PUBLISH] = "publish", [ADU_SUBSCRIBE] = "subscribe", [ADU_RECEIVE] = "receive"};
    struct line line = {.text = text};
    add_time(&line, record->wall_ms);
    add(&line, ",\"event\":\"%s\",\"verdict\":\"%s\"", events[record->event],
        verdicts[record->verdict]);
    add_texts(&line, record, ADU_AUDIT_TEXT_KIND, ADU_AUDIT_TEXT_KIND);
    add_texts(&line, record, ADU_AUDIT_TEXT_CLIENT_ID, ADU_AUDIT_TEXT_IDENTITY);
    if (record->has_request) {
        add(&line, ",\"action\":\"%s\"", actions[record->action]);
        add_texts(&line, record, ADU_AUDIT_TEXT_TOPIC, ADU_AUDIT_TEXT_TOPIC);
        add(&line, ",\"qos\":%d,\"retain\":%s,\"payload_bytes\":%u", record->qos,
            record->retain ? "true" : "false", (unsigned)record->payload_length);
    }
    add_reason(&line, record);
    add_texts(&line, record, ADU_AUDIT_TEXT_NEAREST, ADU_AUDIT_TEXT_NEAREST);
    add_texts(&line, record, ADU_AUDIT_TEXT_RULE, ADU_AUDIT_TEXT_RULE);
    add_place(&line, record);
    add(&line, ",\"generation\":%lu,\"suppressed\":%llu}\n", record->generation,
        (unsigned long long)left_out);
    return line.used;
}
