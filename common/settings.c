#include "common/settings.h"
#include "common/reader.h"
#include <string.h>

struct audit_keys {
    const char *to;
    bool allowed, required;
    long lines_per_second, queue;
};

static const struct adu_field audit_fields[] = {
    ADU_FIELD(struct audit_keys, to, STRING, .required = true),
    ADU_FIELD(struct audit_keys, allowed, BOOL),
    ADU_FIELD(struct audit_keys, required, BOOL),
    ADU_FIELD(struct audit_keys, lines_per_second, INTEGER, .minimum = 1,
              .maximum = ADU_AUDIT_LINES_MOST),
    ADU_FIELD(struct audit_keys, queue, INTEGER, .minimum = ADU_AUDIT_QUEUE_LEAST,
              .maximum = ADU_AUDIT_QUEUE_MOST),
    {0},
};

static bool read_path(struct adu_compiler *c, const struct adu_json *node, const char *path,
                      struct adu_audit_settings *audit)
{
    if (strlen(path) > ADU_AUDIT_PATH_MOST) {
        return adu_json_error(node, c->error, "the path has more than %d bytes",
                              ADU_AUDIT_PATH_MOST);
    }
    audit->to = ADU_AUDIT_TO_FILE;
    audit->path = adu_arena_strdup(c->arena, path);
    return audit->path != NULL || adu_error_no_memory(c->error);
}

static bool read_to(struct adu_compiler *c, const struct adu_json *node, const char *to,
                    struct adu_audit_settings *audit)
{
    static const char *const names[] = {[ADU_AUDIT_TO_SYSLOG] = "syslog",
                                        [ADU_AUDIT_TO_JOURNALD] = "journald",
                                        [ADU_AUDIT_TO_STDERR] = "stderr"};
    static const char file[] = "file:";
    audit->place = adu_compiler_place(c, &node->place);
    if (strncmp(to, file, strlen(file)) == 0 && to[strlen(file)] == '/') {
        return read_path(c, node, to + strlen(file), audit);
    }
    for (int i = ADU_AUDIT_TO_SYSLOG; i <= ADU_AUDIT_TO_STDERR; i++) {
        if (strcmp(to, names[i]) == 0) {
            audit->to = (enum adu_audit_to)i;
            return true;
        }
    }
    return adu_json_error(node, c->error,
                          "expected \"file:\" and a path from the root, as in "
                          "file:/var/log/aduana/audit.log, or one of \"syslog\", \"journald\", "
                          "\"stderr\"");
}

static bool read_audit(struct adu_compiler *c, const struct adu_json *node,
                       struct adu_audit_settings *audit)
{
    struct audit_keys keys = {.lines_per_second = ADU_AUDIT_LINES_DEFAULT,
                              .queue = ADU_AUDIT_QUEUE_DEFAULT};
    if (!adu_read_object(node, audit_fields, &keys, c->error)) {
        return false;
    }
    audit->allowed = keys.allowed;
    audit->required = keys.required;
    audit->lines_per_second = keys.lines_per_second;
    audit->queue = keys.queue;
    return read_to(c, adu_json_member(node, "to"), keys.to, audit);
}

struct keys {
    const char *schema;
    const struct adu_json *audit;
    bool gate, watch_folder;
};

static const struct adu_field fields[] = {
    {.key = "$schema", .kind = ADU_FIELD_STRING, .offset = offsetof(struct keys, schema)},
    ADU_FIELD(struct keys, audit, OBJECT),
    ADU_FIELD(struct keys, gate, BOOL),
    ADU_FIELD(struct keys, watch_folder, BOOL),
    {0},
};

bool adu_settings_read(struct adu_compiler *c, const struct adu_json *root,
                       struct adu_settings *settings)
{
    struct keys keys = {0};
    if (!adu_read_object(root, fields, &keys, c->error)) {
        return false;
    }
    settings->gate = keys.gate;
    settings->watch_folder = keys.watch_folder;
    return keys.audit == NULL || read_audit(c, keys.audit, &settings->audit);
}
