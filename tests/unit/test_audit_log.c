/* The audit log's thread and its sinks: whatever becomes of them, who adds a record never waits,
 * and what is left out is counted. */
#include "common/audit_log.h"
#include "common/audit_ring.h"
#include "common/audit_sink.h"
#include "folder.h"
#include "runner.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BOUND_MS = 20000 };

static struct folder folder;
static struct adu_audit_log *audit;
static int64_t mono_ms = 1000000;

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until something holds of the log; fails the test when that takes too long. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        const int64_t end = clock_ms() + BOUND_MS;                                                 \
        while (!(condition)) {                                                                     \
            ck_assert_msg(clock_ms() < end, "%s", #condition);                                     \
            usleep(2000);                                                                          \
        }                                                                                          \
    } while (0)

static struct adu_audit_state state(void)
{
    return adu_audit_log_state(audit);
}

static void use(const char *path, long queue, long lines_per_second)
{
    const struct adu_audit_settings settings = {.to = ADU_AUDIT_TO_FILE,
                                                .path = path,
                                                .lines_per_second = lines_per_second,
                                                .queue = queue};
    adu_audit_log_use(audit, &settings);
}

static void begin(void)
{
    folder_make(&folder);
    audit = adu_audit_log_new();
    ck_assert_ptr_nonnull(audit);
}

static void end(void)
{
    adu_audit_log_free(audit);
    folder_remove(&folder);
}

/* One refusal, whose number is its payload's length. False if it was left out. */
static bool add_as(uint32_t number, bool allowed)
{
    static const struct adu_subject edge = {.client_id = "edge-linea1", .username = "linea1"};
    const struct adu_request request = {.topic = adu_text_of("planta/linea1/temperatura"),
                                        .payload_length = number,
                                        .subject = &edge};
    struct adu_audit_record *record = adu_audit_log_next(audit, allowed, mono_ms);
    if (record == NULL) {
        return false;
    }
    adu_audit_record_begin(record, ADU_AUDIT_PUBLISH, ADU_AUDIT_REFUSED, 1, 1);
    adu_audit_record_request(record, &request);
    adu_audit_log_commit(audit);
    return true;
}

static bool add(uint32_t number)
{
    return add_as(number, false);
}

/* --- reading what was written --- */

struct seen {
    uint32_t lines, last;
    uint64_t left_out;
};

/* Each line is whole, and later than the one before. */
static void read_line(struct seen *seen, const char *line, size_t length)
{
    json_error_t error;
    json_t *object = json_loadb(line, length, 0, &error);
    ck_assert_msg(object != NULL, "%s: %.*s", error.text, (int)length, line);
    const uint32_t number = (uint32_t)json_integer_value(json_object_get(object, "payload_bytes"));
    ck_assert_msg(seen->lines == 0 || number > seen->last, "%u after %u", number, seen->last);
    seen->left_out += (uint64_t)json_integer_value(json_object_get(object, "suppressed"));
    seen->last = number;
    seen->lines++;
    json_decref(object);
}

static struct seen read_lines(struct seen seen, const char *text, size_t length)
{
    const char *end_of_line;
    ck_assert(length == 0 || text[length - 1] == '\n');
    while (length > 0 && (end_of_line = memchr(text, '\n', length)) != NULL) {
        const size_t size = (size_t)(end_of_line - text) + 1;
        read_line(&seen, text, size);
        text += size;
        length -= size;
    }
    return seen;
}

static struct seen read_file(struct seen seen, const char *name)
{
    size_t length;
    char *text = file_text(folder_file(&folder, name), &length);
    ck_assert_ptr_nonnull(text);
    seen = read_lines(seen, text, length);
    free(text);
    return seen;
}

static char *path_of(const char *name)
{
    char *path = strdup(folder_file(&folder, name));
    ck_assert_ptr_nonnull(path);
    return path;
}

/* --- the log --- */

