#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool trusted(const char *name, const struct stat *st, struct adu_error *error)
{
    const struct adu_place place = {.file = name};
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return adu_error_set(error, &place,
                             "belongs to user %u; it must belong to root or to the broker's user",
                             (unsigned)st->st_uid);
    }
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return adu_error_set(error, &place, "others may write it (mode %04o); use chmod go-w",
                             (unsigned)(st->st_mode & 07777));
    }
    return true;
}

/* In a folder that anybody may write, anybody may put another file in the place of this one; where
 * the folder is sticky, as /tmp is, only its owner may. Cuts `path` up. */
static bool folders_of(const char *name, char *path, struct adu_error *error)
{
    const struct adu_place place = {.file = name};
    char *slash;
    while ((slash = strrchr(path, '/')) != NULL && slash != path) {
        struct stat st;
        *slash = '\0';
        if (stat(path, &st) == 0 && (st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0) {
            return adu_error_set(error, &place, "lies in %s, which anybody may write (mode %04o)",
                                 path, (unsigned)(st.st_mode & 07777));
        }
    }
    return true;
}

/* Of the path as it is given, where a link may stand, and of what it leads to. */
static bool folders_trusted(const char *name, const char *path, struct adu_error *error)
{
    const struct adu_place place = {.file = name};
    char *real = realpath(path, NULL), *given = real != NULL ? strdup(path) : NULL;
    const bool good = given != NULL
                          ? folders_of(name, real, error) && folders_of(name, given, error)
                          : adu_error_set(error, &place, "cannot be read: %s", strerror(errno));
    free(real);
    free(given);
    return good;
}

bool adu_file_trusted(const char *name, const char *path, struct adu_error *error)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return adu_error_set(error, &(struct adu_place){.file = name}, "cannot be read: %s",
                             strerror(errno));
    }
    return trusted(name, &st, error) && folders_trusted(name, path, error);
}

static char *read_all(int fd, size_t size, size_t *length)
{
    char *text = malloc(size + 1);
    size_t have = 0;
    while (text != NULL && have < size) {
        const ssize_t got = read(fd, text + have, size - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            free(text);
            return NULL;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    if (text != NULL) {
        text[have] = '\0';
        *length = have;
    }
    return text;
}

char *adu_file_read(const char *name, const char *path, size_t max, size_t *length,
                    struct adu_error *error)
{
    const struct adu_place place = {.file = name};
    char *text = NULL;
    struct stat st;
    /* Not to hang on a FIFO that stands where a file should. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        adu_error_set(error, &place, "cannot be read: %s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        adu_error_set(error, &place, "is not a regular file");
    } else if (st.st_size < 0 || (size_t)st.st_size > max) {
        adu_error_set(error, &place, "has %lld bytes; the limit is %zu", (long long)st.st_size,
                      max);
    } else if (trusted(name, &st, error) && folders_trusted(name, path, error)) {
        text = read_all(fd, (size_t)st.st_size, length);
        if (text == NULL) {
            adu_error_set(error, &place, "cannot be read: %s", strerror(errno));
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return text;
}
