/* Getting a password from a person, or from a program. */
#ifndef ADUANA_CLI_PASSWORD_ASK_H
#define ADUANA_CLI_PASSWORD_ASK_H

#include <stdbool.h>
#include <stddef.h>

/* Asks on the terminal, without echo. false after a complaint on stderr, also when the person
 * breaks off; then `password` is wiped. The caller wipes it after use. */
bool adu_password_ask(const char *prompt, char *password, size_t size);

/* Reads the first line of standard input. false as above. */
bool adu_password_read_line(char *password, size_t size);

#endif
