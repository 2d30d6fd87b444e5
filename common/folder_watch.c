#include "common/folder_watch.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUIET_MS = 500, LATEST_MS = 5000, AGAIN_MS = 1000 };

/* A file written to is looked at when it is closed, or half of it might be read. */
#define CHANGES (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB)
#define ITS_END (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)

struct adu_folder_watch {
    int fd; /* -1: not watched */
    int error;
    dev_t device;      /* which folder it is: the path may be a link, */
    ino_t inode;       /* and lead to another one later */
    int64_t looked_ms; /* when that was last looked at */
    int64_t first_ms;  /* of the changes that have not been told; -1: there are none */
    int64_t latest_ms; /* of them */
    char path[];
};

static bool leads_elsewhere(const struct adu_folder_watch *watch)
{
    struct stat st;
    return stat(watch->path, &st) == 0 && (st.st_dev != watch->device || st.st_ino != watch->inode);
}

static void begin(struct adu_folder_watch *watch)
{
    struct stat st = {0};
    if (stat(watch->path, &st) == 0) { /* before: a later one is then noticed */
        watch->device = st.st_dev;
        watch->inode = st.st_ino;
    }
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->error = watch->fd < 0 ? errno : 0;
    if (watch->fd >= 0 &&
        inotify_add_watch(watch->fd, watch->path, CHANGES | ITS_END | IN_ONLYDIR) < 0) {
        watch->error = errno;
        close(watch->fd);
        watch->fd = -1;
    }
}

struct adu_folder_watch *adu_folder_watch_new(const char *path)
{
    const size_t size = strlen(path) + 1;
    struct adu_folder_watch *watch = calloc(1, sizeof *watch + size);
    if (watch != NULL) {
        memcpy(watch->path, path, size);
        watch->first_ms = -1;
        begin(watch);
    }
    return watch;
}

void adu_folder_watch_free(struct adu_folder_watch *watch)
{
    if (watch != NULL && watch->fd >= 0) {
        close(watch->fd);
    }
    free(watch);
}

/* All that has come so far: the set of what happened. */
static uint32_t read_events(const struct adu_folder_watch *watch)
{
    _Alignas(struct inotify_event) char buffer[4096];
    uint32_t happened = 0;
    ssize_t length;
    while ((length = read(watch->fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < length;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            happened |= event->mask;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return happened;
}

static void note(struct adu_folder_watch *watch, int64_t mono_ms)
{
    watch->latest_ms = mono_ms;
    if (watch->first_ms < 0) {
        watch->first_ms = mono_ms;
    }
}

static void stop(struct adu_folder_watch *watch)
{
    close(watch->fd);
    watch->fd = -1;
}

/* Whether the path still leads to the folder that is watched. */
static void look(struct adu_folder_watch *watch, int64_t mono_ms)
{
    watch->looked_ms = mono_ms;
    if (watch->fd >= 0 && leads_elsewhere(watch)) {
        stop(watch);
    }
    if (watch->fd < 0) {
        begin(watch);
        if (watch->fd >= 0) {
            note(watch, mono_ms); /* nobody knows what it was like meanwhile */
        }
    }
}

bool adu_folder_watch_changed(struct adu_folder_watch *watch, int64_t mono_ms)
{
    if (watch->fd >= 0) {
        const uint32_t happened = read_events(watch);
        if (happened != 0) {
            note(watch, mono_ms);
        }
        if ((happened & ITS_END) != 0) {
            stop(watch);
        }
    }
    if (mono_ms - watch->looked_ms >= AGAIN_MS) {
        look(watch, mono_ms);
    }
    if (watch->fd < 0 || watch->first_ms < 0 ||
        (mono_ms - watch->latest_ms < QUIET_MS && mono_ms - watch->first_ms < LATEST_MS)) {
        return false;
    }
    watch->first_ms = -1;
    return true;
}

int adu_folder_watch_error(const struct adu_folder_watch *watch)
{
    return watch->error;
}
