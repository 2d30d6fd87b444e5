/* A client as the command line describes it. Each function complains on stderr before it returns
 * false. */
#ifndef ADUANA_CLI_CLIENT_H
#define ADUANA_CLI_CLIENT_H

#include "common/description.h"

/* "cert.cn=edge-linea1" */
bool adu_client_say(struct adu_description *client, const char *key_and_value);

/* What the certificate in a PEM file says. */
bool adu_client_show(struct adu_description *client, const char *path);

bool adu_client_come_from(struct adu_description *client, const char *address);

/* 0 to `most`. */
bool adu_client_number(const char *option, const char *text, long most, long *number);

#endif