START_TEST(in_order)
{
    struct stat st;
    begin();
    char *path = path_of("audit.log");
    use(path, 64, 1000000);
    for (uint32_t i = 1; i <= 10000; i++) {
        UNTIL(state().waiting < 64);
        ck_assert(add(i));
    }
    UNTIL(state().written == 10000);
    const struct seen seen = read_file((struct seen){0}, "audit.log");
    ck_assert_uint_eq(seen.lines, 10000);
    ck_assert_uint_eq(seen.left_out, 0);
    ck_assert_uint_eq(state().dropped + state().failed + state().waiting, 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07137, 0);
    free(path);
    end();
}
END_TEST

START_TEST(nothing_without_settings)
{
    begin();
    ck_assert(!add(1));
    const struct adu_audit_settings none = {0};
    adu_audit_log_use(audit, &none);
    ck_assert(!add(1));
    ck_assert(!adu_audit_log_wants_allowed(audit));
    ck_assert_uint_eq(state().dropped, 0);
    end();
    adu_audit_log_free(NULL);
}
END_TEST

/* What is waiting at the end is written. */
START_TEST(the_end)
{
    begin();
    char *path = path_of("audit.log");
    use(path, 1024, 1000000);
    for (uint32_t i = 1; i <= 1000; i++) {
        ck_assert(add(i));
    }
    adu_audit_log_free(audit);
    ck_assert_uint_eq(read_file((struct seen){0}, "audit.log").lines, 1000);
    free(path);
    folder_remove(&folder);
}
END_TEST

START_TEST(renamed_and_reopened)
{
    begin();
    char *path = path_of("audit.log"), *old = path_of("audit.log.1");
    use(path, 64, 1000);
    ck_assert(add(1));
    UNTIL(state().written == 1);
    ck_assert_int_eq(rename(path, old), 0);
    ck_assert(add(2));
    UNTIL(state().written == 2);
    adu_audit_log_reopen(audit);
    ck_assert(add(3));
    UNTIL(state().written == 3);
    ck_assert_uint_eq(read_file((struct seen){0}, "audit.log.1").lines, 2);
    ck_assert_uint_eq(read_file((struct seen){0}, "audit.log").lines, 1);
    free(path);
    free(old);
    end();
}
END_TEST

/* The linker gives us what the log's thread calls: it can be held where it looks for the next
 * record, right after it has looked for orders, when it has written what there was. */
enum { GOES_ON, WILL_STOP, STOPS };
static atomic_int looking;

const struct adu_audit_record *__real_adu_audit_ring_front(const struct adu_audit_ring *ring);
const struct adu_audit_record *__wrap_adu_audit_ring_front(const struct adu_audit_ring *ring);

const struct adu_audit_record *__wrap_adu_audit_ring_front(const struct adu_audit_ring *ring)
{
    static bool found;
    int expected = WILL_STOP;
    if (found && adu_audit_ring_count(ring) == 0 &&
        atomic_compare_exchange_strong(&looking, &expected, STOPS)) {
        while (atomic_load(&looking) == STOPS) {
            usleep(1000);
        }
    }
    const struct adu_audit_record *front = __real_adu_audit_ring_front(ring);
    found = front != NULL;
    return front;
}

/* What is added after the order belongs to the new file, wherever the thread is. */
START_TEST(renamed_while_the_thread_looks_for_more)
{
    begin();
    char *path = path_of("audit.log"), *old = path_of("audit.log.1");
    use(path, 64, 1000);
    atomic_store(&looking, WILL_STOP);
    ck_assert(add(1));
    UNTIL(atomic_load(&looking) == STOPS);
    ck_assert_int_eq(rename(path, old), 0);
    adu_audit_log_reopen(audit);
    ck_assert(add(2));
    atomic_store(&looking, GOES_ON);
    UNTIL(state().written == 2);
    ck_assert_uint_eq(read_file((struct seen){0}, "audit.log.1").lines, 1);
    ck_assert_uint_eq(read_file((struct seen){0}, "audit.log").lines, 1);
    free(path);
    free(old);
    end();
}
END_TEST

