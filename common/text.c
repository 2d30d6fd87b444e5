#include "common/text.h"
#include "common/utf8.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct writer {
    char *buffer;
    size_t size, used;
    bool full;
};

static void put(struct writer *w, const char *text, size_t length)
{
    /* Keeps room for the closing quote and the end. */
    if (w->full || w->used + length + 2 > w->size) {
        w->full = true;
        return;
    }
    memcpy(w->buffer + w->used, text, length);
    w->used += length;
}

static unsigned code_point(const unsigned char *bytes, size_t size)
{
    switch (size) {
    case 2:
        return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
    case 3:
        return (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    case 4:
        return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3fu) << 12 | (bytes[2] & 0x3fu) << 6 |
               (bytes[3] & 0x3fu);
    default:
        return bytes[0];
    }
}

/* Controls, line and paragraph separators, and what turns or hides text (Unicode 15, 23.2). */
static bool disturbs(unsigned c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x061c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* A byte that begins no valid sequence (`size` 0) stands for itself. */
static unsigned character(const char *text, size_t size)
{
    return size == 0 ? (unsigned char)*text : code_point((const unsigned char *)text, size);
}

size_t adu_text_show(const char *text, size_t length, char shown[ADU_TEXT_SHOWN])
{
    const size_t size = adu_utf8_sequence(text, length);
    const unsigned c = character(text, size);
    if (size == 0 || (disturbs(c) && c < 0x100)) {
        snprintf(shown, ADU_TEXT_SHOWN, "\\x%02x", c);
    } else if (disturbs(c)) {
        snprintf(shown, ADU_TEXT_SHOWN, "\\u%04x", c);
    } else {
        memcpy(shown, text, size);
        shown[size] = '\0';
    }
    return size == 0 ? 1 : size;
}

/* What of the first `shown` bytes leaves that much room. Returns how many that are: a character
 * more than `shown` at most. */
static size_t put_shown(struct writer *w, const char *text, size_t length, size_t shown,
                        size_t room)
{
    size_t at = 0;
    while (at < shown) {
        char one[ADU_TEXT_SHOWN];
        const size_t taken = adu_text_show(text + at, length - at, one);
        if (text[at] == '"' || text[at] == '\\') {
            snprintf(one, sizeof one, "\\%c", text[at]);
        }
        if (w->used + strlen(one) + room + 2 > w->size) {
            break;
        }
        put(w, one, strlen(one));
        at += taken;
    }
    return at;
}

const char *adu_text_quote(const char *text, size_t length, size_t limit, char *buffer, size_t size)
{
    if (text == NULL) {
        snprintf(buffer, size, "-");
        return buffer;
    }
    if (size < 3) {
        snprintf(buffer, size, "%s", "");
        return buffer;
    }
    char rest[40];
    const size_t mark = (size_t)snprintf(rest, sizeof rest, "...(%zu bytes)", length);
    const size_t shown = length < limit ? length : limit;
    struct writer w = {.buffer = buffer, .size = size};
    put(&w, "\"", 1);
    size_t at = put_shown(&w, text, length, shown, length > limit ? mark : 0);
    if (at < shown && length <= limit) { /* not all of it finds room, which is to be said */
        w.used = 1;
        at = put_shown(&w, text, length, shown, mark);
    }
    if (at < length) {
        put(&w, rest, mark);
    }
    w.buffer[w.used] = '"';
    w.buffer[w.used + 1] = '\0';
    return buffer;
}

static void put_json(struct writer *w, const char *text, size_t size)
{
    char escape[16];
    const unsigned c = character(text, size);
    if (size == 0 || disturbs(c)) {
        put(w, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", size == 0 ? 0xfffd : c));
    } else if (c == '"' || c == '\\') {
        put(w, escape, (size_t)snprintf(escape, sizeof escape, "\\%c", (int)c));
    } else {
        put(w, text, size);
    }
}

size_t adu_text_json(const char *text, size_t length, char *buffer, size_t size)
{
    struct writer w = {.buffer = buffer, .size = size};
    size_t at = 0;
    while (at < length) {
        const size_t sequence = adu_utf8_sequence(text + at, length - at);
        put_json(&w, text + at, sequence);
        if (w.full) {
            break;
        }
        at += sequence == 0 ? 1 : sequence;
    }
    if (size > 0) {
        buffer[w.used] = '\0';
    }
    return at;
}

enum { LONGEST_WORD = 64 };

/* What differs by case alone is nearer than what is another letter. */
enum { CASE = 1, LETTER = 2 };

static size_t change_of(char a, char b)
{
    return a == b ? 0 : strncasecmp(&a, &b, 1) == 0 ? CASE : LETTER;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
    const size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > LONGEST_WORD || b_length > LONGEST_WORD) {
        return SIZE_MAX; /* nothing to compare: near to no word */
    }
    size_t row[LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j * LETTER;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i * LETTER;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t change = diagonal + change_of(a[i - 1], b[j - 1]);
            diagonal = row[j];
            const size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + LETTER;
            row[j] = change < shift ? change : shift;
        }
    }
    return row[b_length];
}

const char *adu_text_nearest(const char *word, const char *const *known)
{
    const char *nearest = NULL;
    size_t best = (strlen(word) / 3 + 2) * LETTER;
    for (; *known != NULL; known++) {
        const size_t d = distance(word, *known);
        if (d < best) {
            best = d;
            nearest = *known;
        }
    }
    return nearest;
}
