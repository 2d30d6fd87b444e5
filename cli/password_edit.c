#include "cli/password_edit.h"
#include "common/instant.h"
#include "common/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MOST = 256 }; /* more, and iam_auth knows nobody by it */

static enum adu_password_edit failed(struct adu_error *error, const char *path, const char *what)
{
    const struct adu_place place = {.file = path};
    adu_error_set(error, &place, "%s: %s", what, strerror(errno));
    return ADU_PASSWORD_EDIT_FAILED;
}

bool adu_password_name_check(const char *name, struct adu_error *error)
{
    const size_t length = strlen(name);
    if (length == 0 || length > NAME_MOST || !adu_utf8_valid(name, length)) {
        return adu_error_set(error, NULL, "a user name is UTF-8 of 1 to %d bytes", NAME_MOST);
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == ':' ||
            ((unsigned char)name[i] == 0xc2 && (unsigned char)name[i + 1] < 0xa0)) {
            return adu_error_set(error, NULL,
                                 "a user name holds neither a colon nor control characters");
        }
    }
    if (name[0] == '#' || name[0] == ' ' || name[length - 1] == ' ') {
        return adu_error_set(error, NULL,
                             "a user name neither begins with # nor begins or ends with a space");
    }
    return true;
}

/* --- the new file --- */

struct fresh {
    char path[PATH_MAX];
    FILE *out;
};

static bool fresh_open(struct fresh *fresh, const char *path, struct adu_error *error)
{
    const int fd = snprintf(fresh->path, sizeof fresh->path, "%s.XXXXXX", path) < PATH_MAX
                       ? mkostemp(fresh->path, O_CLOEXEC) /* with mode 0600 */
                       : (errno = ENAMETOOLONG, -1);
    fresh->out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fresh->out == NULL) {
        failed(error, path, "a new file cannot be made beside it");
    }
    return fresh->out != NULL;
}

static bool write_entry(struct fresh *fresh, const char *name, const char *hash)
{
    return fprintf(fresh->out, "%s:%s\n", name, hash) > 0;
}

/* That the folder knows the file by its name outlives a power cut. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    const int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd); /* where a file system cannot, there is nothing to do about it */
        close(fd);
    }
    free(copy);
}

/* Puts the new file into its place, or removes it. */
static enum adu_password_edit fresh_close(struct fresh *fresh, const char *path, bool good,
                                          unsigned flags, struct adu_error *error)
{
    good = good && fflush(fresh->out) == 0 && fsync(fileno(fresh->out)) == 0;
    if (!good && !error->set) {
        failed(error, path, "cannot be written");
    }
    fclose(fresh->out);
    if (good && renameat2(AT_FDCWD, fresh->path, AT_FDCWD, path, flags) != 0) {
        failed(error, path, "cannot be put into its place");
        good = false;
    }
    if (!good) {
        unlink(fresh->path);
        return ADU_PASSWORD_EDIT_FAILED;
    }
    sync_folder(path);
    return ADU_PASSWORD_EDIT_DONE;
}

enum adu_password_edit adu_password_file_create(const char *path, const char *name,
                                                const char *hash, struct adu_error *error)
{
    struct fresh fresh;
    if (!fresh_open(&fresh, path, error)) {
        return ADU_PASSWORD_EDIT_FAILED;
    }
    return fresh_close(&fresh, path, write_entry(&fresh, name, hash), RENAME_NOREPLACE, error);
}

/* --- the old file --- */

struct old {
    char *path; /* without links: what is replaced is the file, not a link to it */
    FILE *in;
    struct stat st;
};

static void old_close(struct old *old)
{
    if (old->in != NULL) {
        fclose(old->in); /* which unlocks it */
    }
    free(old->path);
}

/* Opens the file and waits until nobody else changes it. Another may have put a new file into its
 * place meanwhile: then that is the one to lock. */
static bool old_open(struct old *old, const char *path, int lock, struct adu_error *error)
{
    *old = (struct old){.path = realpath(path, NULL)};
    for (;;) {
        struct stat now;
        const int fd = old->path != NULL ? open(old->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
        old->in = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (old->in == NULL || flock(fd, lock) != 0 || fstat(fd, &old->st) != 0) {
            failed(error, path, "cannot be read");
            break;
        }
        if (!S_ISREG(old->st.st_mode)) {
            adu_error_set(error, &(struct adu_place){.file = path}, "is not a regular file");
            break;
        }
        if (stat(old->path, &now) == 0 && now.st_ino == old->st.st_ino &&
            now.st_dev == old->st.st_dev) {
            return true;
        }
        fclose(old->in);
        old->in = NULL;
    }
    old_close(old);
    return false;
}

/* The next line, its end included. false at the end of the file, and with `error` set when it
 * cannot be read. */
static bool next_line(struct old *old, const char *path, char **line, size_t *room, unsigned number,
                      struct adu_error *error)
{
    errno = 0;
    const ssize_t length = getline(line, room, old->in);
    if (length < 0 && !feof(old->in)) {
        failed(error, path, "cannot be read");
    } else if (length > 0 && strlen(*line) != (size_t)length) {
        const struct adu_place place = {.file = path, .line = number, .column = 1};
        return adu_error_set(error, &place, "holds a NUL byte");
    }
    return length > 0;
}

static bool is_of(const char *line, const char *name)
{
    const size_t length = strlen(name);
    return strncmp(line, name, length) == 0 && line[length] == ':';
}

/* What becomes of the entries of one name. */
struct change {
    const char *name, *hash, *old_until;
    bool found;       /* an entry that is replaced, or that stays as the old one */
    char *ended;      /* as of adu_password_file_change */
    int64_t ended_ms; /* the same */
};

/* An entry that has an end never stays. */
static void take_end(struct change *change, const char *until)
{
    char text[ADU_PASSWORD_UNTIL];
    int64_t wall_ms;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(until, "\r\n"), until);
    if (adu_instant_read(text, &wall_ms) && wall_ms > change->ended_ms) {
        change->ended_ms = wall_ms;
        memcpy(change->ended, text, sizeof text);
    }
}

