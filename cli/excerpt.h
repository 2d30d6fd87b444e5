/* One line of a file, shown to people around a place. Pure. */
#ifndef ADUANA_CLI_EXCERPT_H
#define ADUANA_CLI_EXCERPT_H

#include <stddef.h>

enum { ADU_EXCERPT_CELLS = 72, ADU_EXCERPT_BYTES = 2048 };

struct adu_excerpt {
    unsigned caret; /* cells of the terminal before the place */
    char text[ADU_EXCERPT_BYTES];
};

/* Shows `line`, which has no end of line, in at most ADU_EXCERPT_CELLS cells: a tab as four spaces,
 * what would disturb a terminal escaped, a long line cut around the place ("..."). `column` counts
 * characters from 1, as adu_place does; beyond the line it means its end. */
void adu_excerpt_make(struct adu_excerpt *excerpt, const char *line, size_t length,
                      unsigned column);

/* Makes asterisks of all values in a line of JSON: they may be secrets. Returns the new length;
 * there are as many characters as before. */
size_t adu_excerpt_hide_values(char *line, size_t length);

#endif
