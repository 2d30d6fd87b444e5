#include "common/error.h"
#include "common/utf8.h"
#include <stdarg.h>
#include <stdio.h>

bool adu_error_set(struct adu_error *error, const struct adu_place *place, const char *format, ...)
{
    if (error->set) {
        return false;
    }
    error->set = true;
    if (place != NULL) {
        error->line = place->line;
        error->column = place->column;
        snprintf(error->file, sizeof error->file, "%s", place->file != NULL ? place->file : "");
        adu_utf8_trim(error->file);
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    adu_utf8_trim(error->text);
    for (char *c = error->text; *c != '\0'; c++) { /* a key may hold a line that looks like ours */
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
    }
    return false;
}

bool adu_error_no_memory(struct adu_error *error)
{
    return adu_error_set(error, NULL, "out of memory");
}

const char *adu_error_format(const struct adu_error *error, char *buffer, unsigned long size)
{
    if (error->file[0] != '\0' && error->line > 0) {
        snprintf(buffer, size, "%s:%u:%u: %s", error->file, error->line, error->column,
                 error->text);
    } else if (error->file[0] != '\0') {
        snprintf(buffer, size, "%s: %s", error->file, error->text);
    } else {
        snprintf(buffer, size, "%s", error->text);
    }
    return buffer;
}
