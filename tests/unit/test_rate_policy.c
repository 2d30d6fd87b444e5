/* What rate_monitor.json says: whom it watches, where alerts go, and what it may not say. */
#include "monitor.h"

static const struct {
    const char *attributes, *roles, *class;
    int most; /* 0: not watched */
} classes[] = {
    {"", "edge", "gateways", 10},         {"", "op edge", "gateways", 10},
    {"zona=sur", "edge", "gateways", 10}, {"zona=sur", "op", "sala", 2},
    {"zona=sur", "", "sala", 2},          {"zona=norte", "op", "resto", 20},
    {"", "op mudo", "mudos", 0},          {"", "", NULL, 0},
    {"zona=norte", "otro", NULL, 0},
};

START_TEST(class_of_a_client)
{
    struct client c;
    char expected[64];
    const int most = classes[_i].most;
    begin(POLICY);
    client_make(&c, "c", classes[_i].attributes, classes[_i].roles);
    connects(&c);
    publishes(&c, most);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 0);
    publishes(&c, most > 0 ? 1 : 10000);
    tick_for(TICK);
    ck_assert_int_eq(message_count, most > 0 ? 1 : 0);
    if (most > 0) {
        snprintf(expected, sizeof expected, "raised %s %d.0/%d rate_monitor.json:1",
                 classes[_i].class, most + 1, most);
        ck_assert_str_eq(said(0), expected);
    }
    client_free(&c);
    end();
}
END_TEST

/* --- topics of the bundle's own -----------------------------------------------------------------
 */

static const struct {
    const char *topic;
    bool denied;
} own[] = {
    {"planta/_sys/alertas/publish_rate/e", true},
    {"planta/_sys/alertas/x/y", true}, /* nor what might be mistaken for an alert */
    {"planta/_sys/alertas//", true},
    {"planta/_sys/contadores", true},
    {"planta/_sys/alertas/x", false},
    {"planta/_sys/alertas/x/y/z", false},
    {"planta/_sys/contadores/x", false},
    {"planta/_sys/Contadores", false},
    {"planta/linea1/_sys", false},
};

START_TEST(nobody_publishes_alerts)
{
    struct client c;
    struct adu_reason why;
    begin(WITH_COUNTERS);
    client_make(&c, "c", "", "");
    for (int attempt = 0; attempt < 2; attempt++) { /* retained ones are judged too */
        ck_assert_int_eq(asks(&c, ADU_PUBLISH, own[_i].topic, attempt, &why),
                         own[_i].denied ? ADU_DENY : ADU_ABSTAIN);
        ck_assert_int_eq(why.text != NULL, own[_i].denied);
    }
    ck_assert_int_eq(asks(&c, ADU_SUBSCRIBE, own[_i].topic, true, &why), ADU_ABSTAIN);
    ck_assert_int_eq(asks(&c, ADU_RECEIVE, own[_i].topic, true, &why), ADU_ABSTAIN);
    client_free(&c);
    end();
}
END_TEST

START_TEST(qos_and_retain)
{
    struct client op;
    begin("{" CLASSES ", 'alerts': {'topic': 'a/${class}/${username}', 'qos': 2, 'retain': true}}");
    client_make(&op, "c", "", "op");
    publishes(&op, 21);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 1);
    ck_assert_str_eq(messages[0].topic, "a/resto/user");
    ck_assert_int_eq(messages[0].qos, 2);
    ck_assert(messages[0].retain);
    client_free(&op);
    end();
}
END_TEST

/* --- files refused ------------------------------------------------------------------------------
 */

#define CLASS(keys) "{'classes': [{'name': 'n', 'match': {}" keys "}], " ALERTS "}"

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *json, *error;
} refused[] = {
    {"{'classes': []}", "the key \"alerts\" is missing"},
    {"{" ALERTS "}", "the key \"classes\" is missing"},
    {"{'classes': [], 'alerts': {}}", "the key \"topic\" is missing"},
    {"{'classes': [], 'alerts': {'topic': 'a/+'}}", "a topic without wildcards"},
    {"{'classes': [], 'alerts': {'topic': 'a/#'}}", "a topic without wildcards"},
    {"{'classes': [], 'alerts': {'topic': 'a/x${kind}'}}", "each ${...} a whole level"},
    {"{'classes': [], 'alerts': {'topic': 'a/${kind}${class}'}}", "each ${...} a whole level"},
    {"{'classes': [], 'alerts': {'topic': 'a/${linea}'}}", "${linea} is not known here"},
    {"{'classes': [], 'alerts': {'topic': 'a/${kind'}}", "needs a name and a \"}\""},
    {"{'classes': [], 'alerts': {'topic': 'a', 'qos': 3}}", "qos: expected"},
    {"{'classes': [], " ALERTS ", 'counters': {'topic': 'a/+'}}", "a topic without wildcards"},
    {"{'classes': [], " ALERTS ", 'counters': {'topic': 'a/${kind}'}}",
     "a topic without wildcards"},
    {"{'classes': [], " ALERTS ", 'counters': {'topic': 'a', 'every_seconds': 0}}",
     "every_seconds"},
    {"{'classes': [], " ALERTS ", 'counters': {'every_seconds': 1}}",
     "counters: expected \"topic\" or \"tree\", or both"},
    {"{'classes': [], " ALERTS ", 'counters': {'tree': 'a/#'}}", "a topic without wildcards"},
    {"{'classes': [], " ALERTS ", 'counters': {'tree': ''}}", "a string that is not empty"},
    {"{'classes': [], " ALERTS
     ", 'counters': {'tree': '" SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR "x'}}",
     "has more than 256 bytes"},
    {CLASS(", 'publish': {}"), "the key \"max_per_second\" is missing"},
    {CLASS(", 'publish': {'max_per_second': 0}"), "max_per_second: expected"},
    {CLASS(", 'publish': {'max_per_second': 1000001}"), "max_per_second: expected"},
    {CLASS(", 'publish': {'max_per_minute': 1}"), "known here: max_per_second, clear_seconds"},
    {CLASS(", 'connections': {'max_per_minute': 1, 'clear_seconds': 0}"),
     "clear_seconds: expected"},
    {CLASS(", 'connections': {'max_per_minute': 1, 'clear_seconds': 86401}"), "clear_seconds: exp"},
    {"{'classes': [{'name': 'n'}], " ALERTS "}", "the key \"match\" is missing"},
    {"{'classes': [{'match': {}}], " ALERTS "}", "the key \"name\" is missing"},
    {"{'classes': [], 'mode': 'watch', " ALERTS "}", "mode: unknown key"},
};

START_TEST(files_refused)
{
    snippet_open(&snippet, "rate_monitor.json", refused[_i].json);
    ck_assert_msg(adu_rate_monitor_compile(&snippet.c, snippet.root) == NULL, "taken");
    ck_assert_msg(strstr(snippet_error(&snippet), refused[_i].error) != NULL, "%s: %s",
                  refused[_i].json, snippet.text);
    snippet_close(&snippet);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_policy");
    suite_add_rows(suite, class_of_a_client, ROWS(classes));
    suite_add_rows(suite, nobody_publishes_alerts, ROWS(own));
    suite_add(suite, qos_and_retain);
    suite_add_rows(suite, files_refused, ROWS(refused));
    return run_suite(suite);
}
