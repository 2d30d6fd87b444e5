/* Folders that tests may fill and break. */
#ifndef ADUANA_TESTS_FOLDER_H
#define ADUANA_TESTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

enum { FOLDER_PATH = 256 };

struct folder {
    char path[FOLDER_PATH];
};

/* A new, empty folder that only this user can reach. Fails the test if that cannot be. */
void folder_make(struct folder *folder);

/* Removes it with all it holds. */
void folder_remove(struct folder *folder);

/* "<folder>/<name>"; the text lives until the next call. */
const char *folder_file(const struct folder *folder, const char *name);

/* Makes or replaces a file of mode 0644, at once: a load that goes on meanwhile reads the old one
 * or the new one, never a part. */
void folder_write(const struct folder *folder, const char *name, const char *text);
void folder_write_bytes(const struct folder *folder, const char *name, const void *bytes,
                        size_t length);

/* The same for JSON in which ' stands for ". */
void folder_write_json(const struct folder *folder, const char *name, const char *json);

void folder_delete(const struct folder *folder, const char *name);
bool folder_has(const struct folder *folder, const char *name);

/* The number of entries whose names begin with `prefix`. */
int folder_count(const struct folder *folder, const char *prefix);

/* Copies every regular file of the folder `from`; existing ones are replaced. */
void folder_copy(const struct folder *folder, const char *from);

/* A whole file, ended with a NUL; the caller frees it. NULL if there is none. */
char *file_text(const char *path, size_t *length);

#endif
