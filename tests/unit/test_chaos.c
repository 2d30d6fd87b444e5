/* Memory that is gone at any moment: the n-th allocation fails, and then every one from the n-th
 * on, for each n until all goes well. Whatever fails, nothing crashes, nothing leaks, and nobody is
 * let in or given what is to be refused.
 *
 * libaduana and the cores are compiled once more for this program, with the allocating functions
 * under the names that begin with chaos_; see CMakeLists.txt. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "plant.h"
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <pcre2.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

/* --- memory --- */

static atomic_bool armed;
static atomic_long left; /* allocations until the one that fails */
static bool for_good;    /* and all after it */
static _Thread_local bool spared;

static bool fails(void)
{
    if (spared || !atomic_load(&armed)) {
        return false;
    }
    const long before = atomic_fetch_sub(&left, 1);
    return for_good ? before <= 1 : before == 1;
}

void *chaos_malloc(size_t size);
void *chaos_calloc(size_t count, size_t size);
void *chaos_realloc(void *memory, size_t size);
void *chaos_reallocarray(void *memory, size_t count, size_t size);
char *chaos_strdup(const char *text);
char *chaos_strndup(const char *text, size_t length);
int chaos_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                         void *argument);
pcre2_code *chaos_pcre2_compile(PCRE2_SPTR text, PCRE2_SIZE length, uint32_t options, int *code,
                                PCRE2_SIZE *offset, pcre2_compile_context *context);
pcre2_match_data *chaos_pcre2_match_data(const pcre2_code *code, pcre2_general_context *context);
pcre2_match_context *chaos_pcre2_match_context(pcre2_general_context *context);
int chaos_pbkdf2(const char *password, int length, const unsigned char *salt, int salt_length,
                 int iterations, const EVP_MD *digest, int size, unsigned char *out);
json_t *chaos_json_loadb(const char *text, size_t length, size_t flags, json_error_t *error);
json_t *chaos_json_loads(const char *text, size_t flags, json_error_t *error);

void *chaos_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

void *chaos_calloc(size_t count, size_t size)
{
    return fails() ? NULL : calloc(count, size);
}

void *chaos_realloc(void *memory, size_t size)
{
    return fails() ? NULL : realloc(memory, size);
}

void *chaos_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : reallocarray(memory, count, size);
}

char *chaos_strdup(const char *text)
{
    return fails() ? NULL : strdup(text);
}

char *chaos_strndup(const char *text, size_t length)
{
    return fails() ? NULL : strndup(text, length);
}

int chaos_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                         void *argument)
{
    return fails() ? EAGAIN : pthread_create(thread, attributes, run, argument);
}

pcre2_code *chaos_pcre2_compile(PCRE2_SPTR text, PCRE2_SIZE length, uint32_t options, int *code,
                                PCRE2_SIZE *offset, pcre2_compile_context *context)
{
    if (fails()) {
        *code = PCRE2_ERROR_NOMEMORY;
        *offset = 0;
        return NULL;
    }
    return pcre2_compile(text, length, options, code, offset, context);
}

pcre2_match_data *chaos_pcre2_match_data(const pcre2_code *code, pcre2_general_context *context)
{
    return fails() ? NULL : pcre2_match_data_create_from_pattern(code, context);
}

pcre2_match_context *chaos_pcre2_match_context(pcre2_general_context *context)
{
    return fails() ? NULL : pcre2_match_context_create(context);
}

/* As a whole: OpenSSL asks for memory hundreds of times to do this. */
int chaos_pbkdf2(const char *password, int length, const unsigned char *salt, int salt_length,
                 int iterations, const EVP_MD *digest, int size, unsigned char *out)
{
    return !fails() && PKCS5_PBKDF2_HMAC(password, length, salt, salt_length, iterations, digest,
                                         size, out) == 1;
}

/* As a whole: within, jansson (2.14) writes beyond its memory when it gets no more. */
json_t *chaos_json_loadb(const char *text, size_t length, size_t flags, json_error_t *error)
{
    if (fails()) {
        *error = (json_error_t){.line = -1, .column = -1};
        return NULL;
    }
    spared = true;
    json_t *tree = json_loadb(text, length, flags, error);
    spared = false;
    return tree;
}

json_t *chaos_json_loads(const char *text, size_t flags, json_error_t *error)
{
    json_error_t ignored;
    return chaos_json_loadb(text, strlen(text), flags, error != NULL ? error : &ignored);
}

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
    return fails() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return fails() ? NULL : sqlite_memory.xRealloc(memory, size);
}

