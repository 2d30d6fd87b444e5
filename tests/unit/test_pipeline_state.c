/* What a restarted broker still knows: offline sessions and retained messages are judged by who
 * their clients are, from the state file. */
#include "common/state.h"
#include "plant.h"
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct plant plant;

static const struct connection edge = {.client_id = "edge-linea1",
                                       .certificate = EDGE("edge-linea1"),
                                       .durable = true,
                                       .address = "192.0.2.1"};
static const struct connection scada = {
    .client_id = "hmi", .name = "scada", .password = "otra-clave", .address = "192.0.2.2"};

static struct connection away(const char *client_id, const char *username)
{
    struct connection c = {.client_id = client_id};
    snprintf(c.username, sizeof c.username, "%s", username);
    return c;
}

static void prepare(void)
{
    plant_prepare(&plant);
    plant.keeps_state = true;
}

static void restart(void)
{
    plant_stop(&plant);
    plant_start(&plant);
}

/* Logs both in, and restarts the broker. */
static void live_and_restart(bool durable_goes_offline)
{
    struct connection a = edge, b = scada;
    prepare();
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &b), ADU_ALLOW);
    if (durable_goes_offline) {
        plant_gone(&plant, &a, false);
    }
    restart();
}

#define MAY(c, what, t)    ck_assert_int_eq(plant_ask(&plant, &(c), what, t), ADU_ALLOW)
#define CANNOT(c, what, t) ck_assert_int_eq(plant_ask(&plant, &(c), what, t), ADU_DENY)

