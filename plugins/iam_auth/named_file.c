#include "plugins/iam_auth/named_file.h"
#include "common/file.h"
#include <stdio.h>
#include <string.h>

const char *adu_named_file_path(struct adu_compiler *c, const char *name)
{
    if (name[0] == '/') {
        return adu_arena_strdup(c->arena, name);
    }
    const size_t size = strlen(c->directory) + strlen(name) + 2;
    char *path = adu_arena_alloc(c->arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", c->directory, name);
    }
    return path;
}

char *adu_named_file_read(struct adu_compiler *c, const char *name, size_t most, size_t *length)
{
    const char *path = adu_named_file_path(c, name);
    if (path == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    return adu_file_read(name, path, most, length, c->error);
}
