#include "plant.h"
#include "snippet.h"
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { LINES_MOST = 4096, RELOAD_SECONDS = 20 };

static struct {
    struct plant *plant;
    char *lines[LINES_MOST];
    int line_count;
    int kicks;
    char last_kicked[128];
    bool last_with_will;
    int publications;
    struct publication last;
    char *payloads[LINES_MOST]; /* of the first so many */
    struct connection *held[PLANT_CONNECTIONS];
    char completions[1024];
} seen;

/* --- the broker ---------------------------------------------------------------------------------
 */

/* Whatever clients send, a line is one line, ours, and short enough for the broker. */
static void check_line(const char *line)
{
    ck_assert_msg(strncmp(line, "aduana: ", 8) == 0, "whose line is this? %s", line);
    ck_assert_msg(strlen(line) < 1000, "%zu bytes: %s", strlen(line), line);
    for (const char *at = line; *at != '\0'; at++) {
        ck_assert_msg((unsigned char)*at >= 0x20 && *at != 0x7f, "byte %02x in the line %s",
                      (unsigned)(unsigned char)*at, line);
    }
}

static void host_log(enum adu_log_level level, const char *line)
{
    (void)level;
    check_line(line);
    ck_assert_int_lt(seen.line_count, LINES_MOST);
    seen.lines[seen.line_count++] = strdup(line);
}

static void host_publish(void *context, const char *topic, const char *payload, int qos,
                         bool retain)
{
    (void)context;
    if (seen.publications < LINES_MOST) {
        seen.payloads[seen.publications] = strdup(payload);
    }
    seen.publications++;
    snprintf(seen.last.topic, sizeof seen.last.topic, "%s", topic);
    snprintf(seen.last.payload, sizeof seen.last.payload, "%s", payload);
    seen.last.qos = qos;
    seen.last.retain = retain;
}

/* As a broker does it: the connection has ended when this returns. */
static void host_kick(const char *client_id, bool with_will)
{
    seen.kicks++;
    seen.last_with_will = with_will;
    snprintf(seen.last_kicked, sizeof seen.last_kicked, "%s", client_id);
    for (int i = 0; i < PLANT_CONNECTIONS; i++) {
        struct connection *c = seen.plant->online[i];
        if (c != NULL && strcmp(c->client_id, client_id) == 0) {
            plant_gone(seen.plant, c, false);
        }
    }
}

static const char *host_username(const void *handle)
{
    const struct connection *c = handle;
    return c->username[0] != '\0' ? c->username : NULL;
}

static const char *host_address(const void *handle)
{
    const struct connection *c = handle;
    return c->address;
}

static bool host_has_certificate(const void *handle)
{
    const struct connection *c = handle;
    return c->certificate != NULL;
}

static bool host_hears_why(const void *handle)
{
    const struct connection *c = handle;
    return c->protocol == 5;
}

static void remember_online(struct plant *plant, struct connection *c)
{
    int i = 0;
    while (i < PLANT_CONNECTIONS && plant->online[i] != NULL && plant->online[i] != c) {
        i++;
    }
    ck_assert_int_lt(i, PLANT_CONNECTIONS);
    plant->online[i] = c;
}

/* As 2.1: whoever is held under that client id is completed, if anybody is. */
static bool host_complete(const void *handle, const char *client_id, bool accepted,
                          const char *username)
{
    struct connection *c = NULL;
    for (int i = 0; i < PLANT_CONNECTIONS && c == NULL; i++) {
        if (seen.held[i] != NULL && strcmp(seen.held[i]->client_id, client_id) == 0) {
            c = seen.held[i];
            seen.held[i] = NULL;
        }
    }
    if (c == NULL) {
        return false;
    }
    ck_assert_msg(c == handle, "%s: the answer for one connection came to another", client_id);
    char text[128];
    snprintf(text, sizeof text, "%s%s%c", seen.completions[0] != '\0' ? " " : "", client_id,
             accepted ? '+' : '-');
    ck_assert_uint_lt(strlen(seen.completions) + strlen(text), sizeof seen.completions);
    strcat(seen.completions, text);
    if (accepted) {
        snprintf(c->username, sizeof c->username, "%s", username);
        remember_online(seen.plant, c);
    }
    return true;
}

