#include "common/findings.h"
#include "common/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct adu_findings {
    struct adu_arena *arena;
    struct adu_finding *first, *last;
    unsigned long count;
};

struct adu_findings *adu_findings_new(void)
{
    struct adu_findings *findings = calloc(1, sizeof *findings);
    if (findings != NULL && (findings->arena = adu_arena_new()) == NULL) {
        free(findings);
        return NULL;
    }
    return findings;
}

void adu_findings_free(struct adu_findings *findings)
{
    if (findings != NULL) {
        adu_arena_free(findings->arena);
        free(findings);
    }
}

/* `said` has what is fit for a line. */
static void add(struct adu_findings *findings, const char *code, const struct adu_error *said)
{
    findings->count++;
    struct adu_finding *finding = adu_arena_alloc(findings->arena, sizeof *finding);
    if (finding == NULL ||
        (finding->text = adu_arena_strdup(findings->arena, said->text)) == NULL) {
        return;
    }
    finding->code = code;
    if (said->file[0] != '\0') {
        finding->place.file = adu_arena_strdup(findings->arena, said->file);
        finding->place.line = said->line;
        finding->place.column = said->column;
    }
    if (findings->last != NULL) {
        findings->last->next = finding;
    } else {
        findings->first = finding;
    }
    findings->last = finding;
}

void adu_findings_add(struct adu_findings *findings, const char *code,
                      const struct adu_place *place, const char *format, ...)
{
    if (findings == NULL) {
        return;
    }
    struct adu_error said = {0};
    va_list arguments;
    va_start(arguments, format);
    char text[ADU_ERROR_TEXT];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    adu_error_set(&said, place, "%s", text);
    add(findings, code, &said);
}

void adu_findings_add_error(struct adu_findings *findings, const struct adu_error *error)
{
    if (findings != NULL) {
        add(findings, NULL, error);
    }
}

const struct adu_finding *adu_findings_first(const struct adu_findings *findings)
{
    return findings != NULL ? findings->first : NULL;
}

unsigned long adu_findings_count(const struct adu_findings *findings)
{
    return findings != NULL ? findings->count : 0;
}
