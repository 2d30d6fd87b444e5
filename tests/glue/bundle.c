#include "bundle.h"
#include "runner.h"
#include <time.h>

struct loaded plugins[PLUGINS];
struct folder policies;

void bundle_open(void)
{
    fake_reset();
    folder_make(&policies);
    folder_copy(&policies, ADU_TEST_DATA "/policies/planta");
    for (int i = 0; i < PLUGINS; i++) {
        fake_open(&plugins[i], plugin_names[i]);
    }
}

void bundle_start_one(int plugin)
{
    ck_assert_msg(fake_init(&plugins[plugin], "policy_dir", policies.path) == MOSQ_ERR_SUCCESS,
                  "%s", fake_last_line());
}

void bundle_start(int first)
{
    bundle_open();
    for (int i = 0; i < PLUGINS; i++) {
        bundle_start_one((first + i) % PLUGINS);
    }
}

void bundle_start_set(int set)
{
    bundle_open();
    for (int i = 0; i < PLUGINS; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.json", plugin_names[i]);
        if ((set >> i & 1) == 0) {
            folder_write_json(&policies, file, "{'if_not_loaded': 'ignore'}");
        }
    }
    for (int i = 0; i < PLUGINS; i++) {
        if ((set >> i & 1) != 0) {
            bundle_start_one(i);
        }
    }
}

void bundle_stop(void)
{
    for (int i = 0; i < PLUGINS; i++) {
        if (plugins[i].user_data != NULL) {
            fake_cleanup(&plugins[i]);
        }
    }
    folder_remove(&policies);
}

void bundle_reload(const char *line)
{
    const struct timespec turn = {.tv_nsec = 1000000};
    struct mosquitto_evt_tick tick = {0};
    fake_reload();
    for (int i = 0; i < TEST_SECONDS * 500 && fake_logged(line) == 0; i++) {
        fake_tell(MOSQ_EVT_TICK, &tick);
        nanosleep(&turn, NULL);
    }
    ck_assert_msg(fake_logged(line) == 1, "%s", fake_last_line());
}

struct mosquitto scada(void)
{
    return (struct mosquitto){.id = "hmi", .address = "192.0.2.1", .clean = true};
}
