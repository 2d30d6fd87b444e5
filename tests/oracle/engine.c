#include "engine.h"
#include "common/pipeline.h"
#include "folder.h"
#include "plugins/acl/acl.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A log-in some time after a reload is not taken for the broker asking again. */
enum { PASS_MS = 60000, TURNS_MOST = 1000000 };

static struct {
    struct folder folder;
    struct adu_pipeline *p;
    struct adu_now now;
    const json_t *session;
    char error[1024];
} engine;

/* --- the broker, which is not here --- */

static void host_log(enum adu_log_level level, const char *line)
{
    if (level == ADU_LOG_ERROR) {
        snprintf(engine.error, sizeof engine.error, "%s", line);
    }
}

static void host_publish(void *context, const char *topic, const char *payload, int qos,
                         bool retain)
{
    (void)context, (void)topic, (void)payload, (void)qos, (void)retain;
}

static void host_kick(const char *client_id, bool with_will)
{
    (void)client_id, (void)with_will;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *host_username(const void *handle)
{
    (void)handle;
    return text_of(engine.session, "username");
}

static const char *host_address(const void *handle)
{
    (void)handle;
    return text_of(engine.session, "address");
}

static bool host_has_certificate(const void *handle)
{
    (void)handle;
    return false;
}

static const struct adu_host host = {
    .log = host_log,
    .publish = host_publish,
    .kick = host_kick,
    .username = host_username,
    .address = host_address,
    .has_certificate = host_has_certificate,
};

/* --- who somebody is: the file says which roles and attributes there may be, the session which it
 * has --- */

struct who {
    size_t count;
    struct {
        const char *name;
        int number;
    } roles[];
};

static const void *who_compile(struct adu_compiler *c, const struct adu_json *root)
{
    const struct adu_json *roles = adu_json_member(root, "roles");
    const struct adu_json *attributes = adu_json_member(root, "attributes");
    struct who *who = adu_arena_alloc(c->arena, sizeof *who + roles->count * sizeof who->roles[0]);
    for (const struct adu_json *node = roles->first; node != NULL; node = node->next) {
        const char *name = adu_arena_strdup(c->arena, json_string_value(node->value));
        who->roles[who->count].name = name;
        who->roles[who->count++].number =
            adu_vocabulary_use_role(c->vocabulary, name, &node->place);
    }
    for (const struct adu_json *node = attributes->first; node != NULL; node = node->next) {
        adu_vocabulary_define_attribute(c->vocabulary, json_string_value(node->value));
    }
    return who;
}

static bool give_roles(const struct who *who, struct adu_login *login)
{
    const json_t *roles = json_object_get(engine.session, "roles");
    for (size_t i = 0; i < json_array_size(roles); i++) {
        for (size_t k = 0; k < who->count; k++) {
            const int one[] = {who->roles[k].number, ADU_NO_NAME};
            if (strcmp(who->roles[k].name, json_string_value(json_array_get(roles, i))) == 0 &&
                !adu_login_add_roles(login, one)) {
                return false;
            }
        }
    }
    return true;
}

static enum adu_verdict who_identify(const struct adu_stage_call *call, struct adu_login *login)
{
    const json_t *attributes = json_object_get(engine.session, "attributes");
    const char *username = text_of(engine.session, "username");
    snprintf(login->username, sizeof login->username, "%s", username != NULL ? username : "");
    login->proven |= ADU_FACTOR_PASSWORD;
    login->client_id_bound = json_is_true(json_object_get(engine.session, "bound"));
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *pair = json_array_get(attributes, i);
        if (!adu_attributes_add(&login->attributes, json_string_value(json_array_get(pair, 0)),
                                json_string_value(json_array_get(pair, 1)))) {
            return ADU_ERROR;
        }
    }
    return give_roles(call->policy, login) ? ADU_ALLOW : ADU_ERROR;
}

static const struct adu_stage who_stage = {
    .kind = ADU_STAGE_IAM_AUTH,
    .compile = who_compile,
    .identify = who_identify,
};

/* --- */

