#include "common/instant.h"
#include <string.h>
#include <time.h>

static bool has_form(const char *text, const char *form)
{
    while (*form != '\0' && (*form == '0' ? *text >= '0' && *text <= '9' : *text == *form)) {
        text++;
        form++;
    }
    return *form == '\0' && *text == '\0';
}

static int number(const char *text, int digits)
{
    int value = 0;
    while (digits-- > 0) {
        value = value * 10 + (*text++ - '0');
    }
    return value;
}

bool adu_instant_read(const char *text, int64_t *wall_ms)
{
    if (!has_form(text, "0000-00-00T00:00:00Z")) {
        return false;
    }
    struct tm tm = {.tm_year = number(text, 4) - 1900,
                    .tm_mon = number(text + 5, 2) - 1,
                    .tm_mday = number(text + 8, 2),
                    .tm_hour = number(text + 11, 2),
                    .tm_min = number(text + 14, 2),
                    .tm_sec = number(text + 17, 2)};
    const struct tm said = tm;
    const time_t seconds = timegm(&tm); /* makes another day of one that there is not */
    if (tm.tm_year < 70 || tm.tm_year != said.tm_year || tm.tm_mon != said.tm_mon ||
        tm.tm_mday != said.tm_mday || tm.tm_hour != said.tm_hour || tm.tm_min != said.tm_min ||
        tm.tm_sec != said.tm_sec) {
        return false;
    }
    *wall_ms = (int64_t)seconds * 1000;
    return true;
}
