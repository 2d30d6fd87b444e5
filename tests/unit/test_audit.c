/* Refusals in words, and how many of them one client may write. */
#include "common/audit.h"
#include "common/utf8.h"
#include "runner.h"
#include <string.h>

static const struct adu_place rule = {.file = "acl.json", .line = 12, .column = 3};

static const struct {
    struct adu_reason why;
    const char *text;
} reasons[] = {
    {{.limit = ADU_NO_LIMIT}, "pipeline: refused"},
    {{.stage = "acl", .text = "no", .limit = ADU_NO_LIMIT}, "acl: no"},
    {{.text = "no", .limit = ADU_NO_LIMIT}, "pipeline: no"},
    {{.stage = "acl", .text = "no", .detail = "edge", .limit = ADU_NO_LIMIT}, "acl: no \"edge\""},
    {{.stage = "acl", .text = "no", .detail = "a\"\n\xff", .limit = ADU_NO_LIMIT},
     "acl: no \"a\\\"\\x0a\\xff\""},
    {{.stage = "acl", .text = "no", .limit = 64}, "acl: no (limit 64)"},
    {{.stage = "acl", .text = "no", .limit = 0}, "acl: no (limit 0)"},
    {{.stage = "acl",
      .text = "no",
      .level = 2,
      .level_text = {.bytes = "linea2/x", .length = 6},
      .limit = ADU_NO_LIMIT},
     "acl: no (level 2 \"linea2\")"},
    {{.stage = "acl", .text = "no", .rule = &rule, .limit = ADU_NO_LIMIT}, "acl: no [acl.json:12]"},
    {{.stage = "acl",
      .text = "no",
      .detail = "d",
      .level = 1,
      .level_text = {.bytes = "l", .length = 1},
      .rule = &rule,
      .limit = 3},
     "acl: no \"d\" (limit 3) (level 1 \"l\") [acl.json:12]"},
};

START_TEST(reason)
{
    char text[1024];
    ck_assert_str_eq(adu_audit_reason(&reasons[_i].why, text, sizeof text), reasons[_i].text);
    /* Any room will do. */
    for (size_t size = 1; size <= strlen(reasons[_i].text) + 1; size++) {
        memset(text, 'X', sizeof text);
        adu_audit_reason(&reasons[_i].why, text, size);
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_int_eq(text[size], 'X');
    }
}
END_TEST

static const struct adu_reason no = {.stage = "acl", .text = "no", .rule = &rule, .limit = -1};

START_TEST(connects)
{
    char line[ADU_AUDIT_LINE];
    ck_assert_str_eq(adu_audit_connect("edge-1", "linea1", "127.0.0.1", &no, line),
                     "aduana: refused connect client=\"edge-1\" claimed_username=\"linea1\" "
                     "address=127.0.0.1: acl: no [acl.json:12]");
    ck_assert_str_eq(adu_audit_connect(NULL, NULL, NULL, &no, line),
                     "aduana: refused connect client=- claimed_username=- address=-: acl: no "
                     "[acl.json:12]");
    ck_assert_str_eq(adu_audit_connect("-", "", "::1", &no, line),
                     "aduana: refused connect client=\"-\" claimed_username=\"\" address=::1: acl: "
                     "no [acl.json:12]");
}
END_TEST

static const struct {
    const char *verb;
    bool will;
    enum adu_action action;
    bool retain;
    const char *line;
} requests[] = {
    {"refused", false, ADU_PUBLISH, true, "aduana: refused publish client=\"c\" username=\"u\" "},
    {"refused", true, ADU_PUBLISH, false, "aduana: refused will client=\"c\" username=\"u\" "},
    {"refused", false, ADU_SUBSCRIBE, false, "aduana: refused subscribe client=\"c\" "},
    {"would refuse", false, ADU_RECEIVE, false, "aduana: would refuse receive client=\"c\" "},
};

START_TEST(asked)
{
    char line[ADU_AUDIT_LINE], end[256];
    const struct adu_subject subject = {.client_id = "c", .username = "u"};
    const struct adu_request request = {.action = requests[_i].action,
                                        .topic = adu_text_of("a/\"b"),
                                        .qos = 2,
                                        .retain = requests[_i].retain,
                                        .subject = &subject};
    adu_audit_request(requests[_i].verb, requests[_i].will, &request, "10.0.0.1", &no, line);
    ck_assert_msg(strstr(line, requests[_i].line) == line, "%s", line);
    snprintf(end, sizeof end,
             "username=\"u\" address=10.0.0.1 topic=\"a/\\\"b\" qos=2 retain=%d: acl: no "
             "[acl.json:12]",
             requests[_i].retain);
    ck_assert_msg(strstr(line, end) != NULL && strlen(strstr(line, end)) == strlen(end), "%s",
                  line);
}
END_TEST

