#include "cli/source.h"
#include "common/file.h"
#include "common/json.h"
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool open_file(struct adu_source *source, const char *directory, const char *name)
{
    size_t length;
    struct adu_error error = {0};
    if (source->text == NULL || strcmp(source->file, name) != 0) {
        adu_source_clear(source);
        char *path = g_build_filename(directory, name, NULL);
        source->text = adu_file_read(name, path, ADU_JSON_MAX_BYTES, &length, &error);
        snprintf(source->file, sizeof source->file, "%s", name);
        g_free(path);
    }
    return source->text != NULL;
}

/* NULL when the file has no such line. */
static const char *find_line(struct adu_source *source, unsigned line)
{
    if (source->line_at == NULL || line < source->line) {
        source->line_at = source->text;
        source->line = 1;
    }
    while (source->line < line && source->line_at != NULL) {
        const char *end = strchr(source->line_at, '\n');
        source->line_at = end != NULL ? end + 1 : NULL;
        source->line++;
    }
    return source->line_at;
}

const char *adu_source_string(struct adu_source *source, const char *directory,
                              const struct adu_place *place, char *buffer, size_t size)
{
    buffer[0] = '\0';
    const char *line =
        open_file(source, directory, place->file) ? find_line(source, place->line) : NULL;
    for (unsigned column = 1; line != NULL && column < place->column && *line != '\0'; column++) {
        line = g_utf8_next_char(line);
    }
    json_t *value =
        line != NULL ? json_loads(line, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    if (json_is_string(value)) {
        snprintf(buffer, size, "%s", json_string_value(value));
    }
    json_decref(value);
    return buffer;
}

void adu_source_clear(struct adu_source *source)
{
    free(source->text);
    *source = (struct adu_source){0};
}