/* A full disk keeps what is waiting and nobody else; another place then gets it all, in order. */
START_TEST(a_full_disk)
{
    begin();
    char *path = path_of("audit.log");
    use("/dev/full", 64, 1000000);
    for (uint32_t i = 1; i <= 200; i++) {
        add(i);
    }
    UNTIL(state().failed >= 2);
    ck_assert_int_eq(state().error, ENOSPC);
    ck_assert_uint_eq(state().written, 0);
    const uint64_t kept = state().waiting;
    ck_assert_uint_ge(kept, 64);
    ck_assert_uint_eq(kept + state().dropped, 200);
    use(path, 64, 1000000);
    UNTIL(state().waiting == 0);
    ck_assert(add(201));
    UNTIL(state().written == kept + 1);
    const struct seen seen = read_file((struct seen){0}, "audit.log");
    ck_assert_uint_eq(seen.lines, kept + 1);
    ck_assert_uint_eq(seen.left_out, 200 - kept);
    ck_assert_int_eq(state().error, 0);
    free(path);
    end();
}
END_TEST

/* A place that comes to be is found by itself. */
START_TEST(a_folder_that_comes_later)
{
    begin();
    char *path = path_of("later/audit.log"), *later = path_of("later");
    use(path, 64, 1000);
    ck_assert(add(1));
    UNTIL(state().failed >= 1);
    ck_assert_int_eq(state().error, ENOENT);
    ck_assert_int_eq(mkdir(later, 0700), 0);
    UNTIL(state().written == 1);
    ck_assert_int_eq(unlink(path) + rmdir(later), 0);
    free(path);
    free(later);
    end();
}
END_TEST

static char read_text[1 << 22];

/* Reads what there is; returns how much has been read in all. */
static size_t drain(int reader, size_t length)
{
    ssize_t got;
    while ((got = read(reader, read_text + length, sizeof read_text - length)) > 0) {
        length += (size_t)got;
    }
    return length;
}

/* A pipe that somebody opened and does not read takes what it holds; then nothing, and nobody
 * waits. What is read then says how much is missing. */
START_TEST(a_pipe_that_is_not_read)
{
    begin();
    char *path = path_of("pipe");
    size_t length = 0;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    use(path, 64, 1000000);
    ck_assert(add(1));
    UNTIL(state().failed >= 1);
    ck_assert_int_eq(state().error, ENXIO);
    const int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(reader, 0);
    UNTIL(state().written == 1);
    int64_t slowest = 0;
    uint32_t number = 1;
    while (number < 5000 || state().error != EAGAIN) {
        const int64_t before = clock_ms();
        ck_assert_uint_lt(number, 50000000);
        add(++number);
        slowest = clock_ms() - before > slowest ? clock_ms() - before : slowest;
    }
    ck_assert_int_lt(slowest, 500);
    const uint64_t dropped = state().dropped;
    ck_assert_uint_gt(dropped, 0);
    UNTIL((length = drain(reader, length), state().waiting == 0));
    ck_assert(add(++number));
    UNTIL(state().waiting == 0);
    const struct seen seen = read_lines((struct seen){0}, read_text, drain(reader, length));
    ck_assert_uint_eq(seen.lines + seen.left_out, number);
    ck_assert_uint_eq(seen.left_out, dropped);
    close(reader);
    free(path);
    end();
}
END_TEST

/* Nor does the end of the broker wait for such a pipe. */
START_TEST(an_end_in_time)
{
    begin();
    char *path = path_of("pipe");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    const int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    use(path, 4096, 1000000);
    for (uint32_t i = 1; i <= 2000; i++) {
        add(i);
    }
    const int64_t before = clock_ms();
    adu_audit_log_free(audit);
    ck_assert_int_lt(clock_ms() - before, 2500);
    close(reader);
    free(path);
    folder_remove(&folder);
}
END_TEST

