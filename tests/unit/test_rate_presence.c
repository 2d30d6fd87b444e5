/* Who is connected, as the plant is told; and what outlives the broker. */
#include "monitor.h"

#define PRESENCE "{" CLASSES ", " ALERTS ", 'presence': {'topic': 'p/${client_id}', 'qos': 2}}"
#define LEARNS                                                                                     \
    "{'classes': [{'name': 'a', 'match': {}, 'learn': true}], " ALERTS                             \
    ", 'presence': {'topic': 'p/${client_id}'}}"

/* What was kept last, and how often. */
static unsigned char kept[2048];
static size_t kept_length;
static int keeps;

static void keep(void *context, enum adu_stage_kind stage, const char *client_id,
                 const char *username, struct adu_bytes record)
{
    ck_assert_ptr_eq(context, &messages);
    ck_assert_int_eq(stage, ADU_STAGE_RATE_MONITOR);
    ck_assert_ptr_nonnull(client_id);
    ck_assert_str_eq(username, "user");
    ck_assert_uint_le(record.length, sizeof kept);
    memcpy(kept, record.bytes, record.length);
    kept_length = record.length;
    keeps++;
}

static void begin_present(const char *json)
{
    begin(json);
    keeps = 0;
    kept_length = 0;
    outlet.keep = keep;
}

static void leaves(struct client *c, enum adu_end end)
{
    adu_rate_monitor_left(&call, &c->state, end);
}

/* "p/e online connected" of the last of `count` messages. */
static const char *told(int count)
{
    static char text[300];
    ck_assert_int_eq(message_count, count);
    if (messages[count - 1].payload[0] == '\0') {
        snprintf(text, sizeof text, "%s -", messages[count - 1].topic);
        return text;
    }
    json_t *o = json_loads(messages[count - 1].payload, 0, NULL);
    snprintf(text, sizeof text, "%s %s %s", messages[count - 1].topic,
             json_string_value(json_object_get(o, "state")),
             json_string_value(json_object_get(o, "reason")));
    json_decref(o);
    ck_assert(messages[count - 1].retain);
    return text;
}

START_TEST(online_and_offline)
{
    struct client e;
    begin_present(PRESENCE);
    client_make(&e, "e", "", "edge");
    connects(&e);
    ck_assert_int_eq(message_count, 0); /* the tick tells */
    tick_for(TICK);
    ck_assert_str_eq(told(1), "p/e online connected");
    ck_assert_int_eq(messages[0].qos, 2);
    ck_assert_str_eq(member(0, "username"), "user");
    ck_assert_str_eq(member(0, "client_id"), "e");
    ck_assert_str_eq(member(0, "since"), "2023-11-14T22:13:20.000Z");
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 1);
    leaves(&e, ADU_END_ORDERLY);
    tick_for(TICK);
    ck_assert_str_eq(told(2), "p/e offline disconnected");
    ck_assert_str_eq(member(1, "since"), "2023-11-14T22:14:20.100Z");
    ck_assert_uint_eq(counters.presence_told, 2);
    client_free(&e);
    tick_for(TICK);
    ck_assert_str_eq(told(3), "p/e -"); /* forgotten: nothing stays behind in the broker */
    end();
}
END_TEST

static const struct {
    enum adu_end end;
    bool will;
    const char *told;
} ends[] = {
    {ADU_END_UNKNOWN, false, "p/e offline ended"},
    {ADU_END_UNKNOWN, true, "p/e offline connection_lost"},
    {ADU_END_LOST, false, "p/e offline connection_lost"},
    {ADU_END_ORDERLY, true, "p/e offline disconnected"}, /* MQTT 5: a will though it said so */
    {ADU_END_KICKED, true, "p/e offline disconnected_by_us"},
};

START_TEST(why_it_ended)
{
    struct client e;
    begin_present(PRESENCE);
    client_make(&e, "e", "", "edge");
    connects(&e);
    tick_for(TICK);
    leaves(&e, ends[_i].end);
    publishes(&e, ends[_i].will ? 1 : 0);
    tick_for(TICK);
    ck_assert_str_eq(told(2), ends[_i].told);
    client_free(&e);
    end();
}
END_TEST

START_TEST(take_over_is_no_flapping)
{
    struct client e, other;
    begin_present(PRESENCE);
    client_make(&e, "e", "", "edge");
    client_make(&other, "e", "", "edge"); /* of the same client id, by another user name */
    connects(&e);
    tick_for(TICK);
    connects(&e); /* and the end of the older connection is not told to stages */
    tick_for(TICK);
    ck_assert_str_eq(told(2), "p/e online taken_over");
    connects(&other);
    leaves(&e, ADU_END_LOST);
    tick_for(TICK);
    ck_assert_str_eq(told(3), "p/e online taken_over");
    client_free(&e); /* who had the client id before is forgotten: not so who has it */
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 3);
    leaves(&other, ADU_END_LOST);
    connects(&other); /* within one tick only the last counts */
    tick_for(TICK);
    ck_assert_str_eq(told(4), "p/e online connected");
    client_free(&other);
    end();
}
END_TEST

