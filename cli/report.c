#include "cli/report.h"
#include "cli/excerpt.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines are read from their beginning, and a program's file may be one line of megabytes: after so
 * many bytes of lines nothing more is quoted. */
enum { PATH_MOST = 4096, EXCERPTS_MOST = 100, QUOTED_MOST = 16 * 1024 * 1024 };

struct report_file {
    char name[ADU_ERROR_FILE];
    char *text; /* NULL: cannot be read */
    size_t length;
    size_t *lines; /* where each begins */
    size_t count;
};

struct adu_report {
    const char *directory;
    const struct adu_paint *paint;
    struct report_file file; /* the one that was quoted last */
    unsigned excerpts;
    size_t quoted; /* bytes of lines */
};

struct adu_report *adu_report_new(const char *directory, const struct adu_paint *paint)
{
    struct adu_report *report = calloc(1, sizeof *report);
    if (report != NULL) {
        report->directory = directory;
        report->paint = paint;
    }
    return report;
}

static void forget_file(struct report_file *file)
{
    free(file->text);
    free(file->lines);
    *file = (struct report_file){0};
}

void adu_report_free(struct adu_report *report)
{
    if (report != NULL) {
        forget_file(&report->file);
        free(report);
    }
}

/* --- quoting --- */

static bool find_lines(struct report_file *file)
{
    size_t count = 1;
    for (size_t at = 0; at < file->length; at++) {
        count += file->text[at] == '\n';
    }
    file->lines = calloc(count, sizeof *file->lines);
    if (file->lines == NULL) {
        return false;
    }
    file->count = 1;
    for (size_t at = 0; at < file->length; at++) {
        if (file->text[at] == '\n') {
            file->lines[file->count++] = at + 1;
        }
    }
    return true;
}

static void read_file(struct report_file *file, const char *directory, const char *name)
{
    char path[PATH_MOST];
    struct adu_error error = {0};
    forget_file(file);
    snprintf(file->name, sizeof file->name, "%s", name);
    if (snprintf(path, sizeof path, "%s/%s", directory, name) < PATH_MOST) {
        file->text = adu_file_read(name, path, ADU_JSON_MAX_BYTES, &file->length, &error);
    }
    if (file->text != NULL && !find_lines(file)) {
        free(file->text);
        file->text = NULL;
    }
}

/* The password file and keys are not for the screen. */
static bool may_be_quoted(const struct adu_place *place)
{
    const size_t length = place->file != NULL ? strlen(place->file) : 0;
    return length > 5 && strcmp(place->file + length - 5, ".json") == 0 && place->file[0] != '/' &&
           place->line > 0;
}

/* A copy of the line; NULL if there is none. */
static char *copy_line(const struct report_file *file, unsigned line, size_t *length)
{
    if (file->text == NULL || line > file->count) {
        return NULL;
    }
    const size_t begin = file->lines[line - 1];
    size_t end = line < file->count ? file->lines[line] - 1 : file->length;
    if (end > begin && file->text[end - 1] == '\r') {
        end--;
    }
    *length = end - begin;
    char *copy = malloc(*length + 1);
    if (copy != NULL) {
        memcpy(copy, file->text + begin, *length);
    }
    return copy;
}

static void quote(struct adu_report *report, const struct adu_place *place)
{
    struct report_file *file = &report->file;
    size_t length;
    if (!may_be_quoted(place) || report->excerpts >= EXCERPTS_MOST ||
        report->quoted > QUOTED_MOST) {
        return;
    }
    if (strcmp(file->name, place->file) != 0) {
        read_file(file, report->directory, place->file);
    }
    char *line = copy_line(file, place->line, &length);
    if (line == NULL) {
        return;
    }
    if (strcmp(place->file, "iam_auth.json") == 0) {
        length = adu_excerpt_hide_values(line, length);
    }
    struct adu_excerpt excerpt;
    adu_excerpt_make(&excerpt, line, length, place->column);
    printf("    %s\n    %*s%s^%s\n", excerpt.text, (int)excerpt.caret, "", report->paint->place,
           report->paint->off);
    report->excerpts++;
    report->quoted += length;
    free(line);
}

/* --- findings --- */

/* Names in the policy may hold what turns the text around or hides it. */
static void print_text(const char *text)
{
    char shown[ADU_TEXT_SHOWN];
    const size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        at += adu_text_show(text + at, length - at, shown);
        fputs(shown, stdout);
    }
}

void adu_report_print(struct adu_report *report, const struct adu_finding *finding)
{
    const struct adu_paint *paint = report->paint;
    const struct adu_place *place = &finding->place;
    const bool error = finding->code == NULL;
    fputs(paint->strong, stdout);
    if (place->file != NULL) {
        print_text(place->file);
        if (place->line > 0) {
            printf(":%u:%u", place->line, place->column);
        }
        fputs(": ", stdout);
    }
    printf("%s%s%s:%s ", paint->off, error ? paint->bad : paint->doubtful,
           error ? "error" : "warning", paint->off);
    print_text(finding->text);
    if (!error) {
        printf(" [%s]", finding->code);
    }
    putchar('\n');
    quote(report, place);
}

json_t *adu_report_json(const struct adu_finding *finding)
{
    const struct adu_place *place = &finding->place;
    const bool placed = place->file != NULL && place->line > 0;
    return json_pack("{s:s?, s:o, s:o, s:s, s:s?, s:s}", "file", place->file, "line",
                     placed ? json_integer(place->line) : json_null(), "column",
                     placed ? json_integer(place->column) : json_null(), "severity",
                     finding->code == NULL ? "error" : "warning", "code", finding->code, "message",
                     finding->text);
}
