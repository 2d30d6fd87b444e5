/* One decision for the audit log: filled in on the broker's thread by copying, which allocates
 * nothing, and turned into a line of JSON by whoever writes it. Pure. */
#ifndef ADUANA_COMMON_AUDIT_RECORD_H
#define ADUANA_COMMON_AUDIT_RECORD_H

#include "common/reason.h"
#include "common/request.h"

enum adu_audit_event {
    ADU_AUDIT_CONNECT,
    ADU_AUDIT_PUBLISH,
    ADU_AUDIT_SUBSCRIBE,
    ADU_AUDIT_RECEIVE,
    ADU_AUDIT_WILL,
    ADU_AUDIT_DISCONNECT, /* by us */
    ADU_AUDIT_ALERT,
};

/* The last two: an alert begins, an alert is over. */
enum adu_audit_verdict {
    ADU_AUDIT_REFUSED,
    ADU_AUDIT_WOULD_REFUSE,
    ADU_AUDIT_ALLOWED,
    ADU_AUDIT_RAISED,
    ADU_AUDIT_CLEARED,
};

/* The texts of a record: name, key in the line (NULL: it is part of another), bytes kept. */
#define ADU_AUDIT_TEXTS(X)                                                                         \
    X(CLIENT_ID, "client_id", 128)                                                                 \
    X(USERNAME, "username", 128)                                                                   \
    X(CLAIMED_USERNAME, "claimed_username", 128)                                                   \
    X(ADDRESS, "address", 48)                                                                      \
    X(IDENTITY, "identity", 64)                                                                    \
    X(TOPIC, "topic", 256)                                                                         \
    X(RULE, "rule", 64)                                                                            \
    X(FILE, NULL, 32)                                                                              \
    X(REASON, NULL, 256)                                                                           \
    X(DETAIL, NULL, 160)                                                                           \
    X(LEVEL, NULL, 48)                                                                             \
    X(NEAREST, "nearest", 120)                                                                     \
    X(KIND, "kind", 48)

enum adu_audit_text {
#define X(name, key, most) ADU_AUDIT_TEXT_##name,
    ADU_AUDIT_TEXTS(X)
#undef X
        ADU_AUDIT_TEXT_COUNT
};

enum {
#define X(name, key, most) +(most) + 1
    ADU_AUDIT_TEXT_BYTES = ADU_AUDIT_TEXTS(X)
#undef X
};

/* Of a fixed size, so that a queue of them has one too. */
struct adu_audit_record {
    int64_t wall_ms;
    uint64_t left_out; /* before this one, since the last; for the queue */
    unsigned long generation;
    enum adu_audit_event event;
    enum adu_audit_verdict verdict;
    bool has_request;
    enum adu_action action;
    uint8_t qos;
    bool retain;
    uint32_t payload_length;
    const char *stage; /* of those that live for ever */
    unsigned line;     /* of the rule; 0: none is to be named */
    unsigned level;
    long limit;
    int32_t length[ADU_AUDIT_TEXT_COUNT]; /* of the whole text, -1 where there is none */
    char text[ADU_AUDIT_TEXT_BYTES];      /* each at its place, ended with a NUL */
};

/* Begins a record, whatever the memory held before. */
ADU_API void adu_audit_record_begin(struct adu_audit_record *record, enum adu_audit_event event,
                                    enum adu_audit_verdict verdict, int64_t wall_ms,
                                    unsigned long generation);

/* Copies as much of a text as is kept; NULL: there is none. */
ADU_API void adu_audit_record_text(struct adu_audit_record *record, enum adu_audit_text which,
                                   const char *text);

/* What was asked for. The client's name is taken from the request's subject. */
ADU_API void adu_audit_record_request(struct adu_audit_record *record,
                                      const struct adu_request *request);

/* Why; its text is copied, as the policy may be gone when the line is written. */
ADU_API void adu_audit_record_reason(struct adu_audit_record *record, const struct adu_reason *why);

/* Writes the record as one line of JSON in UTF-8, its end of line included: no byte below 0x20 but
 * that, no other character that ends a line or turns its direction. `left_out` is what it says of
 * lines before it. Whatever a client sends it stays below ADU_AUDIT_JSON, which in turn is what a
 * pipe takes at once. Returns its length. */
enum { ADU_AUDIT_JSON = 4096 };
ADU_API size_t adu_audit_record_line(const struct adu_audit_record *record, uint64_t left_out,
                                     char line[ADU_AUDIT_JSON]);

#endif