/* Bytes of which a hostile client may make its names: each is written in another length. */
static const char *const bytes[] = {"a", "\"", "\n", "\xff", "\xe2\x80\xae", "\xf0\x9f\x8c\xa1"};

/* However long and odd they are, a line is one line, fits the broker, and says why. */
START_TEST(worst_lines)
{
    static char huge[65536];
    char line[ADU_AUDIT_LINE];
    struct adu_reason why = {.stage = "topic_policy",
                             .text = "a level has a character that names.characters does not have",
                             .rule = &rule,
                             .level = 200,
                             .limit = 1000000};
    huge[0] = '\0';
    for (size_t used = 0, size = strlen(bytes[_i]); used + size < 4096; used += size) {
        memcpy(huge + used, bytes[_i], size + 1);
    }
    memcpy(why.detail, huge, sizeof why.detail - 1); /* cut within a character, it may be */
    why.level_text = adu_text_of(huge);
    const struct adu_subject subject = {.client_id = huge, .username = huge};
    const struct adu_request request = {
        .action = ADU_SUBSCRIBE, .topic = adu_text_of(huge), .subject = &subject};
    static const char address[] = "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff%interface]:65535";
    for (int connect = 0; connect < 2; connect++) {
        if (connect) {
            adu_audit_connect(huge, huge, address, &why, line);
        } else {
            adu_audit_request("would refuse", false, &request, address, &why, line);
        }
        const size_t length = strlen(line);
        ck_assert_uint_lt(length, ADU_AUDIT_LINE);
        for (size_t i = 0; i < length; i++) {
            ck_assert_msg((unsigned char)line[i] >= 0x20 && line[i] != 0x7f, "%s", line);
        }
        ck_assert_ptr_nonnull(strstr(line, ": topic_policy: a level has a character that "));
        ck_assert_msg(adu_utf8_valid(line, length), "%s", line);
    }
}
END_TEST

START_TEST(names)
{
    char name[ADU_AUDIT_NAME], huge[256];
    ck_assert_str_eq(adu_audit_name(NULL, name), "-");
    ck_assert_str_eq(adu_audit_name("a b", name), "\"a b\"");
    memset(huge, 'a', sizeof huge);
    huge[255] = '\0';
    adu_audit_name(huge, name);
    ck_assert_str_eq(name + 49, "...(255 bytes)\"");
}
END_TEST

/* --- the limiter --------------------------------------------------------------------------------
 */

/* At each time (ms) one more line is asked for. */
static const struct {
    const char *what;
    int64_t first, step;
    int lines, written;
    uint64_t told; /* as left out, all together */
} floods[] = {
    {"a few", 5000, 1, ADU_AUDIT_LINES, 10, 0},
    {"one too many", 5000, 1, 11, 10, 0},
    {"at once", 5000, 0, 1000, 10, 0},
    {"up to the end of the window", 5000, 100, 100, 10, 0},
    {"the first after the window", 5000, 100, 101, 11, 90},
    {"two windows and one", 5000, 100, 201, 21, 180},
    {"slowly", 5000, ADU_AUDIT_WINDOW_MS / ADU_AUDIT_LINES, 500, 500, 0},
    {"a little too fast", 5000, ADU_AUDIT_WINDOW_MS / ADU_AUDIT_LINES - 1, 110, 100, 9},
    {"at the beginning of time", 0, 0, 11, 10, 0},
    {"before the beginning of time", -5000, 1, 11, 10, 0},
    {"seldom", 5000, 1000000, 50, 50, 0},
};

START_TEST(limiter)
{
    struct adu_log_window window = {0};
    int written = 0;
    uint64_t told = 0;
    for (int i = 0; i < floods[_i].lines; i++) {
        uint64_t left_out = 99;
        const bool may =
            adu_audit_may_log(&window, floods[_i].first + i * floods[_i].step, &left_out);
        written += may;
        told += left_out;
        ck_assert(may || left_out == 0); /* what is told needs a line to be told in */
    }
    ck_assert_msg(written == floods[_i].written && told == floods[_i].told, "%s: %d, %d",
                  floods[_i].what, written, (int)told);
    /* Nothing is lost: what is not told yet will be. */
    ck_assert_uint_eq((uint64_t)written + told + window.left_out, floods[_i].lines);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit");
    suite_add_rows(suite, reason, ROWS(reasons));
    suite_add(suite, connects);
    suite_add_rows(suite, asked, ROWS(requests));
    suite_add_rows(suite, worst_lines, ROWS(bytes));
    suite_add(suite, names);
    suite_add_rows(suite, limiter, ROWS(floods));
    return run_suite(suite);
}
