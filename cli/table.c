#include "cli/table.h"
#include "cli/live_show.h"
#include <stdio.h>
#include <stdlib.h>
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

/* The texts of one row, by a function or by the fields. */
struct filler {
    adu_table_row row;
    const struct adu_table_column *columns;
};

static void fill(const struct filler *filler, int columns, const json_t *object, const char **texts)
{
    if (filler->row != NULL) {
        filler->row(object, texts);
        return;
    }
    for (int i = 0; i < columns; i++) {
        const json_t *field = json_object_get(object, filler->columns[i].key);
        texts[i] = json_is_integer(field) ? adu_table_number(i, field) : adu_table_cell(i, field);
    }
}

static void print(const char *const *titles, int columns, json_t *list, const struct filler *filler)
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
        fill(filler, columns, object, texts);
        for (int column = 0; column < columns; column++) {
            const int wide = width(texts[column]);
            widths[column] = wide > widths[column] ? wide : widths[column];
        }
    }
    print_row(titles, columns, widths);
    json_array_foreach(list, i, object)
    {
        fill(filler, columns, object, texts);
        print_row(texts, columns, widths);
    }
}

void adu_table_print(const char *const *titles, int columns, json_t *list, adu_table_row row)
{
    print(titles, columns, list, &(struct filler){.row = row});
}

void adu_table_print_fields(const struct adu_table_column *columns, json_t *list)
{
    const char *titles[ADU_TABLE_COLUMNS_MOST];
    int count = 0;
    for (; columns[count].title != NULL; count++) {
        titles[count] = columns[count].title;
    }
    print(titles, count, list, &(struct filler){.columns = columns});
}

static char cells[ADU_TABLE_COLUMNS_MOST][256];

const char *adu_table_cell(int column, const json_t *string)
{
    snprintf(cells[column], sizeof cells[column], "%s", adu_live_text(string));
    return cells[column];
}

const char *adu_table_number(int column, const json_t *number)
{
    snprintf(cells[column], sizeof cells[column], "%lld", (long long)json_integer_value(number));
    return cells[column];
}

json_t *adu_table_sorted(json_t *list, int (*compare)(const void *, const void *))
{
    const size_t count = json_array_size(list);
    json_t **items = calloc(count + 1, sizeof *items), *all = json_array();
    for (size_t i = 0; items != NULL && i < count; i++) {
        items[i] = json_array_get(list, i);
    }
    if (items != NULL) {
        qsort(items, count, sizeof *items, compare);
    }
    for (size_t i = 0; items != NULL && i < count; i++) {
        json_array_append(all, items[i]);
    }
    free(items);
    return all;
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
