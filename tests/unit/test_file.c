/* Files of the administrator: only what nobody else could have written is read, and whole. */
#include "common/file.h"
#include "folder.h"
#include "runner.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 16, SOMEBODY = 12345 };

static struct folder f;

static void bind_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_lt(snprintf(name.sun_path, sizeof name.sun_path, "%s", path),
                     (int)sizeof name.sun_path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
}

/* Makes "x" in the folder as `how` says: "none", "folder", "fifo", "socket", "> <path>" for a link,
 * or "<octal mode> <contents>". */
static void make(const char *how)
{
    char *rest;
    const mode_t mode = (mode_t)strtoul(how, &rest, 8);
    const char *path = folder_file(&f, "x");
    if (strcmp(how, "folder") == 0) {
        ck_assert_int_eq(mkdir(path, 0755), 0);
    } else if (strcmp(how, "fifo") == 0) {
        ck_assert_int_eq(mkfifo(path, 0644), 0);
    } else if (strcmp(how, "socket") == 0) {
        bind_socket(path);
    } else if (how[0] == '>') {
        ck_assert_int_eq(symlink(how + 2, path), 0);
    } else if (rest != how) {
        folder_write(&f, "x", rest + 1);
        ck_assert_int_eq(chmod(path, mode), 0);
    }
}

static const struct {
    const char *how, *error; /* NULL: it is read */
} files[] = {
    {"0644 abc", NULL},
    {"0600 abc", NULL},
    {"0444 abc", NULL},
    {"0755 abc", NULL},
    {"0644 ", NULL},
    {"0644 1234567890123456", NULL},
    {"0644 12345678901234567", "x.json: has 17 bytes; the limit is 16"},
    {"none", "x.json: cannot be read: No such file or directory"},
    {"0664 abc", "x.json: others may write it (mode 0664); use chmod go-w"},
    {"0646 abc", "x.json: others may write it (mode 0646); use chmod go-w"},
    {"0620 abc", "x.json: others may write it (mode 0620); use chmod go-w"},
    {"0602 abc", "x.json: others may write it (mode 0602); use chmod go-w"},
    {"0777 abc", "x.json: others may write it (mode 0777); use chmod go-w"},
    {"4666 abc", "x.json: others may write it (mode 4666); use chmod go-w"},
    {"folder", "x.json: is not a regular file"},
    {"fifo", "x.json: is not a regular file"}, /* and nobody waits for its writer */
    {"socket", "x.json: cannot be read: No such device or address"},
    {"> /dev/zero", "x.json: is not a regular file"},
    {"> /dev/null", "x.json: is not a regular file"},
    {"> x", "x.json: cannot be read: Too many levels of symbolic links"},
    {"> missing", "x.json: cannot be read: No such file or directory"},
    {"> .", "x.json: is not a regular file"},
};

START_TEST(reads)
{
    struct adu_error error = {0};
    char text[1024];
    size_t length = 99;
    folder_make(&f);
    make(files[_i].how);
    char *bytes = adu_file_read("x.json", folder_file(&f, "x"), MOST, &length, &error);
    adu_error_format(&error, text, sizeof text);
    if (files[_i].error == NULL) {
        ck_assert_msg(bytes != NULL, "%s: %s", files[_i].how, text);
        ck_assert_str_eq(bytes, files[_i].how + 5);
        ck_assert_uint_eq(length, strlen(bytes));
    } else {
        ck_assert_ptr_null(bytes);
        ck_assert_str_eq(text, files[_i].error);
    }
    free(bytes);
    folder_remove(&f);
}
END_TEST

/* A link is as good as what it leads to: certificates and policies are often mounted so. */
static const struct {
    mode_t mode;
    const char *error;
} linked[] = {
    {0644, ""},
    {0666, "x.json: others may write it (mode 0666); use chmod go-w"},
};

START_TEST(links)
{
    struct adu_error error = {0};
    char text[1024];
    size_t length;
    folder_make(&f);
    folder_write(&f, "real", "abc");
    ck_assert_int_eq(chmod(folder_file(&f, "real"), linked[_i].mode), 0);
    make("> real");
    char *bytes = adu_file_read("x.json", folder_file(&f, "x"), MOST, &length, &error);
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), linked[_i].error);
    ck_assert((bytes != NULL) == (linked[_i].error[0] == '\0'));
    ck_assert(adu_file_trusted("x.json", folder_file(&f, "x"), &error) == (bytes != NULL));
    free(bytes);
    folder_remove(&f);
}
END_TEST

/* A good file where anybody may put another in its place, or another link. */
static const struct {
    mode_t mode; /* of the folder "d" */
    const char *path;
    bool trusted;
} places[] = {
    {0755, "d/e/x", true},  {0775, "d/e/x", true}, {0777, "d/e/x", false}, {01777, "d/e/x", true},
    {0777, "e/x", true},    {0777, "d/x", false},  {0777, "link", false},  {0755, "link", true},
    {0777, "d/out", false}, {0755, "d/out", true},

};

