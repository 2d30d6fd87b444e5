/* The stages that a policy folder is judged by without a broker. */
#ifndef ADUANA_CLI_STAGES_H
#define ADUANA_CLI_STAGES_H

#include "common/policy.h"

/* Those of adu_command_stages but for each whose file says nothing more than "if_not_loaded":
 * "ignore": such a file is for a broker without that plugin, and is judged by as there. A file that
 * is not there, or cannot be read, leaves its stage in: loading tells of it. */
void adu_stages_choose(const char *directory, const struct adu_stage *stages[ADU_STAGES]);

/* Calls for each stage that is left out, as the presence in a policy or before loading it says,
 * with what becomes of its questions. */
void adu_stages_left_out(const enum adu_presence presence[ADU_STAGES],
                         void (*tell)(void *context, const char *name, const char *without),
                         void *context);

#endif
