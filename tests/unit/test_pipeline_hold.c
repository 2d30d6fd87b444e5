/* Log-ins whose answer comes later: each answer is for the connection it was asked about and no
 * other, however connections, client ids and policies change in between. */
#include "plant.h"
#include <stdio.h>
#include <string.h>

static struct plant plant;
static struct connection a, b;

/* --- a stage in place of iam_auth, whose answers the test gives ---------------------------------
 */

enum { QUESTIONS = 20000 };

static struct {
    uint64_t asked, told; /* tickets: 1, 2, ... */
    enum adu_verdict answers[QUESTIONS];
    bool abandoned[QUESTIONS];
    uint64_t come[QUESTIONS];
    size_t come_count, come_taken;
    bool waits_long;       /* 2.0: no answer comes in time */
    const char *attribute; /* `linea` of whoever is let in */
    char record_before[32], secret_before[32];
    const char *secret; /* what a log-in leaves; NULL: nothing */
    long refresh_seconds;
} iam;

static void answer(uint64_t ticket, enum adu_verdict verdict)
{
    iam.answers[ticket] = verdict;
    iam.come[iam.come_count++] = ticket;
}

static enum adu_verdict let_in(struct adu_login *login, const char *username)
{
    login->proven |= ADU_FACTOR_PASSWORD;
    login->record.bytes = (unsigned char *)strdup(iam.attribute);
    login->record.length = strlen(iam.attribute) + 1;
    login->refresh_seconds = iam.refresh_seconds;
    if (!login->again && iam.secret != NULL) {
        login->secret.bytes = (unsigned char *)strdup(iam.secret);
        login->secret.length = strlen(iam.secret) + 1;
    }
    snprintf(login->username, sizeof login->username, "%s", username);
    return adu_attributes_add(&login->attributes, "linea", iam.attribute) ? ADU_ALLOW : ADU_ERROR;
}

/* Who gives a password is asked about by a worker; who shows a certificate alone is not. */
static enum adu_verdict identify(const struct adu_stage_call *call, struct adu_login *login)
{
    (void)call;
    const char *username = login->again ? login->username_before : login->claimed_username;
    if (login->again ? (login->proven_before & ADU_FACTOR_PASSWORD) == 0 : username == NULL) {
        return ADU_ABSTAIN;
    }
    if (login->again && login->record_before.bytes != NULL) {
        snprintf(iam.record_before, sizeof iam.record_before, "%s",
                 (const char *)login->record_before.bytes);
    }
    if (login->again) {
        snprintf(iam.secret_before, sizeof iam.secret_before, "%s",
                 login->secret_before.bytes != NULL ? (const char *)login->secret_before.bytes
                                                    : "(none)");
    }
    if (login->again && !login->refresh) {
        return let_in(login, username);
    }
    if (login->ticket == 0) {
        login->ticket = ++iam.asked;
        return ADU_LATER;
    }
    ck_assert(!plant.holds || login->password == NULL);
    login->why.text = "wrong password";
    return iam.answers[login->ticket] == ADU_ALLOW ? let_in(login, username) : ADU_DENY;
}

static uint64_t answered(void *instance)
{
    (void)instance;
    return iam.come_taken < iam.come_count ? iam.come[iam.come_taken++] : 0;
}

static void abandon(void *instance, uint64_t ticket)
{
    (void)instance;
    ck_assert_uint_le(ticket, iam.asked);
    iam.abandoned[ticket] = true;
}

static bool wait_for(const struct adu_stage_call *call, uint64_t ticket)
{
    (void)call;
    (void)ticket;
    return !iam.waits_long;
}

/* --- the plant ----------------------------------------------------------------------------------
 */

static const struct adu_stage *stage(void)
{
    static struct adu_stage made;
    made = *test_stage(ADU_STAGE_IAM_AUTH);
    made.instance_new = NULL;
    made.instance_free = NULL;
    made.tick = NULL;
    made.identify = identify;
    made.answered = answered;
    made.abandon = abandon;
    made.wait = wait_for;
    return &made;
}

static struct connection client(const char *id, const char *name)
{
    return (struct connection){
        .client_id = id, .name = name, .password = "x", .address = "192.0.2.1"};
}

static void open_plant(bool holds)
{
    memset(&iam, 0, sizeof iam);
    iam.attribute = "linea1";
    plant_prepare(&plant);
    plant.holds = holds;
    plant.iam_auth = stage();
    folder_write_json(
        &plant.policies, "acl.json",
        "{'roles': {'edge': {'allow': [{'publish': ['planta/${linea}/#'], 'subscribe': "
        "['planta/${linea}/#']}]}, 'operador': {}, 'tablero': {}}, 'bindings': "
        "[{'match': {'username': ['ana', 'eva']}, 'roles': ['edge']}]}");
    plant_start(&plant);
    plant_pass(&plant, 0);
    a = client("uno", "ana");
    b = client("uno", "ana");
}