/* So many lines a second; what comes next says how many are missing. */
START_TEST(lines_a_second)
{
    begin();
    char *path = path_of("audit.log");
    use(path, 1024, 10);
    for (uint32_t i = 1; i <= 25; i++) {
        ck_assert_int_eq(add(i), i <= 10);
    }
    mono_ms += 999;
    ck_assert(!add(26));
    mono_ms += 1;
    ck_assert(add(27));
    UNTIL(state().written == 11);
    const struct seen seen = read_file((struct seen){0}, "audit.log");
    ck_assert_uint_eq(seen.left_out, 16);
    ck_assert_uint_eq(state().dropped, 16);
    free(path);
    end();
}
END_TEST

/* What is allowed never takes the place of a refusal. */
START_TEST(refusals_first)
{
    begin();
    const struct adu_audit_settings settings = {.to = ADU_AUDIT_TO_FILE,
                                                .path = "/dev/full",
                                                .allowed = true,
                                                .lines_per_second = 1000,
                                                .queue = 64};
    adu_audit_log_use(audit, &settings);
    ck_assert(adu_audit_log_wants_allowed(audit));
    uint32_t allowed = 0, refused = 0;
    for (uint32_t i = 0; i < 100; i++) {
        allowed += add_as(i, true);
    }
    for (uint32_t i = 100; i < 200; i++) {
        refused += add(i);
    }
    ck_assert_uint_le(allowed, 33); /* one may be in the thread's hand */
    ck_assert_uint_ge(refused, 32);
    use("/dev/null", 64, 10);
    UNTIL(state().waiting == 0);
    mono_ms += 1000;
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_int_eq(add_as(i, true), i < 5);
    }
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert_int_eq(add(i), i < 5);
    }
    end();
}
END_TEST

/* Other settings, again and again: all lines, in order. */
START_TEST(other_settings)
{
    begin();
    char *path = path_of("audit.log");
    uint32_t number = 0;
    for (int turn = 0; turn < 200; turn++) {
        use(path, 64 + turn % 7, 1000000);
        for (int i = 0; i < 50; i++) {
            ck_assert(add(++number));
        }
        UNTIL(state().waiting < 10);
    }
    UNTIL(state().written == number);
    ck_assert_uint_eq(read_file((struct seen){0}, "audit.log").lines, number);
    /* And none at all: what was there before is written. */
    ck_assert(add(++number));
    const struct adu_audit_settings none = {0};
    adu_audit_log_use(audit, &none);
    ck_assert(!add(1));
    UNTIL(state().written == number);
    free(path);
    end();
}
END_TEST

/* No audit log any more, and the old one bad: then there is nothing to wait for. */
START_TEST(none_any_more)
{
    const struct adu_audit_settings none = {0};
    begin();
    use("/dev/full", 64, 1000);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert(add(i));
    }
    UNTIL(state().failed >= 1);
    adu_audit_log_use(audit, &none);
    UNTIL(state().waiting == 0 && state().error == 0);
    ck_assert_uint_eq(state().dropped, 10);
    end();
}
END_TEST

/* --- sinks --- */

static const struct {
    const char *name; /* in the folder, or from the root */
    int error;
} places[] = {
    {"new", 0},   {"file", 0},     {"none/file", ENOENT}, {".", EISDIR},    {"link", ELOOP},
    {"open", -2}, {"pipe", ENXIO}, {"/dev/null", 0},      {"/dev/full", 0}, {"file/x", ENOTDIR},
};

