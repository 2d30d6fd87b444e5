/* aduana.json: what concerns the bundle as a whole and no stage. The file is optional. */
#ifndef ADUANA_COMMON_SETTINGS_H
#define ADUANA_COMMON_SETTINGS_H

#include "common/compiler.h"
#include "common/json.h"
#include "common/network.h"

/* Where the audit log goes. */
enum adu_audit_to {
    ADU_AUDIT_TO_NONE, /* there is none */
    ADU_AUDIT_TO_FILE,
    ADU_AUDIT_TO_SYSLOG,
    ADU_AUDIT_TO_JOURNALD,
    ADU_AUDIT_TO_STDERR,
};

/* The key "audit". */
struct adu_audit_settings {
    enum adu_audit_to to;
    const char *path;       /* of ADU_AUDIT_TO_FILE, from the root; lives as long as the arena */
    struct adu_place place; /* of "to" */
    bool allowed;           /* what is allowed has its lines too */
    bool required;          /* a generation whose file cannot be opened is refused */
    long lines_per_second;  /* at most */
    long queue;             /* records that may wait to be written */
};

enum {
    ADU_AUDIT_PATH_MOST = 4000,
    ADU_AUDIT_LINES_DEFAULT = 1000,
    ADU_AUDIT_LINES_MOST = 1000000,
    ADU_AUDIT_QUEUE_DEFAULT = 8192,
    ADU_AUDIT_QUEUE_LEAST = 64,
    ADU_AUDIT_QUEUE_MOST = 65536,
};

/* The key "metrics". */
struct adu_metrics_settings {
    bool http; /* they are to be had there; all else is of no meaning without */
    struct adu_address address;
    long port;              /* 0: any free one */
    long sample_every;      /* so many decisions, on average, of which one is timed; 0: none is */
    struct adu_place place; /* of the key */
};

enum {
    ADU_METRICS_PORT_DEFAULT = 9883,
    ADU_METRICS_SAMPLE_DEFAULT = 64,
    ADU_METRICS_SAMPLE_MOST = 1000000,
};

struct adu_settings {
    struct adu_audit_settings audit;
    struct adu_metrics_settings metrics;
    bool gate;         /* a generation whose assertions fail does not replace another */
    bool watch_folder; /* a change in the policy folder is a reload */
};

/* Reads the file's root into `settings`, zeroed by the caller: what it keeps when there is no file.
 * Text is copied into the compiler's arena. false with c->error set. Any thread. */
ADU_API bool adu_settings_read(struct adu_compiler *c, const struct adu_json *root,
                               struct adu_settings *settings);

#endif
