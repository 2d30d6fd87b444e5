#include "cli/excerpt.h"
#include "common/text.h"
#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* BEFORE: cells that are shown before the place, where there is as much behind it. */
enum { DOTS = 3, BEFORE = 30 };

/* A character as it is shown. */
struct glyph {
    size_t taken; /* bytes of the line */
    unsigned cells;
    char shown[ADU_TEXT_SHOWN];
};

static struct glyph glyph_at(const char *text, size_t length)
{
    struct glyph g;
    if (text[0] == '\t') {
        g = (struct glyph){.taken = 1, .cells = 4, .shown = "    "};
        return g;
    }
    g.taken = adu_text_show(text, length, g.shown);
    g.cells = (unsigned)strlen(g.shown);
    if ((unsigned char)g.shown[0] >= 0x80) { /* not escaped, so it is valid */
        const gunichar c = g_utf8_get_char(g.shown);
        g.cells = g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return g;
}

/* The cells before the place, and whether less than `room` more follow from there: then `*total` is
 * all of the line's, else at least that. */
static unsigned measure(const char *line, size_t length, unsigned column, unsigned *total)
{
    unsigned caret = 0, cells = 0, seen = 1;
    for (size_t at = 0; at < length && cells <= caret + ADU_EXCERPT_CELLS; seen++) {
        const struct glyph g = glyph_at(line + at, length - at);
        at += g.taken;
        cells += g.cells;
        if (seen < column) {
            caret = cells;
        }
    }
    *total = cells;
    return caret;
}

static void append(struct adu_excerpt *excerpt, size_t *used, const char *text)
{
    const size_t length = strlen(text);
    if (*used + length < sizeof excerpt->text) {
        memcpy(excerpt->text + *used, text, length + 1);
        *used += length;
    }
}

void adu_excerpt_make(struct adu_excerpt *excerpt, const char *line, size_t length, unsigned column)
{
    unsigned total, left = 0, cells = 0;
    size_t used = 0;
    const unsigned room = ADU_EXCERPT_CELLS - 1; /* one is for a caret behind the line */
    const unsigned caret = measure(line, length, column, &total);
    if (total > room && caret > BEFORE) {
        left = caret - BEFORE < total - room ? caret - BEFORE : total - room;
    }
    const bool cut = total > left + room;
    const unsigned right = left + room - (cut ? DOTS : 0);
    excerpt->text[0] = '\0';
    excerpt->caret = caret - left;
    append(excerpt, &used, left > 0 ? "..." : "");
    const unsigned kept = left > 0 ? DOTS : 0; /* cells that these take from the line */
    for (size_t at = 0; at < length && cells < right;) {
        const struct glyph g = glyph_at(line + at, length - at);
        at += g.taken;
        cells += g.cells;
        if (cells <= left + kept || cells > right) {
            continue;
        }
        if (cells - g.cells >= left + kept) {
            append(excerpt, &used, g.shown);
            continue;
        }
        for (unsigned i = left + kept; i < cells; i++) { /* the edge cuts it in two */
            append(excerpt, &used, " ");
        }
    }
    append(excerpt, &used, cut ? "..." : "");
}

/* Where the string that begins at `at` ends: behind its quote, or with the line. */
static size_t end_of_string(const char *line, size_t length, size_t at)
{
    for (at++; at < length && line[at] != '"'; at++) {
        if (line[at] == '\\') {
            at++;
        }
    }
    return at < length ? at + 1 : length;
}

static bool is_key(const char *line, size_t length, size_t end)
{
    while (end < length && strchr(" \t\r", line[end]) != NULL) {
        end++;
    }
    return end < length && line[end] == ':';
}

size_t adu_excerpt_hide_values(char *line, size_t length)
{
    size_t to = 0;
    for (size_t at = 0; at < length;) {
        const bool string = line[at] == '"';
        const size_t end = string ? end_of_string(line, length, at) : at + 1;
        const bool key = string && is_key(line, length, end);
        for (; at < end; at++) {
            if (key || (!string && strchr("{}[]:, \t", line[at]) != NULL) || line[at] == '"') {
                line[to++] = line[at];
            } else if (((unsigned char)line[at] & 0xc0) != 0x80) { /* one for each character */
                line[to++] = '*';
            }
        }
    }
    return to;
}
