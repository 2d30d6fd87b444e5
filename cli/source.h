/* What stands at a place of a policy file, for people who want to see the rule. */
#ifndef ADUANA_CLI_SOURCE_H
#define ADUANA_CLI_SOURCE_H

#include "common/error.h"
#include <stddef.h>

/* Zeroed, nothing has been read yet. */
struct adu_source {
    char file[ADU_ERROR_FILE];
    char *text;
    const char *line_at; /* where the line `line` begins */
    unsigned line;
};

/* The JSON string at `place` of a file in `directory`, in `buffer`, cut to its size. "" if nothing
 * of the kind is there any more. Cheap when places come in order. */
const char *adu_source_string(struct adu_source *source, const char *directory,
                              const struct adu_place *place, char *buffer, size_t size);

void adu_source_clear(struct adu_source *source);

#endif