/* Goes on by 1500 whenever somebody looks. */
static int64_t host_nanoseconds(void)
{
    static atomic_int_fast64_t time;
    return atomic_fetch_add(&time, 1500);
}

static struct adu_host host = {
    .log = host_log,
    .publish = host_publish,
    .kick = host_kick,
    .username = host_username,
    .address = host_address,
    .has_certificate = host_has_certificate,
    .hears_why = host_hears_why,
    .nanoseconds = host_nanoseconds,
};

/* --- the plant ----------------------------------------------------------------------------------
 */

static void forget_all(void)
{
    log_clear();
    for (int i = 0; i < LINES_MOST; i++) {
        free(seen.payloads[i]);
        seen.payloads[i] = NULL;
    }
    seen.kicks = seen.publications = 0;
    seen.last_kicked[0] = seen.completions[0] = '\0';
    memset(seen.held, 0, sizeof seen.held);
    seen.last = (struct publication){.qos = -1};
}

void plant_prepare(struct plant *plant)
{
    if (seen.plant != NULL) { /* of a test that failed */
        plant_end(seen.plant);
    }
    forget_all();
    *plant = (struct plant){.now = {.mono_ms = 1000000, .wall_ms = INT64_C(1700000000000)}};
    seen.plant = plant;
    folder_make(&plant->policies);
    folder_make(&plant->state);
    folder_copy(&plant->policies, PLANTA);
}

bool plant_attach(struct plant *plant, enum adu_stage_kind kind, struct adu_error *error)
{
    unsigned order;
    const struct adu_options options = {.pipeline = plant->pipeline,
                                        .policy_dir = plant->policies.path,
                                        .state_dir = plant->keeps_state ? plant->state.path : NULL};
    const struct adu_stage *stage =
        kind == ADU_STAGE_IAM_AUTH && plant->iam_auth != NULL ? plant->iam_auth : test_stage(kind);
    host.complete = plant->holds ? host_complete : NULL;
    struct adu_pipeline *p = adu_pipeline_attach(stage, &options, &host, &order, error);
    if (p == NULL) {
        return false;
    }
    ck_assert_uint_eq(order, plant->attached_count);
    ck_assert_msg(plant->p == NULL || plant->p == p, "a second pipeline was made");
    plant->p = p;
    plant->attached[plant->attached_count++] = stage;
    return true;
}

void plant_start(struct plant *plant)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        char text[1024];
        ck_assert_msg(plant_attach(plant, (enum adu_stage_kind)kind, &error), "%s",
                      adu_error_format(&error, text, sizeof text));
    }
}

void plant_stop(struct plant *plant)
{
    while (plant->attached_count > 0) {
        adu_pipeline_detach(plant->p, plant->attached[--plant->attached_count]);
    }
    plant->p = NULL;
    memset(plant->online, 0, sizeof plant->online);
}

void plant_end(struct plant *plant)
{
    plant_stop(plant);
    folder_remove(&plant->policies);
    folder_remove(&plant->state);
    forget_all();
    seen.plant = NULL;
}

