/* A policy folder as a whole. Each folder of policies/invalid is a case: its files replace those of
 * policies/planta, and `error` holds what the loader must say. */
#include "common/policy.h"
#include "folder.h"
#include "plugins/acl/acl.h"
#include "plugins/cert_auth/cert_auth.h"
#include "plugins/iam_auth/iam_auth.h"
#include "plugins/rate_monitor/rate_monitor.h"
#include "plugins/topic_policy/topic_policy.h"
#include "snippet.h"
#include <dirent.h>
#include <sys/stat.h>

#define PLANTA  ADU_TEST_DATA "/policies/planta"
#define INVALID ADU_TEST_DATA "/policies/invalid"

static const struct adu_stage *const all[ADU_STAGES] = {&adu_cert_auth_stage, &adu_iam_auth_stage,
                                                        &adu_rate_monitor_stage,
                                                        &adu_topic_policy_stage, &adu_acl_stage};

static struct folder folder;
static char message[1024];

static void planta(void)
{
    folder_make(&folder);
    folder_copy(&folder, PLANTA);
}

/* The error of loading the folder, as people see it; "" if it loads. */
static const char *load(const struct adu_stage *const stages[ADU_STAGES])
{
    struct adu_error error = {0};
    struct adu_policy *policy = adu_policy_load(folder.path, stages, NULL, &error);
    ck_assert_msg((policy != NULL) == !error.set, "a policy and an error, or neither");
    adu_policy_free(policy);
    return adu_error_format(&error, message, sizeof message);
}

START_TEST(a_good_folder)
{
    struct adu_error error = {0};
    planta();
    struct adu_policy *policy = adu_policy_load(folder.path, all, NULL, &error);
    ck_assert_msg(policy != NULL, "%s", adu_error_format(&error, message, sizeof message));
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        ck_assert_int_eq(policy->presence[kind], ADU_PRESENCE_LOADED);
        ck_assert_ptr_nonnull(policy->compiled[kind]);
        ck_assert(!policy->watch[kind]);
    }
    ck_assert_uint_eq(adu_vocabulary_roles(policy->vocabulary), 3);
    adu_policy_free(policy);
    adu_policy_free(NULL);
    folder_remove(&folder);
}
END_TEST

START_TEST(the_example_plant)
{
    folder_make(&folder);
    folder_copy(&folder, ADU_TEST_DATA "/../../policies");
    ck_assert_str_eq(load(all), "");
    folder_remove(&folder);
}
END_TEST

START_TEST(names_of_stages)
{
    static const char *const names[] = {"cert_auth", "iam_auth", "rate_monitor", "topic_policy",
                                        "acl"};
    ck_assert_str_eq(adu_stage_name((enum adu_stage_kind)_i), names[_i]);
}
END_TEST

/* --- files that are not there -------------------------------------------------------------------
 */

static const char *file_of(int kind)
{
    static char file[64];
    snprintf(file, sizeof file, "%s.json", adu_stage_name((enum adu_stage_kind)kind));
    return file;
}

START_TEST(a_loaded_plugin_needs_its_file)
{
    char expected[128];
    planta();
    folder_delete(&folder, file_of(_i));
    snprintf(expected, sizeof expected, "%s: cannot be read: No such file or directory",
             file_of(_i));
    ck_assert_str_eq(load(all), expected);
    folder_remove(&folder);
}
END_TEST

START_TEST(a_file_needs_its_plugin)
{
    static const struct {
        const char *text;
        enum adu_presence presence;
    } says[] = {{NULL, ADU_PRESENCE_MISSED},
                {"{}", ADU_PRESENCE_MISSED},
                {"{\"if_not_loaded\": \"refuse\"}", ADU_PRESENCE_MISSED},
                {"{\"if_not_loaded\": \"ignore\"}", ADU_PRESENCE_IGNORED}};
    const struct adu_stage *stages[ADU_STAGES];
    memcpy(stages, all, sizeof stages);
    stages[_i] = NULL;
    planta();
    for (int i = 0; i < ROWS(says); i++) {
        struct adu_error error = {0};
        if (says[i].text != NULL) {
            folder_write(&folder, file_of(_i), says[i].text);
        }
        struct adu_policy *policy = adu_policy_load(folder.path, stages, NULL, &error);
        ck_assert_msg(policy != NULL, "%s", error.text);
        ck_assert_int_eq(policy->presence[_i], says[i].presence);
        ck_assert_ptr_null(policy->compiled[_i]);
        adu_policy_free(policy);
    }
    /* What it says must still be sense. */
    folder_write(&folder, file_of(_i), "{\"if_not_loaded\": \"ignor\"}");
    ck_assert_ptr_nonnull(strstr(load(stages), "expected one of \"refuse\", \"ignore\""));
    folder_write(&folder, file_of(_i), "{\"if_not_loaded\": 1}");
    ck_assert_ptr_nonnull(strstr(load(stages), "expected a string, found an integer"));
    folder_write(&folder, file_of(_i), "[]");
    ck_assert_ptr_nonnull(strstr(load(stages), "expected an object, found an array"));
    folder_write(&folder, file_of(_i), "{");
    ck_assert_ptr_nonnull(strstr(load(stages), "not valid JSON"));
    folder_remove(&folder);
}
END_TEST