static bool may(const struct connection *c)
{
    return plant_ask(&plant, c, ADU_PUBLISH, "planta/linea1/temperatura") == ADU_ALLOW;
}

/* --- held ---------------------------------------------------------------------------------------
 */

START_TEST(is_let_in_when_the_answer_comes)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "");
    ck_assert(!may(&a));
    ck_assert(!adu_pipeline_knows(plant.p, &a, "uno"));
    answer(1, ADU_ALLOW);
    adu_pipeline_answers(plant.p, plant.now);
    ck_assert_str_eq(completions(), "uno+");
    ck_assert_str_eq(a.username, "ana");
    ck_assert(may(&a));
    ck_assert(iam.abandoned[1]);
    ck_assert_uint_eq(plant_counters(&plant)->logins_held, 1);
    ck_assert_uint_eq(plant_counters(&plant)->logins_accepted, 1);
    plant_end(&plant);
}
END_TEST

START_TEST(is_refused_when_the_answer_comes)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    ck_assert(adu_pipeline_is_holding(plant.p));
    answer(1, ADU_DENY);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno-");
    ck_assert(!may(&a));
    ck_assert(!adu_pipeline_is_holding(plant.p));
    ck_assert_int_eq(logged("wrong password"), 1);
    plant_end(&plant);
}
END_TEST

/* Attack 9: A's password is good, A leaves while that is looked up, B comes under the same id. */
START_TEST(an_answer_is_for_its_own_connection)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_lost(&plant, &a);
    ck_assert_int_eq(plant_login(&plant, &b), ADU_LATER);
    ck_assert(iam.abandoned[1]);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "");
    ck_assert(!may(&b) && !may(&a));
    answer(2, ADU_DENY);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno-");
    ck_assert(!may(&b) && !may(&a));
    plant_end(&plant);
}
END_TEST

/* The same where the broker takes A's memory for B, under whatever id. */
START_TEST(an_answer_is_not_for_who_has_its_memory)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_lost(&plant, &a);
    a = client("dos", "eva");
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "");
    answer(2, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "dos+");
    ck_assert_str_eq(a.username, "eva");
    plant_end(&plant);
}
END_TEST

/* Who has gone when his answer comes leaves nothing behind that would keep others from his id. */
START_TEST(who_has_gone_leaves_nothing)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_lost(&plant, &a);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "");
    ck_assert(!adu_pipeline_knows(plant.p, &a, "uno"));
    b = client("uno", "eva");
    ck_assert_int_eq(plant_login(&plant, &b), ADU_LATER);
    answer(2, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno+");
    ck_assert(may(&b));
    plant_end(&plant);
}
END_TEST

/* Attack 8: a second CONNECT of the id is dropped by the broker, and DISCONNECT carries the id. */
START_TEST(anothers_end_is_not_its_own)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_gone(&plant, &b, true);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno+");
    plant_end(&plant);
}
END_TEST

START_TEST(its_own_end_is)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_lost(&plant, &a);
    plant_gone(&plant, &a, true);
    ck_assert(iam.abandoned[1]);
    ck_assert(!adu_pipeline_is_holding(plant.p));
    plant_end(&plant);
}
END_TEST

/* The id is taken on another listener, whose pipeline is another: this one's client has gone. */
START_TEST(superseded_elsewhere)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    adu_pipeline_superseded(plant.p, "dos");
    ck_assert(adu_pipeline_is_holding(plant.p));
    adu_pipeline_superseded(plant.p, "uno");
    ck_assert(!adu_pipeline_is_holding(plant.p));
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "");
    plant_end(&plant);
}
END_TEST

/* A live session stays until whoever comes under its id has been found to be who he says. */
START_TEST(nobody_is_taken_over_by_a_question)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_int_eq(plant_login(&plant, &b), ADU_LATER);
    ck_assert(may(&a));
    answer(2, ADU_DENY);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno+ uno-");
    ck_assert(may(&a));
    struct connection other = client("uno", "eva"); /* with a good password of her own */
    ck_assert_int_eq(plant_login(&plant, &other), ADU_LATER);
    answer(3, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno+ uno- uno-");
    ck_assert_int_eq(logged("in use by another identity"), 1);
    ck_assert(may(&a));
    plant_end(&plant);
}
END_TEST