static void attach(const struct adu_stage *stage)
{
    unsigned order;
    struct adu_error error = {0};
    const struct adu_options options = {.pipeline = "oracle", .policy_dir = engine.folder.path};
    engine.p = adu_pipeline_attach(stage, &options, &host, &order, &error);
    ck_assert_msg(engine.p != NULL, "%s", error.text);
}

void engine_open(void)
{
    engine.now = (struct adu_now){.mono_ms = PASS_MS, .wall_ms = INT64_C(1700000000000)};
    folder_make(&engine.folder);
    folder_write(&engine.folder, "acl.json", "{\"roles\": {}}");
    folder_write(&engine.folder, "iam_auth.json", "{\"roles\": [], \"attributes\": []}");
    attach(&who_stage);
    attach(&adu_acl_stage);
}

void engine_close(void)
{
    adu_pipeline_detach(engine.p, &adu_acl_stage);
    adu_pipeline_detach(engine.p, &who_stage);
    folder_remove(&engine.folder);
}

const char *engine_last_error(void)
{
    return engine.error;
}

static void write_json(const char *name, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    ck_assert_ptr_nonnull(text);
    folder_write(&engine.folder, name, text);
    free(text);
}

/* The roles that some identity gives, which must all be defined, and the attributes that some might
 * have. */
static json_t *who_file(const json_t *sessions)
{
    json_t *roles = json_array(), *attributes = json_pack("[sss]", "linea", "zona", "turno");
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        json_array_extend(roles, json_object_get(json_array_get(sessions, i), "roles"));
    }
    return json_pack("{s:o, s:o}", "roles", roles, "attributes", attributes);
}

bool engine_load(const json_t *round)
{
    const struct adu_counters *counters = adu_pipeline_counters(engine.p);
    const uint64_t loaded = counters->policies_loaded, rejected = counters->policies_rejected;
    json_t *who = who_file(json_object_get(round, "sessions"));
    write_json("iam_auth.json", who);
    json_decref(who);
    write_json("acl.json", json_object_get(round, "policy"));
    adu_pipeline_reload(engine.p, engine.now);
    for (int i = 0; i < TURNS_MOST && counters->policies_loaded == loaded; i++) {
        if (counters->policies_rejected > rejected) {
            return false;
        }
        usleep(50);
        adu_pipeline_tick(engine.p, engine.now, true);
    }
    ck_assert_msg(counters->policies_loaded > loaded, "the policy was neither loaded nor refused");
    engine.now.mono_ms += PASS_MS;
    return true;
}

bool engine_login(const json_t *session)
{
    char username[ADU_USERNAME_MOST + 1];
    const struct adu_connect connect = {.handle = &engine,
                                        .client_id = text_of(session, "client_id"),
                                        .username = text_of(session, "username"),
                                        .password = "secret",
                                        .address = text_of(session, "address")};
    engine.session = session;
    return adu_pipeline_login(engine.p, &connect, engine.now, username) == ADU_ALLOW;
}

void engine_logout(void)
{
    adu_pipeline_gone(engine.p, &engine, text_of(engine.session, "client_id"), true,
                      ADU_END_UNKNOWN, engine.now);
    engine.session = NULL;
}

void engine_stays(const json_t *session)
{
    engine.session = session;
}

enum oracle_answer engine_ask(const struct oracle_request *request)
{
    static const enum adu_action actions[] = {ADU_PUBLISH, ADU_SUBSCRIBE, ADU_RECEIVE};
    const struct adu_question question = {
        .handle = &engine,
        .client_id = text_of(engine.session, "client_id"),
        .action = actions[request->action],
        .topic = request->topic,
        .qos = (uint8_t)request->qos,
        .retain = request->retain,
        .payload_length = (uint32_t)request->payload_bytes,
    };
    const uint64_t watched = adu_pipeline_counters(engine.p)->would_refuse;
    engine.now.wall_ms = request->at * 1000;
    const enum adu_verdict verdict = adu_pipeline_decide(engine.p, &question, engine.now);
    const bool logged = adu_pipeline_counters(engine.p)->would_refuse > watched;
    return verdict != ADU_ALLOW ? ORACLE_REFUSED : logged ? ORACLE_WATCHED : ORACLE_ALLOWED;
}