START_TEST(opening)
{
    folder_make(&folder);
    folder_write(&folder, "file", "");
    folder_write(&folder, "open", "");
    ck_assert_int_eq(chmod(folder_file(&folder, "open"), 0666), 0);
    ck_assert_int_eq(symlink("file", folder_file(&folder, "link")), 0);
    ck_assert_int_eq(mkfifo(folder_file(&folder, "pipe"), 0600), 0);
    const char *name = places[_i].name;
    const struct adu_place place = {.file = "aduana.json", .line = 3, .column = 18};
    struct adu_audit_settings settings = {.to = ADU_AUDIT_TO_FILE,
                                          .path =
                                              name[0] == '/' ? name : folder_file(&folder, name),
                                          .place = place};
    static struct adu_audit_sink sink;
    struct adu_error error = {0};
    char text[ADU_ERROR_TEXT + 64];
    adu_audit_sink_init(&sink, &settings);
    ck_assert_int_eq(adu_audit_sink_open(&sink), places[_i].error == 0);
    ck_assert_int_eq(sink.error, places[_i].error);
    adu_audit_sink_close(&sink);
    adu_audit_sink_close(&sink);
    /* The same for who demands it. */
    ck_assert(adu_audit_sink_check(&settings, &error));
    settings.required = true;
    ck_assert_int_eq(adu_audit_sink_check(&settings, &error), places[_i].error == 0);
    if (places[_i].error != 0) {
        ck_assert_ptr_nonnull(
            strstr(adu_error_format(&error, text, sizeof text), "aduana.json:3:18: audit.to: "));
        ck_assert_ptr_nonnull(strstr(text, adu_audit_sink_text(places[_i].error)));
    }
    folder_remove(&folder);
}
END_TEST

/* Half a line, as a process that was killed leaves it, is ended before the next begins: a reader
 * loses that one alone. Of half a line of one's own, as a full disk leaves it, the rest follows. */
static const struct {
    const char *before; /* stands in the file */
    size_t own;         /* bytes of the line that the sink has written to it since */
    const char *after;
} tails[] = {
    {"", 0, "{\"b\":2}\n"},
    {"{\"a\":1}\n", 0, "{\"a\":1}\n{\"b\":2}\n"},
    {"{\"a\":1}\n{\"a", 0, "{\"a\":1}\n{\"a\n{\"b\":2}\n"},
    {"{", 0, "{\n{\"b\":2}\n"},
    {"{\"a\":1}\n", 4, "{\"a\":1}\n{\"b\":2}\n"},
};

START_TEST(half_a_line)
{
    static struct adu_audit_sink sink;
    static const char line[] = "{\"b\":2}\n";
    size_t done = 0;
    folder_make(&folder);
    folder_write(&folder, "file", tails[_i].before);
    char *path = path_of("file");
    const struct adu_audit_settings settings = {.to = ADU_AUDIT_TO_FILE, .path = path};
    adu_audit_sink_init(&sink, &settings);
    ck_assert_int_eq(adu_audit_sink_write(&sink, line, tails[_i].own, &done),
                     ADU_AUDIT_WRITTEN_ALL);
    adu_audit_sink_close(&sink);
    ck_assert_int_eq(adu_audit_sink_write(&sink, line, strlen(line), &done), ADU_AUDIT_WRITTEN_ALL);
    adu_audit_sink_close(&sink);
    char *text = file_text(path, &done);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(done, strlen(tails[_i].after));
    ck_assert_mem_eq(text, tails[_i].after, done);
    free(text);
    free(path);
    folder_remove(&folder);
}
END_TEST

/* What the daemons get: one datagram a line. */
static const struct {
    enum adu_audit_to to;
    const char *begins, *ends;
} daemons[] = {
    {ADU_AUDIT_TO_JOURNALD,
     "PRIORITY=5\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=aduana\nMESSAGE={\"a\":1}\n", "\n"},
    {ADU_AUDIT_TO_SYSLOG, "<85>", ": {\"a\":1}"},
};