/* Before anybody uses them. */
static bool take_libraries(void)
{
    static sqlite3_mem_methods mine;
    json_set_alloc_funcs(chaos_malloc, free);
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK) {
        return false;
    }
    mine = sqlite_memory;
    mine.xMalloc = sqlite_malloc;
    mine.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) == SQLITE_OK &&
           sqlite3_initialize() == SQLITE_OK;
}

/* --- the plant --- */

static struct plant plant;
static char where[128]; /* which allocation of what, for messages */

enum who { EDGE_1, SCADA, TABLERO, EVERYBODY };

static const struct connection people[EVERYBODY] = {
    [EDGE_1] = {.client_id = "edge-linea1",
                .certificate = EDGE("edge-linea1") ";cert.fingerprint=ab",
                .durable = true,
                .address = "192.0.2.1"},
    [SCADA] = {.client_id = "scada-1",
               .name = "scada",
               .password = "otra-clave",
               .address = "192.0.2.2"},
    [TABLERO] = {.client_id = "tablero-1",
                 .certificate = SERVICE("tablero"),
                 .durable = true,
                 .address = "192.0.2.3"},
};

static struct connection online[EVERYBODY];

/* Who may never get in, once the edge has a session. */
static const struct connection strangers[] = {
    {.client_id = "x", .address = "192.0.2.9"},
    {.client_id = "x", .name = "scada", .password = "otra-clavE", .address = "192.0.2.9"},
    {.client_id = "x", .name = "scada", .address = "192.0.2.9"},
    {.client_id = "x", .name = "nadie", .password = "pass", .address = "192.0.2.9"},
    {.client_id = "x", .certificate = "cert.cn=edge-linea1;cert.ou=edge", .address = "192.0.2.9"},
    {.client_id = "x", .certificate = EDGE("edge-linea1"), .address = "192.0.2.9"},
    {.client_id = "edge-linea2",
     .certificate = EDGE("edge-linea2") ";cert.cn=edge-linea1",
     .address = "192.0.2.9"},
    {.client_id = "x", .certificate = "!nobody can read it", .address = "192.0.2.9"},
    /* What somebody else has under this name would be lost. */
    {.client_id = "edge-linea1", .name = "scada", .password = "otra-clave", .address = "192.0.2.9"},
};

enum generation { OLD, NEW };

/* What each may do under the plant's own policy, and under that of write_new_policy. */
static const struct {
    enum who who;
    enum adu_action action;
    const char *topic;
    bool may[2];
} questions[] = {
    {EDGE_1, ADU_PUBLISH, "planta/linea1/temperatura", {true, false}},
    {EDGE_1, ADU_PUBLISH, "planta/linea1/_sys/vivo", {true, true}},
    {EDGE_1, ADU_PUBLISH, "planta/linea2/temperatura", {false, false}},
    {EDGE_1, ADU_PUBLISH, "planta/linea1/consigna", {false, false}},
    {EDGE_1, ADU_PUBLISH, "planta/linea1/Temperatura", {false, false}},
    {EDGE_1, ADU_PUBLISH, "planta/_sys/contadores", {false, false}},
    {EDGE_1, ADU_SUBSCRIBE, "planta/linea1/comandos/#", {true, true}},
    {EDGE_1, ADU_SUBSCRIBE, "planta/+/comandos/#", {false, false}},
    {EDGE_1, ADU_RECEIVE, "planta/linea1/comandos/a", {true, true}},
    {EDGE_1, ADU_RECEIVE, "planta/linea2/comandos/a", {false, false}},
    {SCADA, ADU_PUBLISH, "planta/linea2/consigna", {true, true}},
    {SCADA, ADU_PUBLISH, "planta/_sys/contadores", {false, false}},
    {SCADA, ADU_PUBLISH, "otra/linea2/consigna", {false, false}},
    {SCADA, ADU_PUBLISH, "planta/linea2", {false, false}},
    {SCADA, ADU_SUBSCRIBE, "planta/#", {true, true}},
    {TABLERO, ADU_SUBSCRIBE, "planta/+/+", {true, false}},
    {TABLERO, ADU_SUBSCRIBE, "planta/+/secreto", {false, false}},
    {TABLERO, ADU_RECEIVE, "planta/linea1/temperatura", {true, false}},
    {TABLERO, ADU_RECEIVE, "planta/linea1/secreto", {false, false}},
    {TABLERO, ADU_PUBLISH, "planta/linea1/temperatura", {false, false}},
};

