/* Where audit lines go: a file, syslog, journald, stderr. Nothing here waits: what would, says so.
 * One thread a sink. */
#ifndef ADUANA_COMMON_AUDIT_SINK_H
#define ADUANA_COMMON_AUDIT_SINK_H

#include "common/settings.h"
#include <sys/types.h>

struct adu_audit_sink {
    enum adu_audit_to to;
    char path[ADU_AUDIT_PATH_MOST + 1]; /* of the file, or of the daemon's socket */
    int fd;                             /* -1: it is closed */
    dev_t device;                       /* of what was opened last, and */
    ino_t inode;                        /* its number there */
    int error;                          /* of the last failure; see adu_audit_sink_text */
};

enum adu_audit_written {
    ADU_AUDIT_WRITTEN_ALL,
    ADU_AUDIT_WRITTEN_LATER, /* when poll says that `fd` takes more */
    ADU_AUDIT_WRITTEN_NOT,   /* `error` says why; try again later */
};

/* A closed sink for those settings, whose path is copied. */
void adu_audit_sink_init(struct adu_audit_sink *sink, const struct adu_audit_settings *settings);

/* Opens it, if it is not open. A file is made if it is missing (mode 0640), and only added to. */
bool adu_audit_sink_open(struct adu_audit_sink *sink);

/* Closes it, if it is open. */
void adu_audit_sink_close(struct adu_audit_sink *sink);

/* Writes what is left of a line: `*done` bytes have been written already. Opens the sink first if
 * it is closed; if that is another file now, the line begins anew. A file that ends within a line,
 * whose writer was killed, gets the end of that line first. What is not a file takes a line whole
 * or not at all. */
enum adu_audit_written adu_audit_sink_write(struct adu_audit_sink *sink, const char *line,
                                            size_t length, size_t *done);

/* "file:/var/log/aduana/audit.log", as in the settings. Returns `buffer`. */
enum { ADU_AUDIT_SINK_NAME = ADU_AUDIT_PATH_MOST + 8 };
const char *adu_audit_sink_name(const struct adu_audit_settings *settings,
                                char buffer[ADU_AUDIT_SINK_NAME]);

/* What an `error` means. */
const char *adu_audit_sink_text(int error);

/* False, with an error at the place of "to", if the settings demand a log that cannot be opened
 * now. */
bool adu_audit_sink_check(const struct adu_audit_settings *settings, struct adu_error *error);

#endif
