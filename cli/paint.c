#include "cli/paint.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* https://no-color.org: set and not empty. */
static bool terminal_wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

bool adu_paint_choose(struct adu_paint *paint, const char *when)
{
    static const struct adu_paint colours = {.strong = "\033[1m",
                                             .bad = "\033[1;31m",
                                             .doubtful = "\033[1;33m",
                                             .place = "\033[1;32m",
                                             .off = "\033[0m"};
    static const struct adu_paint none = {
        .strong = "", .bad = "", .doubtful = "", .place = "", .off = ""};
    const bool automatic = when == NULL || strcmp(when, "auto") == 0;
    const bool always = !automatic && strcmp(when, "always") == 0;
    *paint = always || (automatic && terminal_wants_colour()) ? colours : none;
    return automatic || always || strcmp(when, "never") == 0;
}
