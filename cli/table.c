#include "cli/table.h"
#include "cli/live.h"
#include <stdio.h>
#include <string.h>

/* On a terminal; UTF-8 has one byte a character that is no continuation. */
static int width(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static void print_row(const char *const *texts, int columns, const int *widths)
{
    for (int i = 0; i < columns; i++) {
        const int pad = i + 1 < columns ? widths[i] - width(texts[i]) + 2 : 0;
        printf("%s%*s", texts[i], pad, "");
    }
    putchar('\n');
}

void adu_table_print(const char *const *titles, int columns, json_t *list, adu_table_row row)
{
    const char *texts[ADU_TABLE_COLUMNS_MOST];
    int widths[ADU_TABLE_COLUMNS_MOST];
    json_t *object;
    size_t i;
    for (int column = 0; column < columns; column++) {
        widths[column] = width(titles[column]);
    }
    json_array_foreach(list, i, object)
    {
        row(object, texts);
        for (int column = 0; column < columns; column++) {
            const int wide = width(texts[column]);
            widths[column] = wide > widths[column] ? wide : widths[column];
        }
    }
    print_row(titles, columns, widths);
    json_array_foreach(list, i, object)
    {
        row(object, texts);
        print_row(texts, columns, widths);
    }
}

const char *adu_table_list(const json_t *list, char *buffer, size_t size)
{
    json_t *one;
    size_t i;
    buffer[0] = '\0';
    json_array_foreach(list, i, one)
    {
        strncat(buffer, i > 0 ? "," : "", size - strlen(buffer) - 1);
        strncat(buffer, adu_live_text(one), size - strlen(buffer) - 1);
    }
    return buffer[0] != '\0' ? buffer : strncpy(buffer, "-", size);
}