START_TEST(what_is_no_level_is_not_told)
{
    struct client e;
    begin_present(PRESENCE);
    client_make(&e, "a/b", "", "edge");
    connects(&e);
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 0);
    ck_assert_uint_eq(counters.presence_left_out, 1);
    client_free(&e);
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 0);
    end();
}
END_TEST

/* A policy that asks for it, asks for another topic, or for none any more. */
START_TEST(another_policy)
{
    struct client e;
    begin_present(POLICY);
    client_make(&e, "e", "", "edge");
    connects(&e);
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 0);
    snippet_close(&snippet);
    load("{" CLASSES ", " ALERTS ", 'presence': {'topic': 'a/${client_id}'}}");
    publishes(&e, 1);
    tick_for(2 * SECOND);
    ck_assert_str_eq(told(1), "a/e online connected");
    snippet_close(&snippet);
    load("{" CLASSES ", " ALERTS ", 'presence': {'topic': 'a/${client_id}'}}");
    publishes(&e, 1);
    tick_for(2 * SECOND);
    ck_assert_int_eq(message_count, 1); /* the same: nothing is said again */
    snippet_close(&snippet);
    load("{" CLASSES ", " ALERTS ", 'presence': {'topic': 'b/${client_id}'}}");
    publishes(&e, 1);
    tick_for(2 * SECOND);
    ck_assert_str_eq(messages[1].topic, "a/e");
    ck_assert_str_eq(messages[1].payload, "");
    ck_assert_str_eq(told(3), "b/e online connected");
    snippet_close(&snippet);
    load(POLICY);
    publishes(&e, 1);
    tick_for(2 * SECOND);
    ck_assert_str_eq(told(4), "b/e -");
    client_free(&e);
    end();
}
END_TEST

static bool restores(struct client *c, const char *id)
{
    client_make(c, id, "", "edge");
    return adu_rate_monitor_restore(&call, &c->asker.subject, &c->state,
                                    (struct adu_bytes){.bytes = kept, .length = kept_length});
}

START_TEST(nothing_kept_is_not_read)
{
    struct client e;
    begin_present(PRESENCE);
    ck_assert(!restores(&e, "e"));
    client_free(&e);
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 0);
    end();
}
END_TEST

START_TEST(who_was_online_is_offline)
{
    struct client e;
    unsigned char before[sizeof kept];
    begin_present(PRESENCE);
    client_make(&e, "e", "", "edge");
    connects(&e);
    tick_for(TICK);
    const size_t length = kept_length;
    memcpy(before, kept, length);
    client_free(&e);
    end();

    for (int back = 0; back < 2; back++) {
        begin_present(PRESENCE);
        pass(3600 * SECOND);
        memcpy(kept, before, length);
        kept_length = length;
        ck_assert(restores(&e, "e"));
        if (back == 1) { /* before the first tick */
            connects(&e);
        }
        tick_for(TICK);
        ck_assert_str_eq(told(1), back ? "p/e online connected" : "p/e offline broker_restarted");
        ck_assert_str_eq(member(0, "since"), "2023-11-14T23:13:20.000Z");
        ck_assert_int_eq(keeps, 1);
        client_free(&e);
        end();
    }
}
END_TEST

/* Ten minutes later what is learned is kept, and a restart does not begin anew. */
START_TEST(baselines_are_kept)
{
    struct client e;
    begin_present(LEARNS);
    client_make(&e, "e", "", "");
    connects(&e);
    for (int i = 0; i < 100 * 60; i++) { /* a hundred minutes */
        publishes(&e, 2);
        for (int t = 0; t < 10; t++) {
            pass(TICK);
            adu_rate_monitor_tick(&call);
        }
    }
    ck_assert_int_ge(keeps, 9);
    ck_assert_int_le(keeps, 12);
    const float peak = e.state.learned->habit.peak;
    const uint32_t count = e.state.learned->habit.rate.count;
    ck_assert_uint_gt(count, 100);
    unsigned char before[sizeof kept];
    const size_t length = kept_length;
    memcpy(before, kept, length);
    client_free(&e);
    end();

    begin_present(LEARNS);
    memcpy(kept, before, length);
    kept_length = length;
    ck_assert(restores(&e, "e"));
    call.now_ms = SECOND; /* the machine has started anew */
    connects(&e);
    ck_assert(e.state.learned->learn);
    ck_assert_float_eq_tol(e.state.learned->habit.peak, peak, 0.01);
    ck_assert_uint_ge(e.state.learned->habit.rate.count, count - 60);
    message_count = 0;
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 1); /* its presence, and no alert */
    client_free(&e);

    kept[0]++; /* of another version */
    ck_assert(!restores(&e, "e"));
    ck_assert_ptr_null(e.state.learned);
    client_free(&e);
    memcpy(kept, before, length);
    kept_length = 5;
    ck_assert(!restores(&e, "e"));
    client_free(&e);
    end();
}
END_TEST

