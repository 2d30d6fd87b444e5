#include "cli/live_options.h"
#include "common/file.h"
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char adu_live_usage[] =
    "  -h, --host HOST        the broker (localhost), or --unix PATH\n"
    "  -p, --port PORT        8883 with TLS, else 1883\n"
    "      --cafile FILE      its CA, or --capath DIR: turns TLS on\n"
    "      --cert FILE        this client's certificate, and --key FILE\n"
    "  -u, --username NAME    asks for the password, or --password-file FILE\n"
    "  -i, --id ID            the client id: one that no device uses\n"
    "      --timeout SECONDS  to wait for an answer (5)\n"
    "      --json             print the answer as JSON\n"
    "All but --json may stand in ~/.config/aduana/broker, or in the file that\n"
    "$ADUANA_BROKER names: a line each, as in \"host broker.planta.example\".\n";

enum kind { TEXT, NUMBER };

static const struct {
    const char *name;
    int letter; /* 0: has none */
    enum kind kind;
    size_t offset;
    long least, most;
} known[] = {
    {"host", 'h', TEXT, offsetof(struct adu_live_options, host), 0, 0},
    {"port", 'p', NUMBER, offsetof(struct adu_live_options, port), 1, 65535},
    {"unix", 0, TEXT, offsetof(struct adu_live_options, unix_path), 0, 0},
    {"cafile", 0, TEXT, offsetof(struct adu_live_options, cafile), 0, 0},
    {"capath", 0, TEXT, offsetof(struct adu_live_options, capath), 0, 0},
    {"cert", 0, TEXT, offsetof(struct adu_live_options, cert), 0, 0},
    {"key", 0, TEXT, offsetof(struct adu_live_options, key), 0, 0},
    {"username", 'u', TEXT, offsetof(struct adu_live_options, username), 0, 0},
    {"password-file", 0, TEXT, offsetof(struct adu_live_options, password_file), 0, 0},
    {"id", 'i', TEXT, offsetof(struct adu_live_options, id), 0, 0},
    {"timeout", 0, NUMBER, offsetof(struct adu_live_options, timeout_seconds), 1, 3600},
};

enum { KNOWN = sizeof known / sizeof known[0], EXTRAS_MOST = 8, FILE_BYTES_MOST = 65536 };

/* What getopt_long gives for each option, beyond any letter. */
enum { FIRST_KNOWN = 256, JSON = FIRST_KNOWN + KNOWN, FIRST_EXTRA };

static bool set(struct adu_live_options *options, size_t which, const char *value)
{
    char *member = (char *)options + known[which].offset;
    if (known[which].kind == TEXT) {
        *(const char **)member = value;
        return true;
    }
    char *end;
    errno = 0;
    const long number = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < known[which].least ||
        number > known[which].most) {
        fprintf(stderr, "aduana: %s: expected %ld to %ld, found \"%s\"\n", known[which].name,
                known[which].least, known[which].most, value);
        return false;
    }
    *(long *)member = number;
    return true;
}

/* --- the file --- */

static bool set_line(struct adu_live_options *options, const char *path, unsigned number,
                     char *line)
{
    line += strspn(line, " \t");
    line[strcspn(line, "\r")] = '\0';
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    const size_t length = strcspn(line, " \t");
    char *value = line + length;
    if (*value != '\0') {
        *value++ = '\0';
        value += strspn(value, " \t");
    }
    for (size_t end = strlen(value); end > 0 && strchr(" \t", value[end - 1]) != NULL;) {
        value[--end] = '\0';
    }
    for (size_t i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, line) == 0 && value[0] != '\0') {
            return set(options, i, value);
        }
    }
    fprintf(stderr, "aduana: %s:%u: expected an option and its value, as in \"host 10.1.2.3\"\n",
            path, number);
    return false;
}

static bool read_file(struct adu_live_options *options, const char *path)
{
    struct adu_error error = {0};
    size_t length;
    options->file_text = adu_file_read(path, path, FILE_BYTES_MOST, &length, &error);
    if (options->file_text == NULL) {
        char shown[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32];
        fprintf(stderr, "aduana: %s\n", adu_error_format(&error, shown, sizeof shown));
        return false;
    }
    unsigned number = 0;
    char *rest = options->file_text, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (!set_line(options, path, ++number, line)) {
            return false;
        }
    }
    return true;
}

static bool read_any_file(struct adu_live_options *options)
{
    const char *named = getenv("ADUANA_BROKER"), *home = getenv("HOME");
    char path[4096];
    if (named != NULL && named[0] != '\0') {
        return read_file(options, named);
    }
    if (home == NULL ||
        snprintf(path, sizeof path, "%s/.config/aduana/broker", home) >= (int)sizeof path ||
        access(path, F_OK) != 0) {
        return true;
    }
    return read_file(options, path);
}

/* --- the command line --- */

static void fill_table(struct option *table, char *letters, const struct adu_live_extra *extras)
{
    int count = 0;
    for (int i = 0; i < KNOWN; i++) {
        table[count++] = (struct option){known[i].name, required_argument, NULL, FIRST_KNOWN + i};
        if (known[i].letter != 0) {
            *letters++ = (char)known[i].letter;
            *letters++ = ':';
        }
    }
    *letters = '\0';
    table[count++] = (struct option){"json", no_argument, NULL, JSON};
    for (int i = 0; i < EXTRAS_MOST && extras[i].name != NULL; i++) {
        table[count++] = (struct option){extras[i].name,
                                         extras[i].value != NULL ? required_argument : no_argument,
                                         NULL, FIRST_EXTRA + i};
    }
    table[count] = (struct option){0};
}

static bool take(struct adu_live_options *options, int found, const struct adu_live_extra *extras)
{
    if (found >= FIRST_EXTRA) {
        const struct adu_live_extra *extra = &extras[found - FIRST_EXTRA];
        if (extra->value != NULL) {
            *extra->value = optarg;
        } else {
            *extra->flag = true;
        }
        return true;
    }
    if (found == JSON) {
        options->json = true;
        return true;
    }
    for (int i = 0; i < KNOWN; i++) {
        if (found == FIRST_KNOWN + i || (known[i].letter != 0 && found == known[i].letter)) {
            return set(options, (size_t)i, optarg);
        }
    }
    return false; /* getopt_long has complained */
}

bool adu_live_options_read(struct adu_live_options *options, int argc, char **argv,
                           const struct adu_live_extra *extras, int *first)
{
    struct option table[KNOWN + 1 + EXTRAS_MOST + 1];
    char letters[2 * KNOWN + 1];
    *options = (struct adu_live_options){.host = "localhost", .timeout_seconds = 5};
    if (!read_any_file(options)) {
        return false;
    }
    fill_table(table, letters, extras);
    optind = 1;
    int found;
    while ((found = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        if (!take(options, found, extras)) {
            return false;
        }
    }
    *first = optind;
    return true;
}

void adu_live_options_free(struct adu_live_options *options)
{
    free(options->file_text);
    options->file_text = NULL;
}
