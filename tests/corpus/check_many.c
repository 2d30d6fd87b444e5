/* `aduana check` on one folder after another, for the corpus: reads a folder a line and prints what
 * the command prints, a NUL, its exit status and a newline. Each folder has a process of its own,
 * as with the command; but it is forked from one that has its libraries already, which is most of
 * the time. */
#include "cli/command.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status as a shell tells it, or -1. */
static int check(char *folder)
{
    char name[] = "check", *argv[] = {name, folder, NULL};
    int status;
    const pid_t child = fork();
    if (child == 0) {
        dup2(STDOUT_FILENO, STDERR_FILENO);
        const int result = (int)adu_command_check(2, argv);
        fflush(stdout);
        _exit(result);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The libraries make what they need with the first check, and a forked process has it already. */
static void warm_up(char *folder)
{
    char name[] = "check", *argv[] = {name, folder, NULL};
    const int kept = dup(STDOUT_FILENO);
    if (kept >= 0 && freopen("/dev/null", "w", stdout) != NULL) {
        (void)adu_command_check(2, argv);
        fflush(stdout);
        dup2(kept, STDOUT_FILENO);
    }
    close(kept);
}

int main(void)
{
    char folder[4096];
    bool warm = false;
    while (fgets(folder, sizeof folder, stdin) != NULL) {
        folder[strcspn(folder, "\n")] = '\0';
        if (!warm) {
            warm_up(folder);
            warm = true;
        }
        const int status = check(folder);
        printf("%c%d\n", '\0', status);
        fflush(stdout);
    }
    return 0;
}
