#include "cli/live_show.h"
#include "common/text.h"
#include <stdio.h>
#include <string.h>

enum { QUOTED = 4096 };

void adu_live_print(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
}

const char *adu_live_text(const json_t *string)
{
    static char buffers[4][QUOTED];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];
    const char *text = json_string_value(string);
    if (text == NULL) {
        return "-";
    }
    adu_text_quote(text, strlen(text), QUOTED / 4 - 8, buffer, QUOTED);
    char *to = buffer;
    for (const char *from = buffer + 1; from[1] != '\0';
         from++) { /* without the quotes around it */
        if (from[0] == '\\' && from[1] == '"') {
            from++; /* those within it disturb no terminal */
        } else if (from[0] == '\\' && from[1] == '\\') {
            *to++ = *from++;
        }
        *to++ = *from;
    }
    *to = '\0';
    return buffer;
}