START_TEST(a_restart_forgets_nobody)
{
    live_and_restart(_i == 0);
    const struct connection gateway = away("edge-linea1", "linea1"), hmi = away("hmi", "scada");
    MAY(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    CANNOT(gateway, ADU_RECEIVE, "planta/linea2/comandos/x");
    MAY(gateway, ADU_PUBLISH, "planta/linea1/temperatura");
    MAY(hmi, ADU_PUBLISH, "planta/linea1/consigna");
    ck_assert_int_eq(logged("no plugin_opt_state_dir"), 0);
    plant_end(&plant);
}
END_TEST

START_TEST(a_restart_gives_nothing_to_others)
{
    live_and_restart(true);
    const struct connection stranger = away("edge-linea1", "scada"), no_name = away("hmi", "");
    CANNOT(stranger, ADU_RECEIVE, "planta/linea1/comandos/x");
    CANNOT(no_name, ADU_PUBLISH, "planta/linea1/consigna");
    ck_assert_int_eq(logged("is not known"), 2);
    /* Being known is no log-in. */
    struct connection liar = {.client_id = "edge-linea1", .name = "linea1", .address = "::1"};
    ck_assert_int_eq(plant_login(&plant, &liar), ADU_DENY);
    plant_end(&plant);
}
END_TEST

START_TEST(a_restart_still_guards_durable_client_ids)
{
    live_and_restart(true);
    struct connection thief = {
        .client_id = "edge-linea1", .certificate = SERVICE("mallory"), .address = "192.0.2.66"};
    ck_assert_int_eq(plant_login(&plant, &thief), ADU_DENY);
    ck_assert_int_eq(logged("in use by another identity"), 1);
    struct connection again = edge;
    ck_assert_int_eq(plant_login(&plant, &again), ADU_ALLOW);
    plant_end(&plant);
}
END_TEST

START_TEST(a_restart_judges_by_the_new_policy)
{
    struct connection a = edge;
    prepare();
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    plant_stop(&plant);
    folder_write_json(&plant.policies, "cert_auth.json", "{'identities': []}");
    folder_write_json(
        &plant.policies, "acl.json",
        "{'roles': {'operador': {}, 'edge': {'allow': [{'publish': ['#'], 'subscribe': ['#']}]}}}");
    plant_start(&plant);
    const struct connection gateway = away("edge-linea1", "linea1");
    CANNOT(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_int_eq(logged("cert_auth: no identity of cert_auth.json matches"), 1);
    plant_end(&plant);
}
END_TEST

/* One plugin line that names the folder is enough, and the last one may be it. */
START_TEST(one_plugin_line_is_enough)
{
    struct connection a = edge;
    for (int round = 0; round < 2; round++) {
        if (round == 0) {
            plant_prepare(&plant);
        }
        for (int kind = 0; kind < ADU_STAGES; kind++) {
            struct adu_error error = {0};
            plant.keeps_state = kind == ADU_STAGES - 1;
            ck_assert(plant_attach(&plant, (enum adu_stage_kind)kind, &error));
        }
        if (round == 0) {
            ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
            plant_stop(&plant);
        }
    }
    const struct connection gateway = away("edge-linea1", "linea1");
    MAY(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    plant_end(&plant);
}
END_TEST

START_TEST(without_it_nobody_is_known)
{
    struct connection a = edge;
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    ck_assert_int_eq(logged("no plugin_opt_state_dir: after a restart"), 1);
    restart();
    const struct connection gateway = away("edge-linea1", "linea1");
    CANNOT(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_int_eq(logged("this offline session's client is not known"), 1);
    ck_assert_int_eq(folder_count(&plant.state, "aduana"), 0);
    plant_end(&plant);
}
END_TEST

/* --- files that cannot be used ------------------------------------------------------------------
 */

static const struct {
    const char *what;
    size_t length;
} damages[] = {{"rubbish", 4096}, {"nothing but a header", 100}, {"cut in the middle", 0}};

static void damage(int how)
{
    size_t length;
    char *text = file_text(folder_file(&plant.state, "aduana-state.db"), &length);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_ge(length, 4096);
    if (how == 0) {
        memset(text, 'x', damages[how].length);
    }
    folder_write_bytes(&plant.state, "aduana-state.db", text,
                       damages[how].length > 0 ? damages[how].length : length / 2);
    free(text);
}

START_TEST(a_damaged_file_is_set_aside)
{
    struct connection a = edge;
    prepare();
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    plant_stop(&plant);
    damage(_i);
    plant_start(&plant);
    ck_assert_msg(logged("the state file was damaged and is now") == 1, "%s", damages[_i].what);
    ck_assert_int_eq(folder_count(&plant.state, "aduana-state.db.damaged-"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 1);
    const struct connection gateway = away("edge-linea1", "linea1");
    CANNOT(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    restart();
    MAY(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    plant_end(&plant);
}
END_TEST

static void change_version(const char *sql)
{
    sqlite3 *db;
    prepare();
    plant_start(&plant);
    plant_stop(&plant);
    ck_assert_int_eq(sqlite3_open(folder_file(&plant.state, "aduana-state.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* --- what a stage keeps of clients --- */

static void present(void)
{
    struct connection a = edge, b = scada;
    prepare();
    folder_write(&plant.policies, "rate_monitor.json",
                 "{\"classes\": [], \"alerts\": {\"topic\": \"planta/a/${kind}\"},"
                 " \"presence\": {\"topic\": \"planta/p/${client_id}\"}}");
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &b), ADU_ALLOW);
    plant_pass(&plant, 100);
    ck_assert_int_eq(published("edge-linea1", "online"), 1);
    ck_assert_int_eq(published("hmi", "online"), 1);
    plant_gone(&plant, &b, false);
    plant_pass(&plant, 100);
    ck_assert_int_eq(published("hmi", "offline"), 1);
    plant_stop(&plant); /* the gateway is connected to the end */
}

/* Who was connected when the broker ended is said to be away; who was away is so since then. */
START_TEST(who_was_online_is_told_to_be_away)
{
    present();
    plant_start(&plant);
    plant_pass(&plant, 100);
    ck_assert_int_eq(published("edge-linea1", "broker_restarted"), 1);
    ck_assert_int_eq(published("hmi", "offline"), 2);
    ck_assert_int_eq(published("hmi", "broker_restarted"), 0);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 0);
    restart(); /* and once told, it is no news that the broker has ended again */
    plant_pass(&plant, 100);
    ck_assert_int_eq(published("edge-linea1", "broker_restarted"), 2);
    plant_end(&plant);
}
END_TEST

static void change(const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(folder_file(&plant.state, "aduana-state.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(what_cannot_be_read_begins_anew)
{
    present();
    change("UPDATE kept SET record = x'ff00'");
    plant_start(&plant);
    plant_pass(&plant, 100);
    ck_assert_int_eq(published("edge-linea1", "broker_restarted"), 0);
    ck_assert_int_eq(logged("what was kept of 2 clients is of another version or damaged"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 2);
    plant_end(&plant);
}
END_TEST

/* A file from before there was such a thing has the table with the next start; and what is kept of
 * nobody goes. */
START_TEST(a_file_without_it)
{
    present();
    change("DROP TABLE kept");
    plant_start(&plant);
    plant_pass(&plant, 100);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 0);
    struct connection a = edge;
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    plant_pass(&plant, 100);
    plant_stop(&plant);
    change("DELETE FROM client WHERE client_id = 'edge-linea1'");
    plant_start(&plant);
    plant_pass(&plant, 100);
    ck_assert_int_eq(published("edge-linea1", "broker_restarted"), 0);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 0);
    plant_end(&plant);
}
END_TEST

START_TEST(an_older_file_is_set_aside)
{
    change_version("PRAGMA user_version = 1");
    plant_start(&plant);
    ck_assert_int_eq(logged("the state file was of an older version and is now"), 1);
    ck_assert_int_eq(folder_count(&plant.state, "aduana-state.db.old-"), 1);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 1);
    plant_end(&plant);
}
END_TEST

/* That of the version before this one is not given up: it lacks a column. */
START_TEST(an_older_file_is_brought_up_to_date)
{
    change_version("ALTER TABLE client DROP COLUMN record; PRAGMA user_version = 2");
    plant_start(&plant);
    ck_assert_int_eq(folder_count(&plant.state, "aduana-state.db.old-"), 0);
    ck_assert_uint_eq(plant_counters(&plant)->state_errors, 0);
    struct connection a = edge;
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    restart();
    const struct connection gateway = away("edge-linea1", "linea1");
    MAY(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    plant_end(&plant);
}
END_TEST

START_TEST(a_newer_file_refuses_to_start)
{
    change_version("PRAGMA user_version = 4");
    struct adu_error error = {0};
    ck_assert(!plant_attach(&plant, ADU_STAGE_ACL, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "the state file has version 4"));
    ck_assert_int_eq(folder_count(&plant.state, "aduana-state.db.damaged-"), 0);
    plant_end(&plant);
}
END_TEST

/* Nothing can be written at the start, as on a full disk: what the file knows is kept for a start
 * with room. */
START_TEST(a_disk_without_room_costs_no_file)
{
    struct connection a = edge;
    struct adu_error error = {0};
    struct rlimit room, none;
    prepare();
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    plant_stop(&plant);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &room), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = room.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    const bool attached = plant_attach(&plant, ADU_STAGE_ACL, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &room), 0);
    ck_assert(!attached);
    ck_assert_msg(strstr(error.text, "the state file cannot be read") != NULL &&
                      strstr(error.text, strerror(EFBIG)) != NULL,
                  "%s", error.text);
    ck_assert_int_eq(folder_count(&plant.state, "aduana-state.db.damaged-"), 0);
    plant_start(&plant);
    const struct connection gateway = away("edge-linea1", "linea1");
    MAY(gateway, ADU_RECEIVE, "planta/linea1/comandos/x");
    plant_end(&plant);
}
END_TEST

/* A second broker would forget the clients of the first, and judge by them. */
START_TEST(a_folder_of_another_broker_refuses_to_start)
{
    prepare();
    plant_start(&plant);
    bool set_aside;
    struct adu_error error = {0};
    ck_assert_ptr_null(adu_state_open(plant.state.path, &set_aside, &error));
    ck_assert_str_eq(error.text, "another broker, or another pipeline of this one, keeps its state "
                                 "there: each needs a folder of its own");
    plant_stop(&plant);
    struct adu_state *state = adu_state_open(plant.state.path, &set_aside, &error);
    ck_assert_ptr_nonnull(state);
    adu_state_close(state);
    plant_end(&plant);
}
END_TEST

START_TEST(a_folder_that_others_may_write_refuses_to_start)
{
    struct adu_error error = {0};
    prepare();
    ck_assert_int_eq(chmod(plant.state.path, 0777), 0);
    ck_assert(!plant_attach(&plant, ADU_STAGE_ACL, &error));
    ck_assert_msg(strstr(error.text, "others may write it") != NULL, "%s", error.text);
    plant_end(&plant);
}
END_TEST

/* Clients that can no longer be remembered are served all the same; that is counted and said, also
 * where there was trouble with the file before (second round: it cannot be read at the start). */
START_TEST(a_disk_that_fails_stops_nobody)
{
    struct connection a = edge;
    sqlite3 *db;
    prepare();
    plant_start(&plant);
    if (_i == 0) {
        plant_pass(&plant, 0);
    }
    ck_assert_int_eq(sqlite3_open(folder_file(&plant.state, "aduana-state.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "DROP TABLE client", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_eq(plant_login(&plant, &a), ADU_ALLOW);
    MAY(a, ADU_PUBLISH, "planta/linea1/temperatura");
    ck_assert(plant_reload(&plant)); /* behind the write, on the same worker */
    plant_pass(&plant, 100);
    ck_assert_uint_ge(plant_counters(&plant)->state_errors, 1);
    ck_assert_msg(logged("the state file cannot be written") == 1, "%s", last_line());
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_state");
    suite_add_rows(suite, a_restart_forgets_nobody, 2);
    suite_add(suite, a_restart_gives_nothing_to_others);
    suite_add(suite, a_restart_still_guards_durable_client_ids);
    suite_add(suite, a_restart_judges_by_the_new_policy);
    suite_add(suite, one_plugin_line_is_enough);
    suite_add(suite, without_it_nobody_is_known);
    suite_add_rows(suite, a_damaged_file_is_set_aside, ROWS(damages));
    suite_add(suite, who_was_online_is_told_to_be_away);
    suite_add(suite, what_cannot_be_read_begins_anew);
    suite_add(suite, a_file_without_it);
    suite_add(suite, an_older_file_is_set_aside);
    suite_add(suite, an_older_file_is_brought_up_to_date);
    suite_add(suite, a_newer_file_refuses_to_start);
    suite_add(suite, a_disk_without_room_costs_no_file);
    suite_add(suite, a_folder_of_another_broker_refuses_to_start);
    suite_add(suite, a_folder_that_others_may_write_refuses_to_start);
    suite_add_rows(suite, a_disk_that_fails_stops_nobody, 2);
    return run_suite(suite);
}