START_TEST(folders_on_the_way)
{
    struct adu_error error = {0};
    char text[1024], expected[512], path[512];
    size_t length;
    folder_make(&f);
    ck_assert_int_eq(mkdir(folder_file(&f, "d"), 0755), 0);
    ck_assert_int_eq(mkdir(folder_file(&f, "d/e"), 0755), 0);
    ck_assert_int_eq(mkdir(folder_file(&f, "e"), 0755), 0);
    folder_write(&f, "d/x", "abc");
    folder_write(&f, "d/e/x", "abc");
    folder_write(&f, "e/x", "abc");
    ck_assert_int_eq(symlink("d/x", folder_file(&f, "link")), 0);
    ck_assert_int_eq(symlink("../e/x", folder_file(&f, "d/out")), 0);
    ck_assert_int_eq(chmod(folder_file(&f, "d"), places[_i].mode), 0);
    snprintf(path, sizeof path, "%s", folder_file(&f, places[_i].path));
    char *bytes = adu_file_read("x.json", path, MOST, &length, &error);
    ck_assert_msg((bytes != NULL) == places[_i].trusted, "%s", path);
    snprintf(expected, sizeof expected, "x.json: lies in %s, which anybody may write (mode 0777)",
             folder_file(&f, "d"));
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), bytes != NULL ? "" : expected);
    ck_assert(adu_file_trusted("x.json", path, &error) == places[_i].trusted);
    free(bytes);
    folder_remove(&f);
}
END_TEST

START_TEST(a_nul_does_not_end_a_file)
{
    struct adu_error error = {0};
    size_t length;
    folder_make(&f);
    folder_write_bytes(&f, "x", "a\0b", 3);
    char *bytes = adu_file_read("x.json", folder_file(&f, "x"), MOST, &length, &error);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(length, 3);
    ck_assert_int_eq(memcmp(bytes, "a\0b\0", 4), 0);
    free(bytes);
    folder_remove(&f);
}
END_TEST

/* Files whose size says nothing, as those of /proc: what is not there is not made up. */
START_TEST(a_file_of_no_size)
{
    struct adu_error error = {0};
    size_t length = 99;
    char *bytes = adu_file_read("x", "/proc/self/status", MOST, &length, &error);
    ck_assert(bytes == NULL || length == 0);
    free(bytes);
}
END_TEST

static const struct {
    mode_t mode;
    bool trusted;
} folders[] = {
    {0700, true},  {0755, true},  {0555, true},   {0775, false},
    {0757, false}, {0777, false}, {01777, false}, /* a sticky folder is everybody's too */
};

START_TEST(trusts_folders)
{
    struct adu_error error = {0};
    char text[1024], expected[128];
    folder_make(&f);
    ck_assert_int_eq(mkdir(folder_file(&f, "d"), 0700), 0);
    ck_assert_int_eq(chmod(folder_file(&f, "d"), folders[_i].mode), 0);
    const bool good = adu_file_trusted("policies", folder_file(&f, "d"), &error);
    ck_assert(good == folders[_i].trusted);
    snprintf(expected, sizeof expected,
             good ? "" : "policies: others may write it (mode %04o); use chmod go-w",
             (unsigned)folders[_i].mode);
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text), expected);
    folder_remove(&f);
}
END_TEST

START_TEST(trusts_nothing_that_is_not_there)
{
    struct adu_error error = {0};
    char text[1024];
    ck_assert(!adu_file_trusted("policies", "/nowhere/at/all", &error));
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text),
                     "policies: cannot be read: No such file or directory");
}
END_TEST

/* Only root can give a file away; as anybody else there is nothing to ask. */
START_TEST(of_somebody_else)
{
    struct adu_error error = {0};
    char text[1024];
    size_t length;
    if (geteuid() != 0) {
        return;
    }
    folder_make(&f);
    make("0644 abc");
    ck_assert_int_eq(chown(folder_file(&f, "x"), SOMEBODY, (gid_t)-1), 0);
    ck_assert_ptr_null(adu_file_read("x.json", folder_file(&f, "x"), MOST, &length, &error));
    ck_assert_str_eq(adu_error_format(&error, text, sizeof text),
                     "x.json: belongs to user 12345; it must belong to root or to the broker's "
                     "user");
    ck_assert(!adu_file_trusted("x.json", folder_file(&f, "x"), &error));
    folder_remove(&f);
}
END_TEST

/* The broker has dropped its rights: what is root's stays good, and so does its own. */
START_TEST(of_root_and_ones_own)
{
    struct adu_error error = {0};
    size_t length;
    char path[512];
    if (geteuid() != 0) {
        return;
    }
    folder_make(&f);
    ck_assert_int_eq(chmod(f.path, 0755), 0);
    make("0644 abc");
    folder_write(&f, "own", "abc");
    ck_assert_int_eq(chown(folder_file(&f, "own"), SOMEBODY, (gid_t)-1), 0);
    ck_assert_int_eq(seteuid(SOMEBODY), 0);
    char *roots = adu_file_read("x", folder_file(&f, "x"), MOST, &length, &error);
    char *own = adu_file_read("own", folder_file(&f, "own"), MOST, &length, &error);
    snprintf(path, sizeof path, "%s", error.text);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_msg(roots != NULL && own != NULL, "%s", path);
    free(roots);
    free(own);
    folder_remove(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    suite_add_rows(suite, reads, ROWS(files));
    suite_add_rows(suite, links, ROWS(linked));
    suite_add_rows(suite, folders_on_the_way, ROWS(places));
    suite_add(suite, a_nul_does_not_end_a_file);
    suite_add(suite, a_file_of_no_size);
    suite_add_rows(suite, trusts_folders, ROWS(folders));
    suite_add(suite, trusts_nothing_that_is_not_there);
    suite_add(suite, of_somebody_else);
    suite_add(suite, of_root_and_ones_own);
    return run_suite(suite);
}
