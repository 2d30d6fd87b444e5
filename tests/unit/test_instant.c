/* Moments as policies have them. */
#include "common/instant.h"
#include "runner.h"

static const struct {
    const char *text;
    int64_t ms; /* -1: it is none */
} instants[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-12-31T00:00:00Z", INT64_C(1798675200000)},
    {"2028-02-29T12:34:56Z", INT64_C(1835440496000)},
    {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
    {"1969-12-31T23:59:59Z", -1},
    {"0000-01-01T00:00:00Z", -1},
    {"2026-02-29T00:00:00Z", -1},
    {"2026-00-10T00:00:00Z", -1},
    {"2026-13-10T00:00:00Z", -1},
    {"2026-01-00T00:00:00Z", -1},
    {"2026-04-31T00:00:00Z", -1},
    {"2026-12-31T24:00:00Z", -1},
    {"2026-12-31T23:60:00Z", -1},
    {"2016-12-31T23:59:60Z", -1},
    {"2026-12-31T00:00:00", -1},
    {"2026-12-31T00:00:00z", -1},
    {"2026-12-31 00:00:00Z", -1},
    {"2026-12-31T00:00:00+00:00", -1},
    {"2026-12-31T00:00:00Z ", -1},
    {" 2026-12-31T00:00:00Z", -1},
    {"+026-12-31T00:00:00Z", -1},
    {"2026-12-31T00:00:0", -1},
    {"2026-12-31", -1},
    {"", -1},
};

START_TEST(instants_are_read)
{
    int64_t ms = -1;
    ck_assert_int_eq(adu_instant_read(instants[_i].text, &ms), instants[_i].ms >= 0);
    ck_assert_int_eq(ms, instants[_i].ms);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("instant");
    suite_add_rows(suite, instants_are_read, ROWS(instants));
    return run_suite(suite);
}
