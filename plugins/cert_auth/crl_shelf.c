#include "plugins/cert_auth/crl_shelf.h"
#include "common/file.h"
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { FILE_MOST = 64 * 1024 * 1024, FILES_MOST = 1000, PATH_MOST = 4096, WRONG = 400 };

/* By which one sees that a file is not the one that was read. */
struct look {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct file {
    char *name, *path;
    size_t origin;
    struct look look;
    bool good; /* what was read of it is what it holds */
    char why[WRONG];
    struct adu_crl_list lists;
};

struct adu_crl_shelf {
    atomic_uint references;
    size_t count;
    struct file *files;
    struct adu_crl_list lists; /* of all of them */
    unsigned refused;
    size_t wrong_origin;
    char wrong[WRONG];
};

static void file_free(struct file *file)
{
    adu_crl_list_clear(&file->lists);
    free(file->name);
    free(file->path);
}

struct adu_crl_shelf *adu_crl_shelf_hold(struct adu_crl_shelf *shelf)
{
    atomic_fetch_add(&shelf->references, 1);
    return shelf;
}

void adu_crl_shelf_drop(struct adu_crl_shelf *shelf)
{
    if (shelf == NULL || atomic_fetch_sub(&shelf->references, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < shelf->count; i++) {
        file_free(&shelf->files[i]);
    }
    adu_crl_list_clear(&shelf->lists);
    free(shelf->files);
    free(shelf);
}

static void say_wrong(struct adu_crl_shelf *shelf, size_t origin, const char *name, const char *why)
{
    if (shelf->wrong[0] == '\0') {
        shelf->wrong_origin = origin;
        snprintf(shelf->wrong, sizeof shelf->wrong, "%.120s: %.250s", name, why);
    }
}

static const struct file *find(const struct adu_crl_shelf *shelf, const char *path)
{
    for (size_t i = 0; shelf != NULL && i < shelf->count; i++) {
        if (strcmp(shelf->files[i].path, path) == 0) {
            return &shelf->files[i];
        }
    }
    return NULL;
}

/* A new file on the shelf; NULL when memory is gone. */
static struct file *add(struct adu_crl_shelf *shelf, size_t origin, const char *name,
                        const char *path)
{
    struct file *longer = realloc(shelf->files, (shelf->count + 1) * sizeof *longer);
    if (longer == NULL) {
        return NULL;
    }
    shelf->files = longer;
    struct file *file = &shelf->files[shelf->count];
    *file = (struct file){.origin = origin, .name = strdup(name), .path = strdup(path)};
    if (file->name == NULL || file->path == NULL) {
        file_free(file);
        return NULL;
    }
    shelf->count++;
    return file;
}

/* --- one file --- */

static bool look_at(const char *path, struct look *look)
{
    struct stat st;
    memset(look, 0, sizeof *look);
    if (stat(path, &st) != 0) {
        return false;
    }
    look->device = st.st_dev;
    look->inode = st.st_ino;
    look->size = st.st_size;
    look->modified = st.st_mtim;
    look->changed = st.st_ctim;
    return true;
}

static bool same_look(const struct look *a, const struct look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool read_now(struct file *file, STACK_OF(X509) * issuers)
{
    size_t length;
    struct adu_error error = {0};
    char why[ADU_CRL_WHY];
    char *bytes = adu_file_read(file->name, file->path, FILE_MOST, &length, &error);
    if (bytes == NULL) {
        snprintf(file->why, sizeof file->why, "%.250s", error.text);
        return false;
    }
    const bool good =
        adu_crl_read(file->name, (const unsigned char *)bytes, length, issuers, &file->lists, why);
    if (!good) {
        snprintf(file->why, sizeof file->why, "%s", why);
    }
    free(bytes);
    return good;
}

/* false when memory is gone. */
static bool read_file(struct adu_crl_shelf *shelf, size_t origin, const char *name,
                      const char *path, STACK_OF(X509) * issuers,
                      const struct adu_crl_shelf *before)
{
    const struct file *earlier = find(before, path);
    struct file *file = find(shelf, path) == NULL ? add(shelf, origin, name, path) : NULL;
    if (file == NULL) {
        return find(shelf, path) != NULL; /* named twice is once */
    }
    look_at(path, &file->look); /* before it is read: what changes meanwhile is read again */
    if (earlier != NULL && same_look(&earlier->look, &file->look) && earlier->look.inode != 0) {
        file->good = earlier->good;
        memcpy(file->why, earlier->why, sizeof file->why);
    } else {
        file->good = read_now(file, issuers);
        if (file->good) {
            return true;
        }
        shelf->refused += earlier == NULL || earlier->good;
    }
    return earlier == NULL || adu_crl_list_add(&file->lists, &earlier->lists);
}

/* --- folders --- */

static int is_list(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL &&
           (strcasecmp(dot, ".crl") == 0 || strcasecmp(dot, ".pem") == 0 ||
            strcasecmp(dot, ".der") == 0);
}

static bool read_folder(struct adu_crl_shelf *shelf, const struct adu_crl_origin *origin,
                        size_t index, STACK_OF(X509) * issuers, const struct adu_crl_shelf *before)
{
    struct dirent **entries = NULL;
    const int count = scandir(origin->path, &entries, is_list, alphasort);
    bool good = true;
    if (count <= 0) {
        say_wrong(shelf, index, origin->name,
                  count < 0 ? strerror(errno) : "no file in it ends with .crl, .pem or .der");
    } else if (count > FILES_MOST) {
        say_wrong(shelf, index, origin->name, "it has more than 1000 files");
    }
    for (int i = 0; i < count; i++) {
        char name[PATH_MOST], path[PATH_MOST];
        if (good && i < FILES_MOST &&
            snprintf(name, sizeof name, "%s/%s", origin->name, entries[i]->d_name) < PATH_MOST &&
            snprintf(path, sizeof path, "%s/%s", origin->path, entries[i]->d_name) < PATH_MOST) {
            good = read_file(shelf, index, name, path, issuers, before);
        }
        free(entries[i]);
    }
    free(entries);
    return good;
}

/* Whether each list of a file that is gone has a newer one in its place. */
static bool is_replaced(const struct adu_crl_shelf *shelf, const struct file *gone)
{
    for (size_t i = 0; i < gone->lists.count; i++) {
        const struct adu_crl *old = gone->lists.crls[i];
        size_t k = 0;
        while (k < shelf->lists.count &&
               (adu_crl_is_newer(old, shelf->lists.crls[k]) ||
                !adu_crl_is_of(shelf->lists.crls[k], adu_crl_issuer(old)))) {
            k++;
        }
        if (k == shelf->lists.count) {
            return false;
        }
    }
    return true;
}

/* What has vanished from a folder stays in force until there is something newer: a list that is
 * replaced by removing it first is missed by nobody. */
static bool keep_gone(struct adu_crl_shelf *shelf, const struct adu_crl_shelf *before)
{
    for (size_t i = 0; before != NULL && i < before->count; i++) {
        const struct file *gone = &before->files[i];
        if (find(shelf, gone->path) != NULL || is_replaced(shelf, gone)) {
            continue;
        }
        struct file *file = add(shelf, gone->origin, gone->name, gone->path);
        if (file == NULL || !adu_crl_list_add(&file->lists, &gone->lists)) {
            return false;
        }
        shelf->refused += gone->good;
        snprintf(file->why, sizeof file->why, "is gone, and nothing newer has come in its place");
    }
    return true;
}

/* --- all of them --- */

static bool collect(struct adu_crl_shelf *shelf)
{
    adu_crl_list_clear(&shelf->lists);
    for (size_t i = 0; i < shelf->count; i++) {
        if (!adu_crl_list_add(&shelf->lists, &shelf->files[i].lists)) {
            return false;
        }
    }
    return true;
}

static bool read_all(struct adu_crl_shelf *shelf, const struct adu_crl_origin *origins,
                     size_t count, STACK_OF(X509) * issuers, const struct adu_crl_shelf *before)
{
    for (size_t i = 0; i < count; i++) {
        const struct adu_crl_origin *origin = &origins[i];
        if (!(origin->folder ? read_folder(shelf, origin, i, issuers, before)
                             : read_file(shelf, i, origin->name, origin->path, issuers, before))) {
            return false;
        }
    }
    return collect(shelf) && keep_gone(shelf, before) && collect(shelf);
}

struct adu_crl_shelf *adu_crl_shelf_read(const struct adu_crl_origin *origins, size_t count,
                                         STACK_OF(X509) * issuers,
                                         const struct adu_crl_shelf *before)
{
    struct adu_crl_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL) {
        return NULL;
    }
    atomic_init(&shelf->references, 1);
    if (!read_all(shelf, origins, count, issuers, before)) {
        adu_crl_shelf_drop(shelf);
        return NULL;
    }
    for (size_t i = 0; i < shelf->count; i++) {
        if (!shelf->files[i].good) {
            say_wrong(shelf, shelf->files[i].origin, shelf->files[i].name, shelf->files[i].why);
        }
    }
    return shelf;
}

const struct adu_crl_list *adu_crl_shelf_lists(const struct adu_crl_shelf *shelf)
{
    return &shelf->lists;
}

unsigned adu_crl_shelf_refused(const struct adu_crl_shelf *shelf)
{
    return shelf->refused;
}

const char *adu_crl_shelf_wrong(const struct adu_crl_shelf *shelf, size_t *origin)
{
    *origin = shelf->wrong_origin;
    return shelf->wrong[0] != '\0' ? shelf->wrong : NULL;
}
