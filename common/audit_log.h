/* The audit log: records from the broker's thread, written as lines by a thread of its own. The
 * broker's thread neither waits nor allocates for it: what cannot be kept is counted and left out.
 * All but what the thread itself does is called from the broker's thread. */
#ifndef ADUANA_COMMON_AUDIT_LOG_H
#define ADUANA_COMMON_AUDIT_LOG_H

#include "common/audit_record.h"
#include "common/settings.h"

struct adu_audit_log;

/* NULL when memory is gone. Nothing is written before adu_audit_log_use. */
struct adu_audit_log *adu_audit_log_new(void);

/* Lets the thread write what is waiting, for a second at most, and ends it. NULL-safe. */
void adu_audit_log_free(struct adu_audit_log *log);

/* From now on, these settings (copied). What is waiting goes to the new place. Starts the thread,
 * so not before a broker has become a daemon. */
void adu_audit_log_use(struct adu_audit_log *log, const struct adu_audit_settings *settings);

/* Opens the file anew: it may have been renamed. */
void adu_audit_log_reopen(struct adu_audit_log *log);

/* A record to be filled in and committed, or NULL: there is no audit log, or this one finds no room
 * or comes after too many within a second, which is counted. What is `allowed` may take half of the
 * room, so that it never keeps a refusal out. */
struct adu_audit_record *adu_audit_log_next(struct adu_audit_log *log, bool allowed,
                                            int64_t mono_ms);
void adu_audit_log_commit(struct adu_audit_log *log);

/* True if what is allowed is to be told too. */
bool adu_audit_log_wants_allowed(const struct adu_audit_log *log);

struct adu_audit_state {
    uint64_t written;
    uint64_t dropped; /* lines left out: no room, too many in a second, or no time at the end */
    uint64_t failed;  /* times that it could not be opened or written; the line waits */
    size_t waiting;
    int error; /* of the last attempt, 0 if it went well; see adu_audit_sink_text */
};

struct adu_audit_state adu_audit_log_state(const struct adu_audit_log *log);

#endif
