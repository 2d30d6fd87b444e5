/* Many clients, that come, go and are forgotten: no alert is left behind, and none is another's. */
#include "monitor.h"

/* Who is forgotten before the tick that would tell of its alert has none, and takes no other's. */
START_TEST(forgotten_before_it_is_told)
{
    struct client clients[3];
    begin(POLICY);
    for (int gone = 0; gone < 3; gone++) {
        message_count = 0;
        for (int i = 0; i < 3; i++) {
            client_make(&clients[i], i == 0 ? "a" : i == 1 ? "b" : "c", "", "edge");
            connects(&clients[i]);
            publishes(&clients[i], 11);
        }
        client_free(&clients[gone]);
        tick_for(TICK);
        ck_assert_int_eq(message_count, 2);
        for (int i = 0; i < 3; i++) {
            if (i != gone) {
                client_free(&clients[i]);
            }
        }
        tick_for(TICK);
        ck_assert_int_eq(message_count, 4); /* both are over */
    }
    end();
}
END_TEST

/* Who is forgotten before its visit of this round leaves the others' visits as they are. */
START_TEST(forgotten_before_its_visit)
{
    enum { MOST = 12 };
    static char ids[MOST][16];
    struct client *clients[MOST];
    begin(POLICY);
    for (int count = 2; count <= MOST; count++) {
        for (int i = 0; i < count; i++) {
            snprintf(ids[i], sizeof ids[i], "c%d", i);
            clients[i] = malloc(sizeof *clients[i]);
            client_make(clients[i], ids[i], "", "edge");
            connects(clients[i]);
        }
        for (int i = count - 1; i >= 0; i--) { /* from the end: those that wait for theirs */
            tick_for(TICK);
            client_free(clients[i]);
            free(clients[i]);
        }
        tick_for(TICK);
    }
    end();
}
END_TEST

/* Whoever comes and goes, and when: each alert that is raised is cleared once. */
START_TEST(coming_and_going)
{
    enum { MOST = 24, STEPS = 20000 };
    static char ids[MOST][16];
    struct client *clients[MOST] = {0};
    unsigned random = 1;
    begin(POLICY);
    for (int step = 0; step < STEPS; step++) {
        random = random * 1103515245 + 12345;
        const unsigned draw = random >> 8, i = draw % MOST;
        if (clients[i] == NULL) {
            snprintf(ids[i], sizeof ids[i], "c%u", i);
            clients[i] = malloc(sizeof *clients[i]);
            client_make(clients[i], ids[i], "", "edge");
            connects(clients[i]);
        } else if (draw / MOST % 3 == 0) {
            client_free(clients[i]);
            free(clients[i]);
            clients[i] = NULL;
        } else {
            publishes(clients[i], (int)(draw / MOST % 13));
        }
        if (draw / MOST % 5 == 0) {
            tick_for(TICK);
            message_count = 0;
        }
    }
    for (int i = 0; i < MOST; i++) {
        if (clients[i] != NULL) {
            client_free(clients[i]);
            free(clients[i]);
        }
    }
    tick_for(TICK);
    ck_assert_uint_gt(counters.alerts_raised, 100);
    ck_assert_uint_eq(counters.alerts_raised, counters.alerts_cleared);
    ck_assert_uint_eq(counters.stage_errors, 0);
    end();
}
END_TEST

#define BY_CLASS                                                                                   \
    "{" CLASSES ", 'alerts': {'topic': 'a/${class}/${username}/${client_id}', 'retain': true}}"
#define GONE "the client is no longer known"

/* A retained alert of a client that is forgotten would stay for ever: it is over where it began,
 * and by names that are the monitor's own. */