/* The edge loses a right, and nobody knows the services any more. */
static void write_new_policy(void)
{
    folder_write_json(&plant.policies, "cert_auth.json",
                      "{'identities': [{'name': 'edge', 'match': {'cert.issuer.cn': "
                      "'Planta Device CA', 'cert.ou': 'edge'}, 'attributes': {'linea': {'from': "
                      "'cert.cn', 'pattern': 'edge-(linea[0-9]+)'}}, 'username': '${linea}', "
                      "'client_id': '${cert.cn}', 'roles': ['edge']}]}");
    folder_write_json(&plant.policies, "acl.json",
                      "{'roles': {'edge': {'allow': [{'publish': ['planta/${linea}/_sys/#']}, "
                      "{'subscribe': ['planta/${linea}/comandos/#']}], 'deny': [{'publish': "
                      "['planta/+/consigna', 'planta/+/temperatura']}]}, 'operador': {'allow': "
                      "[{'publish': ['planta/#'], 'subscribe': ['planta/#']}]}}, 'bindings': "
                      "[{'match': {'username': 'scada'}, 'roles': ['operador']}]}");
}

static bool gets_in(struct connection *c)
{
    const enum adu_verdict verdict = plant_login(&plant, c);
    ck_assert_msg(verdict == ADU_ALLOW || verdict == ADU_DENY, "%s: verdict %d", where, verdict);
    return verdict == ADU_ALLOW;
}

static bool log_in(enum who who)
{
    online[who] = people[who];
    return gets_in(&online[who]);
}

/* Nobody may do more than the policy says; with `all`, nor less. */
static void ask(enum generation generation, bool all)
{
    for (int i = 0; i < ROWS(questions); i++) {
        const bool may = questions[i].may[generation];
        const enum adu_verdict verdict =
            plant_ask(&plant, &online[questions[i].who], questions[i].action, questions[i].topic);
        ck_assert_msg(may || verdict == ADU_DENY, "%s: %s, action %d: verdict %d", where,
                      questions[i].topic, questions[i].action, verdict);
        ck_assert_msg(!may || !all || verdict == ADU_ALLOW, "%s: %s, action %d: verdict %d", where,
                      questions[i].topic, questions[i].action, verdict);
    }
}

static void everybody_in(void)
{
    for (int who = 0; who < EVERYBODY; who++) {
        ck_assert_msg(log_in((enum who)who), "%s: %s", where, last_line());
    }
}

static void everybody_offline(void)
{
    static const char *const names[] = {"linea1", "scada", "tablero"};
    memcpy(online, people, sizeof online);
    for (int who = 0; who < EVERYBODY; who++) {
        online[who].address = online[who].certificate = NULL;
        snprintf(online[who].username, sizeof online[who].username, "%s", names[who]);
    }
}

static void nothing(void)
{
}

static void start(void)
{
    plant_start(&plant);
    memcpy(online, people, sizeof online);
}

/* --- what is done while memory is gone --- */

/* The plugins are loaded: all are, or an error says why the broker does not start. */
static bool attach_all(void)
{
    for (int kind = 0; kind < ADU_STAGES; kind++) {
        struct adu_error error = {0};
        if (!plant_attach(&plant, (enum adu_stage_kind)kind, &error)) {
            ck_assert_msg(error.set && error.text[0] != '\0', "%s: refused without a word", where);
            return false;
        }
    }
    return true;
}

static bool attached;

static void do_load(void)
{
    attached = attach_all();
}

static void after_load(bool well)
{
    ck_assert_msg(attached || !well, "%s: refused for nothing", where);
    if (attached) {
        everybody_in();
        ask(OLD, true);
    }
}

/* The first event of a broker's life, and all kinds of log-ins. */
static void do_log_in(void)
{
    bool in[EVERYBODY];
    for (int who = 0; who < EVERYBODY; who++) {
        in[who] = log_in((enum who)who);
    }
    for (int i = 0; i < ROWS(strangers); i++) {
        struct connection c = strangers[i];
        const bool theirs = strcmp(c.client_id, "edge-linea1") == 0;
        if (!theirs || in[EDGE_1]) { /* nobody's yet, it is free */
            ck_assert_msg(!gets_in(&c), "%s: stranger %d is in", where, i);
        }
        plant_gone(&plant, &c, true);
    }
    ask(OLD, false);
}

static void after_log_in(bool well)
{
    (void)well;
    for (int who = 0; who < EVERYBODY; who++) {
        plant_gone(&plant, &online[who], true);
    }
    everybody_in();
    ask(OLD, true);
}

static void before_ask(void)
{
    start();
    everybody_in();
}

static void do_ask(void)
{
    ask(OLD, true); /* it takes no memory, so none can be missed */
    plant_pass(&plant, 100);
    for (int i = 0; i < 1200; i++) { /* an alert, too */
        plant_ask(&plant, &online[EDGE_1], ADU_PUBLISH, "planta/linea1/_sys/vivo");
    }
    plant_pass(&plant, 60000);
    for (int who = 0; who < EVERYBODY; who++) {
        plant_gone(&plant, &online[who], false);
    }
    ask(OLD, true);
}

