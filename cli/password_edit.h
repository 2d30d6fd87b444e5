/* Entries of a password file, <name>:<hash> a line as mosquitto_passwd writes it, and
 * <name>:<hash>:<until> of a password that ends. The file is always whole: a new one takes the
 * place of the old, and two that change it at once wait for each other. Comments and all other
 * lines stay as they are. */
#ifndef ADUANA_CLI_PASSWORD_EDIT_H
#define ADUANA_CLI_PASSWORD_EDIT_H

#include "common/error.h"
#include <stddef.h>

enum { ADU_PASSWORD_UNTIL = sizeof "2026-12-31T00:00:00Z" };

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

/* Gives `name` that hash, as a new entry if it has none; `hash` NULL removes it. With `old_until`
 * the password that he has, and that has no end, stays for so long: without one there is NO_USER.
 * All others of his go: `ended` is the end that the last of those to end had, "" where none had
 * one. Owner and mode of the file stay. */
enum adu_password_edit adu_password_file_change(const char *path, const char *name,
                                                const char *hash, const char *old_until,
                                                char ended[ADU_PASSWORD_UNTIL],
                                                struct adu_error *error);

/* What `take` is told of each entry of `name`, in the file's order: all behind the name. */
typedef void adu_password_entry_take(void *context, const char *entry, unsigned line);

enum adu_password_edit adu_password_file_find(const char *path, const char *name,
                                              adu_password_entry_take *take, void *context,
                                              struct adu_error *error);

#endif
