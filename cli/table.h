/* A list of JSON objects as a table for people, under titles, with columns as wide as they need. */
#ifndef ADUANA_CLI_TABLE_H
#define ADUANA_CLI_TABLE_H

#include <jansson.h>

enum { ADU_TABLE_COLUMNS_MOST = 12 };

/* Fills in one text a column, which live until the next call. */
typedef void (*adu_table_row)(const json_t *object, const char **texts);

/* Prints `list`, an array. At most ADU_TABLE_COLUMNS_MOST columns. */
void adu_table_print(const char *const *titles, int columns, json_t *list, adu_table_row row);

/* A column that is one field of its object, a text or a whole number. */
struct adu_table_column {
    const char *title, *key;
};

/* The same of columns that need no more than that, the last one without a title. */
void adu_table_print_fields(const struct adu_table_column *columns, json_t *list);

/* A text for one column of a row, by its number: adu_live_text keeps a text for four calls only.
 * NULL is as there. Lives until that column's next. */
const char *adu_table_cell(int column, const json_t *string);

/* The same of a whole number. */
const char *adu_table_number(int column, const json_t *number);

/* A new list of the same objects in the order of `compare`, which is given pointers to const json_t
 * pointers as qsort gives them. NULL when memory is gone. */
json_t *adu_table_sorted(json_t *list, int (*compare)(const void *, const void *));

/* A list of texts as one, with commas; "-" for none. Returns `buffer`. */
const char *adu_table_list(const json_t *list, char *buffer, size_t size);

#endif
