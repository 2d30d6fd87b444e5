#include "common/audit_sink.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* What errno does not know. */
enum { ERROR_KIND = -1, ERROR_OTHERS = -2 };

/* Facility authpriv, severity notice (RFC 5424, 6.2.1). */
enum { FACILITY = 10, SEVERITY = 5, PRIORITY = FACILITY * 8 + SEVERITY };

/* Both daemons take datagrams. libsystemd would do no more for us than put these lines together,
 * and syslog(3) waits, under a lock that the broker's own log takes too. */
static const char *const sockets[] = {
    [ADU_AUDIT_TO_SYSLOG] = "/dev/log", [ADU_AUDIT_TO_JOURNALD] = "/run/systemd/journal/socket"};

void adu_audit_sink_init(struct adu_audit_sink *sink, const struct adu_audit_settings *settings)
{
    const bool daemon =
        settings->to == ADU_AUDIT_TO_SYSLOG || settings->to == ADU_AUDIT_TO_JOURNALD;
    const char *path = daemon ? sockets[settings->to] : settings->path;
    sink->to = settings->to;
    sink->fd = -1;
    sink->device = 0;
    sink->inode = 0;
    sink->error = 0;
    snprintf(sink->path, sizeof sink->path, "%s", path != NULL ? path : "");
}

/* --- opening --- */

/* A file that somebody else may write, or reads because it is theirs, is no place for this. */
static int trusted(const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return S_ISFIFO(st->st_mode) || S_ISCHR(st->st_mode) ? 0 : ERROR_KIND;
    }
    const bool ours = st->st_uid == 0 || st->st_uid == geteuid();
    return ours && (st->st_mode & S_IWOTH) == 0 ? 0 : ERROR_OTHERS;
}

/* O_NONBLOCK: a pipe that nobody reads is an error and not a reason to wait. */
static int open_file(struct adu_audit_sink *sink)
{
    sink->fd =
        open(sink->path,
             O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640);
    struct stat st;
    if (sink->fd < 0 || fstat(sink->fd, &st) != 0) {
        return errno;
    }
    return trusted(&st);
}

static int open_socket(struct adu_audit_sink *sink)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(sink->path) >= sizeof address.sun_path) {
        return ENAMETOOLONG;
    }
    memcpy(address.sun_path, sink->path, strlen(sink->path) + 1);
    sink->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return sink->fd >= 0 &&
                   connect(sink->fd, (const struct sockaddr *)&address, sizeof address) == 0
               ? 0
               : errno;
}

/* The descriptor itself is shared with who started the broker: what is set on it is set for them
 * too, so it stays as it is and poll is asked before each write. */
static int open_stderr(struct adu_audit_sink *sink)
{
    sink->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    return sink->fd >= 0 ? 0 : errno;
}

static int open_by_kind(struct adu_audit_sink *sink)
{
    switch (sink->to) {
    case ADU_AUDIT_TO_FILE:
        return open_file(sink);
    case ADU_AUDIT_TO_SYSLOG:
    case ADU_AUDIT_TO_JOURNALD:
        return open_socket(sink);
    case ADU_AUDIT_TO_STDERR:
        return open_stderr(sink);
    default:
        return EINVAL;
    }
}

bool adu_audit_sink_open(struct adu_audit_sink *sink)
{
    if (sink->fd >= 0) {
        return true;
    }
    sink->error = open_by_kind(sink);
    if (sink->error != 0) {
        adu_audit_sink_close(sink);
    }
    return sink->error == 0;
}

void adu_audit_sink_close(struct adu_audit_sink *sink)
{
    if (sink->fd >= 0) {
        close(sink->fd);
        sink->fd = -1;
    }
}

/* --- writing --- */

/* A pipe that takes anything takes PIPE_BUF bytes, and no line is longer. A disk takes part of a
 * line when it fills up: the rest is written when there is room again. */