/* The old password comes before the new: brokers that read the file themselves know no end, and
 * believe the later one. */
static bool write_change(struct fresh *fresh, struct change *change, const char *line)
{
    const char *old = line + strlen(change->name) + 1;
    const int length = (int)strcspn(old, "\r\n:");
    if (old[length] == ':') {
        take_end(change, old + length + 1);
    }
    if (change->found || (change->old_until != NULL && old[length] == ':')) {
        return true; /* a name that is there more often is there once afterwards */
    }
    change->found = true;
    if (change->old_until != NULL &&
        fprintf(fresh->out, "%s:%.*s:%s\n", change->name, length, old, change->old_until) < 0) {
        return false;
    }
    return change->hash == NULL || write_entry(fresh, change->name, change->hash);
}

static enum adu_password_edit copy(struct old *old, struct fresh *fresh, const char *path,
                                   struct change *change, struct adu_error *error)
{
    char *line = NULL;
    size_t room = 0;
    bool good = true;
    for (unsigned number = 1; good && next_line(old, path, &line, &room, number, error); number++) {
        if (is_of(line, change->name)) {
            good = write_change(fresh, change, line);
        } else {
            const bool ended = line[strlen(line) - 1] == '\n';
            good = fputs(line, fresh->out) >= 0 && (ended || putc('\n', fresh->out) != EOF);
        }
    }
    free(line);
    const bool must_be_there = change->hash == NULL || change->old_until != NULL;
    if (good && !error->set && !change->found && !must_be_there) {
        good = write_entry(fresh, change->name, change->hash);
    }
    if (!good || error->set) {
        return ADU_PASSWORD_EDIT_FAILED;
    }
    return change->found || !must_be_there ? ADU_PASSWORD_EDIT_DONE : ADU_PASSWORD_EDIT_NO_USER;
}

/* Only root may give files away, and only members to a group; without it the broker could lose the
 * file. */
static bool keep_owner(const struct old *old, struct fresh *fresh, struct adu_error *error)
{
    const int fd = fileno(fresh->out);
    struct stat st;
    const bool good = fstat(fd, &st) == 0 &&
                      ((st.st_uid == old->st.st_uid && st.st_gid == old->st.st_gid) ||
                       fchown(fd, old->st.st_uid, old->st.st_gid) == 0) &&
                      fchmod(fd, old->st.st_mode & 07777) == 0;
    if (!good) {
        failed(error, old->path, "its owner and mode cannot be kept");
    }
    return good;
}

enum adu_password_edit adu_password_file_change(const char *path, const char *name,
                                                const char *hash, const char *old_until,
                                                char ended[ADU_PASSWORD_UNTIL],
                                                struct adu_error *error)
{
    struct change change = {.name = name, .hash = hash, .old_until = old_until, .ended = ended};
    ended[0] = '\0';
    struct old old;
    struct fresh fresh;
    if (!old_open(&old, path, LOCK_EX, error)) {
        return ADU_PASSWORD_EDIT_FAILED;
    }
    enum adu_password_edit result = ADU_PASSWORD_EDIT_FAILED;
    if (fresh_open(&fresh, old.path, error)) {
        result = copy(&old, &fresh, path, &change, error);
        if (result == ADU_PASSWORD_EDIT_NO_USER) {
            fclose(fresh.out);
            unlink(fresh.path);
        } else {
            const bool good = result == ADU_PASSWORD_EDIT_DONE && keep_owner(&old, &fresh, error);
            result = fresh_close(&fresh, old.path, good, 0, error);
        }
    }
    old_close(&old);
    return result;
}

enum adu_password_edit adu_password_file_find(const char *path, const char *name,
                                              adu_password_entry_take *take, void *context,
                                              struct adu_error *error)
{
    struct old old;
    char *line = NULL;
    size_t room = 0;
    enum adu_password_edit result = ADU_PASSWORD_EDIT_NO_USER;
    if (!old_open(&old, path, LOCK_SH, error)) {
        return ADU_PASSWORD_EDIT_FAILED;
    }
    for (unsigned number = 1; next_line(&old, path, &line, &room, number, error); number++) {
        if (is_of(line, name)) {
            line[strcspn(line, "\r\n")] = '\0';
            take(context, line + strlen(name) + 1, number);
            result = ADU_PASSWORD_EDIT_DONE;
        }
    }
    free(line);
    old_close(&old);
    return error->set ? ADU_PASSWORD_EDIT_FAILED : result;
}
