/* A line in the broker's log, with the name of the pipeline. */
#include "common/pipeline_parts.h"
#include <stdarg.h>
#include <stdio.h>

void adu_pipeline_log(struct adu_pipeline *p, enum adu_log_level level, const char *format, ...)
{
    char text[800], line[960];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "aduana: %s%s%s", p->name, p->name[0] != '\0' ? ": " : "", text);
    p->host->log(level, line);
}
