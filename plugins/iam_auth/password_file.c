#include "plugins/iam_auth/password_file.h"
#include "plugins/iam_auth/named_file.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 64 * 1024 * 1024 };

struct reading {
    struct adu_compiler *c;
    adu_password_file_take *take;
    void *context;
};

static bool read_line(const struct reading *r, char *line, const struct adu_place *place)
{
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    char *colon = strchr(line, ':');
    if (colon == NULL || colon == line) {
        return adu_error_set(r->c->error, place, "expected <user name>:<hash>");
    }
    *colon = '\0';
    char *until = strchr(colon + 1, ':');
    if (until != NULL) {
        *until++ = '\0';
    }
    return r->take(r->context, line, colon + 1, until, place);
}

bool adu_password_file_read(struct adu_compiler *c, const char *name, adu_password_file_take *take,
                            void *context)
{
    size_t length;
    char *text = adu_named_file_read(c, name, FILE_MOST, &length);
    if (text == NULL) {
        return false;
    }
    const struct reading r = {.c = c, .take = take, .context = context};
    struct adu_place place = {.file = adu_arena_strdup(c->arena, name), .line = 0, .column = 1};
    bool good = place.file != NULL || adu_error_no_memory(c->error);
    if (good && strlen(text) != length) {
        good = adu_error_set(c->error, &(struct adu_place){.file = name}, "holds a NUL byte");
    }
    char *rest = text, *line;
    while (good && (line = strsep(&rest, "\n")) != NULL) {
        place.line++;
        const size_t end = strlen(line);
        if (end > 0 && line[end - 1] == '\r') {
            line[end - 1] = '\0';
        }
        good = read_line(&r, line, &place);
    }
    explicit_bzero(text, length);
    free(text);
    return good;
}
