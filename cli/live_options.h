/* Which broker the live commands ask, and as whom: from a file, then from the command line. */
#ifndef ADUANA_CLI_LIVE_OPTIONS_H
#define ADUANA_CLI_LIVE_OPTIONS_H

#include <stdbool.h>

struct adu_live_options {
    const char *host, *unix_path, *cafile, *capath, *cert, *key, *username, *password_file, *id;
    long port; /* 0: 8883 with TLS, else 1883 */
    long timeout_seconds;
    bool json;       /* print what was answered as it is */
    char *file_text; /* of the file, into which the above may point */
};

/* An option that one command has besides: either sets a flag or takes a value. */
struct adu_live_extra {
    const char *name;
    bool *flag;
    const char **value;
};

/* What the options are, for a command's usage. */
extern const char adu_live_usage[];

/* Reads the file that $ADUANA_BROKER names, or ~/.config/aduana/broker if there is one, then argv.
 * What is no option is moved behind the others; *first is where it begins. `extras` ends with a
 * NULL name. false after a complaint on stderr. */
bool adu_live_options_read(struct adu_live_options *options, int argc, char **argv,
                           const struct adu_live_extra *extras, int *first);

void adu_live_options_free(struct adu_live_options *options);

#endif