/* Whatever stands in what was kept: it is read, or it is not, and the monitor goes on with numbers.
 */
START_TEST(any_bytes_may_have_been_kept)
{
    struct client e;
    unsigned char sound[sizeof kept];
    unsigned random = 5, read = 0;
    begin_present(LEARNS);
    client_make(&e, "e", "", "");
    connects(&e);
    for (int i = 0; i < 700; i++) {
        publishes(&e, 1);
        tick_for(SECOND);
    }
    const size_t length = kept_length;
    memcpy(sound, kept, length);
    client_free(&e);
    for (int round = 0; round < 2000; round++) {
        memcpy(kept, sound, length);
        for (int n = 0; n < 1 + round % 8; n++) {
            random = random * 1103515245 + 12345;
            kept[4 + (random >> 8) % (length - 4)] = (unsigned char)(random >> 4);
        }
        kept_length = length;
        read += restores(&e, "e");
        connects(&e);
        publishes(&e, 3);
        tick_for(SECOND);
        const struct adu_learned *l = e.state.learned;
        for (int kind = 0; l != NULL && kind < ADU_HABIT_KINDS; kind++) {
            ck_assert_double_finite(adu_learned_value(l, (enum adu_habit_kind)kind, call.now_ms));
            ck_assert_double_finite(adu_habit_usual(&l->habit, (enum adu_habit_kind)kind));
        }
        client_free(&e);
        message_count = 0;
    }
    ck_assert_uint_gt(read, 100);
    ck_assert_uint_lt(read, 1990);
    end();
}
END_TEST

/* Who was put into quarantine stays there, no longer than it was to last. */
START_TEST(quarantine_is_kept)
{
    static const char quarantines[] =
        "{'classes': [{'name': 'g', 'match': {}, 'publish': {'max_per_second': 1},"
        " 'actions': {'quarantine': ['publish_rate'], 'quarantine_seconds': 600}}], " ALERTS "}";
    struct client e;
    begin_present(quarantines);
    client_make(&e, "e", "", "");
    connects(&e);
    publishes(&e, 2);
    tick_for(TICK);
    ck_assert_int_eq(keeps, 1);
    const int64_t until_ms = call.wall_ms + 600 * SECOND;
    unsigned char before[sizeof kept];
    const size_t length = kept_length;
    memcpy(before, kept, length);
    client_free(&e);
    end();
    for (int late = 0; late < 3; late++) {
        struct adu_reason why = ADU_REASON_INIT;
        begin_present(quarantines);
        memcpy(kept, before, length);
        kept_length = length;
        call.now_ms = SECOND; /* the machine has started anew; then, the clock was set back */
        call.wall_ms = until_ms + (late == 0 ? -SECOND : late == 1 ? 0 : -864000 * SECOND);
        ck_assert(restores(&e, "e"));
        ck_assert_int_eq(adu_rate_monitor_keeps_out(&call, "e", "user", &why), late != 1);
        ck_assert(!adu_rate_monitor_keeps_out(&call, "e", "other", &why));
        pass(late == 2 ? 86400 * SECOND : SECOND);
        ck_assert(!adu_rate_monitor_keeps_out(&call, "e", "user", &why));
        client_free(&e);
        end();
    }
}
END_TEST

/* However many come: one entry a client, and some of them a tick. */
START_TEST(many_at_once)
{
    enum { MANY = 1000 };
    static struct client c[MANY];
    static char ids[MANY][16];
    begin_present(PRESENCE);
    for (int i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "c%d", i);
        client_make(&c[i], ids[i], "", "edge");
        connects(&c[i]);
    }
    tick_for(TICK);
    ck_assert_int_gt(message_count, 0);
    ck_assert_int_lt(message_count, MANY / 2);
    tick_for(SECOND);
    ck_assert_int_eq(message_count, MANY);
    ck_assert_str_eq(messages[MANY - 1].topic, "p/c999"); /* in the order in which they came */
    for (int i = 0; i < MANY; i++) {
        client_free(&c[i]);
    }
    tick_for(SECOND);
    ck_assert_int_eq(message_count, 2 * MANY);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_presence");
    suite_add(suite, online_and_offline);
    suite_add_rows(suite, why_it_ended, ROWS(ends));
    suite_add(suite, take_over_is_no_flapping);
    suite_add(suite, what_is_no_level_is_not_told);
    suite_add(suite, another_policy);
    suite_add(suite, nothing_kept_is_not_read);
    suite_add(suite, who_was_online_is_offline);
    suite_add(suite, baselines_are_kept);
    suite_add(suite, any_bytes_may_have_been_kept);
    suite_add(suite, quarantine_is_kept);
    suite_add(suite, many_at_once);
    return run_suite(suite);
}
