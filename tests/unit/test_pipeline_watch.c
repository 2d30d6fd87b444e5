/* "watch_folder": a change in the policy folder is a reload, and none is missed. */
#include "common/worker.h"
#include "plant.h"
#include <sys/resource.h>
#include <unistd.h>

static struct plant plant;
static struct connection edge;

static void open_plant(void)
{
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .address = "192.0.2.1"};
    plant_prepare(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
}

static const char other_acl[] =
    "{'roles': {'edge': {'allow': [{'publish': ['planta/otra/${linea}']}]}, 'operador': {}}}";

static void watch_the_folder(const char *json)
{
    folder_write_json(&plant.policies, "aduana.json", json);
}

/* Ticks, as time goes by, until what other_acl grants is granted; false if it never is. */
static bool comes_to_hold(void)
{
    for (int i = 0; i < 20000; i++) {
        plant_pass(&plant, 10);
        if (plant_ask(&plant, &edge, ADU_PUBLISH, "planta/otra/linea1") == ADU_ALLOW) {
            return true;
        }
        usleep(i > 100 ? 1000 : 0);
    }
    return false;
}

static void pass_until_loaded(uint64_t policies)
{
    for (int i = 0; i < 20000 && plant_counters(&plant)->policies_loaded < policies; i++) {
        plant_pass(&plant, 10);
        usleep(1000);
    }
    ck_assert_uint_eq(plant_counters(&plant)->policies_loaded, policies);
}

static void wait_for_workers(void)
{
    struct adu_worker_load load[ADU_QUEUES];
    uint64_t busy = 1;
    for (int i = 0; i < 20000 && busy > 0; i++) {
        usleep(1000);
        adu_worker_load(load);
        busy = 0;
        for (int kind = 0; kind < ADU_QUEUES; kind++) {
            busy += load[kind].waiting + load[kind].running;
        }
    }
    ck_assert_uint_eq(busy, 0);
}

/* Nobody has said to watch yet when the files are read that say so. */
START_TEST(a_change_while_the_policy_that_watches_is_loaded)
{
    open_plant();
    watch_the_folder("{'watch_folder': true}");
    adu_pipeline_reload(plant.p, plant.now);
    wait_for_workers();
    folder_write_json(&plant.policies, "acl.json", other_acl);
    ck_assert(comes_to_hold());
    plant_end(&plant);
}
END_TEST

START_TEST(a_change_before_the_first_tick)
{
    open_plant();
    plant_stop(&plant);
    watch_the_folder("{'watch_folder': true}");
    plant_start(&plant);
    folder_write_json(&plant.policies, "acl.json", other_acl);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    ck_assert(comes_to_hold());
    plant_end(&plant);
}
END_TEST

START_TEST(a_folder_is_watched_while_the_policy_says_so)
{
    open_plant();
    watch_the_folder("{'watch_folder': true}");
    ck_assert(plant_reload(&plant));
    folder_write_json(&plant.policies, "acl.json", other_acl);
    ck_assert(comes_to_hold());
    watch_the_folder("{}");
    pass_until_loaded(3);
    folder_copy(&plant.policies, PLANTA);
    for (int i = 0; i < 100; i++) {
        plant_pass(&plant, 100);
    }
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/otra/linea1"), ADU_ALLOW);
    ck_assert_int_eq(logged("has changed: loading it"), 2);
    plant_end(&plant);
}
END_TEST

START_TEST(a_folder_that_went_for_a_moment)
{
    open_plant();
    watch_the_folder("{'watch_folder': true}");
    adu_pipeline_reload(plant.p, plant.now);
    wait_for_workers();
    ck_assert_int_eq(rename(plant.policies.path, folder_file(&plant.state, "away")), 0);
    plant_pass(&plant, 1000);
    ck_assert_int_eq(rename(folder_file(&plant.state, "away"), plant.policies.path), 0);
    folder_write_json(&plant.policies, "acl.json", other_acl);
    ck_assert(comes_to_hold());
    plant_end(&plant);
}
END_TEST

/* As when the process has no file to spare. Nothing that happened meanwhile is missed. */
START_TEST(a_folder_that_cannot_be_watched_is_named)
{
    struct rlimit files, used_up;
    open_plant();
    watch_the_folder("{'watch_folder': true}");
    plant_pass(&plant, 0);
    wait_for_workers();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    used_up = files;
    used_up.rlim_cur = (rlim_t)dup(STDIN_FILENO); /* the lowest that is free */
    close((int)used_up.rlim_cur);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &used_up), 0);
    adu_pipeline_reload(plant.p, plant.now);
    wait_for_workers(); /* it cannot be read either */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    ck_assert(!plant_reload(&plant)); /* the one before this one */
    pass_until_loaded(1);
    ck_assert_int_eq(logged("will try again: Too many open files"), 1);
    folder_write_json(&plant.policies, "acl.json", other_acl);
    ck_assert(comes_to_hold());
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline_watch");
    suite_add(suite, a_change_while_the_policy_that_watches_is_loaded);
    suite_add(suite, a_change_before_the_first_tick);
    suite_add(suite, a_folder_is_watched_while_the_policy_says_so);
    suite_add(suite, a_folder_that_went_for_a_moment);
    suite_add(suite, a_folder_that_cannot_be_watched_is_named);
    return run_suite(suite);
}