enum adu_verdict plant_login(struct plant *plant, struct connection *c)
{
    char username[ADU_USERNAME_MOST + 1] = "";
    unsigned char *bytes = (unsigned char *)(uintptr_t)c->certificate;
    const size_t length = c->certificate != NULL ? strlen(c->certificate) : 0;
    const struct adu_connect connect = {.handle = c,
                                        .client_id = c->client_id,
                                        .username = c->name,
                                        .password = c->password,
                                        .address = c->address,
                                        .certificate = {.bytes = bytes, .length = length},
                                        .durable = c->durable};
    const enum adu_verdict verdict = adu_pipeline_login(plant->p, &connect, plant->now, username);
    for (int i = 0; verdict == ADU_LATER && i < PLANT_CONNECTIONS; i++) {
        if (seen.held[i] == NULL) {
            seen.held[i] = c;
            break;
        }
    }
    if (verdict != ADU_ALLOW && verdict != ADU_ABSTAIN) {
        return verdict;
    }
    if (username[0] != '\0') {
        memcpy(c->username, username, sizeof username);
    } else if (c->username[0] == '\0' && c->name != NULL) {
        snprintf(c->username, sizeof c->username, "%s", c->name);
    }
    remember_online(plant, c);
    return verdict;
}

enum adu_verdict plant_ask(struct plant *plant, const struct connection *c, enum adu_action action,
                           const char *topic)
{
    const struct adu_question question = {
        .handle = c, .client_id = c->client_id, .action = action, .topic = topic, .qos = 1};
    return adu_pipeline_decide(plant->p, &question, plant->now);
}

void plant_lost(struct plant *plant, struct connection *c)
{
    (void)plant;
    for (int i = 0; i < PLANT_CONNECTIONS; i++) {
        if (seen.held[i] == c) {
            seen.held[i] = NULL;
        }
    }
}

void plant_gone(struct plant *plant, struct connection *c, bool session_ended)
{
    for (int i = 0; i < PLANT_CONNECTIONS; i++) {
        if (plant->online[i] == c) {
            plant->online[i] = NULL;
        }
    }
    adu_pipeline_gone(plant->p, c, c->client_id, session_ended, ADU_END_UNKNOWN, plant->now);
}

void plant_pass(struct plant *plant, int64_t ms)
{
    plant->now.mono_ms += ms;
    plant->now.wall_ms += ms;
    adu_pipeline_tick(plant->p, plant->now, true);
}

bool plant_reload(struct plant *plant)
{
    const struct adu_counters *counters = plant_counters(plant);
    const uint64_t loaded = counters->policies_loaded;
    const uint64_t before = loaded + counters->policies_rejected;
    adu_pipeline_reload(plant->p, plant->now);
    for (int i = 0; i < RELOAD_SECONDS * 1000; i++) {
        plant_pass(plant, 0);
        if (counters->policies_loaded + counters->policies_rejected > before) {
            return counters->policies_loaded > loaded;
        }
        usleep(1000);
    }
    ck_abort_msg("the policy was neither loaded nor refused");
    return false;
}

const struct adu_counters *plant_counters(const struct plant *plant)
{
    return adu_pipeline_counters(plant->p);
}

/* --- what was seen ------------------------------------------------------------------------------
 */

int logged(const char *part)
{
    int count = 0;
    for (int i = 0; i < seen.line_count; i++) {
        count += strstr(seen.lines[i], part) != NULL;
    }
    return count;
}

const char *last_line(void)
{
    return seen.line_count > 0 ? seen.lines[seen.line_count - 1] : "";
}

void log_clear(void)
{
    while (seen.line_count > 0) {
        free(seen.lines[--seen.line_count]);
    }
}

const char *completions(void)
{
    return seen.completions;
}

int kicks(void)
{
    return seen.kicks;
}

const char *last_kicked(void)
{
    return seen.last_kicked;
}

bool last_kicked_with_will(void)
{
    return seen.last_with_will;
}

int publications(void)
{
    return seen.publications;
}

const struct publication *last_publication(void)
{
    return &seen.last;
}

int published(const char *part, const char *other)
{
    int count = 0;
    for (int i = 0; i < seen.publications && i < LINES_MOST; i++) {
        count += strstr(seen.payloads[i], part) != NULL && strstr(seen.payloads[i], other) != NULL;
    }
    return count;
}
