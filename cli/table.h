/* A list of JSON objects as a table for people, under titles, with columns as wide as they need. */
#ifndef ADUANA_CLI_TABLE_H
#define ADUANA_CLI_TABLE_H

#include <jansson.h>

enum { ADU_TABLE_COLUMNS_MOST = 12 };

/* Fills in one text a column, which live until the next call. */
typedef void (*adu_table_row)(const json_t *object, const char **texts);

/* Prints `list`, an array. At most ADU_TABLE_COLUMNS_MOST columns. */
void adu_table_print(const char *const *titles, int columns, json_t *list, adu_table_row row);

/* A list of texts as one, with commas; "-" for none. Returns `buffer`. */
const char *adu_table_list(const json_t *list, char *buffer, size_t size);

#endif