static ssize_t write_stream(const struct adu_audit_sink *sink, const char *text, size_t length)
{
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
    if (sink->to == ADU_AUDIT_TO_STDERR && poll(&ready, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(sink->fd, text, length);
}

/* What stands before a line: in the native protocol of journald fields of the entry, for syslog the
 * header of RFC 3164, as the C library writes it. */
static size_t header(enum adu_audit_to to, char *buffer, size_t size)
{
    if (to == ADU_AUDIT_TO_JOURNALD) {
        return (size_t)snprintf(buffer, size,
                                "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=aduana\n"
                                "MESSAGE=",
                                SEVERITY, FACILITY);
    }
    const time_t now = time(NULL);
    struct tm local;
    char date[32] = "";
    if (localtime_r(&now, &local) != NULL) {
        strftime(date, sizeof date, "%b %e %H:%M:%S", &local);
    }
    return (size_t)snprintf(buffer, size, "<%d>%s aduana[%d]: ", PRIORITY, date, (int)getpid());
}

static ssize_t send_line(const struct adu_audit_sink *sink, const char *line, size_t length)
{
    char text[128];
    const size_t before = header(sink->to, text, sizeof text);
    /* syslog wants no end of line; journald's fields each have theirs. */
    struct iovec parts[] = {
        {.iov_base = text, .iov_len = before},
        {.iov_base = (void *)(uintptr_t)line,
         .iov_len = length - (sink->to == ADU_AUDIT_TO_SYSLOG ? 1 : 0)},
    };
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    const ssize_t sent = sendmsg(sink->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? sent : (ssize_t)length;
}

static bool is_socket(const struct adu_audit_sink *sink)
{
    return sink->to == ADU_AUDIT_TO_SYSLOG || sink->to == ADU_AUDIT_TO_JOURNALD;
}

/* A process that is killed while it writes may leave half a line behind: the kernel ends a write
 * between two pages. Nothing may stand behind it in the same line, or both were lost. */
static bool ends_within_a_line(const struct adu_audit_sink *sink, const struct stat *st)
{
    if (!S_ISREG(st->st_mode) || st->st_size == 0) {
        return false;
    }
    const int fd = open(sink->path, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false; /* a file that may be written only; nothing better is known */
    }
    struct stat same;
    char last;
    const bool is_within = fstat(fd, &same) == 0 && same.st_ino == st->st_ino &&
                           same.st_dev == st->st_dev && pread(fd, &last, 1, st->st_size - 1) == 1 &&
                           last != '\n';
    close(fd);
    return is_within;
}

/* Part of a line stands in the file that was open before; in another one it begins anew. */
static bool open_for(struct adu_audit_sink *sink, size_t *done)
{
    struct stat st;
    if (sink->fd >= 0) {
        return true;
    }
    if (!adu_audit_sink_open(sink)) {
        return false;
    }
    if (fstat(sink->fd, &st) != 0) {
        st = (struct stat){0};
    }
    if (st.st_dev != sink->device || st.st_ino != sink->inode) {
        *done = 0;
    }
    sink->device = st.st_dev;
    sink->inode = st.st_ino;
    if (*done == 0 && ends_within_a_line(sink, &st) && write(sink->fd, "\n", 1) != 1) {
        sink->error = errno;
        adu_audit_sink_close(sink);
        return false;
    }
    return true;
}

enum adu_audit_written adu_audit_sink_write(struct adu_audit_sink *sink, const char *line,
                                            size_t length, size_t *done)
{
    if (!open_for(sink, done)) {
        return ADU_AUDIT_WRITTEN_NOT;
    }
    while (*done < length) {
        const ssize_t wrote = is_socket(sink) ? send_line(sink, line, length)
                                              : write_stream(sink, line + *done, length - *done);
        if (wrote > 0) {
            *done += (size_t)wrote;
        } else if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return ADU_AUDIT_WRITTEN_LATER;
        } else if (wrote == 0 || errno != EINTR) {
            sink->error = wrote < 0 ? errno : EIO;
            adu_audit_sink_close(sink); /* what is opened next time may be better */
            return ADU_AUDIT_WRITTEN_NOT;
        }
    }
    return ADU_AUDIT_WRITTEN_ALL;
}

/* --- in words --- */

const char *adu_audit_sink_name(const struct adu_audit_settings *settings,
                                char buffer[ADU_AUDIT_SINK_NAME])
{
    static const char *const names[] = {[ADU_AUDIT_TO_NONE] = "none",
                                        [ADU_AUDIT_TO_FILE] = "file:",
                                        [ADU_AUDIT_TO_SYSLOG] = "syslog",
                                        [ADU_AUDIT_TO_JOURNALD] = "journald",
                                        [ADU_AUDIT_TO_STDERR] = "stderr"};
    snprintf(buffer, ADU_AUDIT_SINK_NAME, "%s%s", names[settings->to],
             settings->to == ADU_AUDIT_TO_FILE ? settings->path : "");
    return buffer;
}

const char *adu_audit_sink_text(int error)
{
    switch (error) {
    case ERROR_KIND:
        return "is neither a file nor a pipe";
    case ERROR_OTHERS:
        return "belongs to somebody else, or anybody may write it";
    case EAGAIN:
        return "takes no more for now";
    case ENXIO:
        return "nobody reads this pipe";
    default:
        return strerror(error);
    }
}

bool adu_audit_sink_check(const struct adu_audit_settings *settings, struct adu_error *error)
{
    struct adu_audit_sink sink;
    if (!settings->required) {
        return true;
    }
    adu_audit_sink_init(&sink, settings);
    const bool good = adu_audit_sink_open(&sink);
    adu_audit_sink_close(&sink);
    return good ||
           adu_error_set(error, &settings->place, "audit.to: %s, and the audit log is required",
                         adu_audit_sink_text(sink.error));
}
