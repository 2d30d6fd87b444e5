/* What a running broker answered, shown to a person or a program. */
#ifndef ADUANA_CLI_LIVE_SHOW_H
#define ADUANA_CLI_LIVE_SHOW_H

#include <jansson.h>

/* Prints JSON as --json does. */
void adu_live_print(const json_t *value);

/* Text from clients on its way to a terminal: without quotes, escaped where it would disturb. The
 * text lives until the fourth call from here. "-" for NULL and JSON's null. */
const char *adu_live_text(const json_t *string);

#endif
