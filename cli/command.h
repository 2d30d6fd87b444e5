/* The commands of `aduana`, one a file. Each reads its own arguments (argv[0] is its name), writes
 * results to stdout and complaints to stderr, and returns one of the statuses. */
#ifndef ADUANA_CLI_COMMAND_H
#define ADUANA_CLI_COMMAND_H

#include "common/stage.h"

enum adu_status {
    ADU_STATUS_YES = 0,   /* good, allowed, passed */
    ADU_STATUS_NO = 1,    /* findings, refused, failed */
    ADU_STATUS_USAGE = 2, /* wrong arguments, or something that cannot be read */
    ADU_STATUS_MISUSED,   /* of a command: main prints its usage, and exits with the one above */
};

enum adu_status adu_command_check(int argc, char **argv);
enum adu_status adu_command_test(int argc, char **argv);
enum adu_status adu_command_passwd(int argc, char **argv);
enum adu_status adu_command_detect(int argc, char **argv);
enum adu_status adu_command_status(int argc, char **argv);
enum adu_status adu_command_sessions(int argc, char **argv);
enum adu_status adu_command_certs(int argc, char **argv);
enum adu_status adu_command_topics(int argc, char **argv);
enum adu_status adu_command_reload(int argc, char **argv);
enum adu_status adu_command_kick(int argc, char **argv);

/* aduana explain DIR ...: of a client that is described; with --live the next one. */
enum adu_status adu_command_explain(int argc, char **argv);

/* aduana explain --live CLIENT ...: of a client that a running broker knows. */
enum adu_status adu_command_explain_live(int argc, char **argv);

/* The five stages, for a policy that is loaded without a broker. */
extern const struct adu_stage *const adu_command_stages[ADU_STAGES];

#endif
