/* The first refusal of each kind of a client is told, once. */
#include "plugins/topic_policy/reports.h"
#include "runner.h"
#include <string.h>

static int told;

static void count(void *context, const struct adu_event *event)
{
    (void)context;
    ck_assert_str_eq(event->kind, "topic_refused");
    ck_assert_str_eq(event->about->client_id, "edge");
    told++;
}

/* Texts at many distances from one another, as the loader may lay them. */
static const char *text_of(int kind)
{
    static char texts[2 * ADU_KINDS_TOLD][300];
    char *text = texts[kind] + kind * 7;
    strcpy(text, "not allowed");
    return text;
}

static void refuse(struct adu_reports *reports, struct adu_topic_client *client,
                   unsigned long generation, int kind)
{
    const struct adu_outlet outlet = {.alert = count};
    const struct adu_stage_call call = {.outlet = &outlet, .generation = generation};
    const struct adu_subject subject = {.client_id = "edge"};
    const struct adu_request request = {
        .subject = &subject, .action = ADU_PUBLISH, .topic = {"Planta/x", 8}};
    const struct adu_reason why = {
        .stage = "topic_policy", .text = text_of(kind), .limit = ADU_NO_LIMIT};
    adu_reports_note(reports, client, &call, &request, &why);
    adu_reports_tell(reports, &call);
}

START_TEST(each_kind_once)
{
    struct adu_reports *reports = adu_reports_new();
    struct adu_topic_client client = {0};
    for (unsigned long generation = 1; generation <= 2; generation++) {
        told = 0;
        for (int kind = 0; kind < ADU_KINDS_TOLD; kind++) {
            refuse(reports, &client, generation, kind);
            ck_assert_int_eq(told, kind + 1);
            refuse(reports, &client, generation, kind);
            ck_assert_int_eq(told, kind + 1);
        }
        for (int kind = ADU_KINDS_TOLD; kind < 2 * ADU_KINDS_TOLD; kind++) {
            refuse(reports, &client, generation, kind);
            ck_assert_int_eq(told, ADU_KINDS_TOLD);
        }
    }
    adu_reports_free(reports);
}

int main(void)
{
    Suite *suite = suite_create("reports");
    suite_add(suite, each_kind_once);
    return run_suite(suite);
}
