/* aduana: asks the policy what the plugins would answer. */
#include "cli/command.h"
#include "cli/live_options.h"
#include "common/text.h"
#include <stdio.h>
#include <string.h>

/* Dispatch and help are made of this. A command's help has at most 24 lines of 80 columns. */
static const struct {
    const char *name;
    enum adu_status (*run)(int argc, char **argv);
    const char *operands, *purpose;
    const char *options; /* its own, a line each */
    bool live;           /* has those of cli/live_options.h besides */
} commands[] = {
    {"check", adu_command_check, "DIR [OPTIONS]", "what is wrong or doubtful in a policy folder",
     "      --strict           warnings too make the exit status 1\n"
     "      --json             print {\"good\": ..., \"findings\": [...]}\n"
     "      --color WHEN       auto (only on a terminal), always, never\n",
     false},
    {"explain", adu_command_explain, "DIR --as KEY=VALUE... ACTION TOPIC [OPTIONS]",
     "whether a client may, why, and what to change",
     "ACTION is publish, subscribe or receive; or connect, without a TOPIC.\n"
     "      --as KEY=VALUE     what the client shows: cert.cn and the like, client_id,\n"
     "                         username (whose password it knows)\n"
     "      --cert FILE        the same from a certificate (PEM)\n"
     "      --from ADDRESS     its IP address\n"
     "      --qos N, --retain, --payload-bytes N\n"
     "                         what the message would be\n"
     "      --at TIME          when: 2026-11-23T08:00, in the plant's time zone\n"
     "      --all              every rule that matches, not the first twenty\n"
     "      --json             one JSON object\n"
     "      --live CLIENT      instead of DIR and --as: asks a broker about a client\n"
     "                         that it knows. How to reach it: aduana status --help\n",
     false},
    {"test", adu_command_test, "DIR [OPTIONS]", "whether the assertions in DIR/tests/*.json hold",
     "      --quiet            only what fails\n"
     "      --junit FILE       writes the results for a CI too\n"
     "      --json             one JSON object\n",
     false},
    {"passwd", adu_command_passwd, "[OPTIONS] FILE USER", "adds, changes or removes a local user",
     "  -c                     make the file, which must not be there\n"
     "  -D                     remove the user\n"
     "      --check            does the password fit? Changes nothing\n"
     "      --pbkdf2           the kind of hash that every broker reads; the default\n"
     "      --iterations N     of PBKDF2 (1000)\n"
     "      --argon2id         costs who guesses most; iam_auth reads it, few brokers\n"
     "      --old-until WHEN   how long the old one counts too: 2026-12-31T00:00:00Z\n"
     "The password is asked for twice, or is a line of standard input.\n",
     false},
    {"detect", adu_command_detect, "FILE.csv [OPTIONS]",
     "which values of a series the monitor would find unusual",
     "      --json             one JSON object\n"
     "      --scores           instead: the score of each value, 0 to 1\n"
     "A row is a time (UTC; a date or seconds since 1970), a comma and a number. A\n"
     "FILE of - is standard input.\n",
     false},
    {"status", adu_command_status, "[OPTIONS]", "what runs in a broker, and its counters", "",
     true},
    {"sessions", adu_command_sessions, "[CLIENT] [OPTIONS]",
     "who is connected to a broker, and as whom", "", true},
    {"certs", adu_command_certs, "[FILE...] [OPTIONS]",
     "how long client certificates have yet, and what is doubtful",
     "Those of a broker's clients; or of FILEs (PEM), without a broker:\n"
     "      --warn-days N, --critical-days N, --lifetime-most-days N\n"
     "                         limits for FILEs (30, 7, none)\n",
     true},
    {"topics", adu_command_topics, "[CLIENT] [OPTIONS]",
     "which topics are in use, and whose are refused or would be",
     "      --in-use           only the topics in use, a line each\n"
     "Exit status 1 if something was refused, or would be, since the policy was loaded.\n",
     true},
    {"reload", adu_command_reload, "[OPTIONS]", "has a broker load its policy folder anew",
     "      --wait             until the policy is loaded, or refused: then status 1\n", true},
    {"kick", adu_command_kick, "CLIENT [OPTIONS]", "disconnects a client from a broker",
     "      --no-will          its last will is not sent\n", true},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int find(const char *name)
{
    int i = 0;
    while (i < COMMANDS && strcmp(commands[i].name, name) != 0) {
        i++;
    }
    return i;
}

static void print_commands(FILE *out)
{
    fprintf(out, "aduana: asks a policy folder, or a running broker, what the plugins answer\n\n"
                 "usage: aduana COMMAND ...\n\n");
    for (int i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].purpose);
    }
    fputs("\n\"aduana COMMAND --help\" tells the rest; \"aduana --version\"; aduana(1).\n"
          "Exit status: 0 yes or good, 1 no or findings, 2 wrong usage or unreadable.\n",
          out);
}

static void print_usage(FILE *out, int which)
{
    fprintf(out, "usage: aduana %s %s\n  %s\n%s", commands[which].name, commands[which].operands,
            commands[which].purpose, commands[which].options);
    if (commands[which].live) {
        fputs(adu_live_usage, out);
    }
}

static enum adu_status complain_unknown(const char *name)
{
    const char *names[COMMANDS + 1] = {NULL};
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    char shown[300];
    const char *nearest = adu_text_nearest(name, names);
    fprintf(stderr, "aduana: no such command: %s%s%s%s\n\"aduana --help\" shows those there are\n",
            adu_text_quote(name, strlen(name), 64, shown, sizeof shown),
            nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "\"?" : "");
    return ADU_STATUS_USAGE;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

static enum adu_status run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const int which = find(name);
    if (which < COMMANDS && asks_help(argc - 1, argv + 1)) {
        print_usage(stdout, which);
        return ADU_STATUS_YES;
    }
    if (which < COMMANDS) {
        const enum adu_status status = commands[which].run(argc - 1, argv + 1);
        if (status != ADU_STATUS_MISUSED) {
            return status;
        }
        print_usage(stderr, which);
        return ADU_STATUS_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_commands(stdout);
        return ADU_STATUS_YES;
    }
    if (strcmp(name, "--version") == 0) {
        printf("aduana %s\n", ADUANA_VERSION);
        return ADU_STATUS_YES;
    }
    if (name[0] != '\0') {
        return complain_unknown(name);
    }
    print_commands(stderr);
    return ADU_STATUS_USAGE;
}

int main(int argc, char **argv)
{
    const enum adu_status status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) { /* an answer that nobody got is none */
        perror("aduana: cannot write");
        return ADU_STATUS_USAGE;
    }
    return status;
}