static void after_ask(bool well)
{
    (void)well;
    everybody_in();
    ask(OLD, true);
}

/* SIGHUP, with a policy that takes rights away. */
static void before_reload(void)
{
    folder_copy(&plant.policies, PLANTA);
    before_ask();
    write_new_policy();
}

static bool loaded;

static void do_reload(void)
{
    loaded = plant_reload(&plant);
    ask(loaded ? NEW : OLD, false);
    plant_pass(&plant, 100);
    ask(loaded ? NEW : OLD, false);
}

static void after_reload(bool well)
{
    ck_assert_msg(loaded || !well, "%s: refused for nothing", where);
    if (!loaded) {
        ask(OLD, true); /* as if nothing had been */
        ck_assert_msg(logged("policy not loaded, generation 1 stays") == 1, "%s: not said", where);
    }
    ck_assert_msg(loaded || plant_reload(&plant), "%s: %s", where, last_line());
    plant_pass(&plant, 100);
    ask(NEW, false);
    ck_assert(log_in(EDGE_1) && log_in(SCADA) && !log_in(TABLERO));
    ask(NEW, true);
}

/* A durable session is somebody's, whatever becomes of the policy, and of what is known of it. */
static void before_taking(void)
{
    start();
    ck_assert(log_in(EDGE_1));
    plant_gone(&plant, &online[EDGE_1], false);
    ck_assert(plant_reload(&plant));
}

static void do_taking(void)
{
    struct connection c = strangers[ROWS(strangers) - 1];
    ck_assert_msg(!gets_in(&c), "%s: somebody else's session is taken", where);
}

static void after_taking(bool well)
{
    (void)well;
    do_taking();
    ck_assert_msg(log_in(EDGE_1), "%s: %s", where, last_line());
}

/* The broker is started again: what it knew of those who are away comes from the state file. */
static void before_restart(void)
{
    if (folder_has(&plant.state, "aduana-state.db")) {
        return; /* it has survived all that was before */
    }
    start();
    everybody_in();
    for (int who = 0; who < EVERYBODY; who++) {
        plant_gone(&plant, &online[who], false);
    }
    plant_stop(&plant);
}

static void do_restart(void)
{
    everybody_offline();
    attached = attach_all();
    if (attached) {
        ask(OLD, false);
        if (plant_counters(&plant)->state_errors == 0) {
            do_taking();
        }
    }
}

static void after_restart(bool well)
{
    ck_assert_msg(attached || !well, "%s: refused for nothing", where);
    ck_assert_msg(folder_count(&plant.state, "aduana-state.db.damaged") == 0,
                  "%s: a good state file is taken for a damaged one", where);
    plant_stop(&plant);
    plant_start(&plant);
    everybody_offline();
    ask(OLD, true);
}

/* --- one after the other --- */

static const struct {
    const char *name;
    bool keeps_state;
    void (*before)(void), (*during)(void), (*after)(bool well);
} phases[] = {
    {"load", false, nothing, do_load, after_load},
    {"log in", false, start, do_log_in, after_log_in},
    {"ask", false, before_ask, do_ask, after_ask},
    {"reload", false, before_reload, do_reload, after_reload},
    {"taking", false, before_taking, do_taking, after_taking},
    {"restart", true, before_restart, do_restart, after_restart},
};

START_TEST(nth_allocation_fails)
{
    const int phase = _i / 2;
    bool well = false;
    long n = 0;
    plant_prepare(&plant);
    plant.keeps_state = phases[phase].keeps_state;
    for_good = _i % 2 != 0;
    spared = false;
    atomic_store(&armed, false); /* after a test that failed */
    while (!well) {
        n++;
        snprintf(where, sizeof where, "%s, %s %ld", phases[phase].name,
                 for_good ? "all from" : "only", n);
        phases[phase].before();
        atomic_store(&left, n);
        atomic_store(&armed, true);
        phases[phase].during();
        atomic_store(&armed, false);
        well = atomic_load(&left) > 0;
        phases[phase].after(well);
        plant_stop(&plant);
        log_clear();
    }
    plant_end(&plant);
    ck_assert_msg(n > 5, "%s: nothing asks for memory here, or nothing of it is seen", where);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chaos");
    if (!take_libraries()) {
        fprintf(stderr, "the libraries' memory cannot be taken away\n");
        return EXIT_FAILURE;
    }
    suite_add_rows(suite, nth_allocation_fails, 2 * ROWS(phases));
    return run_suite(suite);
}