START_TEST(datagrams)
{
    static struct adu_audit_sink sink;
    static const char line[] = "{\"a\":1}\n";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char got[256] = "";
    folder_make(&folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", folder_file(&folder, "log"));
    const struct adu_audit_settings settings = {.to = daemons[_i].to};
    adu_audit_sink_init(&sink, &settings);
    snprintf(sink.path, sizeof sink.path, "%s", address.sun_path);
    size_t done = 0;
    ck_assert_int_eq(adu_audit_sink_write(&sink, line, strlen(line), &done), ADU_AUDIT_WRITTEN_NOT);
    ck_assert_int_eq(sink.error, ENOENT);
    for (int turn = 0; turn < 2; turn++) { /* the daemon starts again */
        const int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
        if (turn > 0) {
            done = 0;
            ck_assert_int_eq(adu_audit_sink_write(&sink, line, strlen(line), &done),
                             ADU_AUDIT_WRITTEN_NOT);
            ck_assert_int_eq(sink.error, ECONNREFUSED);
        }
        done = 0;
        ck_assert_int_eq(adu_audit_sink_write(&sink, line, strlen(line), &done),
                         ADU_AUDIT_WRITTEN_ALL);
        ck_assert_uint_eq(done, strlen(line));
        const ssize_t size = recv(server, got, sizeof got - 1, 0);
        ck_assert_int_gt(size, 0);
        got[size] = '\0';
        ck_assert_int_eq(strncmp(got, daemons[_i].begins, strlen(daemons[_i].begins)), 0);
        ck_assert_str_eq(got + strlen(got) - strlen(daemons[_i].ends), daemons[_i].ends);
        /* One that reads nothing is full at last, and nobody waits. */
        enum adu_audit_written written = ADU_AUDIT_WRITTEN_ALL;
        for (int i = 0; i < 100000 && written == ADU_AUDIT_WRITTEN_ALL; i++) {
            done = 0;
            written = adu_audit_sink_write(&sink, line, strlen(line), &done);
        }
        ck_assert_int_eq(written, ADU_AUDIT_WRITTEN_LATER);
        ck_assert_uint_eq(done, 0);
        close(server);
        folder_delete(&folder, "log");
    }
    adu_audit_sink_close(&sink);
    folder_remove(&folder);
}
END_TEST

/* A pipe behind stderr takes whole lines, and says when it is full; what is set on it stays. */
START_TEST(standard_error)
{
    static struct adu_audit_sink sink;
    static char line[ADU_AUDIT_JSON], text[ADU_AUDIT_JSON * 64];
    int ends[2];
    const int before = dup(STDERR_FILENO);
    const struct adu_audit_settings settings = {.to = ADU_AUDIT_TO_STDERR};
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '\n';
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    adu_audit_sink_init(&sink, &settings);
    enum adu_audit_written written = ADU_AUDIT_WRITTEN_ALL;
    size_t lines = 0, done = 0;
    while (written == ADU_AUDIT_WRITTEN_ALL) {
        done = 0;
        written = adu_audit_sink_write(&sink, line, sizeof line, &done);
        lines += written == ADU_AUDIT_WRITTEN_ALL;
    }
    const int flags = fcntl(STDERR_FILENO, F_GETFL);
    dup2(before, STDERR_FILENO);
    adu_audit_sink_close(&sink);
    ck_assert_int_eq(written, ADU_AUDIT_WRITTEN_LATER);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(flags & O_NONBLOCK, 0);
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], text + length, sizeof text - length)) > 0) {
        length += (size_t)got;
    }
    ck_assert_uint_eq(length, lines * sizeof line);
    close(ends[0]);
    close(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("audit_log");
    suite_add(s, in_order);
    suite_add(s, nothing_without_settings);
    suite_add(s, the_end);
    suite_add(s, renamed_and_reopened);
    suite_add(s, renamed_while_the_thread_looks_for_more);
    suite_add(s, a_full_disk);
    suite_add(s, a_folder_that_comes_later);
    suite_add(s, a_pipe_that_is_not_read);
    suite_add(s, an_end_in_time);
    suite_add(s, lines_a_second);
    suite_add(s, refusals_first);
    suite_add(s, other_settings);
    suite_add(s, none_any_more);
    suite_add_rows(s, opening, ROWS(places));
    suite_add_rows(s, half_a_line, ROWS(tails));
    suite_add_rows(s, datagrams, ROWS(daemons));
    suite_add(s, standard_error);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