/* SIGHUP: the broker asks again about all its sessions, and kicks whom it is not told of at once.
 */
START_TEST(reload_in_between)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    struct connection held = client("dos", "eva");
    ck_assert_int_eq(plant_login(&plant, &held), ADU_LATER);
    adu_pipeline_reload(plant.p, plant.now);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW); /* the broker's question */
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 0);
    ck_assert(may(&a));
    answer(2, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno+ dos+");
    ck_assert(may(&held));
    plant_end(&plant);
}
END_TEST

static struct connection crowd[QUESTIONS];

START_TEST(a_flood_has_an_end)
{
    enum { MOST = 16384 };
    static char ids[QUESTIONS][16];
    open_plant(true);
    for (int i = 0; i <= MOST; i++) {
        snprintf(ids[i], sizeof ids[i], "c%d", i);
        crowd[i] = client(ids[i], "ana");
        ck_assert_int_eq(plant_login(&plant, &crowd[i]), i < MOST ? ADU_LATER : ADU_DENY);
    }
    ck_assert(iam.abandoned[MOST + 1]);
    ck_assert_int_eq(logged("too many log-ins wait for an answer"), 1);
    answer(1, ADU_ALLOW); /* one place is free again */
    plant_pass(&plant, 100);
    ck_assert_int_eq(plant_login(&plant, &crowd[MOST]), ADU_LATER);
    plant_end(&plant);
}
END_TEST

START_TEST(nobody_is_held_for_ever)
{
    open_plant(true);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    plant_pass(&plant, 59000);
    ck_assert_str_eq(completions(), "");
    plant_pass(&plant, 1000);
    ck_assert_str_eq(completions(), "uno-");
    ck_assert(iam.abandoned[1]);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_str_eq(completions(), "uno-");
    plant_end(&plant);
}
END_TEST

/* --- a broker that cannot hold
 * --------------------------------------------------------------------
 */