/* For people: what is wrong in every file, and only then what is wrong between them. */
START_TEST(every_error_is_found)
{
    planta();
    struct adu_findings *findings = adu_findings_new();
    folder_write(&folder, "cert_auth.json", "{");
    folder_write(&folder, "acl.json", "{\"roles\": {}, \"x\": 1}");
    ck_assert_ptr_null(adu_policy_check(folder.path, all, findings));
    const struct adu_finding *first = adu_findings_first(findings);
    ck_assert_uint_eq(adu_findings_count(findings), 2);
    ck_assert_ptr_null(first->code);
    ck_assert_str_eq(first->place.file, "cert_auth.json");
    ck_assert_str_eq(first->next->place.file, "acl.json");
    ck_assert_uint_eq(first->next->place.column, 15);
    adu_findings_free(findings);

    findings = adu_findings_new();
    folder_copy(&folder, PLANTA);
    folder_write(&folder, "acl.json", "{\"roles\": {}}");
    ck_assert_ptr_null(adu_policy_check(folder.path, all, findings));
    ck_assert_uint_eq(adu_findings_count(findings), 1);
    ck_assert_ptr_nonnull(strstr(adu_findings_first(findings)->text, "is defined nowhere"));
    folder_copy(&folder, PLANTA);
    struct adu_policy *policy = adu_policy_check(folder.path, all, findings);
    ck_assert_ptr_nonnull(policy);
    ck_assert_uint_eq(adu_findings_count(findings), 1);
    adu_policy_free(policy);
    adu_findings_free(findings);
    folder_remove(&folder);
}
END_TEST

/* A port for metrics that others than this machine reach, in the second line. */
static const struct {
    const char *metrics;
    bool open;
} ports[] = {
    {"{}", false},
    {"{\"address\": \"127.0.0.1\"}", false},
    {"{\"address\": \"127.8.0.9\", \"port\": 0}", false},
    {"{\"address\": \"::1\"}", false},
    {"{\"address\": \"0.0.0.0\"}", true},
    {"{\"address\": \"::\"}", true},
    {"{\"address\": \"128.0.0.1\"}", true},
    {"{\"address\": \"fe80::1\"}", true},
};

START_TEST(metrics_for_everybody)
{
    char text[256];
    struct adu_findings *findings = adu_findings_new();
    planta();
    snprintf(text, sizeof text, "{\n  \"metrics\": %s}", ports[_i].metrics);
    folder_write(&folder, "aduana.json", text);
    struct adu_policy *policy = adu_policy_check(folder.path, all, findings);
    ck_assert_ptr_nonnull(policy);
    const struct adu_finding *found = adu_findings_first(findings);
    while (found != NULL && (found->code == NULL || strcmp(found->code, "open-metrics") != 0)) {
        found = found->next;
    }
    ck_assert_int_eq(found != NULL, ports[_i].open);
    if (found != NULL) {
        ck_assert_str_eq(found->place.file, "aduana.json");
        ck_assert_uint_eq(found->place.line, 2);
        ck_assert_ptr_nonnull(strstr(found->text, "nobody is asked for a password"));
    }
    adu_policy_free(policy);
    adu_findings_free(findings);
    folder_remove(&folder);
}
END_TEST

START_TEST(neither_file_nor_plugin)
{
    const struct adu_stage *stages[ADU_STAGES];
    struct adu_error error = {0};
    memcpy(stages, all, sizeof stages);
    stages[ADU_STAGE_RATE_MONITOR] = stages[ADU_STAGE_TOPIC_POLICY] = NULL;
    planta();
    folder_delete(&folder, "rate_monitor.json");
    folder_delete(&folder, "topic_policy.json");
    struct adu_policy *policy = adu_policy_load(folder.path, stages, NULL, &error);
    ck_assert_msg(policy != NULL, "%s", error.text);
    ck_assert_int_eq(policy->presence[ADU_STAGE_RATE_MONITOR], ADU_PRESENCE_NONE);
    adu_policy_free(policy);
    /* The rest is complete, so a name that nothing defines shows. */
    folder_write_json(&folder, "acl.json", "{'roles': {'operador': {}, 'tablero': {}}}");
    ck_assert_str_eq(load(stages), "cert_auth.json:11:17: the role \"edge\" is defined nowhere");
    folder_remove(&folder);
}
END_TEST

