/* Entries of a password file, <name>:<hash> a line as mosquitto_passwd writes it. The file is
 * always whole: a new one takes the place of the old, and two that change it at once wait for each
 * other. Comments and all other lines stay as they are. */
#ifndef ADUANA_CLI_PASSWORD_EDIT_H
#define ADUANA_CLI_PASSWORD_EDIT_H

#include "common/error.h"
#include <stddef.h>

enum adu_password_edit {
    ADU_PASSWORD_EDIT_DONE,
    ADU_PASSWORD_EDIT_NO_USER, /* nobody to remove or to find: nothing has changed */
    ADU_PASSWORD_EDIT_FAILED,  /* `error` says why: nothing has changed */
};

/* What may stand before the colon so that it is read as the same name by every broker. */
bool adu_password_name_check(const char *name, struct adu_error *error);

/* Makes a file, which must not be there, with one entry; mode 0600. */
enum adu_password_edit adu_password_file_create(const char *path, const char *name,
                                                const char *hash, struct adu_error *error);

/* Gives `name` that hash, as a new entry if it has none; `hash` NULL removes it. Owner and mode of
 * the file stay. */
enum adu_password_edit adu_password_file_change(const char *path, const char *name,
                                                const char *hash, struct adu_error *error);

/* Copies the hash of `name`, and its line's number. */
enum adu_password_edit adu_password_file_find(const char *path, const char *name, char *hash,
                                              size_t size, unsigned *line, struct adu_error *error);

#endif
