/* aduana certs: what a broker says of its clients' certificates, or what files hold. */
#ifndef ADUANA_CLI_CERTS_H
#define ADUANA_CLI_CERTS_H

#include "cli/command.h"
#include "plugins/cert_auth/countdown.h"
#include <jansson.h>

/* Adds an object to `list` for each certificate of a PEM file, with the keys of a broker's answer
 * where they apply, and "file". false after a complaint on stderr. */
bool adu_certs_read_file(const char *path, const struct adu_countdown *countdown, int64_t wall_ms,
                         json_t *list);

#endif
