#include "folder.h"
#include "snippet.h"
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(struct folder *folder)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/aduana-XXXXXX", base != NULL ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_remove(struct folder *folder)
{
    ck_assert_int_eq(nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *folder_file(const struct folder *folder, const char *name)
{
    static char path[2 * FOLDER_PATH];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

void folder_write_bytes(const struct folder *folder, const char *name, const void *bytes,
                        size_t length)
{
    const char *path = folder_file(folder, name);
    char fresh[2 * FOLDER_PATH + 8];
    snprintf(fresh, sizeof fresh, "%s.fresh", path);
    FILE *file = fopen(fresh, "we");
    ck_assert_msg(file != NULL, "%s cannot be written", fresh);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(fresh, 0644), 0);
    ck_assert_int_eq(rename(fresh, path), 0);
}

void folder_write(const struct folder *folder, const char *name, const char *text)
{
    folder_write_bytes(folder, name, text, strlen(text));
}

void folder_write_json(const struct folder *folder, const char *name, const char *json)
{
    char *text = json_of(json);
    folder_write(folder, name, text);
    free(text);
}

void folder_delete(const struct folder *folder, const char *name)
{
    ck_assert_int_eq(remove(folder_file(folder, name)), 0);
}

bool folder_has(const struct folder *folder, const char *name)
{
    return access(folder_file(folder, name), F_OK) == 0;
}

int folder_count(const struct folder *folder, const char *prefix)
{
    DIR *dir = opendir(folder->path);
    const struct dirent *entry;
    int count = 0;
    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    closedir(dir);
    return count;
}

void folder_copy(const struct folder *folder, const char *from)
{
    DIR *dir = opendir(from);
    const struct dirent *entry;
    ck_assert_msg(dir != NULL, "%s cannot be read", from);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_type != DT_DIR) {
            char path[1024];
            size_t length;
            snprintf(path, sizeof path, "%s/%s", from, entry->d_name);
            char *text = file_text(path, &length);
            ck_assert_msg(text != NULL, "%s cannot be read", path);
            folder_write_bytes(folder, entry->d_name, text, length);
            free(text);
        }
    }
    closedir(dir);
}

char *file_text(const char *path, size_t *length)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    char *text = NULL;
    size_t room = 0;
    const ssize_t got = getdelim(&text, &room, EOF, file); /* EOF is no byte: reads to the end */
    fclose(file);
    if (got < 0 && text != NULL) {
        text[0] = '\0';
    }
    *length = got < 0 ? 0 : (size_t)got;
    return text;
}
