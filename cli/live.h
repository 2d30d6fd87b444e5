/* Asking a running broker over its control topic; see common/control.h for what is answered. */
#ifndef ADUANA_CLI_LIVE_H
#define ADUANA_CLI_LIVE_H

#include "cli/command.h"
#include "cli/live_options.h"
#include <jansson.h>

struct adu_live;

/* Connects, and subscribes to the answers. NULL after a complaint on stderr. */
struct adu_live *adu_live_open(const struct adu_live_options *options);

/* NULL-safe. */
void adu_live_close(struct adu_live *live);

/* Sends one command, an object that it takes, and waits for its answer. ADU_STATUS_YES with the
 * data of the answer, to be freed with json_decref; else `*data` is NULL after a complaint on
 * stderr: ADU_STATUS_NO if an error was answered, ADU_STATUS_USAGE if nothing was. */
enum adu_status adu_live_ask(struct adu_live *live, json_t *command, json_t **data);

/* The same of a command whose answer comes in pages, about one client if it is not NULL: all that
 * it lists, under the command's own name, goes into `all`, an array. */
enum adu_status adu_live_ask_pages(struct adu_live *live, const char *name, const char *client_id,
                                   json_t *all);

/* All of the above for one command. */
enum adu_status adu_live_ask_once(const struct adu_live_options *options, json_t *command,
                                  json_t **data);

#endif