/* At start plugins come one by one: names are checked when no file waits for its plugin. */
START_TEST(names_are_checked_when_all_are_there)
{
    const struct adu_stage *stages[ADU_STAGES] = {NULL};
    planta();
    folder_write_json(&folder, "acl.json", "{'roles': {'operador': {}, 'tablero': {}}}");
    for (int kind = 0; kind < ADU_STAGES - 1; kind++) {
        stages[kind] = all[kind];
        ck_assert_str_eq(load(stages), "");
    }
    ck_assert_ptr_nonnull(strstr(load(all), "the role \"edge\" is defined nowhere"));
    folder_remove(&folder);
}
END_TEST

START_TEST(watch)
{
    struct adu_error error = {0};
    planta();
    folder_write_json(&folder, "topic_policy.json", "{'mode': 'watch'}");
    folder_write_json(&folder, "acl.json",
                      "{'mode': 'enforce', 'roles': {'edge': {}, 'operador': {}, 'tablero': {}}}");
    struct adu_policy *policy = adu_policy_load(folder.path, all, NULL, &error);
    ck_assert_msg(policy != NULL, "%s", error.text);
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        ck_assert_int_eq(policy->watch[kind], kind == ADU_STAGE_TOPIC_POLICY);
    }
    adu_policy_free(policy);
    folder_remove(&folder);
}
END_TEST

/* --- the folder itself --------------------------------------------------------------------------
 */

START_TEST(folders_refused)
{
    struct folder other;
    planta();
    ck_assert_int_eq(chmod(folder.path, 0775), 0);
    ck_assert_ptr_nonnull(strstr(load(all), "others may write it (mode 0775)"));
    ck_assert_int_eq(chmod(folder.path, 0755), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "acl.json"), 0666), 0);
    ck_assert_str_eq(load(all), "acl.json: others may write it (mode 0666); use chmod go-w");
    ck_assert_int_eq(chmod(folder_file(&folder, "acl.json"), 0644), 0);
    ck_assert_int_eq(chmod(folder_file(&folder, "passwd"), 0666), 0);
    ck_assert_str_eq(load(all), "passwd: others may write it (mode 0666); use chmod go-w");
    other = folder;
    snprintf(folder.path, sizeof folder.path, "/nonexistent");
    ck_assert_ptr_nonnull(strstr(load(all), "No such file or directory"));
    folder_remove(&other);
}
END_TEST

/* --- the cases ----------------------------------------------------------------------------------
 */

static struct dirent **cases;
static int case_count;

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

START_TEST(invalid)
{
    char path[512];
    size_t length;
    const char *name = cases[_i]->d_name;
    planta();
    snprintf(path, sizeof path, INVALID "/%s", name);
    folder_copy(&folder, path);
    folder_delete(&folder, "error");
    snprintf(path, sizeof path, INVALID "/%s/error", name);
    char *expected = file_text(path, &length);
    ck_assert_msg(expected != NULL, "%s cannot be read", path);
    expected[strcspn(expected, "\n")] = '\0';
    ck_assert_msg(strcmp(load(all), expected) == 0, "%s:\n  said     %s\n  expected %s", name,
                  message, expected);
    free(expected);
    folder_remove(&folder);
}
END_TEST

int main(void)
{
    case_count = scandir(INVALID, &cases, is_case, alphasort);
    Suite *suite = suite_create("policy");
    suite_add(suite, a_good_folder);
    suite_add(suite, the_example_plant);
    suite_add_rows(suite, names_of_stages, ADU_STAGES);
    suite_add_rows(suite, a_loaded_plugin_needs_its_file, ADU_STAGES);
    suite_add_rows(suite, a_file_needs_its_plugin, ADU_STAGES);
    suite_add(suite, every_error_is_found);
    suite_add_rows(suite, metrics_for_everybody, sizeof ports / sizeof ports[0]);
    suite_add(suite, neither_file_nor_plugin);
    suite_add(suite, names_are_checked_when_all_are_there);
    suite_add(suite, watch);
    suite_add(suite, folders_refused);
    if (case_count > 0) {
        suite_add_rows(suite, invalid, case_count);
    }
    const int status = run_suite(suite);
    for (int i = 0; i < case_count; i++) {
        free(cases[i]);
    }
    free(cases);
    return case_count > 0 ? status : EXIT_FAILURE;
}
