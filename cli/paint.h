/* Colour: on a terminal, unless it is told otherwise. */
#ifndef ADUANA_CLI_PAINT_H
#define ADUANA_CLI_PAINT_H

#include <stdbool.h>

/* What to print before and after; each is "" without colour. */
struct adu_paint {
    const char *strong, *bad, *doubtful, *place, *off;
};

/* `when` is "auto" (also for NULL), "always" or "never". auto: stdout is a terminal, which is not
 * dumb, and NO_COLOR is not set. false when `when` is something else. */
bool adu_paint_choose(struct adu_paint *paint, const char *when);

#endif
