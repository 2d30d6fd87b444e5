/* What is refused, counted by namespace, by client and by reason, in as much memory as at first. */
#include "plugins/topic_policy/refusals.h"
#include "runner.h"
#include <stdio.h>
#include <string.h>

static struct adu_arena *arena;
static struct adu_refusals *refusals;

static void open_refusals(void)
{
    arena = adu_arena_new();
    refusals = adu_refusals_new(arena, 2);
    ck_assert_ptr_nonnull(refusals);
}

static void refuse(struct adu_refused_client *state, const char *client_id, const char *text,
                   uint32_t namespace, bool would)
{
    const struct adu_subject subject = {.client_id = client_id, .username = "plc"};
    const struct adu_request request = {.action = ADU_PUBLISH,
                                        .topic = adu_text_of("Planta/x"),
                                        .subject = &subject,
                                        .wall_ms = 1700000000000};
    struct adu_reason why = ADU_REASON_INIT;
    why.text = text;
    adu_refusals_note(refusals, state, 1, &request, &why, namespace, would);
}

START_TEST(counts)
{
    static const char upper[] = "upper case", spaces[] = "spaces";
    struct adu_refused_client one = {0};
    open_refusals();
    refuse(&one, "uno", upper, 2, false);
    refuse(&one, "uno", upper, 2, true);
    refuse(NULL, "nadie", spaces, 0, true);
    refuse(&one, "uno", spaces, 99, true); /* of no namespace that there is */
    ck_assert_uint_eq(refusals->all.refused, 1);
    ck_assert_uint_eq(refusals->all.would_refuse, 3);
    ck_assert_uint_eq(refusals->uses[2].tally.refused, 1);
    ck_assert_uint_eq(refusals->uses[2].tally.would_refuse, 1);
    ck_assert_uint_eq(refusals->uses[0].tally.would_refuse, 2);
    ck_assert_uint_eq(refusals->offenders, 1);
    ck_assert_str_eq(refusals->offender[0].client_id, "uno");
    ck_assert_str_eq(refusals->offender[0].username, "plc");
    ck_assert_str_eq(refusals->offender[0].topic, "Planta/x");
    ck_assert_str_eq(refusals->offender[0].text, spaces);
    ck_assert_uint_eq(refusals->offender[0].tally.would_refuse, 2);
    ck_assert_uint_eq(refusals->reasons, 2);
    ck_assert_uint_eq(refusals->reason[0].tally.refused, 1);
    adu_arena_free(arena);
}
END_TEST

/* A thousand clients with ten refusals each leave the list to those with more, exactly counted. */
START_TEST(the_worst)
{
    static struct adu_refused_client states[1000], worst[3];
    static const char text[] = "no";
    char id[32];
    open_refusals();
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "cliente-%d", i);
        for (int times = 0; times < 10; times++) {
            refuse(&states[i], id, text, 0, false);
        }
    }
    ck_assert_uint_eq(refusals->offenders, ADU_OFFENDERS_MOST);
    for (int times = 0; times < 20; times++) {
        for (int i = 0; i < 3; i++) {
            snprintf(id, sizeof id, "peor-%d", i);
            refuse(&worst[i], id, text, 0, true);
        }
    }
    int found = 0;
    for (size_t i = 0; i < refusals->offenders; i++) {
        if (strncmp(refusals->offender[i].client_id, "peor-", 5) == 0) {
            ck_assert_uint_eq(refusals->offender[i].tally.would_refuse, 20);
            found++;
        }
    }
    ck_assert_int_eq(found, 3);
    ck_assert_uint_eq(refusals->reasons, 1);
    /* under another policy it begins anew, and one that was forgotten is found again */
    struct adu_refused_client back = {0};
    refuse(&back, "peor-1", text, 0, true);
    ck_assert_uint_eq(refusals->offenders, ADU_OFFENDERS_MOST);
    ck_assert_uint_eq(back.tally.would_refuse, 1);
    adu_arena_free(arena);
}
END_TEST

/* Of a client in a namespace: exact while there is room, and then those with most are there. */
START_TEST(by_namespace_and_client)
{
    static struct adu_refused_client states[500], one, other;
    static const char text[] = "no";
    char id[32];
    open_refusals();
    for (int times = 0; times < 9; times++) {
        refuse(&one, "uno", text, (uint32_t)times % 3, times < 6);
        refuse(&other, "dos", text, 1, true);
    }
    ck_assert_uint_eq(refusals->offences, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct adu_offence *o = &refusals->offence[i];
        const bool first = strcmp(o->client_id, "uno") == 0;
        ck_assert_uint_eq(o->tally.would_refuse, first ? 2 : 9);
        ck_assert_uint_eq(o->tally.refused, first ? 1 : 0);
        ck_assert_uint_eq(o->before, 0);
        ck_assert_int_eq(o->last_ms, 1700000000000);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(id, sizeof id, "cliente-%d", i);
        refuse(&states[i], id, text, 2, true);
    }
    ck_assert_uint_eq(refusals->offences, ADU_OFFENCES_MOST);
    uint64_t most = 0;
    for (size_t i = 0; i < refusals->offences; i++) {
        const struct adu_offence *o = &refusals->offence[i];
        if (strcmp(o->client_id, "dos") == 0) {
            ck_assert_uint_eq(o->tally.would_refuse, 9);
            most++;
        } else if (strncmp(o->client_id, "cliente-", 8) == 0) {
            ck_assert_uint_eq(o->tally.would_refuse, 1);
            ck_assert_uint_le(o->before, 500 / (ADU_OFFENCES_MOST - 1) + 1);
        }
    }
    ck_assert_uint_eq(most, 1);
    adu_arena_free(arena);
}
END_TEST

/* More reasons than there is room for, and names longer than are kept. */
START_TEST(bounded)
{
    static char texts[ADU_REASONS_MOST + 9][4], id[300];
    struct adu_refused_client one = {0};
    open_refusals();
    memset(id, 'a', sizeof id - 1);
    memcpy(id + ADU_OFFENDER_NAME - 2, "\xc3\xb1", 2);
    for (int i = 0; i < ADU_REASONS_MOST + 9; i++) {
        refuse(&one, id, texts[i], 0, false);
    }
    ck_assert_uint_eq(refusals->reasons, ADU_REASONS_MOST);
    ck_assert_uint_eq(refusals->all.refused, ADU_REASONS_MOST + 9);
    ck_assert_uint_eq(strlen(refusals->offender[0].client_id), ADU_OFFENDER_NAME - 2);
    adu_arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refusals");
    suite_add(suite, counts);
    suite_add(suite, the_worst);
    suite_add(suite, by_namespace_and_client);
    suite_add(suite, bounded);
    return run_suite(suite);
}