START_TEST(forgotten_while_raised)
{
    struct client edge;
    char id[] = "edge-linea1";
    begin(BY_CLASS);
    client_make(&edge, id, "", "edge");
    publishes(&edge, 11);
    pass(SECOND / 2);
    for (int i = 0; i < 5; i++) {
        connects(&edge);
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    client_free(&edge);
    memset(id, 'x', sizeof id - 1);
    memset(&edge, 'x', sizeof edge);
    ck_assert_int_eq(message_count, 2); /* nothing may be published from there */
    tick_for(TICK);
    ck_assert_int_eq(message_count, 4);
    ck_assert_str_eq(said(2), "cleared gateways 11.0/10 rate_monitor.json:1");
    ck_assert_str_eq(said(3), "cleared gateways 5.0/3 rate_monitor.json:1");
    ck_assert_str_eq(member(2, "since"), "2023-11-14T22:13:20.600Z");
    ck_assert_str_eq(member(3, "since"), "2023-11-14T22:13:20.600Z");
    ck_assert_str_eq(member(2, "kind"), "publish_rate");
    ck_assert_str_eq(member(3, "kind"), "connection_rate");
    for (int i = 2; i < 4; i++) {
        ck_assert_str_eq(messages[i].topic, "a/gateways/user/edge-linea1");
        ck_assert(messages[i].retain);
        ck_assert_str_eq(member(i, "client_id"), "edge-linea1");
        ck_assert_str_eq(member(i, "username"), "user");
        ck_assert_str_eq(member(i, "time"), "2023-11-14T22:13:20.700Z");
        ck_assert_str_eq(member(i, "text"), GONE);
    }
    tick_for(60 * SECOND);
    ck_assert_int_eq(message_count, 4);
    ck_assert_uint_eq(counters.alerts_cleared, 2);
    end();
}
END_TEST

/* Of what nobody has been told there is no end to tell, nor of what is over. */
START_TEST(forgotten_when_there_is_nothing_to_clear)
{
    struct client untold, over, quiet;
    begin(POLICY);
    client_make(&over, "over", "", "edge");
    client_make(&quiet, "quiet", "", "edge");
    client_make(&untold, "untold", "", "edge");
    publishes(&quiet, 10);
    publishes(&over, 11);
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, 2);
    publishes(&untold, 11);
    client_free(&untold);
    client_free(&over);
    client_free(&quiet);
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, 2);
    end();
}
END_TEST

/* Back before the tick, and above the limit again: the last word is that it is raised. */
START_TEST(forgotten_and_back)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    edge.asker.subject.username = NULL;
    publishes(&edge, 11);
    tick_for(TICK);
    client_free(&edge);
    client_make(&edge, "edge", "", "edge");
    publishes(&edge, 12);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 3);
    ck_assert_str_eq(said(1), "cleared gateways 11.0/10 rate_monitor.json:1");
    ck_assert_str_eq(member(1, "username"), "-");
    ck_assert_str_eq(said(2), "raised gateways 12.0/10 rate_monitor.json:1");
    client_free(&edge); /* and nobody has to hear of it before the end */
    end();
}
END_TEST

/* A reload before the tick: nothing of the old policy is looked at. */
START_TEST(forgotten_before_a_reload)
{
    struct client edge;
    begin(POLICY);
    client_make(&edge, "edge", "", "edge");
    publishes(&edge, 11);
    tick_for(TICK);
    client_free(&edge);
    struct snippet old = snippet;
    load("{'classes': [], " ALERTS "}");
    snippet_close(&old);
    tick_for(TICK);
    ck_assert_int_eq(message_count, 2);
    ck_assert_str_eq(said(1), "cleared - 11.0/10 -");
    ck_assert_str_eq(member(1, "text"), GONE);
    end();
}
END_TEST

/* The pipeline forgets clients when its table is full, in any order and in any state; the memory is
 * gone then. The others' alerts are not touched by it, and each is over once. */
START_TEST(clients_are_forgotten)
{
    enum { CLIENTS = 500 };
    static struct client *clients[CLIENTS];
    static char ids[CLIENTS][16];
    unsigned random = 12345;
    begin(POLICY);
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(ids[i], sizeof ids[i], "c%d", i);
        clients[i] = malloc(sizeof *clients[i]);
        client_make(clients[i], ids[i], "", "edge");
        publishes(clients[i], i % 5 == 0 ? 1 : 11); /* one in five is never raised */
    }
    tick_for(TICK);
    ck_assert_int_eq(message_count, CLIENTS / 5 * 4);
    for (int left = CLIENTS / 2; left > 0;) {
        const int i = (int)((random = random * 1103515245 + 12345) >> 8) % CLIENTS;
        if (clients[i] != NULL) {
            client_free(clients[i]);
            free(clients[i]);
            clients[i] = NULL;
            left--;
            adu_rate_monitor_tick(&call);
        }
    }
    ck_assert_uint_eq(message_count - CLIENTS / 5 * 4, counters.alerts_cleared);
    int remain = 0;
    for (int i = 0; i < CLIENTS; i++) {
        remain += clients[i] != NULL && i % 5 != 0;
    }
    message_count = 0;
    tick_for(10 * SECOND);
    ck_assert_int_eq(message_count, remain); /* each of them once */
    ck_assert_uint_eq(counters.alerts_cleared, CLIENTS / 5 * 4);
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i] != NULL) {
            client_free(clients[i]);
            free(clients[i]);
        }
    }
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_clients");
    suite_add(suite, forgotten_before_it_is_told);
    suite_add(suite, forgotten_before_its_visit);
    suite_add(suite, coming_and_going);
    suite_add(suite, forgotten_while_raised);
    suite_add(suite, forgotten_when_there_is_nothing_to_clear);
    suite_add(suite, forgotten_and_back);
    suite_add(suite, forgotten_before_a_reload);
    suite_add(suite, clients_are_forgotten);
    return run_suite(suite);
}
