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

struct metrics_keys {
    const char *address;
    long port, sample_every;
};

static const struct adu_field metrics_fields[] = {
    ADU_FIELD(struct metrics_keys, address, STRING),
    ADU_FIELD(struct metrics_keys, port, INTEGER, .minimum = 0, .maximum = 65535),
    ADU_FIELD(struct metrics_keys, sample_every, INTEGER, .minimum = 0,
              .maximum = ADU_METRICS_SAMPLE_MOST),
    {0},
};

static bool is_loopback(const struct adu_address *address)
{
    struct adu_network v4, v6;
    adu_network_parse("127.0.0.0/8", &v4);
    adu_network_parse("::1", &v6);
    return adu_network_has(&v4, address) || adu_network_has(&v6, address);
}

static bool read_metrics(struct adu_compiler *c, const struct adu_json *node,
                         struct adu_metrics_settings *metrics)
{
    struct metrics_keys keys = {.address = "127.0.0.1",
                                .port = ADU_METRICS_PORT_DEFAULT,
                                .sample_every = ADU_METRICS_SAMPLE_DEFAULT};
    if (!adu_read_object(node, metrics_fields, &keys, c->error)) {
        return false;
    }
    *metrics = (struct adu_metrics_settings){.http = true,
                                             .address = adu_address_of(keys.address),
                                             .port = keys.port,
                                             .sample_every = keys.sample_every,
                                             .place = adu_compiler_place(c, &node->place)};
    if (!metrics->address.known || strchr(keys.address, '%') != NULL) {
        return adu_json_error(adu_json_member(node, "address"), c->error,
                              "is no address, such as 127.0.0.1 or ::1");
    }
    if (!is_loopback(&metrics->address)) {
        adu_findings_add(c->findings, "open-metrics", &metrics->place,
                         "metrics: whoever reaches %s reads them: nobody is asked for a password",
                         keys.address);
    }
    return true;
}

struct keys {
    const char *schema;
    const struct adu_json *audit, *metrics;
    bool gate, watch_folder;
};

static const struct adu_field fields[] = {
    {.key = "$schema", .kind = ADU_FIELD_STRING, .offset = offsetof(struct keys, schema)},
    ADU_FIELD(struct keys, audit, OBJECT),
    ADU_FIELD(struct keys, metrics, OBJECT),
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
    return (keys.audit == NULL || read_audit(c, keys.audit, &settings->audit)) &&
           (keys.metrics == NULL || read_metrics(c, keys.metrics, &settings->metrics));
}