START_TEST(the_answer_comes_in_time)
{
    open_plant(false);
    answer(1, ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    ck_assert(may(&a));
    ck_assert(iam.abandoned[1]);
    plant_end(&plant);
}
END_TEST

START_TEST(the_answer_does_not_come_in_time)
{
    open_plant(false);
    iam.waits_long = true;
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    ck_assert(iam.abandoned[1]);
    ck_assert_int_eq(logged("takes longer than the broker may wait"), 1);
    ck_assert(!may(&a));
    ck_assert(!adu_pipeline_is_holding(plant.p));
    plant_end(&plant);
}
END_TEST

/* --- looked up anew ------------------------------------------------------------------------------
 */

static void log_in_to_be_refreshed(void)
{
    open_plant(true);
    iam.refresh_seconds = 300;
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert(may(&a));
    for (int s = 0; s < 250; s++) {
        plant_pass(&plant, 1000);
    }
    ck_assert_uint_eq(iam.asked, 1);
    for (int s = 0; s < 60; s++) {
        plant_pass(&plant, 1000);
    }
    ck_assert_uint_eq(iam.asked, 2);
    ck_assert(may(&a)); /* until the answer is there */
}

/* What a reload judges it judges by what is known: that puts off no question. */
START_TEST(reloads_put_off_nothing)
{
    open_plant(true);
    iam.refresh_seconds = 300;
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    for (int s = 0; s < 310; s += 10) {
        ck_assert(plant_reload(&plant));
        plant_pass(&plant, 10000);
    }
    ck_assert_uint_eq(iam.asked, 2);
    answer(2, ADU_DENY);
    plant_pass(&plant, 100);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    plant_end(&plant);
}
END_TEST

START_TEST(a_role_is_lost)
{
    log_in_to_be_refreshed();
    iam.attribute = "linea2";
    answer(2, ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert(!may(&a));
    ck_assert_int_eq(kicks(), 0);
    /* And that is what a reload finds. */
    ck_assert(plant_reload(&plant));
    plant_pass(&plant, 100);
    ck_assert_str_eq(iam.record_before, "linea2");
    plant_end(&plant);
}
END_TEST

START_TEST(an_account_is_closed)
{
    log_in_to_be_refreshed();
    answer(2, ADU_DENY);
    plant_pass(&plant, 100);
    plant_pass(&plant, 100);
    ck_assert_int_eq(kicks(), 1);
    ck_assert_str_eq(last_kicked(), "uno");
    plant_end(&plant);
}
END_TEST

START_TEST(who_has_gone_is_not_asked_about)
{
    log_in_to_be_refreshed();
    plant_gone(&plant, &a, true);
    answer(2, ADU_DENY);
    for (int s = 0; s < 700; s++) {
        plant_pass(&plant, 1000);
    }
    ck_assert_uint_eq(iam.asked, 2);
    ck_assert_int_eq(kicks(), 0);
    plant_end(&plant);
}
END_TEST

static void open_plant_that_keeps_state(void)
{
    memset(&iam, 0, sizeof iam);
    iam.attribute = "linea1";
    plant_prepare(&plant);
    plant.keeps_state = plant.holds = true;
    plant.iam_auth = stage();
    plant_start(&plant);
    a = client("uno", "ana");
    a.durable = true;
}

/* What a restarted broker needs to go on judging is in its state file. */
START_TEST(the_record_outlives_the_broker)
{
    open_plant_that_keeps_state();
    ck_assert_int_eq(plant_login(&plant, &a), ADU_LATER);
    answer(1, ADU_ALLOW);
    plant_pass(&plant, 100);
    plant_gone(&plant, &a, false);
    plant_stop(&plant);
    plant_start(&plant);
    plant_pass(&plant, 0);
    a.address = NULL;
    plant_ask(&plant, &a, ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_str_eq(iam.record_before, "linea1");
    plant_end(&plant);
}
END_TEST

static const char *kept(void)
{
    ck_assert(plant_reload(&plant));
    plant_ask(&plant, &a, ADU_RECEIVE, "planta/linea1/comandos/x"); /* judged anew */
    return iam.secret_before;
}

static void log_in_with(struct connection *c, const char *secret)
{
    iam.secret = secret;
    ck_assert_int_eq(plant_login(&plant, c), ADU_LATER);
    answer(iam.asked, ADU_ALLOW);
    plant_pass(&plant, 100);
}

/* As long as somebody is connected by it, and no longer; that of the last log-in. */
START_TEST(a_secret_is_kept_while_it_is_in_use)
{
    open_plant(true);
    a.durable = b.durable = true;
    log_in_with(&a, "first");
    ck_assert_str_eq(kept(), "first");
    log_in_with(&b, "second"); /* takes over */
    plant_gone(&plant, &a, false);
    ck_assert_str_eq(kept(), "second");
    plant_gone(&plant, &b, false);
    ck_assert_str_eq(kept(), "(none)");
    log_in_with(&a, "third");
    ck_assert_str_eq(kept(), "third");
    log_in_with(&b, NULL); /* by what need not be kept */
    ck_assert_str_eq(kept(), "(none)");
    plant_end(&plant);
}
END_TEST

/* Not after a restart, and so not on disk. */
START_TEST(a_secret_does_not_outlive_the_broker)
{
    static const char token[] = "eyJhbGciOiJub25lIn0";
    char command[400];
    open_plant_that_keeps_state();
    log_in_with(&a, token);
    plant_stop(&plant);
    snprintf(command, sizeof command, "! grep -rqaF %s %s", token, plant.state.path);
    ck_assert_int_eq(system(command), 0);
    plant_start(&plant);
    plant_pass(&plant, 0);
    a.address = NULL;
    plant_ask(&plant, &a, ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_str_eq(iam.record_before, "linea1");
    ck_assert_str_eq(iam.secret_before, "(none)");
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_hold");
    suite_add(suite, is_let_in_when_the_answer_comes);
    suite_add(suite, is_refused_when_the_answer_comes);
    suite_add(suite, an_answer_is_for_its_own_connection);
    suite_add(suite, an_answer_is_not_for_who_has_its_memory);
    suite_add(suite, who_has_gone_leaves_nothing);
    suite_add(suite, anothers_end_is_not_its_own);
    suite_add(suite, its_own_end_is);
    suite_add(suite, superseded_elsewhere);
    suite_add(suite, nobody_is_taken_over_by_a_question);
    suite_add(suite, reload_in_between);
    suite_add(suite, a_flood_has_an_end);
    suite_add(suite, nobody_is_held_for_ever);
    suite_add(suite, the_answer_comes_in_time);
    suite_add(suite, the_answer_does_not_come_in_time);
    suite_add(suite, reloads_put_off_nothing);
    suite_add(suite, a_role_is_lost);
    suite_add(suite, an_account_is_closed);
    suite_add(suite, who_has_gone_is_not_asked_about);
    suite_add(suite, the_record_outlives_the_broker);
    suite_add(suite, a_secret_is_kept_while_it_is_in_use);
    suite_add(suite, a_secret_does_not_outlive_the_broker);
    return run_suite(suite);
}
